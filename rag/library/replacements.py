"""Documents that came under a name which was taken: which, and what is wished. Knows SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from rag.library.database import raise_generation
from rag.library.documents import HIDDEN, shown_name

if TYPE_CHECKING:
    import sqlite3

    from rag.library.database import Database

_COUNTED = re.compile(r" \(\d+\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A newer document beside the one whose name it came under."""

    document_id: UUID
    old_id: UUID
    name: str
    is_wanted: bool  # it takes the place of the old one as soon as it is ready


class ReplacementTable:
    """Rows of `replacements`. The old document goes in the transaction that renames the new."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def named(self, workspace: str, name: str) -> UUID | None:
        """The newest document that is shown under this name, None without one."""
        row = self._database.row(
            "SELECT id FROM documents WHERE workspace = ? AND name = ? AND state != 'deleting'"
            " ORDER BY seq DESC LIMIT 1",
            (workspace, shown_name(name)),
        )
        return UUID(row["id"]) if row else None

    def free_name(self, workspace: str, name: str) -> str:
        """The name, with the first free number: "report.pdf", "report (2).pdf"."""
        name = shown_name(name)
        stem, dot, suffix = name.rpartition(".")
        if not stem:
            stem, dot, suffix = name, "", ""
        stem = _COUNTED.sub("", stem) if self.named(workspace, name) else stem
        number, free = 1, name
        while self.named(workspace, free) is not None:
            number += 1
            free = shown_name(f"{stem} ({number}){dot}{suffix}")
        return free

    def ask(self, document_id: UUID, old_id: UUID, name: str) -> None:
        """Note that a document came under the name of another; nobody has said which stays."""
        with self._database.change() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO replacements VALUES (?,?,?,0)",
                (str(document_id), str(old_id), shown_name(name)),
            )

    def want(self, document_id: UUID) -> None:
        """The newer one is to take the place of the older."""
        with self._database.change() as connection:
            connection.execute(
                "UPDATE replacements SET wanted = 1 WHERE document_id = ?", (str(document_id),)
            )

    def drop(self, document_id: UUID) -> None:
        """Both stay."""
        with self._database.change() as connection:
            connection.execute(
                "DELETE FROM replacements WHERE document_id = ?", (str(document_id),)
            )

    def get(self, document_id: UUID) -> Replacement | None:
        """What is known of a newer document, None when it came under a name of its own."""
        row = self._database.row(
            "SELECT * FROM replacements WHERE document_id = ?", (str(document_id),)
        )
        return _to_replacement(row) if row else None

    def all(self) -> list[Replacement]:
        """Those that are open, oldest first."""
        rows = self._database.rows("SELECT * FROM replacements ORDER BY rowid")
        return [_to_replacement(row) for row in rows]

    def take_place(self, document_id: UUID) -> UUID | None:
        """Hide the old document and give its name to the new one, in one transaction.

        Returns:
            The old one, whose delete has begun; None when there was none left.
        """
        with self._database.change() as connection:
            row = connection.execute(
                "SELECT * FROM replacements WHERE document_id = ?", (str(document_id),)
            ).fetchone()
            if row is None:
                return None
            old_id = row["old_id"]
            connection.execute("UPDATE documents SET state='deleting' WHERE id=?", (old_id,))
            connection.execute("UPDATE runs SET stage=? WHERE document_id=?", (HIDDEN, old_id))
            connection.execute(
                "UPDATE documents SET name=? WHERE id=?", (row["name"], str(document_id))
            )
            connection.execute(
                "DELETE FROM replacements WHERE document_id = ?", (str(document_id),)
            )
            raise_generation(connection)
        return UUID(old_id)


def _to_replacement(row: sqlite3.Row) -> Replacement:
    return Replacement(
        document_id=UUID(row["document_id"]),
        old_id=UUID(row["old_id"]),
        name=row["name"],
        is_wanted=bool(row["wanted"]),
    )
