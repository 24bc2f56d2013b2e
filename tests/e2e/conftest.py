"""A real server on real services, looked at with a real Chromium.

The browser is the one in FOLIO_CHROMIUM or the first of the usual names on PATH, of which the
headless shell is the lightest; without one these tests are skipped with a line that says so.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT, copy_library
from ui.web.serve import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, JSHandle, Page, Request

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever a page asks for elsewhere is noted (see `watch`) and found nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
START_S = 60
# Each process of the run has ports of its own: between a look at a free one and its use another
# could take it, and the tests would then talk to the wrong server.
FIRST_PORT = 18_501 + 50 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def find_chromium() -> str | None:
    wanted = os.environ.get("FOLIO_CHROMIUM")
    if wanted:
        return wanted if Path(wanted).is_file() else None
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = find_chromium()
    if found is None:
        pytest.skip("no Chromium or Chrome found; set FOLIO_CHROMIUM to run the browser tests")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    url: str
    log: Path
    process: subprocess.Popen[bytes]


def start_server(folder: Path, extra: dict[str, str] | None = None) -> Server:
    """`folio serve` on its own data folder, from another working directory."""
    port = free_port("127.0.0.1", FIRST_PORT)
    log = folder / "server.log"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FOLIO_")},
        "PYTHONPATH": str(ROOT),
        "FOLIO_STORE__RESERVE_MB": "16",
        "FOLIO_EMBED__FETCH_DEFAULT": "0",  # where there is a network, it would be gigabytes
        "OMP_NUM_THREADS": "1",
        **(extra or {}),
    }
    code = "import sys; from ui.cli import main; main()"
    arguments = ["serve", "--data-dir", str(folder / "data"), "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
        )
    url = f"http://127.0.0.1:{port}"
    _wait_until_ready(url, process, log)
    return Server(url=url, log=log, process=process)


def stop_server(server: Server) -> int:
    server.process.terminate()
    return server.process.wait(30)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START_S * 10):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("folio"))
    yield running
    stop_server(running)


@pytest.fixture(scope="session")
def sample_server(
    tmp_path_factory: pytest.TempPathFactory, chromium: str, sample_library: Path
) -> Iterator[Server]:
    """A server on the sample documents, for tests that add none and delete none."""
    folder = tmp_path_factory.mktemp("sample-server")
    copy_library(sample_library, folder / "data")
    running = start_server(folder)
    yield running
    stop_server(running)


@dataclass
class Watched:
    """A page, and what it must not do: reach out, or complain on its console."""

    page: Page
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def assert_clean(self) -> None:
        assert self.outside == []
        assert self.complaints == []


def watch(context: BrowserContext, url: str) -> Watched:
    """Note what the page, and every other tab of its browser, asks for and complains of."""
    watched = Watched(context.pages[0])

    def note(request: Request) -> None:
        # Not by a route: each request would wait for this process, and the cache be off.
        if not request.url.startswith((f"{url}/", "data:", "blob:")):
            watched.outside.append(request.url)

    own_socket = url.replace("http", "ws", 1) + "/"

    def listen(page: Page) -> None:
        page.on(
            "websocket",
            lambda s: None if s.url.startswith(own_socket) else watched.outside.append(s.url),
        )
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        page.on(
            "console",
            lambda m: (
                watched.complaints.append(f"{m.text} {m.location.get('url')}")
                if m.type == "error"
                else None
            ),
        )

    context.on("request", note)
    listen(watched.page)
    context.on("page", listen)
    return watched


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium a file of tests. Not a session's: its event loop would be in others' way."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    """Opens an address as a browser that was never here; what it did is checked at the end."""
    with watching(browser) as start:
        yield start


@contextmanager
def watching(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens pages that are watched until the end of the block, where what they did is checked."""
    opened: list[tuple[BrowserContext, Watched]] = []

    def start(url: str, *, width: int = 1440, scheme: Any = "light") -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        context.set_default_timeout(60_000)
        context.new_page()
        watched = watch(context, url)
        opened.append((context, watched))
        watched.page.goto(f"{url}/")
        watched.page.get_by_test_id("stChatInputTextArea").wait_for()
        return watched

    try:
        yield start
    finally:
        for context, _ in opened:
            context.close()
    for _, watched in opened:
        watched.assert_clean()


def transfer(page: Page, name: str, body: bytes, mime: str) -> JSHandle:
    """What a drag or a clipboard that holds this file hands over to the page."""
    return page.evaluate_handle(
        """([name, type, packed]) => { const moved = new DataTransfer();
        const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
        moved.items.add(new File([bytes], name, {type})); return moved; }""",
        [name, mime, base64.b64encode(body).decode()],
    )


def drop(page: Page, name: str, body: bytes, mime: str = "application/pdf") -> None:
    """Drop a file on the drop zone as a mouse would."""
    zone = page.get_by_test_id("stFileUploaderDropzone").first
    zone.wait_for()
    moved = transfer(page, name, body, mime)
    for kind in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(kind, {"dataTransfer": moved})


def ask(page: Page, question: str) -> None:
    """Ask as soon as the chat box is open, and wait for the whole answer."""
    before = page.locator("h2.f-q").count()
    start_asking(page, question)
    page.locator("h2.f-q").nth(before).wait_for()
    page.locator(".st-key-stop").wait_for(state="detached", timeout=90_000)


def start_asking(page: Page, question: str) -> None:
    """Put the question as soon as the chat box is open."""
    # Not wait_for_function: its polling needs eval, which our policy forbids.
    box = page.locator("[data-testid=stChatInputTextArea]:not([disabled])")
    box.wait_for(timeout=90_000)
    box.fill(question)
    box.press("Enter")


def settle(page: Page) -> None:
    """Wait until nothing is drawn: what is typed meanwhile may be lost, what is old is pale."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
