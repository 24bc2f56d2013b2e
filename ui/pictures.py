"""Page pictures, drawn on demand in a killable child and kept on disk, size-capped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from rag.store.disk import check_reserve

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from rag.files import FileStore
    from rag.settings import Settings
    from rag.types import Document

LONG_SIDE_PX = 1_600
MAX_CACHE_BYTES = 300_000_000


class PagePictures:
    """Cache of drawn pages under `cache/pages/<document>/<page>.png`."""

    def __init__(self, settings: Settings, files: FileStore) -> None:
        self._folder = settings.data_dir / "cache" / "pages"
        self._reserve_mb = settings.store.reserve_mb
        self._timeout_s = settings.ingest.page_timeout_s
        self._files = files
        self._passwords: dict[UUID, str] = {}  # those that opened a page, in memory only
        self._lock = threading.Lock()

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
        path = self._folder / str(document.id) / f"{page_number}.png"
        if path.exists():
            path.touch()
            return path.read_bytes()
        # One child at a time: drawing is short, and two visitors often want the same page.
        with self._lock:
            if path.exists():
                return path.read_bytes()
            from ingest.pages import render_page

            known = self._passwords.get(document.id) if password is None else password
            png = render_page(
                self._files.original_path(document.sha256),
                page_number,
                long_side_px=LONG_SIDE_PX,
                timeout_s=self._timeout_s,
                media_type=document.media_type,
                passwords=() if known is None else (known,),
            )
            if password is not None:
                self._passwords[document.id] = password
            self._keep(path, png)
        return png

    def forget(self, document_id: UUID) -> None:
        """Drop the pictures of a deleted document."""
        self._passwords.pop(document_id, None)
        folder = self._folder / str(document_id)
        for path in folder.glob("*.png"):
            path.unlink(missing_ok=True)
        if folder.exists():
            folder.rmdir()

    def _keep(self, path: Path, png: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        check_reserve(self._folder, self._reserve_mb, len(png))
        part = path.with_suffix(".part")
        part.write_bytes(png)
        part.replace(path)
        self._trim()

    def _trim(self) -> None:
        kept = sorted(self._folder.glob("*/*.png"), key=lambda p: p.stat().st_mtime)
        size = sum(path.stat().st_size for path in kept)
        for path in kept:
            if size <= MAX_CACHE_BYTES:
                return
            size -= path.stat().st_size
            path.unlink(missing_ok=True)
