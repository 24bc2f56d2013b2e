"""Legs to one list. Pure: knows ids, cosines and ranks, nothing of vectors or Qdrant.

A joint space puts every text above every picture. What legs have in common is how
far a hit stands out from that leg's usual cosine, so that is what is compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from rag.types import Group, LegName, LegScore

Array = NDArray[np.float32]

MIN_SAMPLE = 64
# Where a sample is clipped, in robust deviations. Cranfield, gap 0, samples of 256: median and
# MAD alone cost 0.011 nDCG@10, clipped at 2 0.005, not clipped 0.003 (docs/decisions/0007).
CLIP_DEVIATIONS = 2.0
LEAST_SPREAD = 0.001
# What the best keyword hit of a group adds to its dense height, and how fast that falls for
# the others. 2026-11-25, Cranfield nDCG@10 of the mixed list / dev pages R@5, MiniLM: weights
# 2 and 1, power 1: 0.561 / 0.698; 4 and 1, power 2: 0.572 / 0.716 (one question of the dev
# pages is 0.016). Within 0.004 on Cranfield from 3 to 6 and from 1.5 to 2.
KEYWORD_WEIGHT: Mapping[Group, float] = {"words": 4.0, "pictures": 1.0}
KEYWORD_POWER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A point that at least one leg found."""

    id: UUID
    group: Group
    legs: Mapping[LegName, LegScore] = field(default_factory=dict)
    pictured: Mapping[LegName, LegScore] = field(default_factory=dict)  # by the question's picture
    likeness: float | None = None  # z of its own picture as the question's picture again

    @property
    def dense(self) -> float:
        """The largest z of its dense legs; minus infinity when only keywords know it.

        With a picture in the question it counts too, as a second, independent test.
        """
        said, seen = _largest(self.legs), self.looks
        if math.isfinite(said) and math.isfinite(seen):
            return (said + seen) / math.sqrt(2)
        return max(said, seen)

    @property
    def looks(self) -> float:
        """How far it stands out by the question's picture; minus infinity without one."""
        return max(_largest(self.pictured), -math.inf if self.likeness is None else self.likeness)

    @property
    def all_legs(self) -> Mapping[LegName, LegScore]:
        """Each leg as words or picture saw it, whichever it stands out more by."""
        better = {
            name: leg
            for name, leg in self.pictured.items()
            if name not in self.legs or (leg.z or 0.0) > (self.legs[name].z or 0.0)
        }
        return {**self.legs, **better}

    @property
    def keyword(self) -> float:
        """Its BM25 weight, 0 when no keyword leg found it."""
        leg = self.legs.get("keywords")
        return (leg.weight or 0.0) if leg else 0.0


