"""What "usual" looks like: sample vectors of each dense leg, for calibration.

Knows the store, the embedder and which points make a sample. Nothing of questions.
"""

from __future__ import annotations

import math
import random
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from rag.imaging import FILE_KEY
from rag.merge import MIN_SAMPLE
from rag.store.base import DenseName, Filter
from rag.types import PICTURES, WORDS, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from rag.embed.lanes import Array, Embedder
    from rag.library import Library
    from rag.store.base import Store

    _Key = tuple[str, DenseName, tuple[UUID, ...]]

# Half the noise of 256: on Cranfield without a gap, six draws, calibration costs 0.005 nDCG@10
# (worst 0.009) where 256 cost 0.008 (0.018); 1,024 cost 0.003 (docs/decisions/0007).
SAMPLE_SIZE = 512
# In a small library the built-in items weigh as much as this many of its own. More of them and
# everything on the library's subject stands out from them: filled up to 64, ten pictures beside
# 700 texts cost 0.15 to 0.37 nDCG@10, with two 0.00 (docs/decisions/0007).
BUILT_IN_WEIGHT = 2
MAX_SAMPLES = 60  # kept at a time, 1.5 MB each; a scope has one for each leg
PICTURE_SIDE_PX = 224
_KINDS: dict[DenseName, tuple[Kind, ...]] = {
    "text": WORDS,
    "caption": PICTURES,
    "image": (*PICTURES, "table"),
}

# Everyday statements on subjects far from each other, so that a question about anything is
# usually unlike most of them. Written for this file.
_SUBJECTS = (
    "The ferry", "A retired teacher", "The city council", "Our oldest apple tree", "The pump",
    "A small bakery", "The night train", "Each volunteer", "The glacier", "The software update",
    "A flock of geese", "The museum", "The insurance policy", "A broken lamp", "The orchestra",
    "The tax office",
)  # fmt: skip
_PREDICATES = (
    "was moved to the second week of March.",
    "needs two hours of care on most days.",
    "costs less than people expect.",
    "has been photographed many times from the hill.",
)


