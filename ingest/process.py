"""One parsing child: a fresh interpreter with two pipes. Knows processes and frames only.

Not a fork: the parent holds threads, a web server and an index.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.wire import Frame, WireError, read_frame

logger = logging.getLogger(__name__)

POLL_S = 0.1
# What a parser needs of the environment; keys and passwords of the parent stay with it.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")

# glibc only. Left to itself it keeps ever larger buffers on a heap that then cannot shrink:
# 0.1 GB more after 36 pages.
_MALLOC = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(8 << 20)}


class ChildGoneError(Exception):
    """The child did not answer: killed at the time limit, crashed, or spoke nonsense."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class CancelledError(Exception):
    """The caller asked to stop."""


class ChildProcess:
    """One interpreter, its two pipes, and a thread that reads its frames."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingest.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        self._frames: queue.Queue[Frame | Exception | None] = queue.Queue(maxsize=8)
        self._thread = threading.Thread(target=self._read, daemon=True, name="ingest-child")
        self._thread.start()

    def send(self, request: dict[str, Any]) -> None:
        pipe = self._process.stdin
        if pipe is None:
            message = "no pipe"
            raise ChildGoneError(message)
        try:
            pipe.write(json.dumps(request).encode() + b"\n")
            pipe.flush()
        except (OSError, ValueError) as error:  # broken pipe; pipe closed by kill()
            message = "the child has ended"
            raise ChildGoneError(message) from error

    def receive(self, deadline: float, cancelled: Callable[[], bool]) -> Frame:
        while True:
            if cancelled():
                raise CancelledError
            try:
                frame = self._frames.get(timeout=POLL_S)
            except queue.Empty:
                if time.monotonic() > deadline:
                    message = "no answer in time"
                    raise ChildGoneError(message, timed_out=True) from None
                continue
            if frame is None:
                message = f"the child ended with code {self._process.poll()}"
                raise ChildGoneError(message)
            if isinstance(frame, Exception):
                raise ChildGoneError(str(frame)) from frame
            return frame

    def kill(self) -> None:
        """End the process and wait for it: no zombie, no open pipe is left."""
        self._process.kill()
        self._process.wait()
        while self._thread.is_alive():  # a full queue would keep the reader waiting
            try:
                self._frames.get(timeout=POLL_S)
            except queue.Empty:
                self._thread.join(timeout=POLL_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    logger.debug("pipe of a dead child closed late")

    def _read(self) -> None:
        pipe = self._process.stdout
        try:
            while pipe is not None and (frame := read_frame(pipe)) is not None:
                self._frames.put(frame)
        except (WireError, OSError, ValueError) as error:
            self._frames.put(error)
        self._frames.put(None)


def _environment() -> dict[str, str]:
    """A short environment: one thread for every numeric library, and where our code lies."""
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **_MALLOC,
    }
