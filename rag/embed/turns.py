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


@contextmanager
def unhurried() -> Iterator[None]:
    """Within it, nothing that this thread embeds goes before others, questions neither."""
    before = getattr(_THREAD, "is_unhurried", False)
    _THREAD.is_unhurried = True
    try:
        yield
    finally:
        _THREAD.is_unhurried = before


class _Turn:
    """One `with` statement's hold on the model."""

    def __init__(self, *, question: bool) -> None:
        self.question = question


class Turns:
    """One user at a time; a waiting question goes before any waiting document batch.

    A lane takes one turn a batch, and a document batch gives way between two layers of
    the model: a question waits for one layer and no longer. Documents can starve only as
    long as questions never pause.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._holder: _Turn | None = None
        self._questions_waiting = 0

    @contextmanager
    def take(self, *, question: bool) -> Iterator[None]:
        """Hold the model for the body of the `with` statement."""
        turn = _Turn(question=_is_first(question=question))
        self._wait(turn)
        try:
            yield
        finally:
            with self._changed:
                # Not the holder: it gave way and was interrupted before its turn came again.
                if self._holder is turn:
                    self._let_go()

    def give_way(self) -> None:
        """Called by who holds a turn: let waiting questions go first, then go on.

        Costs nothing when none waits, or when a question holds the turn. Weights are only
        read, so a question may use the model in the middle of somebody's batch.
        """
        with self._changed:
            turn = self._holder
            if turn is None or turn.question or not self._questions_waiting:
                return
            self._let_go()
        self._wait(turn)

    def _wait(self, turn: _Turn) -> None:
        with self._changed:
            self._questions_waiting += turn.question
            try:
                self._changed.wait_for(lambda: self._is_free_for(turn))
                self._holder = turn
            finally:
                self._questions_waiting -= turn.question
                # An interrupted question may be what documents are waiting for.
                self._changed.notify_all()

    def _let_go(self) -> None:
        self._holder = None
        self._changed.notify_all()

    def _is_free_for(self, turn: _Turn) -> bool:
        return self._holder is None and (turn.question or self._questions_waiting == 0)


def _is_first(*, question: bool) -> bool:
    if getattr(_THREAD, "is_unhurried", False):
        return False
    return question or bool(getattr(_THREAD, "is_hurried", False))
