"""Conversations as the app uses them: begun, kept while they are written, opened, rated, deleted.

Knows the library and its files, no pages and no model.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from rag.errors import NotFoundError, RagError
from rag.turn import Turn
from ui.feedback import to_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from rag.files import FileStore
    from rag.library import Chat, Library, Place
    from ui.question_picture import NewPicture

logger = logging.getLogger(__name__)

KEEP_EVERY_S = 1.0  # each time waits for the disk


class Chats:
    """The conversations of one workspace. Safe to share between threads."""

    def __init__(self, library: Library, files: FileStore, workspace: str) -> None:
        self._library = library
        self._table = library.chats
        self._files = files
        self._workspace = workspace

    def begin(
        self,
        chat_id: UUID | None,
        question: str,
        *,
        documents: Sequence[UUID] = (),
        picture: NewPicture | None = None,
        visitor: str = "",
    ) -> Place:
        """A place for the answer to a question; without a chat, in a new one of this visitor.

        Args:
            chat_id: The chat it is asked in.
            question: As asked; "" for a picture alone.
            documents: Those that are searched; empty for all.
            picture: What comes with it; kept as long as the chat.
            visitor: Who asks.

        Raises:
            DiskReserveError: Too little disk is left to keep it.
        """
        asked = Turn(
            question=question,
            documents=tuple(documents),
            picture=picture.asked if picture else None,
        )
        place = self._table.begin(self._workspace, chat_id, asked, visitor=visitor)
        if picture is not None:
            self._keep_picture(place, picture)
        return place

    def _keep_picture(self, place: Place, picture: NewPicture) -> None:
        try:
            self._files.put_picture(picture.png)
        except RagError as error:  # the disk is full; the question goes on
            logger.warning("picture is not kept chat=%s error=%s", place.chat_id, error)

    def picture_path(self, sha256: str) -> str | None:
        """Where a stored picture lies, None when it is gone."""
        try:
            return str(self._files.picture_path(sha256))
        except NotFoundError:
            return None

    def keeper(self, place: Place, clock: Callable[[], float] = time.monotonic) -> Keeper:
        """Keeps one turn while it is written."""
        return Keeper(self._library, place, clock)

    def open(self, chat_id: UUID, *, last: int, before: int | None = None) -> list[Turn]:
        """The last turns of a chat, oldest first; none of a chat that was deleted."""
        return self._table.turns(chat_id, self.picture_path, last=last, before=before)

    def turn(self, place: Place) -> Turn | None:
        """One turn, None when it was deleted."""
        found = self.open(place.chat_id, last=1, before=place.number + 1)
        return next((turn for turn in found if turn.number == place.number), None)

    def get(self, chat_id: UUID) -> Chat | None:
        """One chat, None when there is none."""
        return self._table.get(chat_id)

    def recent(self, limit: int, *, visitor: str | None = None) -> list[Chat]:
        """The chats last asked in, newest first; with a visitor, those listed for them."""
        return self._table.recent(self._workspace, limit, visitor)

    def count(self, *, visitor: str | None = None) -> int:
        """How many there are; with a visitor, listed for them."""
        return self._table.count(self._workspace, visitor)

    def delete(self, chat_id: UUID) -> None:
        """Delete a chat for good, with the pictures that only it held."""
        self._files.delete(self._table.delete(chat_id))

    def delete_all(self) -> int:
        """Delete the chats of every visitor for good; returns how many there were."""
        found = self.recent(self.count())
        for chat in found:
            self.delete(chat.id)
        return len(found)

    def rate(self, place: Place, rating: int, remark: str = "") -> None:
        """Keep a thumb (1 up, -1 down, 0 none) and a word about an answer."""
        self._table.rate(place, rating, remark)

    def rated_count(self, *, visitor: str | None = None) -> int:
        """How many answers have a thumb; with a visitor, in the chats listed for them."""
        return self._table.rated_count(self._workspace, visitor)

    def feedback(self, *, visitor: str | None = None) -> str:
        """Every rated answer, or the visitor's, as JSON lines that `folio eval` reads."""
        return to_lines(self._table.rated(self._workspace, visitor))


class Keeper:
    """Keeps a turn: its text about once a second, all of it when sources come and at the end."""

    def __init__(self, library: Library, place: Place, clock: Callable[[], float]) -> None:
        self.place = place
        self._table = library.chats
        self._clock = clock
        self._sources: object = ()
        self._kept_at = clock()

    def keep(self, turn: Turn, *, is_done: bool) -> None:
        """Note how far it is. A full disk costs the record, never the answer."""
        try:
            if is_done or turn.sources != self._sources:
                self._table.save(self.place, turn, is_done=is_done)
                self._sources = turn.sources
            elif self._clock() - self._kept_at >= KEEP_EVERY_S:
                self._table.save_text(self.place, turn.text)
            else:
                return
        except RagError as error:
            logger.warning("turn is not kept chat=%s error=%s", self.place.chat_id, error)
        self._kept_at = self._clock()
