"""Boxes that are parts of one figure become one: (a) and (b), cut halves, legends. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.boxes import area, gap_x, gap_y, overlap, union
from ingest.figures import MERGE_GAP_PT, reason_to_skip

if TYPE_CHECKING:
    from ingest.graphic_types import Graphic
    from ingest.pageblocks import PageBlock
    from rag.types import BBox

STRIP_GAP_PT = 12.0  # a legend or row of labels stands so near to its chart
CUT_PT = 3.0  # the two sides of a cut lie so near
EVEN_PT = 10.0  # and end at the same height, or width


def join_parts(
    graphics: Sequence[Graphic], blocks: Sequence[PageBlock], page_size: tuple[float, float]
) -> list[Graphic]:
    """The graphics, parts without a caption joined to what they are parts of."""
    joined = _join_captioned(list(graphics), blocks)
    joined = _join_cuts(joined)
    return _join_strips(joined, _walls(joined, blocks), page_size)


def merge_overlapping(boxes: Sequence[BBox]) -> list[BBox]:
    """Boxes that lie in one another for the most part become one; order kept."""
    merged: list[BBox] = []
    for box in boxes:
        near = [m for m in merged if overlap(m, box) > 0.6 * min(area(m), area(box))]
        merged = [m for m in merged if m not in near]
        merged.append(union([*near, box]))
    return merged


def grow_captioned(
    owned: dict[int, BBox], free: Sequence[BBox], walls: Sequence[BBox]
) -> dict[int, list[int]]:
    """Boxes without a caption join the captioned one they touch: parts (a), (b), (c) of a figure.

    Args:
        owned: captioned boxes by an index of the caller.
        free: boxes without a caption.
        walls: boxes that a figure must not grow over: captions, tables, running text.

    Returns:
        For each index of `owned`, the indices in `free` that belong to it.
    """
    joined: dict[int, list[int]] = {index: [] for index in owned}
    left = set(range(len(free)))
    grown = dict(owned)
    changed = True
    while changed and left:
        changed = False
        for index, box in list(grown.items()):
            others = [other for at, other in owned.items() if at != index]
            for candidate in sorted(left):
                wider = union([box, free[candidate]])
                if not _touch(box, free[candidate]) or _hits(wider, [*walls, *others]):
                    continue
                joined[index].append(candidate)
                left.discard(candidate)
                grown[index] = box = wider
                changed = True
    return joined


def is_free(graphic: Graphic) -> bool:
    """Whether a figure has no caption and so may be a part of another one."""
    return graphic.kind == "figure" and graphic.caption is None


def take_in(graphic: Graphic, other: Graphic) -> None:
    """Make `other` a part of `graphic`."""
    graphic.bbox = union([graphic.bbox, other.bbox])
    graphic.members += other.members


def _walls(graphics: Sequence[Graphic], blocks: Sequence[PageBlock]) -> list[BBox]:
    inside = {i for g in graphics for i in g.members}
    walls = [
        block.bbox
        for i, block in enumerate(blocks)
        if i not in inside and (block.kind != "text" or len(block.lines) > 1)
    ]
    return walls + [g.bbox for g in graphics if g.kind == "table"]


def _join_captioned(graphics: list[Graphic], blocks: Sequence[PageBlock]) -> list[Graphic]:
    owned = {i: g.bbox for i, g in enumerate(graphics) if g.kind == "figure" and g.caption}
    free = [graphic for graphic in graphics if is_free(graphic)]
    joined = grow_captioned(owned, [g.bbox for g in free], _walls(graphics, blocks))
    gone: list[Graphic] = []
    for index, candidates in joined.items():
        for candidate in candidates:
            take_in(graphics[index], free[candidate])
            gone.append(free[candidate])
    return [graphic for graphic in graphics if graphic not in gone]


def _join_cuts(graphics: list[Graphic]) -> list[Graphic]:
    """Free figures that lie edge to edge: the model cut one picture in pieces."""
    done: list[Graphic] = []
    for graphic in graphics:
        cut = [g for g in done if is_free(g) and is_free(graphic) and _is_cut(g.bbox, graphic.bbox)]
        if cut:
            take_in(cut[0], graphic)
        else:
            done.append(graphic)
    return done if len(done) == len(graphics) else _join_cuts(done)


def _is_cut(one: BBox, other: BBox) -> bool:
    for gap, low, high in ((gap_x(one, other), 1, 3), (gap_y(one, other), 0, 2)):
        is_even = max(abs(one[low] - other[low]), abs(one[high] - other[high])) <= EVEN_PT
        if is_even and abs(gap) <= CUT_PT:
            return True
    return False


def _join_strips(
    graphics: list[Graphic], walls: Sequence[BBox], page_size: tuple[float, float]
) -> list[Graphic]:
    """Boxes too small to be kept join the figure they stand at."""
    small = [g for g in graphics if is_free(g) and reason_to_skip(g.bbox, page_size)]
    figures = [g for g in graphics if g.kind == "figure" and g not in small]
    gone: list[Graphic] = []
    for strip in small:
        near = min(figures, key=lambda g: _distance(g.bbox, strip.bbox), default=None)
        if near is None or _distance(near.bbox, strip.bbox) > STRIP_GAP_PT:
            continue
        others = [g.bbox for g in figures if g is not near and g.caption is not None]
        if not _hits(union([near.bbox, strip.bbox]), [*walls, *others]):
            take_in(near, strip)
            gone.append(strip)
    return [graphic for graphic in graphics if graphic not in gone]


def _distance(one: BBox, other: BBox) -> float:
    return max(gap_x(one, other), gap_y(one, other), 0.0)


def _touch(one: BBox, other: BBox) -> bool:
    return gap_x(one, other) <= MERGE_GAP_PT and gap_y(one, other) <= MERGE_GAP_PT


def _hits(wider: BBox, walls: Sequence[BBox]) -> bool:
    return any(overlap(wider, wall) > 0.3 * area(wall) for wall in walls)
