"""Checks S1-S8 of the modality gap, simulated on Cranfield with real MiniLM vectors.

Numbers are of a simulation: no real picture tower is in it. The soak run takes all of
Cranfield, the others a quarter of its questions.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rag.background import BUILT_IN_WEIGHT, SAMPLE_SIZE, blend
from rag.embed import load_embedder
from rag.merge import Candidate, Ranked, bar, heights, keep_top, merge
from rag.settings import EmbedSettings
from rag.types import Group, LegScore
from tests.gap_simulation import (
    NO_GAP,
    RARE,
    SHIFTED,
    WEAK,
    Judged,
    Setting,
    Shelf,
    World,
    calibrated,
    mean_score,
    ndcg,
    plain_cosine,
    read_cranfield,
    shelve,
    simulate,
    unit,
)

SEEDS = (0, 1, 2)


def read(shared: Path, config: pytest.Config, step: int) -> Judged:
    embedder = load_embedder(EmbedSettings(model="minilm"))
    kept = config.cache.mkdir("cranfield-vectors")
    return read_cranfield(
        shared / "evaldata" / "cranfield", embedder.text, embedder.text_identity, kept, step
    )


@pytest.fixture(scope="session")
def judged(shared: Path, request: pytest.FixtureRequest) -> Judged:
    return read(shared, request.config, 4)


@pytest.fixture
def shelves(tmp_path: Path) -> Iterator[Shelves]:
    made = Shelves(tmp_path)
    yield made
    made.close()


class Shelves:
    """Real libraries of worlds, closed at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: list[Shelf] = []

    def put(self, world: World, only: Sequence[int] | None = None) -> Shelf:
        folder = self._folder / str(len(self._open))
        folder.mkdir()
        self._open.append(shelve(world, folder, only))
        return self._open[-1]

    def close(self) -> None:
        for shelf in self._open:
            shelf.close()


# ---------------------------------------------------------------- S1 and S2: order


@pytest.mark.parametrize("setting", [SHIFTED, WEAK], ids=["shifted", "weak and shifted"])
def test_calibrated_order_beats_plain_cosine_where_there_is_a_gap(
    judged: Judged, setting: Setting
) -> None:
    ours = mean_score(judged, setting, SEEDS, calibrated)
    plain = mean_score(judged, setting, SEEDS, plain_cosine)
    assert ours.ndcg >= plain.ndcg + 0.05
    assert ours.balanced >= plain.balanced + 0.05
    assert abs(ours.share - setting.share) <= 0.1


def test_rare_pictures_cost_the_texts_nothing(judged: Judged) -> None:
    ours = mean_score(judged, RARE, SEEDS, calibrated)
    plain = mean_score(judged, RARE, SEEDS, plain_cosine)
    assert ours.ndcg >= plain.ndcg - 0.005
    assert abs(ours.share - RARE.share) <= 0.1


def test_where_there_is_no_gap_calibration_does_no_harm(judged: Judged) -> None:
    ours = mean_score(judged, NO_GAP, SEEDS, calibrated)
    plain = mean_score(judged, NO_GAP, SEEDS, plain_cosine)
    assert ours.ndcg >= plain.ndcg - 0.01


@pytest.mark.soak
@pytest.mark.parametrize("setting", [SHIFTED, WEAK, RARE, NO_GAP], ids=str)
def test_the_order_holds_on_all_of_cranfield(
    shared: Path, request: pytest.FixtureRequest, setting: Setting
) -> None:
    everything = read(shared, request.config, 1)
    ours = mean_score(everything, setting, range(5), calibrated)
    plain = mean_score(everything, setting, range(5), plain_cosine)
    least = {SHIFTED: 0.05, WEAK: 0.05, RARE: -0.005, NO_GAP: -0.01}[setting]
    assert ours.ndcg >= plain.ndcg + least
    if least > 0:
        assert ours.balanced >= plain.balanced + 0.05
    assert abs(ours.share - setting.share) <= 0.1


# ---------------------------------------------------------------- S3: unbalanced and odd


