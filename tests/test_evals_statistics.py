"""Ranges and tests: known answers, edges, and that documents are drawn whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from evals.statistics import holm, intervals, mean, randomisation_p

NAN = float("nan")


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def names(count: int) -> list[str]:
    return [f"q{i}" for i in range(count)]


def test_the_range_of_a_mean_agrees_with_theory() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.2, 400)
    (low, high), *_ = intervals(values[:, None], names(400))
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.002)
    assert high == pytest.approx(values.mean() + half, abs=0.002)


def test_questions_of_one_document_are_drawn_together() -> None:
    values = column(*[1.0] * 50, *[0.0] * 50)
    alone = intervals(values, names(100))[0]
    together = intervals(values, ["a"] * 50 + ["b"] * 50)[0]
    assert together == (0.0, 1.0), "two documents that disagree say nothing"
    assert alone is not None
    assert alone[0] > 0.38
    assert alone[1] < 0.62


def test_columns_are_independent_of_each_other_and_of_missing_values() -> None:
    values = np.array([[1.0, NAN, NAN], [0.0, 1.0, NAN], [1.0, 1.0, NAN], [NAN, 1.0, 0.5]])
    found = intervals(values, names(4))
    assert found[0] is not None
    assert found[0][0] < found[0][1]
    assert found[1] == (1.0, 1.0), "all equal"
    assert found[2] is None, "one value has no range"


def test_nothing_at_all_has_no_range_and_no_mean() -> None:
    assert intervals(np.zeros((0, 2)), []) == [None, None]
    assert intervals(column(NAN, NAN), names(2)) == [None]
    assert mean(np.array([NAN])) is None
    assert mean(np.zeros(0)) is None
    assert randomisation_p(np.zeros(0), []) is None
    assert randomisation_p(np.array([NAN]), ["a"]) is None


def test_a_weight_counts_as_often_as_it_says() -> None:
    values, weights = np.array([1.0, 0.0]), np.array([3.0, 1.0])
    assert mean(values, weights) == 0.75
    assert mean(values, np.zeros(2)) is None


def test_ranges_are_the_same_each_time() -> None:
    values = np.random.default_rng(2).random((30, 3))
    assert intervals(values, names(30)) == intervals(values, names(30))


def test_the_randomisation_test_agrees_with_counting_all_signs() -> None:
    differences = np.random.default_rng(3).normal(0.3, 0.6, 10)
    observed = abs(differences.sum())
    signs = itertools.product((-1, 1), repeat=10)
    exact = np.mean([abs(np.dot(s, differences)) >= observed - 1e-12 for s in signs])
    assert randomisation_p(differences, names(10)) == pytest.approx(exact, abs=0.015)


def test_a_whole_document_gets_one_sign() -> None:
    differences = np.full(60, 0.1)
    assert randomisation_p(differences, names(60)) == pytest.approx(1 / 10_001)
    few = randomisation_p(differences, ["a"] * 20 + ["b"] * 20 + ["c"] * 20)
    assert few == pytest.approx(2 / 2**3, abs=0.02)
    assert randomisation_p(differences, ["a"] * 60) == 1.0


def test_no_difference_is_not_significant() -> None:
    assert randomisation_p(np.zeros(20), names(20)) == 1.0


def test_many_questions_fit_in_memory() -> None:
    values = np.random.default_rng(4).random((5_000, 1))
    (low, high), *_ = intervals(values, names(5_000))
    assert low < values.mean() < high


def test_holm_multiplies_the_smallest_by_all_and_never_swaps_an_order() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
