"""BERT's encoder as a torch module of our own, for the built-in embedder and cross-encoders.

Attribute names are the tensor names of the file. transformers' class gives the same
vectors; importing it takes 2 s of CPU and 150 MB that the built-in embedder's users
would pay at every start (docs/decisions/0004).
Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rag.embed.packed import attend, embedding_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rag.embed.packed import Packed


@dataclass(frozen=True, slots=True, kw_only=True)
class BertShape:
    """Sizes of the model, from config.json."""

    vocab_size: int
    type_count: int
    position_count: int
    dim: int
    layer_count: int
    head_count: int
    inner_dim: int
    norm_eps: float


def to_bert_shape(config: Mapping[str, Any]) -> BertShape:
    """Sizes out of config.json."""
    return BertShape(
        vocab_size=config["vocab_size"],
        type_count=config["type_vocab_size"],
        position_count=config["max_position_embeddings"],
        dim=config["hidden_size"],
        layer_count=config["num_hidden_layers"],
        head_count=config["num_attention_heads"],
        inner_dim=config["intermediate_size"],
        norm_eps=config["layer_norm_eps"],
    )


class BertEncoder(nn.Module):
    """Packed token ids to their states; see `rag.embed.packed.PackedEncoder`."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.shape = shape
        self.embeddings = _Embeddings(shape)
        self.encoder = _Layers(shape)

    def forward(self, packed: Packed, between: Callable[[], None]) -> Tensor:
        """(tokens, dim), in the type of the weights."""
        states: Tensor = self.embeddings(packed)
        for layer in self.encoder.layer:
            between()
            states = layer(states, packed)
        return states


class BertPairScorer(nn.Module):
    """Packed pairs to one number each: encoder, pooler over the first token, one output.

    Published as BertForSequenceClassification.
    """

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.bert = _PooledBert(shape)
        self.classifier = nn.Linear(shape.dim, 1)

    def forward(self, packed: Packed, between: Callable[[], None]) -> Tensor:
        """(pairs,), logits."""
        states = self.bert(packed, between)
        firsts = [0, *accumulate(packed.lengths)][:-1]
        pooled = torch.tanh(self.bert.pooler.dense(states[firsts]))
        logits: Tensor = self.classifier(pooled)[:, 0]
        return logits


class _PooledBert(BertEncoder):
    """The encoder with the pooler that a cross-encoder was trained with."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__(shape)
        self.pooler = _Dense(shape.dim, shape.dim)


class _Embeddings(nn.Module):
    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.word_embeddings = embedding_table(shape.vocab_size, shape.dim)
        self.position_embeddings = embedding_table(shape.position_count, shape.dim)
        self.token_type_embeddings = embedding_table(shape.type_count, shape.dim)
        self.LayerNorm = nn.LayerNorm(shape.dim, eps=shape.norm_eps)

    def forward(self, packed: Packed) -> Tensor:
        words = self.word_embeddings(packed.ids) + self._sides(packed)
        normed: Tensor = self.LayerNorm(words + self.position_embeddings(packed.positions))
        return normed

    def _sides(self, packed: Packed) -> Tensor:
        if packed.segments is None:
            return self.token_type_embeddings.weight[0]
        sides: Tensor = self.token_type_embeddings(packed.segments)
        return sides


class _Layers(nn.Module):
    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(shape) for _ in range(shape.layer_count))


class _Layer(nn.Module):
    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.attention = _Attention(shape)
        self.intermediate = _Dense(shape.dim, shape.inner_dim)
        self.output = _Output(shape, shape.inner_dim)

    def forward(self, states: Tensor, packed: Packed) -> Tensor:
        states = self.attention(states, packed)
        inner = functional.gelu(self.intermediate.dense(states))
        summed: Tensor = self.output(inner, states)
        return summed


class _Attention(nn.Module):
    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.self = _Heads(shape)
        self.output = _Output(shape, shape.dim)

    def forward(self, states: Tensor, packed: Packed) -> Tensor:
        summed: Tensor = self.output(self.self(states, packed), states)
        return summed


class _Heads(nn.Module):
    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.head_count = shape.head_count
        self.query = nn.Linear(shape.dim, shape.dim)
        self.key = nn.Linear(shape.dim, shape.dim)
        self.value = nn.Linear(shape.dim, shape.dim)

    def forward(self, states: Tensor, packed: Packed) -> Tensor:
        # (tokens, dim) -> (tokens, heads, head_dim)
        query, key, value = (
            project(states).view(len(states), self.head_count, -1)
            for project in (self.query, self.key, self.value)
        )
        return attend(query, key, value, packed.lengths).flatten(1)


class _Dense(nn.Module):
    def __init__(self, width: int, inner_width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, inner_width)


class _Output(nn.Module):
    """Back to the model's width, added to what came in, then the norm."""

    def __init__(self, shape: BertShape, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, shape.dim)
        self.LayerNorm = nn.LayerNorm(shape.dim, eps=shape.norm_eps)

    def forward(self, states: Tensor, residual: Tensor) -> Tensor:
        normed: Tensor = self.LayerNorm(self.dense(states) + residual)
        return normed
