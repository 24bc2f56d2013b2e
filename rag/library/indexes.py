"""Which collections there are: the one that answers, one being built, those to be dropped.

Knows SQL, nothing of vectors or of the engine that holds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.library.database import raise_generation
from rag.library.documents import READABLE, READY, Run, to_run

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from rag.library.database import Database

# Values of `indexes.active`. At most one row is active and at most one is being built.
_BUILDING, _ACTIVE, _RETIRED = 0, 1, 2
_WORD_KINDS = "('text','table')"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """One collection: its name in the engine, and what its vectors were made with."""

    name: str
    identity: str
    embedder: str
    text_dim: int
    image_dim: int | None
    average_words: float | None  # None until the first document is indexed
    averaged_over: int = 0  # passages that this is the mean of
    keywords: int = 0  # version of terms and weights, 0 while they are being rewritten


class IndexTable:
    """Rows of collections, and which runs an unfinished one holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def active(self) -> IndexRow | None:
        """The collection that questions are answered from, None in a new library."""
        return next(iter(self._in_state(_ACTIVE)), None)

    def unfinished(self) -> IndexRow | None:
        """The collection that is being built, or was when Folio ended."""
        return next(iter(self._in_state(_BUILDING)), None)

    def retired(self) -> list[IndexRow]:
        """Collections that nobody needs any more and that were not dropped yet."""
        return self._in_state(_RETIRED)

    def begin(self, index: IndexRow) -> None:
        """Write down a collection that is about to be built."""
        with self._database.change() as connection:
            _insert(connection, index, _BUILDING)

    def switch(self, index: IndexRow) -> None:
        """Answer from this collection from now on; the one before is retired, at once."""
        with self._database.change() as connection:
            connection.execute("UPDATE indexes SET active=? WHERE active=?", (_RETIRED, _ACTIVE))
            connection.execute("DELETE FROM indexes WHERE name=?", (index.name,))
            connection.execute("DELETE FROM index_runs WHERE index_name=?", (index.name,))
            _insert(connection, index, _ACTIVE)
            raise_generation(connection)

    def retire(self, index: IndexRow) -> None:
        """Give up a collection; its row stays until the engine has dropped it."""
        with self._database.change() as connection:
            connection.execute("UPDATE indexes SET active=? WHERE name=?", (_RETIRED, index.name))
            connection.execute("DELETE FROM index_runs WHERE index_name=?", (index.name,))

    def forget(self, index: IndexRow) -> None:
        """Delete the row of a collection that is gone."""
        with self._database.change() as connection:
            connection.execute("DELETE FROM indexes WHERE name=?", (index.name,))

    def set_average_words(self, average_words: float, averaged_over: int) -> None:
        """Set the mean passage length that BM25 weights of the active index use."""
        with self._database.change() as connection:
            connection.execute(
                "UPDATE indexes SET average_words=?, averaged_over=? WHERE active=?",
                (average_words, averaged_over, _ACTIVE),
            )

    def begin_keywords(self, index: IndexRow, average_words: float, averaged_over: int) -> None:
        """Write down that all keyword weights of an index are about to be rewritten.

        A kill before `end_keywords` leaves version 0, so that it is begun again.
        """
        with self._database.change() as connection:
            connection.execute(
                "UPDATE indexes SET keywords=0, average_words=?, averaged_over=? WHERE name=?",
                (average_words, averaged_over, index.name),
            )

    def end_keywords(self, index: IndexRow, version: int) -> None:
        """Write down that all of them are of this version."""
        with self._database.change() as connection:
            connection.execute("UPDATE indexes SET keywords=? WHERE name=?", (version, index.name))

    def visible_runs(self) -> list[Run]:
        """Every run that is shown, in order of arrival."""
        rows = self._database.rows(
            "SELECT * FROM runs WHERE stage >= ? ORDER BY rowid", (READABLE,)
        )
        return [to_run(row) for row in rows]

    def word_sample(self, count: int) -> list[tuple[str, str]]:
        """Search text and language of a few visible passages; ids are hashes, so by chance."""
        rows = self._database.rows(
            "SELECT i.search_text, d.language FROM items i JOIN runs r ON r.id = i.run"
            " JOIN documents d ON d.id = i.document_id"
            f" WHERE r.stage >= ? AND i.kind IN {_WORD_KINDS} ORDER BY i.point_id LIMIT ?",
            (READABLE, count),
        )
        return [(row["search_text"], row["language"]) for row in rows]

    # -- what an unfinished collection holds ----------------------------------------------

    def missing(self, index: IndexRow) -> list[tuple[Run, int]]:
        """Visible runs that a collection lacks, wholly or their last stage; with what it has."""
        rows = self._database.rows(
            "SELECT r.*, COALESCE(c.stage, 0) AS copied FROM runs r"
            " LEFT JOIN index_runs c ON c.run = r.id AND c.index_name = ?"
            " WHERE r.stage >= ? AND r.stage > COALESCE(c.stage, 0) ORDER BY r.rowid",
            (index.name, READABLE),
        )
        return [(to_run(row), int(row["copied"])) for row in rows]

    def vanished(self, index: IndexRow) -> list[str]:
        """Ids of runs that a collection holds and the library no longer shows."""
        rows = self._database.rows(
            "SELECT c.run FROM index_runs c LEFT JOIN runs r ON r.id = c.run AND r.stage >= ?"
            " WHERE c.index_name = ? AND r.id IS NULL",
            (READABLE, index.name),
        )
        return [row["run"] for row in rows]

    def record(self, index: IndexRow, runs: Iterable[Run]) -> None:
        """Write down that a collection holds these runs, each as far as its stage says."""
        with self._database.change() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO index_runs VALUES (?,?,?)",
                [(index.name, str(run.id), run.stage) for run in runs],
            )

    def unrecord(self, index: IndexRow, runs: Iterable[str]) -> None:
        """Take runs off that list."""
        with self._database.change() as connection:
            connection.executemany(
                "DELETE FROM index_runs WHERE index_name=? AND run=?",
                [(index.name, run) for run in runs],
            )

    def shows(self, run: Run) -> bool:
        """Whether a run is still visible at least as far as it was."""
        return bool(
            self._database.rows(
                "SELECT 1 FROM runs WHERE id=? AND stage >= ?", (str(run.id), max(run.stage, 1))
            )
        )

    # -- sizes ------------------------------------------------------------------------------

    def point_count(self) -> int:
        """How many points a complete collection has: one a visible item."""
        return self._database.number(
            "SELECT COUNT(*) FROM items i JOIN runs r ON r.id = i.run"
            f" WHERE r.stage >= ? AND (i.kind IN {_WORD_KINDS} OR r.stage = ?)",
            (READABLE, READY),
        )

    def copied_count(self, index: IndexRow) -> int:
        """How many of them an unfinished collection has, by the list of its runs."""
        return self._database.number(
            "SELECT COUNT(*) FROM items i JOIN runs r ON r.id = i.run"
            " JOIN index_runs c ON c.run = i.run AND c.index_name = ?"
            f" WHERE r.stage >= ? AND (i.kind IN {_WORD_KINDS} OR c.stage = ?)",
            (index.name, READABLE, READY),
        )

    def embed_counts(self, workspace: str) -> tuple[int, int]:
        """Visible items whose text is embedded as a passage, and those with a picture."""
        row = self._database.row(
            f"SELECT SUM(i.kind IN {_WORD_KINDS}) AS texts, SUM(i.image_sha256 IS NOT NULL) AS"
            " pictures FROM items i JOIN runs r ON r.id = i.run WHERE r.workspace = ?"
            f" AND r.stage >= ? AND (i.kind IN {_WORD_KINDS} OR r.stage = ?)",
            (workspace, READABLE, READY),
        )
        return (int(row["texts"] or 0), int(row["pictures"] or 0)) if row else (0, 0)

    def _in_state(self, state: int) -> list[IndexRow]:
        rows = self._database.rows(
            "SELECT * FROM indexes WHERE active = ? ORDER BY rowid", (state,)
        )
        return [_to_index(row) for row in rows]


def _insert(connection: sqlite3.Connection, index: IndexRow, state: int) -> None:
    connection.execute(
        "INSERT INTO indexes VALUES (?,?,?,?,?,?,?,?,?)",
        (
            index.name,
            index.identity,
            index.embedder,
            index.text_dim,
            index.image_dim,
            index.average_words,
            state,
            index.keywords,
            index.averaged_over,
        ),
    )


def _to_index(row: sqlite3.Row) -> IndexRow:
    return IndexRow(
        name=row["name"],
        identity=row["identity"],
        embedder=row["embedder"],
        text_dim=row["text_dim"],
        image_dim=row["image_dim"],
        average_words=row["average_words"],
        averaged_over=row["averaged_over"],
        keywords=row["keywords"],
    )
