"""Chunks keep budget, order and every word, and their places on the page."""

from __future__ import annotations

import re
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunk import BUDGET_TOKENS, Draft, chunk_parts
from ingest.drafts import breadcrumb, merge_regions
from ingest.parts import ParsedPage, Part
from rag.embed.wordpiece import count_tokens
from rag.folding import fold_for_search
from rag.types import Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PNG = b"\x89PNG"


def at(page_number: int, x0: float, y0: float, x1: float, y1: float) -> tuple[Region, ...]:
    return (Region(page_number=page_number, bbox=(x0, y0, x1, y1)),)


def text(words: str, **fields: Any) -> Part:
    return Part(kind="text", text=words, **fields)


def heading(words: str, level: int, above: tuple[str, ...] = ()) -> Part:
    return Part(kind="heading", text=words, level=level, heading=above)


def page(*parts: Part, number: int | None = None) -> ParsedPage:
    return ParsedPage(page_number=number, size=None, page_class="text", parts=parts)


def chunks(*pages: ParsedPage, title: str = "") -> list[Draft]:
    return list(chunk_parts(iter(pages), title=title))


def sentences(count: int, start: int = 0) -> str:
    return " ".join(
        f"Sentence number {n} tells about thing {n}." for n in range(start, start + count)
    )


def test_short_blocks_of_a_section_share_one_chunk() -> None:
    (chunk,) = chunks(page(text("One.", anchor="1"), text("Two.", anchor="2")))
    assert (chunk.kind, chunk.text, chunk.anchor, chunk.order) == ("text", "One.\n\nTwo.", "1", 0)


def test_search_text_starts_with_title_and_headings_and_text_does_not() -> None:
    (chunk,) = chunks(page(heading("Setup", 2), text("Body.", heading=("Setup",))), title="Guide")
    assert (chunk.search_text, chunk.text) == ("Guide > Setup\nBody.", "Body.")
    assert chunk.heading == ("Setup",)


def test_a_heading_equal_to_the_title_is_named_once() -> None:
    assert breadcrumb("The Guide", ("the  guide", "Setup")).line == "The Guide > Setup"


def test_no_chunk_crosses_a_heading_of_level_one_or_two() -> None:
    found = chunks(
        page(
            heading("A", 2), text("About a.", heading=("A",)),
            heading("B", 2), text("About b.", heading=("B",)),
        )
    )  # fmt: skip
    assert [chunk.text for chunk in found] == ["About a.", "About b."]


def test_a_minor_heading_becomes_a_line_inside_a_chunk() -> None:
    found = chunks(
        page(
            heading("A", 2), text("About a.", heading=("A",)),
            heading("Detail", 3, ("A",)), text("More.", heading=("A", "Detail")),
        )
    )  # fmt: skip
    assert [chunk.text for chunk in found] == ["About a.\n\nDetail\n\nMore."]


def test_a_heading_with_nothing_under_it_joins_the_next_chunk() -> None:
    (chunk,) = chunks(page(heading("Empty", 2), heading("B", 2), text("About b.", heading=("B",))))
    assert chunk.text == "Empty\n\nAbout b."


def test_a_heading_at_the_end_stands_alone() -> None:
    assert [c.text for c in chunks(page(text("Body."), heading("The end", 1)))] == [
        "Body.",
        "The end",
    ]


def test_a_heading_over_a_figure_is_found_through_the_figure() -> None:
    (figure,) = chunks(page(heading("Map", 2), Part(kind="figure", heading=("Map",))))
    assert figure.search_text == "Map"


def test_a_split_section_repeats_whole_sentences() -> None:
    first, second, *_ = chunks(page(text(sentences(60))))
    repeated = second.text.split(" Sentence number")[0]
    assert first.text.endswith("thing " + re.findall(r"thing (\d+)\.$", first.text)[0] + ".")
    assert repeated in first.text
    assert 5 <= count_tokens(first.text[first.text.index(second.text[:30]) :]) <= 40


def test_chunks_are_filled_to_the_budget_and_not_over_it() -> None:
    found = chunks(page(text("\n".join(["fox"] * 700))), title="Zoo")
    counts = [count_tokens(chunk.search_text) for chunk in found]
    assert counts[:-1] == [BUDGET_TOKENS] * (len(counts) - 1)
    assert counts[-1] <= BUDGET_TOKENS


