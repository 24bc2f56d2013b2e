"""Pages of a stored document to look at: picture and words, from a child that can be killed.

Knows no layout and keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.child import Session, Task
from ingest.process import ChildGoneError
from rag.errors import CorruptFileError
from rag.settings import IngestSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ingest.pagewords import PageWord
    from rag.types import BBox, MediaType

MAX_SIDE_PX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPage:
    """A page as displayed."""

    png: bytes  # RGB
    words: tuple[PageWord, ...]  # of the whole page, in points; none in a scan


def draw_page(
    path: Path,
    page_number: int,
    *,
    long_side_px: int,
    timeout_s: float,
    media_type: MediaType = "pdf",
    passwords: Sequence[str] = (),
    box: BBox | None = None,
) -> DrawnPage:
    """One page, or a part of it, with the words of the page.

    Args:
        path: A document with pages.
        page_number: Counts from 1.
        long_side_px: Pixels of the longer side, at most 4,096.
        timeout_s: Seconds of drawing; the start of the child comes on top.
        media_type: What it is.
        passwords: For an encrypted PDF, tried in order.
        box: The part to draw, in points; all of the page without it.

    Raises:
        CorruptFileError: The page does not exist or cannot be drawn in time.
        EncryptedFileError: The password is missing or wrong.
    """
    limits = IngestSettings().model_copy(update={"page_timeout_s": timeout_s})
    task = Task(
        path=path,
        media_type=media_type,
        name="The document",
        limits=limits,
        passwords=passwords,
        purpose="draw",
    )
    with Session(task) as session:
        try:
            png = session.draw(page_number, long_side_px=min(long_side_px, MAX_SIDE_PX), box=box)
        except ChildGoneError as error:
            message = f"Page {page_number} cannot be drawn. Its text can still be searched."
            raise CorruptFileError(message) from error
        return DrawnPage(png=png, words=tuple(session.words(page_number)))
