"""A question to ranked hits: legs, calibration, merge, collapse, quota, evidence.

Follows the nine steps of the design. Ordering rules are in `rag.merge`; this module
knows where candidates come from and what is visible.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rag.background import Background
from rag.embed.caps import question_notes
from rag.evidence import is_answered, question_terms
from rag.folding import fold_for_search
from rag.keywords import query_weights
from rag.merge import Candidate, Group, Ranked, bar, heights, keep_top, merge
from rag.questions import asks_for_picture, named_labels
from rag.store.base import DENSE_NAMES, DenseName, Filter, Leg
from rag.types import LOCAL_WORKSPACE, PICTURES, WORDS, Hit, LegName, LegScore, OtherPlace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from rag.embed.lanes import Array, Embedder
    from rag.files import FileStore
    from rag.library import FoundItem, Library
    from rag.store.base import Scored, Sparse, Store
    from rag.types import Kind, Modality, Why

LEG_LIMIT = 50
MAX_PER_DOCUMENT = 3  # search poisoning by stuffing; only without a scope
MIN_DOCUMENTS_FOR_CAP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Who may be found."""

    workspace: str = LOCAL_WORKSPACE
    documents: tuple[UUID, ...] = ()  # empty: all
    group: Group | None = None  # only words, or only pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """Hits of a question, best first, and whether they are evidence enough to answer."""

    hits: tuple[Hit, ...]
    has_evidence: bool
    notes: tuple[str, ...] = ()  # what of the question was not read, in sentences
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Query:
    """A question in the form each leg wants."""

    words: Sparse
    dense: Mapping[DenseName, Array]


