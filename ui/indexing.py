"""Which collection answers questions and which one is being built. No Streamlit.

Knows opening, rebuilding, switching and dropping of collections, and the embedder that
belongs to each. Nothing of files or answers.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.embed import identity_of
from rag.embed.cache import VectorCache
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError, RagError, StoreError
from rag.retrieve import Retriever
from rag.store import Filter
from ui.collection import Collections, OpenCollection, purge
from ui.embedding import Embedding
from ui.upkeep import KeywordUpkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ingest.reindex import Rebuild
    from rag.embed import Embedder, TextLane
    from rag.embed.rerank import Reranker
    from rag.files import FileStore
    from rag.library import IndexRow, Library
    from rag.settings import EmbedSettings, Settings
    from rag.store import Store

logger = logging.getLogger(__name__)
CLOSE_WAIT_S = 30.0


class Indexing:
    """The collections of one library. Safe to share between threads.

    Embedder, collection and retriever change together, under one lock. A question keeps
    those it began with; the old collection is dropped when its last question is done.
    """

    def __init__(
        self, settings: Settings, library: Library, files: FileStore, workspace: str
    ) -> None:
        self._settings = settings
        self._library = library
        self._files = files
        self._collections = Collections(settings)
        self._workspace = workspace
        self.cache = VectorCache(settings.data_dir / "cache.sqlite", settings.store.reserve_mb)
        # Held by ingest for one document at a time, and by a rebuild for its last pass.
        self.document_turns = Turns()
        # One lock for all: writes of a rebuild, deletes, opening and switching.
        self._lock = threading.RLock()
        self._rebuild_over = threading.Condition(self._lock)
        self._closing = threading.Event()
        self._embedding = Embedding(settings.embed, library, self.cache, self._lock, workspace)
        self._opened: OpenCollection | None = None
        self._retriever: Retriever | None = None
        self._reranker: Reranker | None = None
        self._building: OpenCollection | None = None
        self._is_rebuilding = False
        self._outgoing: list[OpenCollection] = []
        self._upkeep = KeywordUpkeep(library, self._lock)

    # -- which embedder -------------------------------------------------------------------

    def embed_settings(self, name: str | None = None) -> EmbedSettings:
        """Which embedder is wanted: the one named, else the one set, else the library's."""
        wanted = self._embedding.wanted()
        if name is None:
            return wanted
        return self._embedding.accepted(wanted.model_copy(update={"model": name}))

    def check(self) -> None:
        """Refuse a collection of another embedder, before anything is written or loaded.

        Raises:
            IndexMismatchError: With the way out. Not while a rebuild is under way and the
                old embedder can answer meanwhile.
        """
        self._embedding.in_use(is_rebuilding=self._is_rebuilding)

    def embedder(self) -> Embedder:
        """The model of the active collection, loaded once.

        Raises:
            IndexMismatchError: As for `check`.
        """
        return self._embedding.get(is_rebuilding=self._is_rebuilding).cached

    @property
    def model_turns(self) -> Turns:
        """Who may use a model next, over all models of this library."""
        return self._embedding.turns

    def answering_lane(self) -> TextLane | None:
        """The text lane in use for sentences of answers; these are not kept in the cache."""
        loaded = self._embedding.if_loaded()
        return loaded.plain.text if loaded else None

    # -- the active collection --------------------------------------------------------------

    def store(self) -> Store:
        """The active collection, created for a new library, rebuilt when it is damaged.

        Raises:
            IndexMismatchError: As for `check`.
        """
        with self._lock:
            if self._opened is None:
                self._opened = self._open_active()
                self._sweep()
                self._keep_up(self._opened)
            return self._opened.store

    def _keep_up(self, opened: OpenCollection) -> None:
        """Rewrite keywords that an older Folio made; the collection stays open meanwhile."""
        opened.users += 1
        self._upkeep.start(
            opened.index,
            opened.store,
            is_over=lambda: self._closing.is_set() or self._opened is not opened,
            on_end=lambda: self._leave(opened),
        )

    def warm_up(self) -> None:
        """Open all that a question needs."""
        with self.answering():
            pass

    @contextmanager
    def answering(self) -> Iterator[Retriever]:
        """What finds hits; its collection stays open until the body is done."""
        with self._lock:
            self.store()
            if self._retriever is None:
                self._retriever = Retriever(
                    library=self._library,
                    files=self._files,
                    store=self.store(),
                    embedder=self.embedder(),
                    reranker=self._load_reranker(),
                )
            retriever, opened = self._retriever, self._opened
            if opened is None:  # cannot be: `store` has just opened it
                raise StoreError("The index is closed. Restart Folio.")
            opened.users += 1
        try:
            yield retriever
        finally:
            self._leave(opened)

    def _leave(self, opened: OpenCollection) -> None:
        with self._lock:
            opened.users -= 1
            if self._outgoing:
                self._sweep()

    def purge(self, where: Filter) -> int:
        """Delete points from the active and from an unfinished collection; returns what is left.

        Raises:
            StoreError: The engine refused.
        """
        with self._lock:
            unfinished = self._library.indexes.unfinished()
            return self._purge_active(where) + (
                self._purge_unfinished(unfinished, where) if unfinished else 0
            )

    def _load_reranker(self) -> Reranker | None:
        name = self._settings.retrieve.reranker
        if name is None:
            return None
        if self._reranker is None:  # kept when the embedder changes
            from rag.embed.rerank import load_reranker

            self._reranker = load_reranker(name, self.embed_settings(), self._embedding.turns)
        return self._reranker

    # -- rebuilding -------------------------------------------------------------------------

    def rebuild(
        self,
        embed: EmbedSettings,
        *,
        on_progress: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> tuple[str, str, int]:
        """Embed everything anew beside the active collection, then switch.

        Goes on with an unfinished collection of the same identity; any other is dropped.

        Returns:
            The embedder before ("" in a new library), the one after, and the points.

        Raises:
            ReindexStopped: `is_cancelled` turned true; what was copied stays.
            RagError: It failed; the active collection is untouched.
        """
        with self._one_rebuild():
            embed = self._embedding.accepted(embed if embed.model else self.embed_settings())
            before = self._library.indexes.active()
            loaded = self._embedding.load(embed)
            rebuild = self._begin(loaded.cached)
            rebuild.on_progress = on_progress
            rebuild.is_cancelled = lambda: is_cancelled() or self._closing.is_set()
            rebuild.copy_missing()
            with self.document_turns.take(question=True):
                rebuild.copy_missing()
                with self._lock:
                    rebuild.drop_vanished()
                    points = self._library.indexes.point_count()
                    self._switch(rebuild)
                    self._embedding.switch(embed, loaded)
                    self._sweep()
        after = rebuild.index.embedder
        logger.info("switched index embedder=%s points=%d", after, points)
        return (before.embedder if before else "", after, points)

    def drop_unfinished(self) -> None:
        """Give up a collection that was not finished.

        Raises:
            ConfigError: It is being built right now.
        """
        with self._lock:
            if self._is_rebuilding:
                raise ConfigError("The new index is being built. Stop that first.")
            unfinished = self._library.indexes.unfinished()
            if unfinished is not None:
                self._library.indexes.retire(unfinished)
                self._sweep()

    def stop(self) -> None:
        """Let a rebuild end soon; it can be gone on with."""
        self._closing.set()

    def close(self) -> None:
        """Stop a rebuild and close every collection."""
        self.stop()
        self._upkeep.wait()
        with self._rebuild_over:
            self._rebuild_over.wait_for(lambda: not self._is_rebuilding, timeout=CLOSE_WAIT_S)
            for opened in (self._opened, *self._outgoing):
                if opened is not None:
                    opened.store.close()
            self._opened = self._retriever = None
            self._outgoing = []
        self.cache.close()

    @contextmanager
    def _one_rebuild(self) -> Iterator[None]:
        with self._lock:
            if self._is_rebuilding:
                raise ConfigError("The index is being built already. Wait until that is done.")
            self._is_rebuilding = True
        try:
            yield
        finally:
            with self._rebuild_over:
                if self._building is not None:
                    self._building.store.close()
                    self._building = None
                self._is_rebuilding = False
                self._rebuild_over.notify_all()

    def _begin(self, embedder: Embedder) -> Rebuild:
        """The unfinished collection of this identity, else a new one, open and written down."""
        from ingest.reindex import Rebuild, measured, new_index

        opened = self._resumed(embedder)
        if opened is None:
            index = measured(self._library, new_index(embedder))
            with self._lock:
                self._library.indexes.begin(index)
                opened = self._building = self._collections.open(index)
        return Rebuild(
            index=opened.index,
            store=opened.store,
            embedder=embedder,
            library=self._library,
            files=self._files,
            lock=self._lock,
        )

    def _resumed(self, embedder: Embedder) -> OpenCollection | None:
        """The unfinished collection, opened; one of no use is dropped."""
        from rag.store.edge import DamagedIndexError

        indexes = self._library.indexes
        with self._lock:
            index = indexes.unfinished()
            if index is not None and index.identity == embedder.identity:
                try:
                    opened = self._collections.open(index)
                except DamagedIndexError as error:
                    logger.warning("unfinished index dropped: %s", error)
                else:
                    everything = Filter(workspace=self._workspace)
                    # Fewer than the rows say: a power cut, or a server that was emptied.
                    if opened.store.count(everything) >= indexes.copied_count(index):
                        self._building = opened
                        return opened
                    opened.store.close()
            if index is not None:
                indexes.retire(index)
                self._sweep()
        return None

    def _switch(self, rebuild: Rebuild) -> OpenCollection:
        """Answer from the new collection; the old one goes with its last question."""
        self._library.indexes.switch(rebuild.index)
        if self._opened is not None:
            self._outgoing.append(self._opened)
        self._opened = OpenCollection(rebuild.index, rebuild.store)
        self._building = self._retriever = None
        return self._opened

    def _sweep(self) -> None:
        """Drop collections that nobody needs; what cannot be dropped is tried again later."""
        in_use = {opened.index.name for opened in self._outgoing if opened.users}
        for index in self._library.indexes.retired():
            if index.name in in_use:
                continue
            try:
                for opened in self._outgoing:
                    if opened.index.name == index.name:
                        opened.store.close()
                self._collections.drop(index)
                self._library.indexes.forget(index)
            except RagError as error:
                logger.warning("old index not dropped name=%s: %s", index.name, error)
        self._outgoing = [opened for opened in self._outgoing if opened.users]

    # -- opening ----------------------------------------------------------------------------

    def _open_active(self) -> OpenCollection:
        from ingest.reindex import new_index
        from rag.store.edge import DamagedIndexError

        wanted = self._embedding.in_use(is_rebuilding=self._is_rebuilding)
        index = self._library.indexes.active()
        if index is None or index.identity != identity_of(wanted):
            # New, or empty and of another embedder: nothing is lost by starting over.
            index = new_index(self.embedder())
            self._library.indexes.switch(index)
        try:
            return self._collections.open(index)
        except DamagedIndexError as error:
            return self._repaired(error)

    def _repaired(self, error: StoreError) -> OpenCollection:
        """A new collection in place of one that cannot be read, while everybody waits."""
        if self._is_rebuilding:
            raise StoreError(
                "The index is damaged and a new one is being built. Wait until it is ready."
            ) from error
        logger.warning("rebuilding the index from rows: %s", error)
        rebuild = self._begin(self.embedder())
        try:
            rebuild.copy_missing()
        except BaseException:
            self._building = None
            rebuild.store.close()
            raise
        return self._switch(rebuild)

    def _purge_active(self, where: Filter) -> int:
        index = self._library.indexes.active()
        if index is None:
            return 0
        try:
            store = self.store()
        except (ConfigError, EmbedError):  # a delete needs no model, whatever is set
            return self._collections.purge_closed(index, where)
        return purge(store, where)

    def _purge_unfinished(self, index: IndexRow, where: Filter) -> int:
        from rag.store.edge import DamagedIndexError

        if self._building is not None:
            return purge(self._building.store, where)
        try:
            return self._collections.purge_closed(index, where)
        except DamagedIndexError:
            self._library.indexes.retire(index)
            self._sweep()
            return 0
