"""The encoder of Nomic Embed v1.5's text half, as a torch module of our own. Knows no pooling.

Attribute names are the published tensor names, so the file loads without a mapping and
stays mapped into memory. Why not transformers' class: docs/decisions/0004.
Source: github.com/nomic-ai/contrastors at 613ddfd3.
Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rag.embed.packed import attend, embedding_table
from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rag.embed.packed import Packed

# What strict loading of the tensors cannot notice, in published and in transformers' names.
FIXED = {
    "activation_function": "swiglu",
    "causal": False,
    "hidden_act": "silu",
    "mlp_fc1_bias": False,
    "mlp_fc2_bias": False,
    "parallel_block": False,
    "prenorm": False,
    "qkv_proj_bias": False,
    "rotary_emb_fraction": 1.0,
    "rotary_emb_interleaved": False,
    "rotary_scaling_factor": None,
    "use_rms_norm": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShape:
    """Sizes of the model, from config.json."""

    vocab_size: int
    type_count: int
    dim: int
    layer_count: int
    head_count: int
    inner_dim: int
    norm_eps: float
    rotary_base: float

    @property
    def head_dim(self) -> int:
        """Dimensions of one head."""
        return self.dim // self.head_count


def to_text_shape(config: Mapping[str, Any]) -> TextShape:
    """Sizes out of config.json, in the published names or in those that transformers writes.

    Raises:
        EmbedError: A key is missing, or asks for what is not built here.
    """
    rope = config.get("rope_parameters") or {}
    for key, value in (*FIXED.items(), ("rope_type", "default")):
        said = config.get(key, rope.get(key, value))
        if said != value:
            message = (
                f"config.json says {key}={said!r}, which Folio does not compute. "
                "Use nomic-embed-text-v1.5 itself."
            )
            raise EmbedError(message)
    try:
        return _from_native(config, rope) if "hidden_size" in config else _from_published(config)
    except (KeyError, TypeError, ValueError) as error:
        message = f"config.json is not usable ({error!r}). Fetch the file again."
        raise EmbedError(message) from error


def _from_published(config: Mapping[str, Any]) -> TextShape:
    return TextShape(
        vocab_size=int(config["vocab_size"]),
        type_count=int(config["type_vocab_size"]),
        dim=int(config["n_embd"]),
        layer_count=int(config["n_layer"]),
        head_count=int(config["n_head"]),
        inner_dim=int(config["n_inner"]),
        norm_eps=float(config["layer_norm_epsilon"]),
        rotary_base=float(config["rotary_emb_base"]),
    )


def _from_native(config: Mapping[str, Any], rope: Mapping[str, Any]) -> TextShape:
    # transformers 5.24 saves published tensor names beside these keys.
    return TextShape(
        vocab_size=int(config["vocab_size"]),
        type_count=int(config["type_vocab_size"]),
        dim=int(config["hidden_size"]),
        layer_count=int(config["num_hidden_layers"]),
        head_count=int(config["num_attention_heads"]),
        inner_dim=int(config["intermediate_size"]),
        norm_eps=float(config["layer_norm_eps"]),
        rotary_base=float(rope["rope_theta"]),
    )


class NomicTextEncoder(nn.Module):
    """Packed token ids to their states; see `rag.embed.packed.PackedEncoder`."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.shape = shape
        self.embeddings = _Embeddings(shape)
        self.emb_ln = nn.LayerNorm(shape.dim, eps=shape.norm_eps)
        self.encoder = _Layers(shape)

    def forward(self, packed: Packed, between: Callable[[], None]) -> Tensor:
        """Float32 (tokens, dim)."""
        states: Tensor = self.emb_ln(self.embeddings(packed.ids))
        turn = _Turn.at(packed.positions, self.shape)
        room = _Room.for_tokens(states, self.shape)
        for layer in self.encoder.layers:
            between()
            states = layer(states, packed, turn, room)
        return states


