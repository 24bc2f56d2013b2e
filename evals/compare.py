"""Two runs over the same questions: paired differences, ranges and tests. Knows run files only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.metrics import ALL, CEILING, PICTURE_KEYS, RANK_KEYS
from evals.record import read_run
from evals.statistics import holm, intervals, mean, randomisation_p
from rag.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from evals.statistics import Floats, Interval

# Fixed before anybody looks; more measures cost each of them significance (Holm).
COMPARED = (*RANK_KEYS, *PICTURE_KEYS, CEILING)
# Ratios over questions that differ between runs cannot be paired.
UNPAIRED = ("refusal_precision",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One measure: B minus A over the questions that have it in both runs."""

    measure: str
    a: float
    b: float
    difference: float
    interval: Interval | None
    p: float
    p_holm: float
    questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Run B against run A."""

    a: str
    b: str
    shared: int  # questions in both
    only_a: int
    only_b: int
    differences: tuple[Difference, ...]


def compare(first: Path, second: Path, measures: Sequence[str] = ()) -> Comparison:
    """Paired differences of two runs, over the questions they share.

    Args:
        first: Folder or `run.json` of run A.
        second: Of run B.
        measures: Which; empty: those inside the document, as far as both runs have them.

    Raises:
        ConfigError: One is no run, they share no question, or a measure is in neither.
    """
    (result_a, rows_a), (result_b, rows_b) = read_run(first), read_run(second)
    a, b = {row["id"]: row for row in rows_a}, {row["id"]: row for row in rows_b}
    shared = [id_ for id_ in a if id_ in b and _asks_the_same(a[id_], b[id_])]
    if not shared:
        raise ConfigError(
            f"The runs share no question: {first} is on {result_a.get('set')}, "
            f"{second} on {result_b.get('set')}. Compare two runs on the same set."
        )
    pairs = [(a[id_], b[id_]) for id_ in shared]
    return Comparison(
        a=str(result_a.get("embedder")),
        b=str(result_b.get("embedder")),
        shared=len(shared),
        only_a=len(a) - len(shared),
        only_b=len(b) - len(shared),
        differences=_differences(pairs, measures),
    )


def _asks_the_same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Ids such as "1" occur in every set; the question and its answer make it the same one."""
    return all(a.get(key) == b.get(key) for key in ("question", "document", "relevant"))


def _differences(
    pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]], measures: Sequence[str]
) -> tuple[Difference, ...]:
    wanted = measures or COMPARED
    known = {key for a, b in pairs for key in a["values"] if key in b["values"]}
    if unknown := [key for key in measures if key not in known or _base(key) in UNPAIRED]:
        raise ConfigError(
            f"{unknown[0]} cannot be compared. Both runs have: {', '.join(sorted(known))}."
        )
    units = [str(a["unit"]) for a, _ in pairs]
    rows = []
    for key in wanted:
        values = np.array([[_number(run, key) for run in pair] for pair in pairs])
        both = ~np.isnan(values).any(axis=1)
        if both.any():
            rows.append((key, np.where(both[:, None], values, np.nan), _weights(pairs, key)))
    p_values = [_p(values, weights, units) for _, values, weights in rows]
    return tuple(
        _difference(key, values, weights, units, p, corrected)
        for (key, values, weights), p, corrected in zip(rows, p_values, holm(p_values), strict=True)
    )


def _difference(
    key: str, values: Floats, weights: Floats, units: Sequence[str], p: float, corrected: float
) -> Difference:
    change = values[:, 1] - values[:, 0]
    return Difference(
        measure=key,
        a=mean(values[:, 0], weights) or 0.0,
        b=mean(values[:, 1], weights) or 0.0,
        difference=mean(change, weights) or 0.0,
        interval=intervals(change[:, None], units, weights[:, None])[0],
        p=p,
        p_holm=corrected,
        questions=int((~np.isnan(change)).sum()),
    )


def _p(values: Floats, weights: Floats, units: Sequence[str]) -> float:
    return randomisation_p((values[:, 1] - values[:, 0]) * weights, units) or 1.0


def _weights(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]], key: str) -> Floats:
    if key != CEILING:
        return np.ones(len(pairs))
    return np.array([float(a.get("box_count") or 0) for a, _ in pairs])


def _number(row: dict[str, Any], key: str) -> float:
    value = row["values"].get(key)
    return float(value) if isinstance(value, int | float) else float("nan")


def _base(key: str) -> str:
    return key.removesuffix(ALL)
