"""Many visitors at once: no error, nobody sees another's chat, memory comes back.

Run: python bench/visitors.py [--visitors 20] [--questions 5] [--uploaders 2]
One server on the sample documents with the built-in search, quotes only. Each visitor is a
session of its own over Streamlit's protocol (`bench.streamlit_client`), with its own cookies.
All ask at once, then all wait, round after round, while some upload a PDF of their own. Then
all leave, and the server is given the time after which it drops a session. The same crowd
comes twice; the first time is the baseline, with models, index and parsers loaded. Bars: no
error on a page or in the log, every session is shown its own questions and nobody else's,
resident memory after the second crowd within 10 % of what it was before it.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import statistics
import tempfile
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.streamlit_client import Visitor
from rag.settings import EmbedSettings, Settings, StoreSettings
from tests.builders import make_pdf
from tests.conftest import copy_library
from tests.e2e.conftest import start_server, stop_server
from ui.intake import sample_paths
from ui.services import build

if TYPE_CHECKING:
    from tests.e2e.conftest import Server

KEPT_S = 5  # how long the server keeps a session that is gone; Folio's own is 600
BAR_MEMORY = 1.10
LIMIT_S = 180
MARK = re.compile(r"visitor (\d+-\d+) round (\d+)")
ERRORS = re.compile(r"^(?:ERROR|CRITICAL|WARNING)|Traceback", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What one crowd saw."""

    faults: list[str]  # errors on pages, chats seen by others, questions lost
    hits_s: list[float]  # from Enter to the first source, each question
    done_s: list[float]  # and to the finished answer
    full_mb: float  # resident, with all of them there


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of it."""

    faults: list[str]  # of both crowds, and of the server's log
    crowd: Crowd  # the second
    before_mb: float  # resident, when the first crowd was gone
    after_mb: float  # and the second

    @property
    def memory_ratio(self) -> float:
        return self.after_mb / self.before_mb


def measure(library: Path, visitors: int, questions: int, uploaders: int) -> Seen:
    """Send the crowds in. `library` is a data folder that has been read; it is copied."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_library(library, folder / "data")
        server = start_server(folder, {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(KEPT_S)})
        try:
            first = _crowd(server, 0, visitors, questions, uploaders)
            before = _settled_mb(server)
            second = _crowd(server, 1, visitors, questions, uploaders)
            after = _settled_mb(server)
        finally:
            stop_server(server)
        log = server.log.read_text(encoding="utf-8").splitlines()
    wrong = [line for line in log if ERRORS.search(line)]
    return Seen(
        faults=[*first.faults, *second.faults, *wrong],
        crowd=second,
        before_mb=before,
        after_mb=after,
    )


def _crowd(server: Server, wave: int, visitors: int, questions: int, uploaders: int) -> Crowd:
    with ExitStack() as stack:
        here = [stack.enter_context(closing(Visitor(server.url))) for _ in range(visitors)]
        hits: list[float] = []
        done: list[float] = []
        for number in range(questions):
            if number == 1:
                for place in range(uploaders):
                    name = f"upload-{wave}-{place}.pdf"
                    text = f"Report named {name}. " + "A page about moss and stones. " * 40
                    here[place].upload(name, make_pdf([text] * 3), LIMIT_S)
                    here[place].wait(lambda v=here[place], n=name: v.has_seen(n), name, LIMIT_S)
            found, ended = _round(here, wave, number)
            hits += found
            done += ended
        full = _resident_mb(server)
        faults = _strangers(here, wave, questions)
        faults += [f"visitor {n}: {fault}" for n, v in enumerate(here) for fault in v.faults]
    return Crowd(faults=faults, hits_s=hits, done_s=done, full_mb=full)


def _round(here: list[Visitor], wave: int, number: int) -> tuple[list[float], list[float]]:
    """All ask; seconds to the first source and to the end of the answer, each."""
    for visitor in here:
        visitor.wait(visitor.can_ask, "the chat box is open", LIMIT_S)
    starts: list[tuple[Visitor, float, int]] = []
    for place, visitor in enumerate(here):
        starts.append((visitor, time.perf_counter(), len(visitor.seen)))
        visitor.ask(f"Availability of Row A in 2024, visitor {wave}-{place} round {number}?")
    hits, done = [], []
    for place, (visitor, started, since) in enumerate(starts):
        asked = f"visitor {wave}-{place} round {number}"
        words = (asked, f"#cite-{number}-", "Try again")
        for one, times in zip(words, ([], hits, done), strict=True):
            visitor.wait(lambda v=visitor, w=one, n=since: v.has_seen(w, n), one, LIMIT_S)
            since = visitor.place_of(one, since)
            times.append(visitor.times[since] - started)
    return hits, done


def _strangers(here: list[Visitor], wave: int, questions: int) -> list[str]:
    """Questions of others that were shown to somebody, and own ones that were not."""
    faults: list[str] = []
    for place, visitor in enumerate(here):
        found = {(who, int(which)) for text in visitor.seen for who, which in MARK.findall(text)}
        wanted = {(f"{wave}-{place}", number) for number in range(questions)}
        if found - wanted:
            faults.append(f"visitor {place} sees {sorted(found - wanted)}")
        if wanted - found:
            faults.append(f"visitor {place} misses {sorted(wanted - found)}")
    return faults


def _settled_mb(server: Server) -> float:
    """Resident memory when sessions are dropped and what they held is collected."""
    time.sleep(KEPT_S + 5)
    found = [_resident_mb(server)]
    for _ in range(10):
        time.sleep(2)
        found.append(_resident_mb(server))
        if abs(found[-1] - found[-2]) < 1:
            break
    return found[-1]


def _resident_mb(server: Server) -> float:
    """Of the process that serves, a child of the one that watches over it."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    status = Path(f"/proc/{children[0]}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def read_sample(folder: Path) -> Path:
    """A data folder with the sample documents."""
    opened = build(
        Settings(
            data_dir=folder, embed=EmbedSettings(model="minilm"), store=StoreSettings(reserve_mb=0)
        )
    )
    for path in sample_paths():
        admitted = opened.pipeline.admit(path.name, path.read_bytes(), asset_dir=path.parent)
        opened.pipeline.run(admitted.document.id)
    opened.close()
    gc.collect()
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--questions", type=int, default=5)
    parser.add_argument("--uploaders", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = measure(
            read_sample(Path(folder) / "data"),
            options.visitors,
            options.questions,
            options.uploaders,
        )
    load = "/".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{options.visitors} visitors at once, {options.questions} questions each; load {load}")
    for name, times in (("first source", seen.crowd.hits_s), ("answer", seen.crowd.done_s)):
        worst = max(times)
        print(f"Enter to {name}: median {statistics.median(times):.2f} s, longest {worst:.2f} s")
    print(
        f"resident MB: {seen.before_mb:.0f} before, {seen.crowd.full_mb:.0f} full,"
        f" {seen.after_mb:.0f} after; ratio {seen.memory_ratio:.3f}, bar {BAR_MEMORY}"
    )
    print(f"errors and strangers' questions: {len(seen.faults)}, bar 0")
    for fault in seen.faults[:20]:
        print(f"  {fault}")
    if seen.faults or seen.memory_ratio > BAR_MEMORY:
        raise SystemExit(1)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
