"""Text between two rules under a caption that says "Table": a prompt, a definition. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.boxes import area, centre, contains, gap_y, overlap, union
from ingest.graphic_types import Graphic

if TYPE_CHECKING:
    from ingest.graphic_types import Caption, PageContext
    from ingest.pageblocks import PageBlock
    from rag.types import BBox

MAX_RULE_PT = 2.5
MIN_WIDTH_PT = 100.0
SAME_SIDE_PT = 3.0
MAX_RULES = 200  # pairs are quadratic
CAPTION_GAP_PT = 24.0
MIN_HEIGHT_PT = 24.0
MAX_HEIGHT_PT = 640.0


def find_frames(
    captions: Sequence[Caption],
    graphics: Sequence[Graphic],
    blocks: Sequence[PageBlock],
    context: PageContext,
) -> list[Graphic]:
    """A table for each pair of rules that a table caption stands at and no graphic lies in.

    They only are candidates: one that gets no caption is no table.
    """
    labelled = [caption for caption in captions if caption.kind == "table"]
    if not labelled:
        return []
    used = {i for caption in captions for i in caption.members}
    taken = [graphic.bbox for graphic in graphics] + [caption.bbox for caption in captions]
    found: list[Graphic] = []
    for box in _between_rules(context.rulings()):
        inside = [
            i
            for i, block in enumerate(blocks)
            if i not in used and block.lines and contains(box, centre(block.bbox))
        ]
        others = [*taken, *(graphic.bbox for graphic in found)]
        is_free = not any(overlap(box, other) > 0.05 * area(other) for other in others)
        if inside and is_free and any(_stands_at(c.bbox, box) for c in labelled):
            found.append(Graphic(kind="table", bbox=box, members=inside))
    return found


def _between_rules(rulings: Sequence[BBox]) -> list[BBox]:
    """Boxes between rules with the same ends, the largest first: a frame before its parts."""
    columns: list[list[BBox]] = []
    rules = [r for r in rulings if r[3] - r[1] <= MAX_RULE_PT and r[2] - r[0] >= MIN_WIDTH_PT]
    for rule in sorted(rules, key=lambda r: r[1])[:MAX_RULES]:
        same = [column for column in columns if _is_even(column[0], rule)]
        if same:
            same[0].append(rule)
        else:
            columns.append([rule])
    boxes = [
        union((upper, lower))
        for column in columns
        for at, upper in enumerate(column)
        for lower in column[at + 1 :]
        if MIN_HEIGHT_PT <= lower[3] - upper[1] <= MAX_HEIGHT_PT
    ]
    return sorted(boxes, key=area, reverse=True)


def _is_even(one: BBox, other: BBox) -> bool:
    return max(abs(one[0] - other[0]), abs(one[2] - other[2])) <= SAME_SIDE_PT


def _stands_at(caption: BBox, box: BBox) -> bool:
    return 0 <= gap_y(caption, box) <= CAPTION_GAP_PT and (
        caption[0] < box[2] and box[0] < caption[2]
    )
