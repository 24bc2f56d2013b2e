"""One picture box over two figures and prose becomes two figures; whole pictures stay whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.boxes import area, overlap
from ingest.boxsplit import split_pictures
from ingest.layout import LayoutBox
from ingest.parts import ParsedPage, Part
from ingest.pdf import parse_pages
from ingest.spans import Span
from rag.settings import IngestSettings
from rag.types import BBox

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data"
REPORT = "annual-report-2024.pdf"
PAGE_SIZE = (595.0, 842.0)
GIANT = LayoutBox(kind="picture", bbox=(70.0, 90.0, 525.0, 720.0))
UPPER: BBox = (80.0, 100.0, 500.0, 280.0)
LOWER: BBox = (80.0, 430.0, 500.0, 700.0)
PROSE = (
    "The barge was at sea on forty days of the year and in the",
    "harbour for the rest, where its crane was made new again.",
)


@pytest.fixture(scope="module")
def page() -> ParsedPage:
    pages = parse_pages(SAMPLE / REPORT, first_page=3, name=REPORT, limits=IngestSettings())
    return next(pages)


def _gold() -> list[BBox]:
    rows: list[dict[str, Any]] = [
        json.loads(row) for row in (SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()
    ]
    regions = [r for row in rows if row["doc"] == REPORT for r in row["regions"] if r["page"] == 3]
    return sorted((tuple(r["bbox"]) for r in regions), key=lambda box: box[1])


def _of_kind(page: ParsedPage, *kinds: str) -> list[Part]:
    return [part for part in page.parts if part.kind in kinds]


def _iou(one: BBox, other: BBox) -> float:
    shared = overlap(one, other)
    return shared / (area(one) + area(other) - shared)


def _written(y: float, text: str, line: int, *, size: float = 10.0, x: float = 80.0) -> Span:
    width = len(text) * size * 0.5
    return Span(text=text, bbox=(x, y, x + width, y + size), size=size, line=line)


def _between(*texts: str, y: float = 330.0, first_line: int = 1) -> list[Span]:
    return [_written(y + 12 * i, text, first_line + i) for i, text in enumerate(texts)]


def _split(spans: list[Span], *drawn: BBox) -> list[tuple[str, BBox]]:
    boxes = split_pictures([GIANT], spans, lambda: drawn, PAGE_SIZE)
    return [(box.kind, box.bbox) for box in boxes]


def test_the_report_page_holds_its_two_figures_where_they_stand(page: ParsedPage) -> None:
    figures = _of_kind(page, "figure", "page")
    assert [figure.number for figure in figures] == ["Figure 1", "Figure 2"]
    gold = _gold()
    assert len(gold) == 2
    for figure, box in zip(figures, gold, strict=True):
        assert _iou(figure.regions[0].bbox, box) >= 0.6


def test_prose_between_the_figures_is_text_under_its_heading(page: ParsedPage) -> None:
    order = [(part.kind, part.text) for part in page.parts]
    heading = order.index(("heading", "The fleet"))
    kind, text = order[heading + 1]
    assert kind == "text"
    assert text.startswith("Eighteen Kittiwake 2 machines")
    assert [part.kind for part in page.parts[heading + 2 :]].count("figure") == 1


def test_labels_of_an_axis_are_words_of_the_figure_and_no_text(page: ParsedPage) -> None:
    first = _of_kind(page, "figure")[0]
    assert {"GWh", "15.4", "April–June"} <= set(first.text.split())
    texts = [part.text for part in _of_kind(page, "text", "heading")]
    assert not any("GWh" in text or "October–December" in text for text in texts)
    assert not any(
        text.replace("\n", "").replace(" ", "").isdigit() for text in texts if text != "3"
    )


def test_prose_between_drawings_cuts_the_box() -> None:
    assert _split(_between(*PROSE), UPPER, LOWER) == [("picture", UPPER), ("picture", LOWER)]


def test_caption_between_drawings_cuts_the_box() -> None:
    spans = _between("Figure 1. Sales by month.", y=290)
    assert _split(spans, UPPER, LOWER) == [("picture", UPPER), ("picture", LOWER)]


def test_labels_beside_a_drawing_belong_to_it_and_headings_do_not() -> None:
    spans = [
        _written(285, "January", 1),
        _written(300, "The fleet", 4, size=16),
        *_between(*PROSE, first_line=7),
    ]
    upper, heading, lower = _split(spans, UPPER, LOWER)
    assert upper == ("picture", (80.0, 100.0, 500.0, 295.0))
    assert heading == ("section-header", spans[1].bbox)
    assert lower == ("picture", LOWER)


@pytest.mark.parametrize(
    ("spans", "drawn"),
    [
        pytest.param(_between("Row A", "Row B"), [UPPER, LOWER], id="labels only"),
        pytest.param(_between(*PROSE), [GIANT.bbox], id="prose on a whole picture"),
        pytest.param(_between(*PROSE), [], id="nothing drawn"),
        pytest.param(_between(*PROSE), [(80, 100, 120, 140)], id="an icon"),
        pytest.param(_between("Figure 1. Sales.", y=706), [UPPER, LOWER], id="caption at the edge"),
    ],
)
def test_one_picture_stays_one_box(spans: list[Span], drawn: list[BBox]) -> None:
    assert _split(spans, *drawn) == [(GIANT.kind, GIANT.bbox)]


def test_running_text_that_the_model_took_for_a_picture_stays_as_it_was(shared: Path) -> None:
    path = shared / "corpus" / "pdf" / "right_to_left_03.pdf"
    pages = list(parse_pages(path, name=path.name, limits=IngestSettings()))
    assert any(part.kind in ("figure", "page") for page in pages for part in page.parts)
