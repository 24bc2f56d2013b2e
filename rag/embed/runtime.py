"""How torch and transformers are started and read. Imports them inside functions only."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from rag.embed.tensors import refuse_gaps
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch
    from torch import nn

    from rag.embed.catalogue import ModelFacts
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

# A reduced precision must take at most this share of the time, or it is not worth the digits.
LEAST_GAIN = 0.8


def start_torch(threads: int) -> None:
    """Import torch with that many CPU threads, and make transformers keep quiet if it comes."""
    if "torch" not in sys.modules:
        # Both must be set before torch is imported. Without the first, set_num_threads
        # holds for the calling thread only, and answers are made in threads of their own:
        # they took all cores and 37 s instead of 0.9 s on a busy machine (measured).
        os.environ["OMP_NUM_THREADS"] = str(threads)
        # OpenMP threads that spin beside a busy web server halve the work done per CPU second.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # It writes to standard error, where `--json` users read progress. Not imported for this:
    # 0.6 s and 40 MB that only some embedders need.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    import torch

    torch.set_num_threads(threads)


def pick_device(settings: EmbedSettings) -> torch.device:
    """Where torch models run.

    Raises:
        ConfigError: A GPU is asked for that torch does not see.
    """
    import torch

    if settings.device == "cpu" or (settings.device == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ConfigError(
            "FOLIO_EMBED__DEVICE is cuda, and torch sees no GPU here. Set it to auto or cpu."
        )
    return torch.device("cuda")


def refuse_precision(facts: ModelFacts, settings: EmbedSettings) -> None:
    """Refuse numbers that a model was not shown to keep its vectors in.

    Raises:
        ConfigError: The model does not compute in the precision that is set.
    """
    if settings.precision not in facts.precisions:
        raise ConfigError(
            f"{facts.name} computes in {' or '.join(facts.precisions)}, not in "
            f"{settings.precision}. Correct FOLIO_EMBED__PRECISION."
        )


def refuse_without_gain(*, exact: Callable[[], object], reduced: Callable[[], object]) -> None:
    """Refuse a lower precision that this processor does not compute faster.

    Args:
        exact: a pass in float32.
        reduced: the same in the precision that is set.

    Raises:
        ConfigError: The reduced one takes nearly as long or longer.
    """
    exact_s, reduced_s = _best_of(exact), _best_of(reduced)
    if reduced_s > LEAST_GAIN * exact_s:
        raise ConfigError(
            f"This computer gains nothing from bf16 ({1000 * reduced_s:.0f} ms a batch instead of "
            f"{1000 * exact_s:.0f} ms). Leave FOLIO_EMBED__PRECISION at fp32."
        )


def refuse_bf16_without_gain(device: torch.device) -> None:
    """Try a matrix product, of which these models are made, in both precisions.

    Raises:
        ConfigError: bfloat16 gains nothing here: many processors only imitate it.
    """
    import torch

    def product(dtype: torch.dtype) -> Callable[[], object]:
        states, weights = (
            torch.ones(rows, 384, dtype=dtype, device=device) for rows in (800, 1536)
        )
        return lambda: (states @ weights.T).cpu()

    refuse_without_gain(exact=product(torch.float32), reduced=product(torch.bfloat16))


def give_way_between_layers(model: nn.Module, turns: Turns) -> None:
    """Let questions go first before each layer of a model of transformers.

    Its layers are what stands in lists called `layers`, which is so for all models here.
    """
    for name, blocks in model.named_modules():
        if name.rpartition(".")[2] == "layers":
            for block in blocks.children():
                block.register_forward_pre_hook(lambda *_: turns.give_way())


def _best_of(work: Callable[[], object], *, times: int = 5) -> float:
    """Wall seconds of the fastest run: the others tell about the neighbours."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def load_pretrained(
    load: Callable[..., Any],
    folder: Path,
    *,
    turns: Turns,
    device: torch.device,
    dtype: torch.dtype | None = None,
) -> nn.Module:
    """A transformers model from a local folder, every weight from its file.

    It gives way to questions between its layers.

    Args:
        load: the class's `from_pretrained`.
        folder: holds config.json and model.safetensors.
        turns: shared by all lanes of one embedder.
        device: where it runs.
        dtype: what it computes in, whatever the file holds; float32 when None.

    Raises:
        EmbedError: A tensor is missing, not expected or of another shape, or the
            file is damaged. Without this check transformers fills gaps at random.
    """
    import torch
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
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
    refuse_gaps(folder, missing=report["missing_keys"], unexpected=report["unexpected_keys"])
    give_way_between_layers(model, turns)
    return model.to(device).eval()
