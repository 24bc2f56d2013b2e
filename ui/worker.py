"""The background thread that reads documents, one at a time. Never calls Streamlit."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from ingest.pipeline import Cancelled, Progress
from rag.errors import NotFoundError, RagError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from ingest.pipeline import Pipeline

logger = logging.getLogger(__name__)
JOIN_S = 15.0


class IngestWorker:
    """A queue and a thread. `jobs` is what pages poll."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._change = threading.Condition()
        self._queue: deque[Progress] = deque()
        self._passwords: dict[UUID, str] = {}  # in memory only, until the document's turn comes
        self._current: Progress | None = None
        self._closing = False
        self._wants_recovery = False
        self._thread = threading.Thread(target=self._work, name="ingest", daemon=True)
        self._thread.start()

    def enqueue(self, document_id: UUID, name: str, password: str | None = None) -> None:
        """Read a document when its turn comes; a password is used once and forgotten."""
        with self._change:
            if password is not None:
                self._passwords[document_id] = password
            self._queue.append(Progress(document_id=document_id, name=name))
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

    def _recover(self) -> None:
        try:
            waiting = self._pipeline.recover()
        except RagError as error:
            logger.warning("recovery failed: %s", error)
            return
        known = {job.document_id for job in self._queue}
        for document_id in waiting:
            if document_id not in known:
                self.enqueue(document_id, "")

    def _run(self, job: Progress, passwords: Sequence[str]) -> None:
        try:
            self._pipeline.resume(
                job.document_id, job, keep_if_cancelled=self._is_closing, passwords=passwords
            )
        except Cancelled:
            logger.info("ingest cancelled document_id=%s", job.document_id)
        except NotFoundError:
            logger.info("ingest skipped, deleted meanwhile document_id=%s", job.document_id)
        except Exception:
            # The rim: one document must not end the thread that reads all others.
            logger.exception("ingest broke document_id=%s", job.document_id)

    def _is_closing(self) -> bool:
        return self._closing
