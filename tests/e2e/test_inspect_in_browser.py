"""The Inspect page with a mouse: search, plain order, a result opened at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import make_html, make_paper
from tests.e2e.conftest import drop

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Server, Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

BODY = "<main><h1>Harbour</h1><p>The harbour of Elmouth has seven cranes and a ferry.</p></main>"


def test_a_result_shows_its_bars_and_opens_at_its_place(server: Server, open_page: Opener) -> None:
    page = open_page(server.url).page
    drop(page, "paper.pdf", make_paper())
    page.locator('[class*="st-key-doc-"]', has_text="1 page, 1 figure").first.wait_for()
    drop(page, "elmouth.html", make_html(BODY), "text/html")
    page.locator('[class*="st-key-doc-"]', has_text="elmouth.html").first.wait_for()
    page.get_by_role("link", name="Inspect").first.click()
    box = page.get_by_placeholder("Search your documents")
    box.fill("How tall is the plant in Figure 1?")
    box.press("Enter")

    first = page.locator(".f-hit").first
    first.get_by_text("Figure 1. Height of plant").first.wait_for()
    first.get_by_text("Put first, the question names it").wait_for()
    drawn = page.locator(".f-thumb img, .f-legs img, .f-spread img")
    assert drawn.count() >= 4
    for number in range(drawn.count()):  # the policy let each one through, and it decodes
        assert drawn.nth(number).evaluate("picture => picture.decode().then(() => true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    first.locator("a").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("paper.pdf, page 1").first.wait_for()
    dialog.locator(".st-key-picture img").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")

    page.get_by_text("Plain order").first.click()
    page.get_by_text("in plain order").wait_for()
    page.get_by_text("ours 1").wait_for()


def test_on_a_phone_nothing_scrolls_sideways(server: Server, open_page: Opener) -> None:
    opened = open_page(server.url, width=390)
    page = opened.page
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Inspect").first.click()
    page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    box = page.get_by_placeholder("Search your documents")
    box.fill("cranes of the harbour")
    box.press("Enter")
    page.locator(".f-hit").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".f-spread img").first.wait_for()
