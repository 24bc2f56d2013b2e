"""Drawn pages on disk, a folder a document, size-capped. Knows files, not what draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.store.disk import check_reserve

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID


class PictureCache:
    """PNG files `<folder>/<document>/<page>.png`; those not looked at for longest go first."""

    def __init__(self, folder: Path, *, reserve_mb: int, max_bytes: int) -> None:
        self._folder = folder
        self._reserve_mb = reserve_mb
        self._max_bytes = max_bytes

    def read(self, document_id: UUID, page_number: int) -> bytes | None:
        """A picture that is kept, None when it is not."""
        path = self._path(document_id, page_number)
        if not path.exists():
            return None
        path.touch()
        return path.read_bytes()

    def has(self, document_id: UUID, page_number: int) -> bool:
        """Whether it is kept."""
        return self._path(document_id, page_number).exists()

    def keep(self, document_id: UUID, page_number: int, png: bytes) -> None:
        """Keep a picture, whole or not at all.

        Raises:
            DiskReserveError: Too little disk is left.
        """
        path = self._path(document_id, page_number)
        path.parent.mkdir(parents=True, exist_ok=True)
        check_reserve(self._folder, self._reserve_mb, len(png))
        part = path.with_suffix(".part")
        part.write_bytes(png)
        part.replace(path)
        self._trim()

    def forget(self, document_id: UUID) -> None:
        """Drop the pictures of a document."""
        folder = self._folder / str(document_id)
        for path in folder.glob("*.*"):
            path.unlink(missing_ok=True)
        if folder.exists():
            folder.rmdir()

    def _path(self, document_id: UUID, page_number: int) -> Path:
        return self._folder / str(document_id) / f"{page_number}.png"

    def _trim(self) -> None:
        kept = sorted(self._folder.glob("*/*.png"), key=lambda p: p.stat().st_mtime)
        size = sum(path.stat().st_size for path in kept)
        for path in kept:
            if size <= self._max_bytes:
                return
            size -= path.stat().st_size
            path.unlink(missing_ok=True)
