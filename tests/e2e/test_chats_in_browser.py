"""Kept conversations in a real browser: reload, restart, a server that dies, and deleting."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import copy_library
from tests.e2e.conftest import Server, ask, start_asking, start_server, stop_server
from tests.openai_server import ModelServer, Reply, Request, says

if TYPE_CHECKING:
    from playwright.sync_api import Page

QUESTION = "What was the availability of Row A in 2024?"
SAID = "The availability of Row A in 2024 was 90.4 % [1]."


def folder_with(library: Path, folder: Path) -> Path:
    copy_library(library, folder / "data")
    return folder


def marks(page: Page) -> list[str]:
    """Every mark of an answer and every card, with where it leads."""
    links = page.locator("a[href^='#cite-']").all()
    return [f"{link.inner_text()} {link.get_attribute('href')}" for link in links]


def both_done(page: Page) -> None:
    """Wait until two answers stand there whole."""
    page.get_by_role("button", name="What the model saw").nth(1).wait_for()


def picture_count(page: Page) -> int:
    page.wait_for_timeout(500)
    return page.locator("[class*=st-key-plate-] img").count()


def worker_of(server: Server) -> int:
    """The process that serves, a child of the one that watches over it."""
    pid = server.process.pid
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.is_file():
        pytest.skip("the children of a process cannot be listed here")
    return int(listed.read_text(encoding="ascii").split()[0])


def await_server(server: Server) -> None:
    """Wait until the server that was started anew answers."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{server.url}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server did not come back")


@pytest.mark.soak
def test_an_answer_stays_the_same_over_reload_and_restart_until_it_is_deleted(
    sample_library: Path, tmp_path: Path, open_page: Any
) -> None:
    folder = folder_with(sample_library, tmp_path / "server")
    server = start_server(folder)
    try:
        page = open_page(server.url).page
        ask(page, QUESTION)
        ask(page, "and of Row C?")
        page.get_by_text("Searched for: What was the availability of Row C").wait_for()
        both_done(page)
        before, pictures, path = marks(page), picture_count(page), page.url.split("/", 3)[3]
        visitor = page.context.cookies()
        page.reload()
        both_done(page)
        assert marks(page) == before
        assert picture_count(page) == pictures > 0
        page.goto("about:blank")  # a page that loses its server complains
    finally:
        stop_server(server)

    again = start_server(folder)
    try:
        page = open_page(again.url).page
        assert page.locator(".st-key-recent").count() == 0, "another browser is another visitor"
        page.context.add_cookies(visitor)
        page.goto(f"{again.url}/{path}")
        both_done(page)
        assert marks(page) == before
        assert picture_count(page) == pictures
        page.locator("a.f-card").first.click()
        page.get_by_role("dialog").locator("img").first.wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        page.get_by_role("button", name=f"Delete {QUESTION}").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        page.locator(".st-key-recent").wait_for(state="detached")
        assert page.locator("h2.f-q").count() == 0
        assert "chat=" not in page.url
        page.goto("about:blank")
    finally:
        stop_server(again)


@pytest.mark.soak
def test_what_came_before_the_server_died_is_kept(
    sample_library: Path, tmp_path: Path, open_page: Any
) -> None:
    def reply(_request: Request) -> Reply:
        return says(SAID, *[" And more."] * 400, pause_s=0.1)

    with ModelServer(reply) as model:
        extra = {"FOLIO_LLM__MODEL": "openai/test", "FOLIO_LLM__API_BASE": model.base_url}
        server = start_server(folder_with(sample_library, tmp_path / "server"), extra)
        try:
            page = open_page(server.url).page
            start_asking(page, QUESTION)
            page.locator("[class*=st-key-words-]").get_by_text("And more. And more.").wait_for()
            page.wait_for_timeout(1500)  # kept about once a second
            address = page.url
            page.goto("about:blank")

            os.kill(worker_of(server), signal.SIGKILL)

            await_server(server)
            page.goto(address)
            page.get_by_text("Folio ended before this answer did.").wait_for()
            words = page.locator("[class*=st-key-words-]").inner_text()
            assert words.startswith("The availability")
            page.locator("a.f-card").first.wait_for()
            page.get_by_role("button", name="Try again").wait_for()
            page.goto("about:blank")
        finally:
            stop_server(server)
