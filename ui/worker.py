"""The background thread that reads documents, one at a time. Never calls Streamlit."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.progress import Cancelled, Progress
from rag.errors import NotFoundError, RagError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from ingest.pipeline import Pipeline
    from rag.types import Document

logger = logging.getLogger(__name__)
JOIN_S = 15.0
MIN_FILES, MIN_S = 2, 3.0  # read before the time of the others is guessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """How far all files are that came since the queue was last empty."""

    done: int
    total: int
    remaining_s: float | None = None  # None while too little is known


class IngestWorker:
    """A queue and a thread. `jobs` is what pages poll.

    Args:
        pipeline: Reads.
        on_end: Told of each document that was read, or why not; in the worker's thread.
        on_recovered: Called once what a crash left is put right.
        clock: Seconds.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        on_end: Callable[[Progress, Document | None, RagError | None], None],
        on_recovered: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipeline = pipeline
        self._on_end = on_end
        self._on_recovered = on_recovered
        self._clock = clock
        self._change = threading.Condition()
        self._queue: deque[Progress] = deque()
        self._passwords: dict[UUID, str] = {}  # in memory only, until the document's turn comes
        self._current: Progress | None = None
        self._closing = False
        self._wants_recovery = False
        self._done_count = self._done_bytes = 0
        self._started_at = 0.0
        self._thread = threading.Thread(target=self._work, name="ingest", daemon=True)
        self._thread.start()

    def enqueue(self, job: Progress, password: str | None = None) -> None:
        """Read a document when its turn comes; a password is used once and forgotten."""
        with self._change:
            if password is not None:
                self._passwords[job.document_id] = password
            if not self._queue and self._current is None:
                self._done_count = self._done_bytes = 0
                self._started_at = self._clock()
            self._queue.append(job)
            self._change.notify_all()

    def resume(self) -> None:
        """Undo or finish what a crash left, then go on with what was queued."""
        with self._change:
            self._wants_recovery = True
            self._change.notify_all()

    def jobs(self) -> list[Progress]:
        """The document at work, then those that wait."""
        with self._change:
            return [*([self._current] if self._current else []), *self._queue]

    def series(self) -> Series | None:
        """How far all are together, None when nothing is read."""
        with self._change:
            waiting = [*([self._current] if self._current else []), *self._queue]
            if not waiting:
                return None
            took, left = self._clock() - self._started_at, None
            if self._done_count >= MIN_FILES and took >= MIN_S:
                left = took / self._done_bytes * sum(max(1, job.size_bytes) for job in waiting)
            return Series(
                done=self._done_count, total=self._done_count + len(waiting), remaining_s=left
            )

    def cancel(self, document_id: UUID, *, wait: bool = False) -> bool:
        """Stop the document that is being read; take a waiting one out of the queue.

        Returns:
            Whether it was being read, and so removes itself.
        """
        with self._change:
            self._passwords.pop(document_id, None)
            self._queue = deque(job for job in self._queue if job.document_id != document_id)
            running = self._current
            if running is None or running.document_id != document_id:
                return False
            if threading.current_thread() is self._thread:  # by itself, when it has read it
                return True
            running.cancelled.set()
            if wait:
                self._change.wait_for(lambda: self._current is not running, timeout=JOIN_S)
        return True

    def close(self) -> None:
        """Stop after undoing the document at work; it is queued again at the next start."""
        with self._change:
            self._closing = True
            if self._current is not None:
                self._current.cancelled.set()
            self._change.notify_all()
        self._thread.join(JOIN_S)

    def _work(self) -> None:
        while True:
            with self._change:
                self._current = None
                self._change.notify_all()
                self._change.wait_for(lambda: self._queue or self._closing or self._wants_recovery)
                if self._closing:
                    return
                recovering, self._wants_recovery = self._wants_recovery, False
                if not recovering:
                    self._current = self._queue.popleft()
                job = self._current
                password = self._passwords.pop(job.document_id, None) if job else None
            if job is None:
                self._recover()
            else:
                self._run(job, () if password is None else (password,))
                self._done_count += 1
                self._done_bytes += max(1, job.size_bytes)

    def _recover(self) -> None:
        try:
            waiting = self._pipeline.recover()
            self._on_recovered()
        except RagError as error:
            logger.warning("recovery failed: %s", error)
            return
        known = {job.document_id for job in self._queue}
        for document_id in waiting:
            if document_id not in known:
                self.enqueue(Progress(document_id=document_id, name=""))

    def _run(self, job: Progress, passwords: Sequence[str]) -> None:
        try:
            self._on_end(job, self._read(job, passwords), None)
        except Cancelled:
            logger.info("ingest cancelled document_id=%s", job.document_id)
        except NotFoundError:
            logger.info("ingest skipped, deleted meanwhile document_id=%s", job.document_id)
        except RagError as error:
            logger.warning("ingest failed document_id=%s: %s", job.document_id, error)
            self._on_end(job, None, error)
        except Exception:
            # The rim: one document must not end the thread that reads all others.
            logger.exception("ingest broke document_id=%s", job.document_id)

    def _read(self, job: Progress, passwords: Sequence[str]) -> Document:
        if job.is_again:
            return self._pipeline.read_again(job.document_id, job)
        return self._pipeline.resume(
            job.document_id, job, keep_if_cancelled=self._is_closing, passwords=passwords
        )

    def _is_closing(self) -> bool:
        return self._closing
