"""A question to ranked hits: the nine steps of the design, one after the other.

Candidates and their scores come from `rag.legs`, the order from `rag.merge`, what is
collapsed, capped or called by name from `rag.arrange`. This module knows the rows behind
them and whether they are evidence.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.arrange import cap_documents, collapse, reorder
from rag.by_picture import ByPicture
from rag.embed.caps import question_notes
from rag.errors import NotFoundError
from rag.evidence import is_answered
from rag.legs import Legs
from rag.merge import Ranked, bar, keep_top, merge
from rag.named_figures import NamedFigures
from rag.not_there import not_there
from rag.pointed import named_hits
from rag.questions import asks_for_picture
from rag.types import Considered, Explanation, Hit, Retrieval, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from PIL import Image

    from rag.by_picture import Seen
    from rag.embed.lanes import Embedder
    from rag.embed.rerank import Reranker
    from rag.files import FileStore
    from rag.legs import Query
    from rag.library import FoundItem, Library
    from rag.merge import Candidate
    from rag.store.base import Store
    from rag.types import Fate, Group, LegName, Modality, OtherPlace, Why

RERANKED = 20  # a cross-encoder of 6 layers reads them in a second of one core


@dataclass(slots=True, kw_only=True)
class _Found:
    """One question on its way: what was found, and what became of it."""

    rows: dict[UUID, FoundItem]
    merged: list[Ranked]  # before anything was taken away
    bars: Mapping[Group, float]
    kept: list[Ranked] = field(default_factory=list)
    places: Mapping[UUID, tuple[OtherPlace, ...]] = field(default_factory=dict)
    why: dict[UUID, Why] = field(default_factory=dict)
    fates: dict[UUID, Fate] = field(default_factory=dict)
    bits: Mapping[UUID, int] = field(default_factory=dict)  # of look-alikes


class Retriever:
    """Finds hits in one library with one embedder."""

    def __init__(
        self,
        *,
        library: Library,
        files: FileStore,
        store: Store,
        embedder: Embedder,
        reranker: Reranker | None = None,
    ) -> None:
        self._library = library
        self._files = files
        self._embedder = embedder
        self._reranker = reranker
        self._legs = Legs(library=library, store=store, embedder=embedder)
        self._named_figures = NamedFigures(library, files)
        self._by_picture = ByPicture(
            library=library, files=files, legs=self._legs, embedder=embedder
        )

    def retrieve(
        self,
        question: str,
        *,
        top_k: int,
        scope: Scope | None = None,
        only: Sequence[LegName] = (),
        explain: bool = False,
        picture: Image.Image | None = None,
    ) -> Retrieval:
        """The hits for a question.

        Args:
            question: Plain words; an empty one without a picture finds nothing.
            top_k: Most hits to keep.
            scope: Workspace, documents and kinds to search.
            only: Legs to use, to see what each is worth; empty: all.
            explain: Also say of every candidate why it was kept or not.
            picture: What is looked for looks like this; RGB.
        """
        scope = scope or Scope()
        clock = _Clock()
        if picture is not None:
            return self._retrieve_seen(question, picture, top_k, scope, only, explain=explain)
        if not question.strip():
            return Retrieval(hits=(), has_evidence=False)
        query = self._legs.query(question)
        clock.mark("embed")
        candidates = self._legs.candidates(query, scope, only)
        clock.mark("search")
        found = self._arrange(question, candidates, scope, top_k)
        hits = self._hits(found)
        clock.mark("merge")
        absent = self._not_there(question, scope)
        evidence = not absent and self._is_answered(question, found, hits, scope)
        clock.mark("evidence")
        return Retrieval(
            hits=tuple(hits),
            has_evidence=evidence,
            notes=(*absent, *question_notes(self._embedder, question)),
            timings_ms=clock.marks,
            explanation=self._explain(query, scope, found, hits) if explain else None,
            words=question,
            named_figures=tuple(self._named_figures.of(question, hits, scope)),
        )

    def _retrieve_seen(
        self,
        question: str,
        picture: Image.Image,
        top_k: int,
        scope: Scope,
        only: Sequence[LegName],
        *,
        explain: bool,
    ) -> Retrieval:
        """As `retrieve`; what looks like the picture first, then what speaks of it."""
        clock = _Clock()
        seen = self._by_picture.search(question, picture, scope, only)
        clock.mark("search")
        found = self._arrange(question, seen.candidates, scope, top_k, seen)
        hits = self._hits(found)
        clock.mark("merge")
        return Retrieval(
            hits=tuple(hits),
            has_evidence=self._is_seen(question, found, hits, scope),
            notes=seen.notes + (question_notes(self._embedder, question) if question else ()),
            timings_ms=clock.marks,
            explanation=(
                self._explain(seen.query, scope, found, hits) if explain and seen.query else None
            ),
            words=seen.words,
        )

    def _is_seen(self, question: str, found: _Found, hits: Sequence[Hit], scope: Scope) -> bool:
        """A picture is evidence when it is there again, or when something stands out by it."""
        if found.bits:
            return True
        if any(hit.candidate.looks >= found.bars[hit.candidate.group] for hit in found.kept):
            return True
        return bool(question.strip()) and self._is_answered(question, found, hits, scope)

    def _arrange(
        self,
        question: str,
        candidates: Sequence[Candidate],
        scope: Scope,
        top_k: int,
        seen: Seen | None = None,
    ) -> _Found:
        rows = self._library.items.lookup(scope.workspace, [c.id for c in candidates])
        merged = merge([c for c in candidates if c.id in rows])
        found = _Found(rows=rows, merged=merged, bars=self._bars(scope))
        ranked, found.places = collapse(merged, rows)
        left = {hit.candidate.id for hit in ranked}
        found.fates = {h.candidate.id: "same" for h in merged if h.candidate.id not in left}
        ranked = self._reranked(question, ranked, rows)
        if not scope.documents:
            ranked, moved = cap_documents(ranked, rows, found.bars)
            found.fates |= dict.fromkeys(moved, "document_cap")
        by_picture = seen is not None and any(math.isfinite(c.looks) for c in candidates)
        self._keep(question, ranked, scope, top_k, found, has_quota=not by_picture)
        if seen is not None:
            found.bits = seen.bits
            self._put_seen_first(seen, ranked, scope, top_k, found)
        return found

    def _reranked(
        self, question: str, ranked: list[Ranked], rows: Mapping[UUID, FoundItem]
    ) -> list[Ranked]:
        """The best passages in the order of the cross-encoder, where there is one."""
        if self._reranker is None or not question.strip():
            return ranked
        ids = [h.candidate.id for h in ranked if h.candidate.group == "words"][:RERANKED]
        scores = self._reranker.score(question, [rows[id_].search_text for id_ in ids])
        return reorder(ranked, dict(zip(ids, map(float, scores), strict=True)))

    def _put_seen_first(
        self, seen: Seen, ranked: Sequence[Ranked], scope: Scope, top_k: int, found: _Found
    ) -> None:
        """The picture itself, where it is there again, and the passages about it."""
        known = {hit.candidate.id: hit for hit in ranked}
        same = [known[id_] for id_ in seen.bits if id_ in known]
        # A logo in many versions must not be all that is shown.
        most = top_k if scope.group == "pictures" else max(1, top_k // 2)
        first = [*same[:most], *(known[id_] for id_ in seen.speaking if id_ in known)]
        placed = {hit.candidate.id for hit in (*first, *same)}
        found.kept = [*first, *(h for h in found.kept if h.candidate.id not in placed)][:top_k]
        found.fates |= {id_: "gave_way" for id_, fate in found.fates.items() if fate == "kept"}
        found.fates |= dict.fromkeys((hit.candidate.id for hit in same[most:]), "picture_limit")
        found.fates |= dict.fromkeys((hit.candidate.id for hit in found.kept), "kept")

    def _bars(self, scope: Scope) -> dict[Group, float]:
        words, pictures = self._library.items.group_sizes(scope.workspace, scope.documents)
        return {"words": bar(words), "pictures": bar(pictures)}

    def _keep(
        self,
        question: str,
        ranked: list[Ranked],
        scope: Scope,
        top_k: int,
        found: _Found,
        *,
        has_quota: bool,
    ) -> None:
        found.kept = ranked[:top_k]
        if scope.group is None and has_quota:
            found.kept, reserved = keep_top(
                ranked, top_k=top_k, bars=found.bars, wants_picture=asks_for_picture(question)
            )
            if reserved:
                found.why[reserved] = "picture_reserve"
        kept = {hit.candidate.id for hit in found.kept}
        for hit in ranked[:top_k]:
            if hit.candidate.id not in kept:
                is_picture = hit.candidate.group == "pictures"
                found.fates[hit.candidate.id] = "picture_limit" if is_picture else "gave_way"
        found.fates |= dict.fromkeys(kept, "gave_way")  # unless they outlast those called by name
        self._put_named_first(question, ranked, scope, top_k, found)
        found.fates |= dict.fromkeys((hit.candidate.id for hit in found.kept), "kept")

    def _put_named_first(
        self, question: str, ranked: Sequence[Ranked], scope: Scope, top_k: int, found: _Found
    ) -> None:
        """Who calls a figure by its name wants that one, before anything like it."""
        hits, rows = named_hits(question, ranked, found.rows, self._library, scope)
        found.rows |= rows
        named = [hit for hit in hits if scope.group in (None, hit.candidate.group)][:top_k]
        first = {hit.candidate.id for hit in named}
        others = [hit for hit in found.kept if hit.candidate.id not in first]
        found.kept = [*named, *others][:top_k]
        found.why |= dict.fromkeys(first, "named")

    def _is_answered(self, question: str, found: _Found, hits: Sequence[Hit], scope: Scope) -> bool:
        kept = {hit.item.document_id for hit in hits}
        names = [hit.document_name for hit in hits]
        rows = found.rows.values()
        return is_answered(
            question,
            hits,
            others=[row.search_text for row in rows if row.document_id in kept] + names,
            everything=lambda: [*names, *self._texts_of(kept)],
            clears_bar=any(h.height >= found.bars[h.candidate.group] for h in found.kept),
            is_scoped=len(scope.documents) == 1,
        )

    def _not_there(self, question: str, scope: Scope) -> list[str]:
        if len(scope.documents) != 1:
            return []  # which document has to have it?
        return not_there(question, self._library, scope.workspace, scope.documents[0])

    def _texts_of(self, documents: Iterable[UUID]) -> list[str]:
        return [text for id_ in documents for text in self._library.items.texts_of(id_)]

    def _explain(
        self, query: Query, scope: Scope, found: _Found, hits: Sequence[Hit]
    ) -> Explanation:
        shown = {hit.item.id: hit for hit in hits}
        plain = _plain_ranks(found.merged)
        places = {ranked.candidate.id: rank for rank, ranked in enumerate(found.merged, 1)}
        by_name = [ranked for ranked in found.kept if ranked.candidate.id not in places]
        considered = []
        for ranked in [*by_name, *found.merged]:
            id_ = ranked.candidate.id
            hit = shown.get(found.rows[id_].item.id) or self._hit(ranked, 0, found)
            considered.append(
                Considered(
                    hit=hit,
                    group=ranked.candidate.group,
                    merged_rank=places.get(id_),
                    plain_rank=plain.get(id_),
                    fate=found.fates.get(id_, "below"),
                )
            )
        return Explanation(
            considered=tuple(considered),
            bars=found.bars,
            samples={
                name: tuple(map(float, cosines))
                for name, cosines in self._legs.samples(query, scope).items()
            },
            reranker=self._reranker.identity if self._reranker else "",
        )

    def _hits(self, found: _Found) -> list[Hit]:
        visible = [hit for hit in found.kept if hit.candidate.id in found.rows]
        return [self._hit(hit, rank, found) for rank, hit in enumerate(visible, 1)]

    def _hit(self, ranked: Ranked, rank: int, found: _Found) -> Hit:
        id_ = ranked.candidate.id
        row = found.rows[id_]
        return Hit(
            item=row.item,
            document_name=row.document_name,
            rank=rank,
            height=ranked.height,
            why=found.why.get(id_, "rank"),
            modality=_modality(ranked.candidate),
            page_size=row.page_size,
            image_path=self._picture_path(row.item.image_sha256),
            legs=ranked.candidate.all_legs,
            look_alike_bits=found.bits.get(id_),
            also_in=found.places.get(id_, ()),
        )

    def _picture_path(self, digest: str | None) -> str | None:
        try:
            return str(self._files.picture_path(digest)) if digest else None
        except NotFoundError:  # its document is being deleted at this moment
            return None


def _modality(candidate: Candidate) -> Modality:
    if candidate.likeness:
        return "image"
    dense = {name: leg.z for name, leg in candidate.all_legs.items() if leg.z is not None}
    best = max(dense, key=lambda name: dense[name], default="text")
    return "image" if best == "image" else "text"


def _plain_ranks(ranked: Sequence[Ranked]) -> dict[UUID, int]:
    """Places by largest cosine of any leg: what a plain top-k would show."""
    best = {
        hit.candidate.id: max(
            (leg.cosine for leg in hit.candidate.all_legs.values() if leg.cosine is not None),
            default=None,
        )
        for hit in ranked
    }
    known = [(-cosine, id_.int, id_) for id_, cosine in best.items() if cosine is not None]
    return {id_: rank for rank, (_, _, id_) in enumerate(sorted(known), 1)}


class _Clock:
    """Milliseconds between marks."""

    def __init__(self) -> None:
        self.marks: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, name: str) -> None:
        now = time.perf_counter()
        self.marks[name] = round(1000 * (now - self._last), 1)
        self._last = now
