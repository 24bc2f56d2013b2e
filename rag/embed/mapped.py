"""Weights mapped into memory: read from the file when first used, shared by processes.

Knows modules whose attribute names are the tensor names of their file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rag.embed.tensors import refuse_other_tensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch
    from torch import nn

    M = TypeVar("M", bound=nn.Module)


def load_mapped(
    build: Callable[[], M],
    folder: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    unused: tuple[str, ...] = (),
) -> M:
    """A module in eval mode with the tensors of model.safetensors, all of them and no other.

    In the file's own type on a CPU nothing is copied. Anything else is converted.

    Args:
        build: makes the module; whatever it allocates is thrown away, so it may not
            hold buffers that are not in the file.
        folder: holds model.safetensors.
        device: where the weights go.
        dtype: what the module computes in.
        unused: how the names of tensors begin that are in the file and not needed.

    Raises:
        EmbedError: A tensor is missing, not expected or of another shape, or the
            file is damaged.
    """
    import torch
    from safetensors.torch import load_file

    with torch.device("meta"):  # names and shapes without memory
        module = build()
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    refuse_other_tensors(folder, wanted, unused=unused)
    mapped = load_file(folder / "model.safetensors")
    weights = {name: mapped[name].to(device, dtype) for name in wanted}
    module.load_state_dict(weights, strict=True, assign=True)
    return module.requires_grad_(False).eval()
