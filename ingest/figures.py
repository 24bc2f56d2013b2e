"""Which boxes of a page are worth keeping, and where one is found that the model missed. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.boxes import area, overlap, shares_column, union
from ingest.parts import Part

if TYPE_CHECKING:
    from ingest.crops import Crop
    from ingest.graphic_types import PlacedImage
    from rag.types import BBox

MERGE_GAP_PT = 24.0
MIN_SIDE_PT = 30.0
MIN_PAGE_SHARE = 0.004  # 44 x 44 points on A4
MAX_ASPECT = 12.0
WHOLE_PAGE_SHARE = 0.8
SEARCH_HEIGHT_PT = 640.0
MAX_FIGURES_PER_PAGE = 50
DHASH_DISTANCE = 4
SAME_PLACE_PT = 4.0
LOGO_PT2 = 20_000.0  # a larger picture at one place may be a chart that changes from slide to slide
MAX_REMEMBERED = 2_000


def reason_to_skip(box: BBox, page_size: tuple[float, float]) -> str | None:
    """Why a picture without a caption is not worth keeping, in words; None when it is."""
    width, height = box[2] - box[0], box[3] - box[1]
    if min(width, height) < MIN_SIDE_PT or area(box) < MIN_PAGE_SHARE * page_size[0] * page_size[1]:
        return "too small to show anything"
    if max(width, height) > MAX_ASPECT * min(width, height):
        return "a thin strip"
    return None


def find_missed(
    caption: BBox, candidates: Sequence[BBox], taken: Sequence[BBox], page_size: tuple[float, float]
) -> BBox | None:
    """The drawing above (else below) a caption that the model gave no picture box, or None.

    Args:
        caption: box of a figure caption.
        candidates: clusters of drawings and rectangles of images.
        taken: boxes that belong to something else.
        page_size: points.
    """
    usable = [
        box
        for box in candidates
        if area(box) < 0.7 * page_size[0] * page_size[1]  # page-sized frames
        and min(box[2] - box[0], box[3] - box[1]) >= 8
        and shares_column(box, caption)
        and not any(overlap(box, other) > 0.3 * area(box) for other in taken)
    ]
    for is_above in (True, False):
        found = _stack(caption, usable, is_above=is_above)
        if found is not None and reason_to_skip(found, page_size) is None:
            return found
    return None


def stacked_above(caption: BBox, boxes: Sequence[BBox]) -> list[int]:
    """Indices of boxes that stand on a caption without a gap: the lines of a listing."""
    found: list[int] = []
    edge = caption
    for index in sorted(range(len(boxes)), key=lambda i: -boxes[i][3]):
        box = boxes[index]
        is_above = box[3] <= edge[1] + 4 and edge[1] - box[3] <= MERGE_GAP_PT
        if is_above and shares_column(box, caption, share=0.5):
            found.append(index)
            edge = box
    return sorted(found)


def _stack(caption: BBox, boxes: Sequence[BBox], *, is_above: bool) -> BBox | None:
    """The union of boxes that follow one another away from the caption."""
    edge, picked = caption, []
    for box in sorted(boxes, key=lambda b: -b[3] if is_above else b[1]):
        far = edge[1] - box[3] if is_above else box[1] - edge[3]
        reach = abs(box[1] - caption[1])
        if -12 <= far <= MERGE_GAP_PT * 1.5 and reach <= SEARCH_HEIGHT_PT:
            picked.append(box)
            edge = union([box, *picked])
    return union(picked) if picked else None


class SeenPictures:
    """Pictures without a caption that earlier pages had: a logo is kept once."""

    def __init__(self) -> None:
        self._seen: list[tuple[str, int, BBox, int]] = []

    def page_of(self, crop: Crop, box: BBox, page_number: int) -> int | None:
        """The page that had this picture before, else None, and the picture is remembered."""
        digest = hashlib.sha256(crop.png).hexdigest()
        for other, dhash, place, page in self._seen:
            is_near = max(abs(a - b) for a, b in zip(box, place, strict=True)) <= SAME_PLACE_PT
            is_like = (dhash ^ crop.dhash).bit_count() <= DHASH_DISTANCE and area(box) < LOGO_PT2
            if page != page_number and (other == digest or (is_near and is_like)):
                return page
        if len(self._seen) < MAX_REMEMBERED:
            self._seen.append((digest, crop.dhash, box, page_number))
        return None


class SeenImages:
    """Raster images by place and size in the file: the paper a deck of slides is printed on.

    Without decoding: the pixels of two images may differ where all these numbers agree,
    so this only keeps images back that the layout model did not take for pictures.
    """

    def __init__(self) -> None:
        self._first_page: dict[tuple[int, ...], int] = {}

    def repeated(self, images: Sequence[PlacedImage], page_number: int) -> list[PlacedImage]:
        """Those that stood there on a page before; the others are remembered."""
        found = []
        for image in images[:MAX_REMEMBERED]:
            place = (round(side / SAME_PLACE_PT) for side in image.bbox)
            key = (image.width_px, image.height_px, image.stored_bytes, *place)
            if len(self._first_page) < MAX_REMEMBERED:
                self._first_page.setdefault(key, page_number)
            if self._first_page.get(key, page_number) < page_number:
                found.append(image)
        return found


def without_picture(part: Part) -> list[Part]:
    """What stays of a part when its picture is not kept: tables and words stay, as text."""
    if part.kind == "table":
        return [replace(part, image_png=None)]
    words = " ".join(filter(None, (part.caption, *part.text.split("\n"))))
    return [Part(kind="text", text=words, regions=part.regions)] if words else []
