"""Which embedder is wanted, which one the index in use was made with, and loading it once.

Knows settings, index rows and the vector cache; nothing of collections.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed import identity_of, load_embedder
from rag.embed.cached import with_cache
from rag.embed.catalogue import MINILM
from rag.embed.choice import chosen_name, parse_choice
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError, IndexMismatchError

if TYPE_CHECKING:
    from rag.embed import Embedder
    from rag.embed.cache import VectorCache
    from rag.library import IndexRow, Library
    from rag.settings import EmbedSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One embedder, plain and behind the vector cache."""

    plain: Embedder
    cached: Embedder


class Embedding:
    """The embedder of one library. Safe to share between threads."""

    def __init__(
        self,
        settings: EmbedSettings,
        library: Library,
        cache: VectorCache,
        lock: AbstractContextManager[object],
        workspace: str,
    ) -> None:
        self._settings = settings  # replaced by what a switch in this process chose
        self._library = library
        self._cache = cache
        self._lock = lock
        self._workspace = workspace
        self._loaded: Loaded | None = None
        # One for all: questions to the model in use go before documents of another one.
        self.turns = Turns()

    def wanted(self) -> EmbedSettings:
        """Which embedder is wanted: the one that is set, else the one the library has."""
        if self._settings.model is not None:
            return self.accepted(self._settings)
        index = self._library.indexes.active()
        name = index.embedder if index else MINILM.name
        return self.accepted(self._settings.model_copy(update={"model": name}))

    def accepted(self, embed: EmbedSettings) -> EmbedSettings:
        """With the licence accepted, when somebody accepted it on the Models page."""
        models = parse_choice(chosen_name(embed)).models
        asked = [facts.name for facts in models if facts.commercial_use == "no"]
        if not asked or not all(self._library.choices.get(accepted_key(name)) for name in asked):
            return embed
        return embed.model_copy(update={"accept_noncommercial_licence": True})

    def in_use(self, *, is_rebuilding: bool) -> EmbedSettings:
        """Which embedder the active collection needs.

        Raises:
            IndexMismatchError: Another one is set; with the way out. While a rebuild is
                under way the old one answers, if it can be had again.
            RagError: The one that is set cannot be used here.
        """
        wanted = self.wanted()
        index = self._library.indexes.active()
        if (
            index is None
            or index.identity == identity_of(wanted)
            or self._library.items.is_empty(self._workspace)
        ):
            return wanted
        old = self._reproduced(wanted, index) if is_rebuilding else None
        if old is None:
            raise IndexMismatchError(_mismatch(index, chosen_name(wanted)))
        return old

    def get(self, *, is_rebuilding: bool) -> Loaded:
        """The embedder of the active collection, loaded once.

        Raises:
            RagError: As for `in_use`, or the weights are damaged.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load(self.in_use(is_rebuilding=is_rebuilding))
            return self._loaded

    def if_loaded(self) -> Loaded | None:
        """The same, None when nothing needed it so far."""
        return self._loaded

    def load(self, embed: EmbedSettings) -> Loaded:
        """The embedder for a rebuild: the one in use when it is the same.

        Raises:
            RagError: It cannot be used here.
        """
        loaded = self._loaded
        if loaded is not None and loaded.plain.identity == identity_of(embed):
            return loaded
        return self._load(embed)

    def switch(self, embed: EmbedSettings, loaded: Loaded) -> None:
        """Use another embedder from now on; what was set no longer counts."""
        with self._lock:
            self._settings, self._loaded = embed, loaded

    def _reproduced(self, wanted: EmbedSettings, index: IndexRow) -> EmbedSettings | None:
        """Settings that give the vectors of a collection again; None when nothing does any more."""
        for dims in dict.fromkeys((wanted.dims, None, index.text_dim)):
            with suppress(ConfigError, EmbedError):
                changes = {"model": index.embedder, "dims": dims}
                old = self.accepted(wanted.model_copy(update=changes))
                if identity_of(old) == index.identity:
                    return old
        return None

    def _load(self, embed: EmbedSettings) -> Loaded:
        plain = load_embedder(embed, self.turns)
        return Loaded(plain=plain, cached=with_cache(plain, self._cache))


def accepted_key(name: str) -> str:
    """Under which choice of the library it stands that a model's licence was accepted."""
    return f"accepted:{name}"


def _mismatch(index: IndexRow, wanted: str) -> str:
    if index.embedder == parse_choice(wanted).name:
        return (
            f"This library was made with another version of {wanted} than the one that is set "
            f"now. Run `folio reindex --embedder {wanted}`, or set the one it was made with."
        )
    return (
        f"This library was indexed with {index.embedder}, and {wanted} is set now. Run "
        f"`folio reindex --embedder {wanted}`, or set FOLIO_EMBED__MODEL={index.embedder}."
    )
