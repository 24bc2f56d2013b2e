"""Hand-checked facts of real PDFs, parsed in this process.

Where figures and tables stand is in `tests.counted`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bench.boxscore import Counted, Found, Tally, count_page, iou
from ingest.parts import ParsedPage, Part
from ingest.pdf import PdfReader
from rag.folding import fold_for_search
from rag.settings import IngestSettings
from tests.counted import FILES, ROWS, CountedPages

# A brochure reproduced inside a page: its pictures are found, the whole of it is not.
MISSED = ("redp5110_sampled.pdf", 3)


PageOf = Callable[[str, int], ParsedPage]


@pytest.fixture(scope="module")
def page_of(counted_pages: CountedPages, shared: Path) -> PageOf:
    """A page of a file of the corpus; a counted file is parsed as a whole."""

    @cache
    def read(name: str, number: int) -> ParsedPage:
        if name in FILES and FILES[name][0] <= number <= FILES[name][1]:
            return counted_pages(name)[number]
        path = shared / "corpus" / "pdf" / name
        reader = PdfReader(path, name=name, limits=IngestSettings())
        try:
            return list(reader.stages(number, plain=False))[-1]
        finally:
            reader.close()

    return read


def _facts(kind: str) -> list[Any]:
    return [
        pytest.param(row, id=f"{row['doc'][:11]}-p{row['page']}-{row.get('number', 'unlabelled')}")
        for row in ROWS
        if row.get("kind") == kind and (row["doc"], row["page"]) != MISSED
    ]


def _best(page: ParsedPage, fact: dict[str, Any], kinds: tuple[str, ...]) -> Part:
    parts = [part for part in page.parts if part.kind in kinds and part.image_png]
    return max(parts, key=lambda part: iou(part.regions[0].bbox, tuple(fact["bbox"])))


@pytest.mark.parametrize("fact", _facts("figure"))
def test_figures_are_found_where_they_stand_with_their_captions(
    counted_pages: CountedPages, fact: dict[str, Any]
) -> None:
    page = counted_pages(fact["doc"])[fact["page"]]
    figure = _best(page, fact, ("figure", "page"))
    assert iou(figure.regions[0].bbox, tuple(fact["bbox"])) >= 0.7
    assert figure.number == fact.get("number", "")
    assert figure.caption.startswith(fact.get("caption", ""))


@pytest.mark.parametrize("fact", _facts("table"))
def test_tables_are_found_where_they_stand_with_their_captions(
    counted_pages: CountedPages, fact: dict[str, Any]
) -> None:
    page = counted_pages(fact["doc"])[fact["page"]]
    table = _best(page, fact, ("table",))
    assert iou(table.regions[0].bbox, tuple(fact["bbox"])) >= 0.9  # nothing of it is cut off
    assert table.number == fact["number"]
    assert table.caption.startswith(fact["caption"])


@pytest.mark.parametrize("name", [name for name in FILES if name != "normal_4pages.pdf"])
def test_all_figures_but_one_come_as_one_and_at_most_one_is_false(
    counted_pages: CountedPages, name: str
) -> None:
    tally = Tally()
    for number, page in counted_pages(name).items():
        true = [
            Counted(kind=row["kind"], bbox=tuple(row["bbox"]), number=row.get("number", ""))
            for row in ROWS
            if row["doc"] == name and row.get("page") == number
        ]
        found = [
            Found(kind=part.kind, bbox=part.regions[0].bbox, number=part.number)
            for part in page.parts
            if part.image_png
        ]
        count_page(true, found, "figure", tally, f"p{number}")
    assert tally.whole >= tally.true - 1, tally.misses
    assert tally.false <= 1, tally.misses
    assert tally.parts <= 1.5 * tally.found


def _figures(page: ParsedPage) -> dict[str, Part]:
    return {part.number: part for part in page.parts if part.kind == "figure"}


def _tables(page: ParsedPage) -> list[Part]:
    return [part for part in page.parts if part.kind == "table"]


def _all_text(page: ParsedPage) -> str:
    return " ".join(f"{part.caption} {part.text}" for part in page.parts)


def test_a_page_without_figures_has_none(counted_pages: CountedPages) -> None:
    page = counted_pages("tracemonkey.pdf")[4]
    assert not [part for part in page.parts if part.image_png]


@pytest.mark.parametrize(
    ("name", "number", "label", "row"),
    [
        (
            "tracemonkey.pdf",
            12,
            "Figure 13",
            "| 3d-cube | 25 | 27 | 29 | 3 | 0 | 1.1 | 1.1 | 1.2 | 2.20x |",
        ),
        ("redp5110_sampled.pdf", 8, "Table 2-1", "| FUNCTION_ID | VARCHAR(30) |"),
        ("redp5110_sampled.pdf", 11, "Table 3-1", "| USER or SESSION_USER |"),
        ("redp5110_sampled.pdf", 9, "Table 2-2", "| User action | *JOBCTL | QIBM_DB_SECADM |"),
        ("redp5110_sampled.pdf", 12, "Table 3-2", "| CLIENT_HOST | VARCHAR(255) |"),
        ("embedded-images-tables.pdf", 1, "Table 1", "| 0 | 0.0335 | 0.0409 |"),
        ("embedded-images-tables.pdf", 1, "Table 1", "| 0.0003 | 24.0910 | 2.8163 |"),
        ("embedded-images-tables.pdf", 1, "Table 1", "\n| 10 | 0.0382 | 0.0086 |"),
        ("normal_4pages.pdf", 2, "표 1", "| 구분 | 개정전 | 개정후 |"),
    ],
)
def test_tables_are_read_with_their_captions(
    page_of: PageOf, name: str, number: int, label: str, row: str
) -> None:
    table = next(t for t in _tables(page_of(name, number)) if t.number == label)
    assert row in table.text
    assert table.image_png is not None


def test_sections_of_two_columns_come_with_levels(page_of: PageOf) -> None:
    page = page_of("tracemonkey.pdf", 4)
    headings = [(part.text, part.level) for part in page.parts if part.kind == "heading"]
    assert headings[:2] == [("3. Trace Trees", 2), ("3.1 Traces", 3)]


def test_portraits_without_a_caption_are_figures(page_of: PageOf) -> None:
    page = page_of("redp5110_sampled.pdf", 4)
    assert len([part for part in page.parts if part.kind == "figure"]) == 2


def test_mention_is_the_sentence_that_refers_to_the_figure(page_of: PageOf) -> None:
    figure = _figures(page_of("redp5110_sampled.pdf", 15))["Figure 4-69"]
    assert figure.mention.startswith("Figure 4-69 shows the index advice")


def test_a_dense_rotated_table_keeps_words_and_picture(page_of: PageOf) -> None:
    page = page_of("nics-background-checks-2015-11-rotated.pdf", 1)
    (table,) = _tables(page)
    assert page.size == (612, 1008)
    assert "|---|" not in table.text
    assert "Alabama" in table.text
    assert table.image_png is not None
    for part in page.parts:
        x0, y0, x1, y1 = part.regions[0].bbox
        assert 0 <= x0 <= x1 <= 612
        assert 0 <= y0 <= y1 <= 1008


def test_a_list_of_contents_is_text_and_no_table(page_of: PageOf) -> None:
    page = page_of("redp5110_sampled.pdf", 2)
    assert not _tables(page)
    assert "Chapter 1. Securing and protecting IBM DB2 data … 1" in _all_text(page)


def test_prose_that_a_table_box_covered_is_text_of_its_column(page_of: PageOf) -> None:
    page = page_of("tracemonkey.pdf", 8)
    texts = " ".join(part.text for part in page.parts if part.kind in ("text", "heading"))
    assert "Because traces are in SSA form and have no join points" in texts
    assert "31-bit integer representation" in _figures(page)["Figure 9"].text


def test_a_logo_at_the_top_of_a_page_is_a_figure(page_of: PageOf) -> None:
    logo = {"bbox": (362, 39, 574, 91)}
    invoice = page_of("bigboundingbox.pdf", 1)
    figure = _best(invoice, logo, ("figure",))
    assert iou(figure.regions[0].bbox, logo["bbox"]) >= 0.7


def test_a_form_without_pictures_has_no_figure(page_of: PageOf) -> None:
    assert not _figures(page_of("160F-2019.pdf", 1))


def test_a_scanned_page_is_kept_as_a_picture(page_of: PageOf) -> None:
    page = page_of("ocr_test.pdf", 1)
    assert page.page_class == "picture"
    assert [part.kind for part in page.parts] == ["page"]


def test_persian_tables_in_a_picture_box_are_read(page_of: PageOf) -> None:
    page = page_of("right_to_left_03.pdf", 1)
    boxes = [table.regions[0].bbox for table in _tables(page)]
    assert len(boxes) == 2
    assert iou(boxes[0], (64, 157, 525, 324)) >= 0.9
    assert iou(boxes[1], (71, 368, 498, 598)) >= 0.9
    row = fold_for_search("| تاريخ پذيرش | 1403/10/04 |")
    assert row in fold_for_search(_tables(page)[1].text)
    banner = _best(page, {"bbox": (29, 31, 565, 120)}, ("figure",))
    assert iou(banner.regions[0].bbox, (29, 31, 565, 120)) >= 0.9


def test_the_total_of_an_invoice_is_found(page_of: PageOf) -> None:
    assert "273.13" in _all_text(page_of("bigboundingbox.pdf", 1))


def test_a_page_that_used_to_draw_for_minutes_is_read_whole(page_of: PageOf) -> None:
    page = page_of("test_2548.pdf", 5)
    assert any(part.image_png for part in page.parts)
