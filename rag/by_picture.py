"""A question that brings a picture, with or without words, to scored candidates.

Look-alikes are found by hash, whatever the embedder; with a picture lane the picture is
compared with stored pictures, in a joint space with passages too; typed words go their
usual way. Both count: an item that words and picture can see has the sum of both z by the
root of two, the z of two independent tests together (S. A. Stouffer, 1949), so what only
one of them likes falls behind what both like. Knows nothing of what is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.asked import is_bare
from rag.imaging import is_blank
from rag.look_alikes import LookAlikes
from rag.merge import Candidate
from rag.sentences import fold_spaces
from rag.types import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from PIL import Image

    from rag.embed.lanes import Embedder
    from rag.files import FileStore
    from rag.legs import Legs, Query
    from rag.library import FoundItem, Library
    from rag.look_alikes import LookAlike
    from rag.types import Group, LegName, LegScore, Scope

MAX_BORROWED = 300  # characters
MAX_SPEAKING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a picture, and the words with it, found."""

    candidates: list[Candidate]
    bits: Mapping[UUID, int] = field(default_factory=dict)  # of look-alikes, nearest first
    speaking: tuple[UUID, ...] = ()  # passages about the nearest one
    words: str = ""  # searched by: typed, or else the nearest one's own
    query: Query | None = None  # that of the words, or else of the picture
    notes: tuple[str, ...] = ()


class ByPicture:
    """Searches one library by pictures with one embedder."""

    def __init__(
        self, *, library: Library, files: FileStore, legs: Legs, embedder: Embedder
    ) -> None:
        self._library = library
        self._legs = legs
        self._embedder = embedder
        self._look_alikes = LookAlikes(library, files)

    def search(
        self, question: str, picture: Image.Image, scope: Scope, only: Sequence[LegName] = ()
    ) -> Seen:
        """Candidates for a picture.

        Args:
            question: Words typed with it; may be empty.
            picture: RGB.
            scope: Workspace, documents and kinds to search.
            only: Legs to use, as for `Legs.candidates`.
        """
        look_alikes = self._look_alikes.find(picture, scope.workspace, scope.documents)
        rows = self._library.items.lookup(scope.workspace, [found.point for found in look_alikes])
        look_alikes = [found for found in look_alikes if found.point in rows]
        nearest = rows[look_alikes[0].point] if look_alikes else None
        words = _words(question, nearest)
        by_words = self._legs.query(words) if words else None
        is_clear = not is_blank(picture)
        by_picture = self._legs.picture_query(picture) if is_clear else None
        speaking = self._speaking(scope, look_alikes)
        candidates = self._candidates(by_words, by_picture, scope, only, speaking)
        return Seen(
            candidates=_with_look_alikes(candidates, look_alikes, rows, scope),
            bits={found.point: found.distance for found in look_alikes},
            speaking=speaking,
            words=words,
            query=by_words or by_picture,
            notes=() if look_alikes else self._notes(question, is_clear=is_clear),
        )

    def _speaking(self, scope: Scope, look_alikes: Sequence[LookAlike]) -> tuple[UUID, ...]:
        if not look_alikes or scope.group == "pictures":
            return ()
        nearest = look_alikes[0].point
        return tuple(self._library.pictures.speaking_of(scope.workspace, nearest, MAX_SPEAKING))

    def _candidates(
        self,
        by_words: Query | None,
        by_picture: Query | None,
        scope: Scope,
        only: Sequence[LegName],
        speaking: Sequence[UUID],
    ) -> list[Candidate]:
        """What words or picture found, each with the scores of both."""
        worded = self._legs.candidates(by_words, scope, only) if by_words else []
        seen = self._legs.candidates(by_picture, scope, only) if by_picture else []
        groups: dict[UUID, Group] = dict.fromkeys(speaking, "words")
        groups |= {c.id: c.group for c in (*seen, *worded)}
        said = self._scores(by_words, worded, groups, scope)
        looks = self._scores(by_picture, seen, groups, scope)
        return [
            Candidate(id=id_, group=group, legs=said.get(id_, {}), pictured=looks.get(id_, {}))
            for id_, group in groups.items()
        ]

    def _scores(
        self, query: Query | None, found: Sequence[Candidate], ids: Iterable[UUID], scope: Scope
    ) -> dict[UUID, Mapping[LegName, LegScore]]:
        """Scores of all of the ids, also of those that this query did not find by itself."""
        if query is None:
            return {}
        own = {candidate.id: candidate.legs for candidate in found}
        return own | self._legs.exact(query, scope, [id_ for id_ in ids if id_ not in own])

    def _notes(self, question: str, *, is_clear: bool) -> tuple[str, ...]:
        """What to tell when the picture itself is not in the library."""
        words_alone = "These hits are for your words alone." if question.strip() else ""
        if not is_clear:
            advice = words_alone or "Choose another one, or add a few words."
            return (f"Nothing can be seen in this picture: it is of one tone. {advice}",)
        if self._embedder.pictures is not None:
            return ()
        advice = words_alone or "Add a few words, or switch to an embedder that sees pictures."
        return (
            "Nothing in the library looks like this picture, and the embedder "
            f"{self._embedder.name} finds pictures only by their words. {advice}",
        )


def _words(question: str, nearest: FoundItem | None) -> str:
    """What to search by: the typed words; with none about anything, those of the look-alike."""
    if nearest is None or not is_bare(question):
        return question.strip()
    own = fold_spaces(nearest.item.caption or nearest.item.search_text)[:MAX_BORROWED]
    return f"{question.strip()} {own}".strip()


def _with_look_alikes(
    candidates: Sequence[Candidate],
    look_alikes: Sequence[LookAlike],
    rows: Mapping[UUID, FoundItem],
    scope: Scope,
) -> list[Candidate]:
    """The candidates, look-alikes among them and all with a height."""
    by_id = {candidate.id: candidate for candidate in candidates}
    for found in look_alikes:
        group: Group = "words" if rows[found.point].item.kind in WORDS else "pictures"
        if scope.group in (None, group):
            known = by_id.get(found.point) or Candidate(id=found.point, group=group)
            by_id[found.point] = replace(known, likeness=found.z)
    # A passage about a picture without words is compared with nothing: it is as usual.
    return [
        candidate
        if math.isfinite(candidate.dense) or candidate.keyword
        else replace(candidate, likeness=0.0)
        for candidate in by_id.values()
    ]
