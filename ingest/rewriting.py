"""Keyword weights of points that are there already, written anew. No embedding, no parsing.

Knows rows, terms and the store. Weights are relative to the mean length of a passage, and
terms depend on a document's language and on the version of `rag.terms`: where one of these
changes, only the keyword vectors do (1,000 passages take about a second).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rag.keywords import DEFAULT_AVERAGE_WORDS, VERSION, document_weights, term_count
from rag.library.documents import READY
from rag.library.items import point_id
from rag.types import PICTURES, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from rag.library import IndexRow, Library
    from rag.library.documents import Run
    from rag.store import Store
    from rag.types import Item

logger = logging.getLogger(__name__)
# The mean length is a running one until it is of so many passages; then it is fixed.
FIRST_PASSAGES = 200
MAX_DRIFT = 0.3
SAMPLE = 400
BATCH = 64  # a delete or an upload waits for one at most


class KeywordsStopped(Exception):  # noqa: N818 - a wish, not an error
    """Folio is closing, or the index has been replaced; the next start begins again."""


def including(library: Library, items: Sequence[Item], language: str) -> float:
    """The mean length to weigh these passages by: running at first, then fixed."""
    index = library.indexes.active()
    known = (index.average_words or 0.0) if index else 0.0
    count = index.averaged_over if index and index.average_words else 0
    if count >= FIRST_PASSAGES:
        return known
    lengths = [term_count(i.search_text, language) for i in items if i.kind in WORDS]
    total = count + len(lengths)
    average = max(1.0, (known * count + sum(lengths)) / total) if total else DEFAULT_AVERAGE_WORDS
    if lengths:
        library.indexes.set_average_words(average, total)
    return average


def is_settling(index: IndexRow | None) -> bool:
    """Whether the mean length still runs, so that earlier weights do not fit later ones."""
    return index is not None and index.averaged_over < FIRST_PASSAGES


def outdated(library: Library, index: IndexRow) -> float | None:
    """The mean length to rewrite all keyword weights by; None when they are good as they are.

    They are not when an older Folio made them, when a rewrite was cut off, or when the mean
    length is off by 30 % of what passages now have.
    """
    sample = library.indexes.word_sample(SAMPLE)
    fixed = index.average_words or DEFAULT_AVERAGE_WORDS
    if not sample:
        return None
    average = sum(term_count(text, language) for text, language in sample) / len(sample)
    has_drifted = len(sample) >= FIRST_PASSAGES and abs(average / fixed - 1) > MAX_DRIFT
    if index.keywords == VERSION and not has_drifted:
        return None
    return max(1.0, average)


def rewrite_all(
    library: Library,
    store: Store,
    index: IndexRow,
    average_words: float,
    *,
    lock: AbstractContextManager[object],
    is_cancelled: Callable[[], bool],
) -> int:
    """Bring every keyword vector of an index up to date; questions go on meanwhile.

    What an upload writes at the same time is up to date by itself.

    Args:
        library: Whose visible runs.
        store: The opened collection.
        index: Its row.
        average_words: From `outdated`.
        lock: Held for each batch and by whoever deletes a document.
        is_cancelled: Asked before each batch.

    Returns:
        How many points were written.

    Raises:
        KeywordsStopped: `is_cancelled` turned true.
        StoreError: The engine refused. What was written stays and is written again.
    """
    library.indexes.begin_keywords(index, average_words, FIRST_PASSAGES)
    count = 0
    for run in library.indexes.visible_runs():
        language = library.documents.language_of(run.document_id)
        for batch in _batches(library, run):
            if is_cancelled():
                raise KeywordsStopped
            with lock:
                if not library.indexes.shows(run):
                    break  # deleted meanwhile
                _rewrite(store, run, batch, average_words, language)
                count += len(batch)
    store.flush()
    library.indexes.end_keywords(index, VERSION)
    logger.info("rewrote keywords points=%d average_words=%.0f", count, average_words)
    return count


def rewrite_runs(library: Library, store: Store, runs: Iterable[Run], average_words: float) -> None:
    """Write the keyword vectors of these runs anew."""
    for run in runs:
        language = library.documents.language_of(run.document_id)
        for batch in _batches(library, run):
            _rewrite(store, run, batch, average_words, language)


def _batches(library: Library, run: Run) -> Iterable[list[Item]]:
    items = library.items.of_run(run, (*WORDS, *PICTURES) if run.stage == READY else WORDS)
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _rewrite(
    store: Store, run: Run, items: Sequence[Item], average_words: float, language: str
) -> None:
    store.update_keywords(
        {
            point_id(item.id, run.id): document_weights(item.search_text, average_words, language)
            for item in items
        }
    )
