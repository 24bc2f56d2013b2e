"""How a checkpoint wants its pictures: read from its settings file, then applied.

Knows the keys of transformers' image processors, in both layouts in which they are
published; knows no model. Imports neither torch nor Pillow before a picture comes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from rag.embed.lanes import Array

# crop: shorter side to size, middle kept. squash: to a square. patches: own shape (NaFlex).
Fit = Literal["crop", "squash", "patches"]
Filter = Literal["bilinear", "bicubic"]

# Older checkpoints have a file of their own, transformers 5 writes one for text and pictures.
SETTINGS_FILES = ("preprocessor_config.json", "processor_config.json")
_FILTERS: Mapping[int, Filter] = {2: "bilinear", 3: "bicubic"}
_DEFAULT_FILTER = {"crop": 3, "squash": 3, "patches": 2}  # transformers 5.24
# Every one is what the published checkpoints say; another value would need other code.
_FIXED = {"do_resize": True, "do_rescale": True, "do_normalize": True, "do_center_crop": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePolicy:
    """What is done to a picture before a vision encoder reads it."""

    fit: Fit
    side_px: int  # of the square, or of one patch
    short_px: int = 0  # crop only: the shorter side before the middle is cut out
    max_patches: int = 0  # patches only
    resample: Filter
    mean: tuple[float, ...]  # of R, G and B, in [0, 1]
    deviation: tuple[float, ...]

    @property
    def line(self) -> str:
        """Its part of an identity: `crop-bicubic-224`, `naflex-bilinear-p16-n256`."""
        if self.fit == "patches":
            return f"naflex-{self.resample}-p{self.side_px}-n{self.max_patches}"
        shrunk = "" if self.short_px in (0, self.side_px) else f"-of-{self.short_px}"
        return f"{self.fit}-{self.resample}-{self.side_px}{shrunk}"

    def prepare(self, images: Sequence[Image.Image]) -> dict[str, NDArray[Any]]:
        """Pictures as the arguments of a model's `get_image_features`.

        Returns:
            `pixel_values` float32 (n, 3, side_px, side_px); for patches float32
            (n, patches, numbers of a patch) with `pixel_attention_mask` int64 (n, patches)
            and `spatial_shapes` int64 (n, 2), rows and columns.
        """
        if self.fit == "patches":
            return self._prepare_patches(images)
        squares = [self._normalise(np.asarray(self._fit(image))) for image in images]
        return {"pixel_values": np.stack(squares).transpose(0, 3, 1, 2)}

    def _prepare_patches(self, images: Sequence[Image.Image]) -> dict[str, NDArray[Any]]:
        from PIL import Image as Pillow

        from rag.embed.pixels import to_patches

        tiled = [
            to_patches(
                image,
                patch_px=self.side_px,
                max_patches=self.max_patches,
                resample=Pillow.Resampling[self.resample.upper()],
            )
            for image in images
        ]
        grids = np.array([grid for _, grid in tiled], dtype=np.int64)
        counts = grids.prod(axis=1)
        # Padding is masked out, so the longest picture of a batch is wide enough.
        values = np.zeros((len(tiled), counts.max(), 3 * self.side_px**2), dtype=np.float32)
        for row, (patches, _) in zip(values, tiled, strict=True):
            pixels = self._normalise(patches.reshape(len(patches), -1, 3))
            row[: len(patches)] = pixels.reshape(len(patches), -1)
        mask = np.arange(counts.max()) < counts[:, None]
        return {
            "pixel_values": values,
            "pixel_attention_mask": mask.astype(np.int64),
            "spatial_shapes": grids,
        }

    def _fit(self, image: Image.Image) -> Image.Image:
        from PIL import Image as Pillow

        from rag.embed.pixels import resize_and_crop, squash

        resample = Pillow.Resampling[self.resample.upper()]
        if self.fit == "squash":
            return squash(image, side_px=self.side_px, resample=resample)
        return resize_and_crop(
            image, short_px=self.short_px, side_px=self.side_px, resample=resample
        )

    def _normalise(self, pixels: NDArray[np.uint8]) -> Array:
        from rag.embed.pixels import normalise

        mean, deviation = np.array((self.mean, self.deviation), dtype=np.float32)
        return normalise(pixels, mean, deviation)


def read_policy(folder: Path, fit: Fit) -> PicturePolicy:
    """The policy that a checkpoint's folder states.

    Raises:
        EmbedError: The file is damaged, or asks for what Folio does not do.
    """
    path = next(path for name in SETTINGS_FILES if (path := folder / name).is_file())
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        stated = stated.get("image_processor", stated)
        return _to_policy(stated, fit)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        message = (
            f"{path} is damaged, or prepares pictures in a way that Folio does not ({error}). "
            "Fetch it again."
        )
        raise EmbedError(message) from error


def _to_policy(stated: dict[str, Any], fit: Fit) -> PicturePolicy:
    for key, value in _FIXED.items():
        if stated.get(key, value) != value and (fit == "crop" or key != "do_center_crop"):
            raise ValueError(f"{key} is {stated[key]}")
    if abs(stated.get("rescale_factor", 1 / 255) - 1 / 255) > 1e-9:
        raise ValueError(f"rescale_factor is {stated['rescale_factor']}")
    mean, deviation = (tuple(map(float, stated[f"image_{key}"])) for key in ("mean", "std"))
    if len(mean) != 3 or len(deviation) != 3 or min(deviation) <= 0:
        raise ValueError(f"image_mean is {mean} and image_std {deviation}")
    resample = _FILTERS.get(stated.get("resample", _DEFAULT_FILTER[fit]))
    if resample is None:
        raise ValueError(f"resample is {stated['resample']}")
    return PicturePolicy(
        fit=fit,
        resample=resample,
        mean=mean,
        deviation=deviation,
        **_sizes(stated, fit),
    )


def _sizes(stated: dict[str, Any], fit: Fit) -> dict[str, int]:
    if fit == "patches":
        sizes = {
            "side_px": int(stated.get("patch_size", 16)),
            "max_patches": int(stated.get("max_num_patches", 256)),
        }
    elif fit == "squash":
        sizes = {"side_px": _square(stated["size"])}
    else:
        size = stated["size"]
        short = size["shortest_edge"] if isinstance(size, dict) else size
        sizes = {"side_px": _square(stated["crop_size"]), "short_px": int(short)}
        if sizes["short_px"] < sizes["side_px"]:
            raise ValueError(f"size is {size} and crop_size {stated['crop_size']}")
    if min(sizes.values()) < 1:
        raise ValueError(f"sizes are {sizes}")
    return sizes


def _square(size: int | dict[str, int]) -> int:
    """224, or {"height": 224, "width": 224}: both are published."""
    sides = {size["height"], size["width"]} if isinstance(size, dict) else {size}
    if len(sides) != 1:
        raise ValueError(f"size is {size}")
    return int(sides.pop())
