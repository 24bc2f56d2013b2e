"""The SQLite file: connection, transactions, schema, migrations. Knows no meaning of rows."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.errors import StoreError
from rag.store.disk import check_reserve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# One entry a version; a released entry never changes, a new one is added below it.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    INSERT INTO meta VALUES ('generation', '0');

    CREATE TABLE documents (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of arrival; clocks can be set back
        id TEXT NOT NULL UNIQUE,
        workspace TEXT NOT NULL,
        name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        media_type TEXT NOT NULL,
        title TEXT NOT NULL DEFAULT '',
        page_count INTEGER,
        size_bytes INTEGER NOT NULL,
        added_at TEXT NOT NULL,
        state TEXT NOT NULL,
        run TEXT,
        asset_dir TEXT,  -- where pictures beside a web page lie, for a re-read
        error_kind TEXT,
        error_message TEXT,
        UNIQUE (workspace, sha256)
    ) STRICT;

    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        workspace TEXT NOT NULL,
        document_id TEXT NOT NULL,
        stage INTEGER NOT NULL  -- 0 nothing visible, 1 words, 2 words and pictures
    ) STRICT;
    CREATE INDEX runs_by_stage ON runs (workspace, stage);
    CREATE INDEX runs_by_document ON runs (document_id);

    CREATE TABLE items (
        point_id TEXT PRIMARY KEY,
        item_id TEXT NOT NULL,
        document_id TEXT NOT NULL,
        run TEXT NOT NULL,
        kind TEXT NOT NULL,
        ord INTEGER NOT NULL,
        text TEXT NOT NULL,
        search_text TEXT NOT NULL,
        caption TEXT NOT NULL,
        number TEXT NOT NULL,
        heading TEXT NOT NULL,  -- JSON list
        regions TEXT NOT NULL,  -- JSON list of [page, x0, y0, x1, y1]
        anchor TEXT,
        image_sha256 TEXT
    ) STRICT;
    CREATE INDEX items_by_run ON items (run, kind, ord);
    CREATE INDEX items_by_document ON items (document_id);
    CREATE INDEX items_by_item ON items (item_id);

    CREATE TABLE pages (
        run TEXT NOT NULL,
        page_number INTEGER NOT NULL,
        width REAL NOT NULL,
        height REAL NOT NULL,
        page_class TEXT NOT NULL,
        PRIMARY KEY (run, page_number)
    ) STRICT;

    CREATE TABLE blocks (  -- the reader view of page-less documents
        run TEXT NOT NULL,
        seq INTEGER NOT NULL,
        anchor TEXT NOT NULL,
        kind TEXT NOT NULL,
        level INTEGER NOT NULL,
        text TEXT NOT NULL,
        caption TEXT NOT NULL,
        image_sha256 TEXT,
        PRIMARY KEY (run, seq)
    ) STRICT;

    CREATE TABLE notes (  -- what was left out or went wrong, in words
        run TEXT NOT NULL,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,  -- warning, skipped
        page_number INTEGER,
        bbox TEXT,
        text TEXT NOT NULL,
        PRIMARY KEY (run, seq)
    ) STRICT;

    CREATE TABLE file_refs (
        sha256 TEXT NOT NULL,
        document_id TEXT NOT NULL,
        run TEXT NOT NULL,  -- '' for the original
        PRIMARY KEY (sha256, document_id, run)
    ) STRICT;
    CREATE INDEX file_refs_by_document ON file_refs (document_id);

    CREATE TABLE indexes (
        name TEXT PRIMARY KEY,
        identity TEXT NOT NULL,
        embedder TEXT NOT NULL,
        text_dim INTEGER NOT NULL,
        image_dim INTEGER,
        average_words REAL,
        active INTEGER NOT NULL
    ) STRICT;
    """,
    """
    ALTER TABLE documents ADD COLUMN language TEXT NOT NULL DEFAULT '';  -- ISO 639-1, '' unknown

    CREATE TABLE index_runs (  -- which runs an index that is being built holds already
        index_name TEXT NOT NULL,
        run TEXT NOT NULL,
        stage INTEGER NOT NULL,  -- as in `runs`, when it was copied
        PRIMARY KEY (index_name, run)
    ) STRICT;
    """,
    """
    ALTER TABLE items ADD COLUMN links TEXT NOT NULL DEFAULT '[]';  -- JSON list of item ids
    """,
    """
    ALTER TABLE pages ADD COLUMN label TEXT NOT NULL DEFAULT '';  -- printed number, '' unknown
    """,
    """
    CREATE TABLE picture_hashes (  -- what stored pictures look like
        sha256 TEXT PRIMARY KEY,
        method INTEGER NOT NULL,  -- of hashing; those of an older one are made anew
        hashes BLOB NOT NULL  -- empty when nothing can be seen in the picture
    ) STRICT;
    CREATE INDEX items_by_picture ON items (image_sha256);
    """,
    """
    -- What keyword weights were made with, and how many passages their mean length is of.
    ALTER TABLE indexes ADD COLUMN keywords INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE indexes ADD COLUMN averaged_over INTEGER NOT NULL DEFAULT 200;
    """,
    """
    CREATE TABLE spending (  -- what language models used, a row a day and model
        day TEXT NOT NULL,
        model TEXT NOT NULL,
        calls INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        answer_tokens INTEGER NOT NULL,
        dollars REAL NOT NULL,  -- of the calls whose price is known
        unpriced INTEGER NOT NULL,  -- calls whose price is not known
        PRIMARY KEY (day, model)
    ) STRICT;
    """,
    """
    CREATE TABLE chats (
        id TEXT PRIMARY KEY,
        workspace TEXT NOT NULL,
        name TEXT NOT NULL,
        started_at TEXT NOT NULL,
        changed INTEGER NOT NULL  -- rises with each question; clocks can be set back
    ) STRICT;
    CREATE INDEX chats_by_change ON chats (workspace, changed);

    CREATE TABLE turns (
        chat_id TEXT NOT NULL,
        number INTEGER NOT NULL,  -- 0-based
        state TEXT NOT NULL,  -- writing, done
        question TEXT NOT NULL,
        text TEXT NOT NULL DEFAULT '',
        body TEXT NOT NULL DEFAULT '',  -- JSON; `rag.record` reads it
        rating INTEGER NOT NULL DEFAULT 0,  -- 1 up, -1 down
        remark TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (chat_id, number)
    ) STRICT;

    CREATE TABLE turn_documents (  -- whose words or pictures a turn holds
        chat_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        document_id TEXT NOT NULL,
        PRIMARY KEY (document_id, chat_id, number)
    ) STRICT;
    CREATE INDEX file_refs_by_run ON file_refs (run);
    """,
    """
    CREATE TABLE hidden_items (  -- what a reader does not want to be found
        item_id TEXT PRIMARY KEY,  -- of the item, not of a run: it outlasts a new reading
        document_id TEXT NOT NULL
    ) STRICT;
    CREATE INDEX hidden_items_by_document ON hidden_items (document_id);
    """,
    """
    ALTER TABLE chats ADD COLUMN visitor TEXT NOT NULL DEFAULT '';  -- who began it, '' unknown
    """,
    """
    CREATE TABLE replacements (  -- documents that came under the name of another
        document_id TEXT PRIMARY KEY,
        old_id TEXT NOT NULL,
        name TEXT NOT NULL,  -- that both came under
        wanted INTEGER NOT NULL  -- 0 nobody has said yet, 1 it is to take the other's place
    ) STRICT;
    """,
)
VERSION = len(MIGRATIONS)


