"""A vision encoder that turns pictures into vectors in small batches. Knows no text.

Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from rag.embed.mapped import load_mapped
from rag.embed.nomic_vision import VisionEncoder, to_vision_shape
from rag.embed.pixels import to_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.lanes import Array
    from rag.embed.turns import Turns

MAX_BATCH_POSITIONS = 800


class PictureTower:
    """Pictures to unit vectors; the image half of a picture lane.

    Args:
        encoder: in eval mode, on `device`.
        turns: shared by all lanes of one embedder.
        batch_size: most pictures in a batch.
        device: where pixels go.
    """

    def __init__(
        self, *, encoder: VisionEncoder, turns: Turns, batch_size: int, device: torch.device
    ) -> None:
        self._encoder = encoder
        self._turns = turns
        self._batch_size = max(
            1, min(batch_size, MAX_BATCH_POSITIONS // encoder.shape.position_count)
        )
        self._device = device

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._encoder.shape.dim

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        """Pictures to float32 (n, dim), rows L2-normalised, row i belongs to picture i."""
        vectors = np.zeros((len(images), self.dim), dtype=np.float32)
        for start in range(0, len(images), self._batch_size):
            places = slice(start, start + self._batch_size)
            pixels = to_pixels(images[places], side_px=self._encoder.shape.image_px)
            with self._turns.take(question=False):
                vectors[places] = self._forward(pixels)
        return vectors

    @torch.inference_mode()
    def _forward(self, pixels: Array) -> Array:
        states = self._encoder(torch.from_numpy(pixels).to(self._device), self._turns.give_way)
        # Unit length only: the LayerNorm of the text half has no counterpart here.
        return functional.normalize(states, dim=-1).cpu().numpy()


def load_nomic_vision(
    files: CheckpointFiles, *, turns: Turns, batch_size: int, device: torch.device
) -> PictureTower:
    """The vision half from its two files.

    Raises:
        EmbedError: The config asks for what is not built, or the files are not whole.
    """
    encoder = load_encoder(files, device=device)
    return PictureTower(encoder=encoder, turns=turns, batch_size=batch_size, device=device)


def load_encoder(files: CheckpointFiles, *, device: torch.device) -> VisionEncoder:
    """The encoder alone, in float32 whatever the file holds.

    Raises:
        EmbedError: As for `load_nomic_vision`.
    """
    shape = to_vision_shape(files.config)
    return load_mapped(
        lambda: VisionEncoder(shape), files.folder, device=device, dtype=torch.float32
    )
