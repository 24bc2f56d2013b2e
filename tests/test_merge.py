from __future__ import annotations

import math
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.merge import Candidate, bar, heights, keep_top, merge, rank_group
from rag.types import Group, LegScore


def candidate(number: int, group: Group, z: float, weight: float = 0.0) -> Candidate:
    legs = {"text" if group == "words" else "caption": LegScore(rank=1, cosine=0.1, z=z)}
    if weight:
        legs["keywords"] = LegScore(rank=1, weight=weight)
    return Candidate(id=uuid.UUID(int=number), group=group, legs=legs)


candidates = st.lists(
    st.tuples(
        st.sampled_from(["words", "pictures"]),
        st.floats(-3, 12, allow_nan=False),
        st.floats(0, 20, allow_nan=False),
    ),
    max_size=40,
).map(lambda rows: [candidate(i + 1, g, z, w) for i, (g, z, w) in enumerate(rows)])


def test_a_height_says_how_far_a_cosine_stands_out() -> None:
    sample = np.linspace(0.1, 0.3, 101, dtype=np.float32)
    levels = heights(np.array([0.2, 0.5], dtype=np.float32), sample)
    assert levels[0] == pytest.approx(0, abs=1e-4)
    assert levels[1] == pytest.approx(0.3 / sample.std(), rel=1e-3)


def test_a_few_hits_in_the_sample_hardly_change_what_is_usual() -> None:
    usual = np.random.default_rng(5).normal(0.2, 0.05, 250).astype(np.float32)
    with_hits = np.append(usual, np.full(6, 0.45, dtype=np.float32))
    score = np.array([0.45], dtype=np.float32)
    assert heights(score, with_hits)[0] == pytest.approx(heights(score, usual)[0], rel=0.1)


def test_one_other_vector_among_equal_ones_stands_out_by_a_bounded_height() -> None:
    sample = np.append(np.full(63, 0.5, dtype=np.float32), np.float32(0.7))
    assert 2 < heights(np.array([0.7], dtype=np.float32), sample)[0] < 20


def test_two_legs_of_different_cosines_share_a_scale() -> None:
    rng = np.random.default_rng(3)
    near = rng.normal(0.45, 0.05, 256).astype(np.float32)
    far = rng.normal(0.03, 0.01, 256).astype(np.float32)
    text = heights(np.array([0.60], dtype=np.float32), near)[0]
    picture = heights(np.array([0.08], dtype=np.float32), far)[0]
    assert picture > text  # 5 spreads out beats 3, though its cosine is far smaller


def test_equal_vectors_do_not_divide_by_zero() -> None:
    levels = heights(np.array([0.5], dtype=np.float32), np.full(64, 0.5, dtype=np.float32))
    assert levels[0] == 0


def test_a_small_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        heights(np.zeros(1, dtype=np.float32), np.zeros(63, dtype=np.float32))


def test_the_bar_rises_with_the_number_of_candidates() -> None:
    assert bar(10) < bar(10_000)
    assert bar(1) == 2.0
    assert bar(0) == math.inf


def test_keywords_reorder_a_group_but_keep_its_heights() -> None:
    ranked = rank_group(
        [candidate(1, "words", 5.0), candidate(2, "words", 4.0, weight=9.0)], weight=2.0
    )
    assert [hit.candidate.id.int for hit in ranked] == [2, 1]
    assert [hit.height for hit in ranked] == [5.0, 4.0]


def test_keywords_of_one_group_leave_the_other_where_it_was() -> None:
    words = [candidate(1, "words", 5.0, weight=30.0), candidate(2, "words", 1.0)]
    picture = candidate(3, "pictures", 3.0)
    assert [h.candidate.id.int for h in merge([*words, picture])] == [1, 3, 2]


def test_words_win_a_tie() -> None:
    order = merge([candidate(1, "pictures", 3.0), candidate(2, "words", 3.0)])
    assert [hit.candidate.group for hit in order] == ["words", "pictures"]


BARS: dict[Group, float] = {"words": 2.0, "pictures": 2.0}


def test_the_best_picture_takes_the_last_place_when_it_clears_its_bar() -> None:
    ranked = merge(
        [candidate(i, "words", 9.0 - i / 10) for i in range(1, 9)] + [candidate(9, "pictures", 3)]
    )
    kept, reserved = keep_top(ranked, top_k=5, bars=BARS)
    assert kept[-1].candidate.id.int == 9
    assert reserved == uuid.UUID(int=9)
    assert len(kept) == 5


def test_a_picture_below_its_bar_is_not_forced_in() -> None:
    ranked = merge(
        [candidate(i, "words", 9.0 - i / 10) for i in range(1, 9)] + [candidate(9, "pictures", 1)]
    )
    kept, reserved = keep_top(ranked, top_k=5, bars=BARS)
    assert reserved is None
    assert all(hit.candidate.group == "words" for hit in kept)


def test_many_pictures_give_way_only_to_words_that_clear_their_bar() -> None:
    pictures = [candidate(i, "pictures", 9.0 - i / 10) for i in range(1, 7)]
    weak = merge([*pictures, *(candidate(i, "words", 1.0) for i in range(10, 14))])
    strong = merge([*pictures, *(candidate(i, "words", 3.0) for i in range(10, 14))])
    asked, _ = keep_top(strong, top_k=6, bars=BARS, wants_picture=True)
    assert [h.candidate.group for h in keep_top(weak, top_k=6, bars=BARS)[0]] == ["pictures"] * 6
    kept = [h.candidate.group for h in keep_top(strong, top_k=6, bars=BARS)[0]]
    assert kept == ["pictures"] * 3 + ["words"] * 3
    assert [h.candidate.group for h in asked] == ["pictures"] * 6


@given(candidates)
def test_the_merge_neither_loses_nor_repeats_an_id(found: list[Candidate]) -> None:
    assert sorted(h.candidate.id for h in merge(found)) == sorted(c.id for c in found)


@given(candidates)
def test_without_keywords_a_group_keeps_the_order_of_its_cosines(found: list[Candidate]) -> None:
    bare = [candidate(c.id.int, c.group, c.dense) for c in found]
    for group in ("words", "pictures"):
        levels = [h.candidate.dense for h in merge(bare) if h.candidate.group == group]
        assert levels == sorted(levels, reverse=True)


@given(candidates, st.integers(1, 10))
def test_the_kept_hits_are_distinct_and_at_most_k(found: list[Candidate], top_k: int) -> None:
    kept, _ = keep_top(merge(found), top_k=top_k, bars=BARS)
    ids = [hit.candidate.id for hit in kept]
    assert len(set(ids)) == len(ids) == min(top_k, len(found))
