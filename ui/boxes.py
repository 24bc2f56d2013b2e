"""Draws boxes into a page picture: the cited place, or all that was seen on the page.

Knows Pillow and boxes, nothing of documents. Done here and not in the browser, so that
drawer, `folio inspect` and tests show the same picture. Boxes always use the light
colours: paper stays white in dark mode.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFont

from rag.types import PICTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import BBox, Kind

Colour = tuple[int, int, int]


class Mark(NamedTuple):
    """A box to draw: in points, origin top left; a tag of "" leaves it without."""

    kind: Kind
    box: BBox
    tag: str = ""


class _Line(NamedTuple):
    """How a kind is framed: colour, length of dash and gap in frame widths, fill in 255ths."""

    colour: Colour
    dash: float
    gap: float
    fill: int


# Colour, line style and a word or letter together, never colour alone (look.md 1).
LINES: dict[Kind, _Line] = {
    "text": _Line((0x0B, 0x5C, 0xAD), 1.0, 1.2, 20),
    "table": _Line((0x9A, 0x52, 0x00), 5.0, 2.0, 0),
    "figure": _Line((0xB0, 0x30, 0x7E), 0.0, 0.0, 0),
    "page": _Line((0x2E, 0x37, 0x3C), 7.0, 4.0, 0),
}
WIDTH_PX = 1_160  # twice the drawer's picture, for sharp screens
FRAME_PX = 5
VEIL = 20  # of 255, about 8 %
TAG_PX = 36
THIN_FRAME_PX = 3  # where a page has dozens of boxes
MARGIN_PT = 12.0  # paper kept around a crop
# As a highlighter: black on it 16 to 1, the grey of a caption (#566067) 5 to 1.
MARKER: Colour = (0xFF, 0xE1, 0x66)
MAX_HEIGHT_PX = 3 * WIDTH_PX
NEAR_ENOUGH = 0.06  # a page that is so nearly as wide is not drawn again
MIN_TAGGED_PX = 4 * TAG_PX  # high; on a narrow strip of a page a tag would hide the box
ROOMY_TAGS = 4  # heights of a tag
LARGE_PT = 2_000.0  # of the longer side; A2 is 1,684, a poster 3,370, the most 14,400
WINDOW_PT = 900.0

# On a page 400 px wide that is shown at a third of that, frames are twice as thick (look.md 2);
# those of text are not, there are too many of them.
SMALL_FRAMES_PX: dict[Kind, int] = {"text": 2, "table": 5, "figure": 5, "page": 4}
SMALL_FILLS: dict[Kind, int] = {"text": 20, "table": 36, "figure": 36, "page": 0}
LEFT_OUT = _Line((0x77, 0x80, 0x85), 3.0, 3.0, 0)
LEFT_OUT_FRAME_PX = 2
LETTER_PX = 30


def mark_page(
    png: bytes,
    boxes: Sequence[BBox],
    page_size: tuple[float, float],
    *,
    kind: Kind,
    tag: str,
    words: Sequence[BBox] = (),
) -> bytes:
    """A page picture with its cited boxes framed, the rest of the page veiled.

    Args:
        png: The page as displayed, any resolution.
        boxes: In points, origin top left, on this page.
        page_size: Width and height of the page in points.
        kind: Chooses colour and line.
        tag: Short words at the top right of the first box: inside a figure, above words.
        words: Boxes of the words that are quoted, marked as by a highlighter.

    Returns:
        PNG bytes, about `WIDTH_PX` wide.
    """
    page = _open(png)
    scale = page.width / page_size[0]
    places = [_to_pixels(box, scale, page.size) for box in boxes]
    marked = _veil(page, places)
    ink = ImageDraw.Draw(marked, "RGBA")
    line = LINES[kind]
    for place in places:
        if line.fill:
            ink.rectangle(place, fill=(*line.colour, line.fill))
    _highlight(marked, page, [_to_pixels(box, scale, page.size) for box in words])
    for place in places:
        _frame(ink, place, line)
    if places and page.height >= MIN_TAGGED_PX:
        _tag(ink, _tag_place(places[0], kind), tag, line.colour)
    return _to_png(marked)


def mark_parts(png: bytes, marks: Sequence[Mark], page_size: tuple[float, float]) -> bytes:
    """A page picture with every box framed by its kind, pictures on top of words, no veil.

    Args:
        png: The page as displayed, any resolution.
        marks: On this page.
        page_size: Width and height of the page in points.

    Returns:
        PNG bytes, `WIDTH_PX` wide.
    """
    page = _open(png)
    scale = page.width / page_size[0]
    ink = ImageDraw.Draw(page, "RGBA")
    on_top = list(LINES)
    for mark in sorted(marks, key=lambda mark: on_top.index(mark.kind)):
        line, place = LINES[mark.kind], _to_pixels(mark.box, scale, page.size)
        if line.fill:
            ink.rectangle(place, fill=(*line.colour, line.fill))
        _frame(ink, place, line, THIN_FRAME_PX)
        if mark.tag:  # on the frame, so that it hides nothing of the box
            top = place[1] - TAG_PX if place[1] >= TAG_PX else place[1]
            _tag(ink, (place[0], top, *place[2:]), mark.tag, line.colour)
    return _to_png(page)


def mark_sources(
    png: bytes,
    marks: Sequence[Mark],
    page_size: tuple[float, float],
    words: Sequence[BBox] = (),
) -> Image.Image:
    """A page picture with the places of several sources framed, the rest of the page veiled.

    Args:
        png: The page as displayed, any resolution.
        marks: On this page, each with its kind; a tag stands on top of the frame.
        page_size: Width and height of the page in points.
        words: Boxes of the words that are quoted, marked as by a highlighter.

    Returns:
        An RGB picture, `WIDTH_PX` wide.
    """
    page = _open(png)
    scale = page.width / page_size[0]
    placed = [(mark, _to_pixels(mark.box, scale, page.size)) for mark in marks]
    marked = _veil(page, [place for _, place in placed])
    ink = ImageDraw.Draw(marked, "RGBA")
    for mark, place in placed:
        line = LINES[mark.kind]
        if line.fill:
            ink.rectangle(place, fill=(*line.colour, line.fill))
    _highlight(marked, page, [_to_pixels(box, scale, page.size) for box in words])
    for mark, place in placed:
        _frame(ink, place, LINES[mark.kind])
    for mark, place in placed:
        if mark.tag:  # above the frame, so that it hides nothing of the box
            top = place[1] - TAG_PX - FRAME_PX if place[1] > TAG_PX + FRAME_PX else place[1]
            _tag(ink, (place[0], top, *place[2:]), mark.tag, LINES[mark.kind].colour)
    return marked


def mark_thumbnail(
    png: bytes, marks: Sequence[Mark], page_size: tuple[float, float], left_out: Sequence[BBox] = ()
) -> bytes:
    """A small page with every box framed by its kind and filled a little; size as it comes.

    Args:
        png: The page as displayed, a few hundred pixels wide.
        marks: On this page; a tag of one letter stands inside its box.
        page_size: Width and height of the page in points.
        left_out: Boxes of what was not kept, framed thin and grey.
    """
    page = Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGB")
    scale = page.width / page_size[0]
    ink = ImageDraw.Draw(page, "RGBA")
    on_top = list(LINES)
    for box in left_out:
        _frame(ink, _to_pixels(box, scale, page.size), LEFT_OUT, LEFT_OUT_FRAME_PX)
    for mark in sorted(marks, key=lambda mark: on_top.index(mark.kind)):
        line, place = LINES[mark.kind], _to_pixels(mark.box, scale, page.size)
        ink.rectangle(place, fill=(*line.colour, SMALL_FILLS[mark.kind]))
        _frame(ink, place, line, SMALL_FRAMES_PX[mark.kind])
        if mark.tag:
            _letter(ink, place, mark.tag, line.colour)
    return _to_png(page)


def crop_page(
    png: bytes, box: BBox, page_size: tuple[float, float], words: Sequence[BBox] = ()
) -> bytes:
    """The part of a page picture around a box, as PNG bytes, words marked in it."""
    page = _open(png)
    scale = page.width / page_size[0]
    _highlight(page, page.copy(), [_to_pixels(word, scale, page.size) for word in words])
    return _to_png(page.crop(_to_pixels(_with_margin(box), scale, page.size)))


def mark_part(png: bytes, part: BBox, words: Sequence[BBox]) -> bytes:
    """A picture of a part of a page with words marked in it; `part` is its box in points."""
    picture = _open(png)
    scale = picture.width / (part[2] - part[0])
    inside = [(x0 - part[0], y0 - part[1], x1 - part[0], y1 - part[1]) for x0, y0, x1, y1 in words]
    places = [_to_pixels(word, scale, picture.size) for word in inside if _is_seen(word, part)]
    _highlight(picture, picture.copy(), places)
    return _to_png(picture)


def is_large(page_size: tuple[float, float]) -> bool:
    """Whether a page cannot be read when all of it is as wide as the drawer."""
    return max(page_size) > LARGE_PT


def window(box: BBox, focus: BBox, page_size: tuple[float, float]) -> BBox:
    """The part of a large page to show: a box, or as much of it as can be read, around `focus`."""
    left, right = _stretch(box[0], box[2], focus[0], page_size[0])
    top, bottom = _stretch(box[1], box[3], focus[1], page_size[1])
    return left, top, right, bottom


def _stretch(start: float, end: float, wanted: float, limit: float) -> tuple[float, float]:
    """A stretch with a margin, inside the page; a long one begins a little before `wanted`."""
    start, end = sorted((min(max(start, 0.0), limit), min(max(end, 0.0), limit)))
    if end - start > WINDOW_PT:
        start = min(max(start, wanted - WINDOW_PT / 4), end - WINDOW_PT)
        end = start + WINDOW_PT
    start, end = max(0.0, start - MARGIN_PT), min(limit, end + MARGIN_PT)
    return start, max(end, min(limit, start + 1.0))


def _with_margin(box: BBox) -> BBox:
    x0, y0, x1, y1 = box
    return (x0 - MARGIN_PT, y0 - MARGIN_PT, x1 + MARGIN_PT, y1 + MARGIN_PT)


def _is_seen(word: BBox, part: BBox) -> bool:
    """Whether a word, counted from the corner of a part, reaches into it."""
    return (
        word[2] > 0 and word[3] > 0 and word[0] < part[2] - part[0] and word[1] < part[3] - part[1]
    )


def is_low(box: BBox, page_size: tuple[float, float]) -> bool:
    """Whether a box starts so far down that a drawer opened at the top would hide it."""
    return box[1] > page_size[1] * 0.62


def _open(png: bytes) -> Image.Image:
    """The picture, about as wide as the drawer shows it sharply, and never endlessly high."""
    page = Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGB")
    scale = min(WIDTH_PX / page.width, MAX_HEIGHT_PX / page.height)
    if abs(scale - 1) < NEAR_ENOUGH:
        return page
    size = (max(1, round(page.width * scale)), max(1, round(page.height * scale)))
    return page.resize(size, Image.Resampling.LANCZOS)


def _to_pixels(box: BBox, scale: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box in whole pixels inside the picture, at least one pixel each way."""
    x0, y0, x1, y1 = (round(value * scale) for value in box)
    left, right = sorted((min(max(x0, 0), size[0] - 1), min(max(x1, 0), size[0])))
    top, bottom = sorted((min(max(y0, 0), size[1] - 1), min(max(y1, 0), size[1])))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _highlight(
    marked: Image.Image, page: Image.Image, places: Sequence[tuple[int, int, int, int]]
) -> None:
    """Colour the paper under words and leave the ink: each pixel of the page times the marker."""
    for place in places:
        part = page.crop(place)
        paper = Image.new("RGB", part.size, MARKER)
        marked.paste(ImageChops.multiply(part, paper), place[:2])


