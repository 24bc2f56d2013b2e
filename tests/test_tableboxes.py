"""Table boxes grown to what is drawn, cut off prose; rows read again; lists of contents."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ingest.contents import is_contents
from ingest.gridwords import Word, mend_grid
from ingest.layout import LayoutBox
from ingest.spans import Span
from ingest.tableboxes import mend_tables
from rag.types import BBox

PROSE = (
    "Because traces are in a form without joins and have no",
    "other nodes, certain steps are easy to implement here, and",
    "each of them can be turned on and off for itself at will.",
)


def _span(text: str, x: float, y: float, line: int, *, width: float | None = None) -> Span:
    right = x + (width or 5.0 * len(text))
    return Span(text=text, bbox=(x, y, right, y + 10), size=10, line=line)


def _mend(boxes: list[LayoutBox], spans: Sequence[Span], *rulings: BBox) -> list[LayoutBox]:
    return mend_tables(boxes, spans, lambda: rulings, lambda: ())


def _table(box: BBox) -> LayoutBox:
    return LayoutBox(kind="table", bbox=box, grid=(("a", "b"), ("1", "2")))


def test_a_table_grows_to_its_words_and_the_rules_around_them() -> None:
    spans = [_span("Name of it", 95, 98, 1), _span("Value", 260, 150, 3, width=50)]
    above, below = (90.0, 92.0, 320.0, 92.5), (90.0, 166.0, 320.0, 166.5)
    (box,) = _mend([_table((100, 100, 300, 160))], spans, above, below)
    assert box.bbox == (90, 92, 320, 166.5)


@pytest.mark.parametrize(
    "ruling",
    [
        pytest.param((90.0, 60.0, 320.0, 60.5), id="the rule of the page header"),
        pytest.param((20.0, 95.0, 580.0, 95.5), id="a rule across the page"),
        pytest.param((0.0, 0.0, 600.0, 800.0), id="a frame around the page"),
        pytest.param((310.0, 90.0, 590.0, 90.5), id="a rule of the next column"),
    ],
)
def test_lines_that_are_not_of_the_table_leave_it_alone(ruling: BBox) -> None:
    spans = [_span("Name", 110, 105, 1), _span("Value", 200, 140, 3)]
    (box,) = _mend([_table((100, 100, 300, 160))], spans, ruling)
    assert box.bbox == (100, 100, 300, 160)


def test_a_rule_behind_a_line_of_text_is_not_of_the_table() -> None:
    spans = [_span("Name", 110, 105, 1), _span("note", 120, 160, 3)]
    (box,) = _mend([_table((100, 100, 300, 158))], spans, (100.0, 167.5, 300.0, 168.0))
    assert box.bbox[3] == 158


def _two_columns() -> tuple[list[LayoutBox], list[Span]]:
    """Prose on the left that goes on below, a table on the right, one box over both."""
    spans = [_span(text, 50, 100 + 12 * i, 1 + i, width=240) for i, text in enumerate(PROSE)]
    spans += [_span(text, 50, 150 + 12 * i, 8 + i, width=240) for i, text in enumerate(PROSE)]
    spans += [_span("Tag", 320, 100, 20), _span("Type", 400, 100, 22)]
    spans += [_span("xx1", 320, 114, 24), _span("number", 400, 114, 26)]
    grid = (("Because traces", "Tag", "Type"), ("other nodes", "xx1", "number"))
    boxes = [
        LayoutBox(kind="table", bbox=(50, 98, 440, 140), grid=grid),
        LayoutBox(kind="text", bbox=(50, 98, 290, 136)),
        LayoutBox(kind="text", bbox=(50, 148, 290, 186)),
    ]
    return boxes, spans


def test_a_table_does_not_keep_the_prose_of_the_next_column() -> None:
    boxes, spans = _two_columns()
    table = _mend(boxes, spans)[0]
    assert table.bbox == (320, 100, 430, 124)
    assert table.grid == (("Tag", "Type"), ("xx1", "number"))


def test_prose_in_a_cell_stays_in_its_table() -> None:
    boxes, spans = _two_columns()
    assert _mend(boxes[:2], spans)[0].grid == boxes[0].grid  # nothing goes on below


def test_without_a_table_nothing_is_asked_of_the_page() -> None:
    boxes = [LayoutBox(kind="text", bbox=(0, 0, 10, 10))]
    assert mend_tables(boxes, [], _never, _never) == boxes


def _never() -> list[object]:
    raise AssertionError("asked without need")


CELLS = tuple(
    tuple((100.0 * x, 20.0 * y, 100.0 * (x + 1), 20.0 * (y + 1)) for x in range(3))
    for y in range(5)
)


def _words(*texts: tuple[str, float, float]) -> list[Word]:
    return [Word((x, y, x + 6.0 * len(text), y + 10), text) for text, x, y in texts]


def test_a_header_over_two_columns_is_made_whole_and_stands_in_both() -> None:
    grid = (("Model", "HOVE", "R tests"), ("", "2-hop", "3-hop"), ("x", "1", "2"))
    words = _words(("Model", 10, 5), ("HOVER", 165, 5), ("tests", 198, 5), ("x", 10, 45))
    words += _words(("2-hop", 130, 25), ("3-hop", 230, 25), ("1", 130, 45), ("2", 230, 45))
    mended = mend_grid(grid, CELLS[:3], words)
    assert mended[0] == ("Model", "HOVER tests", "HOVER tests")
    assert mended[1:] == grid[1:]


def test_broken_words_of_the_body_stand_in_one_column() -> None:
    grid = (*[("a", "b", "c")] * 4, ("Sour", "ces and", "c"))
    words = [
        word
        for row in range(4)
        for word in _words(
            ("a", 10, 5 + 20 * row), ("b", 130, 5 + 20 * row), ("c", 230, 5 + 20 * row)
        )
    ]
    words += _words(("Sources", 50, 85), ("and", 95, 85), ("c", 230, 85))
    assert mend_grid(grid, CELLS, words)[4] == ("Sources and", "", "c")


def test_a_grid_that_cannot_be_read_better_stays() -> None:
    grid = (("Mo", "del", "x"), *[("a", "b", "c")] * 4)
    assert mend_grid(grid, CELLS, _words(("a", 10, 25))) == grid
    assert mend_grid(grid, CELLS[:2], _words(("Model", 10, 5))) == grid
    assert mend_grid(grid, (), []) == grid


DOTTED = ["Preface … 3", "1 Ships … 4", "1.1 Hulls … 4", "2 Winds … 19", "Index … 88"]
PLAIN = ["Mission Profile 4", "Highlights 5", "Organisation 11", "Earth Observation 31"]


@pytest.mark.parametrize(
    ("lines", "heading", "expected"),
    [
        pytest.param(DOTTED, "", True, id="dots to the page"),
        pytest.param(PLAIN, "Contents", True, id="a heading that says so"),
        pytest.param(PLAIN, "Inhaltsverzeichnis", True, id="in German"),
        pytest.param(PLAIN, "目次", True, id="in Japanese"),
        pytest.param(PLAIN, "Launches by kind", False, id="a table of counts"),
        pytest.param(["Cash … 40", "Debt … 12", "Land … 9", "Sum … 37"], "", False, id="sums"),
        pytest.param(DOTTED[:3], "Contents", False, id="too short"),
        pytest.param(["Name Value", *PLAIN, *["words only"] * 5], "Contents", False, id="few"),
    ],
)
def test_contents_are_told_from_tables(lines: list[str], heading: str, expected: bool) -> None:
    assert is_contents(lines, heading) is expected
