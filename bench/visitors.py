"""Many visitors at once: no error, nobody sees another's chat, memory comes back.

Run: python bench/visitors.py [--visitors 20] [--questions 5] [--uploaders 2]
One server on the sample documents with the built-in search, quotes only; one Chromium with a
context, and so a cookie jar and a Streamlit session, for each visitor. All ask, then all wait,
round after round, while some upload a PDF of their own. Then all leave, and the server is
given the time after which it drops a session. Bars: no error in page or log, every page shows
its own questions and nobody else's, resident memory within 10 % of what it was before.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import shutil
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.settings import EmbedSettings, Settings, StoreSettings
from tests.builders import make_pdf
from tests.e2e.conftest import (
    FLAGS,
    Watched,
    drop,
    find_chromium,
    start_asking,
    start_server,
    stop_server,
    watch,
)
from ui.intake import sample_paths
from ui.services import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import Server

KEPT_S = 5  # how long the server keeps a session that is gone; Streamlit's own is 120
BAR_MEMORY = 1.10
LIMIT_S = 120
MARK = re.compile(r"visitor (\d+) round (\d+)")
ERRORS = re.compile(r"^(?:ERROR|CRITICAL|WARNING)|Traceback", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of it."""

    faults: list[str]  # errors in pages and log, chats seen by others, questions lost
    round_s: list[float]  # from the first Enter of a round to the last answer
    before_mb: float  # resident, with the model loaded and one visitor gone
    full_mb: float  # with all visitors there
    after_mb: float

    @property
    def memory_ratio(self) -> float:
        return self.after_mb / self.before_mb


def measure(library: Path, visitors: int, questions: int, uploaders: int) -> Seen:
    """Send the visitors in. `library` is a data folder that has been read; it is copied."""
    from playwright.sync_api import sync_playwright

    chromium = find_chromium()
    if chromium is None:
        message = "No Chromium or Chrome was found; name one in FOLIO_CHROMIUM."
        raise SystemExit(message)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        shutil.copytree(library, folder / "data")
        server = start_server(folder, {"STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": str(KEPT_S)})
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            return _measure(browser, server, visitors, questions, uploaders)
        finally:
            browser.close()
            stop_server(server)


def _measure(
    browser: Browser, server: Server, visitors: int, questions: int, uploaders: int
) -> Seen:
    for number in range(2):  # loads models, index and parsers; the second tells how much stays
        first = _open(browser, server.url)
        _upload(first.page, f"first-{number}")
        _round([first], 0, ["warm"])
        first.page.locator('[class*="st-key-job-"]').first.wait_for(state="detached")
        first.page.context.close()
    before = _settled_mb(server)
    here = [_open(browser, server.url) for _ in range(visitors)]
    times: list[float] = []
    for number in range(questions):
        started = time.perf_counter()
        if number == 1:
            for place in range(uploaders):
                _upload(here[place].page, f"upload-{place}")
        _round(here, number, [f"visitor {place}" for place in range(visitors)])
        times.append(time.perf_counter() - started)
    full = _resident_mb(server)
    faults = _strangers(here, questions)
    for watched in here:
        faults += [f"outside: {one}" for one in watched.outside]
        faults += [f"console: {one}" for one in watched.complaints]
        watched.page.context.close()
    after = _settled_mb(server)
    log = server.log.read_text(encoding="utf-8")
    faults += [line for line in log.splitlines() if ERRORS.search(line)]
    return Seen(faults=faults, round_s=times, before_mb=before, full_mb=full, after_mb=after)


def _open(browser: Browser, url: str) -> Watched:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(LIMIT_S * 1000)
    context.new_page()
    watched = watch(context, url)
    watched.page.goto(f"{url}/")
    watched.page.get_by_test_id("stChatInputTextArea").wait_for()
    return watched


def _upload(page: Page, name: str) -> None:
    text = f"Report named {name}. " + "A page about moss and stones. " * 40
    drop(page, f"{name}.pdf", make_pdf([text] * 3))
    # Words put before it was taken in would stay in the box.
    rows = page.locator('[class*="st-key-job-"], [class*="st-key-doc-"]')
    rows.filter(has_text=f"{name}.pdf").first.wait_for()


def _round(here: list[Watched], number: int, names: list[str]) -> None:
    for watched, name in zip(here, names, strict=True):
        start_asking(watched.page, f"Availability of Row A in 2024, {name} round {number}?")
    for watched in here:
        watched.page.locator("h2.f-q").nth(number).wait_for(timeout=LIMIT_S * 1000)
    for watched in here:
        watched.page.locator(".st-key-stop").wait_for(state="detached", timeout=LIMIT_S * 1000)


def _strangers(here: list[Watched], questions: int) -> list[str]:
    """Questions of others on a page, and own ones that are not there."""
    faults: list[str] = []
    for place, watched in enumerate(here):
        found = {(int(who), int(which)) for who, which in MARK.findall(_text(watched.page))}
        wanted = {(place, number) for number in range(questions)}
        if found - wanted:
            faults.append(f"visitor {place} sees {sorted(found - wanted)}")
        if wanted - found:
            faults.append(f"visitor {place} misses {sorted(wanted - found)}")
    return faults


def _text(page: Page) -> str:
    return str(page.evaluate("document.body.textContent"))


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
    rounds = ", ".join(f"{one:.1f}" for one in seen.round_s)
    print(f"{options.visitors} visitors, {options.questions} questions each; load {load}")
    print(f"all answered, seconds a round: {rounds} (median {statistics.median(seen.round_s):.1f})")
    print(
        f"resident MB: {seen.before_mb:.0f} before, {seen.full_mb:.0f} full,"
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
