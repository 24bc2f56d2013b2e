"""Table boxes of the layout model set right: grown to words and rulings, cut off prose. Pure.

The model's boxes end a few points inside the ruling, so that crops lose the outer
letters; and now and then one box reaches over two columns of the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.boxes import area, centre, contains, overlap, union
from ingest.boxwords import body_size, find_prose, words_in
from ingest.gridwords import Word, mend_grid
from ingest.pageblocks import BOX_SLACK_PT
from ingest.tables import is_trusted

if TYPE_CHECKING:
    from ingest.layout import Grid, LayoutBox
    from ingest.spans import Span
    from rag.types import BBox

RULING_GAP_PT = 10.0  # from the last words of a table to its ruling
MAX_REACH_PT = 30.0  # of a ruling beyond the words on either side
SAME_WIDTH_PT = 6.0
MIN_REST_PT = 60.0  # a strip narrower than this is no table
MIN_COLUMN_SHARE = 0.6  # of the words of a column must be in the box for the column to stay


def mend_tables(
    boxes: Sequence[LayoutBox],
    spans: Sequence[Span],
    rulings: Callable[[], Sequence[BBox]],
    words: Callable[[], Sequence[Word]],
) -> list[LayoutBox]:
    """The boxes, those of tables as large as what is drawn, without another column's prose.

    Words that the cells cut in two are put together again.

    Args:
        boxes: of one page in reading order.
        spans: the words of the page.
        rulings: lines and frames drawn on the page; asked only when there is a table,
        words: and so are the single words of the page.
    """
    if not any(box.kind == "table" for box in boxes):
        return list(boxes)
    body = body_size(spans)
    drawn, single = rulings(), words()
    mended: list[LayoutBox] = []
    for index, box in enumerate(boxes):
        if box.kind != "table":
            mended.append(box)
            continue
        if is_trusted(box.grid):  # whole columns in a cell are not to be made to look like rows
            box = replace(box, grid=mend_grid(box.grid, box.cells, single))
        cut = _without_prose(box, boxes, spans, body)
        others = [other.bbox for at, other in enumerate(boxes) if at != index]
        mended.append(replace(cut, bbox=_grown(cut.bbox, spans, drawn, others)))
    return mended


def _grown(
    box: BBox, spans: Sequence[Span], rulings: Sequence[BBox], others: Sequence[BBox]
) -> BBox:
    """The box with all of its words, then with the rulings around them."""
    for _ in range(2):  # a ruling may reveal a header row above the model's box
        inside = [s.bbox for s in spans if contains(box, centre(s.bbox), slack=BOX_SLACK_PT)]
        box = _unless_hit(box, [*inside, box], others)
        for ruling in sorted(rulings, key=lambda r: _distance(box, r)):
            if _belongs(ruling, box, spans):
                box = _unless_hit(box, [ruling, box], others)
    return box


def _unless_hit(box: BBox, wanted: Sequence[BBox], others: Sequence[BBox]) -> BBox:
    """The union, or the box as it was where that would reach over another one."""
    wider = union(wanted)
    before = sum(overlap(box, other) for other in others)
    return box if sum(overlap(wider, other) for other in others) > before + 1 else wider


def _belongs(ruling: BBox, box: BBox, spans: Sequence[Span]) -> bool:
    """Whether a line or frame is drawn for this table."""
    reach = max(box[0] - ruling[0], ruling[2] - box[2])
    tall = max(box[1] - ruling[1], ruling[3] - box[3])
    if reach > MAX_REACH_PT or tall > RULING_GAP_PT:
        return False
    if min(ruling[2], box[2]) - max(ruling[0], box[0]) < 0.5 * (ruling[2] - ruling[0]):
        return False
    wider = union([ruling, box])
    new = [
        s for s in spans if contains(wider, centre(s.bbox)) and not contains(box, centre(s.bbox))
    ]
    return not new


def _distance(box: BBox, ruling: BBox) -> float:
    return max(box[1] - ruling[3], ruling[1] - box[3], 0.0)


def _without_prose(
    box: LayoutBox, boxes: Sequence[LayoutBox], spans: Sequence[Span], body: float
) -> LayoutBox:
    """The box without the column of prose that it covers, and the grid without its cells."""
    for text in boxes:
        inside = overlap(text.bbox, box.bbox) >= 0.5 * area(text.bbox)
        if text.kind != "text" or not inside or not _goes_on_below(text, box, boxes):
            continue
        if not find_prose(words_in(text.bbox, spans, ()), body):
            continue
        for rest in _beside(box.bbox, text.bbox):
            held = [s for s in spans if contains(rest, centre(s.bbox), slack=BOX_SLACK_PT)]
            if rest[2] - rest[0] >= MIN_REST_PT and len(held) > 3:
                tight = union(span.bbox for span in held)
                return replace(box, bbox=tight, grid=_columns_with(box.grid, held))
    return box


def _goes_on_below(text: LayoutBox, table: LayoutBox, boxes: Sequence[LayoutBox]) -> bool:
    """Whether the column of this text has more text under the table."""
    return any(
        abs(other.bbox[0] - text.bbox[0]) <= SAME_WIDTH_PT
        and abs(other.bbox[2] - text.bbox[2]) <= SAME_WIDTH_PT
        and other.bbox[1] >= table.bbox[3]
        for other in boxes
        if other.kind == "text"
    )


def _beside(box: BBox, text: BBox) -> list[BBox]:
    left = (box[0], box[1], text[0] - BOX_SLACK_PT, box[3])
    right = (text[2] + BOX_SLACK_PT, box[1], box[2], box[3])
    return sorted((left, right), key=lambda rest: rest[0] - rest[2])


def _columns_with(grid: Grid, held: Sequence[Span]) -> Grid:
    """The columns of a grid most of whose words are among the spans."""
    there = Counter(word for span in held for word in span.text.split())
    columns = range(max((len(row) for row in grid), default=0))
    kept = [column for column in columns if _is_held(grid, column, there)]
    return tuple(tuple(row[column] for column in kept if column < len(row)) for row in grid)


def _is_held(grid: Grid, column: int, there: Counter[str]) -> bool:
    words = Counter(word for row in grid if column < len(row) for word in row[column].split())
    missing = sum((words - there).values())
    return missing <= (1 - MIN_COLUMN_SHARE) * sum(words.values())