def test_nothing_is_repeated_between_sections() -> None:
    found = chunks(
        page(
            text(sentences(18), heading=("A",)),
            heading("B", 3),
            text(sentences(18, start=50), heading=("B",)),
        )
    )
    assert [chunk.text for chunk in found] == [sentences(18), sentences(18, start=50)]


def test_nothing_is_repeated_across_pages() -> None:
    found = chunks(
        page(text(sentences(18), regions=at(1, 0, 0, 9, 9)), number=1),
        page(text(sentences(18, start=50), regions=at(2, 0, 0, 9, 9)), number=2),
    )
    assert [chunk.regions for chunk in found] == [at(1, 0, 0, 9, 9), at(2, 0, 0, 9, 9)]


def test_code_keeps_lines_and_indents() -> None:
    code = "def f():\n    if x:\n\n        return 1"
    assert chunks(page(text(code)))[0].text == code


def test_list_items_stand_on_neighbouring_lines() -> None:
    assert (
        chunks(page(text("Pick:"), text("- tea"), text("- milk")))[0].text
        == "Pick:\n\n- tea\n- milk"
    )


def test_a_paragraph_over_a_page_break_is_joined_and_keeps_both_places() -> None:
    found = chunks(
        page(
            text("The pump starts at", regions=at(1, 50, 700, 300, 712)),
            Part(kind="figure", caption="Pump", regions=at(1, 0, 0, 9, 9)), number=1,
        ),
        page(text("seven in the morning.", regions=at(2, 50, 50, 300, 62)), number=2),
    )  # fmt: skip
    assert found[0].text == "The pump starts at seven in the morning."
    assert [region.page_number for region in found[0].regions] == [1, 2]
    assert found[1].kind == "figure"


def test_a_word_broken_at_a_page_end_is_made_whole() -> None:
    found = chunks(page(text("an inter-"), number=1), page(text("national line."), number=2))
    assert [chunk.text for chunk in found] == ["an international line."]


def test_a_paragraph_over_a_column_break_is_joined() -> None:
    left, right = at(1, 50, 600, 290, 700), at(1, 310, 60, 550, 120)
    (chunk,) = chunks(page(text("It starts at", regions=left), text("seven.", regions=right)))
    assert (chunk.text, chunk.regions) == ("It starts at seven.", (*left, *right))


def test_lines_below_one_another_are_not_joined() -> None:
    upper, lower = at(1, 50, 60, 290, 72), at(1, 50, 80, 290, 92)
    (chunk,) = chunks(page(text("pump", regions=upper), text("valve", regions=lower)))
    assert chunk.text == "pump\n\nvalve"


@pytest.mark.parametrize(
    ("before", "after"),
    [("Done.", "lower start"), ("not done", "Upper start"), ("not done", "a) item")],
    ids=["sentence ends", "capital", "list item"],
)
def test_other_paragraphs_are_not_joined_over_a_page_break(before: str, after: str) -> None:
    found = chunks(page(text(before), number=1), page(text(after), number=2))
    assert found[0].text == f"{before}\n\n{after}"


def test_pieces_of_a_joined_paragraph_point_to_their_own_page() -> None:
    found = chunks(
        page(text(sentences(40) + " And so", regions=at(1, 0, 0, 9, 9)), number=1),
        page(text("on. " + sentences(40, start=50), regions=at(2, 0, 0, 9, 9)), number=2),
    )
    assert found[0].regions == at(1, 0, 0, 9, 9)
    assert found[-1].regions == at(2, 0, 0, 9, 9)


def test_figures_follow_the_chunk_they_stand_in_and_orders_count_up() -> None:
    found = chunks(page(text("Before."), Part(kind="figure", caption="Fig"), text("After.")))
    assert [(c.order, c.kind, c.text) for c in found] == [
        (0, "text", "Before.\n\nAfter."),
        (1, "figure", "Fig"),
    ]


def test_a_figure_is_found_by_everything_the_document_says_about_it() -> None:
    (figure,) = chunks(
        page(
            Part(
                kind="figure", caption="Growth by year", number="Figure 3", alt="a bar chart",
                text="2019 2020", mention="See Figure 3 for growth.", heading=("Results",),
                image_png=PNG, anchor="7",
            )
        ),
        title="Report",
    )  # fmt: skip
    assert figure.text == "Figure 3 Growth by year\n2019 2020"
    assert figure.search_text.splitlines() == [
        "Figure 3 Growth by year",
        "a bar chart",
        "See Figure 3 for growth.",
        "Report > Results",
        "2019 2020",
    ]
    assert (figure.image_png, figure.anchor, figure.number) == (PNG, "7", "Figure 3")


