"""From settings to a checked embedder. torch is imported when a model is first loaded."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import TYPE_CHECKING

from rag.embed.catalogue import CATALOGUE
from rag.embed.minilm import load_minilm, minilm_identity
from rag.errors import ConfigError

if TYPE_CHECKING:
    from rag.embed.lanes import Embedder
    from rag.settings import EmbedSettings

logger = logging.getLogger(__name__)
_LOADING = Lock()  # two threads that load at once would import transformers at once


def identity_of(settings: EmbedSettings) -> str:
    """What decides the vectors, as one line, without loading the model or torch.

    Raises:
        ConfigError: The name is unknown, or the model folder does not fit it.
        EmbedError: The weights are not on this machine.
    """
    refuse_unknown_name(settings.model)
    return minilm_identity(settings)


def load_embedder(settings: EmbedSettings) -> Embedder:
    """The embedder that the settings name, self-checked. Safe to call from several threads.

    Raises:
        ConfigError: The name is unknown, or the model folder does not fit it.
        EmbedError: The weights are not on this machine, are damaged, or give
            vectors that fail the self-check.
    """
    refuse_unknown_name(settings.model)
    from rag.embed.runtime import start_torch

    started = time.monotonic()
    with _LOADING:
        start_torch(settings.threads)
        embedder = load_minilm(settings)
    elapsed_ms = round(1000 * (time.monotonic() - started))
    logger.info("loaded embedder=%s ms=%d", embedder.identity, elapsed_ms)
    return embedder


def refuse_unknown_name(name: str) -> None:
    """Raises ConfigError, listing the embedders there are, unless `name` is one of them."""
    known = [facts.name for facts in CATALOGUE]
    if name not in known:
        message = f"There is no embedder {name!r}. Set FOLIO_EMBED__MODEL to {' or '.join(known)}."
        raise ConfigError(message)
