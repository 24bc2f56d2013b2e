"""Keys that people paste: for this run of Folio, or in a file that only its owner can read.

Knows places and keys, no models. A key goes in and comes out as a `SecretStr`; it is in no
log, no table of the library and no page.
"""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from rag.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "model-keys.json"
KeyHome = Literal["memory", "file", ""]


class KeyRing:
    """Keys by place. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._lock = threading.Lock()
        self._memory: dict[str, SecretStr] = {}
        self._file: dict[str, SecretStr] = self._read()

    def get(self, place: str) -> SecretStr | None:
        """The key of a place, None without one."""
        with self._lock:
            return self._memory.get(place) or self._file.get(place)

    def home(self, place: str) -> KeyHome:
        """Where its key is kept, "" when there is none."""
        with self._lock:
            if place in self._memory:
                return "memory"
            return "file" if place in self._file else ""

    def keep(self, place: str, key: str, *, in_file: bool) -> None:
        """Take a key in, in place of the one before.

        Raises:
            StoreError: The file cannot be written; nothing is changed.
        """
        with self._lock:
            file = {name: kept for name, kept in self._file.items() if name != place}
            if in_file:
                file[place] = SecretStr(key)
            self._write(file)
            self._memory.pop(place, None)
            if not in_file:
                self._memory[place] = SecretStr(key)

    def delete(self, place: str) -> None:
        """Forget the key of a place.

        Raises:
            StoreError: The file cannot be written.
        """
        with self._lock:
            self._memory.pop(place, None)
            self._write({name: kept for name, kept in self._file.items() if name != place})

    def _read(self) -> dict[str, SecretStr]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(place): SecretStr(str(key)) for place, key in kept.items()}
        except (OSError, ValueError, AttributeError):  # absent, or not ours: as if there were none
            return {}

    def _write(self, file: dict[str, SecretStr]) -> None:
        if file.keys() == self._file.keys() == set():
            return
        fresh = self._path.with_suffix(".new")
        try:
            if file:
                plain = {place: key.get_secret_value() for place, key in file.items()}
                fresh.unlink(missing_ok=True)
                # Nobody else may read it, not even for the moment before a chmod.
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
                with os.fdopen(os.open(fresh, flags, 0o600), "w", encoding="utf-8") as out:
                    json.dump(plain, out)
                fresh.replace(self._path)
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"The key cannot be kept in {FILE_NAME}: {error.strerror}. Keep it for this session"
                " only, or check who may write to the data folder."
            ) from error
        self._file = file
