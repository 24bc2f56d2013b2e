"""Hand-checked facts of real PDFs; each file is parsed once, in this process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from ingest.parts import ParsedPage, Part
from ingest.pdf import PdfReader
from rag.settings import IngestSettings


@cache
def _page(folder: Path, name: str, number: int) -> ParsedPage:
    reader = PdfReader(folder / "corpus" / "pdf" / name, name=name, limits=IngestSettings())
    try:
        return list(reader.stages(number, plain=False))[-1]
    finally:
        reader.close()


def _figures(page: ParsedPage) -> dict[str, Part]:
    return {part.number: part for part in page.parts if part.kind == "figure"}


def _tables(page: ParsedPage) -> list[Part]:
    return [part for part in page.parts if part.kind == "table"]


def _all_text(page: ParsedPage) -> str:
    return " ".join(f"{part.caption} {part.text}" for part in page.parts)


@pytest.mark.parametrize(
    ("name", "number", "labels"),
    [
        ("tracemonkey.pdf", 2, {"Figure 1", "Figure 2"}),
        ("tracemonkey.pdf", 4, set()),
        ("tracemonkey.pdf", 7, {"Figure 7", "Figure 8"}),
        ("tracemonkey.pdf", 10, {"Figure 11"}),
        ("tracemonkey.pdf", 11, {"Figure 10"}),
        ("redp5110_sampled.pdf", 7, {"Figure 1-2"}),
        ("redp5110_sampled.pdf", 11, {"Figure 3-5"}),
        ("redp5110_sampled.pdf", 14, {"Figure 3-10", "Figure 3-11"}),
        ("redp5110_sampled.pdf", 15, {"Figure 4-68", "Figure 4-69"}),
        ("embedded-images-tables.pdf", 1, {"Fig. 4", "Fig. 5"}),
        ("picture_classification.pdf", 2, {"Figure 2"}),
    ],
)
def test_figures_are_found_under_their_labels(
    shared: Path, name: str, number: int, labels: set[str]
) -> None:
    figures = _figures(_page(shared, name, number))
    assert set(figures) == labels
    assert all(figure.image_png and figure.caption for figure in figures.values())


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
        ("embedded-images-tables.pdf", 1, "Table 1", "| 0.0335 | 0.0409 |"),
        ("normal_4pages.pdf", 2, "표 1", "| 구분 | 개정전 | 개정후 |"),
    ],
)
def test_tables_are_read_with_their_captions(
    shared: Path, name: str, number: int, label: str, row: str
) -> None:
    table = next(t for t in _tables(_page(shared, name, number)) if t.number == label)
    assert row in table.text
    assert table.image_png is not None


def test_sections_of_two_columns_come_with_levels(shared: Path) -> None:
    page = _page(shared, "tracemonkey.pdf", 4)
    headings = [(part.text, part.level) for part in page.parts if part.kind == "heading"]
    assert headings[:2] == [("3. Trace Trees", 2), ("3.1 Traces", 3)]


def test_portraits_without_a_caption_are_figures(shared: Path) -> None:
    page = _page(shared, "redp5110_sampled.pdf", 4)
    assert len([part for part in page.parts if part.kind == "figure"]) == 2


def test_mention_is_the_sentence_that_refers_to_the_figure(shared: Path) -> None:
    figure = _figures(_page(shared, "redp5110_sampled.pdf", 15))["Figure 4-69"]
    assert figure.mention.startswith("Figure 4-69 shows the index advice")


def test_a_dense_rotated_table_keeps_words_and_picture(shared: Path) -> None:
    page = _page(shared, "nics-background-checks-2015-11-rotated.pdf", 1)
    (table,) = _tables(page)
    assert page.size == (612, 1008)
    assert "|---|" not in table.text
    assert "Alabama" in table.text
    assert table.image_png is not None
    for part in page.parts:
        x0, y0, x1, y1 = part.regions[0].bbox
        assert 0 <= x0 <= x1 <= 612
        assert 0 <= y0 <= y1 <= 1008


def test_a_scanned_page_is_kept_as_a_picture(shared: Path) -> None:
    page = _page(shared, "ocr_test.pdf", 1)
    assert page.page_class == "picture"
    assert [part.kind for part in page.parts] == ["page"]


def test_persian_text_in_a_picture_box_is_kept(shared: Path) -> None:
    page = _page(shared, "right_to_left_03.pdf", 1)
    texts = " ".join(part.text for part in page.parts if part.kind == "text")
    assert "شماره استاندارد ملی" in texts


def test_the_total_of_an_invoice_is_found(shared: Path) -> None:
    assert "273.13" in _all_text(_page(shared, "bigboundingbox.pdf", 1))


def test_a_page_that_used_to_draw_for_minutes_is_read_whole(shared: Path) -> None:
    page = _page(shared, "test_2548.pdf", 5)
    assert any(part.image_png for part in page.parts)
