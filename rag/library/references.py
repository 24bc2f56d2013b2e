"""Which files are still needed: rows that say who refers to a stored file. Knows SQL, no files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


def release(connection: sqlite3.Connection, where: str, parameters: Sequence[str]) -> list[str]:
    """Give up references; returns SHA-256 of files that nobody refers to any more."""
    held = connection.execute(
        f"SELECT DISTINCT sha256 FROM file_refs WHERE {where}", parameters
    ).fetchall()
    connection.execute(f"DELETE FROM file_refs WHERE {where}", parameters)
    names = [row["sha256"] for row in held]
    kept = {
        row["sha256"]
        for row in connection.execute(
            "SELECT DISTINCT sha256 FROM file_refs WHERE sha256 IN"
            " (SELECT value FROM json_each(?))",
            (json.dumps(names),),
        )
    }
    orphans = [name for name in names if name not in kept]
    connection.execute(
        "DELETE FROM picture_hashes WHERE sha256 IN (SELECT value FROM json_each(?))",
        (json.dumps(orphans),),
    )
    return orphans