def _largest(legs: Mapping[LegName, LegScore]) -> float:
    return max((leg.z for leg in legs.values() if leg.z is not None), default=-math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A candidate with the height it was merged by."""

    candidate: Candidate
    height: float


def heights(scores: Array, sample: Array) -> Array:
    """Cosines of one leg on a scale that legs share: robust z-scores.

    Args:
        scores: float32 (n,), cosines of this question with the leg's candidates.
        sample: float32 (m,), cosines of the same question with m >= 64 fixed
            vectors of the leg; need not contain the candidates.

    Returns:
        float32 (n,), dimensionless, order kept; 0 is the sample's clipped mean.

    Raises:
        ValueError: If sample has fewer than 64 values.

    Source: similarity standardisation, arXiv 2511.22141, over a sample clipped at 2 robust
    deviations: relevant hits sit in the tail, and median and MAD alone are too noisy for
    some hundred values. Never under half of the plain deviation: among near-equal vectors a single
    other one would stand out without bound.
    """
    if len(sample) < MIN_SAMPLE:
        raise ValueError(f"a sample of {len(sample)} cosines is too small to calibrate by")
    median = float(np.median(sample))
    reach = CLIP_DEVIATIONS * 1.4826 * float(np.median(np.abs(sample - median)))
    usual = np.clip(sample, median - reach, median + reach)
    spread = max(float(usual.std()), float(sample.std()) / 2, LEAST_SPREAD)
    return ((scores - float(usual.mean())) / spread).astype(np.float32)


def bar(candidates_in_scope: int) -> float:
    """The height a hit must pass to count as evidence, for a group of n items.

    The largest of n draws of noise grows like sqrt(2 ln n): a fixed z >= 3 can never be
    reached by 10 pictures and always is by 10,000 (design.md 5, step 8).
    """
    if candidates_in_scope < 1:
        return math.inf
    return max(2.0, math.sqrt(2 * math.log(candidates_in_scope)) + 0.3)


def rank_group(candidates: Iterable[Candidate], weight: float) -> list[Ranked]:
    """Order one group by d + w * keywords, then give the i-th hit the i-th largest d.

    Keywords change the order inside a group, never its share of the merged list. They count
    by the square of their share of the best: half of the words by chance is common.
    """
    found = [(candidate, candidate.dense, candidate.keyword) for candidate in candidates]
    best = max((keyword for _, _, keyword in found), default=0.0) or 1.0

    def place(one: tuple[Candidate, float, float]) -> tuple[float, float, int]:
        candidate, dense, keyword = one
        return -(dense + weight * (keyword / best) ** KEYWORD_POWER), -keyword, candidate.id.int

    ordered = sorted(found, key=place)
    levels = sorted((dense for _, dense, _ in found), reverse=True)
    return [
        Ranked(candidate=candidate, height=level)
        for (candidate, _, _), level in zip(ordered, levels, strict=True)
    ]


def merge(candidates: Sequence[Candidate]) -> list[Ranked]:
    """Both groups in one list by height; ties go to words, then to the smaller id."""
    ranked = [
        hit
        for group, weight in KEYWORD_WEIGHT.items()
        for hit in rank_group((c for c in candidates if c.group == group), weight)
    ]
    # Stable: inside a group the order of rank_group stays where heights are equal.
    order = {id(hit): i for i, hit in enumerate(ranked)}
    return sorted(
        ranked,
        key=lambda hit: (-hit.height, hit.candidate.group != "words", order[id(hit)]),
    )


def keep_top(
    ranked: Sequence[Ranked],
    *,
    top_k: int,
    bars: Mapping[Group, float],
    wants_picture: bool = False,
) -> tuple[list[Ranked], UUID | None]:
    """The first k under the soft quota for pictures (design.md 5, step 9).

    No picture among them and the best one clears its bar: it takes the last place.
    More than 3 pictures (6 when the question asks for one) give way, but only to
    words that clear their bar.

    Returns:
        The kept hits in order, and the id that came in by the reserve, if any.
    """
    kept = _limit_pictures(ranked, top_k, bars["words"], most=6 if wants_picture else 3)
    return _reserve(kept, ranked, top_k, bars["pictures"])


def _limit_pictures(
    ranked: Sequence[Ranked], top_k: int, word_bar: float, *, most: int
) -> list[Ranked]:
    kept, rest = list(ranked[:top_k]), ranked[top_k:]
    surplus = [hit for hit in kept if hit.candidate.group == "pictures"][most:]
    waiting = [h for h in rest if h.candidate.group == "words" and h.height >= word_bar]
    count = min(len(surplus), len(waiting))
    leaving = surplus[len(surplus) - count :]
    return [hit for hit in kept if hit not in leaving] + waiting[:count]


def _reserve(
    kept: list[Ranked], ranked: Sequence[Ranked], top_k: int, picture_bar: float
) -> tuple[list[Ranked], UUID | None]:
    pictures = [hit for hit in ranked if hit.candidate.group == "pictures"]
    shown = any(hit.candidate.group == "pictures" for hit in kept)
    if shown or not pictures or pictures[0].height < picture_bar or top_k < 2:
        return kept, None
    return [*kept[: top_k - 1], pictures[0]], pictures[0].candidate.id
