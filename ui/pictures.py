"""Page pictures and the words on them, drawn on demand in a killable child, kept on disk."""

from __future__ import annotations

import json
import logging
import os
import threading
from typing import TYPE_CHECKING

from rag.store.disk import check_reserve

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from ingest.pages import DrawnPage
    from ingest.pagewords import PageWord
    from rag.files import FileStore
    from rag.settings import Settings
    from rag.types import BBox, Document

logger = logging.getLogger(__name__)

LONG_SIDE_PX = 1_600
MAX_CACHE_BYTES = 300_000_000
MAX_CHILDREN = 2  # at a time, of all visitors; each may take 1 GB


class PagePictures:
    """Cache of drawn pages under `cache/pages/<document>/<page>.png`, words in `.json` beside."""

    def __init__(self, settings: Settings, files: FileStore) -> None:
        self._folder = settings.data_dir / "cache" / "pages"
        self._reserve_mb = settings.store.reserve_mb
        self._timeout_s = settings.ingest.page_timeout_s
        self._files = files
        self._passwords: dict[UUID, str] = {}  # those that opened a page, in memory only
        self._children = threading.BoundedSemaphore(MAX_CHILDREN)
        self._guard = threading.Lock()
        # One drawing a document at a time: two visitors often want the same page.
        self._locks: dict[UUID, threading.Lock] = {}

    def page(self, document: Document, page_number: int, password: str | None = None) -> bytes:
        """PNG of a page, at most 1,600 px on the long side.

        Args:
            document: One with pages.
            page_number: Counts from 1.
            password: For an encrypted PDF; when it is right, kept for its other pages until
                the document is deleted or the program ends.

        Raises:
            EncryptedFileError: The password is needed, or wrong.
            DocumentError: The page cannot be drawn in time.
        """
        path = self._path(document, page_number)
        known = _read(path)
        if known is not None:
            return known
        lock = self._lock_of(document)
        with lock:
            known = _read(path)
            if known is not None:
                return known
            drawn = self._drawn(document, page_number, password)
            if password is not None:
                self._passwords[document.id] = password
            self._keep(document, lock, path, drawn)
        return drawn.png

    def words(self, document: Document, page_number: int) -> tuple[PageWord, ...]:
        """The words of a page with their places; none of a scan.

        Raises:
            EncryptedFileError: The password is needed.
            DocumentError: The page cannot be drawn in time.
        """
        path = self._path(document, page_number).with_suffix(".json")
        if not path.exists():
            path.with_suffix(".png").unlink(missing_ok=True)  # from before words were kept
            self.page(document, page_number)
        return _read_words(path)

    def part(self, document: Document, page_number: int, box: BBox) -> bytes:
        """PNG of a part of a page, sharper than cut from its picture; not kept.

        Raises:
            EncryptedFileError: The password is needed.
            DocumentError: The page cannot be drawn in time.
        """
        return self._drawn(document, page_number, None, box).png

    def password_of(self, document_id: UUID) -> str | None:
        """The one that opened a page of it since the program began."""
        return self._passwords.get(document_id)

    def forget(self, document_id: UUID) -> None:
        """Drop what was drawn of a deleted document, also what is being drawn."""
        self._passwords.pop(document_id, None)
        with self._guard:  # whoever draws now finds that its lock is no longer the one
            self._locks.pop(document_id, None)
            folder = self._folder / str(document_id)
            for path in folder.glob("*.*"):
                path.unlink(missing_ok=True)
            if folder.exists():
                folder.rmdir()

    def _path(self, document: Document, page_number: int) -> Path:
        return self._folder / str(document.id) / f"{page_number}.png"

    def _lock_of(self, document: Document) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(document.id, threading.Lock())

    def _drawn(
        self,
        document: Document,
        page_number: int,
        password: str | None,
        box: BBox | None = None,
    ) -> DrawnPage:
        from ingest.pages import draw_page

        known = self._passwords.get(document.id) if password is None else password
        with self._children:
            return draw_page(
                self._files.original_path(document.sha256),
                page_number,
                long_side_px=LONG_SIDE_PX,
                timeout_s=self._timeout_s,
                media_type=document.media_type,
                passwords=() if known is None else (known,),
                box=box,
            )

    def _keep(self, document: Document, lock: threading.Lock, path: Path, drawn: DrawnPage) -> None:
        words = json.dumps([(word.text, *word.bbox) for word in drawn.words]).encode()
        self._folder.mkdir(parents=True, exist_ok=True)
        check_reserve(self._folder, self._reserve_mb, len(drawn.png) + len(words))
        with self._guard:
            if self._locks.get(document.id) is not lock:
                return  # deleted meanwhile
            path.parent.mkdir(parents=True, exist_ok=True)
            for target, data in ((path.with_suffix(".json"), words), (path, drawn.png)):
                part = target.with_suffix(".part")
                part.write_bytes(data)
                part.replace(target)
            self._trim()

    def _trim(self) -> None:
        kept = sorted(self._folder.glob("*/*.png"), key=lambda p: p.stat().st_mtime)
        size = sum(path.stat().st_size for path in kept)
        for path in kept:
            if size <= MAX_CACHE_BYTES:
                return
            size -= path.stat().st_size
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    """A kept picture, marked as used; None when there is none, or no longer."""
    try:
        os.utime(path)
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _read_words(path: Path) -> tuple[PageWord, ...]:
    from ingest.wire import WireError, words_from_wire

    try:
        return tuple(words_from_wire(json.loads(path.read_bytes())))
    except (OSError, ValueError, WireError):  # deleted meanwhile, or damaged: nothing is marked
        logger.warning("words of a page cannot be read file=%s", path.name)
        return ()
