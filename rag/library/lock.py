"""One process a data folder. The lock file says who has it and where it can be reached."""

from __future__ import annotations

import fcntl
import json
import os
from typing import IO, TYPE_CHECKING

from rag.errors import LibraryInUseError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "lock"


class FolderLock:
    """Held from construction until `release`; ends with the process, however that ends."""

    def __init__(self, folder: Path, *, address: str | None = None) -> None:
        """Take the folder.

        Raises:
            LibraryInUseError: Another process has it; the message names its address.
            StoreError: The folder cannot be written to.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = (folder / FILE_NAME).open("a+", encoding="utf-8")
        except OSError as error:
            raise StoreError(
                f"The data folder {folder} cannot be used: {error.strerror}. Choose another one "
                "with --data-dir or FOLIO_DATA_DIR."
            ) from error
        try:
            # An advisory lock: a file left over from a killed process does no harm.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LibraryInUseError(self._who()) from error
        self.tell(address)

    def tell(self, address: str | None) -> None:
        """Write down where the holder can be reached."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"pid": os.getpid(), "address": address}))
        self._file.flush()

    def release(self) -> None:
        """Give the folder back; a second call does nothing."""
        self._file.close()

    def _who(self) -> str:
        self._file.seek(0)
        text = self._file.read()
        self._file.close()
        try:
            address = json.loads(text).get("address")
        except (ValueError, AttributeError):
            address = None
        if address:
            return (
                f"This library is open in the Folio app at {address}. Use it there, or stop the "
                "app first."
            )
        return (
            "This library is in use by another Folio command. Wait until it ends, or choose "
            "another folder with --data-dir."
        )
