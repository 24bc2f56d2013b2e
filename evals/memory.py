"""How much memory something takes while it runs. Knows this process, nothing of models."""

from __future__ import annotations

import gc
import os
import resource
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

EVERY_S = 0.05
_STATM = Path("/proc/self/statm")


class PeakMemory:
    """Bytes resident above those at its start, at their highest; looked at 20 times a second.

    Weights that are mapped from a file count once they are read. Where there is no /proc,
    the growth of the highest ever: nothing when something before took more.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        gc.collect()
        self._before = _resident_bytes()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, _resident_bytes() - self._before)
            if self._over.wait(EVERY_S):
                return


def _resident_bytes() -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024
