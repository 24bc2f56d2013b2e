"""What a picture looks like, in bits that small changes leave alone. Pure: numpy and Pillow.

A perceptual hash: the signs of the lowest frequencies of a small grey picture, so that
colour depth, size, JPEG and a little blur change few bits. Cropping changes many, so a
stored picture is hashed in several crops; margins do too, so both sides are hashed with
their plain margins and without. Knows no library and no embedder.

Source: the DCT hash of C. Zauner, "Implementation and benchmarking of perceptual image
hash functions", 2010, with 255 bits in place of 64 and crops of our own (bench/picture_query.py).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.imaging import BLANK_DEVIATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import Image

Hashes = NDArray[np.uint64]  # (n, WORDS), one row a variant of a picture
Grey = NDArray[np.uint8]

METHOD = 1  # raised when the bits of the same picture would change; stored ones are made anew
WORDS = 4  # 64-bit words of a hash; the first holds the lowest frequencies
# Unlike pictures differ by 32 of the 63 bits there, give or take 4; the same ones, when 50 of
# all bits differ, by 12. Reading one word of four makes the search three times as fast.
FIRST_MOST = 18
SIDE_PX = 64
KEPT = 16  # frequencies a side: 256, of which the mean is left out
WORK_PX = 512  # crops and margins are found at this size
MIN_SIDE_PX = 12  # of WORK_PX; thinner ones are rules
MAX_MARGINS = 3  # one inside the other: a dark frame around white paper around a picture
BAND_PX = 32  # rows looked at in one go
TONE = 12  # grey levels that JPEG leaves between pixels of one plain margin
SPECKS = 0.005  # share of a margin's pixels that may be off
_Crop = tuple[float, float, float, float]
# Shares cut off left, top, right and bottom of a stored picture. A question's picture that was
# cropped by one of these is met exactly, one between two of them nearly.
_ONE_SIDE: tuple[_Crop, ...] = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
_CORNER: tuple[_Crop, ...] = ((1, 1, 0, 0), (0, 1, 1, 0), (1, 0, 0, 1), (0, 0, 1, 1))
_ALL_SIDES: tuple[_Crop, ...] = ((1, 1, 1, 1),)
_SHARES = (
    *((0.1, sides) for sides in (*_ALL_SIDES, *_ONE_SIDE, *_CORNER)),
    *((0.05, sides) for sides in (*_ALL_SIDES, *_ONE_SIDE)),
    *((share, sides) for share in (0.025, 0.075) for sides in _ALL_SIDES),
)
WHOLE: _Crop = (0, 0, 0, 0)
CROPS: tuple[_Crop, ...] = (
    WHOLE,
    *((s * left, s * top, s * right, s * bottom) for s, (left, top, right, bottom) in _SHARES),
)


def hash_stored(picture: Image.Image) -> Hashes:
    """Hashes of a picture of the library: whole and cropped, with and without margins.

    Returns:
        uint64 (n, 4), distinct rows; none when nothing can be seen in the picture.
    """
    return _hash(picture, CROPS)


def hash_question(picture: Image.Image) -> Hashes:
    """Hashes of a picture that is looked for: as it is, and without its margins.

    Returns:
        uint64 (n, 4), distinct rows; none when nothing can be seen in the picture.
    """
    return _hash(picture, (WHOLE,))


def distances(asked: Hashes, stored: Hashes, *, first_most: int = FIRST_MOST) -> NDArray[np.int32]:
    """How many of 255 bits differ, for each stored hash from the nearest one asked.

    Args:
        asked: uint64 (m, 4).
        stored: uint64 (n, 4), best in Fortran order: its first column is read alone.
        first_most: Hashes that differ by more than this in their first word are far; 64
            compares all to the end.

    Returns:
        int32 (n,); 256 for those that are far.
    """
    best = np.full(len(stored), 256, dtype=np.int32)
    for row in asked:
        near = np.flatnonzero(np.bitwise_count(stored[:, 0] ^ row[0]) <= first_most)
        exact = np.bitwise_count(stored[near] ^ row).sum(axis=1, dtype=np.int32)
        best[near] = np.minimum(best[near], exact)
    return best


def _hash(picture: Image.Image, crops: Sequence[_Crop]) -> Hashes:
    grey = picture.convert("L")
    grey.thumbnail((WORK_PX, WORK_PX))
    pixels = np.asarray(grey)
    variants = (v for crop in crops for v in _without_margins(_crop(pixels, crop)))
    rows = [bits for bits in map(_bits, variants) if bits is not None]
    packed = np.packbits(np.array(rows, dtype=bool).reshape(-1, 64 * WORDS), axis=1)
    return np.unique(packed.view(np.uint64), axis=0)


def _crop(pixels: Grey, crop: _Crop) -> Grey:
    height, width = pixels.shape
    left, top, right, bottom = crop
    return pixels[
        round(top * height) : height - round(bottom * height),
        round(left * width) : width - round(right * width),
    ]


def _without_margins(pixels: Grey) -> Iterator[Grey]:
    """The picture, then without its plain margin, then without the one inside that."""
    for _ in range(MAX_MARGINS + 1):
        if min(pixels.shape) < MIN_SIDE_PX:
            return
        yield pixels
        inner = _trim(pixels)
        if inner.shape == pixels.shape:
            return
        pixels = inner


def _trim(pixels: Grey) -> Grey:
    """Without the rows and columns at each edge that are of that edge's tone."""
    pixels = _trim_rows(_trim_rows(pixels)[::-1])[::-1]
    return _trim_rows(_trim_rows(pixels.T)[::-1])[::-1].T


def _trim_rows(pixels: Grey) -> Grey:
    """Without the rows at the start that are of one tone; a picture of one tone stays."""
    tone = float(np.median(pixels[0]))
    for start in range(0, len(pixels), BAND_PX):
        band = pixels[start : start + BAND_PX]
        off = (band > tone + TONE) | (band < tone - TONE)
        busy = np.count_nonzero(off, axis=1) > SPECKS * band.shape[1]
        if busy.any():
            return pixels[start + int(busy.argmax()) :]
    return pixels


def _bits(pixels: Grey) -> NDArray[np.bool_] | None:
    """256 bits: which frequencies are above their median, lowest first; the mean is no bit.

    Returns:
        None when nothing can be seen.
    """
    from PIL import Image as Pillow

    small = Pillow.fromarray(pixels).resize((SIDE_PX, SIDE_PX), Pillow.Resampling.BILINEAR)
    tones = np.asarray(small, dtype=np.float32)
    if tones.std() < BLANK_DEVIATION:
        return None
    cosines, order = _transform()
    waves = (cosines @ tones @ cosines.T).ravel()[order]
    bits = waves > np.median(waves[1:])
    bits[0] = False
    return bits


@cache
def _transform() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """The DCT-II matrix, float32 (KEPT, SIDE_PX), and the frequencies from low to high."""
    place = np.arange(SIDE_PX)
    wave = np.arange(KEPT)
    cosines = np.cos(np.pi * (2 * place[None, :] + 1) * wave[:, None] / (2 * SIDE_PX))
    order = np.argsort((wave[:, None] + wave[None, :]).ravel(), kind="stable")
    return cosines.astype(np.float32), order
