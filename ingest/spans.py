"""Runs of text on a page, with what tells whether a reader sees them.

Imports pymupdf only inside functions. Boxes are points of the page as displayed:
callers have called `remove_rotation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.characters import clean_text

if TYPE_CHECKING:
    import numpy as np
    import pymupdf

    from rag.types import BBox

MIN_SEEN_SIZE_PT = 1.0
NEAR_WHITE = 0xF0
# Grey levels (of 255) between the lightest and darkest pixel of a box without ink.
NO_INK_RANGE = 8
MIN_DRAWN_PX = 3.0
_MONO_FLAG, _BOLD_FLAG = 8, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run of one font; `line` is its number on the page, lines count in content order."""

    text: str
    bbox: BBox
    size: float  # points
    line: int
    is_mono: bool = False
    is_bold: bool = False
    is_invisible: bool = False  # drawn in render mode 3, as OCR layers are
    is_near_white: bool = False
    is_horizontal: bool = True

    @property
    def is_tiny(self) -> bool:
        return self.size < MIN_SEEN_SIZE_PT or self.bbox[3] - self.bbox[1] < MIN_SEEN_SIZE_PT


def read_spans(page: pymupdf.Page) -> list[Span]:
    """All runs of text of a pymupdf page, hidden ones included, in content order."""
    import pymupdf

    # Without TEXT_PRESERVE_IMAGES: a 1 x 1 picture with a 400-megapixel mask costs 880 MB.
    # Without TEXT_COLLECT_STYLES: a page of a million glyphs takes minutes with it, 1 s without.
    # Without TEXT_CID_FOR_UNKNOWN_UNICODE: an unmapped glyph must show as U+FFFD.
    flags = (
        pymupdf.TEXT_PRESERVE_WHITESPACE
        | pymupdf.TEXT_MEDIABOX_CLIP
        | pymupdf.TEXT_IGNORE_ACTUALTEXT
    )
    spans: list[Span] = []
    number = 0
    for block in page.get_text("dict", flags=flags)["blocks"]:
        for line in block.get("lines", ()):
            number += 1
            horizontal = abs(line["dir"][1]) < 0.2
            spans.extend(_span(raw, number, horizontal) for raw in line["spans"])
        number += 1  # a gap in the numbers marks the end of a block
    return [span for span in spans if span.text.strip()]


def _span(raw: dict[str, Any], line: int, horizontal: bool) -> Span:
    colour = raw["color"]
    x0, y0, x1, y1 = raw["bbox"]
    return Span(
        text=clean_text(raw["text"]),
        bbox=(x0, y0, x1, y1),
        size=raw["size"],
        line=line,
        is_mono=bool(raw["flags"] & _MONO_FLAG),
        is_bold=bool(raw["flags"] & _BOLD_FLAG),
        is_invisible=raw.get("alpha", 255) == 0,
        is_near_white=min(colour >> 16 & 255, colour >> 8 & 255, colour & 255) >= NEAR_WHITE,
        is_horizontal=horizontal,
    )


def split_hidden(
    spans: list[Span], ink: InkMap | None, *, is_scan: bool
) -> tuple[list[Span], list[Span]]:
    """(what a reader sees, what is hidden from one).

    Invisible text is the honest text layer of a scan when nothing else stands on the
    page, and hidden otherwise. Without a drawing of the page white text counts as hidden.

    Args:
        spans: of one page.
        ink: the page as drawn, or None when it was not (yet) drawn.
        is_scan: a picture covers most of the page.
    """
    drawn = sum(len(span.text) for span in spans if not span.is_invisible)
    is_layer = is_scan and drawn < sum(len(span.text) for span in spans) / 2
    seen: list[Span] = []
    hidden: list[Span] = []
    for span in spans:
        (seen if _is_seen(span, ink, is_layer) else hidden).append(span)
    return seen, hidden


def _is_seen(span: Span, ink: InkMap | None, is_layer: bool) -> bool:
    if span.is_tiny:
        return False
    if span.is_invisible:
        return is_layer
    if ink is None:
        return not span.is_near_white
    return ink.has_ink(span.bbox)


class InkMap:
    """A page drawn small, to tell text that leaves a mark from text that is white or covered."""

    def __init__(self, grey: np.ndarray[Any, Any], scale: float) -> None:
        """`grey`: uint8 (height, width); `scale`: pixels a point."""
        self._grey = grey
        self._scale = scale

    def has_ink(self, bbox: BBox) -> bool:
        """Whether anything stands out in the middle of the box; True where one cannot tell."""
        x0, y0, x1, y1 = bbox
        # The line box reaches into its neighbours; only the middle 60 % belongs to the glyphs.
        trim = (y1 - y0) * 0.2
        if (y1 - y0) * self._scale < MIN_DRAWN_PX:
            return True  # too small to show on this drawing
        rows = slice(max(0, int((y0 + trim) * self._scale)), int((y1 - trim) * self._scale) + 1)
        columns = slice(max(0, int(x0 * self._scale)), int(x1 * self._scale) + 1)
        part = self._grey[rows, columns]
        if not part.size:
            return True
        return int(part.max()) - int(part.min()) > NO_INK_RANGE

    @property
    def is_blank(self) -> bool:
        return int(self._grey.max()) - int(self._grey.min()) <= NO_INK_RANGE
