"""What was found for one question, as measures see it: ranked hits and the places they stand at.

Knows retrievals and labels; no measure, no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evals.sets import ANSWER_WORDS, place
from rag.types import Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from evals.sets import Question, SetKind
    from rag.types import Hit, Kind, Retrieval

# Timings of `Retrieval` in which a model runs.
MODEL_STAGES = ("embed", "rerank")


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedHit:
    """One found item: enough of it to compute every measure again."""

    document: str
    kind: Kind
    regions: tuple[Region, ...] = ()  # empty for page-less formats
    anchor: str | None = None
    has_answer: bool = False  # page-less formats: it holds the words of the answer

    @property
    def pages(self) -> list[int]:
        """Each page it stands on, once, in reading order."""
        return list(dict.fromkeys(region.page_number for region in self.regions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The outcome of one search."""

    hits: tuple[RankedHit, ...] = ()  # those shown, then the other candidates
    shown: int = 0  # how many of them a user would see
    has_evidence: bool = False
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def latency_ms(self) -> float:
        """Without the model's time."""
        return sum(ms for stage, ms in self.timings_ms.items() if stage not in MODEL_STAGES)

    @property
    def latency_with_model_ms(self) -> float:
        return sum(self.timings_ms.values())


def found_by(retrieval: Retrieval, question: Question, names: Mapping[UUID, str]) -> Found:
    """A retrieval as a ranking deeper than what is shown.

    The hits shown come first; the other candidates follow in merged order, without those
    that say the same as one before them.

    Args:
        retrieval: Explained.
        question: What was asked.
        names: What the labels call each document.
    """
    hits = list(retrieval.hits)
    shown = {hit.item.id for hit in hits}
    if retrieval.explanation is not None:
        hits += [
            other.hit
            for other in retrieval.explanation.considered
            if other.fate != "same" and other.hit.item.id not in shown
        ]
    return Found(
        hits=tuple(_ranked(hit, question, names) for hit in hits),
        shown=len(retrieval.hits),
        has_evidence=retrieval.has_evidence,
        timings_ms=dict(retrieval.timings_ms),
    )


def _ranked(hit: Hit, question: Question, names: Mapping[UUID, str]) -> RankedHit:
    item = hit.item
    name = names.get(item.document_id, hit.document_name)
    words = _folded(question.words)
    is_asked = question.document is None or question.document == name
    return RankedHit(
        document=name,
        kind=item.kind,
        regions=item.regions,
        anchor=item.anchor,
        has_answer=bool(words) and is_asked and words in _folded(f"{item.text}\n{item.caption}"),
    )


def _folded(words: str) -> str:
    return " ".join(words.casefold().split())


def places_of(hit: RankedHit, kind: SetKind) -> list[str]:
    """The places a hit counts for, by the names that labels use: each of its pages."""
    if kind == "beir":
        return [hit.document]
    if hit.has_answer:
        return [ANSWER_WORDS]
    if not hit.pages:
        return [f"{hit.document}@{hit.anchor or ''}"]
    return [place(hit.document, page) for page in hit.pages]


def ranked_places(hits: Sequence[RankedHit], kind: SetKind) -> list[str]:
    """Distinct places in the order of their first hit: what recall counts in."""
    return list(dict.fromkeys(_places(hits, kind)))


def _places(hits: Sequence[RankedHit], kind: SetKind) -> Iterator[str]:
    for hit in hits:
        yield from places_of(hit, kind)
