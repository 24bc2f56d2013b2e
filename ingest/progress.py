"""How far one document is, and how long the rest may take. Knows counts and a clock."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

# Fewer units or less time say nothing about the pace: a child starts, a model loads.
MIN_UNITS, MIN_S = 3, 2.0


class Cancelled(Exception):  # noqa: N818 - a wish, not an error
    """The user asked to stop; everything of the run is undone."""


@dataclass(slots=True)
class Pace:
    """The mean pace since the first unit: steady by nature, since old units go on counting.

    The first one is not in it, so that neither starting a child nor loading a model is.
    """

    clock: Callable[[], float] = time.monotonic
    done: int = 0
    first_at: float = 0.0
    first_done: int = 0
    last_at: float = 0.0

    def count(self, units: int = 1) -> None:
        """Some more are done."""
        now = self.clock()
        if not self.done:
            self.first_at, self.first_done = now, units
        self.done += units
        self.last_at = now

    def remaining_s(self, total: int | None) -> float | None:
        """Seconds until all are done; None while too little is known."""
        measured, took = self.done - self.first_done, self.last_at - self.first_at
        if total is None or measured < MIN_UNITS or took < MIN_S or self.done > total:
            return None
        left = took / measured * (total - self.done)
        # Between two units the time runs on, but never below what is nearly over.
        return max(0.1 * left, left - (self.clock() - self.last_at))


@dataclass(slots=True)
class Progress:
    """How far one document is. Written by the worker, read by pages; plain numbers only."""

    document_id: UUID
    name: str
    is_again: bool = False  # it is read again beside what is visible of it
    size_bytes: int = 0
    pages_done: int = 0
    pages_total: int | None = None
    figures_done: int = 0
    figures_total: int = 0
    stage: str = "waiting"  # waiting, reading, pictures
    page_pace: Pace = field(default_factory=Pace)
    figure_pace: Pace = field(default_factory=Pace)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def count_page(self) -> None:
        """One more page is read."""
        self.pages_done += 1
        self.page_pace.count()

    def count_figures(self, count: int) -> None:
        """Some more figures are ready."""
        self.figures_done += count
        self.figure_pace.count(count)

    def remaining_s(self) -> float | None:
        """Seconds until this stage is over; None while too little is known."""
        if self.stage == "pictures":
            return self.figure_pace.remaining_s(self.figures_total)
        return self.page_pace.remaining_s(self.pages_total)

    def stop_if_cancelled(self) -> None:
        """Leave where the user asked to stop.

        Raises:
            Cancelled: They did.
        """
        if self.cancelled.is_set():
            raise Cancelled
