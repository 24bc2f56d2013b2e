"""The disk reserve. A full disk is a SIGBUS inside the engine that Python cannot catch."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from rag.errors import DiskReserveError

if TYPE_CHECKING:
    from pathlib import Path

MB = 1_000_000


def check_reserve(folder: Path, reserve_mb: int, wanted_bytes: int = 0) -> None:
    """Refuse a write that would leave less than the reserve free.

    Raises:
        DiskReserveError: Says how much is free and how much must be freed.
    """
    free = shutil.disk_usage(folder).free
    missing = reserve_mb * MB + wanted_bytes - free
    if missing > 0:
        raise DiskReserveError(
            f"The disk is nearly full: {free // MB} MB are free and Folio keeps {reserve_mb} MB "
            f"in reserve. Free at least {missing // MB + 1} MB ({missing} bytes) and try again; "
            "reading and searching still work."
        )