class Database:
    """One connection, shared by threads behind a lock. Every change is a transaction."""

    def __init__(self, path: Path, *, reserve_mb: int = 0) -> None:
        """Open or create the file and bring it to the current version.

        Raises:
            StoreError: The file is damaged, read-only, or of a newer Folio.
        """
        self._path = path
        self._reserve_mb = reserve_mb
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode=WAL")
            # FULL: a document that was called ready stays ready after a power cut.
            self._connection.execute("PRAGMA synchronous=FULL")
            self._migrate()
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"The library file {path.name} cannot be opened: {error}. Restore it from a "
                "backup, or move it away to start with an empty library."
            ) from error

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it, or nothing.

        Raises:
            DiskReserveError: Too little disk is left to write safely.
        """
        with self._lock:
            check_reserve(self._path.parent, self._reserve_mb)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Row | None:
        """The first row of a query, None without one."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def number(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """The first value of a query as an integer, 0 without one."""
        found = self.row(sql, parameters)
        return int(found[0] or 0) if found else 0

    def generation(self) -> int:
        """Rises with every change of what is visible; caches are keyed by it."""
        return self.number("SELECT value FROM meta WHERE key = 'generation'")

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._connection.close()

    def _migrate(self) -> None:
        found = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if found > VERSION:
            raise StoreError(
                f"This library was written by a newer Folio (version {found}, this one knows "
                f"{VERSION}). Update Folio, or choose another data folder."
            )
        if 0 < found < VERSION:
            shutil.copy2(self._path, self._path.with_suffix(f".v{found}.bak"))
        for version in range(found, VERSION):
            script = f"BEGIN;{MIGRATIONS[version]};PRAGMA user_version={version + 1};COMMIT;"
            self._connection.executescript(script)


def raise_generation(connection: sqlite3.Connection) -> None:
    """To be called inside each transaction that changes what is visible."""
    connection.execute("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key='generation'")


def marks(count: int) -> str:
    """Question marks for an IN list."""
    return ",".join("?" * count)
