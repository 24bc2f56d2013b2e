"""Values of questions to the numbers of a set: means, ranges, by kind. Knows no library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from evals.metrics import (
    ALL,
    CEILING,
    LATENCY,
    LATENCY_WITH_MODEL,
    PICTURE_KEYS,
    RANK_KEYS,
    REFUSAL_KEYS,
    p95,
)
from evals.statistics import intervals, mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.run import Measured, Run
    from evals.sets import SetKind
    from evals.statistics import Floats, Interval

T = TypeVar("T")
Metrics = dict[str, float | None]
Ranges = dict[str, "Interval | None"]
# Always there, null where the set says nothing about it.
CONTRACT_KEYS = (*RANK_KEYS, *PICTURE_KEYS, *REFUSAL_KEYS, CEILING, LATENCY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The numbers of one run. A measure that the set says nothing about is None."""

    metrics: Metrics
    intervals: Ranges
    by_kind: dict[str, Metrics]
    by_kind_intervals: dict[str, Ranges]
    kind_counts: dict[str, int]


def summarise(run: Run) -> Summary:
    """Means over all questions and over those of each kind, with 95 % ranges.

    Questions are drawn one by one in beir sets and by whole documents in page sets.
    """
    kind = run.labelled.kind
    kinds = [] if kind == "beir" else list(dict.fromkeys(m.question.kind for m in run.measured))
    keys = mean_keys(kind)
    # One table for all: column blocks are all questions, then each kind.
    blocks = [_table(run.measured, keys, only) for only in (None, *kinds)]
    table = np.concatenate([values for values, _ in blocks], axis=1)
    weights = np.concatenate([heavy for _, heavy in blocks], axis=1)
    units = [unit_of(m.question.id, m.question.document, kind) for m in run.measured]
    ranges = intervals(table, units, weights)
    means = [mean(table[:, i], weights[:, i]) for i in range(table.shape[1])]
    names = ["", *kinds]
    metrics = {name: _block(means, keys, i) for i, name in enumerate(names)}
    spans = {name: _block(ranges, keys, i) for i, name in enumerate(names)}
    return Summary(
        metrics=dict.fromkeys(CONTRACT_KEYS) | metrics.pop("") | _latencies(run.measured, kind),
        intervals=spans.pop(""),
        by_kind=metrics,
        by_kind_intervals=spans,
        kind_counts={k: sum(m.question.kind == k for m in run.measured) for k in kinds},
    )


def mean_keys(kind: SetKind) -> tuple[str, ...]:
    """The measures that are means over questions, in the order they are shown."""
    if kind == "beir":
        return RANK_KEYS
    each = (*RANK_KEYS, *PICTURE_KEYS, *REFUSAL_KEYS)
    return (*each, CEILING, *(f"{key}{ALL}" for key in each))


def unit_of(question: str, document: str | None, kind: SetKind) -> str:
    """What is drawn together: a document's questions in page sets, else the question alone."""
    return f"question {question}" if kind == "beir" or document is None else document


def _table(
    measured: Sequence[Measured], keys: Sequence[str], only: str | None
) -> tuple[Floats, Floats]:
    """Values (n, m), NaN where there is none, and weights: a box counts once, not a question."""
    values = np.full((len(measured), len(keys)), np.nan)
    weights = np.ones_like(values)
    for row, each in enumerate(measured):
        if only is not None and each.question.kind != only:
            continue
        for column, key in enumerate(keys):
            value = each.values.get(key)
            values[row, column] = np.nan if value is None else value
            if key == CEILING:
                weights[row, column] = each.box_count
    return values, weights


def _block(flat: Sequence[T], keys: Sequence[str], number: int) -> dict[str, T]:
    return dict(zip(keys, flat[number * len(keys) : (number + 1) * len(keys)], strict=True))


def _latencies(measured: Sequence[Measured], kind: SetKind) -> Metrics:
    scopes = {"": [m.found for m in measured]}
    if kind == "pages":
        scopes[ALL] = [m.found_all for m in measured if m.found_all is not None]
    metrics: Metrics = {}
    for suffix, found in scopes.items():
        asked = [each for each in found if each.timings_ms]
        metrics[f"{LATENCY}{suffix}"] = p95([each.latency_ms for each in asked])
        metrics[f"{LATENCY_WITH_MODEL}{suffix}"] = p95(
            [each.latency_with_model_ms for each in asked]
        )
    return metrics
