"""Pages of a stored document as pictures, drawn in a child that can be killed. Knows no layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.child import Session, Task
from ingest.process import ChildGoneError
from rag.errors import CorruptFileError
from rag.settings import IngestSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rag.types import MediaType

MAX_SIDE_PX = 4_096


def render_page(
    path: Path,
    page_number: int,
    *,
    long_side_px: int,
    timeout_s: float,
    media_type: MediaType = "pdf",
    passwords: Sequence[str] = (),
) -> bytes:
    """One page as displayed, as an RGB PNG.

    Args:
        path: A document with pages.
        page_number: Counts from 1.
        long_side_px: Pixels of the longer side, at most 4,096.
        timeout_s: Seconds of drawing; the start of the child comes on top.
        media_type: What it is.
        passwords: For an encrypted PDF, tried in order.

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
            return session.draw(page_number, long_side_px=min(long_side_px, MAX_SIDE_PX))
        except ChildGoneError as error:
            message = f"Page {page_number} cannot be drawn. Its text can still be searched."
            raise CorruptFileError(message) from error
