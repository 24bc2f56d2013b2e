"""A PDF to pages of parts: text, tables and figures with their boxes.

Runs in the child process. Knows pymupdf; the decisions are in `arrange`, `captions` and
`figures`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.arrange import Piece, arrange
from ingest.boxsplit import split_pictures
from ingest.crops import MAX_SIDE_PX, Crop, crop_page
from ingest.figures import MAX_FIGURES_PER_PAGE, SeenImages, SeenPictures, without_picture
from ingest.graphic_types import PageContext
from ingest.layout import LayoutBox, read_layout
from ingest.margins import RunningMatter
from ingest.opening import lighten, open_pdf, read_head, turn_upright
from ingest.pageblocks import PageBlock, fill_boxes
from ingest.parts import DocumentHead, PageClass, ParsedPage, Part, Skipped
from ingest.reading_order import in_reading_order
from ingest.ruled import read_ruled
from ingest.sheet import MIN_TEXT_CHARACTERS, Sheet, readable
from ingest.tableboxes import mend_tables
from rag.types import Region

if TYPE_CHECKING:
    from pathlib import Path

    import pymupdf

    from rag.settings import IngestSettings
    from rag.types import BBox

logger = logging.getLogger(__name__)

PLAIN_PNG_BYTES = 3_000  # a drawn crop that packs so small shows a bar or a frame
MAX_LAYOUT_PT2 = 40e6  # the layout model draws the page at one pixel a point


def open_head(
    path: Path, *, name: str, limits: IngestSettings, password: str | None = None
) -> DocumentHead:
    """Pages and title of a PDF.

    Raises:
        DocumentError: Encrypted, damaged, empty or over a limit; the message says which.
    """
    with contextlib.closing(PdfReader(path, name=name, limits=limits, password=password)) as reader:
        return reader.head


def parse_pages(
    path: Path,
    first_page: int = 1,
    *,
    name: str,
    limits: IngestSettings,
    password: str | None = None,
) -> Iterator[ParsedPage]:
    """The pages from `first_page` on, in this process and without a time limit.

    For hostile files use `ingest.child.parse_in_child`.
    """
    with contextlib.closing(PdfReader(path, name=name, limits=limits, password=password)) as reader:
        for number in range(first_page, (reader.head.page_count or 0) + 1):
            yield list(reader.stages(number, plain=False))[-1]


class PdfReader:
    """An opened PDF, read a page at a time.

    Keeps what one page must know of those before: margins, pictures seen, the last
    page's text. Each page can be read on its own, so a new reader may go on anywhere.
    """

    def __init__(
        self, path: Path, *, name: str, limits: IngestSettings, password: str | None = None
    ) -> None:
        self._limits = limits
        self._document = open_pdf(path, name=name, password=password)
        self.head = read_head(self._document, name=name, limits=limits)
        self._margins = RunningMatter()
        self._seen = SeenPictures()
        self._images = SeenImages()
        self._texts_before: list[str] = []
        lighten(self._document)

    def close(self) -> None:
        """Release the file."""
        self._document.close()

    def stages(
        self, page_number: int, *, plain: bool, boxes: Sequence[LayoutBox] | None = None
    ) -> Iterator[ParsedPage]:
        """Drafts of a page, each with all the last one held; the last is the page.

        First the words alone, then with the layout, then with pictures: whoever stops
        the clock keeps the draft before. `plain` ends after the first. `boxes` are what
        another reader's `layout` found on this page; the page comes out the same.
        """
        sheet = self._sheet(page_number)
        yield sheet.plain_page()
        if plain:
            return
        page_class = sheet.page_class()
        if page_class != "text":  # white words count as hidden until the page is drawn
            sheet.look_at_ink()
            page_class = sheet.page_class()
        if page_class == "text":
            boxes = self._layout(sheet, boxes)
            filled, pieces, skipped = self._arranged(sheet, boxes)
            yield sheet.to_page("text", *_undrawn(pieces, skipped))
            if sheet.images:
                # A raster decoded small for the layout is drawn again from the cache, so a
                # crop would depend on whether this reader laid the page out.
                _shrink_cache(100)
            before = (sheet.seen, sheet.hidden)
            sheet.look_at_ink()
            if (sheet.seen, sheet.hidden) != before:
                filled, pieces, skipped = self._arranged(sheet, boxes)
            self._margins.remember(filled, sheet.size[1])
            parts, more = self._drawn(sheet, pieces)
            yield sheet.to_page("text", parts, [*skipped, *more])
            self._texts_before = [part.text for part in parts if part.kind == "text"]
        else:
            yield self._as_picture(sheet, page_class)
        self._forget()

    def layout(self, page_number: int) -> list[LayoutBox] | None:
        """The boxes of a page for another reader, or None when `stages` must see to them.

        Remembers nothing, so pages may be asked for in any order.
        """
        page = self._document.load_page(page_number - 1)
        turn_upright(page)
        is_large = page.rect.width * page.rect.height > MAX_LAYOUT_PT2
        if is_large or len(page.get_text("text").strip()) < MIN_TEXT_CHARACTERS:
            return None
        boxes = read_layout(self._document, page_number - 1)
        self._forget()
        return boxes

    def _sheet(self, page_number: int) -> Sheet:
        page = self._document.load_page(page_number - 1)
        turn_upright(page)  # from here on all boxes are those of the page as displayed
        return Sheet(page_number, page)

    def _arranged(
        self, sheet: Sheet, boxes: Sequence[LayoutBox]
    ) -> tuple[list[PageBlock], list[Piece], list[Skipped]]:
        filled = fill_boxes(boxes, sheet.seen)
        blocks = self._without_margins(sheet, filled)
        return filled, *arrange(blocks, self._context(sheet))

    def _layout(self, sheet: Sheet, found: Sequence[LayoutBox] | None) -> list[LayoutBox]:
        """The boxes of the page; none, with a warning, where the model cannot go."""
        if sheet.size[0] * sheet.size[1] > MAX_LAYOUT_PT2:
            sheet.warn("is too large for layout recognition")
            return []
        try:
            boxes = found if found is not None else read_layout(self._document, sheet.number - 1)
        except Exception:  # numpy, onnxruntime and MuPDF errors, each of its own class
            logger.exception("layout failed page_number=%s", sheet.number)
            sheet.warn("has a layout that cannot be recognised")
            boxes = []
        sheet.reload(self._document)
        boxes = read_ruled(boxes, sheet.seen, sheet.lines, leftward=sheet.is_leftward)
        boxes = mend_tables(boxes, sheet.seen, sheet.rulings, sheet.words)
        boxes = [replace(box, grid=sheet.mended(box.grid)) for box in boxes]
        return split_pictures(boxes, sheet.seen, sheet.drawings, sheet.size)

    def _context(self, sheet: Sheet) -> PageContext:
        return PageContext(
            page_number=sheet.number,
            size=sheet.size,
            drawings=sheet.drawings,
            rulings=sheet.rulings,
            images=sheet.images,
            repeated=self._images.repeated(sheet.images, sheet.number),
            texts_before=self._texts_before,
            distrusted=[span.bbox for span in sheet.hidden],
        )

    def _without_margins(self, sheet: Sheet, blocks: Sequence[PageBlock]) -> list[PageBlock]:
        return in_reading_order(
            self._margins.without(blocks, sheet.size[1]), leftward=sheet.is_leftward
        )

    def _drawn(self, sheet: Sheet, pieces: Sequence[Piece]) -> tuple[list[Part], list[Skipped]]:
        parts: list[Part] = []
        skipped: list[Skipped] = []
        drawn = 0
        for piece in pieces:
            if piece.crop is None:
                parts.append(piece.part)
                continue
            crop, reason = None, f"the limit of {MAX_FIGURES_PER_PAGE} pictures a page is reached"
            if drawn < MAX_FIGURES_PER_PAGE:
                crop = _try_crop(sheet.page, piece.crop)
                reason = self._reason_against(piece, crop, sheet.number)
            if crop is not None and not reason:
                drawn += 1
                parts.append(replace(piece.part, image_png=crop.png))
            else:
                parts.extend(without_picture(piece.part))
                skipped.append(Skipped(page_number=sheet.number, bbox=piece.crop, reason=reason))
        return parts, skipped

    def _reason_against(self, piece: Piece, crop: Crop | None, page_number: int) -> str:
        if crop is None:
            return "it cannot be drawn"
        if crop.is_blank:
            return "blank"
        if piece.is_captioned or piece.part.kind != "figure" or piece.crop is None:
            return ""
        if len(crop.png) < PLAIN_PNG_BYTES and not piece.part.text:
            return "a plain area or line"
        before = self._seen.page_of(crop, piece.crop, page_number)
        return f"the same picture as on page {before}" if before else ""

    def _as_picture(self, sheet: Sheet, page_class: PageClass) -> ParsedPage:
        """A page whose words cannot be used, as one picture; blank when nothing is on it."""
        self._texts_before = []
        crop = _try_crop(sheet.page, None)
        words = readable(sheet.plain_parts())
        if crop is None or (crop.is_blank and page_class == "picture"):
            return sheet.to_page("blank" if crop else page_class, words if not crop else [], [])
        box = (0.0, 0.0, *sheet.size)
        region = Region(page_number=sheet.number, bbox=box)
        text = " ".join(part.text for part in words)
        picture = Part(kind="page", text=text, regions=(region,), image_png=crop.png)
        return sheet.to_page(page_class, [picture, *words], [])

    def _forget(self) -> None:
        """Halve MuPDF's cache: memory must stay flat, and the next page needs the same fonts."""
        _shrink_cache(50)


def _shrink_cache(percent: int) -> None:
    import pymupdf

    pymupdf.TOOLS.store_shrink(percent)


def _undrawn(
    pieces: Sequence[Piece], skipped: Sequence[Skipped]
) -> tuple[list[Part], Sequence[Skipped]]:
    parts: list[Part] = []
    for piece in pieces:
        parts.extend([piece.part] if piece.crop is None else without_picture(piece.part))
    return parts, skipped


def _try_crop(page: pymupdf.Page, box: BBox | None) -> Crop | None:
    try:
        return crop_page(page, box, max_side_px=MAX_SIDE_PX)
    except Exception:  # MuPDF raises a class of its own for each kind of damage
        logger.exception("picture cannot be drawn box=%s", box)
        return None
