"""Pages in small, drawn in the background in one killable child a document, kept on disk.

Knows pages and pixels, nothing of what is marked on them. Nobody waits for a drawing: a
sheet says what is there, and what is missing is drawn meanwhile.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.errors import EncryptedFileError, RagError
from ui.picture_cache import PictureCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from ingest.child import Session
    from rag.files import FileStore
    from rag.settings import Settings
    from rag.types import Document

logger = logging.getLogger(__name__)

WIDTH_PX = 400  # three times the width in five columns; a letter in a box is still read
MAX_LONG_SIDE_PX = 1_600
MAX_CACHE_BYTES = 100_000_000
MAX_WAIT_S = 10.0  # a page; the page as a whole can be opened without it
MAX_FAILED = 5  # in one document, then the others are not tried
CLOSE_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What there is of the pages that were asked for."""

    pictures: Mapping[int, bytes]  # PNG by page
    is_waiting: bool = False  # more are being drawn
    needs_password: bool = False


@dataclass(slots=True)
class _Wanted:
    """What is to be drawn of one document, and what went wrong with it."""

    document: Document
    pages: dict[int, tuple[float, float]] = field(default_factory=dict)  # size by number
    failed: set[int] = field(default_factory=set)
    is_locked: bool = False
    is_broken: bool = False


class Thumbnails:
    """Small pages of all documents. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        files: FileStore,
        password_of: Callable[[UUID], str | None] = lambda _: None,
    ) -> None:
        self._cache = PictureCache(
            settings.data_dir / "cache" / "thumbs",
            reserve_mb=settings.store.reserve_mb,
            max_bytes=MAX_CACHE_BYTES,
        )
        self._timeout_s = min(MAX_WAIT_S, settings.ingest.page_timeout_s)
        self._files = files
        self._password_of = password_of
        self._lock = threading.Lock()
        self._wanted: dict[UUID, _Wanted] = {}
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def sheet(self, document: Document, pages: Mapping[int, tuple[float, float]]) -> Sheet:
        """The small pages that are there; the others are begun.

        Args:
            document: One with pages.
            pages: Width and height in points of those wanted, by number. Those asked for
                before and not drawn yet are given up.
        """
        there = {number: self._cache.read(document.id, number) for number in pages}
        pictures = {number: png for number, png in there.items() if png is not None}
        with self._lock:
            wanted = self._wanted.setdefault(document.id, _Wanted(document))
            if wanted.is_locked and self._password_of(document.id) is not None:
                wanted.is_locked = False
            can_draw = not (wanted.is_locked or wanted.is_broken or self._closing.is_set())
            missing = {n: size for n, size in pages.items() if n not in pictures}
            wanted.pages = {
                n: size for n, size in missing.items() if can_draw and n not in wanted.failed
            }
            is_waiting = bool(wanted.pages)
            if is_waiting:
                self._start()
            needs_password = wanted.is_locked and bool(missing)
        return Sheet(pictures=pictures, is_waiting=is_waiting, needs_password=needs_password)

    def forget(self, document_id: UUID) -> None:
        """Drop all of a deleted document; what is being drawn of it is not kept."""
        with self._lock:
            self._wanted.pop(document_id, None)
            self._cache.forget(document_id)

    def close(self) -> None:
        """Stop drawing."""
        self._closing.set()
        thread = self._thread
        if thread is not None:
            thread.join(CLOSE_WAIT_S)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._draw_all, name="thumbnails", daemon=True)
            self._thread.start()

    def _draw_all(self) -> None:
        while (wanted := self._next()) is not None:
            try:
                self._draw_document(wanted)
            except EncryptedFileError:
                wanted.is_locked = True
            except Exception as error:
                # The rim of a thread: a page without its picture is no reason to stop.
                if not isinstance(error, RagError):
                    logger.exception("no thumbnails document_id=%s", wanted.document.id)
                wanted.is_broken = True
            with self._lock:
                if wanted.is_locked or wanted.is_broken:
                    wanted.pages = {}

    def _next(self) -> _Wanted | None:
        """The document that was asked for last; without one this thread ends."""
        with self._lock:
            waiting = [wanted for wanted in self._wanted.values() if wanted.pages]
            if not waiting or self._closing.is_set():
                self._thread = None
                return None
            return waiting[-1]

    def _draw_document(self, wanted: _Wanted) -> None:
        from ingest.child import Session, Task
        from rag.settings import IngestSettings

        document = wanted.document
        password = self._password_of(document.id)
        limits = IngestSettings().model_copy(update={"page_timeout_s": self._timeout_s})
        task = Task(
            path=self._files.original_path(document.sha256),
            media_type=document.media_type,
            name=document.name,
            limits=limits,
            passwords=() if password is None else (password,),
            purpose="draw",
        )
        with Session(task) as session:
            while not self._closing.is_set():
                with self._lock:
                    page = next(iter(wanted.pages.items()), None)
                if page is None:
                    return
                self._draw_page(session, wanted, *page)

    def _draw_page(
        self, session: Session, wanted: _Wanted, number: int, size: tuple[float, float]
    ) -> None:
        from ingest.process import ChildGoneError

        try:
            png = session.draw(number, long_side_px=long_side(size))
        except ChildGoneError as error:
            logger.warning("no thumbnail document_id=%s: %s", wanted.document.id, error)
            session.close()  # it may still be at it; the next page gets a new child
            with self._lock:
                wanted.failed.add(number)
                wanted.pages.pop(number, None)
                if len(wanted.failed) >= MAX_FAILED:
                    wanted.is_broken = True
                    wanted.pages = {}
            return
        with self._lock:
            if self._wanted.get(wanted.document.id) is wanted:  # not deleted meanwhile
                self._cache.keep(wanted.document.id, number, png)
            wanted.pages.pop(number, None)


def long_side(size: tuple[float, float]) -> int:
    """Pixels of the longer side, so that a page is as wide as the others and not too high."""
    width, height = (max(1.0, side) for side in size)
    return min(MAX_LONG_SIDE_PX, round(WIDTH_PX * max(1.0, height / width)))
