"""Originals and pictures on disk, named by their SHA-256. Knows no document and no reference."""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import NotFoundError, StoreError
from rag.store.disk import check_reserve

if TYPE_CHECKING:
    from collections.abc import Iterable

ORIGINAL, PICTURE = "", ".png"


class FileStore:
    """Content-addressed files: the same bytes are kept once, whoever brings them."""

    def __init__(self, folder: Path, *, reserve_mb: int = 0) -> None:
        self._folder = folder
        self._reserve_mb = reserve_mb
        folder.mkdir(parents=True, exist_ok=True)

    def put_original(self, data: bytes) -> str:
        """Keep an uploaded file; returns its SHA-256."""
        return self._put(data, ORIGINAL)

    def put_picture(self, png: bytes) -> str:
        """Keep a PNG that we encoded ourselves; returns its SHA-256."""
        return self._put(png, PICTURE)

    def original_path(self, digest: str) -> Path:
        """Where an original lies.

        Raises:
            NotFoundError: It is gone.
        """
        return self._existing(digest, ORIGINAL)

    def picture_path(self, digest: str) -> Path:
        """Where a picture lies.

        Raises:
            NotFoundError: It is gone.
        """
        return self._existing(digest, PICTURE)

    def delete(self, digests: Iterable[str]) -> None:
        """Remove files that nothing refers to any more; missing ones are no error."""
        for digest in digests:
            for suffix in (ORIGINAL, PICTURE):
                self._path(digest, suffix).unlink(missing_ok=True)

    def exists(self, digest: str) -> bool:
        """Whether an original or a picture of this name is there."""
        return any(self._path(digest, suffix).exists() for suffix in (ORIGINAL, PICTURE))

    def _put(self, data: bytes, suffix: str) -> str:
        digest = sha256(data).hexdigest()
        path = self._path(digest, suffix)
        if path.exists():
            return digest
        check_reserve(self._folder, self._reserve_mb, len(data))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Written aside and renamed: a name is never there with half its bytes.
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
                part.write(data)
                part.flush()
                os.fsync(part.fileno())
            Path(part.name).replace(path)
        except OSError as error:
            raise StoreError(
                f"The data folder cannot be written to: {error.strerror or error}. "
                "Check its disk and its owner."
            ) from error
        return digest

    def _existing(self, digest: str, suffix: str) -> Path:
        path = self._path(digest, suffix)
        if not path.exists():
            raise NotFoundError("That file is no longer in the library.")
        return path

    def _path(self, digest: str, suffix: str) -> Path:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise NotFoundError("That file is no longer in the library.")
        return self._folder / digest[:2] / f"{digest}{suffix}"
