"""Where the known source of a question stands: in Folio's order, by cosine, by keywords. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.types import PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from evals.questions import MadeQuestion
    from rag.types import Hit, Retrieval

DEPTH = 10  # places looked at; what stands further down counts as not found
SHOWN = 8  # results that a reader sees
SOURCE_DEPTH = 5
TOP = 5  # places a reader looks at


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One question with one embedder. Ranks are places in the order of their first hit, from 1."""

    embedder: str
    question: str  # its id
    rank: int | None  # of the right page, in Folio's order; None: not among the first 10
    plain: int | None  # the same by cosine alone
    keywords: int | None  # the same by keywords alone
    has_source: bool  # the very passage, table or figure is among the first 5 results
    stray_pictures: int  # pictures from elsewhere among the first 8 results
    ms: float
    first_document: str  # where the first result stands; "" when there was none
    first_page: int | None


def is_right(rank: int | None) -> bool:
    """Whether a rank is within what a reader looks at."""
    return rank is not None and rank <= TOP


def outcome_of(question: MadeQuestion, found: Retrieval, embedder: str, *, ms: float) -> Outcome:
    """What came of a question.

    Args:
        question: With its source.
        found: Explained, so that the other orders are known as well.
        embedder: Its name.
        ms: What the answer took.
    """
    first = found.hits[0] if found.hits else None
    shown = found.hits[:SHOWN]
    return Outcome(
        embedder=embedder,
        question=question.id,
        rank=place_of(question, _ours(found)),
        plain=place_of(question, _by_cosine(found)),
        keywords=place_of(question, _by_keywords(found)),
        has_source=any(hit.item.id == question.item_id for hit in shown[:SOURCE_DEPTH]),
        stray_pictures=sum(
            hit.item.kind in PICTURES and place_of(question, [hit]) is None for hit in shown
        ),
        ms=round(ms, 1),
        first_document=first.document_name if first else "",
        first_page=first.page_number if first else None,
    )


def place_of(question: MadeQuestion, hits: Iterable[Hit]) -> int | None:
    """The rank of the right place among distinct ones, None when it is not in the first 10.

    A hit stands for each of its pages; where there are no pages, for itself.
    """
    seen: dict[tuple[UUID, object], None] = {}
    right = _places(question.document_id, question.item_id, question.pages)
    for hit in hits:
        pages = tuple(dict.fromkeys(region.page_number for region in hit.item.regions))
        for place in _places(hit.item.document_id, hit.item.id, pages):
            seen.setdefault(place)
            if place in right:
                return len(seen) if len(seen) <= DEPTH else None
        if len(seen) >= DEPTH:
            return None
    return None


def _places(document: UUID, item: UUID, pages: Sequence[int]) -> list[tuple[UUID, object]]:
    return [(document, page) for page in pages] or [(document, item)]


def _ours(found: Retrieval) -> list[Hit]:
    """What is shown, then what would follow."""
    shown = {hit.item.id for hit in found.hits}
    considered = found.explanation.considered if found.explanation else ()
    rest = (one.hit for one in considered if one.fate != "same")
    return [*found.hits, *(hit for hit in rest if hit.item.id not in shown)]


def _by_cosine(found: Retrieval) -> list[Hit]:
    considered = found.explanation.considered if found.explanation else ()
    ranked = [(one.plain_rank, one.hit) for one in considered if one.plain_rank is not None]
    return [hit for _, hit in sorted(ranked, key=lambda pair: pair[0])]


def _by_keywords(found: Retrieval) -> list[Hit]:
    considered = found.explanation.considered if found.explanation else ()
    weighed = [
        (leg.weight, one.hit)
        for one in considered
        if (leg := one.hit.legs.get("keywords")) is not None and leg.weight is not None
    ]
    return [hit for _, hit in sorted(weighed, key=lambda pair: -pair[0])]
