"""Pictures to the numbers a vision model reads, with Pillow and NumPy alone. Knows no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.embed.lanes import Array

# CLIP's colour statistics, in preprocessor_config.json of nomic-embed-vision-v1.5.
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)


def to_pixels(images: Sequence[Image.Image], *, side_px: int) -> Array:
    """Pictures squashed to a square and normalised.

    The aspect ratio is not kept: a centre crop would lose the sides of a wide chart.

    Returns:
        float32 (n, 3, side_px, side_px), RGB, row i belongs to picture i.
    """
    pixels = np.empty((len(images), 3, side_px, side_px), dtype=np.float32)
    for place, image in enumerate(images):
        resized = squash(image, side_px=side_px)
        scaled = np.asarray(resized, dtype=np.float32) / np.float32(255)
        normal = (scaled - MEAN) / DEVIATION
        pixels[place] = normal.transpose(2, 0, 1)  # (px, px, 3) -> (3, px, px)
    return pixels


def squash(image: Image.Image, *, side_px: int) -> Image.Image:
    """The picture as an RGB square, resized in 8 bits as the published settings ask."""
    return to_rgb_on_white(image).resize((side_px, side_px), Image.Resampling.BICUBIC)


def to_rgb_on_white(image: Image.Image) -> Image.Image:
    """Any picture as RGB: transparency laid on white, 16-bit grey scaled.

    Plain `convert("RGB")` shows the colours hidden under transparency, and Pillow 13
    clips 16-bit grey to black and white.
    """
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    paper = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(paper, layer).convert("RGB")
