"""Scripted `Chats`: promises the real interface and keeps turns in memory, as they were given.

There is one visitor: everything is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from rag.errors import DiskReserveError
from rag.library import Chat, Place
from rag.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ui.question_picture import NewPicture


@dataclass
class ScriptedChats:
    kept: dict[UUID, list[Turn]] = field(default_factory=dict)
    folder: Path | None = None  # for pictures of questions; without one they are not kept
    is_full: bool = False  # the disk
    lines: str = ""  # what an export gives

    def begin(
        self,
        chat_id: UUID | None,
        question: str,
        *,
        documents: Sequence[UUID] = (),
        picture: NewPicture | None = None,
        visitor: str = "",
    ) -> Place:
        if self.is_full:
            message = "There is too little room on the disk."
            raise DiskReserveError(message)
        chat_id = chat_id if chat_id in self.kept else uuid4()
        turns = self.kept.pop(chat_id, [])  # last asked in, last in the dict
        asked = picture.asked if picture else None
        if picture is not None and self.folder is not None:
            (self.folder / f"{picture.asked.sha256}.png").write_bytes(picture.png)
        turns.append(
            Turn(
                question=question,
                documents=tuple(documents),
                picture=asked,
                interrupted=True,
                number=len(turns),
            )
        )
        self.kept[chat_id] = turns
        return Place(chat_id=chat_id, number=len(turns) - 1)

    def picture_path(self, sha256: str) -> str | None:
        path = self.folder / f"{sha256}.png" if self.folder is not None else None
        return str(path) if path is not None and path.is_file() else None

    def keeper(self, place: Place) -> ScriptedKeeper:
        def keep(turn: Turn, is_done: bool) -> None:
            if place.chat_id in self.kept:
                self.kept[place.chat_id][place.number] = replace(turn, interrupted=not is_done)

        return ScriptedKeeper(keep)

    def open(self, chat_id: UUID, *, last: int, before: int | None = None) -> list[Turn]:
        turns = self.kept.get(chat_id, [])
        return turns[: len(turns) if before is None else before][-last:]

    def get(self, chat_id: UUID) -> Chat | None:
        turns = self.kept.get(chat_id)
        if not turns:
            return None
        return Chat(id=chat_id, name=turns[0].title, turn_count=len(turns))

    def recent(self, limit: int, *, visitor: str | None = None) -> list[Chat]:
        found = [self.get(chat_id) for chat_id in reversed(self.kept)]
        return [chat for chat in found if chat is not None][:limit]

    def count(self, *, visitor: str | None = None) -> int:
        return len(self.kept)

    def delete(self, chat_id: UUID) -> None:
        self.kept.pop(chat_id, None)

    def rate(self, place: Place, rating: int, remark: str = "") -> None:
        turns = self.kept[place.chat_id]
        turns[place.number] = replace(turns[place.number], rating=rating, remark=remark)

    def rated_count(self, *, visitor: str | None = None) -> int:
        return sum(turn.rating != 0 for turns in self.kept.values() for turn in turns)

    def feedback(self, *, visitor: str | None = None) -> str:
        return self.lines


@dataclass
class ScriptedKeeper:
    write: Callable[[Turn, bool], None]

    def keep(self, turn: Turn, *, is_done: bool) -> None:
        self.write(turn, is_done)
