"""Reading a document again: a second run beside the one that is shown. Knows SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from rag.library.database import raise_generation
from rag.library.documents import HIDDEN, READY, Run

if TYPE_CHECKING:
    from rag.library.database import Database


class RereadTable:
    """Second runs. Nothing of one is visible until it takes the place of the first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, document_id: UUID, workspace: str) -> Run:
        """A run beside the current one, which stays visible."""
        run = Run(id=uuid4(), document_id=document_id, workspace=workspace, stage=HIDDEN)
        with self._database.change() as connection:
            connection.execute(
                "INSERT INTO runs VALUES (?,?,?,?)",
                (str(run.id), workspace, str(document_id), HIDDEN),
            )
            raise_generation(connection)
        return run

    def switch(self, run: Run) -> None:
        """Make a second run the current one, all of it visible, and hide the one before."""
        with self._database.change() as connection:
            connection.execute(
                "UPDATE runs SET stage=? WHERE id=(SELECT run FROM documents WHERE id=?)",
                (HIDDEN, str(run.document_id)),
            )
            connection.execute("UPDATE runs SET stage=? WHERE id=?", (READY, str(run.id)))
            connection.execute(
                "UPDATE documents SET run=?, state='ready' WHERE id=?",
                (str(run.id), str(run.document_id)),
            )
            raise_generation(connection)

    def is_second(self, run: Run) -> bool:
        """Whether its document shows, or will show, another run."""
        row = self._database.row("SELECT run FROM documents WHERE id=?", (str(run.document_id),))
        return row is None or row["run"] != str(run.id)
