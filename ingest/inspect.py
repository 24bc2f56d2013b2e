"""What the parser sees in a file, page by page, with the pages drawn. Stores nothing.

Knows the two children (one parses, one draws), nothing of libraries or output folders.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.child import Session, Task, parse_in_child
from ingest.detect import SNIFFED_BYTES, detect_media_type
from ingest.parts import DocumentHead, ParsedPage
from ingest.process import ChildGoneError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rag.settings import IngestSettings

logger = logging.getLogger(__name__)

LONG_SIDE_PX = 1_600


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedPage:
    """A page as parsed, and as displayed: an RGB PNG, or None where it cannot be drawn."""

    page: ParsedPage
    picture_png: bytes | None = None


def inspect_file(
    path: Path,
    *,
    limits: IngestSettings,
    passwords: Sequence[str] = (),
    draws_pages: bool = False,
) -> Iterator[DocumentHead | InspectedPage]:
    """The head of a document, then its pages in order, each as soon as it is there.

    Args:
        path: The file; the pictures beside it belong to it.
        limits: As for reading it into a library.
        passwords: For an encrypted PDF, tried in order.
        draws_pages: Draw each page; formats without pages have none to draw.

    Raises:
        DocumentError: The file cannot be read at all; nothing was yielded, or all that
            could be read before.
    """
    with path.open("rb") as stream:
        media_type = detect_media_type(stream.read(SNIFFED_BYTES), path.name)
    events = parse_in_child(
        path,
        media_type,
        name=path.name,
        limits=limits,
        passwords=passwords,
        asset_dir=path.absolute().parent,
    )
    task = Task(
        path=path,
        media_type=media_type,
        name=path.name,
        limits=limits,
        passwords=passwords,
        purpose="draw",
    )
    with contextlib.closing(events), contextlib.ExitStack() as stack:
        session: Session | None = None
        for event in events:
            if isinstance(event, ParsedPage):
                yield InspectedPage(page=event, picture_png=_drawn(session, event))
                continue
            yield event
            if draws_pages and event.page_count is not None:
                session = stack.enter_context(Session(task))


def _drawn(session: Session | None, page: ParsedPage) -> bytes | None:
    if session is None or page.page_number is None:
        return None
    try:
        return session.draw(page.page_number, long_side_px=LONG_SIDE_PX)
    except ChildGoneError as error:
        logger.warning("page not drawn page_number=%s reason=%s", page.page_number, error)
        session.close()  # the next page gets a fresh child
        return None