@dataclass(frozen=True, slots=True)
class _Turn:
    """Rotary angles of each token as cos and sin, (tokens, 1, 1, head_dim / 2)."""

    cos: Tensor
    sin: Tensor

    @classmethod
    def at(cls, positions: Tensor, shape: TextShape) -> _Turn:
        # Rounded as the original rounds: at position 2000 the last bit is 1e-4 of an angle.
        steps = torch.arange(0, shape.head_dim, 2, device=positions.device) / shape.head_dim
        angles = positions[:, None] * (1.0 / shape.rotary_base**steps)
        return cls(angles.cos()[:, None, None], angles.sin()[:, None, None])

    def apply_(self, states: Tensor) -> None:
        """Turn (tokens, ..., head_dim) in place; dimension i is paired with i + head_dim / 2."""
        first, second = states.chunk(2, dim=-1)
        was = first.clone()
        first.mul_(self.cos).addcmul_(second, self.sin, value=-1)
        second.mul_(self.cos).addcmul_(was, self.sin)


@dataclass(frozen=True, slots=True)
class _Room:
    """Memory that the layers of one pass share: asking the system anew for each costs 5 %."""

    heads: Tensor  # (tokens, 3 * dim)
    gate: Tensor  # (tokens, inner_dim)
    value: Tensor  # (tokens, inner_dim)

    @classmethod
    def for_tokens(cls, states: Tensor, shape: TextShape) -> _Room:
        widths = (3 * shape.dim, shape.inner_dim, shape.inner_dim)
        return cls(*(states.new_empty(len(states), width) for width in widths))


class _Embeddings(nn.Module):
    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.word_embeddings = embedding_table(shape.vocab_size, shape.dim)
        self.token_type_embeddings = embedding_table(shape.type_count, shape.dim)

    def forward(self, ids: Tensor) -> Tensor:
        words: Tensor = self.word_embeddings(ids)
        return words + self.token_type_embeddings.weight[0]  # a text alone is of the first type


class _Layers(nn.Module):
    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layer_count))


class _Layer(nn.Module):
    """Norms come after each sum (prenorm is false)."""

    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.attn = _Attention(shape)
        self.norm1 = nn.LayerNorm(shape.dim, eps=shape.norm_eps)
        self.mlp = _GatedMlp(shape)
        self.norm2 = nn.LayerNorm(shape.dim, eps=shape.norm_eps)

    def forward(self, states: Tensor, packed: Packed, turn: _Turn, room: _Room) -> Tensor:
        states = self.norm1(self.attn(states, packed, turn, room))
        summed: Tensor = self.norm2(self.mlp(states, room))
        return summed


class _Attention(nn.Module):
    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.head_count = shape.head_count
        self.Wqkv = nn.Linear(shape.dim, 3 * shape.dim, bias=False)
        self.out_proj = nn.Linear(shape.dim, shape.dim, bias=False)

    def forward(self, states: Tensor, packed: Packed, turn: _Turn, room: _Room) -> Tensor:
        """The states with what attention adds to them, in place."""
        torch.mm(states, self.Wqkv.weight.T, out=room.heads)
        # (tokens, 3 * dim) -> (tokens, 3, heads, head_dim)
        heads = room.heads.view(len(states), 3, self.head_count, -1)
        turn.apply_(heads[:, :2])
        query, key, value = heads.unbind(1)
        mixed = attend(query, key, value, packed.lengths).flatten(1)
        return states.addmm_(mixed, self.out_proj.weight.T)


class _GatedMlp(nn.Module):
    def __init__(self, shape: TextShape) -> None:
        super().__init__()
        self.fc11 = nn.Linear(shape.dim, shape.inner_dim, bias=False)  # the value
        self.fc12 = nn.Linear(shape.dim, shape.inner_dim, bias=False)  # the gate
        self.fc2 = nn.Linear(shape.inner_dim, shape.dim, bias=False)

    def forward(self, states: Tensor, room: _Room) -> Tensor:
        """The states with what the layer adds to them, in place."""
        torch.mm(states, self.fc12.weight.T, out=room.gate)
        torch.mm(states, self.fc11.weight.T, out=room.value)
        functional.silu(room.gate, inplace=True).mul_(room.value)
        return states.addmm_(room.gate, self.fc2.weight.T)
