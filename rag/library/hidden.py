"""Figures that a reader has hidden from search. Knows SQL and ids, nothing of pictures.

Kept by the id of the item, which is the same after the file was read again and after its
index was built anew; so is what was hidden. Rows go with their document (`documents`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from rag.library.database import raise_generation

if TYPE_CHECKING:
    from rag.library.database import Database


class HiddenTable:
    """Which items never come up, whatever is asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hide(self, document_id: UUID, item: UUID) -> None:
        """Leave an item out of every search; one that is not there, or hidden, stays so."""
        with self._database.change() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO hidden_items SELECT item_id, document_id FROM items"
                " WHERE item_id = ? AND document_id = ? LIMIT 1",
                (str(item), str(document_id)),
            )
            raise_generation(connection)

    def show(self, item: UUID) -> None:
        """Let an item be found again."""
        with self._database.change() as connection:
            connection.execute("DELETE FROM hidden_items WHERE item_id = ?", (str(item),))
            raise_generation(connection)

    def of_document(self, document_id: UUID) -> set[UUID]:
        """Ids of the items of a document that are hidden."""
        rows = self._database.rows(
            "SELECT item_id FROM hidden_items WHERE document_id = ?", (str(document_id),)
        )
        return {UUID(row["item_id"]) for row in rows}

    def points(self) -> tuple[UUID, ...]:
        """Points of all that is hidden, for a leg to leave out; asked for with each question."""
        # CROSS: without it SQLite reads all items to look for each in the short list, 15 ms
        # of 50,000 items instead of nothing.
        rows = self._database.rows(
            "SELECT i.point_id FROM hidden_items h CROSS JOIN items i ON i.item_id = h.item_id"
        )
        return tuple(UUID(row["point_id"]) for row in rows)
