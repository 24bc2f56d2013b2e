"""Results of a trial to numbers with ranges. Pure.

A range of a share is Wilson's, not a bootstrap's: with every answer right the bootstrap
has no width at all, however few the questions. What is drawn is the question: the library
is the one that counts.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evals.advice import advise
from evals.metrics import p95
from evals.outcome import is_right
from evals.questions import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evals.outcome import Outcome
    from evals.questions import MadeQuestion, QuestionKind
    from evals.trial import Cost
    from evals.trial_record import Found

_Z = 1.959964  # of 95 % in a normal distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many, with its 95 % range; all 0 when nothing was asked."""

    hits: int
    count: int

    @property
    def value(self) -> float:
        """Between 0 and 1."""
        return self.hits / self.count if self.count else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval, 1927; (0, 1) when nothing was asked."""
        if not self.count:
            return (0.0, 1.0)
        n, p, z = self.count, self.value, _Z
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (max(0.0, centre - half), min(1.0, centre + half))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one embedder did."""

    name: str
    right: Share  # the right page among the first 5 places
    first: Share  # the right page in the first place: what tells models apart
    by_kind: Mapping[QuestionKind, Share]  # kinds that were asked about only
    plain: Share  # the same in plain cosine order
    keywords: Share
    keywords_by_kind: Mapping[QuestionKind, Share]
    sources: Share  # the very table or figure among the first 5 results, of those kinds
    stray_pictures: float | None  # a text question, among 8 results; None without any
    ranks: Mapping[int, int]  # rank 1 to 10 -> questions; those not found are left out
    p95_ms: float
    cost: Cost | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the page shows."""

    questions: tuple[MadeQuestion, ...]
    standings: tuple[Standing, ...]  # best first
    left_out: Mapping[str, str]
    advice: str
    outcomes: Mapping[str, Mapping[str, Outcome]]  # embedder -> question id -> outcome


def report_of(found: Found, *, in_use: str) -> Report:
    """Numbers of every embedder that has had all questions.

    Args:
        found: What is kept.
        in_use: The embedder that answers now.
    """
    by_embedder: dict[str, dict[str, Outcome]] = {}
    for outcome in found.outcomes:
        by_embedder.setdefault(outcome.embedder, {})[outcome.question] = outcome
    ids = {question.id for question in found.questions}
    whole = {name: own for name, own in by_embedder.items() if ids and ids <= set(own)}
    standings = [
        _standing(name, found.questions, own, found.costs.get(name)) for name, own in whole.items()
    ]
    standings.sort(key=lambda one: (-one.first.hits, -one.right.hits, one.name != in_use, one.name))
    return Report(
        questions=tuple(found.questions),
        standings=tuple(standings),
        left_out=found.left_out,
        advice=advise(standings, whole, in_use),
        outcomes=whole,
    )


def _standing(
    name: str,
    questions: Sequence[MadeQuestion],
    outcomes: Mapping[str, Outcome],
    cost: Cost | None,
) -> Standing:
    everything = [outcomes[question.id] for question in questions]
    kinds = {
        kind: [outcomes[question.id] for question in questions if question.kind == kind]
        for kind in KINDS
    }
    asked = {kind: own for kind, own in kinds.items() if own}
    texts = kinds["text"]
    return Standing(
        name=name,
        right=_share(everything, lambda one: one.rank),
        first=Share(hits=sum(one.rank == 1 for one in everything), count=len(everything)),
        by_kind={kind: _share(own, lambda one: one.rank) for kind, own in asked.items()},
        plain=_share(everything, lambda one: one.plain),
        keywords=_share(everything, lambda one: one.keywords),
        keywords_by_kind={kind: _share(o, lambda one: one.keywords) for kind, o in asked.items()},
        sources=Share(
            hits=sum(one.has_source for one in kinds["table"] + kinds["figure"]),
            count=len(kinds["table"] + kinds["figure"]),
        ),
        stray_pictures=sum(one.stray_pictures for one in texts) / len(texts) if texts else None,
        ranks=Counter(one.rank for one in everything if one.rank is not None),
        p95_ms=p95([one.ms for one in everything]) or 0.0,
        cost=cost,
    )


def _share(outcomes: Sequence[Outcome], rank: Callable[[Outcome], int | None]) -> Share:
    return Share(hits=sum(is_right(rank(one)) for one in outcomes), count=len(outcomes))
