"""A question to scored candidates: which vectors are searched, and how far each hit stands out.

Knows the store, the embedder and what is visible. Nothing of the order in which hits
are shown; that is `rag.merge` and `rag.arrange`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.background import Background
from rag.folding import fold_for_search
from rag.keywords import query_weights
from rag.merge import Candidate, heights
from rag.store.base import DENSE_NAMES, DenseName, Filter, Leg
from rag.types import PICTURES, WORDS, LegName, LegScore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from PIL import Image

    from rag.embed.lanes import Array, Embedder
    from rag.library import Library
    from rag.store.base import Scored, Sparse, Store
    from rag.types import Group, Kind, Scope

LEG_LIMIT = 50

_Scores = dict["UUID", dict[LegName, LegScore]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question in the form each leg wants."""

    words: Sparse
    dense: Mapping[DenseName, Array]  # float32 (dim,), unit length


class Legs:
    """The candidate queries of one library and one embedder."""

    def __init__(self, *, library: Library, store: Store, embedder: Embedder) -> None:
        self._library = library
        self._store = store
        self._embedder = embedder
        self._background = Background(library, store, embedder)

    def query(self, question: str) -> Query:
        """The forms of a question; embeds it."""
        question = fold_for_search(question)  # as passages were, before they were embedded
        text = self._embedder.text.embed_queries([question])[0]
        dense: dict[DenseName, Array] = {"text": text, "caption": text}
        pictures = self._embedder.pictures
        if pictures is not None:
            # In a joint space one vector serves both; a paired picture lane has its own.
            dense["image"] = text if self._embedder.joint else pictures.embed_queries([question])[0]
        languages = self._library.documents.languages()
        return Query(words=query_weights(question, languages), dense=dense)

    def picture_query(self, picture: Image.Image) -> Query | None:
        """The forms of a picture; embeds it. None without a picture lane."""
        pictures = self._embedder.pictures
        if pictures is None:
            return None
        seen = pictures.embed_images([picture])[0]
        dense: dict[DenseName, Array] = {"image": seen}
        if self._embedder.joint:  # one space: a picture finds words too
            dense |= {"text": seen, "caption": seen}
        return Query(words=query_weights(""), dense=dense)

    def exact(
        self, query: Query, scope: Scope, ids: Sequence[UUID]
    ) -> dict[UUID, dict[LegName, LegScore]]:
        """How far items that something else found stand out for a query, by dense legs."""
        scores: _Scores = defaultdict(dict)
        self._score_exactly(scores, tuple(ids), query, self.samples(query, scope), scope.workspace)
        return scores

    def candidates(
        self, query: Query, scope: Scope, only: Sequence[LegName] = ()
    ) -> list[Candidate]:
        """Whatever any leg found, with the scores of all legs that know it.

        Args:
            query: From `query`.
            scope: Workspace, documents and kinds to search.
            only: Legs to use; empty: all.
        """
        legs = [
            (group, leg) for group, leg in self._legs(query, scope) if not only or leg.using in only
        ]
        answers = self._store.search([leg for _, leg in legs])
        samples = self.samples(query, scope)
        scores: _Scores = defaultdict(dict)
        groups: dict[UUID, Group] = {}
        for (group, leg), hits in zip(legs, answers, strict=True):
            for hit, score in zip(hits, _scores(leg, hits, samples), strict=True):
                scores[hit.id][leg.using] = score
                # A table found by its pixels is still words.
                groups[hit.id] = "words" if groups.get(hit.id) == "words" else group
        if set(only) != {"keywords"}:
            # A hit found by keywords only gets its exact cosine from its stored vector.
            blind = tuple(id_ for id_, legs_ in scores.items() if set(legs_) == {"keywords"})
            self._score_exactly(scores, blind, query, samples, scope.workspace)
        tables = self._tables(scores, groups)
        return [
            Candidate(id=id_, group="words" if id_ in tables else groups[id_], legs=legs_)
            for id_, legs_ in scores.items()
        ]

    def samples(self, query: Query, scope: Scope) -> dict[DenseName, Array]:
        """Cosines of the question with the vectors that stand for each leg."""
        return {
            name: self._background.sample(scope.workspace, name, scope.documents) @ vector
            for name, vector in query.dense.items()
        }

    def _legs(self, query: Query, scope: Scope) -> list[tuple[Group, Leg]]:
        hidden_words, hidden_pictures = self._library.documents.hidden_runs(scope.workspace)
        hidden_items = self._library.hidden.points()

        def where(hidden: tuple[UUID, ...], kinds: tuple[Kind, ...] | None = None) -> Filter:
            return Filter(
                workspace=scope.workspace,
                documents=scope.documents or None,
                not_runs=hidden,
                not_ids=hidden_items,
                kinds=kinds,
            )

        # Only words have `text`, only pictures `caption`, and all that is seen has `image`: a
        # filter by kind, a third of the time of a leg, is for what would find both groups.
        words, pictures = where(hidden_words, WORDS), where(hidden_pictures, PICTURES)
        legs: list[tuple[Group, Leg]] = []
        if scope.group != "pictures" and "text" in query.dense:
            legs.append(("words", _leg("text", query.dense["text"], where(hidden_words))))
        if scope.group != "words":
            if "image" in query.dense:
                seen = pictures if scope.group == "pictures" else where(hidden_pictures)
                legs.append(("pictures", _leg("image", query.dense["image"], seen)))
            if "caption" in query.dense:
                captions = _leg("caption", query.dense["caption"], where(hidden_pictures))
                legs.append(("pictures", captions))
        if query.words.indices:
            if scope.group != "pictures":
                legs.append(("words", _leg("keywords", query.words, words)))
            if scope.group != "words":
                legs.append(("pictures", _leg("keywords", query.words, pictures)))
        return legs

    def _score_exactly(
        self,
        scores: _Scores,
        ids: tuple[UUID, ...],
        query: Query,
        samples: Mapping[DenseName, Array],
        workspace: str,
    ) -> None:
        """Give items the exact cosines of their stored vectors."""
        if not ids:
            return
        # Compared by the engine: to fetch the vectors took as long as all other legs together.
        where = Filter(workspace=workspace, ids=ids)
        legs = [
            Leg(using=name, vector=query.dense[name], where=where, limit=len(ids))
            for name in DENSE_NAMES
            if name in query.dense
        ]
        for leg, hits in zip(legs, self._store.search(legs), strict=True):
            # Past the leg's limit: how far exactly is not known and does not matter.
            for hit, score in zip(hits, _scores(leg, hits, samples, LEG_LIMIT + 1), strict=True):
                scores[hit.id][leg.using] = score

    def _tables(self, scores: _Scores, groups: Mapping[UUID, Group]) -> set[UUID]:
        by_pixels = [
            id_ for id_ in scores if groups[id_] == "pictures" and set(scores[id_]) == {"image"}
        ]
        return self._library.items.tables_among(by_pixels)


def _leg(using: LegName, vector: Array | Sparse, where: Filter) -> Leg:
    return Leg(using=using, vector=vector, where=where, limit=LEG_LIMIT)


def _scores(
    leg: Leg, hits: Sequence[Scored], samples: Mapping[DenseName, Array], rank: int | None = None
) -> list[LegScore]:
    """A score a hit; ranks count from 1 unless one is given for all."""
    if leg.using == "keywords":
        return [LegScore(rank=rank or i, weight=hit.score) for i, hit in enumerate(hits, 1)]
    levels = _levels([hit.score for hit in hits], samples[leg.using])
    return [
        LegScore(rank=rank or i, cosine=hit.score, z=z)
        for i, (hit, z) in enumerate(zip(hits, levels, strict=True), 1)
    ]


def _levels(cosines: Sequence[float], sample: Array) -> list[float]:
    if not cosines:
        return []
    return [float(z) for z in heights(np.asarray(cosines, dtype=np.float32), sample)]
