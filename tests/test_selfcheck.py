"""Each fault that a loaded model can have is refused, and a good lane passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rag.embed.selfcheck import FAR, NEAR, QUESTION, check_images, check_text, draw_probes
from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

    from rag.embed.lanes import Array

VECTORS = {QUESTION: (1.0, 0.0), NEAR: (0.8, 0.6), FAR: (0.0, 1.0)}


class TableLane:
    """A lane that gives the vectors of a table, questions turned a little, then bent by a fault."""

    dim = 2

    def __init__(self, bend: Callable[[Array], Array] = lambda rows: rows) -> None:
        self._bend = bend

    def embed_queries(self, texts: Sequence[str]) -> Array:
        turn = np.array([[0.995, 0.0998], [-0.0998, 0.995]], dtype=np.float32)
        return self._bend(look_up(texts) @ turn)

    def embed_documents(self, texts: Sequence[str]) -> Array:
        return self._bend(look_up(texts))


class PromptlessLane(TableLane):
    def embed_queries(self, texts: Sequence[str]) -> Array:
        return self.embed_documents(texts)


def look_up(texts: Sequence[str]) -> Array:
    return np.array([VECTORS[text] for text in texts], dtype=np.float32)


def leak_padding(rows: Array) -> Array:
    return rows if len(rows) == 1 else rows[:, ::-1]


def test_a_good_lane_passes() -> None:
    check_text(TableLane(), has_prefixes=True, is_trained=True)


@pytest.mark.parametrize(
    ("bend", "fault"),
    [
        (lambda rows: np.full_like(rows, np.nan), "not finite"),
        (lambda rows: rows * 3, "not of unit length"),
        (lambda rows: np.hstack([rows, rows]) / np.sqrt(2), "4 numbers instead of 2"),
        (lambda rows: np.tile(np.float32([1, 0]), (len(rows), 1)), "two different texts"),
        (leak_padding, "alone and in a batch"),
    ],
    ids=["nan", "length", "dim", "constant", "padding"],
)
def test_a_faulty_lane_is_refused_with_its_fault(
    bend: Callable[[Array], Array], fault: str
) -> None:
    with pytest.raises(EmbedError, match=fault):
        check_text(TableLane(bend), has_prefixes=True, is_trained=True)


def test_a_prefix_without_effect_is_refused_where_one_is_promised() -> None:
    check_text(PromptlessLane(), has_prefixes=False, is_trained=True)
    with pytest.raises(EmbedError, match="a question and a document give one vector"):
        check_text(PromptlessLane(), has_prefixes=True, is_trained=True)


def test_weights_of_noise_are_refused_where_trained_ones_are_promised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(VECTORS, NEAR, (0.6, -0.8))
    monkeypatch.setitem(VECTORS, FAR, (0.8, 0.6))

    check_text(TableLane(), has_prefixes=True, is_trained=False)
    with pytest.raises(EmbedError, match="a paraphrase is no nearer"):
        check_text(TableLane(), has_prefixes=True, is_trained=True)


class MeanColour:
    """A picture's mean colour, of unit length; all pictures alike when blind."""

    dim = 3

    def __init__(self, *, is_blind: bool = False) -> None:
        self._is_blind = is_blind

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        rows = np.array([np.asarray(image).mean(axis=(0, 1)) for image in images])
        rows = np.ones_like(rows) if self._is_blind else rows
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_lane_that_tells_pictures_apart_passes_and_a_blind_one_does_not() -> None:
    check_images(MeanColour())
    with pytest.raises(EmbedError, match="two different pictures give one vector"):
        check_images(MeanColour(is_blind=True))


def test_the_probe_pictures_show_a_red_disc_and_black_bars() -> None:
    disc, bars = draw_probes()

    assert disc.getpixel((48, 48)) == (255, 0, 0)
    assert bars.getpixel((16, 80)) == (0, 0, 0)