def test_a_figure_without_words_is_named_by_its_place() -> None:
    (figure,) = chunks(page(Part(kind="page", regions=at(4, 0, 0, 9, 9)), number=4))
    assert (figure.kind, figure.text, figure.search_text) == ("page", "", "picture on page 4")


def table_part(rows: int, **fields: Any) -> Part:
    lines = ["| Name | Size |", "| --- | --- |", *(f"| row{n} | {n} mm |" for n in range(rows))]
    return Part(kind="table", text="\n".join(lines), **fields)


def test_a_table_that_fits_is_one_item() -> None:
    (table,) = chunks(page(table_part(3, caption="Sizes", number="Table 1", image_png=PNG)))
    assert (table.kind, table.image_png, table.caption) == ("table", PNG, "Sizes")
    assert table.text.splitlines()[0] == "| Name | Size |"
    assert table.search_text.splitlines()[:2] == ["Table 1 Sizes", "Name | Size"]


def test_a_long_table_is_cut_by_rows_under_a_repeated_header() -> None:
    found = chunks(page(table_part(200, caption="Sizes", image_png=PNG)), title="Parts")
    assert len(found) > 3
    assert all(c.text.startswith("| Name | Size |\n| --- | --- |\n| row") for c in found)
    assert [c.image_png is not None for c in found] == [True] + [False] * (len(found) - 1)
    rows = [line for c in found for line in c.text.splitlines()[2:]]
    assert rows == [f"| row{n} | {n} mm |" for n in range(200)]
    assert all(count_tokens(c.search_text) <= BUDGET_TOKENS for c in found)


def test_a_table_known_only_as_a_picture_becomes_a_figure() -> None:
    assert chunks(page(Part(kind="table", caption="Sizes", image_png=PNG)))[0].kind == "figure"


def test_touching_boxes_of_a_column_become_one() -> None:
    boxes = (*at(1, 50, 100, 290, 160), *at(1, 50, 168, 200, 180))
    assert merge_regions(boxes) == at(1, 50, 100, 290, 180)


@pytest.mark.parametrize(
    "other",
    [at(1, 310, 100, 550, 160), at(2, 50, 168, 290, 180), at(1, 50, 400, 290, 460)],
    ids=["next column", "next page", "far below"],
)
def test_boxes_apart_stay_apart(other: tuple[Region, ...]) -> None:
    boxes = (*at(1, 50, 100, 290, 160), *other)
    assert merge_regions(boxes) == boxes


def test_a_wide_heading_does_not_swallow_the_second_column() -> None:
    boxes = (*at(1, 50, 60, 550, 80), *at(1, 50, 90, 290, 700))
    assert merge_regions(boxes) == boxes


