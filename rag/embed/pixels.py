"""Pictures to the numbers a vision model reads, with Pillow and NumPy alone. Knows no model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from rag.imaging import to_rgb_on_white as to_rgb_on_white

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rag.embed.lanes import Array

# CLIP's colour statistics, in preprocessor_config.json of nomic-embed-vision-v1.5.
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
# A strip of 20,000 x 1 px, made 224 px high, would take 3 GB before its middle is cut out.
# 64 times as long as high is 10 MB, and no picture of a document comes near it.
MAX_ASPECT = 64


def to_pixels(images: Sequence[Image.Image], *, side_px: int) -> Array:
    """Pictures squashed to a square and normalised.

    The aspect ratio is not kept: a centre crop would lose the sides of a wide chart.

    Returns:
        float32 (n, 3, side_px, side_px), RGB, row i belongs to picture i.
    """
    pixels = np.empty((len(images), 3, side_px, side_px), dtype=np.float32)
    for place, image in enumerate(images):
        normal = normalise(np.asarray(squash(image, side_px=side_px)), MEAN, DEVIATION)
        pixels[place] = normal.transpose(2, 0, 1)  # (px, px, 3) -> (3, px, px)
    return pixels


def normalise(pixels: NDArray[np.uint8], mean: Array, deviation: Array) -> Array:
    """8-bit RGB in the last axis to float32 with the model's colour statistics."""
    return (pixels.astype(np.float32) / np.float32(255) - mean) / deviation


def squash(
    image: Image.Image,
    *,
    side_px: int,
    resample: Image.Resampling = Image.Resampling.BICUBIC,
) -> Image.Image:
    """The picture as an RGB square, resized in 8 bits as the published settings ask."""
    return to_rgb_on_white(image).resize((side_px, side_px), resample)


def resize_and_crop(
    image: Image.Image, *, short_px: int, side_px: int, resample: Image.Resampling
) -> Image.Image:
    """The middle of a picture as an RGB square, after its shorter side was made `short_px`.

    Source: `CLIPImageProcessorPil` of transformers 5.24, whose numbers it gives.
    """
    rgb = to_rgb_on_white(image)
    room = MAX_ASPECT * min(rgb.size)
    rgb = _middle(rgb, min(rgb.width, room), min(rgb.height, room))
    short, long_px = min(rgb.size), int(short_px * max(rgb.size) / min(rgb.size))
    size = (short_px, long_px) if rgb.width == short else (long_px, short_px)
    return _middle(rgb.resize(size, resample), side_px, side_px)


def patch_grid(width: int, height: int, *, patch_px: int, max_patches: int) -> tuple[int, int]:
    """Rows and columns of patches for a picture that keeps its shape; at least one of each.

    Source: `get_image_size_for_max_num_patches` of transformers 5.24. Its bisection is kept
    with its bounds, because the exact largest scale can round to another grid.
    """

    def grid(scale: float) -> tuple[int, int]:
        rows, columns = (max(1, math.ceil(side * scale / patch_px)) for side in (height, width))
        return rows, columns

    low, high = 1e-6, 100.0
    while high - low >= 1e-5:
        middle = (low + high) / 2
        rows, columns = grid(middle)
        low, high = (middle, high) if rows * columns <= max_patches else (low, middle)
    return grid(low)


def to_patches(
    image: Image.Image, *, patch_px: int, max_patches: int, resample: Image.Resampling
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """A picture in its own shape as patches, row by row, and their grid.

    Returns:
        uint8 (rows * columns, patch_px * patch_px * 3), RGB, and (rows, columns).
    """
    rows, columns = patch_grid(*image.size, patch_px=patch_px, max_patches=max_patches)
    size = (columns * patch_px, rows * patch_px)
    pixels = np.asarray(to_rgb_on_white(image).resize(size, resample))
    tiles = pixels.reshape(rows, patch_px, columns, patch_px, 3).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(rows * columns, -1), (rows, columns)


def _middle(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