def _tag_place(place: tuple[int, int, int, int], kind: Kind) -> tuple[int, int, int, int]:
    """Where a tag goes: it may cover a corner of a large figure, but never words."""
    x0, y0, x1, y1 = place
    is_roomy = kind in PICTURES and y1 - y0 >= ROOMY_TAGS * TAG_PX
    if is_roomy or y0 < TAG_PX:
        return place
    return x0, y0 - TAG_PX, x1, y1


def _veil(page: Image.Image, places: Sequence[tuple[int, int, int, int]]) -> Image.Image:
    veiled = Image.blend(page, Image.new("RGB", page.size, (0, 0, 0)), VEIL / 255)
    for place in places:
        veiled.paste(page.crop(place), place[:2])
    return veiled


def _frame(
    ink: ImageDraw.ImageDraw,
    place: tuple[int, int, int, int],
    line: _Line,
    width_px: int = FRAME_PX,
) -> None:
    """A frame just outside the box, so that it hides nothing of it."""
    x0, y0, x1, y1 = (place[0] - 3, place[1] - 3, place[2] + 2, place[3] + 2)
    if not line.dash:
        ink.rectangle((x0, y0, x1, y1), outline=line.colour, width=width_px)
        return
    for start, end in _dashes(x0, x1, line, width_px):
        ink.rectangle((start, y0, end, y0 + width_px - 1), fill=line.colour)
        ink.rectangle((start, y1 - width_px + 1, end, y1), fill=line.colour)
    for start, end in _dashes(y0, y1, line, width_px):
        ink.rectangle((x0, start, x0 + width_px - 1, end), fill=line.colour)
        ink.rectangle((x1 - width_px + 1, start, x1, end), fill=line.colour)


