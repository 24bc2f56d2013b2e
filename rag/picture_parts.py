"""Parts of a screenshot that may be a figure of their own. Pure: numpy and Pillow.

A screenshot of a page holds words around the figure. Plain rows and columns part them, so
each run of bands between two plain gaps is a part that may be the figure, or too much or
too little of it; hashes tell. Knows no library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.picture_hash import SPECKS, TONE, WORDS, Hashes, hash_question

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

WORK_PX = 1_000
GAP_PX = 5  # of WORK_PX; lines of text on a whole page are nearer to each other
MAX_COLUMNS, MAX_BANDS = 3, 10
MIN_SHARE = 0.15  # of the screenshot's longer side, for each side of a part


def hash_parts(picture: Image.Image) -> Hashes:
    """Hashes of the parts of a screenshot, without their margins.

    Returns:
        uint64 (n, 4), distinct rows; none when no plain gap parts the picture.
    """
    small = picture.convert("RGB")
    small.thumbnail((WORK_PX, WORK_PX))
    parts = [small.crop(box) for box in _boxes(np.asarray(small.convert("L")))]
    hashes = [hash_question(part) for part in parts]
    return np.unique(np.concatenate([np.empty((0, WORDS), np.uint64), *hashes]), axis=0)


def _boxes(grey: NDArray[np.uint8]) -> Iterator[tuple[int, int, int, int]]:
    least = MIN_SHARE * max(grey.shape)
    columns = _runs(_bands(grey.T, MAX_COLUMNS))
    for left, right in columns:
        if right - left < least:
            continue
        for top, bottom in _runs(_bands(grey[:, left:right], MAX_BANDS)):
            is_whole = (right - left, bottom - top) == (grey.shape[1], grey.shape[0])
            if bottom - top >= least and not is_whole:
                yield left, top, right, bottom


def _bands(grey: NDArray[np.uint8], most: int) -> list[tuple[int, int]]:
    """Stretches of rows between plain gaps, at most so many: the widest gaps part them."""
    tone = np.median(grey[:, [0, -1]])
    off = (grey > tone + TONE) | (grey < tone - TONE)
    busy = np.count_nonzero(off, axis=1) > SPECKS * grey.shape[1]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], busy, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return []
    gaps = starts[1:] - ends[:-1]
    wide = [int(i) for i in np.argsort(-gaps, kind="stable")[: most - 1] if gaps[i] >= GAP_PX]
    cuts = sorted(wide)
    firsts = [int(starts[0]), *(int(starts[i + 1]) for i in cuts)]
    lasts = [*(int(ends[i]) for i in cuts), int(ends[-1])]
    return list(zip(firsts, lasts, strict=True))


def _runs(bands: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """From the start of any band to the end of any later one."""
    return [(start, end) for i, (start, _) in enumerate(bands) for _, end in bands[i:]]
