"""The Documents page with mouse and keyboard: choose, look, hide a figure, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import make_html, make_paper
from tests.e2e.conftest import drop, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.e2e.conftest import Server, Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

BODY = "<main><h1>Harbour</h1><p>The harbour of Elmouth has seven cranes and a ferry.</p></main>"


def test_a_report_shows_pages_and_a_figure_can_be_hidden(server: Server, open_page: Opener) -> None:
    page = open_page(server.url).page
    drop(page, "paper.pdf", make_paper())
    page.locator('[class*="st-key-doc-"]', has_text="1 page, 1 figure").first.wait_for()
    drop(page, "elmouth.html", make_html(BODY), "text/html")
    page.locator('[class*="st-key-doc-"]', has_text="elmouth.html").first.wait_for()
    page.get_by_role("link", name="Documents", exact=True).click()

    _choose_by_mouse(page)
    thumbnail = page.get_by_role("img", name="Page 1 of paper.pdf: 1 figure, 1 table")
    thumbnail.wait_for()
    assert thumbnail.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 400
    page.get_by_role("img", name="Figure 1. Height of plant").wait_for()

    page.get_by_role("button", name="Hide from search").press("Enter")
    page.get_by_text("1 of 1 hidden from search").wait_for()
    assert page.locator("[role=status]", has_text="is hidden from search").count() == 1
    page.get_by_role("button", name="Show again").wait_for()

    _choose_by_keyboard(page, "elmouth")
    page.locator("h2.f-doc", has_text="elmouth.html").wait_for()
    assert page.get_by_role("img", name="Page 1 of").count() == 0

    _choose_by_keyboard(page, "paper")
    chosen = page.locator('[class*="st-key-file-"]', has_text="paper.pdf").first
    chosen.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("0 vectors, 0 entries and 0 files of it are left here.").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _choose_by_mouse(page: Page) -> None:
    """The second row: the table is drawn on a canvas."""
    page.locator("h2.f-doc", has_text="elmouth.html").wait_for()
    settle(page)
    box = page.locator('[class*="st-key-files-"] canvas').first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 38 + 40 + 20)
    page.locator("h2.f-doc", has_text="paper.pdf").wait_for()


def _choose_by_keyboard(page: Page, word: str) -> None:
    settle(page)
    page.get_by_role("combobox", name="Go to a document").focus()
    page.keyboard.type(word)
    page.get_by_role("option", name=word).wait_for()
    page.keyboard.press("Enter")
    page.locator("h2.f-doc", has_text=word).wait_for()