def _dashes(start: int, end: int, line: _Line, width_px: int) -> list[tuple[int, int]]:
    length = max(1, round(line.dash * width_px))
    step = length + max(1, round(line.gap * width_px))
    return [(at, min(at + length - 1, end)) for at in range(start, end + 1, step)]


def _tag(
    ink: ImageDraw.ImageDraw, place: tuple[int, int, int, int], tag: str, colour: Colour
) -> None:
    font = ImageFont.load_default(size=24)
    # Pillow's built-in font has Latin letters only; others would draw as boxes.
    words = tag.encode("latin-1", "ignore").decode("latin-1")[:24]
    width = round(ink.textlength(words, font=font)) + 20
    x1, y0 = max(place[2], width), place[1]
    ink.rectangle((x1 - width, y0 - 1, x1, y0 + TAG_PX), fill=colour)
    ink.text((x1 - width + 10, y0 + 3), words, font=font, fill=(255, 255, 255))


def _letter(
    ink: ImageDraw.ImageDraw, place: tuple[int, int, int, int], letter: str, colour: Colour
) -> None:
    """A white letter in the corner of its box."""
    x, y = place[:2]
    ink.rectangle((x - 3, y - 3, x + LETTER_PX - 4, y + LETTER_PX - 4), fill=colour)
    font = ImageFont.load_default(size=24)
    middle = (x + LETTER_PX / 2 - 3, y + LETTER_PX / 2 - 3)
    ink.text(middle, letter[:1], font=font, fill=(255, 255, 255), anchor="mm")


def _to_png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