class Retriever:
    """Finds hits in one library with one embedder."""

    def __init__(
        self, *, library: Library, files: FileStore, store: Store, embedder: Embedder
    ) -> None:
        self._library = library
        self._files = files
        self._store = store
        self._embedder = embedder
        self._background = Background(library, store, embedder)

    def retrieve(
        self,
        question: str,
        *,
        top_k: int,
        scope: Scope | None = None,
    ) -> Retrieval:
        """The hits for a question.

        Args:
            question: Plain words; an empty one finds nothing.
            top_k: Most hits to keep.
            scope: Workspace, documents and kinds to search.
        """
        scope = scope or Scope()
        clock = _Clock()
        if not question.strip():
            return Retrieval(hits=(), has_evidence=False)
        query = self._query(question)
        clock.mark("embed")
        candidates = self._candidates(query, scope)
        clock.mark("search")
        found = self._library.items.lookup(scope.workspace, [c.id for c in candidates])
        ranked = merge([c for c in candidates if c.id in found])
        ranked, places = _collapse(ranked, found)
        bars = self._bars(scope)
        if not scope.documents:
            ranked = _cap_documents(ranked, found, bars)
        kept, why = self._keep(question, ranked, scope, top_k, bars, found)
        found |= self._library.items.lookup(
            scope.workspace, [h.candidate.id for h in kept if h.candidate.id not in found]
        )
        hits = self._hits(kept, found, why, places)
        clock.mark("merge")
        evidence = is_answered(
            question_terms(question),
            hits,
            others=[item.item.search_text for item in found.values()],
            clears_bar=any(h.height >= bars[h.candidate.group] for h in kept),
            is_scoped=len(scope.documents) == 1,
        )
        clock.mark("evidence")
        return Retrieval(
            hits=tuple(hits),
            has_evidence=evidence,
            notes=question_notes(self._embedder, question),
            timings_ms=clock.marks,
        )

    def _query(self, question: str) -> _Query:
        question = fold_for_search(question)  # as passages were, before they were embedded
        text = self._embedder.text.embed_queries([question])[0]
        dense: dict[DenseName, Array] = {"text": text, "caption": text}
        pictures = self._embedder.pictures
        if pictures is not None:
            # In a joint space one vector serves both; a paired picture lane has its own.
            dense["image"] = text if self._embedder.joint else pictures.embed_queries([question])[0]
        return _Query(query_weights(question), dense)

    def _candidates(self, query: _Query, scope: Scope) -> list[Candidate]:
        legs = self._legs(query, scope)
        answers = self._store.search([leg for _, leg in legs])
        scores: dict[UUID, dict[LegName, LegScore]] = defaultdict(dict)
        groups: dict[UUID, Group] = {}
        for (group, leg), hits in zip(legs, answers, strict=True):
            for hit, score in zip(hits, self._scores(leg, hits, query, scope), strict=True):
                scores[hit.id][leg.using] = score
                # A table found by its pixels is still words.
                groups[hit.id] = "words" if groups.get(hit.id) == "words" else group
        self._fill_dense(scores, query, scope)
        tables = self._tables(scores, groups, scope)
        return [
            Candidate(id=id_, group="words" if id_ in tables else groups[id_], legs=legs_)
            for id_, legs_ in scores.items()
        ]

    def _legs(self, query: _Query, scope: Scope) -> list[tuple[Group, Leg]]:
        hidden_words, hidden_pictures = self._library.documents.hidden_runs(scope.workspace)

        def where(kinds: tuple[Kind, ...], hidden: tuple[UUID, ...]) -> Filter:
            return Filter(
                workspace=scope.workspace,
                documents=scope.documents or None,
                not_runs=hidden,
                kinds=kinds,
            )

        words, pictures = where(WORDS, hidden_words), where(PICTURES, hidden_pictures)
        with_tables = where((*PICTURES, "table"), hidden_pictures)
        legs: list[tuple[Group, Leg]] = []
        if scope.group != "pictures":
            legs.append(("words", _leg("text", query.dense["text"], words)))
        if scope.group != "words":
            if "image" in query.dense:
                seen = pictures if scope.group == "pictures" else with_tables
                legs.append(("pictures", _leg("image", query.dense["image"], seen)))
            legs.append(("pictures", _leg("caption", query.dense["caption"], pictures)))
        if query.words.indices:
            if scope.group != "pictures":
                legs.append(("words", _leg("keywords", query.words, words)))
            if scope.group != "words":
                legs.append(("pictures", _leg("keywords", query.words, pictures)))
        return legs

    def _scores(
        self, leg: Leg, hits: Sequence[Scored], query: _Query, scope: Scope
    ) -> list[LegScore]:
        if leg.using == "keywords":
            return [LegScore(rank=i, weight=hit.score) for i, hit in enumerate(hits, 1)]
        levels = self._z(leg.using, [hit.score for hit in hits], query, scope)
        return [
            LegScore(rank=i, cosine=hit.score, z=z)
            for i, (hit, z) in enumerate(zip(hits, levels, strict=True), 1)
        ]

    def _z(
        self, name: DenseName, cosines: Sequence[float], query: _Query, scope: Scope
    ) -> list[float]:
        if not cosines:
            return []
        sample = self._background.sample(scope.workspace, name) @ query.dense[name]
        return [float(z) for z in heights(np.asarray(cosines, dtype=np.float32), sample)]

    def _fill_dense(
        self, scores: Mapping[UUID, dict[LegName, LegScore]], query: _Query, scope: Scope
    ) -> None:
        """A hit found by keywords only gets its exact cosine from its stored vector."""
        blind = [id_ for id_, legs in scores.items() if set(legs) == {"keywords"}]
        names = [name for name in DENSE_NAMES if name in query.dense]
        for id_, vectors in self._store.fetch(blind, names).items():
            for name, vector in vectors.items():
                cosine = float(vector @ query.dense[name])
                z = self._z(name, [cosine], query, scope)[0]
                # Past the leg's limit: how far exactly is not known and does not matter.
                scores[id_][name] = LegScore(rank=LEG_LIMIT + 1, cosine=cosine, z=z)

    def _tables(
        self,
        scores: Mapping[UUID, Mapping[LegName, LegScore]],
        groups: Mapping[UUID, Group],
        scope: Scope,
    ) -> set[UUID]:
        by_pixels = [
            id_ for id_ in scores if groups[id_] == "pictures" and set(scores[id_]) == {"image"}
        ]
        found = self._library.items.lookup(scope.workspace, by_pixels)
        return {id_ for id_, row in found.items() if row.item.kind == "table"}

    def _bars(self, scope: Scope) -> dict[Group, float]:
        words, pictures = self._library.items.group_sizes(scope.workspace, scope.documents)
        return {"words": bar(words), "pictures": bar(pictures)}

    def _keep(
        self,
        question: str,
        ranked: list[Ranked],
        scope: Scope,
        top_k: int,
        bars: Mapping[Group, float],
        found: Mapping[UUID, FoundItem],
    ) -> tuple[list[Ranked], dict[UUID, Why]]:
        if scope.group is not None:
            return ranked[:top_k], {}
        kept, reserved = keep_top(
            ranked, top_k=top_k, bars=bars, wants_picture=asks_for_picture(question)
        )
        why: dict[UUID, Why] = {reserved: "picture_reserve"} if reserved else {}
        named = self._named(question, scope, ranked, found)
        if named is not None:
            # Who calls a figure by its number wants that one, before anything like it.
            others = [hit for hit in kept if hit.candidate.id != named.candidate.id]
            kept = [named, *others][:top_k]
            why[named.candidate.id] = "named"
        return kept, why

    def _named(
        self,
        question: str,
        scope: Scope,
        ranked: Sequence[Ranked],
        found: Mapping[UUID, FoundItem],
    ) -> Ranked | None:
        """The figure or table that the question calls by its number.

        Several documents have a Figure 3: the best ranked one wins, else the one of the
        best ranked document.
        """
        labels = named_labels(question)
        if not labels:
            return None
        points = self._library.items.visible_points(
            scope.workspace, labels=labels, documents=scope.documents
        )
        for hit in ranked:
            if hit.candidate.id in points:
                return hit
        rows = self._library.items.lookup(scope.workspace, points)
        for hit in ranked:
            document = found[hit.candidate.id].item.document_id
            for point in points:
                if point in rows and rows[point].item.document_id == document:
                    group: Group = "words" if rows[point].item.kind in WORDS else "pictures"
                    return Ranked(candidate=Candidate(id=point, group=group), height=hit.height)
        return None

    def _hits(
        self,
        kept: Sequence[Ranked],
        found: Mapping[UUID, FoundItem],
        why: Mapping[UUID, Why],
        places: Mapping[UUID, tuple[OtherPlace, ...]],
    ) -> list[Hit]:
        visible = [hit for hit in kept if hit.candidate.id in found]
        return [
            self._hit(hit, found[hit.candidate.id], rank, why, places)
            for rank, hit in enumerate(visible, 1)
        ]

    def _hit(
        self,
        ranked: Ranked,
        row: FoundItem,
        rank: int,
        why: Mapping[UUID, Why],
        places: Mapping[UUID, tuple[OtherPlace, ...]],
    ) -> Hit:
        digest = row.item.image_sha256
        return Hit(
            item=row.item,
            document_name=row.document_name,
            rank=rank,
            height=ranked.height,
            why=why.get(ranked.candidate.id, "rank"),
            modality=_modality(ranked.candidate),
            page_size=row.page_size,
            image_path=str(self._files.picture_path(digest)) if digest else None,
            legs=ranked.candidate.legs,
            also_in=places.get(ranked.candidate.id, ()),
        )