class Background:
    """Sample vectors by leg, renewed when what is visible changes."""

    def __init__(self, library: Library, store: Store, embedder: Embedder) -> None:
        self._library = library
        self._store = store
        self._embedder = embedder
        self._lock = threading.Lock()
        self._built_in: dict[DenseName, Array] = {}
        self._samples: OrderedDict[_Key, tuple[int, Array]] = OrderedDict()

    def sample(self, workspace: str, name: DenseName, documents: tuple[UUID, ...] = ()) -> Array:
        """Vectors that stand for a leg: float32 (m, dim), 64 <= m <= 512, unit rows.

        The stored vectors with the smallest point ids (ids are hashes, so that is a
        random draw that hardly changes as the library grows). With documents in scope they
        are those of the scope, and under 64 of those, some of all others as well. Under 64
        altogether, each is there several times, beside built-in items that weigh as much as
        two of them.
        """
        key = (workspace, name, documents)
        generation = self._library.database.generation()
        with self._lock:
            known = self._samples.pop(key, None)
            if known is None or known[0] != generation:
                known = (generation, self._draw(*key))
            self._samples[key] = known
            if len(self._samples) > MAX_SAMPLES:
                self._samples.popitem(last=False)
            return known[1]

    def _draw(self, workspace: str, name: DenseName, documents: tuple[UUID, ...]) -> Array:
        if name == "image":
            stored = self._stored(workspace, name, documents, SAMPLE_SIZE)
        elif name == "text":
            beside = documents or self._pictured(workspace)
            stored = self._stored(workspace, name, beside, SAMPLE_SIZE)
        else:
            # Captions are texts, and few: beside one another alone, all those on the subject
            # of a question stand out and flood the list (docs/decisions/0003 and 0010).
            stored = self._stored(workspace, name, documents, SAMPLE_SIZE // 2)
            beside = documents or self._pictured(workspace)
            stored += self._stored(workspace, "text", beside, SAMPLE_SIZE - len(stored))
        if documents and len(stored) < MIN_SAMPLE:
            stored += self._stored(workspace, name, (), MIN_SAMPLE - len(stored))
        if len(stored) < MIN_SAMPLE:
            return blend(stored, self._fill(name))
        return np.stack(stored).astype(np.float32)

    def _pictured(self, workspace: str) -> tuple[UUID, ...]:
        """Documents that hold pictures, if they hold enough texts as well.

        Words and pictures are compared by how far they stand out, so both are measured
        among the same documents: else an archive of texts on other subjects would make
        every text of the subject stand out, and no picture be seen (docs/decisions/0010).
        """
        known = self._library.documents.all(workspace)
        pictured = [document for document in known if document.figure_count]
        enough = sum(document.text_count for document in pictured) >= MIN_SAMPLE
        return tuple(document.id for document in pictured) if enough else ()

    def _stored(
        self, workspace: str, name: DenseName, documents: tuple[UUID, ...], limit: int
    ) -> list[Array]:
        hidden_words, hidden_pictures = self._library.documents.hidden_runs(workspace)
        where = Filter(
            workspace=workspace,
            documents=documents or None,
            kinds=_KINDS[name],
            not_runs=hidden_words if name == "text" else hidden_pictures,
            not_ids=self._library.hidden.points(),
        )
        ids = self._store.scan(where, limit=limit)
        found = self._store.fetch(ids, [name]).values()
        return [vectors[name] for vectors in found if name in vectors]

    def _fill(self, name: DenseName) -> Array:
        if name not in self._built_in:
            self._built_in[name] = self._embed(name)
        return self._built_in[name]

    def _embed(self, name: DenseName) -> Array:
        if name == "image" and self._embedder.pictures is not None:
            return self._embedder.pictures.embed_images(built_in_pictures())
        return self._embedder.text.embed_documents(built_in_sentences())


def blend(stored: Sequence[Array], built_in: Array) -> Array:
    """A sample of at least 64 rows from fewer vectors: each several times, and built-in ones.

    One vector stands there 22 times beside 44 built-in ones, 30 twice beside 4; without
    any, the 64 built-in ones are the sample.

    Args:
        stored: Under 64 vectors, float32 (dim,).
        built_in: float32 (64, dim).
    """
    times = math.ceil(MIN_SAMPLE / (len(stored) + BUILT_IN_WEIGHT))
    rows = [vector for vector in stored for _ in range(times)]
    return np.stack([*rows, *built_in[: BUILT_IN_WEIGHT * times]]).astype(np.float32)


def built_in_sentences() -> list[str]:
    """64 statements about nothing in particular, mixed so that any first few differ."""
    pairs = [f"{subject} {predicate}" for subject in _SUBJECTS for predicate in _PREDICATES]
    random.Random(7).shuffle(pairs)  # noqa: S311 - an order, not a secret
    return pairs


def built_in_pictures() -> list[Image.Image]:
    """64 drawn pictures: charts, shapes, textures and boxes of many colours."""
    pictures = [_picture(random.Random(i), i) for i in range(MIN_SAMPLE)]  # noqa: S311
    for picture in pictures:
        picture.info = {FILE_KEY: "built-in"}  # so that their vectors may be kept
    return pictures


def _picture(rng: random.Random, number: int) -> Image.Image:
    side = PICTURE_SIDE_PX
    paper = (255, 255, 255) if number % 2 else tuple(rng.randrange(256) for _ in range(3))
    image = Image.new("RGB", (side, side), paper)
    draw = ImageDraw.Draw(image)
    for i in range(rng.randint(3, 12)):
        colour = tuple(rng.randrange(256) for _ in range(3))
        x, y = rng.randrange(side - 40), rng.randrange(side - 40)
        width, height = rng.randint(10, 90), rng.randint(10, 90)
        if number % 4 == 0:  # a bar chart
            left = 12 + i * 17
            draw.rectangle((left, side - 20 - y, left + 11, side - 20), fill=colour)
        elif number % 4 == 1:  # a line chart
            draw.line([(j * 25, rng.randrange(side)) for j in range(10)], fill=colour, width=3)
        elif number % 4 == 2:  # boxes, as in a diagram
            draw.rectangle((x, y, x + width, y + height), outline=colour, width=3)
        else:  # a scene of round things
            draw.ellipse((x, y, x + width, y + height), fill=colour)
    return image
