"""The vision half of Nomic Embed v1.5, as a torch module of our own. Knows no text.

Attribute names are the published tensor names, so the file loads without a mapping.
Source: github.com/nomic-ai/contrastors at 613ddfd3; transformers 5.24 has no such class
and the published remote code does not run on it.
Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INNER_NORM_EPS = 1e-5  # the torch default, unlike all other norms of this model
ROTARY_BASE = 10_000.0
# What strict loading of the tensors cannot notice.
FIXED = {
    "activation_function": "swiglu",
    "no_embed_class": False,
    "num_channels": 3,
    "parallel_block": False,
    "prenorm": True,
    "use_pos_embed": True,
    "use_rms_norm": False,
    "use_rotary_pos_emb": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionShape:
    """Sizes of the model, from config.json."""

    dim: int
    layer_count: int
    head_count: int
    inner_dim: int
    image_px: int
    patch_px: int
    reference_grid: int  # side of the grid that rotary positions are counted on
    norm_eps: float

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return self.image_px // self.patch_px

    @property
    def position_count(self) -> int:
        """Patches and the class token."""
        return self.grid**2 + 1

    @property
    def head_dim(self) -> int:
        """Dimensions of one head."""
        return self.dim // self.head_count


def to_vision_shape(published: Mapping[str, Any]) -> VisionShape:
    """Sizes out of the published config.

    Raises:
        EmbedError: A key is missing, or asks for what is not built here.
    """
    for key, value in FIXED.items():
        if published.get(key, value) != value:
            message = (
                f"config.json says {key}={published[key]!r}, which Folio does not compute. "
                "Use nomic-embed-vision-v1.5 itself."
            )
            raise EmbedError(message)
    try:
        return VisionShape(
            dim=published["n_embd"],
            layer_count=published["n_layer"],
            head_count=published["n_head"],
            inner_dim=int(published["n_inner"]),  # published as the float 2048.0
            image_px=published["img_size"],
            patch_px=published["patch_size"],
            reference_grid=published["ref_feat_shape"][0],
            norm_eps=published["layer_norm_epsilon"],
        )
    except (KeyError, TypeError, ValueError) as error:
        message = f"config.json of the vision half is not usable ({error!r}). Fetch it again."
        raise EmbedError(message) from error


class VisionEncoder(nn.Module):
    """Pixels to one vector a picture: class token after the blocks, plus the pooling head."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.shape = shape
        self.embeddings = _Embeddings(shape)
        self.layers = nn.ModuleList(_Block(shape) for _ in range(shape.layer_count))
        self.selector = _Selector(shape)

    def encode(self, pixels: Tensor, between: Callable[[], None]) -> Tensor:
        """float32 (n, 3, px, px), normalised -> (n, positions, dim); there is no final norm."""
        states: Tensor = self.embeddings(pixels)
        turn = rotary_turn(self.shape).to(pixels.device)
        room = _Room.for_states(states, self.shape)
        for layer in self.layers:
            between()
            states = layer(states, turn, room)
        return states

    def forward(self, pixels: Tensor, between: Callable[[], None]) -> Tensor:
        """Pixels to pictures, with what to do between two layers.

        Args:
            pixels: float32 (n, 3, px, px), normalised.
            between: called before each layer.

        Returns:
            float32 (n, dim), not of unit length.
        """
        states = self.encode(pixels, between)
        pooled: Tensor = self.selector(states)
        return states[:, 0] + pooled