def _leg(using: LegName, vector: Array | Sparse, where: Filter) -> Leg:
    return Leg(using=using, vector=vector, where=where, limit=LEG_LIMIT)


def _modality(candidate: Candidate) -> Modality:
    dense = {name: leg.z for name, leg in candidate.legs.items() if leg.z is not None}
    best = max(dense, key=lambda name: dense[name], default="text")
    return "image" if best == "image" else "text"


def _collapse(
    ranked: Sequence[Ranked], found: Mapping[UUID, FoundItem]
) -> tuple[list[Ranked], dict[UUID, tuple[OtherPlace, ...]]]:
    """Same picture or same text: the best stays, the others become `also_in`."""
    first: dict[tuple[str, str], UUID] = {}
    places: dict[UUID, tuple[OtherPlace, ...]] = {}
    kept = []
    for hit in ranked:
        row = found[hit.candidate.id]
        winner = first.setdefault(_sameness(row), hit.candidate.id)
        if winner == hit.candidate.id:
            kept.append(hit)
            continue
        regions = row.item.regions
        place = OtherPlace(
            document_name=row.document_name,
            page_number=regions[0].page_number if regions else None,
        )
        places[winner] = (*places.get(winner, ()), place)
    return kept, places


def _sameness(row: FoundItem) -> tuple[str, str]:
    if row.item.kind in PICTURES and row.item.image_sha256:
        return ("picture", row.item.image_sha256)
    return ("words", " ".join(row.item.text.casefold().split()) or str(row.item.id))


def _cap_documents(
    ranked: list[Ranked], found: Mapping[UUID, FoundItem], bars: Mapping[Group, float]
) -> list[Ranked]:
    """At most 3 items of a document at the front, once 3 documents clear their bar."""

    def document(hit: Ranked) -> UUID:
        return found[hit.candidate.id].item.document_id

    strong = [hit for hit in ranked if hit.height >= bars[hit.candidate.group]]
    if len({document(hit) for hit in strong}) < MIN_DOCUMENTS_FOR_CAP:
        return ranked
    seen: dict[UUID, int] = defaultdict(int)
    front: list[Ranked] = []
    for hit in strong:
        seen[document(hit)] += 1
        if seen[document(hit)] <= MAX_PER_DOCUMENT:
            front.append(hit)
    return [*front, *(hit for hit in ranked if hit not in front)]


class _Clock:
    """Milliseconds between marks."""

    def __init__(self) -> None:
        self.marks: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, name: str) -> None:
        now = time.perf_counter()
        self.marks[name] = round(1000 * (now - self._last), 1)
        self._last = now
