"""How soon the app shows something: first paint, hits after Enter, the longest freeze.

Run: python bench/app_speed.py [--questions 20] [--pages 300]
A server on the sample documents with the built-in search, quotes only, and a real Chromium.
- first paint: from the start of navigation, in a fresh profile, to title and chat box drawn.
  Bar 3 s.
- hits: from Enter to the first source card or picture drawn, model and index warm. Bar 1 s
  for the median.
- freeze: while a PDF of many pages is read, the longest time between two ticks of a 50 ms
  timer in the page, and the longest time from a click on a tick box to what it changes on the
  page. Bar 1 s each.
The load of the machine is printed, because others may use it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.visitors import read_sample
from tests.builders import make_pdf
from tests.conftest import copy_library
from tests.e2e.conftest import FLAGS, drop, find_chromium, start_server, stop_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BAR_PAINT_S, BAR_HITS_S, BAR_FREEZE_S = 3.0, 1.0, 1.0
PAINTS = 5
QUESTIONS = (
    "What was the availability of Row A in 2024?",
    "Who wrote the safety bulletin?",
    "How much energy was sent ashore?",
    "When did the storm break the mooring?",
    "What does a bearing cost?",
)

# Notes the largest gap between ticks; reading it starts anew.
_TICKS = """() => {
    let last = performance.now();
    window.folioGap = 0;
    setInterval(() => {
        const now = performance.now();
        window.folioGap = Math.max(window.folioGap, now - last);
        last = now;
    }, 50);
}"""
# From Enter to the first thing found, measured in the page: the driver adds its own time.
_HITS = """() => new Promise(done => {
    const old = new Set(document.querySelectorAll('a.f-card, [class*=st-key-plate-], .f-quote'));
    const start = performance.now();
    const watch = new MutationObserver(() => {
        for (const e of document.querySelectorAll('a.f-card, [class*=st-key-plate-], .f-quote'))
            if (!old.has(e)) { watch.disconnect(); done(performance.now() - start); return; }
    });
    watch.observe(document.body, {childList: true, subtree: true});
})"""


def paints(browser: Browser, url: str) -> list[float]:
    """Seconds to title and chat box, each in a profile that was never here."""
    found: list[float] = []
    for _ in range(PAINTS):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        started = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.locator("h1").first.wait_for()
        page.get_by_test_id("stChatInputTextArea").wait_for()
        found.append(time.perf_counter() - started)
        context.close()
    return found


def hits(page: Page, count: int) -> list[float]:
    """Seconds from Enter to the first hit drawn, a question each."""
    found: list[float] = []
    for number in range(count):
        question = f"{QUESTIONS[number % len(QUESTIONS)]} ({number})"
        box = page.locator("[data-testid=stChatInputTextArea]:not([disabled])")
        box.wait_for()
        box.fill(question)
        page.evaluate(f"window.folioHits = ({_HITS})(); 0")
        box.press("Enter")
        found.append(float(page.evaluate("window.folioHits")) / 1000)
        page.locator(".st-key-stop").wait_for(state="detached")
        if number % 5 == 4:  # a chat of a usual length
            page.get_by_role("button", name="New question").click()
            page.locator("h2.f-q").first.wait_for(state="detached")
    return found


def freezes(page: Page, pages: int) -> tuple[float, float, int]:
    """While a long file is read: longest gap between ticks, longest click, clicks made."""
    body = [f"Page {n} on moss. " * 60 for n in range(pages)]
    page.evaluate(_TICKS)
    drop(page, "long.pdf", make_pdf(body))
    page.locator('[class*="st-key-job-"]', has_text="long.pdf").first.wait_for()
    clicks: list[float] = []
    box = page.locator('[class*="st-key-doc-"] label').first
    scope = page.locator(".f-scope")
    while page.locator('[class*="st-key-job-"]').count():
        before = scope.inner_text()
        started = time.perf_counter()
        box.click()
        while scope.inner_text() == before:
            page.wait_for_timeout(20)
        clicks.append(time.perf_counter() - started)
        page.wait_for_timeout(300)
    return float(page.evaluate("window.folioGap")) / 1000, max(clicks, default=0.0), len(clicks)


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--pages", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        copy_library(read_sample(folder / "read"), folder / "data")
        server = start_server(folder)
        browser = driver.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(server.url)
            page.get_by_test_id("stChatInputTextArea").wait_for()
            _report("first paint", paints(browser, server.url), BAR_PAINT_S)
            hits(page, 2)  # warm
            _report("hits after Enter", hits(page, options.questions), BAR_HITS_S)
            gap, click, count = freezes(page, options.pages)
            print(f"{options.pages} pages read, {count} clicks meanwhile; load {_load()}")
            _line("longest gap between ticks", gap, BAR_FREEZE_S)
            _line("longest click to its change", click, BAR_FREEZE_S)
        finally:
            browser.close()
            stop_server(server)


def _report(what: str, seconds: list[float], bar: float) -> None:
    _line(f"{what}, median of {len(seconds)}", statistics.median(seconds), bar)
    print(f"  from {min(seconds):.2f} to {max(seconds):.2f} s; load {_load()}")


def _line(what: str, seconds: float, bar: float) -> None:
    print(f"{what}: {seconds:.2f} s, {seconds / bar:.2f} of the bar of {bar:.0f} s")


def _load() -> str:
    return "/".join(f"{one:.1f}" for one in os.getloadavg())


if __name__ == "__main__":
    main()
