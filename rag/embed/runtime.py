"""How torch and transformers are started and read. Imports them inside functions only."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from rag.embed.tensors import refuse_gaps
from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import torch
    from torch import nn


def start_torch(threads: int) -> None:
    """Import torch with that many CPU threads, and make transformers keep quiet."""
    if "torch" not in sys.modules:
        # Both must be set before torch is imported. Without the first, set_num_threads
        # holds for the calling thread only, and answers are made in threads of their own:
        # they took all cores and 37 s instead of 0.9 s on a busy machine (measured).
        os.environ["OMP_NUM_THREADS"] = str(threads)
        # OpenMP threads that spin beside a busy web server halve the work done per CPU second.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch
    from transformers.utils import logging as transformers_logging

    torch.set_num_threads(threads)
    # Its loading bar and load report go to standard error, where `--json` users read progress.
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def load_pretrained(
    load: Callable[..., Any],
    folder: Path,
    *,
    unused: Collection[str] = (),
    dtype: torch.dtype | None = None,
) -> nn.Module:
    """A transformers model from a local folder, every weight from its file.

    Args:
        load: the class's `from_pretrained`.
        folder: holds config.json and model.safetensors.
        unused: tensors of the file that the model is known not to need.
        dtype: what it computes in, whatever the file holds; float32 when None.

    Raises:
        EmbedError: A tensor is missing, not expected or of another shape, or the
            file is damaged. Without this check transformers fills gaps at random.
    """
    import torch

    model: nn.Module
    try:
        model, report = load(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=dtype or torch.float32,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
    except Exception as error:  # the library raises whatever it likes here
        message = f"The model in {folder} cannot be loaded ({error}). Fetch its files again."
        raise EmbedError(message) from error
    unexpected = set(report["unexpected_keys"]) - set(unused)
    refuse_gaps(folder, missing=report["missing_keys"], unexpected=unexpected)
    return model.eval()
