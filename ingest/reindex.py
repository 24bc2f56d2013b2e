"""A new index from the rows, beside the old one. Re-embeds; never parses again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from rag.keywords import average_length
from rag.library.documents import READABLE, READY, IndexRow
from rag.points import make_points
from rag.store import Schema
from rag.types import PICTURES, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from rag.embed.lanes import Embedder
    from rag.files import FileStore
    from rag.library import Library
    from rag.library.documents import Run
    from rag.store import Store

logger = logging.getLogger(__name__)
BATCH = 64


def new_index(embedder: Embedder, average_words: float | None = None) -> IndexRow:
    """A row for a collection that does not exist yet; its name is never used twice."""
    return IndexRow(
        name=f"folio_{embedder.name.replace('+', '_')}_{uuid4().hex[:8]}",
        identity=embedder.identity,
        embedder=embedder.name,
        text_dim=embedder.text.dim,
        image_dim=embedder.pictures.dim if embedder.pictures else None,
        average_words=average_words,
    )


def schema_of(index: IndexRow) -> Schema:
    """The vectors of a collection."""
    return Schema(text_dim=index.text_dim, image_dim=index.image_dim)


def build_index(
    *,
    library: Library,
    files: FileStore,
    embedder: Embedder,
    open_collection: Callable[[str], Store],
    workspace: str,
    on_progress: Callable[[int], None] = lambda _points: None,
) -> tuple[IndexRow, Store, int]:
    """Embed every visible item into a new collection. The caller switches to it.

    Returns:
        The row, the open store, and how many points were written.
    """
    runs = [run for run in map(library.documents.run_of, _ids(library, workspace)) if run]
    texts = (i.search_text for run in runs for i in library.items.of_run(run, WORDS))
    average = average_length(texts)
    index = new_index(embedder, average)
    store = open_collection(index.name)
    store.ensure(schema_of(index))
    written = 0
    for run in runs:
        if run.stage >= READABLE:
            written += _copy(run, library, files, embedder, store, average)
            on_progress(written)
    logger.info("indexed embedder=%s points=%d", embedder.name, written)
    return index, store, written


def _ids(library: Library, workspace: str) -> list[UUID]:
    return [document.id for document in library.documents.all(workspace)]


def _copy(
    run: Run,
    library: Library,
    files: FileStore,
    embedder: Embedder,
    store: Store,
    average: float,
) -> int:
    kinds = (*WORDS, *PICTURES) if run.stage == READY else WORDS
    items = library.items.of_run(run, kinds)
    for start in range(0, len(items), BATCH):
        store.upsert(
            make_points(
                items[start : start + BATCH],
                run=run,
                embedder=embedder,
                average_words=average,
                picture_path=files.picture_path if run.stage == READY else None,
            )
        )
    return len(items)
