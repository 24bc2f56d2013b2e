"""Who may use a model next: questions before documents. Knows no model and no torch."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Condition, local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_THREAD = local()


@contextmanager
def hurried() -> Iterator[None]:
    """Within it, whatever this thread embeds goes first, because a person waits for it."""
    before = getattr(_THREAD, "is_hurried", False)
    _THREAD.is_hurried = True
    try:
        yield
    finally:
        _THREAD.is_hurried = before


class Turns:
    """One user at a time; a waiting question goes before any waiting document batch.

    A lane takes one turn a batch, so a question waits for the batch in progress
    and no longer. Documents can starve only as long as questions never pause.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._is_taken = False
        self._questions_waiting = 0

    @contextmanager
    def take(self, *, question: bool) -> Iterator[None]:
        """Hold the model for the body of the `with` statement."""
        self._wait(question=question or getattr(_THREAD, "is_hurried", False))
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()

    def _wait(self, *, question: bool) -> None:
        with self._changed:
            self._questions_waiting += question
            try:
                self._changed.wait_for(lambda: self._is_free_for(question=question))
                self._is_taken = True
            finally:
                self._questions_waiting -= question
                # An interrupted question may be what documents are waiting for.
                self._changed.notify_all()

    def _is_free_for(self, *, question: bool) -> bool:
        return not self._is_taken and (question or self._questions_waiting == 0)
