"""One embedder on the user's own documents: a throw-away index, then questions with known sources.

Knows the library, an embedder and an index that nobody else sees; the index in use is not
touched. Nothing of which embedders there are, of files with results, or of pages.
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import uuid4

from evals.memory import PeakMemory
from evals.outcome import SHOWN, outcome_of
from ingest.reindex import average_words, new_index, schema_of
from rag.embed.cached import with_cache
from rag.embed.load import load_embedder
from rag.embed.turns import unhurried
from rag.errors import DocumentError, NotFoundError, RagError
from rag.imaging import open_rgb
from rag.library.documents import READABLE, READY
from rag.points import make_points
from rag.retrieve import Retriever
from rag.settings import StoreSettings
from rag.store import open_store
from rag.store.disk import check_reserve
from rag.types import PICTURES, WORDS, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from evals.outcome import Outcome
    from evals.questions import MadeQuestion
    from rag.embed import Embedder
    from rag.embed.cache import VectorCache
    from rag.embed.turns import Turns
    from rag.files import FileStore
    from rag.library import IndexRow, Library
    from rag.library.documents import Run
    from rag.settings import EmbedSettings
    from rag.store import Point, Store
    from rag.types import Document, Item

T = TypeVar("T")
Stage = Literal["questions", "loading", "embedding", "asking"]

BATCH = 8  # a stop is heard after one
SPEED_TEXTS, SPEED_PICTURES = 16, 4
# Payload, keywords and the engine's own lists of a point, and what an empty index takes.
POINT_BYTES, INDEX_BYTES = 3_000, 80_000_000


class TrialStopped(Exception):  # noqa: N818 - a wish, not an error
    """Somebody stopped it; what is done is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an embedder takes on this computer."""

    embedder: str
    identity: str
    items: int
    seconds_per_100: float | None  # model time for 100 items of this library; None: not known
    memory_bytes: int  # resident, above what Folio had before


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every trial of one library shares.

    folder: For the throw-away index; on the disk of the library.
    reserve_mb: Free disk below which nothing is written.
    turns: Shared with the embedder in use, so that a reader's questions go first.
    check: Called between small steps; raises to stop.
    on_progress: Told the stage and how far it is.
    """

    library: Library
    files: FileStore
    cache: VectorCache
    folder: Path
    reserve_mb: int
    workspace: str
    turns: Turns
    check: Callable[[], None] = lambda: None
    on_progress: Callable[[Stage, int, int], None] = lambda _stage, _done, _total: None

    def pool(self) -> Iterator[tuple[Document, Sequence[Item]]]:
        """Every document that can be searched, oldest first, with its visible items."""
        for document in reversed(self.library.documents.all(self.workspace)):
            run = self.library.documents.run_of(document.id)
            if run is not None and run.stage >= READABLE:
                hidden = self.library.hidden.of_document(document.id)
                items = self.library.items.of_run(run, _visible(run))
                yield document, [item for item in items if item.id not in hidden]

    def runs(self) -> list[Run]:
        """The runs behind these documents."""
        documents = reversed(self.library.documents.all(self.workspace))
        found = (self.library.documents.run_of(document.id) for document in documents)
        return [run for run in found if run is not None and run.stage >= READABLE]


def sweep(folder: Path) -> None:
    """Remove what a killed trial left behind."""
    shutil.rmtree(folder, ignore_errors=True)


def run_trial(
    bench: Bench,
    settings: EmbedSettings,
    questions: Sequence[MadeQuestion],
    keep: Callable[[Outcome], None],
) -> Cost:
    """Index the library with one embedder, ask, forget the index.

    Args:
        bench: The library and its rules.
        settings: The embedder, licence accepted.
        questions: Those not asked of it yet.
        keep: Called with each outcome as soon as it is known.

    Raises:
        TrialStopped: From `bench.check`.
        RagError: The embedder cannot be used here, or the disk is nearly full.
    """
    with unhurried(), PeakMemory() as memory:
        bench.on_progress("loading", 0, 0)
        plain = load_embedder(settings, bench.turns)
        bench.check()
        seconds = _seconds_per_100(bench, plain)
        embedder = with_cache(plain, bench.cache)
        with _filled_store(bench, embedder) as (store, item_count):
            bench.on_progress("asking", 0, len(questions))
            retriever = Retriever(
                library=bench.library, files=bench.files, store=store, embedder=embedder
            )
            for done, question in enumerate(questions):
                bench.check()
                keep(_ask(bench, retriever, embedder.name, question))
                bench.on_progress("asking", done + 1, len(questions))
    return Cost(
        embedder=embedder.name,
        identity=embedder.identity,
        items=item_count,
        seconds_per_100=seconds,
        memory_bytes=memory.bytes,
    )


