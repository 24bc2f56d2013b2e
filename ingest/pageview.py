"""A PDF opened to be looked at: its pages as pictures, and their words with their places.

Runs in the child process, which a reader waits for: knows pymupdf, and imports nothing
of layout, which would take a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.crops import draw_pixels
from ingest.opening import lighten, open_pdf, read_head, turn_upright
from ingest.pagewords import PageWord, read_words

if TYPE_CHECKING:
    from pathlib import Path

    import pymupdf

    from rag.settings import IngestSettings
    from rag.types import BBox


class PageView:
    """An opened PDF whose pages are drawn and not parsed."""

    def __init__(
        self, path: Path, *, name: str, password: str | None, limits: IngestSettings
    ) -> None:
        self._document = open_pdf(path, name=name, password=password)
        self.head = read_head(self._document, name=name, limits=limits)
        lighten(self._document)

    def draw(self, page_number: int, *, long_side_px: int, box: BBox | None = None) -> bytes:
        """The page as displayed, or a part of it, as an RGB PNG."""
        page = self._page(page_number)
        return bytes(draw_pixels(page, box, max_side_px=long_side_px).tobytes("png"))

    def words(self, page_number: int) -> list[PageWord]:
        """The words of the page in content order, in points of the page as displayed."""
        return read_words(self._page(page_number))

    def _page(self, page_number: int) -> pymupdf.Page:
        """Turned as it is when parsed, so that boxes and picture agree on any page."""
        page: pymupdf.Page = self._document.load_page(page_number - 1)
        turn_upright(page)
        return page
