"""From settings to a checked embedder. torch is imported when a model is first loaded."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from rag.embed.choice import chosen_name, parse_choice
from rag.embed.clip import ClipFamily
from rag.embed.gemma import GemmaFamily
from rag.embed.jina import JinaFamily
from rag.embed.jina_hosted import JinaApiFamily
from rag.embed.lanes import Embedder, Lanes, join_identities
from rag.embed.minilm import MiniLmFamily
from rag.embed.nomic import NomicFamily
from rag.embed.selfcheck import check_images, check_picture_queries, check_text
from rag.embed.siglip2 import Siglip2Family
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from rag.embed.catalogue import LaneName, ModelFacts
    from rag.embed.choice import Choice
    from rag.settings import EmbedSettings

logger = logging.getLogger(__name__)
_LOADING = Lock()  # one load at a time: transformers sets global state while it loads


class Family(Protocol):
    """One model family: where its files lie, what names its vectors, and its lanes.

    `wants` says which lanes are needed. Of two wanted lanes, one that the files do not hold
    is left out; a single one that they do not hold is refused.
    """

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]: ...
    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes: ...


FAMILIES: Mapping[str, Family] = {
    "minilm": MiniLmFamily(),
    "nomic": NomicFamily(),
    "nomic-text": NomicFamily(),
    "clip": ClipFamily(),
    "siglip2": Siglip2Family(),
    "jina": JinaFamily(),
    "jina-api": JinaApiFamily(),
    "gemma": GemmaFamily(),
    "gemma-text": GemmaFamily(),
}


def identity_of(settings: EmbedSettings) -> str:
    """What decides the vectors, as one line, without loading the model or torch.

    Raises:
        ConfigError: The name is unknown, the model folder does not fit it, or its licence
            is not accepted.
        EmbedError: The weights are not on this machine.
    """
    lines = _identities(parse_choice(chosen_name(settings)), settings)
    return join_identities(lines["text"], lines.get("image", ""))


def load_embedder(settings: EmbedSettings, turns: Turns | None = None) -> Embedder:
    """The embedder that the settings name, self-checked. Safe to call from several threads.

    Every call loads anew; keep what it returns.

    Args:
        settings: Which one.
        turns: Shared by embedders of one process, so that questions to one of them go
            before the documents of another.

    Raises:
        ConfigError: As for `identity_of`.
        EmbedError: The weights are not on this machine, are damaged, or give
            vectors that fail the self-check.
    """
    choice = parse_choice(chosen_name(settings))
    lines = _identities(choice, settings)  # refuses in milliseconds what would fail after seconds
    started = time.monotonic()
    turns = turns or Turns()
    with _LOADING:
        _start(choice.models, settings)
        lanes = Lanes()
        for facts, wants in _shares(choice):
            own = _settings_for(facts, choice, settings)
            loaded = _load_checked(facts, own, wants, turns)
            lanes = Lanes(
                text=loaded.text or lanes.text, pictures=loaded.pictures or lanes.pictures
            )
    if lanes.text is None:  # cannot be: a name always stands for a text lane
        raise EmbedError(f"{choice.name} has no text model. Choose another embedder.")
    embedder = Embedder(
        name=choice.name,
        text_identity=lines["text"],
        text=lanes.text,
        picture_identity=lines.get("image", ""),
        pictures=lanes.pictures,
        joint=choice.joint and lanes.pictures is not None,
    )
    elapsed_ms = round(1000 * (time.monotonic() - started))
    logger.info("loaded embedder identity=%s ms=%d", embedder.identity, elapsed_ms)
    return embedder


def lane_identities(
    facts: ModelFacts, settings: EmbedSettings, wants: Collection[LaneName]
) -> dict[LaneName, str]:
    """One line for each lane of one model that is wanted and there.

    Raises:
        ConfigError: The folder holds no such lane, or the licence is not accepted.
        EmbedError: The weights are not on this machine.
    """
    refuse_unaccepted(facts, settings)
    return FAMILIES[facts.name].identities(settings, wants)


def load_lanes(facts: ModelFacts, settings: EmbedSettings, wants: Collection[LaneName]) -> Lanes:
    """Only the lanes of one model that are wanted, self-checked.

    Raises:
        ConfigError: As for `lane_identities`.
        EmbedError: As for `load_embedder`.
    """
    lane_identities(facts, settings, wants)
    with _LOADING:
        _start((facts,), settings)
        return _load_checked(facts, settings, wants, Turns())


def is_cached(facts: ModelFacts, settings: EmbedSettings) -> bool:
    """Whether the weights are on this machine: package, hub cache or the folder that is set."""
    precision = settings.precision if settings.precision in facts.precisions else "fp32"
    accepted = settings.model_copy(
        update={"accept_noncommercial_licence": True, "dims": None, "precision": precision}
    )
    try:
        FAMILIES[facts.name].identities(accepted, facts.lanes)
    except (ConfigError, EmbedError):
        return False
    return True


def refuse_unaccepted(facts: ModelFacts, settings: EmbedSettings) -> None:
    """Refuse a model whose licence forbids commercial use until somebody accepts that.

    Raises:
        ConfigError: It was not accepted.
    """
    if facts.commercial_use != "no" or settings.accept_noncommercial_licence:
        return
    raise ConfigError(
        f"{facts.name} is licensed {facts.licence}, which allows no commercial use. Read "
        f"{facts.licence_url}, then set FOLIO_EMBED__ACCEPT_NONCOMMERCIAL_LICENCE=1."
    )


def licence_notice(settings: EmbedSettings) -> str:
    """What must be shown where the chosen embedder is used; "" when nothing must.

    Raises:
        ConfigError: The name is unknown.
    """
    models = parse_choice(chosen_name(settings)).models
    return " ".join(facts.notice for facts in models if facts.notice)


def _load_checked(
    facts: ModelFacts, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns
) -> Lanes:
    """Lanes of one model, self-checked."""
    lanes = FAMILIES[facts.name].load(settings, wants, turns)
    # A folder of one's own may hold any weights, such as the tests' random ones.
    is_trained = settings.model_dir is None or facts.is_built_in
    if lanes.text is not None:
        has_prefixes = facts.query_prefix != facts.document_prefix
        check_text(lanes.text, has_prefixes=has_prefixes, is_trained=is_trained)
    if lanes.pictures is not None:
        check_images(lanes.pictures)
        if lanes.text is not None or not facts.joint:
            check_picture_queries(lanes.pictures, is_trained=is_trained)
    return lanes


def _identities(choice: Choice, settings: EmbedSettings) -> dict[LaneName, str]:
    lines: dict[LaneName, str] = {}
    for facts, wants in _shares(choice):
        lines |= lane_identities(facts, _settings_for(facts, choice, settings), wants)
    if "text" not in lines:  # a folder with the picture half alone: asked for, it is refused
        lines |= lane_identities(choice.text, settings, {"text"})
    return lines


def _shares(choice: Choice) -> list[tuple[ModelFacts, tuple[LaneName, ...]]]:
    """Which model gives which lanes."""
    if choice.pictures is choice.text:
        return [(choice.text, ("text", "image"))]
    shares: list[tuple[ModelFacts, tuple[LaneName, ...]]] = [(choice.text, ("text",))]
    if choice.pictures is not None:
        shares.append((choice.pictures, ("image",)))
    return shares


def _settings_for(facts: ModelFacts, choice: Choice, settings: EmbedSettings) -> EmbedSettings:
    """Cut and precision are the text model's; a paired picture model keeps its own length."""
    if facts is choice.text:
        return settings
    return settings.model_copy(update={"dims": None, "precision": "fp32"})


def _start(models: Iterable[ModelFacts], settings: EmbedSettings) -> None:
    if all(facts.runtime != "torch" for facts in models):
        return
    from rag.embed.runtime import start_torch

    start_torch(settings.threads)