# -- the index ------------------------------------------------------------------------------


@contextmanager
def _filled_store(bench: Bench, embedder: Embedder) -> Iterator[tuple[Store, int]]:
    index = new_index(embedder)
    runs = bench.runs()
    item_count = sum(len(bench.library.items.of_run(run, _visible(run))) for run in runs)
    sweep(bench.folder)
    bench.folder.mkdir(parents=True, exist_ok=True)
    floats = index.text_dim + (index.image_dim or 0)
    wanted = INDEX_BYTES + item_count * (2 * 4 * floats + POINT_BYTES)
    try:
        check_reserve(bench.folder, bench.reserve_mb, wanted)
        # Always the engine in this process: a server belongs to all its users.
        engine = StoreSettings(reserve_mb=bench.reserve_mb)
        store = open_store(engine, bench.folder, f"trial-{uuid4().hex[:8]}")
        try:
            store.ensure(schema_of(index))
            _fill(bench, store, embedder, index, runs, item_count)
            yield store, item_count
        finally:
            store.close()
    finally:
        sweep(bench.folder)


def _fill(
    bench: Bench,
    store: Store,
    embedder: Embedder,
    index: IndexRow,
    runs: Sequence[Run],
    item_count: int,
) -> None:
    words = average_words(bench.library, index)
    done = 0
    bench.on_progress("embedding", done, item_count)
    for run in runs:
        make = partial(
            make_points,
            run=run,
            embedder=embedder,
            average_words=words,
            language=bench.library.documents.language_of(run.document_id),
        )
        items = bench.library.items.of_run(run, _visible(run))
        items.sort(key=lambda item: len(item.search_text))  # little padding in a batch
        for start in range(0, len(items), BATCH):
            bench.check()
            batch = items[start : start + BATCH]
            path = bench.files.picture_path if run.stage == READY else None
            store.upsert(_points(make, batch, path))
            done += len(batch)
            bench.on_progress("embedding", done, item_count)


def _points(
    make: Callable[..., list[Point]],
    items: Sequence[Item],
    picture_path: Callable[[str], Path] | None,
) -> list[Point]:
    try:
        return make(items, picture_path=picture_path)
    except (NotFoundError, DocumentError):  # a lost or damaged picture
        if len(items) > 1:
            return [point for item in items for point in _points(make, [item], picture_path)]
        return make(items, picture_path=None)


def _visible(run: Run) -> tuple[Literal["text", "table", "figure", "page"], ...]:
    return (*WORDS, *PICTURES) if run.stage == READY else WORDS


def _seconds_per_100(bench: Bench, embedder: Embedder) -> float | None:
    """Model time for 100 items of this library, from a few of them and past the cache."""
    items = [
        item for run in bench.runs() for item in bench.library.items.of_run(run, _visible(run))
    ]
    texts = [item.search_text for item in _every_nth(items, SPEED_TEXTS) if item.search_text]
    shown = [item for item in items if item.image_sha256]
    if not texts:
        return None
    embedder.text.embed_documents(texts[:1])  # the first call also compiles and reads weights
    bench.check()
    started = time.perf_counter()
    embedder.text.embed_documents(texts)
    per_item = (time.perf_counter() - started) / len(texts)
    bench.check()
    if embedder.pictures is not None and shown:
        paths = [bench.files.picture_path(one.image_sha256 or "") for one in shown]
        per_picture = _seconds_per_picture(embedder, list(_every_nth(paths, SPEED_PICTURES)))
        per_item += per_picture * len(shown) / len(items)
    return 100 * per_item


def _seconds_per_picture(embedder: Embedder, paths: Sequence[Path]) -> float:
    if embedder.pictures is None:
        return 0.0
    spent, count = 0.0, 0
    for path in paths:
        try:
            image = open_rgb(path)
        except RagError:
            continue
        started = time.perf_counter()
        embedder.pictures.embed_images([image])
        spent, count = spent + time.perf_counter() - started, count + 1
    return spent / count if count else 0.0


def _every_nth(things: Sequence[T], most: int) -> Sequence[T]:
    return things[:: max(1, len(things) // most)][:most]


# -- one question ---------------------------------------------------------------------------


def _ask(bench: Bench, retriever: Retriever, name: str, question: MadeQuestion) -> Outcome:
    started = time.perf_counter()
    found = retriever.retrieve(
        question.text, top_k=SHOWN, scope=Scope(workspace=bench.workspace), explain=True
    )
    return outcome_of(question, found, name, ms=1000 * (time.perf_counter() - started))
