"""From settings to a checked embedder. torch is imported when a model is first loaded."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import TYPE_CHECKING

from rag.embed.catalogue import MINILM, NOMIC, find_facts
from rag.embed.minilm import load_minilm, minilm_folder, minilm_identity
from rag.embed.nomic import load_nomic, load_picture_half, load_text_half, nomic_identity
from rag.embed.nomic_files import find_nomic
from rag.embed.selfcheck import check_images, check_text
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from rag.embed.catalogue import ModelFacts
    from rag.embed.lanes import Embedder, TextLane
    from rag.embed.selfcheck import ImageEmbedder
    from rag.settings import EmbedSettings

logger = logging.getLogger(__name__)
_LOADING = Lock()  # one load at a time: transformers sets global state while it loads

_IDENTITIES = {MINILM.name: minilm_identity, NOMIC.name: nomic_identity}
_LOADERS = {MINILM.name: load_minilm, NOMIC.name: load_nomic}


def identity_of(settings: EmbedSettings) -> str:
    """What decides the vectors, as one line, without loading the model or torch.

    Raises:
        ConfigError: The name is unknown, or the model folder does not fit it.
        EmbedError: The weights are not on this machine.
    """
    return _IDENTITIES[find_facts(settings.model).name](settings)


def load_embedder(settings: EmbedSettings) -> Embedder:
    """The embedder that the settings name, self-checked. Safe to call from several threads.

    Every call loads anew; keep what it returns.

    Raises:
        ConfigError: The name is unknown, or the model folder does not fit it.
        EmbedError: The weights are not on this machine, are damaged, or give
            vectors that fail the self-check.
    """
    identity_of(settings)  # refuses in milliseconds what would fail after seconds of imports
    started = time.monotonic()
    with _LOADING:
        _start(settings)
        embedder = _LOADERS[settings.model](settings)
        _check_text(embedder.text, settings)
        if embedder.pictures is not None:
            check_images(embedder.pictures)
    elapsed_ms = round(1000 * (time.monotonic() - started))
    logger.info("loaded embedder identity=%s ms=%d", embedder.identity, elapsed_ms)
    return embedder


def is_cached(facts: ModelFacts, settings: EmbedSettings) -> bool:
    """Whether the weights are on this machine: package, hub cache or the folder that is set."""
    try:
        if facts.name == MINILM.name:
            return (minilm_folder() / "model.safetensors").is_file()
        find_nomic(settings.model_dir if facts.name == settings.model else None)
    except (ConfigError, EmbedError):
        return False
    return True


def load_nomic_halves(
    settings: EmbedSettings, *, wants_text: bool, wants_images: bool
) -> tuple[TextLane | None, ImageEmbedder | None]:
    """Only the halves of nomic that are wanted, self-checked; None for the other.

    Raises:
        ConfigError: The folder holds no such half.
        EmbedError: As for `load_embedder`.
    """
    files, turns = find_nomic(settings.model_dir), Turns()
    text = pictures = None
    with _LOADING:
        _start(settings)
        if wants_text:
            text = load_text_half(files, settings, turns)
            _check_text(text, settings)
        if wants_images:
            pictures = load_picture_half(files, settings, turns)
            check_images(pictures)
    return text, pictures


def _start(settings: EmbedSettings) -> None:
    from rag.embed.runtime import start_torch

    start_torch(settings.threads)


def _check_text(lane: TextLane, settings: EmbedSettings) -> None:
    facts = find_facts(settings.model)
    has_prefixes = facts.query_prefix != facts.document_prefix
    # A folder of one's own may hold any weights, such as the tests' random ones.
    check_text(lane, has_prefixes=has_prefixes, is_trained=settings.model_dir is None)
