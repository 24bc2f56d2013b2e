"""Texts laid end to end, so that nothing is computed for padding. Knows no model and no text.

Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Some texts as one row of tokens."""

    ids: Tensor  # int64 (tokens,)
    positions: Tensor  # int64 (tokens,), each text counted from 0
    lengths: tuple[int, ...]  # tokens of each text, in order; none is 0
    segments: Tensor | None = None  # int64 (tokens,), side of a pair; None: all on the first


class PackedEncoder(Protocol):
    """Reads packed texts; none sees another.

    Called with what to do between two layers. Gives the states of all tokens,
    (tokens, dim), in the order of `Packed.ids`.
    """

    def __call__(self, packed: Packed, between: Callable[[], None]) -> Tensor: ...


def pack(
    rows: Sequence[Sequence[int]],
    *,
    segments: Sequence[Sequence[int]] | None = None,
    device: torch.device | None = None,
) -> Packed:
    """Token ids of each text, end to end; of pairs with the side each token is on."""
    lengths = tuple(len(row) for row in rows)
    return Packed(
        ids=_end_to_end(rows, device),
        positions=torch.cat([torch.arange(length, device=device) for length in lengths]),
        lengths=lengths,
        segments=None if segments is None else _end_to_end(segments, device),
    )


def _end_to_end(rows: Sequence[Sequence[int]], device: torch.device | None) -> Tensor:
    return torch.tensor([each for row in rows for each in row], device=device)


def attend(query: Tensor, key: Tensor, value: Tensor, lengths: Sequence[int]) -> Tensor:
    """Attention inside each text; every token sees its whole text and nothing else.

    Text by text, because these calls are a twentieth of the work, and one call for all
    would want a mask of (tokens, tokens).

    Args:
        query: (tokens, heads, head_dim), with any strides.
        key: as query.
        value: as query.
        lengths: tokens of each text.

    Returns:
        (tokens, heads, head_dim), contiguous.
    """
    mixed = torch.empty_like(query, memory_format=torch.contiguous_format)
    sizes = list(lengths)
    parts = (torch.split(each, sizes) for each in (query, key, value, mixed))
    for one_query, one_key, one_value, out in zip(*parts, strict=True):
        # (tokens, heads, head_dim) -> (1, heads, tokens, head_dim)
        seen = functional.scaled_dot_product_attention(
            *(each.transpose(0, 1)[None] for each in (one_query, one_key, one_value))
        )
        out.copy_(seen[0].transpose(0, 1))
    return mixed


def mean_of_each(states: Tensor, lengths: Sequence[int]) -> Tensor:
    """Mean over the tokens of each text: (tokens, dim) -> (texts, dim)."""
    return torch.stack([part.mean(dim=0) for part in torch.split(states, list(lengths))])


def embedding_table(count: int, dim: int) -> nn.Embedding:
    """An embedding whose rows come from a file.

    torch 2.13 draws random rows for a plain one, and for that, without memory behind them,
    imports its compiler: 1.5 s of CPU.
    """
    return nn.Embedding(count, dim, _weight=torch.empty(count, dim))