def rotary_turn(shape: VisionShape) -> Tensor:
    """How far each pair of dimensions turns: complex64 (positions, 1, 1, head_dim / 2).

    The first half of a head turns with the patch's row, the second with its column.
    The class token, position 0, stays.
    """
    bands = shape.head_dim // 4
    speeds = ROTARY_BASE ** (-torch.arange(bands) / bands)
    places = torch.arange(shape.grid) / shape.grid * shape.reference_grid
    angles = places[:, None] * speeds  # (grid, bands)
    rows = angles.repeat_interleave(shape.grid, dim=0)
    columns = angles.repeat(shape.grid, 1)
    patches = torch.cat([rows, columns], dim=1)
    all_angles = torch.cat([torch.zeros(1, shape.head_dim // 2), patches])[:, None, None]
    return torch.polar(torch.ones_like(all_angles), all_angles)


@dataclass(frozen=True, slots=True)
class _Room:
    """Memory that the layers of one pass share: asking the system anew for each costs time."""

    heads: Tensor  # (n * positions, 3 * dim)
    gate: Tensor  # (n * positions, inner_dim)
    value: Tensor  # (n * positions, inner_dim)

    @classmethod
    def for_states(cls, states: Tensor, shape: VisionShape) -> _Room:
        widths = (3 * shape.dim, shape.inner_dim, shape.inner_dim)
        rows = states.shape[0] * states.shape[1]
        return cls(*(states.new_empty(rows, width) for width in widths))


class _Embeddings(nn.Module):
    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.patch_px = shape.patch_px
        self.proj = nn.Linear(3 * shape.patch_px**2, shape.dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, shape.dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, shape.position_count, shape.dim))

    def forward(self, pixels: Tensor) -> Tensor:
        # A patch is flattened channel, row, column: what unfold gives, row-major over patches.
        patches = functional.unfold(pixels, kernel_size=self.patch_px, stride=self.patch_px)
        tokens = self.proj(patches.transpose(1, 2))  # (n, 3*p*p, patches) -> (n, patches, dim)
        first = self.cls_token.expand(len(pixels), -1, -1)
        return torch.cat([first, tokens], dim=1) + self.pos_embed


class _Block(nn.Module):
    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(shape.dim, eps=shape.norm_eps)
        self.attn = _Attention(shape)
        self.norm2 = nn.LayerNorm(shape.dim, eps=shape.norm_eps)
        self.mlp = _GatedMlp(shape, has_norm=True)

    def forward(self, states: Tensor, turn: Tensor, room: _Room) -> Tensor:
        """Adds to the states in place."""
        rows = states.flatten(0, 1)
        add_linear_(rows, self.attn(self.norm1(states), turn, room), self.attn.out_proj)
        add_linear_(rows, self.mlp.inner(self.norm2(rows), room), self.mlp.fc2)
        return states


class _Attention(nn.Module):
    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.head_count = shape.head_count
        self.Wqkv = nn.Linear(shape.dim, 3 * shape.dim)
        self.out_proj = nn.Linear(shape.dim, shape.dim)

    def forward(self, states: Tensor, turn: Tensor, room: _Room) -> Tensor:
        """(n, positions, dim) -> (n * positions, dim), before `out_proj`."""
        count, positions, dim = states.shape
        torch.addmm(self.Wqkv.bias, states.flatten(0, 1), self.Wqkv.weight.T, out=room.heads)
        heads = room.heads.view(count, positions, 3, self.head_count, dim // self.head_count)
        # Neighbours are a pair: (x0, x1) -> (x0 cos - x1 sin, x1 cos + x0 sin), as complex numbers.
        pairs = heads.view(*heads.shape[:-1], -1, 2)[:, :, :2]
        torch.view_as_complex(pairs).mul_(turn)
        # (n, positions, heads, head_dim) -> (n, heads, positions, head_dim)
        query, key, value = (each.transpose(1, 2) for each in heads.unbind(2))
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return _join_heads(mixed).flatten(0, 1)


class _GatedMlp(nn.Module):
    def __init__(self, shape: VisionShape, *, has_norm: bool) -> None:
        super().__init__()
        self.fc11 = nn.Linear(shape.dim, shape.inner_dim)  # the value
        self.fc12 = nn.Linear(shape.dim, shape.inner_dim)  # the gate
        if has_norm:
            self.norm: nn.Module = nn.LayerNorm(shape.inner_dim, eps=INNER_NORM_EPS)
        else:
            self.norm = nn.Identity()
        self.fc2 = nn.Linear(shape.inner_dim, shape.dim)

    def inner(self, rows: Tensor, room: _Room) -> Tensor:
        """(rows, dim) -> (rows, inner_dim), before `fc2`."""
        torch.addmm(self.fc12.bias, rows, self.fc12.weight.T, out=room.gate)
        torch.addmm(self.fc11.bias, rows, self.fc11.weight.T, out=room.value)
        normed: Tensor = self.norm(functional.silu(room.gate, inplace=True).mul_(room.value))
        return normed


def add_linear_(states: Tensor, rows: Tensor, layer: nn.Linear) -> None:
    """Add what the layer makes of the rows to the states, without a copy of either."""
    states.add_(layer.bias).addmm_(rows, layer.weight.T)


class _Selector(nn.Module):
    """The pooling head. Its attention has no residual of its own."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.shape = shape
        self.attn = _LatentAttention(shape)
        self.norm1 = nn.LayerNorm(shape.dim, eps=shape.norm_eps)
        self.mlp = _GatedMlp(shape, has_norm=False)

    def forward(self, states: Tensor) -> Tensor:
        read = self.norm1(self.attn(states))  # (n, 1, dim)
        inner = self.mlp.inner(read[:, 0], _Room.for_states(read, self.shape))
        pooled: Tensor = self.mlp.fc2(inner)
        return pooled


class _LatentAttention(nn.Module):
    """One learned query that reads all positions."""

    def __init__(self, shape: VisionShape) -> None:
        super().__init__()
        self.head_count = shape.head_count
        self.latent = nn.Parameter(torch.zeros(1, 1, shape.dim))
        self.Wq = nn.Linear(shape.dim, shape.dim)
        self.Wkv = nn.Linear(shape.dim, 2 * shape.dim)
        self.out_proj = nn.Linear(shape.dim, shape.dim)

    def forward(self, states: Tensor) -> Tensor:
        asked = self.Wq(self.latent.expand(len(states), -1, -1))
        key, value = (
            _split_heads(part, self.head_count) for part in self.Wkv(states).chunk(2, dim=-1)
        )
        mixed = functional.scaled_dot_product_attention(
            _split_heads(asked, self.head_count), key, value
        )
        joined: Tensor = self.out_proj(_join_heads(mixed))
        return joined


def _split_heads(states: Tensor, head_count: int) -> Tensor:
    # (n, positions, dim) -> (n, heads, positions, head_dim)
    count, positions, dim = states.shape
    return states.view(count, positions, head_count, dim // head_count).transpose(1, 2)


def _join_heads(states: Tensor) -> Tensor:
    # (n, heads, positions, head_dim) -> (n, positions, dim)
    return states.transpose(1, 2).flatten(2)