@pytest.mark.parametrize("share", [0.02, 0.15, 0.5, 0.98])
def test_the_share_of_pictures_follows_the_library(
    judged: Judged, shelves: Shelves, share: float
) -> None:
    world = simulate(judged, replace(WEAK, share=share), seed=1)
    shelf = shelves.put(world)
    merged = [first_merged(shelf, question) for question in judged.questions]
    assert all(len(first) == 10 for first in merged)
    seen = float(np.mean([world.is_picture[first] for first in merged]))
    assert abs(seen - share) <= 0.1


def first_merged(shelf: Shelf, question: str) -> list[int]:
    """The first ten by height alone, before the quota; found by vectors only."""
    found = shelf.retriever.retrieve(
        question, top_k=10, only=("text", "image", "caption"), explain=True
    ).explanation
    assert found is not None
    by_rank = sorted(found.considered, key=lambda each: each.merged_rank)
    return [shelf.numbers[each.hit.item.id] for each in by_rank[:10]]


@pytest.mark.parametrize("count", [1, 10])
def test_few_pictures_do_not_push_out_the_texts(
    judged: Judged, shelves: Shelves, count: int
) -> None:
    world = simulate(judged, replace(WEAK, share=count / len(judged.texts)), seed=2)
    texts = np.flatnonzero(~world.is_picture).tolist()
    mixed, alone = shelves.put(world), shelves.put(world, texts)
    assert text_loss(world, mixed, alone) <= 0.01


def text_loss(world: World, mixed: Shelf, alone: Shelf) -> float:
    """NDCG@10 of texts without pictures in the library minus with them.

    A right picture neither counts nor costs a place.
    """
    lost = []
    for question, grades in zip(world.judged.questions, world.judged.grades, strict=True):
        right = {d for d in grades if world.is_picture[d]}
        of_texts = {d: g for d, g in grades.items() if d not in right}
        shown = [d for d in mixed.first(question, 10 + len(right)) if d not in right]
        lost.append(ndcg(alone.first(question), of_texts) - ndcg(shown, of_texts))
    return float(np.mean(lost))


def test_a_single_picture_is_shown_to_those_who_ask_for_it(
    judged: Judged, shelves: Shelves
) -> None:
    shown, strangers = [], []
    for number, grades in list(enumerate(judged.grades))[:6]:
        right = max(grades, key=lambda d: grades[d])
        world = only_picture(judged, right)
        shelf = shelves.put(world)
        shown.append(right in shelf.first(judged.questions[number], 8))
        others = [q for q, g in zip(judged.questions, judged.grades, strict=True) if right not in g]
        strangers += [right in shelf.first(question, 8) for question in others[:8]]
    assert np.mean(shown) >= 0.5
    assert np.mean(strangers) <= 0.3


def only_picture(judged: Judged, number: int) -> World:
    world = simulate(judged, replace(SHIFTED, share=1.0), seed=3)
    vectors = judged.documents.copy()
    vectors[number] = world.vectors[number]
    is_picture = np.zeros(len(vectors), dtype=bool)
    is_picture[number] = True
    return replace(world, vectors=vectors, is_picture=is_picture)


@pytest.mark.parametrize("pictures", [0, 1, 5, 40], ids="{} pictures".format)
@pytest.mark.parametrize("texts", [0, 1, 5, 100], ids="{} texts".format)
def test_every_small_library_answers_with_all_it_has(
    judged: Judged, shelves: Shelves, texts: int, pictures: int
) -> None:
    world = first_are_pictures(judged, pictures)
    shelf = shelves.put(world, range(40 - pictures, 40 + texts))
    shown = shelf.first(judged.questions[0], 8)
    assert len(shown) == len(set(shown)) == min(8, texts + pictures)


def first_are_pictures(judged: Judged, pictures: int) -> World:
    world = simulate(judged, replace(WEAK, share=1.0), seed=4)
    is_picture = np.zeros(len(judged.texts), dtype=bool)
    is_picture[40 - pictures : 40] = True
    vectors = np.where(is_picture[:, None], world.vectors, judged.documents)
    return replace(world, vectors=vectors, is_picture=is_picture)


