"""Points behind one small `Store`; `open_store` picks the engine. Knows no ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.store.base import (
    DenseName,
    Filter,
    Leg,
    Point,
    Schema,
    Scored,
    Sparse,
    Store,
    VectorName,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rag.settings import StoreSettings

__all__ = [
    "DenseName",
    "Filter",
    "Leg",
    "Point",
    "Schema",
    "Scored",
    "Sparse",
    "Store",
    "VectorName",
    "open_store",
]


def open_store(settings: StoreSettings, folder: Path, collection: str) -> Store:
    """The store that the settings name: a server by URL, else the embedded engine.

    Nothing is read or written before `ensure`.
    """
    if settings.url:
        # Imported here: qdrant_client costs 1.2 s and grpc, and most people never use it.
        from rag.store.server import ServerStore, connect

        key = settings.api_key.get_secret_value() if settings.api_key else None
        client = connect(settings.url, api_key=key, timeout_s=settings.timeout_s)
        return ServerStore(client, collection)
    from rag.store.edge import EdgeStore

    return EdgeStore(folder / collection, reserve_mb=settings.reserve_mb)
