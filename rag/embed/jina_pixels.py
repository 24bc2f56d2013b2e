"""Pictures as Jina CLIP v2 reads them: short side to 512 px, the centre square of that.

Knows Pillow, no runtime. Recipe: preprocessor_config.json of jinaai/jina-clip-v2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from rag.embed.pixels import DEVIATION, MEAN, normalise, resize_and_crop
from rag.imaging import to_rgb_on_white

if TYPE_CHECKING:
    from rag.embed.lanes import Array

SIDE_PX = 512
# A picture that is sent away and longer than this many times its short side loses its ends:
# the model looks at the middle square only.
MAX_ASPECT = 4


def to_pixels(image: Image.Image) -> Array:
    """One picture as float32 (3, 512, 512), RGB, normalised by CLIP's statistics."""
    square = resize_and_crop(
        image, short_px=SIDE_PX, side_px=SIDE_PX, resample=Image.Resampling.BICUBIC
    )
    pixels = normalise(np.asarray(square), MEAN, DEVIATION)
    return pixels.transpose(2, 0, 1)  # (px, px, 3) -> (3, px, px)


def shrink(image: Image.Image) -> Image.Image:
    """The picture as RGB with a short side of at most 512 px, its middle where it is very long."""
    picture = _drop_far_ends(to_rgb_on_white(image))
    short = min(picture.size)
    if short <= SIDE_PX:
        return picture
    width, height = (SIDE_PX * side // short for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def _drop_far_ends(image: Image.Image) -> Image.Image:
    longest = MAX_ASPECT * min(image.size)
    width, height = (min(side, longest) for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
