"""Text encoders read by mean pooling: MiniLM and Nomic text. Knows no file and no model name.

Texts of similar length go through together, end to end and without padding.

Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from rag.embed.batches import plan_batches
from rag.embed.packed import mean_of_each, pack
from rag.embed.tokens import clean_text, count_uncut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Encoding, Tokenizer

    from rag.embed.lanes import Array
    from rag.embed.packed import PackedEncoder
    from rag.embed.turns import Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What turns token states into a vector, apart from the weights."""

    dim: int  # shorter than the model's own for a Matryoshka cut
    text_cap: int  # tokens that are read of a text, prefix included
    query_prefix: str
    document_prefix: str
    has_layer_norm: bool  # LayerNorm without weights, eps 1e-5, between mean and unit length
    max_batch_tokens: int  # bounds memory, and how long one layer holds the model


class TextTower:
    """A text lane: prefix, tokens, encoder, mean over real tokens, unit length.

    Args:
        model: in eval mode, on `device`.
        tokenizer: truncates at the model's cap and does not pad.
        recipe: what the model card says about prefixes and pooling.
        turns: shared by all lanes of one embedder.
        batch_size: most texts in a batch.
        device: where token ids go.
    """

    def __init__(
        self,
        *,
        model: PackedEncoder,
        tokenizer: Tokenizer,
        recipe: Recipe,
        turns: Turns,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._turns = turns
        self._batch_size = batch_size
        self._device = device

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._recipe.dim

    @property
    def text_cap(self) -> int:
        """Tokens that are read of a text."""
        return self._recipe.text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        """Questions to float32 (n, dim), rows L2-normalised; goes before waiting documents."""
        return self._embed(self._recipe.query_prefix, texts, question=True)

    def embed_documents(self, texts: Sequence[str]) -> Array:
        """Passages to float32 (n, dim), rows L2-normalised, row i belongs to text i."""
        return self._embed(self._recipe.document_prefix, texts, question=False)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text in document form, before it is cut."""
        prefix = self._recipe.document_prefix
        return [count_uncut(self._encode(prefix + text)) for text in texts]

    def _embed(self, prefix: str, texts: Sequence[str], *, question: bool) -> Array:
        rows = [self._encode(prefix + text).ids for text in texts]
        vectors = np.zeros((len(rows), self.dim), dtype=np.float32)
        batches = plan_batches(
            [len(row) for row in rows],
            max_rows=self._batch_size,
            max_tokens=self._recipe.max_batch_tokens,
        )
        for places in batches:
            with self._turns.take(question=question):
                vectors[places] = self._forward([rows[place] for place in places])
        return vectors

    def _encode(self, text: str) -> Encoding:
        return self._tokenizer.encode(clean_text(text))

    @torch.inference_mode()
    def _forward(self, rows: Sequence[Sequence[int]]) -> Array:
        packed = pack(rows, device=self._device)
        states = self._model(packed, self._turns.give_way)
        mean = mean_of_each(states.float(), packed.lengths)
        recipe = self._recipe
        return to_unit(mean, has_layer_norm=recipe.has_layer_norm, dim=recipe.dim).cpu().numpy()


def pool(
    states: torch.Tensor, mask: torch.Tensor, *, has_layer_norm: bool, dim: int | None = None
) -> torch.Tensor:
    """Padded token states to vectors: mean over real tokens, then as `to_unit`.

    Args:
        states: float32 (n, tokens, dim).
        mask: int64 (n, tokens), 1 for a real token; each row has at least one.
        has_layer_norm: see `to_unit`.
        dim: see `to_unit`.

    Returns:
        float32 (n, dim), rows L2-normalised.
    """
    weights = mask.unsqueeze(-1).to(states.dtype)
    mean = (states * weights).sum(dim=1) / weights.sum(dim=1)  # (n, tokens, dim) -> (n, dim)
    return to_unit(mean, has_layer_norm=has_layer_norm, dim=dim)


def to_unit(mean: torch.Tensor, *, has_layer_norm: bool, dim: int | None = None) -> torch.Tensor:
    """Means of token states to vectors: LayerNorm if asked, cut, unit length.

    Args:
        mean: float32 (n, dim).
        has_layer_norm: Nomic v1.5 wants it, also when nothing is truncated, because
            its vision tower was trained against such vectors (model card).
        dim: Matryoshka cut, after the LayerNorm over all numbers; None keeps all.

    Returns:
        float32 (n, dim), rows L2-normalised.
    """
    if has_layer_norm:
        mean = functional.layer_norm(mean, mean.shape[-1:], eps=1e-5)
    return functional.normalize(mean[:, :dim], dim=-1)
