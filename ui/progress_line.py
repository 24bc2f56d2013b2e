"""How far a fetch is, on one line of a terminal that is written anew, or a few lines of a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rag.embed.hub import PullProgress

MB = 1_000_000
WIDTH = 79  # what every terminal has, less the cell that would wrap
LOG_STEP = 10  # percent between two lines of a log


class ProgressLine:
    """Draws what `rag.embed.hub.pull` reports."""

    def __init__(
        self, stream: TextIO, label: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._label = label
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._started: float | None = None
        self._first_bytes = 0
        self._next_percent = 0

    def show(self, progress: PullProgress) -> None:
        """Draw where it is now."""
        if self._started is None:  # what was there before tells nothing about the speed
            self._started, self._first_bytes = self._clock(), progress.done_bytes
        percent = int(100 * progress.done_bytes / (progress.total_bytes or 1))
        line = self._line(progress, percent)
        if self._is_terminal:
            self._stream.write("\r" + line[:WIDTH].ljust(WIDTH))
        elif percent >= self._next_percent:
            self._stream.write(line + "\n")
            self._next_percent = percent // LOG_STEP * LOG_STEP + LOG_STEP
        self._stream.flush()

    def end(self) -> None:
        """Leave the line, so that what follows starts on its own."""
        if self._is_terminal and self._started is not None:
            self._stream.write("\n")
            self._stream.flush()

    def _line(self, progress: PullProgress, percent: int) -> str:
        elapsed = self._clock() - (self._started or 0.0)
        speed = (progress.done_bytes - self._first_bytes) / elapsed / MB if elapsed > 0 else 0.0
        done, total = progress.done_bytes / MB, progress.total_bytes / MB
        return (
            f"{self._label}: {percent:3d} %  {done:.1f} of {total:.1f} MB  {speed:.1f} MB/s  "
            f"{progress.file}"
        )
