"""An exported chat in a real browser: downloaded from the app, opened offline, read, printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymupdf
import pytest

from tests.conftest import copy_library
from tests.e2e.axe import faults, oversights
from tests.e2e.conftest import FLAGS, ask, start_server, stop_server, watch
from tests.test_export_html import ACTIVE, services_with, turn_of
from tests.ui.scripted import make_answer, make_document, make_hit
from ui.export.make import make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

QUESTION = "What was the availability of Row A in 2024?"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield opened
        opened.close()


class Opened:
    """A file in a browser without a network, and what it tried."""

    def __init__(self, browser: Browser, path: Path, *, width: int, scheme: Any) -> None:
        self.tried: list[str] = []
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, offline=True)  # type: ignore[arg-type]
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.tried.append(request.url))
        self.page.on("console", lambda message: self.tried.append(message.text))
        self.page.on("pageerror", lambda error: self.tried.append(str(error)))
        self.page.on("dialog", lambda dialog: self.tried.append(dialog.message))
        self.page.goto(path.as_uri())

    def outside(self) -> list[str]:
        """Requests beside the file and its own pictures, messages of the console, dialogs."""
        return [one for one in self.tried if not one.startswith(("file:", "data:image/"))]

    def is_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def download(page: Page, name: str, folder: Path) -> Path:
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as started:
        page.get_by_role("button", name=name).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    page.keyboard.press("Escape")
    return path


def test_a_chat_is_downloaded_opened_offline_followed_and_printed(
    sample_library: Path, tmp_path: Path, browser: Browser
) -> None:
    copy_library(sample_library, tmp_path / "server" / "data")
    server = start_server(tmp_path / "server")
    try:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(60_000)
        context.new_page()
        watched = watch(context, server.url)
        watched.page.goto(f"{server.url}/")
        ask(watched.page, QUESTION)
        saved = download(watched.page, "Web page (HTML)", tmp_path)
        text = download(watched.page, "Markdown", tmp_path)
        context.close()
    finally:
        stop_server(server)
    watched.assert_clean()
    assert saved.name.startswith("folio-what-was-the-availability-of-row-a-in-2024-")
    assert f"## {QUESTION}" in text.read_text(encoding="utf-8")

    opened = Opened(browser, saved, width=390, scheme="dark")
    page = opened.page
    page.get_by_role("heading", level=2, name=QUESTION).wait_for()
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert not opened.is_wide()
    mark = page.get_by_role("link", name="Source 1").first
    mark.click()
    assert page.url.endswith("#s-1-1")
    page.locator("#s-1-1").get_by_role("link", name="with the place marked").first.click()
    assert page.evaluate("document.querySelector(':target').getBoundingClientRect().top < 900")
    assert opened.outside() == []
    assert faults(page) == []
    assert oversights(page) == []

    with pymupdf.open(stream=page.pdf(format="A4"), filetype="pdf") as printed:
        assert len(printed) > 1
        words = " ".join(" ".join(str(sheet.get_text()) for sheet in printed).split())
        assert QUESTION in words
        assert "About this file" in words
        # Paper is white, also for who reads in the dark.
        corner = printed[0].get_pixmap(dpi=20).pixel(2, 2)
        assert corner == (255, 255, 255)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_words_do_nothing_and_fit_a_narrow_page(
    tmp_path: Path, browser: Browser, scheme: str
) -> None:
    turns = []
    documents = [make_document(f"{text[:250]}.pdf") for text in ACTIVE]
    for text, document in zip(ACTIVE, documents, strict=True):
        hits = [
            make_hit(document, text=text, heading=(text,), page=None),
            make_hit(document, "table", f"| {text} | b |\n|---|---|\n| {text} | 2 |", page=None),
        ]
        answer = make_answer(text, f"{text} [1]\n\n```\n{text}\n```\n\n| {text} |\n|---|", hits)
        turns.append(turn_of(answer, failure=text))
    services, chat_id = services_with(*turns, library=documents)
    path = tmp_path / "hostile.html"
    path.write_bytes(make(services, chat_id, "html"))  # type: ignore[arg-type]

    opened = Opened(browser, path, width=390, scheme=scheme)

    opened.page.wait_for_timeout(300)  # time for what must not happen
    assert opened.outside() == []
    assert not opened.is_wide()
    assert faults(opened.page) == []
    assert opened.page.locator("article.turn").count() == len(ACTIVE)