def test_memory_stays_flat_over_a_thousand_pages() -> None:
    def pages(count: int) -> Iterator[ParsedPage]:
        for n in range(count):
            crop = Part(kind="figure", caption=f"Crop {n}", image_png=bytes(100_000))
            yield page(text(sentences(3, start=n)), crop, number=n + 1)

    tracemalloc.start()
    total = sum(1 for _ in chunk_parts(pages(1000), title="Long"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 1000
    assert peak < 8_000_000


WORD = st.one_of(
    st.sampled_from(
        [
            *("alpha", "beta.", "gamma", "Delta", "e.g.", "end!", "x" * 130, "字" * 40, "-"),
            *("10⁶", "3½", "㎏" * 30, "…" * 40, "ﬁt", "ｆｕｌｌ", "می‌شود"),
        ]
    ),
    st.text(alphabet="abcXYZ019.,é字\u0301", min_size=1, max_size=12),
)
WORDS = st.lists(WORD, min_size=1, max_size=120).map(" ".join)
PARAGRAPHS = st.lists(WORDS, min_size=1, max_size=3).map("\n".join)
PARTS = st.one_of(
    st.builds(heading, st.lists(WORD, min_size=1, max_size=12).map(" ".join), st.integers(1, 4)),
    st.builds(text, PARAGRAPHS, heading=st.sampled_from([(), ("One",), ("One", "Two")])),
    st.builds(
        lambda cells: Part(kind="table", text="\n".join(["| a | b |", "| --- | --- |", *cells])),
        st.lists(st.tuples(WORDS, WORDS).map(lambda row: f"| {row[0]} | {row[1]} |"), max_size=4),
    ),
    st.builds(lambda words: Part(kind="figure", caption=words), WORDS),
)
PAGES = st.lists(st.lists(PARTS, max_size=6), min_size=1, max_size=3)


def letters(words: str) -> str:
    return re.sub(r"[\s|\-]", "", words)


def is_covered(part: Part, drafts: Sequence[Draft]) -> bool:
    """Whether the part's letters stand in the drafts of its kind, in order."""
    if part.kind == "figure":
        return any(part.caption == draft.caption for draft in drafts)
    everything = letters("".join(draft.text for draft in drafts if draft.kind == part.kind))
    position = 0
    for word in part.text.split():
        position = everything.find(letters(word)[:50], position)
        if position < 0:
            return False
    return True


@settings(max_examples=80, deadline=None)
@given(pages=PAGES, title=st.sampled_from(["", "A title", "long " * 80]))
def test_no_word_is_lost_and_the_budget_and_order_are_kept(
    pages: list[list[Part]], title: str
) -> None:
    drafts = chunks(*(page(*parts, number=n + 1) for n, parts in enumerate(pages)), title=title)
    assert [draft.order for draft in drafts] == list(range(len(drafts)))
    assert all(count_tokens(draft.search_text) <= BUDGET_TOKENS for draft in drafts)
    assert all(draft.text.strip() and draft.search_text.strip() for draft in drafts)
    for part in (part for parts in pages for part in parts):
        if part.kind == "heading":
            found = letters(fold_for_search("".join(d.text + d.search_text for d in drafts)))
            words = fold_for_search(part.text).split()
            assert all(letters(word)[:50] in found for word in words)
        else:
            assert is_covered(part, drafts), part


SIDES = st.lists(st.floats(0, 600), min_size=4, max_size=4).map(
    lambda sides: (*sorted(sides[:2]), *sorted(sides[2:]))
)
REGIONS = st.lists(
    st.builds(
        lambda page_number, sides: Region(
            page_number=page_number, bbox=(sides[0], sides[2], sides[1], sides[3])
        ),
        st.integers(1, 3),
        SIDES,
    ),
    max_size=12,
)


@given(regions=REGIONS)
def test_merged_boxes_stay_on_their_page_and_cover_what_they_were_made_of(
    regions: list[Region],
) -> None:
    merged = merge_regions(regions)
    assert all(0 <= side <= 600 for region in merged for side in region.bbox)
    for region in regions:
        x0, y0, x1, y1 = region.bbox
        assert any(
            other.page_number == region.page_number
            and other.bbox[0] <= x0 <= x1 <= other.bbox[2]
            and other.bbox[1] <= y0 <= y1 <= other.bbox[3]
            for other in merged
        )


def test_quotes_keep_characters_that_search_folds() -> None:
    (chunk,) = chunks(page(text("The tank holds 10⁶ cells in 5 ㎏ of ﬁne sand.")), title="ﬁles")
    assert chunk.text == "The tank holds 10⁶ cells in 5 ㎏ of ﬁne sand."
    assert chunk.search_text == "files\nThe tank holds 10^6 cells in 5 kg of fine sand."


def test_notes_do_not_break_a_paragraph_in_two() -> None:
    found = chunks(
        page(
            text("The pump starts at", regions=at(1, 50, 600, 290, 700)),
            text("seven.", regions=at(1, 310, 60, 550, 120)),
            text("1 A note.", regions=at(1, 50, 720, 290, 740), is_aside=True),
            number=1,
        )
    )
    assert found[0].text == "The pump starts at seven.\n\n1 A note."


def test_a_paragraph_goes_on_below_a_figure() -> None:
    found = chunks(
        page(
            text("The pump starts at", regions=at(1, 50, 60, 290, 80)),
            Part(kind="figure", caption="Pump", regions=at(1, 50, 100, 290, 300)),
            text("seven in the morning.", regions=at(1, 50, 320, 290, 340)),
        )
    )
    assert found[0].text == "The pump starts at seven in the morning."