@pytest.mark.parametrize("same", ["pictures", "everything"])
def test_equal_vectors_break_nothing(judged: Judged, shelves: Shelves, same: str) -> None:
    world = first_are_pictures(judged, 12)
    vectors = world.vectors.copy()
    vectors[world.is_picture if same == "pictures" else slice(None)] = world.vectors[28]
    shelf = shelves.put(replace(world, vectors=vectors), range(28, 200))
    for question in judged.questions[:5]:
        hits = shelf.retriever.retrieve(question, top_k=8).hits
        assert len(hits) == 8
        assert all(math.isfinite(hit.height) for hit in hits)


def test_one_other_picture_among_equal_ones_has_no_absurd_height(
    judged: Judged, shelves: Shelves
) -> None:
    world = first_are_pictures(judged, 12)
    vectors = world.vectors.copy()
    vectors[28:39] = world.vectors[28]
    shelf = shelves.put(replace(world, vectors=vectors), range(28, 200))
    for question in judged.questions[:10]:
        hits = shelf.retriever.retrieve(question, top_k=8).hits
        assert max(hit.height for hit in hits if hit.item.kind == "text") > 0
        assert all(hit.height < 12 for hit in hits)


@pytest.mark.parametrize("count", [0, 1, 2, 10, 31, 62, 63])
def test_a_small_sample_is_filled_up_and_its_own_vectors_weigh_most(count: int) -> None:
    stored = [np.full(4, 0.5, dtype=np.float32)] * count
    sample = blend(stored, np.eye(4, dtype=np.float32).repeat(16, axis=0))
    own = int((sample == 0.5).all(axis=1).sum())
    assert 64 <= len(sample) <= SAMPLE_SIZE
    assert own * BUILT_IN_WEIGHT == (len(sample) - own) * count


# ---------------------------------------------------------------- S4: monotone


@given(
    # Steps of a ten-thousandth: what float32 cannot tell apart after scaling is no order.
    hnp.arrays(np.int32, st.integers(1, 40), elements=st.integers(-10_000, 10_000)),
    hnp.arrays(np.int32, st.integers(64, 90), elements=st.integers(-10_000, 10_000)),
)
def test_calibration_never_changes_the_order_inside_a_modality(
    steps: np.ndarray, sample: np.ndarray
) -> None:
    scores = (steps / 10_000).astype(np.float32)
    levels = heights(scores, (sample / 10_000).astype(np.float32))
    assert np.isfinite(levels).all()
    for group in ("words", "pictures"):
        leg = "text" if group == "words" else "image"
        found = [
            Candidate(id=uuid.UUID(int=i), group=group, legs={leg: LegScore(rank=1, z=float(z))})
            for i, z in enumerate(levels)
        ]
        shown = [float(scores[hit.candidate.id.int]) for hit in merge(found)]
        assert shown == sorted(shown, reverse=True)


# ---------------------------------------------------------------- S5: quota


@pytest.mark.parametrize("setting", [WEAK, RARE], ids=["half pictures", "rare pictures"])
def test_no_picture_below_its_bar_is_forced_in_and_texts_keep_their_places(
    judged: Judged, shelves: Shelves, setting: Setting
) -> None:
    world = simulate(judged, setting, seed=5)
    shelf = shelves.put(world)
    reserved = 0
    for question in judged.questions:
        found = shelf.retriever.retrieve(question, top_k=8, explain=True)
        assert found.explanation is not None
        bars = found.explanation.bars
        pictures = [hit for hit in found.hits if hit.item.kind == "figure"]
        reserve = [hit for hit in pictures if hit.why == "picture_reserve"]
        assert all(hit.height >= bars["pictures"] for hit in reserve)
        reserved += len(reserve)
        left_out = [
            each
            for each in found.explanation.considered
            if each.hit.item.kind == "text"
            and each.hit.height >= bars["words"]
            and each.fate != "kept"
        ]
        assert len(pictures) <= 3 or not left_out
    assert reserved > 0 or setting == WEAK


# ---------------------------------------------------------------- S6: stability


@pytest.mark.parametrize("setting", [RARE, WEAK], ids=["rare pictures", "half pictures"])
def test_a_thousand_unrelated_texts_hardly_change_the_first_ten(
    judged: Judged, setting: Setting
) -> None:
    world = simulate(judged, setting, seed=6)
    rng = np.random.default_rng(60)
    # Unrelated: near the built-in sentences, which are about nothing of this subject.
    base = judged.built_in[rng.integers(0, len(judged.built_in), 1000)]
    strangers = unit(base + 0.8 * unit(rng.normal(size=base.shape)))
    grown = with_more_texts(world, strangers)
    moved = [
        swaps(calibrated(world, query)[:10], calibrated(grown, query)[:10])
        for query in judged.queries
    ]
    assert np.median(moved) <= 1


