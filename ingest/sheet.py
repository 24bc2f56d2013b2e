"""One page while it is read: its words, which of them can be seen, what class it is.

Knows pymupdf's page object, nothing of layout or files.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ingest.bidi import is_leftward
from ingest.boxes import area
from ingest.characters import clean_text, fold_spaces, symbol_share, unreadable_share
from ingest.crops import draw_ink
from ingest.glyphs import LOST, lost_glyphs
from ingest.graphic_types import PlacedImage
from ingest.gridwords import Word
from ingest.pageblocks import plain_blocks
from ingest.parts import PageClass, ParsedPage, Part, Skipped
from ingest.spans import InkMap, Span, read_spans, split_hidden, text_flags
from rag.types import Region

if TYPE_CHECKING:
    import pymupdf

    from ingest.glyphs import Origin
    from ingest.layout import Grid
    from rag.types import BBox

MIN_TEXT_CHARACTERS = 20
MAX_LABEL_CHARACTERS = 20
MAX_MARGIN_NUMBERS = 40
_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")
SCAN_SHARE = 0.7  # of the page under one picture
GARBLED_SHARE = 0.1
# A font that maps letters to other ASCII characters; code and tables stay below.
SYMBOL_SHARE = 0.35
MIN_SYMBOL_TEXT = 40  # characters
MAX_LINE_PT = 2.5  # a thicker one is a bar
MARGIN_LINES = 4
MARGIN_SHARE = 0.1  # of the height, where a page number may be printed
MAX_DRAWINGS = 20_000  # clustering is quadratic at worst


class Sheet:
    """A page with its rotation removed; `seen` and `hidden` split its runs of text."""

    def __init__(self, number: int, page: pymupdf.Page) -> None:
        _forget_complaints()
        self.number = number
        self.page = page
        self.size = (float(page.rect.width), float(page.rect.height))
        self._warnings: list[str] = []
        self._drawn: list[Any] | None = None  # asked for late: slow on pages of many drawings
        self._spans = read_spans(page)
        self._lost: dict[Origin, str] = {}
        if any(LOST in span.text for span in self._spans):
            self._lost = lost_glyphs(page)
            self._spans = read_spans(page, self._lost)
        self.images = _images(page)
        covered = max((area(image.bbox) for image in self.images), default=0.0)
        self._is_scan = covered >= SCAN_SHARE * self.size[0] * self.size[1]
        self.seen, self.hidden = self._split(None)

    def warn(self, what: str) -> None:
        """Say on the finished page why its figures and tables are missing."""
        self._warnings.append(
            f"Page {self.number} {what}; its words were kept without figures and tables."
        )

    def reload(self, document: pymupdf.Document) -> None:
        """The layout step leaves the page object stale (pymupdf4llm 2.0 loads its own)."""
        self.page = document.load_page(self.number - 1)

    def look_at_ink(self) -> None:
        """Draw the page small and leave out words that leave no mark on it."""
        self.seen, self.hidden = self._split(draw_ink(self.page))

    def page_class(self) -> PageClass:
        text = " ".join(span.text for span in self.seen)
        characters = len(text.replace(" ", ""))
        if not characters or (characters < MIN_TEXT_CHARACTERS and self._is_scan):
            return "picture"
        return "garbled" if is_unreadable(text) else "text"

    def mended(self, grid: Grid) -> Grid:
        """Cells with the one character that the fonts of the page name for lost glyphs."""
        found = set(self._lost.values())
        if len(found) != 1:
            return grid
        (character,) = found
        return tuple(tuple(cell.replace(LOST, character) for cell in row) for row in grid)

    @property
    def is_leftward(self) -> bool:
        """Whether most words are of a script that is written from right to left."""
        return is_leftward("".join(span.text for span in self._spans))

    def plain_parts(self) -> list[Part]:
        return [
            Part(
                kind="text",
                text=fold_spaces(block.text()),
                regions=(Region(page_number=self.number, bbox=block.bbox),),
            )
            for block in plain_blocks(self.seen)
        ]

    def plain_page(self) -> ParsedPage:
        parts = self.plain_parts()
        if parts and self.page_class() == "garbled":
            return self.to_page("garbled", readable(parts), [])
        return self.to_page("text" if parts else "blank", parts, [])

    def to_page(
        self, page_class: PageClass, parts: Sequence[Part], skipped: Sequence[Skipped]
    ) -> ParsedPage:
        return ParsedPage(
            page_number=self.number,
            size=self.size,
            page_class=page_class,
            parts=tuple(parts),
            skipped=tuple(skipped),
            warnings=tuple(self._found_warnings(page_class)),
            label=self._label(),
            margin_numbers=self._margin_numbers(),
        )

    def drawings(self) -> list[BBox]:
        """Clusters of vector drawings and rectangles of images."""
        with contextlib.suppress(Exception):
            clusters = self.page.cluster_drawings(drawings=self._paths())
            return [*map(tuple, clusters), *(image.bbox for image in self.images)]
        return [image.bbox for image in self.images]

    def rulings(self) -> list[BBox]:
        """Rectangles around each line, frame and shaded area that is drawn."""
        return [tuple(path["rect"]) for path in self._paths()]

    def lines(self) -> list[BBox]:
        """Straight lines as thin boxes, the edges of rectangles among them."""
        return [line for path in self._paths() for item in path["items"] for line in _lines(item)]

    def words(self) -> list[Word]:
        """The words of the page one by one, hidden ones included."""
        with contextlib.suppress(Exception):
            return [
                Word((x0, y0, x1, y1), clean_text(text))
                for x0, y0, x1, y1, text, *_ in self.page.get_text("words", flags=text_flags())
            ]
        return []

    def _label(self) -> str:
        with contextlib.suppress(Exception):
            return fold_spaces(clean_text(self.page.get_label()))[:MAX_LABEL_CHARACTERS]
        return ""

    def _margin_numbers(self) -> tuple[int, ...]:
        # A small book reproduced on large paper has its margins inside the page, and the
        # printer's slug below them.
        heights = sorted({round(span.bbox[1]) for span in self.seen})
        edge = MARGIN_SHARE * self.size[1]
        top = max([edge, *heights[:MARGIN_LINES][-1:]])
        bottom = min([self.size[1] - edge, *heights[-MARGIN_LINES:][:1]])
        margins = [s for s in self.seen if s.bbox[1] <= top + 1 or s.bbox[3] >= bottom]
        found = (int(number) for span in margins for number in _NUMBER.findall(span.text))
        return tuple(dict.fromkeys(found))[:MAX_MARGIN_NUMBERS]

    def _paths(self) -> list[Any]:
        if self._drawn is None:
            self._drawn = []
            with contextlib.suppress(Exception):
                self._drawn = self.page.get_drawings()[:MAX_DRAWINGS]
        return self._drawn

    def _found_warnings(self, page_class: PageClass) -> Iterator[str]:
        yield from self._warnings
        hidden = sum(len(span.text.split()) for span in self.hidden)
        if hidden:
            yield (
                f"Page {self.number} holds {hidden} words that a reader cannot see; "
                "they were left out."
            )
        if page_class == "picture":
            yield f"Page {self.number} has no text layer; it was kept as a picture."
        elif page_class == "blank" and _complained():
            yield f"Page {self.number} is damaged; nothing on it could be read."
        elif page_class == "garbled":
            yield f"The text of page {self.number} is unreadable; it was kept as a picture."

    def _split(self, ink: InkMap | None) -> tuple[list[Span], list[Span]]:
        return split_hidden(self._spans, ink, is_scan=self._is_scan)


def _images(page: pymupdf.Page) -> list[PlacedImage]:
    """Where images stand, without decoding them."""
    with contextlib.suppress(Exception):  # a damaged image must not cost the page its text
        return [
            PlacedImage(
                bbox=tuple(info["bbox"]),
                width_px=info["width"],
                height_px=info["height"],
                stored_bytes=info["size"],
            )
            for info in page.get_image_info()[:MAX_DRAWINGS]
        ]
    return []


def is_unreadable(text: str) -> bool:
    """Whether the fonts of a text have no map to Unicode, or a wrong one."""
    if unreadable_share(text) > GARBLED_SHARE:
        return True
    return len(text) >= MIN_SYMBOL_TEXT and symbol_share(text) > SYMBOL_SHARE


def readable(parts: Sequence[Part]) -> list[Part]:
    """Those parts of a page in a broken font that can be read all the same."""
    return [part for part in parts if not is_unreadable(part.text)]


def _forget_complaints() -> None:
    import pymupdf

    pymupdf.TOOLS.reset_mupdf_warnings()


def _complained() -> bool:
    """Whether MuPDF met errors since the page was opened: an empty page and a lost one differ."""
    import pymupdf

    return "error" in pymupdf.TOOLS.mupdf_warnings()


def _lines(item: tuple[Any, ...]) -> list[BBox]:
    """A line, or the edges of a rectangle; a thin rectangle is a line."""
    if item[0] == "l":
        (x0, y0), (x1, y1) = item[1], item[2]
        box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        is_straight = min(box[2] - box[0], box[3] - box[1]) <= MAX_LINE_PT
        return [box] if is_straight else []
    if item[0] != "re":
        return []
    x0, y0, x1, y1 = tuple(item[1])
    if min(x1 - x0, y1 - y0) <= MAX_LINE_PT:
        return [(x0, y0, x1, y1)]
    return [(x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)]
