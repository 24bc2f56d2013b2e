"""Which embedder to use, in one sentence that is honest about chance. Pure.

Differences are tested in pairs over questions, corrected for being several
(`evals.statistics`). First places decide: keywords bring nearly every right page of such
questions among the first five, whatever the embedder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evals.outcome import is_right
from evals.statistics import holm, randomisation_p

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evals.outcome import Outcome
    from evals.trial_report import Share, Standing

FEW = 20  # questions; fewer cannot tell embedders apart
LEVEL = 0.05


def advise(
    standings: Sequence[Standing], outcomes: Mapping[str, Mapping[str, Outcome]], in_use: str
) -> str:
    """One sentence; "" without results.

    Args:
        standings: Best first.
        outcomes: Embedder -> question -> what came of it.
        in_use: The embedder that answers now.
    """
    if not standings:
        return ""
    best = standings[0]
    if best.first.count < FEW:
        return (
            f"Only {best.first.count} questions could be made from these documents, too few to "
            "choose a model by."
        )
    if len(standings) == 1:
        return (
            f"Only {best.name} was tested: it puts the right page first for {_of(best.first)} "
            "questions. Fetch another model to compare it with."
        )
    used = next((one for one in standings if one.name == in_use), standings[1])
    if used is best:
        return _stay(best, standings[1:], outcomes)
    return _change(best, used, standings, outcomes)


def _change(
    best: Standing,
    used: Standing,
    standings: Sequence[Standing],
    outcomes: Mapping[str, Mapping[str, Outcome]],
) -> str:
    others = [one for one in standings if one is not used]
    p_value = _p_values(used, others, outcomes, _is_first)[best.name]
    found = (
        f"{best.name} puts the right page first for {_of(best.first)} questions, {used.name} "
        f"for {used.first.hits}"
    )
    if p_value < LEVEL:
        how = "although their ranges overlap" if _overlap(best, used) else "their ranges are apart"
        return (
            f"{best.name} suits these documents better than {used.name}: {found}; {how}, and "
            f"chance rarely makes such a difference (p = {max(p_value, 0.001):.3f})."
        )
    return (
        f"Nothing here speaks for another model than {used.name}: {found}, and chance alone could "
        f"make that difference{_ranges(best, used)}{_by_cosine(best, used, outcomes)}."
    )


def _stay(
    best: Standing, others: Sequence[Standing], outcomes: Mapping[str, Mapping[str, Outcome]]
) -> str:
    p_values = _p_values(best, others, outcomes, _is_first)
    even = [one for one in others if p_values[one.name] >= LEVEL]
    second = others[0]
    start = (
        f"Stay with {best.name}: it puts the right page first for {_of(best.first)} questions, "
        f"{second.name} for {second.first.hits}"
    )
    if not even:
        apart = not any(_overlap(best, one) for one in others)
        how = "no range of another model reaches its own" if apart else "although ranges overlap"
        return f"{start}; {how}, and chance rarely makes such differences."
    cosine = _by_cosine(best, even[0], outcomes)
    return (
        f"{start}; these questions cannot tell {best.name} from "
        f"{_and([one.name for one in even])}{_ranges(best, *even)}{cosine}."
    )


def _ranges(best: Standing, *others: Standing) -> str:
    return ", their ranges overlap" if all(_overlap(best, one) for one in others) else ""


def _by_cosine(
    best: Standing, other: Standing, outcomes: Mapping[str, Mapping[str, Outcome]]
) -> str:
    """What is left without keywords, where that differs: people ask in other words."""
    p_value = _p_values(other, [best], outcomes, _is_right_by_cosine)[best.name]
    if p_value >= LEVEL:
        return ""
    better = best if best.plain.hits > other.plain.hits else other
    return (
        f"; by cosine alone {best.name} finds {best.plain.hits} and {other.name} "
        f"{other.plain.hits}, so questions in other words should suit {better.name} more"
    )


def _p_values(
    base: Standing,
    others: Sequence[Standing],
    outcomes: Mapping[str, Mapping[str, Outcome]],
    succeeds: Callable[[Outcome], bool],
) -> dict[str, float]:
    """Of each other embedder against one, corrected for being several."""
    ids = sorted(outcomes[base.name])
    found = []
    for other in others:
        pairs = [(outcomes[other.name][id_], outcomes[base.name][id_]) for id_ in ids]
        differences = np.array([float(succeeds(a)) - float(succeeds(b)) for a, b in pairs])
        found.append(randomisation_p(differences, ids))
    corrected = holm([1.0 if p is None else p for p in found])
    return {other.name: p for other, p in zip(others, corrected, strict=True)}


def _is_first(outcome: Outcome) -> bool:
    return outcome.rank == 1


def _is_right_by_cosine(outcome: Outcome) -> bool:
    return is_right(outcome.plain)


def _overlap(one: Standing, other: Standing) -> bool:
    (low, high), (low_other, high_other) = one.first.interval, other.first.interval
    return low <= high_other and low_other <= high


def _of(share: Share) -> str:
    return f"{share.hits} of {share.count}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