def with_more_texts(world: World, vectors: np.ndarray) -> World:
    """In documents without pictures, which no sample is drawn from (tests/test_background)."""
    everything = np.concatenate([world.vectors, vectors])
    return replace(
        world,
        vectors=everything,
        is_picture=np.concatenate([world.is_picture, np.zeros(len(vectors), dtype=bool)]),
    )


def swaps(before: Sequence[int], after: Sequence[int]) -> int:
    """Neighbours to swap, or hits to exchange, to get from one list to the other."""
    kept = [hit for hit in before if hit in after]
    places = [list(after).index(hit) for hit in kept]
    crossed = sum(a > b for i, a in enumerate(places) for b in places[i + 1 :])
    return len(before) - len(kept) + crossed


# ---------------------------------------------------------------- S7: text loss


def test_rare_pictures_cost_at_most_a_hundredth_of_the_text_ndcg(
    judged: Judged, shelves: Shelves
) -> None:
    world = simulate(judged, RARE, seed=7)
    alone = shelves.put(world, np.flatnonzero(~world.is_picture).tolist())
    assert text_loss(world, shelves.put(world), alone) <= 0.01


# ---------------------------------------------------------------- S8: captions


def test_captions_bring_the_figures_that_a_weak_tower_misses() -> None:
    shown, above, false = [], [], []
    for seed in range(600):
        rng = np.random.default_rng(seed)
        has_caption = bool(rng.random() < 0.6)
        ranked = merge(s8_candidates(rng, has_caption=has_caption))
        bars: dict[Group, float] = {"words": bar(2000), "pictures": bar(200)}
        kept, _ = keep_top(ranked, top_k=8, bars=bars)
        pictures = [hit for hit in kept if hit.candidate.group == "pictures"]
        right = [hit for hit in pictures if hit.candidate.id == RIGHT_PICTURE]
        if has_caption:
            shown.append(bool(right))
        above.append(stands_above_texts(ranked))
        false.append(len(pictures) - len(right))
    assert np.mean(shown) >= 0.85
    assert np.mean(above) <= 0.05
    assert np.mean(false) <= 1


RIGHT_PICTURE = uuid.UUID(int=10_000)


def stands_above_texts(ranked: Sequence[Ranked]) -> bool:
    return ranked[0].candidate.group == "pictures"


def s8_candidates(rng: np.random.Generator, *, has_caption: bool) -> list[Candidate]:
    """2,000 texts, three of them right, and 200 pictures, one of them right; 120 captions."""
    text = rng.normal(0.30, 0.10, 2000)
    text[:3] = 0.30 + 0.10 * 5
    image = rng.normal(0.05, 0.02, 200)
    image[0] = 0.05 + 0.02 * 2
    caption = rng.normal(0.25, 0.08, 120)
    caption[0] = 0.25 + 0.08 * 4
    captioned = list(range(0 if has_caption else 1, 120))
    legs: dict[int, dict[str, LegScore]] = {}
    for number, z in leg_of(text, rng):
        legs[number] = {"text": LegScore(rank=1, z=z)}
    for number, z in leg_of(image, rng):
        legs.setdefault(10_000 + number, {})["image"] = LegScore(rank=1, z=z)
    for number, z in leg_of(caption, rng):
        if number in captioned:
            legs.setdefault(10_000 + number, {})["caption"] = LegScore(rank=1, z=z)
    return [
        Candidate(id=uuid.UUID(int=n), group="pictures" if n >= 10_000 else "words", legs=found)
        for n, found in legs.items()
    ]


def leg_of(cosines: np.ndarray, rng: np.random.Generator) -> list[tuple[int, float]]:
    cosines = cosines.astype(np.float32)
    sample = cosines[rng.permutation(len(cosines))[:SAMPLE_SIZE]]
    best = np.argsort(-cosines)[:50]
    return [(int(n), float(z)) for n, z in zip(best, heights(cosines[best], sample), strict=True)]
