"""What people decided once for this library: licences, the embedder, offers. Short texts by key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.library.database import Database

_PREFIX = "choice:"


class ChoiceTable:
    """Rows of `meta` under names of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> str:
        """What was decided, "" when nothing was."""
        row = self._database.row("SELECT value FROM meta WHERE key = ?", (_PREFIX + name,))
        return str(row[0]) if row else ""

    def set(self, name: str, value: str) -> None:
        """Keep a decision; "" takes it back."""
        with self._database.change() as connection:
            connection.execute("DELETE FROM meta WHERE key = ?", (_PREFIX + name,))
            if value:
                connection.execute("INSERT INTO meta VALUES (?, ?)", (_PREFIX + name, value))
