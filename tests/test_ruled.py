"""Tables that are drawn with lines inside what the layout model calls a picture."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.layout import LayoutBox
from ingest.ruled import read_ruled
from ingest.spans import Span
from rag.types import BBox

PICTURE = LayoutBox(kind="picture", bbox=(95.0, 95.0, 405.0, 225.0))
ROWS = (("Lamp", "Yield", "Price"), ("Red", "42", "7"), ("Blue", "30", "9"), ("White", "8", "5"))


def _edges(*, left: float = 100, top: float = 100, rows: int = 4, columns: int = 3) -> list[BBox]:
    right, bottom = left + 100 * columns, top + 30 * rows
    flat = [(left, top + 30 * row, right, top + 30 * row) for row in range(rows + 1)]
    upright = [(left + 100 * at, top, left + 100 * at, bottom) for at in range(columns + 1)]
    return [*flat, *upright]


def _words(rows: Sequence[Sequence[str]] = ROWS) -> list[Span]:
    return [
        Span(
            text=text,
            bbox=(110.0 + 100 * x, 110.0 + 30 * y, 150.0 + 100 * x, 120.0 + 30 * y),
            size=10,
            line=2 * (x + 10 * y),
        )
        for y, row in enumerate(rows)
        for x, text in enumerate(row)
        if text
    ]


def _read(lines: list[BBox], spans: Sequence[Span], *, leftward: bool = False) -> list[LayoutBox]:
    return read_ruled([PICTURE], spans, lambda: lines, leftward=leftward)


def test_words_between_drawn_lines_are_a_table() -> None:
    (table,) = _read(_edges(), _words())
    assert (table.kind, table.bbox) == ("table", (100, 100, 400, 220))
    assert table.grid == ROWS


def test_columns_of_a_script_from_right_to_left_come_in_its_order() -> None:
    (table,) = _read(_edges(), _words(), leftward=True)
    assert table.grid[0] == ("Price", "Yield", "Lamp")


def test_the_edges_of_a_shaded_cell_are_no_rows() -> None:
    shade: list[BBox] = [(102.0, 117.0, 198.0, 117.0), (108.0, 100.0, 108.0, 130.0)]
    (table,) = _read([*_edges(), *shade], _words())
    assert table.grid == ROWS


def test_a_chart_with_grid_lines_stays_a_picture() -> None:
    labels = _words((("10", "", ""), ("20", "", ""), ("30", "", ""), ("40", "", "")))
    legend = [
        Span(text="kWh", bbox=(310.0, 101 + 6 * i, 330, 106 + 6 * i), size=5, line=90 + 2 * i)
        for i in range(4)
    ]
    assert _read(_edges(), [*labels, *legend]) == [PICTURE]


def test_frames_that_do_not_touch_are_no_table() -> None:
    frames = [line for y in range(4) for line in _edges(top=100 + 31.0 * y, rows=1, columns=1)]
    apart = [
        (x0, y0 - 3 * i // 4, x1, y1 - 3 * i // 4) for i, (x0, y0, x1, y1) in enumerate(frames)
    ]
    assert _read(apart[:8], _words()) == [PICTURE]


def test_a_small_table_in_a_large_picture_leaves_it_whole() -> None:
    large = LayoutBox(kind="picture", bbox=(0, 0, 600, 600))
    assert read_ruled([large], _words(), _edges, leftward=False) == [large]


def test_without_words_no_line_is_asked_for() -> None:
    assert read_ruled([PICTURE], _words()[:4], _never, leftward=False) == [PICTURE]


def _never() -> list[BBox]:
    raise AssertionError("asked without need")
