"""Takes the pictures of the pages that the documentation shows: `make screenshots`.

A server of its own on an empty data folder, the sample documents, a real browser; no language
model, so answers are quotes. Whatever stands in the pictures is what Folio did.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ui.web.serve import free_port  # noqa: E402 - the root must be known first

if TYPE_CHECKING:
    from playwright.sync_api import Page

Scheme = Literal["light", "dark"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START_S, READ_S, TRIAL_S = 60, 300, 400
SIZE, PHONE = (1440, 900), (390, 844)
QUESTION = "How did the energy sent ashore change from year to year?"
DETAILED = "annual-report-2024.pdf"
COLOURS = 256


def main(arguments: list[str] | None = None) -> int:
    """Take all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", nargs="*", default=[], metavar="SCREEN")
    parser.add_argument("--no-test", action="store_true", help="skip the run of the Test page")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder)) as url:
        taken = _take(url, options.out, set(options.only), with_test=not options.no_test)
    size_kb = sum(path.stat().st_size for path in taken) // 1000
    sys.stdout.write(f"{len(taken)} pictures, {size_kb:,} kB, in {options.out}\n")
    return 0


def _take(url: str, out: Path, only: set[str], *, with_test: bool) -> list[Path]:
    from playwright.sync_api import sync_playwright

    taken: list[Path] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_browser(), args=FLAGS)

        def open_page(scheme: Scheme, size: tuple[int, int]) -> Page:
            viewport = {"width": size[0], "height": size[1]}
            context = browser.new_context(
                viewport=viewport,  # type: ignore[arg-type]
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            context.set_default_timeout(60_000)
            page = context.new_page()
            page.goto(url)
            page.locator("h1").first.wait_for(state="attached")
            return page

        def shoot(page: Page, name: str) -> None:
            if only and name.rsplit("-", 1)[0] not in only:
                return
            _settle(page)
            taken.append(_small(page.screenshot(), out / f"{name}.png"))

        for scheme in ("light", "dark"):
            page = open_page(scheme, SIZE)
            shoot(page, f"empty-{scheme}")
            page.context.close()
        _read_sample(open_page("light", SIZE))
        for scheme in ("light", "dark"):
            page = open_page(scheme, SIZE)
            for name in _screens(page, with_test=with_test):
                shoot(page, f"{name}-{scheme}")
            page.context.close()
            phone = open_page(scheme, PHONE)
            _ask(phone, QUESTION)
            shoot(phone, f"phone-{scheme}")
            phone.context.close()
        browser.close()
    return taken


def _screens(page: Page, *, with_test: bool) -> Iterator[str]:
    """Each screen in turn; the name of one is given when it stands there."""
    page.get_by_text("Questions to try").wait_for()
    yield "start"
    _ask(page, QUESTION)
    yield "answer"
    page.locator("a.f-card").first.click()
    page.get_by_role("dialog").locator("img").first.wait_for()
    yield "drawer"
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    _go(page, "Documents")
    yield "documents"
    _open_details(page)
    yield "coverage"
    _go(page, "Inspect")
    box = page.get_by_placeholder("Search your documents")
    box.fill(QUESTION)
    box.press("Enter")
    page.locator(".f-hit").first.wait_for()
    yield "inspect"
    _go(page, "Models")
    yield "models"
    _go(page, "Test")
    if with_test and page.get_by_role("button", name="Run").count():
        if not page.get_by_text("Search models side by side").count():
            page.get_by_role("button", name="Run").click()
        page.get_by_text("Search models side by side").wait_for(timeout=TRIAL_S * 1000)
    yield "test"
    _go(page, "About")
    yield "about"


def _open_details(page: Page) -> None:
    """What was seen in one document, where the Documents page shows it."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.get_by_role("combobox", name="Go to a document").focus()
    page.keyboard.type(DETAILED)
    page.get_by_role("option", name=DETAILED).wait_for()
    page.keyboard.press("Enter")
    chosen = page.locator("h2.f-doc", has_text=DETAILED)
    chosen.wait_for()
    page.locator(".st-key-thumbs img").first.wait_for()
    chosen.evaluate("e => e.scrollIntoView({block: 'start'})")


def _ask(page: Page, question: str) -> None:
    box = page.locator("[data-testid=stChatInputTextArea]:not([disabled])")
    box.wait_for()
    box.fill(question)
    box.press("Enter")
    page.locator("a.f-card").first.wait_for()
    page.locator(".st-key-stop").wait_for(state="detached")


def _go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    page.locator("h2.f-q").first.wait_for(state="detached")
    page.locator("h1").first.wait_for(state="attached")


def _read_sample(page: Page) -> None:
    page.get_by_role("button", name="Use the sample documents").click()
    page.get_by_text("Questions to try").wait_for(timeout=READ_S * 1000)
    page.locator('[class*="st-key-job-"]').first.wait_for(state="detached", timeout=READ_S * 1000)
    page.context.close()


def _settle(page: Page) -> None:
    """Wait until pictures are there and nothing runs; the focus is nobody's."""
    page.wait_for_timeout(1_500)
    page.evaluate("Promise.all([...document.images].map(i => i.decode().catch(() => 0)))")
    page.evaluate("document.activeElement?.blur()")


def _small(png: bytes, path: Path) -> Path:
    """Flat colours and text lose nothing in 256 colours, and two thirds of the bytes."""
    import io

    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    port = free_port("127.0.0.1", 18_901)
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment = {
        **{name: value for name, value in kept.items() if not name.startswith("FOLIO_")},
        "PYTHONPATH": str(ROOT),
        "FOLIO_EMBED__FETCH_DEFAULT": "0",
        "OLLAMA_HOST": "127.0.0.1:9",  # nothing listens there: no model answers
    }
    code = "from ui.cli import main; main()"
    command = ["serve", "--data-dir", str(folder / "data"), "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", code, *command],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
        )
    try:
        _await(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _await(url: str) -> None:
    for _ in range(START_S * 10):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("The server did not start.")


def _browser() -> str:
    named = os.environ.get("FOLIO_CHROMIUM")
    found = named or next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if not found:
        sys.exit("No Chromium or Chrome was found; name one in FOLIO_CHROMIUM.")
    return found


if __name__ == "__main__":
    sys.exit(main())
