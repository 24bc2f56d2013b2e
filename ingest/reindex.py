"""A new index from the rows, beside the old one. Re-embeds; never parses again.

Knows how to fill a collection with every visible item while documents come and go.
Nothing of questions, and nothing of the switch to it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from ingest.rewriting import FIRST_PASSAGES
from rag.errors import DocumentError, NotFoundError
from rag.keywords import DEFAULT_AVERAGE_WORDS, VERSION, term_count
from rag.library.documents import READABLE, READY
from rag.library.indexes import IndexRow
from rag.points import make_points
from rag.store import Filter, Schema
from rag.types import LOCAL_WORKSPACE, PICTURES, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from rag.embed.choice import Choice
    from rag.embed.lanes import Embedder
    from rag.files import FileStore
    from rag.library import Library
    from rag.library.documents import Run
    from rag.store import Point, Store
    from rag.types import Item

logger = logging.getLogger(__name__)
# With a slow model (0.7 s a chunk) a stop is heard after some ten seconds. Items of a run
# are embedded by length, so a small batch costs little padding.
BATCH = 16
# A flush takes 0.1 to 0.4 s (edge 0.9.0), so runs are written down in groups.
FLUSH_EVERY_S = 5.0


class ReindexStopped(Exception):  # noqa: N818 - a wish, not an error
    """The user asked to stop; what was copied stays, and the next start goes on from it."""


def new_index(embedder: Embedder, average_words: float | None = None) -> IndexRow:
    """A row for a collection that does not exist yet; its name is never used twice."""
    return IndexRow(
        name=f"folio_{embedder.name.replace('+', '_')}_{uuid4().hex[:8]}",
        identity=embedder.identity,
        embedder=embedder.name,
        text_dim=embedder.text.dim,
        image_dim=embedder.pictures.dim if embedder.pictures else None,
        average_words=average_words,
        averaged_over=FIRST_PASSAGES if average_words else 0,
        keywords=VERSION,
    )


def schema_of(index: IndexRow) -> Schema:
    """The vectors of a collection."""
    return Schema(text_dim=index.text_dim, image_dim=index.image_dim)


def average_words(library: Library, index: IndexRow) -> float:
    """Mean length of the passages that a new collection will hold."""
    return measured(library, index).average_words or DEFAULT_AVERAGE_WORDS


def measured(library: Library, index: IndexRow) -> IndexRow:
    """The row of a new collection with the mean length of the passages that it will hold."""
    total = count = 0
    for run, _ in library.indexes.missing(index):
        language = library.documents.language_of(run.document_id)
        for item in library.items.of_run(run, WORDS):
            total += term_count(item.search_text, language)
            count += 1
    average = max(1.0, total / count) if count else None
    return replace(index, average_words=average, averaged_over=count)


@dataclass(slots=True, kw_only=True)
class Rebuild:
    """One index in the making: its row, its open collection, and what fills it.

    lock: held for each write and by whoever deletes a document, so that no delete
        comes between the look at the rows and the write of their points.
    """

    index: IndexRow
    store: Store
    embedder: Embedder
    library: Library
    files: FileStore
    lock: AbstractContextManager[object]
    on_progress: Callable[[int, int], None] = lambda _done, _total: None
    is_cancelled: Callable[[], bool] = lambda: False
    _done: int = 0
    _unwritten: list[Run] = field(default_factory=list)
    _flushed_at: float = field(default_factory=time.monotonic)

    def copy_missing(self) -> None:
        """Embed what the collection lacks, again and again until nothing is missing.

        Raises:
            ReindexStopped: `is_cancelled` turned true.
            RagError: Embedding or writing failed; what was copied stays.
        """
        indexes = self.library.indexes
        try:
            while missing := indexes.missing(self.index):
                self._done = indexes.copied_count(self.index)
                total = indexes.point_count()
                self.on_progress(self._done, total)
                for run, copied in missing:
                    self._copy(run, copied, total)
                self._write_down()
        finally:
            # Also after a stop or an error: the points are there, only the list lacks them.
            self._write_down()

    def drop_vanished(self) -> None:
        """Remove the points of runs that are no longer shown."""
        gone = self.library.indexes.vanished(self.index)
        if gone:
            runs = tuple(UUID(run) for run in gone)
            self.store.delete(Filter(workspace=LOCAL_WORKSPACE, runs=runs))
            self.library.indexes.unrecord(self.index, gone)

    def _copy(self, run: Run, copied: int, total: int) -> None:
        items = self._items(run, copied)
        for start in range(0, len(items), BATCH):
            if self.is_cancelled():
                raise ReindexStopped
            batch = items[start : start + BATCH]
            if not self._write(run, batch):
                return  # deleted meanwhile
            self._done += sum(copied < READABLE or item.kind in PICTURES for item in batch)
            self.on_progress(min(self._done, total), total)
        self._unwritten.append(run)
        if time.monotonic() - self._flushed_at > FLUSH_EVERY_S:
            self._write_down()

    def _items(self, run: Run, copied: int) -> list[Item]:
        """Items that are missing of a run, short ones first."""
        items: list[Item] = []
        if copied < READABLE:
            items += self.library.items.of_run(run, WORDS)
        elif self.embedder.pictures is not None:
            # Words are there; tables are written again, now with their pixels as well.
            tables = self.library.items.of_run(run, ("table",))
            items += [table for table in tables if table.image_sha256]
        if run.stage == READY:
            items += self.library.items.of_run(run, PICTURES)
        return sorted(items, key=lambda item: len(item.search_text))

    def _write(self, run: Run, items: Sequence[Item]) -> bool:
        """Embed and write a batch; False when its document was deleted meanwhile."""
        points = self._points(run, items)
        with self.lock:
            if not self.library.indexes.shows(run):
                return False
            self.store.upsert(points)
        return True

    def _points(self, run: Run, items: Sequence[Item]) -> list[Point]:
        try:
            return self._make(run, items, with_pixels=run.stage == READY)
        except (NotFoundError, DocumentError) as error:
            if len(items) > 1:
                return [point for item in items for point in self._points(run, [item])]
            # One lost or damaged picture must not keep a whole library from its new index.
            logger.warning("picture left out run=%s item=%s: %s", run.id, items[0].id, error)
            return self._make(run, items, with_pixels=False)

    def _make(self, run: Run, items: Sequence[Item], *, with_pixels: bool) -> list[Point]:
        return make_points(
            items,
            run=run,
            embedder=self.embedder,
            average_words=self.index.average_words or DEFAULT_AVERAGE_WORDS,
            picture_path=self.files.picture_path if with_pixels else None,
            language=self.library.documents.language_of(run.document_id),
        )

    def _write_down(self) -> None:
        """Make copied runs durable, then put them on the list; a kill repeats the others."""
        runs, self._unwritten = self._unwritten, []
        if runs:
            self.store.flush()
            self.library.indexes.record(self.index, runs)
        self._flushed_at = time.monotonic()


def remaining_s(done: int, total: int, elapsed_s: float) -> float | None:
    """Seconds until the rest is done at the speed so far; None before anything was.

    Args:
        done: Points of this start only: those from before say nothing of its speed.
        total: All points of this start.
        elapsed_s: Since its first point was begun.
    """
    if done <= 0 or elapsed_s <= 0:
        return None
    return max(0, total - done) * elapsed_s / done


def estimate_s(choice: Choice, texts: int, pictures: int, threads: int) -> float:
    """Seconds to embed so much with an embedder, from the catalogue's figures for one thread.

    An offer's first guess; threads are taken to help fully, and captions to cost nothing.
    """
    seconds = texts * choice.text.text_s
    if choice.pictures is not None:
        seconds += pictures * choice.pictures.picture_s
    return seconds / max(1, threads)
