"""Runs of text on a page, with what tells whether a reader sees them.

Imports pymupdf only inside functions. Boxes are points of the page as displayed:
callers have called `remove_rotation`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ingest.bidi import holds_leftward, is_leftward
from ingest.characters import clean_text, raised
from ingest.glyphs import LOST, origin_of
from ingest.leftward import rebuilt

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pymupdf

    from ingest.glyphs import Origin
    from rag.types import BBox

MIN_SEEN_SIZE_PT = 1.0
NEAR_WHITE = 0xF0
# Grey levels (of 255) between the lightest and darkest pixel of a box without ink.
NO_INK_RANGE = 8
MIN_DRAWN_PX = 3.0
RAISED_SIZE = 0.85  # of the largest type on the line
_MONO_FLAG, _BOLD_FLAG = 8, 16
_HANGUL = re.compile("[\uac00-\ud7a3]\\s*$")


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
    is_glued: bool = False  # ends a line inside a word, of a script that has spaces (Korean)

    @property
    def is_tiny(self) -> bool:
        return self.size < MIN_SEEN_SIZE_PT or self.bbox[3] - self.bbox[1] < MIN_SEEN_SIZE_PT


def read_spans(page: pymupdf.Page, lost: Mapping[Origin, str] | None = None) -> list[Span]:
    """All runs of text of a pymupdf page, hidden ones included, in content order.

    Args:
        page: with its rotation removed.
        lost: characters of glyphs that the page itself has none for.
    """
    flags = text_flags()
    lines = _mended_lines(page, flags, lost) if lost else _numbered_lines(page, "dict", flags)
    spans: list[Span] = []
    text = "".join(raw["text"] for _, line in lines for raw in line["spans"])
    if holds_leftward(text):
        spans, done = _leftward_spans(page, flags, leftward=is_leftward(text))
        lines = [(number, line) for number, line in lines if number not in done]
    spans.extend(span for number, line in lines for span in _line_spans(line, number))
    spans.sort(key=lambda span: span.line)
    return [span for span in _glued(spans) if span.text.strip()]


def text_flags() -> int:
    """How MuPDF is to read the words of a page, whatever form they are asked for in."""
    import pymupdf

    # Without TEXT_PRESERVE_IMAGES: a 1 x 1 picture with a 400-megapixel mask costs 880 MB.
    # Without TEXT_COLLECT_STYLES: a page of a million glyphs takes minutes with it, 1 s without.
    # Without TEXT_CID_FOR_UNKNOWN_UNICODE: an unmapped glyph must show as U+FFFD.
    return int(
        pymupdf.TEXT_PRESERVE_WHITESPACE
        | pymupdf.TEXT_MEDIABOX_CLIP
        | pymupdf.TEXT_IGNORE_ACTUALTEXT
    )


def _numbered_lines(page: pymupdf.Page, kind: str, flags: int) -> list[tuple[int, dict[str, Any]]]:
    """The lines of a page in content order; a gap in the numbers marks the end of a block."""
    lines: list[tuple[int, dict[str, Any]]] = []
    number = 0
    for block in page.get_text(kind, flags=flags)["blocks"]:
        for line in block.get("lines", ()):
            number += 1
            lines.append((number, line))
        number += 1
    return lines


def _mended_lines(
    page: pymupdf.Page, flags: int, lost: Mapping[Origin, str]
) -> list[tuple[int, dict[str, Any]]]:
    lines = _numbered_lines(page, "rawdict", flags)
    for _, line in lines:
        for raw in line["spans"]:
            raw["text"] = "".join(
                lost.get(origin_of(char["origin"]), LOST) if char["c"] == LOST else char["c"]
                for char in raw["chars"]
            )
    return lines


def _leftward_spans(
    page: pymupdf.Page, flags: int, *, leftward: bool
) -> tuple[list[Span], set[int]]:
    """Spans of the lines that hold Arabic or Hebrew, and the numbers of these lines."""
    lines = _numbered_lines(page, "rawdict", flags)
    level = [entry for entry in lines if _is_horizontal(entry[1])]
    rows, done = rebuilt(level, leftward=leftward)
    return [_span(raw, number, True, is_raised=False) for number, raw in rows], done


def _is_horizontal(line: dict[str, Any]) -> bool:
    return bool(abs(line["dir"][1]) < 0.2)


def _line_spans(line: dict[str, Any], number: int) -> list[Span]:
    horizontal = _is_horizontal(line)
    largest = max(line["spans"], key=lambda raw: raw["size"])
    return [
        _span(raw, number, horizontal, is_raised=horizontal and _is_raised(raw, largest))
        for raw in line["spans"]
    ]


def _is_raised(raw: dict[str, Any], largest: dict[str, Any]) -> bool:
    """Set small above the line: the 6 of ten to the sixth, the mark of a note."""
    size = largest["size"]
    return bool(
        raw["size"] < RAISED_SIZE * size and largest["origin"][1] - raw["origin"][1] > 0.2 * size
    )


def _glued(spans: list[Span]) -> list[Span]:
    """Marks on the line ends that cut a Korean word, where the file tells them from the others.

    Korean has spaces and breaks lines anywhere; a file that writes the space at the end
    of a line where there is one writes none inside a word.
    """
    ends = [one for one, other in pairwise(spans) if other.line != one.line] + spans[-1:]
    korean = [span for span in ends if _HANGUL.search(span.text)]
    if not any(span.text[-1:].isspace() for span in korean):
        return spans
    cut = {id(span) for span in korean if not span.text[-1:].isspace()}
    return [replace(span, is_glued=True) if id(span) in cut else span for span in spans]


def _span(raw: dict[str, Any], line: int, horizontal: bool, *, is_raised: bool) -> Span:
    colour = raw["color"]
    x0, y0, x1, y1 = raw["bbox"]
    text = clean_text(raw["text"])
    return Span(
        text=raised(text) if is_raised else text,
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
