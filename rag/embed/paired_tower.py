"""A model with a picture and a text half, used for pictures and questions about them.

CLIP and SigLIP 2. Knows no file and no model name. Imports torch: import this module
inside functions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch.nn import functional

from rag.embed.batches import plan_batches
from rag.embed.tokens import clean_text, count_uncut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image
    from tokenizers import Encoding, Tokenizer

    from rag.embed.lanes import Array
    from rag.embed.picture_policy import PicturePolicy
    from rag.embed.turns import Turns

# CPU seconds at real size with random weights, one thread: SigLIP 2 takes 0.13 s for a question
# alone and 0.09 s among four; CLIP B/32 0.14 s for a picture of 50 positions alone and 0.09 s
# among four; SigLIP 2 0.38 s for one of 256 alone and 0.35 s among two. So a batch takes
# less than half a second, which is what a question may wait.
MAX_BATCH_TOKENS = 256
MAX_BATCH_POSITIONS = 200


class Features(Protocol):
    """What a features call gives since transformers 5; its `[0]` would be the token states."""

    pooler_output: torch.Tensor  # float32 (n, dim), not normalised


class PairedModel(Protocol):
    """CLIPModel, SiglipModel and Siglip2Model of transformers, in eval mode."""

    @property
    def device(self) -> torch.device: ...
    def get_text_features(self, *, input_ids: torch.Tensor) -> Features: ...
    def get_image_features(self, **inputs: torch.Tensor) -> Features: ...


class PairedTower:
    """A picture lane: unit vectors of pictures and of questions, in one space.

    Args:
        model: gives features of token ids and of pixels.
        tokenizer: cuts at `text_cap`, adds the special tokens and does not pad.
        pad_id: token that fills shorter texts up.
        has_full_width: texts are filled up to `text_cap`, not to the longest of their
            batch. SigLIP reads its vector off the last place, padding or not.
        policy: how pictures are prepared.
        positions: what one picture takes in the vision encoder at most.
        dim: length of a vector.
        text_cap: tokens that are read of a question.
        turns: shared by all lanes of one embedder.
        batch_size: most texts or pictures in a batch.
    """

    def __init__(
        self,
        *,
        model: PairedModel,
        tokenizer: Tokenizer,
        pad_id: int,
        has_full_width: bool,
        policy: PicturePolicy,
        positions: int,
        dim: int,
        text_cap: int,
        turns: Turns,
        batch_size: int,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._pad_id = pad_id
        self._has_full_width = has_full_width
        self._policy = policy
        self._pictures_a_batch = max(1, min(batch_size, MAX_BATCH_POSITIONS // positions))
        self._dim = dim
        self._text_cap = text_cap
        self._turns = turns
        self._batch_size = batch_size

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def text_cap(self) -> int:
        """Tokens that are read of a question, special ones included."""
        return self._text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        """Questions to float32 (n, dim), rows L2-normalised; goes before waiting pictures."""
        rows = [self._encode(text).ids for text in texts]
        widths = [self._text_cap if self._has_full_width else len(row) for row in rows]
        vectors = np.zeros((len(rows), self._dim), dtype=np.float32)
        batches = plan_batches(widths, max_rows=self._batch_size, max_tokens=MAX_BATCH_TOKENS)
        for places in batches:
            width = max(widths[place] for place in places)
            ids = [rows[at] + [self._pad_id] * (width - len(rows[at])) for at in places]
            with self._turns.take(question=True):
                vectors[places] = self._embed_ids(torch.tensor(ids))
        return vectors

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        """Pictures to float32 (n, dim), rows L2-normalised, row i belongs to picture i."""
        vectors = np.zeros((len(images), self._dim), dtype=np.float32)
        for start in range(0, len(images), self._pictures_a_batch):
            places = slice(start, start + self._pictures_a_batch)
            inputs = self._policy.prepare(images[places])
            with self._turns.take(question=False):
                vectors[places] = self._embed_pixels(inputs)
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each question before it is cut, special ones included."""
        return [count_uncut(self._encode(text)) for text in texts]

    def _encode(self, text: str) -> Encoding:
        return self._tokenizer.encode(clean_text(text))

    @torch.inference_mode()
    def _embed_ids(self, ids: torch.Tensor) -> Array:
        # No attention mask: CLIP is causal and reads its vector off the first end token, so
        # padding changes nothing; SigLIP was trained on padding that it attends to.
        return _to_unit(self._model.get_text_features(input_ids=ids.to(self._model.device)))

    @torch.inference_mode()
    def _embed_pixels(self, inputs: dict[str, NDArray[Any]]) -> Array:
        device = self._model.device
        tensors = {name: torch.from_numpy(array).to(device) for name, array in inputs.items()}
        return _to_unit(self._model.get_image_features(**tensors))


def _to_unit(features: Features) -> Array:
    unit: Array = functional.normalize(features.pooler_output.float(), dim=-1).cpu().numpy()
    return unit
