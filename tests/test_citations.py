"""Marks of an answer: repaired, resolved, checked."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.citations import (
    NO_SOURCE,
    NUMBER_MISSING,
    ONLY_A_PICTURE,
    resolve_citations,
)
from rag.marks import markers_in, repair_marks, strip_marks
from rag.types import Region, Source
from tests.fakes import make_hit

SALES = make_hit("Sales rose to 1,234.5 tonnes in 2024. Costs fell by 12 %.", rank=1)
STAFF = make_hit("The firm has three plants. It employs 2.5 million people.", rank=2)
CHART = make_hit("", rank=3, kind="figure")
FRAGMENTS = [
    "Costs fell by 12 %", "It has 3 plants", "Sales rose", "12", ". ", " [1]", "[2]", "[3]", "\n- ",
    "`", "[2][1]", " 2.5 million people", "**", "| ",
]  # fmt: skip
SOURCES = [Source(marker=n, hit=hit) for n, hit in enumerate([SALES, STAFF, CHART], 1)]


@pytest.mark.parametrize(
    ("written", "repaired"),
    [
        ("Up [1].", "Up [1]."),
        ("Up [1][2].", "Up [1][2]."),
        ("Up [1, 2].", "Up [1][2]."),
        ("Up [1; 3].", "Up [1][3]."),
        ("Up [1-3].", "Up [1][2][3]."),
        ("Up [1–2].", "Up [1][2]."),
        ("Up 【2】.", "Up [2]."),
        ("Up 【2†source】.", "Up [2]."),
        ("Up [^1].", "Up [1]."),
        ("Up [source 2].", "Up [2]."),
        ("Up [Source 1, Source 3].", "Up [1][3]."),
        ("Up [1,2-3].", "Up [1][2][3]."),
        ("Up [1 and 2].", "Up [1][2]."),
        ("Up [[2]].", "Up [2]."),
        ("Up 【1, 2】.", "Up [1][2]."),
        ("Up [1†L3-L9].", "Up [1]."),
        ("Up (1).", "Up (1)."),
        ("[2] Up.", "[2] Up."),
        ("Up. [2]", "Up. [2]"),
        ("Up [9].", "Up."),
        ("Up [2, 9].", "Up [2]."),
        ("Up [1][1].", "Up [1]."),
        ("Up[1].", "Up[1]."),
        ("Up in [2024].", "Up in [2024]."),
        ("row[0] stays", "row[0] stays"),
        ("`row[9]` stays", "`row[9]` stays"),
        ("```\na[9]\n``` [9] [1]", "```\na[9]\n``` [1]"),
        ("```\nnever closed [9]", "```\nnever closed [9]"),
        ("[1](http://evil.example/x)", "[1] (http://evil.example/x)"),
    ],
)
def test_marks_are_brought_into_one_form(written: str, repaired: str) -> None:
    assert repair_marks(written, 3) == repaired


@given(st.text(alphabet="[]1234590,-–^ 【】`ab.\n", max_size=60), st.integers(0, 5))
def test_repair_never_leaves_a_mark_past_the_sources(text: str, count: int) -> None:
    assert all(1 <= marker <= count for marker in markers_in(repair_marks(text, count)))


@given(st.text(alphabet="[]1234567890,-–^ 【】()`ab.\n", max_size=60), st.integers(0, 9))
def test_repair_invents_no_marker(text: str, count: int) -> None:
    written = set(map(int, re.findall(r"\d{1,3}", text)))
    spans = re.findall(r"(?=(\d{1,3})[ ]?[‒–—-][ ]?(\d{1,3}))", text)
    between = {n for low, high in spans for n in range(int(low), int(high) + 1)}
    assert set(markers_in(repair_marks(text, count))) <= written | between


@given(st.text(alphabet="[]123 ,-a.`\n", max_size=60))
def test_repair_is_done_after_one_pass(text: str) -> None:
    once = repair_marks(text, 3)
    assert markers_in(repair_marks(once, 3)) == markers_in(once)


def test_a_history_holds_no_marks() -> None:
    assert strip_marks("Sales rose [1][2]. Costs fell [3].") == "Sales rose. Costs fell."


def test_a_citation_quotes_the_sentence_that_carries_it_word_for_word() -> None:
    found = resolve_citations("Costs were cut by 12 % [1].", SOURCES)
    (citation,) = found.citations
    assert citation.quote == "Costs fell by 12 %."
    assert citation.quote in SALES.item.text
    assert citation.hit is SALES


def test_a_citation_opens_at_the_region_that_holds_its_words() -> None:
    column = Region(page_number=4, bbox=(300.0, 100.0, 500.0, 300.0))
    next_page = Region(page_number=5, bbox=(72.0, 100.0, 272.0, 300.0))
    text = "Sales rose in spring and again in summer. " * 3 + "Costs fell by 12 % in autumn."
    source = Source(marker=1, hit=make_hit(text, regions=(column, next_page)))
    (citation,) = resolve_citations("Costs fell by 12 % [1].", [source]).citations
    assert citation.region == next_page
    assert citation.hit.item.regions == (next_page, column)
    assert citation.hit.page_number == 5


def test_each_marker_resolves_once_in_order_of_use() -> None:
    found = resolve_citations("Plants: three [2]. Sales rose [1]. People work [2].", SOURCES)
    assert [citation.marker for citation in found.citations] == [2, 1]


@pytest.mark.parametrize(
    "sentence",
    [
        "Sales rose to 1234.5 tonnes [1].",
        "Sales rose to 1 234,5 tonnes [1].",
        "Costs fell by 12 percent in 2024 [1].",
        "Costs fell by 12% [1].",
        "It has 3 plants [2].",
        "It employs 2,500,000 people [2].",
        "See page 1 of the report for this [1].",
        "1. Costs fell by 12 % [1].",
    ],
)
def test_a_number_that_stands_in_the_source_is_not_flagged(sentence: str) -> None:
    assert resolve_citations(sentence, SOURCES).unsupported == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "Sales rose to 1,234.6 tonnes [1].",
        "Sales rose to 234 tonnes [1].",
        "Costs fell by 13 % [1].",
        "It has 4 plants [2].",
        "It employs 2.5 billion people, not 25 [2].",
    ],
)
def test_a_number_that_no_cited_source_holds_is_flagged(sentence: str) -> None:
    (flag,) = resolve_citations(sentence, SOURCES).unsupported
    assert flag.reason.startswith(NUMBER_MISSING)
    assert (flag.sentence, flag.doubt) == (sentence, "missing")


def test_planted_wrong_numbers_are_flagged_and_right_ones_are_not() -> None:
    rights = wrongs = 0
    for value in range(1000, 50_000, 983):
        source = Source(marker=1, hit=make_hit(f"The plant made {value:,} units in May."))
        right, wrong = f"It made {value} units [1].", f"It made {value + 7} units [1]."
        rights += bool(resolve_citations(right, [source]).unsupported)
        wrongs += bool(resolve_citations(wrong, [source]).unsupported)
    assert (rights, wrongs) == (0, 50)


def test_a_mark_moves_to_the_source_that_holds_the_number() -> None:
    found = resolve_citations("Costs fell by 12 % [2]. Sales rose in 2024. [2]", SOURCES)
    assert found.text == "Costs fell by 12 % [1]. Sales rose in 2024. [1]"
    assert [citation.marker for citation in found.citations] == [1]
    assert found.unsupported == ()


@pytest.mark.parametrize(
    "text",
    [
        "Costs fell by 12 % [1].",  # it stands where it is cited
        "Costs fell by 13 % [2].",  # it stands nowhere
        "It employs 12 people [2].",  # it stands elsewhere, but of something else
        "Costs fell [2].",  # there is no number to go by
        "Costs fell by 12 % [3].",  # it may have been read from the picture
        "`Costs fell by 12 % [2].`",
    ],
)
def test_a_mark_moves_for_no_other_reason(text: str) -> None:
    assert resolve_citations(text, SOURCES).text == text


def test_of_several_marks_the_one_without_the_number_moves() -> None:
    more = [*SOURCES, Source(marker=4, hit=make_hit("Costs were high. Sales were low.", rank=4))]
    found = resolve_citations("Costs fell by 12 %, it employs 2.5 million people [4][2].", more)
    assert found.text.endswith("[1][2].")


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14))
def test_settling_marks_never_adds_one_nor_changes_a_word(pieces: list[str]) -> None:
    text = repair_marks("".join(pieces), 3)
    settled = resolve_citations(text, SOURCES).text
    assert len(re.findall(r"\[\d\]", settled)) <= len(re.findall(r"\[\d\]", text))
    assert re.sub(r"\s?\[\d\]", "", settled) == re.sub(r"\s?\[\d\]", "", text)


def test_a_sentence_without_a_mark_is_flagged() -> None:
    (flag,) = resolve_citations("Sales rose [1]. The moon is made of cheese.", SOURCES).unsupported
    assert (flag.sentence, flag.reason) == ("The moon is made of cheese.", NO_SOURCE)


@pytest.mark.parametrize("text", ["Yes.", "# Results", "The report says:", "|---|---|"])
def test_what_claims_nothing_needs_no_mark(text: str) -> None:
    assert resolve_citations(text, SOURCES).unsupported == ()


def test_a_picture_without_words_never_counts_as_checked() -> None:
    (flag,) = resolve_citations("The bars grow over time [3].", SOURCES).unsupported
    assert flag.reason == ONLY_A_PICTURE


def test_a_number_read_from_a_picture_is_said_to_be_unchecked() -> None:
    chart = Source(marker=1, hit=make_hit("Sales by year", kind="figure"))
    (flag,) = resolve_citations("Sales were 47 in spring [1].", [chart]).unsupported
    assert flag.reason == ONLY_A_PICTURE


def test_a_planted_picture_stays_text() -> None:
    text = "Look ![x](http://127.0.0.1:9/?q=secret) here [1]."
    assert "![x](http://127.0.0.1:9/?q=secret)" in resolve_citations(text, SOURCES).text


@pytest.mark.parametrize(
    "piece", ["[1", "[", "1", ",", " ", "a", "[1,", "【1", "`", "[1-", "1 000"]
)
def test_hostile_repeats_take_linear_time(piece: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        resolve_citations(piece * count, SOURCES)
        return time.process_time() - started

    seconds(100)
    assert seconds(100_000) < 2.0
