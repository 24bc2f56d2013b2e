"""Documents, their runs and stages. Knows SQL, nothing of vectors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

from rag.errors import NotFoundError
from rag.library.chats import forget_document
from rag.library.database import marks, raise_generation
from rag.library.references import release
from rag.types import Document, Failure

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from rag.library.database import Database
    from rag.types import DocumentState, MediaType

# Fixed for ever: ids of documents and items are derived from it.
NAMESPACE = UUID("6d1c9b0e-8a53-5f0e-9a77-3d0f2b64c1aa")
HIDDEN, READABLE, READY = 0, 1, 2
MAX_NAME_CHARACTERS = 120

_COUNTS = """
    SELECT d.*, r.stage,
        (SELECT COUNT(*) FROM items i WHERE i.run = d.run AND i.kind = 'text') AS texts,
        -- A long table is many items of one place.
        (SELECT COUNT(DISTINCT i.regions || COALESCE(i.anchor, '')) FROM items i
            WHERE i.run = d.run AND i.kind = 'table') AS tables,
        (SELECT COUNT(*) FROM items i
            WHERE i.run = d.run AND i.kind IN ('figure','page')) AS figures,
        (SELECT COUNT(*) FROM notes n WHERE n.run = d.run AND n.kind = 'skipped') AS left_out,
        (SELECT json_group_array(text) FROM (SELECT text FROM notes n
            WHERE n.run = d.run AND n.kind = 'warning' ORDER BY n.seq)) AS warnings
    FROM documents d LEFT JOIN runs r ON r.id = d.run
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One pass over a document; its points are never touched by another run."""

    id: UUID
    document_id: UUID
    workspace: str
    stage: int


def document_id(workspace: str, sha256: str) -> UUID:
    """UUIDv5 of workspace and content: the same file is the same document, under any name."""
    return uuid5(NAMESPACE, f"{workspace}\n{sha256}")


def shown_name(name: str) -> str:
    """A file name fit to be shown: the last part, printable, at most 120 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(c for c in last if c.isprintable()).strip() or "document"
    if len(clean) <= MAX_NAME_CHARACTERS:
        return clean
    half = (MAX_NAME_CHARACTERS - 1) // 2
    return f"{clean[:half]}…{clean[-half:]}"


