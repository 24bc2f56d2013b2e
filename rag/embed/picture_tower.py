"""A vision encoder that turns pictures into vectors in small batches. Knows no text.

Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional

from rag.embed.nomic_vision import VisionEncoder, to_vision_shape
from rag.embed.pixels import to_pixels
from rag.embed.tensors import refuse_other_tensors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.lanes import Array
    from rag.embed.turns import Turns

# One picture of 197 positions takes up to 1.5 s on a busy thread, alone or among four
# (facts/nomic.md, 6); a batch would only make questions wait.
MAX_BATCH_POSITIONS = 256


class PictureTower:
    """Pictures to unit vectors; the image half of a picture lane.

    Args:
        encoder: in eval mode.
        turns: shared by all lanes of one embedder.
        batch_size: most pictures in a batch.
    """

    def __init__(self, *, encoder: VisionEncoder, turns: Turns, batch_size: int) -> None:
        self._encoder = encoder
        self._turns = turns
        self._batch_size = max(
            1, min(batch_size, MAX_BATCH_POSITIONS // encoder.shape.position_count)
        )

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
        # Unit length only: the LayerNorm of the text half has no counterpart here.
        return functional.normalize(self._encoder(torch.from_numpy(pixels)), dim=-1).numpy()


def load_nomic_vision(files: CheckpointFiles, *, turns: Turns, batch_size: int) -> PictureTower:
    """The vision half from its two files.

    Raises:
        EmbedError: The config asks for what is not built, or the files are not whole.
    """
    return PictureTower(encoder=load_encoder(files), turns=turns, batch_size=batch_size)


def load_encoder(files: CheckpointFiles) -> VisionEncoder:
    """The encoder in eval mode, every tensor from its file and turned into float32.

    Raises:
        EmbedError: As for `load_nomic_vision`.
    """
    encoder = VisionEncoder(to_vision_shape(files.config))
    wanted = {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
    refuse_other_tensors(files.folder, wanted)
    encoder.load_state_dict(load_file(files.folder / "model.safetensors"), strict=True)
    return encoder.eval()
