"""Conversations and their turns: what was asked, answered and thought of it. Knows SQL.

Turns refer to the pictures they show, so that a new reading of a document does not take them
away. When a document is deleted, its words and pictures go from every turn. The picture of a
question goes with its chat alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from rag.library.references import release
from rag.record import read_turn, write_turn
from rag.turn import documents_in, pictures_in, without_document, without_history

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from rag.library.database import Database
    from rag.record import PicturePath
    from rag.turn import Turn

MAX_NAME = 80  # characters
_WRITING, _DONE = "writing", "done"
NO_DOCUMENT = ""  # whose the picture of a question is


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A conversation, named after its first question."""

    id: UUID
    name: str
    turn_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a turn is kept."""

    chat_id: UUID
    number: int  # 0-based


class ChatTable:
    """Rows of `chats` and `turns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self,
        workspace: str,
        chat_id: UUID | None,
        asked: Turn,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        visitor: str = "",
    ) -> Place:
        """A new turn, being written; the first one of a new chat when there is none yet.

        A chat that was deleted meanwhile, in another window, begins anew. The picture of the
        question is held from here on, before its file is there: a file that nothing holds
        would stay for ever, a held one that never came is only missed.

        Args:
            workspace: whose documents are asked.
            chat_id: the chat to go on with, None for a new one.
            asked: the question; a new chat is named after it.
            now: the time.
            visitor: who begins a new chat; it is listed for them alone. "" lists it for all.
        """
        with self._database.change() as connection:
            known = (
                chat_id is not None
                and connection.execute(
                    "SELECT 1 FROM chats WHERE id = ?", (str(chat_id),)
                ).fetchone()
            )
            if chat_id is None or not known:
                chat_id = uuid4()
                name = " ".join(asked.title.split())[:MAX_NAME]
                started = now().isoformat(timespec="seconds")
                connection.execute(
                    "INSERT INTO chats VALUES (?,?,?,?,0,?)",
                    (str(chat_id), workspace, name, started, visitor),
                )
            connection.execute(
                "UPDATE chats SET changed = 1 + (SELECT MAX(changed) FROM chats) WHERE id = ?",
                (str(chat_id),),
            )
            number = connection.execute(
                "SELECT COALESCE(MAX(number) + 1, 0) FROM turns WHERE chat_id = ?", (str(chat_id),)
            ).fetchone()[0]
            connection.execute(
                "INSERT INTO turns (chat_id, number, state, question, body) VALUES (?,?,?,?,?)",
                (str(chat_id), number, _WRITING, asked.question, write_turn(asked)),
            )
            if asked.picture is not None:
                connection.execute(
                    "INSERT OR IGNORE INTO file_refs VALUES (?,?,?)",
                    (asked.picture.sha256, NO_DOCUMENT, _holder(chat_id)),
                )
        return Place(chat_id=chat_id, number=number)

    def save_text(self, place: Place, text: str) -> None:
        """What is written so far; quick, for while it is written."""
        with self._database.change() as connection:
            connection.execute(
                "UPDATE turns SET text = ? WHERE chat_id = ? AND number = ?",
                (text, str(place.chat_id), place.number),
            )

    def save(self, place: Place, turn: Turn, *, is_done: bool) -> None:
        """All of a turn, with its sources. Of a chat that was deleted meanwhile nothing is kept."""
        with self._database.change() as connection:
            if not _exists(connection, place):
                return
            for document_id in _deleted(connection, documents_in(turn)):
                turn = without_document(turn, document_id)
            _write(connection, place, turn)
            connection.execute(
                "UPDATE turns SET state = ? WHERE chat_id = ? AND number = ?",
                (_DONE if is_done else _WRITING, str(place.chat_id), place.number),
            )
            _refer(connection, place, turn)

    def turns(
        self,
        chat_id: UUID,
        picture_path: PicturePath,
        *,
        last: int = 1_000,
        before: int | None = None,
    ) -> list[Turn]:
        """The last turns of a chat, oldest first.

        Args:
            chat_id: of a chat; another one has no turns.
            picture_path: where a stored picture lies, None when it is gone.
            last: at most so many.
            before: only turns with a smaller number.
        """
        rows = self._database.rows(
            "SELECT * FROM turns WHERE chat_id = ? AND number < ? ORDER BY number DESC LIMIT ?",
            (str(chat_id), 2**31 if before is None else before, last),
        )
        return [_to_turn(row, picture_path) for row in reversed(rows)]

    def get(self, chat_id: UUID) -> Chat | None:
        """One chat, None when it was deleted."""
        found = self._chats("c.id = ?", (str(chat_id),), 1)
        return found[0] if found else None

    def recent(self, workspace: str, limit: int, visitor: str | None = None) -> list[Chat]:
        """The chats last asked in, newest first; with a visitor, those listed for them."""
        where, parameters = _listed(workspace, visitor)
        return self._chats(where, parameters, limit)

    def count(self, workspace: str, visitor: str | None = None) -> int:
        """How many chats there are; with a visitor, listed for them."""
        where, parameters = _listed(workspace, visitor)
        return self._database.number(f"SELECT COUNT(*) FROM chats c WHERE {where}", parameters)

    def delete(self, chat_id: UUID) -> list[str]:
        """Delete a chat for good.

        Returns:
            SHA-256 of files that nothing refers to any more.
        """
        with self._database.change() as connection:
            orphans = release(connection, "run = ?", (_holder(chat_id),))
            for table in ("turn_documents", "turns"):
                connection.execute(f"DELETE FROM {table} WHERE chat_id = ?", (str(chat_id),))
            connection.execute("DELETE FROM chats WHERE id = ?", (str(chat_id),))
        return orphans

    def rate(self, place: Place, rating: int, remark: str) -> None:
        """Keep a thumb (1 up, -1 down, 0 none) and a word about an answer."""
        with self._database.change() as connection:
            connection.execute(
                "UPDATE turns SET rating = ?, remark = ? WHERE chat_id = ? AND number = ?",
                (rating, remark, str(place.chat_id), place.number),
            )

    def rated_count(self, workspace: str, visitor: str | None = None) -> int:
        """How many answers have a thumb; with a visitor, in the chats listed for them."""
        where, parameters = _listed(workspace, visitor)
        return self._database.number(
            "SELECT COUNT(*) FROM turns t JOIN chats c ON c.id = t.chat_id"
            f" WHERE {where} AND t.rating != 0",
            parameters,
        )

    def rated(self, workspace: str, visitor: str | None = None) -> list[tuple[UUID, Turn]]:
        """Every turn with a thumb and its chat, oldest first; as `rated_count` counts them."""
        where, parameters = _listed(workspace, visitor)
        rows = self._database.rows(
            "SELECT t.* FROM turns t JOIN chats c ON c.id = t.chat_id"
            f" WHERE {where} AND t.rating != 0 ORDER BY c.rowid, t.number",
            parameters,
        )
        return [(UUID(row["chat_id"]), _to_turn(row, lambda _sha256: None)) for row in rows]

    def _chats(self, where: str, parameters: tuple[str, ...], limit: int) -> list[Chat]:
        rows = self._database.rows(
            "SELECT c.id, c.name, (SELECT COUNT(*) FROM turns t WHERE t.chat_id = c.id) AS turns"
            f" FROM chats c WHERE {where} ORDER BY c.changed DESC LIMIT ?",
            (*parameters, limit),
        )
        return [Chat(id=UUID(r["id"]), name=r["name"], turn_count=r["turns"]) for r in rows]


def forget_document(connection: sqlite3.Connection, document_id: UUID) -> None:
    """Take a document's words out of every turn; marker, name and page stay.

    To be called inside the transaction that deletes it, which also drops its references.
    """
    rows = connection.execute(
        "SELECT t.*, d.document_id IS NOT NULL AS has_it FROM turns t"
        " LEFT JOIN turn_documents d ON d.chat_id = t.chat_id AND d.number = t.number"
        " AND d.document_id = ? WHERE t.chat_id IN"
        " (SELECT chat_id FROM turn_documents WHERE document_id = ?)",
        (str(document_id), str(document_id)),
    ).fetchall()
    for row in rows:
        # Later turns of the chat may hold its quotes as history.
        turn = without_history(_to_turn(row, lambda _sha256: None))
        if row["has_it"]:
            turn = without_document(turn, document_id)
        place = Place(chat_id=UUID(row["chat_id"]), number=row["number"])
        _write(connection, place, turn)
    connection.execute("DELETE FROM turn_documents WHERE document_id = ?", (str(document_id),))


def _listed(workspace: str, visitor: str | None) -> tuple[str, tuple[str, ...]]:
    """Which chats are listed for a visitor: their own and those of nobody; None for all."""
    if visitor is None:
        return "c.workspace = ?", (workspace,)
    return "c.workspace = ? AND c.visitor IN ('', ?)", (workspace, visitor)


def _write(connection: sqlite3.Connection, place: Place, turn: Turn) -> None:
    connection.execute(
        "UPDATE turns SET text = ?, body = ? WHERE chat_id = ? AND number = ?",
        (turn.text, write_turn(turn), str(place.chat_id), place.number),
    )


def _exists(connection: sqlite3.Connection, place: Place) -> bool:
    key = (str(place.chat_id), place.number)
    found = connection.execute("SELECT 1 FROM turns WHERE chat_id = ? AND number = ?", key)
    return found.fetchone() is not None


def _deleted(connection: sqlite3.Connection, documents: set[UUID]) -> list[UUID]:
    """Those that are gone, or about to go."""
    return [
        document_id
        for document_id in documents
        if not connection.execute(
            "SELECT 1 FROM documents WHERE id = ? AND state != 'deleting'", (str(document_id),)
        ).fetchone()
    ]


def _refer(connection: sqlite3.Connection, place: Place, turn: Turn) -> None:
    """Note the documents of a turn, and hold its pictures as long as their document lives."""
    chat, gone = str(place.chat_id), set(_deleted(connection, documents_in(turn)))
    connection.executemany(
        "INSERT OR IGNORE INTO turn_documents VALUES (?,?,?)",
        [(chat, place.number, str(one)) for one in documents_in(turn) - gone],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO file_refs VALUES (?,?,?)",
        [(sha256, str(one), _holder(place.chat_id)) for sha256, one in pictures_in(turn)],
    )


def _holder(chat_id: UUID) -> str:
    """What stands for a chat where a run stands otherwise."""
    return f"chat:{chat_id}"


def _to_turn(row: sqlite3.Row, picture_path: PicturePath) -> Turn:
    turn = read_turn(row["question"], row["text"], row["body"], picture_path)
    return replace(
        turn,
        number=row["number"],
        rating=row["rating"],
        remark=row["remark"],
        interrupted=row["state"] == _WRITING,
    )
