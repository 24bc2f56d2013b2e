"""A few seconds of doubt after loading: do these vectors look like a working model's?

Knows lanes, no model. Catches what loading cannot: swapped files, wrong pooling,
padding that leaks into a vector, prefixes that have no effect, weights of noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from rag.embed.lanes import Array, PictureLane, TextLane

QUESTION = "How do I bake bread?"
NEAR = "A recipe for baking a loaf of bread at home, with flour, water, salt and yeast."
FAR = "The stock market fell on Tuesday."
SAME = 0.999  # cosine from which two vectors count as one
MEANING_MARGIN = 0.05  # a trained model clears it several times over


class ImageEmbedder(Protocol):
    """The image half of a picture lane."""

    @property
    def dim(self) -> int: ...
    def embed_images(self, images: Sequence[Image.Image]) -> Array: ...


def check_text(lane: TextLane, *, has_prefixes: bool, is_trained: bool) -> None:
    """Embed three sentences and refuse a lane whose vectors cannot be right.

    Args:
        lane: freshly loaded.
        has_prefixes: question and document form of one text must differ.
        is_trained: the weights are the published ones, so meaning is checked too.

    Raises:
        EmbedError: Names the check that failed.
    """
    documents = lane.embed_documents([QUESTION, NEAR, FAR])
    (question,) = lane.embed_queries([QUESTION])
    _check_form(np.vstack([documents, question]), lane.dim)
    (alone,) = lane.embed_documents([QUESTION])
    _demand(alone @ documents[0] > SAME, "a text alone and in a batch gives two vectors")
    _demand(documents[1] @ documents[2] < SAME, "two different texts give one vector")
    if has_prefixes:
        # A short prefix moves a vector by little: the forms must differ, not be far apart.
        is_same = np.allclose(question, documents[0], atol=1e-4)
        _demand(not is_same, "a question and a document give one vector")
    if is_trained:
        margin = question @ documents[1] - question @ documents[2]
        _demand(margin > MEANING_MARGIN, "a paraphrase is no nearer than another topic")


def check_images(lane: ImageEmbedder) -> None:
    """Embed two drawn pictures and refuse a lane whose vectors cannot be right.

    Raises:
        EmbedError: Names the check that failed.
    """
    disc, bars = draw_probes()
    vectors = lane.embed_images([disc, bars])
    _check_form(vectors, lane.dim)
    _demand(vectors[0] @ vectors[1] < SAME, "two different pictures give one vector")


def check_picture_queries(lane: PictureLane, *, is_trained: bool) -> None:
    """Embed questions for pictures and refuse a lane whose vectors cannot be right.

    Args:
        lane: freshly loaded.
        is_trained: the weights are the published ones, so meaning is checked too.

    Raises:
        EmbedError: Names the check that failed.
    """
    asked = ["a red circle", "a bar chart", "a bar chart of revenue, by quarter and by region"]
    questions = lane.embed_queries(asked)
    _check_form(questions, lane.dim)
    (alone,) = lane.embed_queries(asked[:1])
    _demand(alone @ questions[0] > SAME, "a question alone and in a batch gives two vectors")
    _demand(questions[0] @ questions[1] < SAME, "two different questions give one vector")
    if is_trained:
        disc, bars = lane.embed_images(list(draw_probes()))
        nearer = (questions[0] - questions[1]) @ (disc - bars)
        _demand(nearer > 0, "a red disc is no nearer 'a red circle' than 'a bar chart'")


def draw_probes() -> tuple[Image.Image, Image.Image]:
    """A red disc and a black bar chart, on white."""
    from PIL import Image, ImageDraw

    disc = Image.new("RGB", (96, 96), "white")
    ImageDraw.Draw(disc).ellipse((16, 16, 80, 80), fill="red")
    bars = Image.new("RGB", (96, 96), "white")
    for left, top in ((8, 60), (32, 40), (56, 20)):
        ImageDraw.Draw(bars).rectangle((left, top, left + 16, 88), fill="black")
    return disc, bars


def _check_form(vectors: Array, dim: int) -> None:
    _demand(vectors.shape[1] == dim, f"vectors have {vectors.shape[1]} numbers instead of {dim}")
    _demand(bool(np.isfinite(vectors).all()), "vectors hold numbers that are not finite")
    lengths = np.linalg.norm(vectors, axis=1)
    _demand(bool(np.abs(lengths - 1).max() < 1e-3), "vectors are not of unit length")


def _demand(holds: bool, fault: str) -> None:
    if not holds:
        message = (
            f"The embedder failed its self-check: {fault}. Fetch its files again, or use the "
            "built-in embedder with FOLIO_EMBED__MODEL=minilm."
        )
        raise EmbedError(message)
