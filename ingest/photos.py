"""Photos that the layout model missed, or put several in one box. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.boxes import area, centre, contains, overlap
from ingest.graphic_types import Graphic
from ingest.joining import is_free, merge_overlapping

if TYPE_CHECKING:
    from ingest.graphic_types import PageContext
    from ingest.pageblocks import PageBlock
    from rag.types import BBox

MIN_SIDE_PT, MIN_SIDE_PX = 64.0, 64
MIN_PHOTO_SHARE = 0.015  # of the page
MAX_PHOTO_SHARE = 0.8  # more is the paper that the page is printed on
MAX_WORD_SHARE = 0.12  # of the image under words: more is their background
MIN_FILLED_SHARE = 0.6
MAX_PHOTOS = 24  # of a page


def split_collages(
    graphics: Sequence[Graphic], blocks: Sequence[PageBlock], context: PageContext
) -> list[Graphic]:
    """The graphics, a box without caption and words that holds several photos as the photos."""
    photos = _photos(context)
    done: list[Graphic] = []
    for graphic in graphics:
        inside = [p for p in photos if contains(graphic.bbox, centre(p))]
        has_words = any(blocks[i].lines for i in graphic.members)
        if not is_free(graphic) or has_words or not _are_apart(inside):
            done.append(graphic)
            continue
        done.append(Graphic(kind="figure", bbox=inside[0], members=graphic.members))
        done += [Graphic(kind="figure", bbox=photo, members=[]) for photo in inside[1:]]
    return done


def find_photos(
    graphics: Sequence[Graphic], blocks: Sequence[PageBlock], context: PageContext
) -> list[Graphic]:
    """Images of some size that no graphic shows and no words are printed on."""
    taken = [graphic.bbox for graphic in graphics]
    words = [line.bbox for block in blocks for line in block.lines]
    return [
        Graphic(kind="figure", bbox=photo, members=[])
        for photo in _photos(context)
        if not any(overlap(photo, box) > 0.5 * min(area(photo), area(box)) for box in taken)
        and sum(overlap(photo, line) for line in words) <= MAX_WORD_SHARE * area(photo)
    ]


def is_filling(box: BBox, context: PageContext) -> bool:
    """Whether a box shows fills only: images of a few pixels and no drawing.

    Word processors write headings as masks over an image of 2 x 2 pixels.
    """
    flat = [image.bbox for image in context.images if image.is_flat]
    if sum(overlap(box, item) for item in flat) < MIN_FILLED_SHARE * area(box):
        return False
    others = [image.bbox for image in context.images if not image.is_flat]
    drawn = context.drawings()[: -len(context.images)]
    return not any(overlap(box, item) > 0.1 * area(box) for item in (*others, *drawn))


def _photos(context: PageContext) -> list[BBox]:
    """Boxes of images that may each be a picture; none on pages made of image pieces."""
    page = context.size[0] * context.size[1]
    boxes = [
        image.bbox
        for image in context.images
        if min(image.width_px, image.height_px) >= MIN_SIDE_PX
        and min(image.bbox[2] - image.bbox[0], image.bbox[3] - image.bbox[1]) >= MIN_SIDE_PT
        and MIN_PHOTO_SHARE * page <= area(image.bbox) <= MAX_PHOTO_SHARE * page
        and image not in context.repeated
    ]
    return merge_overlapping(boxes) if len(boxes) <= MAX_PHOTOS else []


def _are_apart(photos: Sequence[BBox]) -> bool:
    """Several, and none touches another along a side: tiles of one picture do."""
    if len(photos) < 2:
        return False
    return not any(
        _is_tile(one, other) for at, one in enumerate(photos) for other in photos[at + 1 :]
    )


def _is_tile(one: BBox, other: BBox) -> bool:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    narrow = min(one[2] - one[0], other[2] - other[0])
    low = min(one[3] - one[1], other[3] - other[1])
    beside = width > -3 and height > 0.5 * low
    return beside or (height > -3 and width > 0.5 * narrow)
