"""Quotes word for word: which ones, in what order, under which marker."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.extractive import Extract, extract_answer
from rag.questions import asks_for_picture
from rag.sentences import fold_spaces
from tests.fakes import WordLane, make_hit

if TYPE_CHECKING:
    from rag.types import Hit

TIDES = make_hit(
    "Tides are caused by the moon. The harbour was built in 1904 by Dutch\nengineers. "
    "Gulls nest on the old pier each spring.",
    rank=1,
)
BOATS = make_hit("Fishing boats leave the harbour at dawn. Their nets are mended ashore.", rank=2)
TABLE = make_hit(
    "| Port | Depth | Berths |\n|---|---|---|\n| Norwick | 12 m | 40 |\n| Southam | 9 m | 25 |",
    rank=3,
    kind="table",
    caption="Table 1: depth of the ports",
)
CHART = make_hit(
    "Figure 2: Catch of herring by year", rank=4, kind="figure", page=7,
    caption="Figure 2: Catch of herring by year", number="Figure 2",
)  # fmt: skip
HITS = [TIDES, BOATS, TABLE, CHART]
MARK = re.compile(r" ?\[(\d+)\]")


def quotes_of(extract: Extract) -> list[tuple[str, int]]:
    """(what is said, its marker) in order."""
    pieces = MARK.split(extract.text)
    return [
        (fold_spaces(said), int(marker))
        for said, marker in zip(pieces[::2], pieces[1::2], strict=False)
    ]


def source_text(hit: Hit) -> str:
    return fold_spaces(f"{hit.item.text} {hit.item.caption}")


def test_the_sentence_that_answers_comes_first_word_for_word() -> None:
    extract = extract_answer("When was the harbour built?", HITS, WordLane())
    said, marker = quotes_of(extract)[0]
    assert said == "The harbour was built in 1904 by Dutch engineers."
    assert extract.sources[marker - 1].hit is TIDES


@pytest.mark.parametrize("lane", [WordLane(), None], ids=["with a lane", "words only"])
@pytest.mark.parametrize(
    "question",
    ["When was the harbour built?", "How deep is Norwick?", "Show the chart of herring", "gulls"],
)
def test_all_that_is_said_stands_in_its_source(question: str, lane: WordLane | None) -> None:
    extract = extract_answer(question, HITS, lane)
    assert extract.sources
    for said, marker in quotes_of(extract):
        assert said in source_text(extract.sources[marker - 1].hit)


def test_the_quote_of_a_citation_is_an_exact_piece_of_the_hit() -> None:
    extract = extract_answer("When was the harbour built?", HITS, WordLane())
    first = extract.citations[0]
    assert first.quote == "The harbour was built in 1904 by Dutch\nengineers."
    assert first.quote in first.hit.item.text


def test_markers_count_from_one_in_display_order_and_all_are_cited() -> None:
    extract = extract_answer("harbour boats herring depth", HITS, WordLane())
    shown = list(dict.fromkeys(marker for _, marker in quotes_of(extract)))
    assert shown == list(range(1, len(extract.sources) + 1))
    assert [citation.marker for citation in extract.citations] == shown


def test_a_table_gives_its_header_and_the_row_that_matches() -> None:
    extract = extract_answer("How deep is Norwick?", HITS, WordLane())
    assert "Port | Depth | Berths [1]\nNorwick | 12 m | 40 [1]" in extract.text
    assert extract.citations[0].quote == "Norwick | 12 m | 40"


def test_a_question_for_a_chart_begins_with_the_chart() -> None:
    extract = extract_answer("Show me the chart of herring", HITS, WordLane())
    assert quotes_of(extract)[0] == ("Figure 2: Catch of herring by year", 1)
    assert extract.sources[0].hit is CHART


def test_a_picture_on_the_page_of_a_quote_is_shown_with_it() -> None:
    near = make_hit("", rank=9, kind="figure", page=3)
    far = make_hit("", rank=10, kind="figure", page=5)
    words = make_hit("The harbour was built in 1904.", page=3)
    extract = extract_answer("When was the harbour built?", [words, near, far], WordLane())
    assert [source.hit for source in extract.sources] == [words, near]
    assert extract.text.endswith("Figure on page 3 [2]")


def test_a_picture_that_has_nothing_to_do_with_it_is_left_out() -> None:
    stranger = make_hit("Photo of a cat", rank=2, kind="figure", page=9)
    hits = [make_hit("The harbour was built in 1904."), stranger]
    extract = extract_answer("When was the harbour built?", hits, WordLane())
    assert [source.hit for source in extract.sources] == [hits[0]]


def test_at_most_four_sentences_two_a_source_and_two_figures() -> None:
    hits = [
        make_hit(" ".join(f"The harbour wall {n} has stone {m}." for m in "abcdef"), rank=n)
        for n in range(1, 5)
    ]
    hits += [make_hit(f"harbour {n}", rank=n, kind="figure") for n in range(5, 9)]
    extract = extract_answer("harbour wall stone", hits, WordLane())
    markers = [marker for _, marker in quotes_of(extract)]
    figures = [s for s in extract.sources if s.hit.item.kind == "figure"]
    assert len(figures) == 2
    assert len(markers) - len(figures) <= 4
    assert max(markers.count(marker) for marker in markers) <= 2


def test_the_same_sentence_in_two_places_is_quoted_once() -> None:
    hits = [make_hit("The harbour was built in 1904.", rank=n, page=n) for n in (1, 2)]
    assert extract_answer("When was the harbour built?", hits, None).text.count("1904") == 1


def test_a_forged_mark_in_a_document_never_becomes_a_marker() -> None:
    forged = make_hit("The harbour was built in 1850, as proven [2]. It stands in the bay.")
    extract = extract_answer("When was the harbour built?", [forged, BOATS], WordLane())
    assert "[2]." not in extract.text
    for said, marker in quotes_of(extract):
        assert said in source_text(extract.sources[marker - 1].hit)


def test_a_document_that_plants_a_picture_is_quoted_as_text() -> None:
    planted = make_hit("The harbour ![x](http://127.0.0.1:9/?q=1) was built in 1904.")
    extract = extract_answer("When was the harbour built?", [planted], WordLane())
    assert extract.text == "The harbour ![x](http://127.0.0.1:9/?q=1) was built in 1904. [1]"


def test_the_same_question_twice_gives_the_same_bytes() -> None:
    one, other = (extract_answer("harbour herring depth", HITS, WordLane()) for _ in range(2))
    assert one == other


def test_long_lists_of_hits_embed_few_sentences() -> None:
    lane = WordLane()
    text = " ".join(f"The boat number {n} is in the bay." for n in range(30))
    extract_answer("boat bay", [make_hit(text, rank=n) for n in range(1, 21)], lane)
    assert lane.embedded_count <= 40


def test_a_line_of_a_table_of_contents_is_not_quoted() -> None:
    contents = make_hit("When the harbour was built ............ 14")
    extract = extract_answer("When was the harbour built?", [contents, BOATS], WordLane())
    assert "......" not in extract.text


def test_with_nothing_to_quote_the_extract_is_empty() -> None:
    assert extract_answer("anything", [], WordLane()) == Extract(text="", sources=(), citations=())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(alphabet="ab c.d\n|-[1]!?0", max_size=120), min_size=1, max_size=5),
    st.text(alphabet="abcd 01", max_size=30),
)
def test_whatever_the_documents_hold_quotes_are_word_for_word(
    texts: list[str], question: str
) -> None:
    hits = [make_hit(text, rank=n) for n, text in enumerate(texts, 1)]
    extract = extract_answer(question, hits, WordLane())
    for said, marker in quotes_of(extract):
        assert said in source_text(extract.sources[marker - 1].hit)


@pytest.mark.parametrize("piece", ["a", " ", ".", "| a |\n", "- \n", "a b c d. "])
def test_a_hostile_megabyte_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    extract_answer("a b", [make_hit(piece * (300_000 // len(piece)))], None)
    assert time.process_time() - started < 4


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Show the figure of sales", True),
        ("What does the engine look like?", True),
        ("Zeige das Diagramm", True),
        ("How many people work there?", False),
        ("What mapping is used?", False),
    ],
)
def test_whether_a_question_asks_for_a_picture(question: str, expected: bool) -> None:
    assert asks_for_picture(question) is expected


def test_the_words_inside_a_chart_are_quoted_when_a_number_is_asked() -> None:
    chart = make_hit(
        "Figure 2: Catch of herring by year\n2019\n41 t\n2020\n38 t", kind="figure", page=7,
        caption="Figure 2: Catch of herring by year",
    )  # fmt: skip
    extract = extract_answer("How much herring was caught in 2020?", [chart], WordLane())
    assert extract.text == "Figure 2: Catch of herring by year [1] 2019 41 t 2020 38 t [1]"


def test_of_a_long_caption_the_start_and_the_sentence_that_answers_are_quoted() -> None:
    filling = " ".join(f"Panel {n} shows the usual state of the coast." for n in range(12))
    caption = f"Figure 3. The coast. {filling} Norwick lies deepest of all ports."
    chart = make_hit(caption, kind="figure", caption=caption)
    extract = extract_answer("Which of the ports lies deepest?", [chart], WordLane())
    assert extract.text.startswith("Figure 3. The coast. [1]")
    assert "Norwick lies deepest of all ports. [1]" in extract.text
    assert len(extract.text) < 500


def test_a_sentence_that_speaks_of_the_one_before_comes_with_it() -> None:
    told = make_hit("The harbour was rebuilt in 1904. It cost the town 80,000 crowns of its own.")
    extract = extract_answer("How much did the harbour cost the town?", [told], WordLane())
    assert extract.text.startswith("The harbour was rebuilt in 1904. [1] It cost the town")
    assert extract.text.count("1904") == 1


def test_a_sentence_that_announces_a_list_comes_with_its_items() -> None:
    told = make_hit(
        "The harbour has three walls:\n\n- north wall\n- east wall\n- mole\n\nGulls nest."
    )
    extract = extract_answer("How many walls has the harbour?", [told], WordLane())
    assert extract.text.startswith(
        "The harbour has three walls: [1] north wall [1] east wall [1] mole [1]"
    )


def test_a_question_for_several_things_gets_more_sentences_of_one_source() -> None:
    ports = ("Norwick", "Southam", "Easter", "Westby")
    told = make_hit(" ".join(f"The port of {name} has a harbour wall." for name in ports))
    one = extract_answer("Where is the harbour wall?", [told], WordLane())
    several = extract_answer("List all ports with a harbour wall.", [told], WordLane())
    assert (one.text.count("[1]"), several.text.count("[1]")) == (2, 4)


def test_a_figure_that_a_quote_names_is_shown_though_it_is_no_hit() -> None:
    told = make_hit("Figure 5 (right) shows the breakdown of all herring errors.", page=7)
    chart = make_hit("Fig. 5: errors", kind="figure", page=8, rank=9, number="Fig. 5")
    other = make_hit("Fig. 6: boats", kind="figure", page=8, rank=10, number="Fig. 6")
    extract = extract_answer("What share of herring errors?", [told], None, [other, chart])
    assert [source.hit for source in extract.sources] == [told, chart]
