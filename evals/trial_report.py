"""Results of a trial to numbers with ranges, and to one sentence of advice. Pure.

A range of a share is Wilson's, not a bootstrap's: with every answer right the bootstrap
has no width at all, however few the questions. Differences are tested in pairs
(`evals.statistics`). What is drawn is the question: the library is the one that counts.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evals.metrics import p95
from evals.questions import KINDS
from evals.statistics import holm, randomisation_p

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evals.outcome import Outcome
    from evals.questions import MadeQuestion, QuestionKind
    from evals.trial import Cost
    from evals.trial_record import Found

TOP = 5  # places a reader looks at
FEW = 20  # questions; fewer cannot tell embedders apart
LEVEL = 0.05
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
    standings.sort(key=lambda one: (-one.right.hits, one.name != in_use, one.name))
    return Report(
        questions=tuple(found.questions),
        standings=tuple(standings),
        left_out=found.left_out,
        advice=_advice(standings, whole, in_use),
        outcomes=whole,
    )


def is_right(rank: int | None) -> bool:
    """Whether a rank is within what a reader looks at."""
    return rank is not None and rank <= TOP


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


# -- advice -----------------------------------------------------------------------------------


def _advice(
    standings: Sequence[Standing], outcomes: Mapping[str, Mapping[str, Outcome]], in_use: str
) -> str:
    if not standings:
        return ""
    best = standings[0]
    if best.right.count < FEW:
        return (
            f"Only {best.right.count} questions could be made from these documents, too few to "
            "choose a model by."
        )
    if len(standings) == 1:
        return (
            f"Only {best.name} was tested: it found the right page for {_of(best.right)} "
            "questions. Fetch another model to compare it with."
        )
    rival = next((one for one in standings if one.name == in_use), standings[1])
    if rival is best:
        return _stay(standings, outcomes)
    p_values = _p_values(rival, standings, outcomes)
    ranges = "their ranges overlap" if _overlap(best, rival) else "their ranges do not overlap"
    found = (
        f"{best.name} found the right page for {_of(best.right)} questions, {rival.name} for "
        f"{rival.right.hits}"
    )
    if p_values[best.name] < LEVEL:
        though = "although " if _overlap(best, rival) else "and "
        return (
            f"{best.name} suits these documents better than {rival.name}: {found}, {though}"
            f"{ranges} chance rarely makes such a difference (p = {p_values[best.name]:.3f})."
        ).replace("overlap chance", "overlap, chance")
    return (
        f"Nothing here speaks for another model than {rival.name}: {found}, {ranges}, and chance "
        "alone could make that difference."
    )


def _stay(standings: Sequence[Standing], outcomes: Mapping[str, Mapping[str, Outcome]]) -> str:
    best, others = standings[0], standings[1:]
    p_values = _p_values(best, standings, outcomes)
    worse = [one.name for one in others if p_values[one.name] < LEVEL]
    start = f"Stay with {best.name}: it found the right page for {_of(best.right)} questions, "
    second = others[0]
    if len(worse) == len(others):
        all_apart = not any(_overlap(best, other) for other in others)
        apart = (
            "no range of another model reaches its own"
            if all_apart
            else ("although ranges overlap, chance rarely makes such differences")
        )
        return f"{start}the next best, {second.name}, for {second.right.hits}; {apart}."
    even = [one.name for one in others if one.name not in worse]
    meeting = all(_overlap(best, one) for one in others if one.name in even)
    ranges = " their ranges overlap and" if meeting else ""
    return (
        f"{start}{second.name} for {second.right.hits};{ranges} these questions cannot tell "
        f"{best.name} from {_and(even)}."
    )


def _p_values(
    base: Standing, standings: Sequence[Standing], outcomes: Mapping[str, Mapping[str, Outcome]]
) -> dict[str, float]:
    """Of each other embedder against one, corrected for being several."""
    others = [one.name for one in standings if one is not base]
    ids = sorted(outcomes[base.name])
    found = [randomisation_p(_differences(outcomes, base.name, name, ids), ids) for name in others]
    corrected = holm([1.0 if p is None else p for p in found])
    return dict(zip(others, corrected, strict=True))


def _differences(
    outcomes: Mapping[str, Mapping[str, Outcome]], base: str, other: str, ids: Sequence[str]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(
        [
            float(is_right(outcomes[other][id_].rank)) - float(is_right(outcomes[base][id_].rank))
            for id_ in ids
        ]
    )


def _overlap(one: Standing, other: Standing) -> bool:
    (low, high), (low_other, high_other) = one.right.interval, other.right.interval
    return low <= high_other and low_other <= high


def _of(share: Share) -> str:
    return f"{share.hits} of {share.count}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
