"""What a visitor is shown while things go right, slowly or wrong; two servers for all of it."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import make_html
from tests.conftest import copy_library
from tests.e2e.axe import oversights
from tests.e2e.conftest import Server, ask, drop, start_asking, start_server, stop_server
from tests.openai_server import ModelServer, Reply, Request, refuses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page, WebSocketRoute

    from tests.e2e.conftest import Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

SLOW = "What was the availability of Row A in 2024?"
DOWN = "What was the availability of Row B in 2024, please?"  # the model stumbles over "please"
NOT_THERE = "Who is the patron saint of beekeepers in Andalusia?"
OPENERS = r"\.launch\w*\(|\.new_context\("
ENOUGH = threading.Event()
START, END = "The availability of Row A was 90.4 % [1].", "That was all."
HOSTILE = (
    "![x](a.png).html",
    "<img src=http:¦¦127.0.0.1:9¦b onerror=alert(1)>.html",
    ":red[verified] **bold** $a$.html",
    "\u202egnp.elif.html",
)


def _reply(request: Request) -> Reply:
    asked = str(request.body["messages"][-1]["content"])
    if "please" in asked:
        return refuses(503, "The model is overloaded.")
    return Reply(pieces=_until_asked_to_end())


def _until_asked_to_end() -> Iterator[str]:
    """An answer that grows until `until_done`, however slow the machine is."""
    ENOUGH.clear()
    yield START
    for _ in range(400):
        yield " And more."
        if ENOUGH.wait(0.15):
            break
    yield f" {END}"


@pytest.fixture(scope="module")
def answering(
    tmp_path_factory: pytest.TempPathFactory, chromium: str, sample_library: Path
) -> Iterator[Server]:
    """The sample documents, and a model that goes on until it is enough, or is overloaded."""
    folder = tmp_path_factory.mktemp("answering")
    copy_library(sample_library, folder / "data")
    with ModelServer(_reply) as model:
        extra = {
            "FOLIO_LLM__MODEL": "openai/test",
            "FOLIO_LLM__API_BASE": model.base_url,
            "FOLIO_LLM__API_KEY": "test",
        }
        running = start_server(folder, extra)
        yield running
        stop_server(running)


def words(page: Page) -> str:
    return page.locator("[class*=st-key-words-]").last.inner_text()


def until_streaming(page: Page) -> None:
    page.locator("[class*=st-key-words-]").get_by_text("And more.").wait_for()
    assert page.locator(".st-key-stop").count() == 1, "it is still being written"


def until_done(page: Page) -> None:
    ENOUGH.set()
    page.get_by_role("button", name="What the model saw").wait_for()


def test_the_first_screen_says_what_to_do_and_fits(server: Server, open_page: Opener) -> None:
    page = open_page(server.url).page
    page.get_by_role("heading", level=1, name="Ask your documents").wait_for()

    assert page.locator("h1").count() == 1
    page.locator(".st-key-drop [data-testid=stFileUploaderDropzone]").first.wait_for()
    page.get_by_role("button", name="Use the sample documents").wait_for()
    assert page.get_by_test_id("stChatInputTextArea").is_disabled()
    page.get_by_text("Add a document to start asking").wait_for()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("e => e.scrollHeight <= e.clientHeight"), "it fits 900 pixels"


def test_hostile_and_long_names_are_plain_words_everywhere(
    server: Server, open_page: Opener
) -> None:
    page = open_page(server.url).page
    long = "long " * 49 + ".html"
    names = [*HOSTILE, long]
    for number, name in enumerate(names):
        body = f"<main><h1>Harbour {number}</h1><p>Harbour {number} has {number} cranes.</p></main>"
        drop(page, name, make_html(body), "text/html")
        page.locator('[class*="st-key-doc-"]').nth(number).wait_for()
    page.get_by_role("link", name="Documents", exact=True).first.click()
    page.locator(".st-key-files canvas").first.wait_for()

    shown = page.get_by_test_id("stSidebar").inner_text().replace("\ufeff", "")
    for name in ("![x](a.png).html", ":red[verified] **bold** $a$.html", "<img src="):
        assert name in shown
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert oversights(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Ask", exact=True).first.click()
    ask(page, "How many cranes has the harbour?")
    page.locator("a.f-card").first.wait_for()
    assert page.locator("img[src*='127.0.0.1:9'], [onerror]").count() == 0


def test_an_answer_grows_is_stopped_by_keyboard_and_kept(
    answering: Server, open_page: Opener
) -> None:
    page = open_page(answering.url).page
    start_asking(page, SLOW)
    status = page.locator("[role=status]")
    status.get_by_text("Answering").wait_for(state="attached")
    until_streaming(page)
    first = words(page)
    page.wait_for_timeout(700)
    assert len(words(page)) > len(first)

    page.locator(".st-key-stop button").focus()
    page.keyboard.press("Enter")
    page.get_by_text("You stopped this answer.").first.wait_for()

    assert words(page).startswith("The availability")
    assert END not in words(page)
    assert page.locator("a.f-card").count() > 0
    page.get_by_role("button", name="Try again").wait_for()
    assert "stopped" in status.first.inner_text()


def test_two_tabs_of_one_chat_do_not_disturb_each_other(
    answering: Server, open_page: Opener
) -> None:
    page = open_page(answering.url).page
    start_asking(page, SLOW)
    until_streaming(page)
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("[class*=st-key-words-]").get_by_text("And more.").wait_for()

    other.locator('[class*="st-key-doc-"] label').first.click()
    other.get_by_text("Searching 6 of 7 documents").wait_for()
    other.get_by_role("link", name="Documents", exact=True).first.click()
    other.get_by_role("heading", level=1, name="Documents").wait_for()

    until_done(page)
    assert END in words(page)
    page.get_by_text("Searching 7 documents").wait_for()  # ticks are a tab's own
    other.goto(page.url)
    until_done(other)
    assert words(other) == words(page)


def test_a_reload_in_mid_answer_goes_on_with_it(answering: Server, open_page: Opener) -> None:
    page = open_page(answering.url).page
    start_asking(page, SLOW)
    until_streaming(page)
    page.reload()
    until_streaming(page)
    until_done(page)

    assert END in words(page)
    assert page.locator("h2.f-q").count() == 1
    assert page.locator("[class*=st-key-recent-]").count() == 1


def test_a_cut_connection_comes_back_to_the_same_answer(
    answering: Server, open_page: Opener
) -> None:
    watched = open_page(answering.url)
    page, sockets = watched.page, []

    def keep(socket: WebSocketRoute) -> None:
        sockets.append((socket, socket.connect_to_server()))

    page.context.route_web_socket("**/_stcore/stream", keep)
    page.reload()
    page.get_by_text("Questions to try").wait_for()
    start_asking(page, SLOW)
    until_streaming(page)
    for end in sockets[-1]:
        end.close()
    before = len(sockets)
    until_done(page)

    assert len(sockets) > before, "the page has opened another connection"
    assert END in words(page)
    start_asking(page, DOWN)
    page.locator("h2.f-q").nth(1).wait_for()
    watched.complaints[:] = [one for one in watched.complaints if "disconnected" not in one]


def test_a_model_that_is_down_leaves_what_was_found(answering: Server, open_page: Opener) -> None:
    page = open_page(answering.url).page
    ask(page, DOWN)

    page.get_by_text("The language model did not answer").first.wait_for()
    page.locator("a.f-card").first.wait_for()
    assert page.locator(".f-quote, .f-said").count() > 0
    page.get_by_role("button", name="Try again").wait_for()
    assert page.get_by_text("Traceback").count() == 0


def test_what_is_not_there_is_said_calmly_with_what_is_closest(
    server: Server, open_page: Opener
) -> None:
    page = open_page(server.url).page
    ask(page, NOT_THERE)

    page.locator(".f-badge", has_text="No answer in these documents").wait_for()
    page.get_by_role("heading", name="Closest passages").wait_for()
    assert page.locator(".f-note.f-err").count() == 0


def test_ticks_limit_the_question(answering: Server, open_page: Opener) -> None:
    page = open_page(answering.url).page
    rows = page.locator('[class*="st-key-doc-"] label')
    rows.first.wait_for()
    kept = "safety-bulletin-07.pdf"
    for row in range(rows.count()):
        if kept not in rows.nth(row).inner_text():
            rows.nth(row).click()
            page.get_by_text(f"{rows.count() - _unticked(page)} of 7 searched").wait_for()
    page.get_by_text("Searching 1 of 7 documents").wait_for()
    ask(page, DOWN)

    page.locator("a.f-card").first.wait_for()
    places = page.locator("a.f-card").all_inner_texts()
    assert all(kept in place for place in places)
    rows.filter(has_text=kept).click()
    page.get_by_text("No document is ticked").wait_for()
    page.locator("[data-testid=stChatInputTextArea][disabled]").wait_for()


def _unticked(page: Page) -> int:
    return page.locator('[class*="st-key-doc-"] input:not(:checked)').count()


def test_no_test_opens_a_browser_that_is_not_watched() -> None:
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    unwatched = [f.name for f in files if re.search(OPENERS, f.read_text(encoding="utf-8"))]

    # An exported file is opened offline: nothing could leave.
    assert unwatched == ["test_export_in_browser.py"]
