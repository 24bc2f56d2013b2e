"""The figures and tables of one page with their captions, from its blocks. Pure.

Captions are matched to boxes, and where the layout model saw no picture one is looked
for: drawings near a caption, a listing above it, photos without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.boxes import area, overlap, union
from ingest.captioning import find_captions, give_captions
from ingest.figures import find_missed, stacked_above
from ingest.frames import find_frames
from ingest.graphic_types import Caption, Graphic
from ingest.joining import join_parts, merge_overlapping
from ingest.photos import find_photos, split_collages
from ingest.titles import give_titles

if TYPE_CHECKING:
    from ingest.graphic_types import PageContext
    from ingest.pageblocks import PageBlock

MIN_CODE_SHARE = 0.8  # of the characters
_LISTING = ("list-item", "formula", "fallback")


def find_graphics(
    blocks: Sequence[PageBlock], context: PageContext, known_words: frozenset[str]
) -> tuple[list[Graphic], list[Caption]]:
    """The graphics of a page, captions matched, and the captions that belong to none."""
    captions = find_captions(blocks, known_words)
    boxed = _boxed(blocks)
    frames = find_frames(captions, boxed, blocks, context)
    unmatched = give_captions(captions, [*boxed, *frames])
    graphics = [*boxed, *(frame for frame in frames if frame.caption is not None)]
    _mark_listings(graphics, blocks)
    graphics, left = _find_missing(unmatched, graphics, blocks, context)
    graphics = join_parts(graphics, blocks, context.size)
    graphics = give_titles(graphics, blocks, left, context.size)
    graphics = split_collages(graphics, blocks, context)
    return [*graphics, *find_photos(graphics, blocks, context)], left


def _boxed(blocks: Sequence[PageBlock]) -> list[Graphic]:
    tables = [i for i, block in enumerate(blocks) if block.kind == "table"]
    pictures = [i for i, block in enumerate(blocks) if block.kind == "picture"]
    graphics = [Graphic(kind="table", bbox=blocks[i].bbox, members=[i]) for i in tables]
    for box in merge_overlapping([blocks[i].bbox for i in pictures]):
        members = [i for i in pictures if overlap(blocks[i].bbox, box) > 0.9 * area(blocks[i].bbox)]
        graphics.append(Graphic(kind="figure", bbox=box, members=members))
    return graphics


def _mark_listings(graphics: Sequence[Graphic], blocks: Sequence[PageBlock]) -> None:
    """What the model calls a table, set in a font for code under "Figure 3", is a listing."""
    for graphic in graphics:
        lines = [line for i in graphic.members for line in blocks[i].lines]
        code = sum(len(line.text) for line in lines if line.is_mono)
        is_figure = graphic.caption is not None and graphic.caption.kind == "figure"
        if is_figure and code >= MIN_CODE_SHARE * max(1, sum(len(line.text) for line in lines)):
            graphic.kind, graphic.is_listing = "figure", True


def _find_missing(
    captions: list[Caption],
    graphics: list[Graphic],
    blocks: Sequence[PageBlock],
    context: PageContext,
) -> tuple[list[Graphic], list[Caption]]:
    """Graphics for figure captions that have none: drawings near by, or the listing above."""
    graphics, left = list(graphics), []
    for caption in captions:
        found = None
        if caption.kind == "figure":
            found = _from_drawings(caption, graphics, captions, context)
            found = found or _from_listing(caption, blocks, graphics)
        if found is None:
            left.append(caption)
        else:
            graphics.append(found)
    return graphics, left


def _from_drawings(
    caption: Caption,
    graphics: Sequence[Graphic],
    captions: Sequence[Caption],
    context: PageContext,
) -> Graphic | None:
    taken = [graphic.bbox for graphic in graphics] + [c.bbox for c in captions]
    box = find_missed(caption.bbox, context.drawings(), taken, context.size)
    if box is None:
        return None
    return Graphic(kind="figure", bbox=box, members=[], caption=caption)


def _from_listing(
    caption: Caption, blocks: Sequence[PageBlock], graphics: Sequence[Graphic]
) -> Graphic | None:
    used = {i for graphic in graphics for i in graphic.members}
    lines = [
        i
        for i, block in enumerate(blocks)
        if i not in used and i not in caption.members and (block.kind in _LISTING or block.is_code)
    ]
    members = [lines[i] for i in stacked_above(caption.bbox, [blocks[i].bbox for i in lines])]
    if not members:
        return None
    box = union(blocks[i].bbox for i in members)
    return Graphic(kind="figure", bbox=box, members=members, caption=caption, is_listing=True)
