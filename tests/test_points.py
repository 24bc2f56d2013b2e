"""Which vectors an item gets, above all the one of its picture."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rag.embed.lanes import Embedder
from rag.errors import CorruptFileError
from rag.library.documents import Run
from rag.points import PICTURE_BATCH, make_points
from rag.store.base import Point
from rag.types import Item
from tests.builders import make_png
from tests.fakes import WordLane, make_hit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from rag.embed.lanes import Array, PictureLane

RUN = Run(id=uuid.uuid4(), document_id=uuid.uuid4(), workspace="local", stage=1)


class ColourLane(WordLane):
    """A picture lane without captions: the vector is the mean colour, of unit length."""

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        rows = [np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) for image in images]
        return np.stack([row / np.linalg.norm(row) for row in rows])


class CaptionedColourLane(ColourLane):
    """The same, with the caption's length as a fourth number."""

    def embed_captioned(self, images: Sequence[Image.Image], captions: Sequence[str]) -> Array:
        colours = self.embed_images(images)
        lengths = np.array([[len(caption)] for caption in captions], dtype=np.float32)
        return np.hstack([colours, lengths])


class SlowColourLane(ColourLane):
    """Works on its first batch until somebody has begun to open the picture in a pipe."""

    def __init__(self, pipe: Path | None = None) -> None:
        super().__init__()
        self.pipe = pipe
        self.batches: list[int] = []

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        self.batches.append(len(images))
        if self.pipe is not None:
            with os.fdopen(open_when_read(self.pipe), "wb") as writer:
                writer.write(make_png((8, 8), (0, 0, 255), pattern=False))
            self.pipe = None
        return super().embed_images(images)


def open_when_read(pipe: Path) -> int:
    deadline = time.monotonic() + 30
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads it yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        (tmp_path / name).write_bytes(make_png((8, 8), colour, pattern=False))
    return tmp_path


def points_of(
    items: Sequence[Item], lane: PictureLane | None, folder: Path | None
) -> list[dict[str, Array]]:
    embedder = Embedder(name="x", text_identity="x", text=WordLane(), pictures=lane)
    picture_path = None if folder is None else folder.joinpath
    points: list[Point] = make_points(
        items, run=RUN, embedder=embedder, average_words=10, picture_path=picture_path
    )
    return [dict(point.dense) for point in points]


def figure(rank: int, picture: str, caption: str = "") -> Item:
    words = {"search_text": f"figure {rank}", "caption": caption, "image_sha256": picture}
    return make_hit("a figure", rank=rank, kind="figure", **words).item


def test_each_kind_gets_its_own_vectors(pictures: Path) -> None:
    text = make_hit("a passage", rank=1).item
    table = make_hit("a table", rank=2, kind="table", image_sha256="red").item
    shown = figure(3, "blue")

    dense = points_of([text, table, shown], ColourLane(), pictures)

    assert [set(each) for each in dense] == [{"text"}, {"text", "image"}, {"caption", "image"}]


def test_a_lane_that_reads_captions_gets_each_picture_with_its_own(pictures: Path) -> None:
    items = [figure(1, "red", "Figure 1. Growth."), figure(2, "blue"), figure(3, "red", "Two")]

    dense = points_of(items, CaptionedColourLane(), pictures)

    np.testing.assert_array_equal(
        [each["image"] for each in dense], [[1, 0, 0, 17], [0, 0, 1, 0], [1, 0, 0, 3]]
    )


def test_a_lane_without_captions_gets_the_pictures_alone(pictures: Path) -> None:
    dense = points_of([figure(1, "red", "Figure 1. Growth.")], ColourLane(), pictures)

    np.testing.assert_array_equal(dense[0]["image"], [1, 0, 0])


def test_more_pictures_than_a_batch_keep_their_order(pictures: Path) -> None:
    names = ["red", "blue", "blue"] * PICTURE_BATCH
    items = [figure(rank, name, "x" * rank) for rank, name in enumerate(names, 1)]

    dense = points_of(items, CaptionedColourLane(), pictures)

    assert ["red" if each["image"][0] else "blue" for each in dense] == names
    assert [each["image"][3] for each in dense] == list(range(1, len(names) + 1))


@pytest.mark.parametrize("has_lane", [True, False], ids=["pixels left out", "no picture lane"])
def test_without_pixels_or_a_lane_there_is_no_picture_vector(
    pictures: Path, has_lane: bool
) -> None:
    lane, folder = (ColourLane(), None) if has_lane else (None, pictures)

    dense = points_of([figure(1, "red", "Figure 1.")], lane, folder)

    assert set(dense[0]) == {"caption"}


def test_the_next_batch_is_opened_while_the_model_works(pictures: Path) -> None:
    os.mkfifo(pictures / "pipe")
    names = ["red"] * PICTURE_BATCH + ["pipe"]

    dense = points_of(
        [figure(rank, name) for rank, name in enumerate(names, 1)],
        SlowColourLane(pictures / "pipe"),
        pictures,
    )

    np.testing.assert_array_equal(dense[-1]["image"], [0, 0, 1])


def test_a_damaged_picture_of_a_later_batch_is_an_error_after_the_batches_before(
    pictures: Path,
) -> None:
    (pictures / "torn").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 40)
    names = [*["red"] * PICTURE_BATCH, "torn", *["red"] * (2 * PICTURE_BATCH)]
    lane = SlowColourLane()

    with pytest.raises(CorruptFileError, match="damaged"):
        points_of([figure(rank, name) for rank, name in enumerate(names, 1)], lane, pictures)

    assert lane.batches == [PICTURE_BATCH]
