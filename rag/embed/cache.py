"""Vectors that were made before, by lane and content, so that no model makes them twice.

A file of its own beside the library: it can be thrown away at any time, and a damaged
one is. Knows SQLite and keys; nothing of models or documents.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from rag.errors import DiskReserveError
from rag.store.disk import check_reserve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rag.embed.lanes import Array

logger = logging.getLogger(__name__)

Form = Literal["document", "image", "captioned"]
T = TypeVar("T")
KEY_BYTES = 20
MAX_KEYS = 500  # of one SELECT
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS lanes (
        id INTEGER PRIMARY KEY, identity TEXT NOT NULL, form TEXT NOT NULL,
        UNIQUE (identity, form)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS vectors (
        content BLOB NOT NULL, lane INTEGER NOT NULL, vector BLOB NOT NULL,
        PRIMARY KEY (content, lane)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS files (  -- what goes when a picture file goes
        file TEXT NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (file, content)
    ) STRICT, WITHOUT ROWID;
"""


def content_key(*parts: bytes) -> bytes:
    """20 bytes that stand for a content; its parts cannot run into each other."""
    digest = hashlib.blake2b(digest_size=KEY_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


def text_key(text: str) -> bytes:
    """The key of a text."""
    return content_key(text.encode("utf-8", "surrogatepass"))


class VectorCache:
    """Vectors by (identity of a lane, form, content). Safe to share between threads.

    It never fails its caller: what cannot be read is made anew, what cannot be written
    is not kept.
    """

    def __init__(self, path: Path, reserve_mb: int = 0) -> None:
        self._path = path
        self._reserve_mb = reserve_mb
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    def get(self, identity: str, form: Form, keys: Sequence[bytes], dim: int) -> dict[bytes, Array]:
        """Vectors that are known, by key: float32 (dim,), unit length."""
        rows = self._safely(lambda c: _select(c, identity, form, keys)) or []
        return {key: vector for key, blob in rows if (vector := _to_vector(blob, dim)) is not None}

    def put(
        self,
        identity: str,
        form: Form,
        vectors: Iterable[tuple[bytes, Array]],
        files: Iterable[tuple[str, bytes]] = (),
    ) -> None:
        """Keep vectors by key, and which stored picture files they were made from."""
        rows = [(key, vector.astype(np.float32).tobytes()) for key, vector in vectors]
        try:
            check_reserve(self._path.parent, self._reserve_mb)
        except DiskReserveError:
            return
        self._safely(lambda c: _insert(c, identity, form, rows, list(files)))

    def forget(self, texts: Iterable[str], files: Iterable[str] = ()) -> None:
        """Drop what any lane made of these texts and stored picture files."""
        self._change(
            texts,
            files,
            "DELETE FROM vectors WHERE content IN wanted",
            "DELETE FROM files WHERE content IN wanted",
        )

    def keep_only(self, texts: Iterable[str], files: Iterable[str] = ()) -> None:
        """Drop all but what was made of these texts and stored picture files."""
        self._change(
            texts,
            files,
            "DELETE FROM vectors WHERE content NOT IN wanted",
            "DELETE FROM files WHERE content NOT IN wanted",
        )

    def close(self) -> None:
        """Close the file; afterwards nothing is found and nothing is kept."""
        with self._lock:
            self._is_closed = True
            self._disconnect()

    def _change(self, texts: Iterable[str], files: Iterable[str], *statements: str) -> None:
        if self._connection is None and not self._path.exists():
            return
        keys, names = [(text_key(text),) for text in texts], [(file,) for file in files]

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("CREATE TEMP TABLE wanted (content BLOB PRIMARY KEY)")
            connection.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", keys)
            connection.executemany(
                "INSERT OR IGNORE INTO wanted SELECT content FROM files WHERE file = ?", names
            )
            for statement in statements:
                connection.execute(statement)
            connection.execute("DROP TABLE wanted")

        self._safely(change)

    def _safely(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Run one transaction; None when it failed. A damaged file is thrown away."""
        with self._lock:
            try:
                return None if self._is_closed else self._run(action)
            except sqlite3.OperationalError as error:  # full, read-only
                logger.warning("vector cache not used: %s", error)
            except sqlite3.DatabaseError as error:
                logger.warning("vector cache damaged, begun anew: %s", error)
                self._throw_away()
            return None

    def _run(self, action: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = _connect(self._path)
        with self._connection:  # commits, or rolls back after an exception
            self._connection.execute("BEGIN")
            return action(self._connection)

    def _throw_away(self) -> None:
        self._disconnect()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        # A power cut may cost the last vectors, which are then made again.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _select(
    connection: sqlite3.Connection, identity: str, form: Form, keys: Sequence[bytes]
) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for start in range(0, len(keys), MAX_KEYS):
        some = keys[start : start + MAX_KEYS]
        marks = ",".join("?" * len(some))
        found += connection.execute(
            "SELECT v.content, v.vector FROM vectors v JOIN lanes l ON l.id = v.lane"  # noqa: S608
            f" WHERE l.identity = ? AND l.form = ? AND v.content IN ({marks})",
            (identity, form, *some),
        ).fetchall()
    return found


def _insert(
    connection: sqlite3.Connection,
    identity: str,
    form: Form,
    rows: Sequence[tuple[bytes, bytes]],
    files: Sequence[tuple[str, bytes]],
) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO lanes (identity, form) VALUES (?,?)", (identity, form)
    )
    connection.executemany(
        "INSERT OR REPLACE INTO vectors SELECT ?, id, ? FROM lanes WHERE identity=? AND form=?",
        [(*row, identity, form) for row in rows],
    )
    connection.executemany("INSERT OR IGNORE INTO files VALUES (?,?)", files)


def _to_vector(blob: bytes, dim: int) -> Array | None:
    """A stored vector; None when it cannot be one of this lane, so that it is made again."""
    if len(blob) != 4 * dim:
        return None
    vector = np.frombuffer(blob, dtype=np.float32)
    # One flipped bit would be refused by the index for ever.
    return vector if abs(float(np.linalg.norm(vector)) - 1) < 1e-3 else None
