"""Ruled tables inside what the layout model calls a picture. Pure.

Pages of a script that the model knows little come out as one large picture; where lines
are drawn around cells and words stand in the cells, there are tables to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from ingest.boxes import area, centre, contains, union
from ingest.layout import LayoutBox
from ingest.paragraphs import to_lines

if TYPE_CHECKING:
    from ingest.layout import Grid
    from ingest.spans import Span
    from rag.types import BBox

MIN_WORD_RUNS = 8  # fewer are labels of a drawing
TOUCH_PT = 2.0
SAME_LINE_PT = 4.0  # two edges of one ruling
MIN_RUN_SHARE = 0.7  # of the table is crossed by a ruling that parts rows or columns
MIN_ROWS, MIN_COLUMNS = 3, 2
MIN_FILLED_SHARE = 0.5  # of the cells; the fields between grid lines of a chart are empty
MIN_COVERED_SHARE = 0.5  # of the picture; what is left of it is headings between tables
MAX_LINES = 2_000  # joining is quadratic


def read_ruled(
    boxes: Sequence[LayoutBox],
    spans: Sequence[Span],
    lines: Callable[[], Sequence[BBox]],
    *,
    leftward: bool,
) -> list[LayoutBox]:
    """The boxes, those of pictures that are made of ruled tables replaced by the tables.

    Args:
        boxes: of one page in reading order.
        spans: the words of the page.
        lines: straight lines drawn on the page; asked only when a picture holds words.
        leftward: the words are written from right to left, and so are the columns.
    """
    found: list[LayoutBox] = []
    for box in boxes:
        held = [s for s in spans if box.kind == "picture" and contains(box.bbox, centre(s.bbox))]
        tables = _tables(box.bbox, held, lines()) if len(held) >= MIN_WORD_RUNS else []
        if sum(area(table.bbox) for table in tables) < MIN_COVERED_SHARE * area(box.bbox):
            found.append(box)
            continue
        found += [_mirrored(table) for table in tables] if leftward else tables
    return found


def _mirrored(table: LayoutBox) -> LayoutBox:
    return replace(table, grid=tuple(row[::-1] for row in table.grid))


def _tables(box: BBox, spans: Sequence[Span], lines: Sequence[BBox]) -> list[LayoutBox]:
    inside = [line for line in lines if contains(box, centre(line), slack=SAME_LINE_PT)]
    if len(inside) > MAX_LINES:
        return []
    tables = [_table(group, spans) for group in _groups(inside)]
    return sorted((t for t in tables if t is not None), key=lambda table: table.bbox[1])


def _groups(lines: Sequence[BBox]) -> list[list[BBox]]:
    """Lines that touch one another, directly or through others."""
    groups: list[list[BBox]] = []
    for line in lines:
        wide = (line[0] - TOUCH_PT, line[1] - TOUCH_PT, line[2] + TOUCH_PT, line[3] + TOUCH_PT)
        near = [group for group in groups if any(_meet(wide, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([line, *(other for group in near for other in group)])
    return groups


def _meet(one: BBox, other: BBox) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _table(lines: Sequence[BBox], spans: Sequence[Span]) -> LayoutBox | None:
    x0, y0, x1, y1 = union(lines)
    ys = _places([(centre(at)[1], at[0], at[2]) for at in lines if _is_flat(at)], x1 - x0)
    xs = _places([(centre(at)[0], at[1], at[3]) for at in lines if not _is_flat(at)], y1 - y0)
    if len(ys) <= MIN_ROWS or len(xs) <= MIN_COLUMNS:
        return None
    grid = _grid(xs, ys, spans)
    cells = [cell for row in grid for cell in row]
    if sum(bool(cell) for cell in cells) < MIN_FILLED_SHARE * len(cells):
        return None
    return LayoutBox(kind="table", bbox=union(lines), grid=grid)


def _is_flat(line: BBox) -> bool:
    return line[2] - line[0] >= line[3] - line[1]


def _places(lines: Sequence[tuple[float, float, float]], length: float) -> list[float]:
    """Where rulings stand that run through most of the table; a shaded cell has edges too.

    Args:
        lines: (place, begin, end) of each.
        length: of the table along them.
    """
    places: list[float] = []
    for _, group in groupby(_numbered(lines), key=lambda pair: pair[0]):
        members = [line for _, line in group]
        if _covered([(begin, end) for _, begin, end in members]) >= MIN_RUN_SHARE * length:
            places.append(members[0][0])
    return places


def _numbered(
    lines: Sequence[tuple[float, float, float]],
) -> Iterator[tuple[int, tuple[float, float, float]]]:
    """Lines in order, those at one place under one number."""
    number, before = 0, float("-inf")
    for line in sorted(lines):
        number += line[0] - before > SAME_LINE_PT
        before = line[0]
        yield number, line


def _covered(pieces: Sequence[tuple[float, float]]) -> float:
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(pieces):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def _grid(xs: Sequence[float], ys: Sequence[float], spans: Sequence[Span]) -> Grid:
    """Words by the cell that they mostly stand in, empty rows and columns left out later."""
    held: dict[tuple[int, int], list[Span]] = {}
    for span in spans:
        x, y = centre(span.bbox)
        row, column = sum(at <= y for at in ys) - 1, sum(at <= x for at in xs) - 1
        held.setdefault((row, column), []).append(span)
    return tuple(
        tuple(
            "\n".join(line.text for line in to_lines(held.get((row, column), ())))
            for column in range(len(xs) - 1)
        )
        for row in range(len(ys) - 1)
    )
