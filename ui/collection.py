"""Collections as they lie on disk or on a server: opened, dropped, emptied in part.

Knows where they are and what they are made of; not which one answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.store import open_store

if TYPE_CHECKING:
    from rag.library import IndexRow
    from rag.settings import Settings
    from rag.store import Filter, Store


@dataclass(slots=True)
class OpenCollection:
    """An opened collection, and how many questions are looking into it right now."""

    index: IndexRow
    store: Store
    users: int = 0


class Collections:
    """The collections of one data folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def open(self, index: IndexRow) -> OpenCollection:
        """Open a collection, created when it is not there.

        Raises:
            DamagedIndexError: It cannot be read.
        """
        from ingest.reindex import schema_of

        store = self._store(index)
        store.ensure(schema_of(index))
        return OpenCollection(index, store)

    def drop(self, index: IndexRow) -> None:
        """Delete a collection that is closed."""
        self._store(index).drop()

    def purge_closed(self, index: IndexRow, where: Filter) -> int:
        """Delete from a collection that is only lying on disk; returns what is left."""
        opened = self.open(index)
        try:
            return purge(opened.store, where)
        finally:
            opened.store.close()

    def _store(self, index: IndexRow) -> Store:
        return open_store(self._settings.store, self._settings.data_dir / "index", index.name)


def purge(store: Store, where: Filter) -> int:
    """Delete points; returns how many of them are left."""
    store.delete(where)
    return store.count(where)
