"""`folio reindex`: wiring, progress and words, no logic."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from rag.errors import EmbedError
from rag.settings import load_settings
from ui.cli_options import AsJson, DataDir, Debug, remark, tell
from ui.views import duration_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

logger = logging.getLogger(__name__)
WRONG_USAGE = 2
WIDTH = 79
LOG_EVERY_S = 10.0  # between two lines of a log
TERMINAL_EVERY_S = 0.2


def reindex(
    data_dir: DataDir = None,
    embedder: Annotated[
        str | None,
        typer.Option(help="Embedder to switch to, TEXT or TEXT+PICTURES; else the one in use."),
    ] = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Embed the whole library again, without parsing it again; goes on where it was cut off."""
    from ui.services import build

    started = time.monotonic()
    line = PointsLine(sys.stderr)
    with closing(build(load_settings(data_dir=data_dir))) as services:
        embed = services.embed_settings(embedder)
        try:
            before, after, points = services.reindex(embed, on_progress=line.show)
        except EmbedError as error:  # nothing was switched, whatever went wrong
            logger.debug("reindex failed", exc_info=error)
            remark(str(error))
            raise typer.Exit(WRONG_USAGE) from error
        except KeyboardInterrupt:
            line.end()
            remark(
                "Stopped; the old index answers as before. What is done is kept: go on with "
                f"`folio reindex --embedder {embed.model}`."
            )
            raise
        line.end()
    seconds = round(time.monotonic() - started, 2)
    if as_json:
        tell({"from": before, "to": after, "points": points, "seconds": seconds})
    else:
        tell(f"{points} points are now indexed with {after} ({seconds} s).")


class PointsLine:
    """How far a rebuild is: one line of a terminal that is written anew, or lines of a log."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._every_s = TERMINAL_EVERY_S if self._is_terminal else LOG_EVERY_S
        self._started = 0.0
        self._first: int | None = None
        self._next = 0.0

    def show(self, done: int, total: int) -> None:
        """Draw where it is now, if it is time to."""
        now = self._clock()
        if self._first is None:  # what was there before tells nothing about the speed
            self._first, self._started = done, now
        if now < self._next and done < total:
            return
        self._next = now + self._every_s
        line = self._line(done, total, now - self._started)
        self._stream.write("\r" + line[:WIDTH].ljust(WIDTH) if self._is_terminal else line + "\n")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line, so that what follows starts on its own."""
        if self._is_terminal and self._first is not None:
            self._stream.write("\n")
            self._stream.flush()

    def _line(self, done: int, total: int, elapsed_s: float) -> str:
        from ingest.reindex import remaining_s

        first = self._first or 0
        percent = 100 * done // total if total else 100
        rest_s = remaining_s(done - first, total - first, elapsed_s)
        words = f", {duration_words(rest_s)} left" if rest_s and done < total else ""
        return f"Indexing: {percent:3d} %, {done} of {total} points{words}"
