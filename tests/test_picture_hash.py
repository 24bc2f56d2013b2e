"""Bits that small changes leave alone, on drawn pictures."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rag.look_alikes import MOST_BITS
from rag.picture_hash import WORDS, distances, hash_question, hash_stored

if TYPE_CHECKING:
    from rag.picture_hash import Hashes

SIZE = (640, 420)


def chart(seed: int) -> Image.Image:
    """A bar chart with axes and a legend; another seed, other bars."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    draw.line([(60, 30), (60, 370), (610, 370)], fill="black", width=3)
    for place, height in enumerate(rng.integers(20, 320, 10)):
        left = 80 + 52 * place
        colour = tuple(int(value) for value in rng.integers(0, 200, 3))
        draw.rectangle((left, 370 - int(height), left + 34, 370), fill=colour)
    draw.rectangle((470, 40, 600, 100), outline="black", width=2)
    return picture


def bits(one: Image.Image, stored: Image.Image) -> int:
    return _nearest(one, hash_stored(stored))


def nearest_other(one: Image.Image) -> int:
    return min(_nearest(one, stored) for stored in _others())


def _nearest(one: Image.Image, stored: Hashes) -> int:
    return int(distances(hash_question(one), stored, first_most=64).min())


@cache
def _others() -> list[Hashes]:
    return [hash_stored(chart(seed)) for seed in range(2, 8)]


def as_jpeg(picture: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=60)
    return Image.open(stream).convert("RGB")


def framed(picture: Image.Image, colour: str) -> Image.Image:
    around = Image.new("RGB", (round(1.1 * picture.width), round(1.1 * picture.height)), colour)
    around.paste(picture, (picture.width // 20, picture.height // 20))
    return around


def cut(picture: Image.Image, *shares: float) -> Image.Image:
    left, top, right, bottom = shares
    width, height = picture.size
    return picture.crop(
        (round(left * width), round(top * height), round(width - right * width),
         round(height - bottom * height))
    )  # fmt: skip


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(as_jpeg, id="jpeg"),
        pytest.param(lambda p: p.resize((p.width // 2, p.height // 2)), id="half size"),
        pytest.param(lambda p: p.resize((p.width * 2, p.height * 2)), id="double size"),
        pytest.param(lambda p: p.convert("L").convert("RGB"), id="grey"),
        pytest.param(lambda p: framed(p, "white"), id="white margin"),
        pytest.param(lambda p: framed(p, "#202024"), id="dark margin"),
        pytest.param(lambda p: framed(framed(p, "white"), "black"), id="paper on a dark table"),
        pytest.param(lambda p: cut(p, 0.1, 0, 0, 0), id="left cut off"),
        pytest.param(lambda p: cut(p, 0, 0.1, 0, 0), id="top cut off"),
        pytest.param(lambda p: cut(p, 0, 0, 0.1, 0), id="right cut off"),
        pytest.param(lambda p: cut(p, 0, 0, 0, 0.1), id="bottom cut off"),
        pytest.param(lambda p: cut(p, 0.1, 0.1, 0.1, 0.1), id="each side cut off"),
        pytest.param(lambda p: cut(p, 0.05, 0.05, 0.05, 0.05), id="middle kept"),
        pytest.param(lambda p: cut(p, 0, 0.1, 0.1, 0), id="corner cut off"),
        pytest.param(lambda p: as_jpeg(framed(p, "white").resize((320, 210))), id="all at once"),
    ],
)
def test_an_edited_picture_is_nearer_than_any_other(edit: object) -> None:
    picture = chart(1)

    edited = edit(picture)  # type: ignore[operator]  # one of the functions above

    assert bits(edited, picture) <= MOST_BITS
    assert bits(edited, picture) < nearest_other(edited)


def test_other_charts_of_the_same_kind_are_not_the_same_picture() -> None:
    assert nearest_other(chart(1)) > MOST_BITS


def test_a_picture_of_one_tone_has_no_hashes() -> None:
    grain = np.random.default_rng(3).normal(240, 2, (300, 400)).clip(0, 255).astype(np.uint8)

    assert len(hash_stored(Image.new("RGB", (400, 300), "white"))) == 0
    assert len(hash_question(Image.new("RGB", (400, 300), "black"))) == 0
    assert len(hash_stored(Image.fromarray(grain).convert("RGB"))) == 0


def test_what_is_left_of_a_plain_picture_without_its_margin_matches_nothing() -> None:
    # A black disc on white and a black box on white are nearly all margin.
    disc, box = Image.new("RGB", SIZE, "white"), Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(disc).ellipse((200, 100, 400, 300), fill="black")
    ImageDraw.Draw(box).rectangle((200, 100, 400, 300), fill="black")

    assert bits(disc, disc) == 0
    assert bits(disc, box) > MOST_BITS


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 2), (9, 9), (16, 700)])
def test_tiny_and_thin_pictures_are_no_error(size: tuple[int, int]) -> None:
    width, height = size
    pixels = np.random.default_rng(5).integers(0, 255, (height, width, 3), dtype=np.uint8)

    stored = hash_stored(Image.fromarray(pixels))

    assert stored.shape[1] == WORDS


def test_the_short_way_finds_all_that_are_near() -> None:
    rng = np.random.default_rng(11)
    asked = rng.integers(0, 2**63, (1, WORDS), dtype=np.uint64)
    stored = rng.integers(0, 2**63, (500, WORDS), dtype=np.uint64)
    for row in range(40):
        stored[row] = asked[0]
        for bit in rng.choice(64 * WORDS, size=row, replace=False):
            stored[row, bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)

    found = distances(asked, stored)

    assert found[:40].tolist() == list(range(40))
    assert found[40:].min() > MOST_BITS
