"""Every page in light and dark and on a phone: axe, headings, names, focus, width, motion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.axe import faults, oversights
from tests.e2e.conftest import ask, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.e2e.conftest import Server, Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

QUESTION = "What was the availability of Row A in 2024?"
# The red of what is seen behind an element, 0 to 255.
BACKGROUND = """e => {
    while (e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;
    return Number(getComputedStyle(e).backgroundColor.match(/[0-9.]+/)[0]);
}"""
# What has the focus: name, element, and whether a ring is drawn round it or its mark.
FOCUSED = """() => {
    const e = document.activeElement;
    const name = (e.getAttribute('aria-label') || e.innerText || '').trim();
    return [name, e.tagName, [e, ...(e.closest('label')?.children ?? [])].some(part => {
        const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(part);
        return (outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none';
    })];
}"""
CHAT_BOX = "Ask about your documents"
STOPS = 40  # of the Tab key, at most, from the top of the page to the chat box


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    page.locator("h1", has_text=re.compile(r"\S")).first.wait_for(state="attached")
    # What is left of the page before fades out.
    page.locator("h2.f-q").first.wait_for(state="detached")


def screens(page: Page) -> Iterator[str]:
    """Each screen in turn; named when it stands there."""
    page.get_by_text("Questions to try").wait_for()
    yield "ask"
    ask(page, QUESTION)
    page.locator("a.f-card").first.wait_for()
    page.locator("[role=status]", has_text="Answer ready").wait_for(state="attached")
    yield "answer"
    page.locator("a.f-card").first.click()
    drawer = page.get_by_role("dialog")
    drawer.locator("img").first.wait_for()
    yield "drawer"
    page.keyboard.press("Escape")
    drawer.wait_for(state="detached")
    page.get_by_role("button", name=f"Delete {QUESTION}").click()
    drawer.get_by_role("button", name="Keep").wait_for()
    yield "dialog"
    page.keyboard.press("Escape")
    drawer.wait_for(state="detached")
    go(page, "Documents")
    page.locator(".st-key-files canvas").first.wait_for()
    yield "documents"
    go(page, "Inspect")
    box = page.get_by_placeholder("Search your documents")
    box.fill(QUESTION)
    box.press("Enter")
    page.locator(".f-hit").first.wait_for()
    yield "inspect"
    go(page, "Models")
    page.locator("[class*=st-key-model-]").first.wait_for()
    yield "models"
    go(page, "Test")
    page.get_by_role("button", name="Run").wait_for()
    yield "test"
    go(page, "About")
    page.get_by_text("MPL").or_(page.get_by_text("AGPL")).first.wait_for()
    yield "about"


def in_scheme(page: Page, scheme: str) -> None:
    """The same page in the other colours; without a reload, as a browser at dusk does it."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    probe = "getComputedStyle(document.documentElement).colorScheme"
    for _ in range(100):
        if page.evaluate(probe) == scheme:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"the page did not turn {scheme}")


def test_no_page_shuts_anybody_out(sample_server: Server, open_page: Opener) -> None:
    page = open_page(sample_server.url).page
    page.emulate_media(reduced_motion="reduce")  # nothing is measured half way to a colour

    found: dict[str, list[str]] = {}
    for name in screens(page):
        settle(page)
        found[name] = [*faults(page), *oversights(page)]
        app = page.get_by_test_id("stApp")
        assert app.evaluate(BACKGROUND) >= 80
        in_scheme(page, "dark")
        assert app.evaluate(BACKGROUND) < 80
        found[f"{name}, dark"] = faults(page, "color-contrast", "link-in-text-block")
        in_scheme(page, "light")

    wrong = [f"{name}: {one}" for name, several in found.items() for one in several]
    assert not wrong, "\n".join(wrong)


def test_on_a_phone_nothing_is_lost(sample_server: Server, open_page: Opener) -> None:
    page = open_page(sample_server.url, width=390).page
    page.emulate_media(reduced_motion="reduce")
    page.get_by_text("Questions to try").wait_for()
    page.get_by_test_id("stExpandSidebarButton").wait_for()  # the library starts closed
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = page.evaluate("!!document.activeElement.closest('[data-testid=stSidebar]')")
        assert not inside, "Tab stops in a library that is closed"
    wrong = oversights(page)
    ask(page, QUESTION)
    page.locator("a.f-card").first.wait_for()
    wrong += [*faults(page), *oversights(page)]
    page.locator("a.f-card").first.click()
    page.get_by_role("dialog").locator("img").first.wait_for()
    wrong += [*faults(page), *oversights(page)]

    assert not wrong, "\n".join(wrong)


def test_the_chat_box_is_reached_by_tab_and_every_stop_can_be_seen(
    sample_server: Server, open_page: Opener
) -> None:
    page = open_page(sample_server.url).page
    page.emulate_media(reduced_motion="reduce")
    page.get_by_text("Questions to try").wait_for()

    stops: list[str] = []
    unseen: list[str] = []
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        name, tag, has_ring = page.evaluate(FOCUSED)
        stops.append(name)
        if name.startswith(CHAT_BOX):
            break
        if tag not in ("MAIN", "BODY") and not has_ring:
            unseen.append(name)

    assert stops[0] == "Skip to main content"
    assert stops[-1].startswith(CHAT_BOX), stops
    assert not unseen
    assert [name for name in stops if "\\" in name] == [], "names are read out as they are shown"


def test_dialogs_are_dark_and_nothing_moves_where_that_is_asked_for(
    sample_server: Server, open_page: Opener
) -> None:
    page = open_page(sample_server.url, scheme="dark").page
    page.emulate_media(reduced_motion="reduce")
    ask(page, QUESTION)
    page.locator("a.f-card").first.click()
    drawer = page.get_by_role("dialog")
    drawer.locator("img").first.wait_for()

    for part in (drawer, drawer.locator("blockquote, table").first):
        red = part.evaluate(BACKGROUND)
        assert red < 80, "light-dark() follows the root, not the app element"
    moving = page.evaluate("""() => [...document.querySelectorAll('*')].filter(e => {
        const {transitionDuration, transitionProperty, animationName} = getComputedStyle(e);
        return animationName !== 'none'
            || (transitionProperty !== 'none' && parseFloat(transitionDuration) > 0);
    }).map(e => e.outerHTML.slice(0, 100))""")
    assert moving == []