class DocumentTable:
    """Rows of documents and runs. A run becomes visible by `publish`, in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        workspace: str,
        name: str,
        sha256: str,
        media_type: MediaType,
        size_bytes: int,
        asset_dir: Path | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Document:
        """A new document, queued, with a reference to its original."""
        new_id = document_id(workspace, sha256)
        with self._database.change() as connection:
            connection.execute(
                "INSERT INTO documents (id, workspace, name, sha256, media_type, size_bytes,"
                " added_at, state, asset_dir) VALUES (?,?,?,?,?,?,?,'queued',?)",
                (
                    str(new_id),
                    workspace,
                    shown_name(name),
                    sha256,
                    media_type,
                    size_bytes,
                    now().isoformat(timespec="seconds"),
                    str(asset_dir) if asset_dir else None,
                ),
            )
            connection.execute(
                "INSERT OR IGNORE INTO file_refs VALUES (?,?,'')", (sha256, str(new_id))
            )
        return self.get(new_id)

    def all(self, workspace: str) -> list[Document]:
        """Every document of a workspace, newest first."""
        rows = self._database.rows(
            f"{_COUNTS} WHERE d.workspace = ? AND d.state != 'deleting' ORDER BY d.seq DESC",
            (workspace,),
        )
        return [_to_document(row) for row in rows]

    def states(self, workspace: str) -> dict[UUID, tuple[str, DocumentState]]:
        """Name and state of every document, newest first: all that a page asks for each second."""
        rows = self._database.rows(
            "SELECT id, name, state FROM documents"
            " WHERE workspace = ? AND state != 'deleting' ORDER BY seq DESC",
            (workspace,),
        )
        return {UUID(row["id"]): (row["name"], row["state"]) for row in rows}

    def get(self, id_: UUID) -> Document:
        """One document.

        Raises:
            NotFoundError: There is none with this id.
        """
        row = self._database.row(f"{_COUNTS} WHERE d.id = ?", (str(id_),))
        if row is None:
            raise NotFoundError("That document is no longer in the library.")
        return _to_document(row)

    def find(self, workspace: str, sha256: str) -> Document | None:
        """The document with this content, None without one."""
        row = self._database.row(
            f"{_COUNTS} WHERE d.workspace = ? AND d.sha256 = ?", (workspace, sha256)
        )
        return _to_document(row) if row else None

    def matching(self, workspace: str, name_or_id: str) -> list[Document]:
        """Documents whose id, or else name, is this."""
        rows = self._database.rows(
            f"{_COUNTS} WHERE d.workspace = ? AND d.state != 'deleting'"
            " AND (d.id = ? OR d.name = ?) ORDER BY d.seq",
            (workspace, name_or_id, name_or_id),
        )
        return [_to_document(row) for row in rows]

    def asset_dir(self, id_: UUID) -> Path | None:
        """Folder with the pictures beside a web page, when it is known."""
        row = self._database.row("SELECT asset_dir FROM documents WHERE id = ?", (str(id_),))
        return Path(row["asset_dir"]) if row and row["asset_dir"] else None

    def set_state(self, id_: UUID, state: DocumentState, failure: Failure | None = None) -> None:
        """Move a document to a state, with the reason when it failed."""
        with self._database.change() as connection:
            connection.execute(
                "UPDATE documents SET state=?, error_kind=?, error_message=? WHERE id=?",
                (
                    state,
                    failure.kind if failure else None,
                    failure.message if failure else None,
                    str(id_),
                ),
            )

    def set_head(self, id_: UUID, *, page_count: int | None, title: str) -> None:
        """What is known before the first page."""
        with self._database.change() as connection:
            connection.execute(
                "UPDATE documents SET page_count=?, title=? WHERE id=?",
                (page_count, title, str(id_)),
            )

    def set_language(self, id_: UUID, language: str) -> None:
        """ISO 639-1 code of a document's main language, "" when it is not known."""
        with self._database.change() as connection:
            connection.execute("UPDATE documents SET language=? WHERE id=?", (language, str(id_)))

    def language_of(self, id_: UUID) -> str:
        """The language of one document; "" when it is not known, or the document is gone."""
        row = self._database.row("SELECT language FROM documents WHERE id=?", (str(id_),))
        return str(row["language"]) if row else ""

    def languages(self) -> tuple[str, ...]:
        """Languages that documents are in, in order; those that are not known left out."""
        rows = self._database.rows(
            "SELECT DISTINCT language FROM documents WHERE language != '' ORDER BY language"
        )
        return tuple(row["language"] for row in rows)

    def start_run(self, id_: UUID) -> Run:
        """A new run of a document, nothing of it visible."""
        run = Run(id=uuid4(), document_id=id_, workspace=self.get(id_).workspace, stage=HIDDEN)
        with self._database.change() as connection:
            connection.execute(
                "INSERT INTO runs VALUES (?,?,?,?)",
                (str(run.id), run.workspace, str(id_), HIDDEN),
            )
            connection.execute(
                "UPDATE documents SET state='working', run=?, error_kind=NULL,"
                " error_message=NULL WHERE id=?",
                (str(run.id), str(id_)),
            )
            raise_generation(connection)
        return run

    def publish(self, run: Run, stage: int) -> None:
        """Make a whole stage of a run visible, at once."""
        state = "ready" if stage == READY else "readable"
        with self._database.change() as connection:
            connection.execute("UPDATE runs SET stage=? WHERE id=?", (stage, str(run.id)))
            connection.execute(
                "UPDATE documents SET state=? WHERE id=?", (state, str(run.document_id))
            )
            raise_generation(connection)

    def unfinished(self) -> list[Run]:
        """Runs that never became ready: what a crash left behind."""
        rows = self._database.rows(
            "SELECT r.* FROM runs r WHERE r.stage < ? ORDER BY r.rowid", (READY,)
        )
        return [to_run(row) for row in rows]

    def run_of(self, id_: UUID) -> Run | None:
        """The current run of a document."""
        row = self._database.row(
            "SELECT r.* FROM runs r JOIN documents d ON d.run = r.id WHERE d.id = ?", (str(id_),)
        )
        return to_run(row) if row else None

    def hidden_runs(self, workspace: str) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
        """Runs to leave out of word legs, and of picture legs. Few at any time."""
        rows = self._database.rows(
            "SELECT id, stage FROM runs WHERE workspace = ? AND stage < ?", (workspace, READY)
        )
        words = tuple(UUID(row["id"]) for row in rows if row["stage"] < READABLE)
        return words, tuple(UUID(row["id"]) for row in rows)

    def drop_run(self, run: Run) -> list[str]:
        """Delete the rows of a run; the document stays.

        Returns:
            SHA-256 of files that no document refers to any more.
        """
        with self._database.change() as connection:
            orphans = release(
                connection, "run = ? AND document_id = ?", (str(run.id), str(run.document_id))
            )
            _delete_run_rows(connection, [str(run.id)])
            connection.execute(
                "UPDATE documents SET run=NULL WHERE id=? AND run=?",
                (str(run.document_id), str(run.id)),
            )
            raise_generation(connection)
        return orphans

    def requeue(self, id_: UUID) -> None:
        """Queue a failed document again; its original has been put back."""
        with self._database.change() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO file_refs SELECT sha256, id, '' FROM documents WHERE id=?",
                (str(id_),),
            )
            connection.execute(
                "UPDATE documents SET state='queued', error_kind=NULL, error_message=NULL"
                " WHERE id=?",
                (str(id_),),
            )

    def release_original(self, id_: UUID) -> list[str]:
        """Give up the uploaded file of a document; returns files nobody refers to any more."""
        with self._database.change() as connection:
            return release(connection, "document_id = ? AND run = ''", (str(id_),))

    def deleting(self) -> list[UUID]:
        """Documents whose delete was begun and not finished."""
        rows = self._database.rows("SELECT id FROM documents WHERE state = 'deleting'")
        return [UUID(row["id"]) for row in rows]

    def hide(self, id_: UUID) -> None:
        """Make a document invisible at once: the first step of a delete."""
        self.get(id_)
        with self._database.change() as connection:
            connection.execute("UPDATE documents SET state='deleting' WHERE id=?", (str(id_),))
            connection.execute("UPDATE runs SET stage=? WHERE document_id=?", (HIDDEN, str(id_)))
            raise_generation(connection)

    def delete(self, id_: UUID) -> list[str]:
        """Delete a document and all its rows; answers keep its name and pages.

        Returns:
            SHA-256 of files that no document refers to any more.
        """
        with self._database.change() as connection:
            forget_document(connection, id_)
            orphans = release(connection, "document_id = ?", (str(id_),))
            runs = connection.execute(
                "SELECT id FROM runs WHERE document_id=?", (str(id_),)
            ).fetchall()
            _delete_run_rows(connection, [row["id"] for row in runs])
            connection.execute("DELETE FROM hidden_items WHERE document_id=?", (str(id_),))
            connection.execute(
                "DELETE FROM replacements WHERE document_id=?1 OR old_id=?1", (str(id_),)
            )
            connection.execute("DELETE FROM documents WHERE id=?", (str(id_),))
            raise_generation(connection)
        return orphans

    def rows_left(self, id_: UUID) -> int:
        """Rows that still name a document; 0 after a complete delete."""
        tables = {"documents": "id", "runs": "document_id", "items": "document_id"}
        tables |= {"file_refs": "document_id", "turn_documents": "document_id"}
        tables |= {"hidden_items": "document_id"}
        tables |= {"replacements": "document_id"}
        return sum(
            self._database.number(f"SELECT COUNT(*) FROM {t} WHERE {column}=?", (str(id_),))
            for t, column in tables.items()
        )


