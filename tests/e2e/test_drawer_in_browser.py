"""The source drawer as a reader uses it: by mouse, by keyboard, on a narrow screen.

One server and one page of the browser for all steps of a test; the documents are small.
"""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.builders import PageSpec, make_html, make_pdf
from tests.e2e.conftest import Server, ask, drop, watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Locator, Page

    from tests.e2e.conftest import Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

BOATS = "Boats need nets, and nets need mending in winter by the stove of the net loft."
LAMP = (
    "The lighthouse of Sandhaven was built in 1871 by the engineer Ida Falk. Its keeper counted "
    "ships all night. Its lamp burned rape oil until 1904."
)
HORN = "The fog horn of the lighthouse of Sandhaven was built in 1888 by the smith Per Dahl."
QUESTION = "Who built the lighthouse of Sandhaven?"


def _handbook() -> bytes:
    pages = (("1 Boats", BOATS), ("2 Light", LAMP), ("3 Sound", HORN))
    return make_pdf(
        [
            PageSpec(
                lines=[
                    (90, 20, heading),
                    *((130 + 15 * n, 11, line) for n, line in enumerate(textwrap.wrap(words, 80))),
                ]
            )
            for heading, words in pages
        ]
    )


@pytest.fixture(scope="module")
def read_server(server: Server, browser: Browser) -> Server:
    """The handbook and a web page are read."""
    body = f"<main><h1>Harbour</h1><p>{BOATS}</p><p>{LAMP.replace('1871', '1871 AD')}</p></main>"
    with watching(browser) as start:
        page = start(server.url).page
        drop(page, "sandhaven.pdf", _handbook())
        page.locator('[class*="st-key-doc-"]', has_text="sandhaven.pdf").first.wait_for()
        drop(page, "harbour.html", make_html(body), "text/html")
        page.locator('[class*="st-key-doc-"]', has_text="harbour.html").first.wait_for()
    return server


def _picture(page: Page) -> bytes:
    picture = page.locator(".st-key-picture img")
    picture.wait_for()
    return page.request.get(picture.get_attribute("src") or "").body()


def _marked(png: bytes) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Pixels of the marker, and the size of the picture."""
    from PIL import Image

    from ui.boxes import MARKER

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    places = [
        (x, y)
        for x in range(0, picture.width, 2)
        for y in range(0, picture.height, 2)
        if picture.getpixel((x, y)) == MARKER
    ]
    return places, picture.size


def _card(page: Page, name: str) -> Locator:
    return page.locator(".f-card", has_text=name).first


def test_the_drawer_by_mouse_marks_the_words_and_turns_pages(
    read_server: Server, open_page: Opener
) -> None:
    page = open_page(read_server.url).page
    ask(page, QUESTION)

    _card(page, "sandhaven.pdf, p. 2").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("sandhaven.pdf, page 2 of 3").wait_for()

    places, (width, _) = _marked(_picture(page))
    scale = width / 595
    assert len(places) > 200
    assert all(70 * scale < x < 540 * scale for x, _ in places)
    assert all(116 * scale < y < 165 * scale for _, y in places), "in the region, none elsewhere"

    drawer.get_by_role("button", name="Page 3").click()
    drawer.get_by_text("Page 3 of 3").wait_for()
    page.locator('.st-key-picture img[alt="Page 3 of sandhaven.pdf"]').wait_for()
    assert _marked(_picture(page))[0] == [], "a page beside the cited one has no marks"
    assert drawer.get_by_role("button", name="End").is_disabled()
    drawer.get_by_role("button", name="Page 2, cited").click()
    drawer.get_by_text("Page 2 of 3, cited").wait_for()

    drawer.get_by_text("Crop", exact=True).click()
    page.locator('.st-key-picture img:not([alt*="marked"])').wait_for()
    assert len(_marked(_picture(page))[0]) > 200, "the words are marked in the crop as well"
    page.keyboard.press("Escape")
    drawer.wait_for(state="detached")

    _card(page, "harbour.html").click()
    marks = page.locator(".st-key-reader mark")
    marks.first.wait_for()
    assert "built in 1871 AD by the engineer Ida Falk" in " ".join(marks.all_inner_texts())
    assert BOATS not in " ".join(marks.all_inner_texts())


def test_the_drawer_by_keyboard_goes_through_the_sources_and_gives_the_focus_back(
    read_server: Server, open_page: Opener
) -> None:
    page = open_page(read_server.url).page
    ask(page, QUESTION)
    link = page.locator('a[href^="#cite-"]').first
    target = link.get_attribute("href")
    link.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("1 of 3", exact=True).wait_for()
    assert drawer.get_by_role("button", name="Previous").is_disabled()

    drawer.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    drawer.get_by_text("2 of 3", exact=True).wait_for()
    focused = page.evaluate("document.activeElement.innerText")
    assert "Next" in focused, "the focus stays on the button"
    page.keyboard.press("Enter")
    drawer.get_by_text("3 of 3", exact=True).wait_for()
    page.locator("[role=dialog]:focus").wait_for()  # the button is switched off
    drawer.get_by_role("button", name="Previous").focus()
    page.keyboard.press("Enter")
    drawer.get_by_text("2 of 3", exact=True).wait_for()

    page.keyboard.press("Escape")
    drawer.wait_for(state="detached")
    back = page.locator(f'a[href="{target}"]:focus')
    back.first.wait_for()
    assert back.count() == 1, "and goes back to the citation"


def test_the_drawer_fits_a_narrow_screen_and_is_dark_with_it(
    read_server: Server, open_page: Opener
) -> None:
    page = open_page(read_server.url, width=390, scheme="dark").page
    ask(page, QUESTION)
    _card(page, "sandhaven.pdf, p. 2").click()
    _picture(page)

    drawer = page.get_by_role("dialog")
    for button in drawer.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 24, button.evaluate("e => e.outerHTML")[:200]
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    words = drawer.locator(".f-quote").evaluate("e => getComputedStyle(e).color")
    assert int(words.split("(")[1].split(",")[0]) > 128
