"""Keywords of an index kept up to date, in the background. No Streamlit.

Knows when to look and when to stop; what is outdated and how it is rewritten is
`ingest.rewriting`. Questions are answered all the while.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from rag.errors import RagError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rag.library import IndexRow, Library
    from rag.store import Store

logger = logging.getLogger(__name__)
CLOSE_WAIT_S = 30.0


class KeywordUpkeep:
    """One look at each index that is opened."""

    def __init__(self, library: Library, lock: AbstractContextManager[object]) -> None:
        self._library = library
        self._lock = lock
        self._thread: threading.Thread | None = None

    def start(
        self,
        index: IndexRow,
        store: Store,
        *,
        is_over: Callable[[], bool],
        on_end: Callable[[], None],
    ) -> None:
        """Look in a thread of its own; `on_end` is called from it, whatever happened."""
        self._thread = threading.Thread(
            target=self._look, args=(index, store, is_over, on_end), name="keywords", daemon=True
        )
        self._thread.start()

    def wait(self) -> None:
        """Until the last look has ended; call it without the lock, after `is_over` turned true."""
        if self._thread is not None:
            self._thread.join(CLOSE_WAIT_S)

    def _look(
        self,
        index: IndexRow,
        store: Store,
        is_over: Callable[[], bool],
        on_end: Callable[[], None],
    ) -> None:
        from ingest.rewriting import KeywordsStopped, outdated, rewrite_all

        try:
            average = None if is_over() else outdated(self._library, index)
            if average is not None:
                rewrite_all(
                    self._library, store, index, average, lock=self._lock, is_cancelled=is_over
                )
        except KeywordsStopped:
            pass
        except RagError as error:
            # Search goes on with the weights there are; the next start tries again.
            logger.warning("keywords not rewritten name=%s: %s", index.name, error)
        finally:
            on_end()