def to_run(row: sqlite3.Row) -> Run:
    """A row of `runs`."""
    return Run(
        id=UUID(row["id"]),
        document_id=UUID(row["document_id"]),
        workspace=row["workspace"],
        stage=row["stage"],
    )


def _to_document(row: sqlite3.Row) -> Document:
    stage = row["stage"] or 0
    shown = row["figures"] if stage == READY else 0
    words = stage >= READABLE
    failure = row["error_kind"] and Failure(
        kind=row["error_kind"], message=row["error_message"] or ""
    )
    return Document(
        id=UUID(row["id"]),
        workspace=row["workspace"],
        name=row["name"],
        sha256=row["sha256"],
        state=row["state"],
        page_count=row["page_count"],
        text_count=row["texts"] if words else 0,
        table_count=row["tables"] if words else 0,
        figure_count=shown,
        figures_pending=row["figures"] - shown,
        size_bytes=row["size_bytes"],
        added_at=row["added_at"],
        media_type=row["media_type"],
        title=row["title"],
        language=row["language"],
        left_out_count=row["left_out"] if words else 0,
        warnings=tuple(json.loads(row["warnings"])),
        error=failure or None,
    )


def _delete_run_rows(connection: sqlite3.Connection, runs: Sequence[str]) -> None:
    listed = marks(len(runs))
    for table in ("items", "pages", "blocks", "notes"):
        connection.execute(f"DELETE FROM {table} WHERE run IN ({listed})", runs)
    connection.execute(f"DELETE FROM runs WHERE id IN ({listed})", runs)
