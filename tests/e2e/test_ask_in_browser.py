"""A question on its way, in a real browser: pictures, what is found first, stop, coming back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from rag.prompt import QUESTION_PICTURE_NOTE
from tests.builders import make_png
from tests.conftest import copy_library
from tests.e2e.conftest import ask, start_asking, start_server, stop_server, transfer
from tests.openai_server import ModelServer, Reply, Request, refuses, says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.e2e.conftest import Server

QUESTION = "What was the availability of Row A in 2024?"
SAID = "The availability of Row A in 2024 was 90.4 % [1]."
NO_PICTURES = "image_url is only supported by certain models"
MORE = [f" And {number} more." for number in range(100, 300)]


class Model:
    """Says the same to all, slowly or not at all to those who ask for it."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.server = ModelServer(self._reply)

    def _reply(self, request: Request) -> Reply:
        asked = request.parts[-1]["text"]
        if "blind" in asked and request.image_count:
            return refuses(400, NO_PICTURES)
        if "wait" in asked:
            self.released.wait(30)
        if "slow" in asked:
            return says(SAID, *MORE, pause_s=0.05)
        return says(SAID)


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    model = Model()
    with model.server:
        yield model


@pytest.fixture(scope="module")
def asked_server(
    sample_library: Path, tmp_path_factory: pytest.TempPathFactory, chromium: str, model: Model
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("asked")
    copy_library(sample_library, folder / "data")
    running = start_server(
        folder,
        {
            "FOLIO_LLM__MODEL": "openai/test",
            "FOLIO_LLM__API_BASE": model.server.base_url,
            "FOLIO_LLM__VISION": "on",
        },
    )
    yield running
    stop_server(running)


def paste(page: Page, name: str, body: bytes) -> None:
    """Paste a picture into the chat box, as from a screenshot."""
    box = page.locator("[data-testid=stChatInputTextArea]:not([disabled])")
    box.wait_for(timeout=90_000)
    box.focus()
    pasted = transfer(page, name, body, "image/png")
    box.evaluate(
        """(box, clipboardData) => box.dispatchEvent(
        new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}))""",
        pasted,
    )
    page.locator("[data-testid=stChatInputSubmitButton]:not([disabled])").wait_for()  # uploaded


def drop_on_box(page: Page, name: str, mime: str, body: bytes) -> None:
    """Drop a file on the chat box; its zone is there only while something is dragged."""
    moved = transfer(page, name, body, mime)
    box = page.get_by_test_id("stChatInput")
    box.dispatch_event("dragover", {"dataTransfer": moved})
    page.get_by_text("Drag and drop files here").first.wait_for()
    zone = box.locator("[role=presentation]").first
    for kind in ("dragenter", "drop"):
        zone.dispatch_event(kind, {"dataTransfer": moved})
    page.locator("[data-testid=stChatInputSubmitButton]:not([disabled])").wait_for()  # uploaded


def picture_of(page: Page, turn: int) -> Any:
    return page.locator(f".st-key-turn-{turn}").get_by_role("img", name="Picture of the question")


def answered(page: Page, turn: int) -> None:
    """Wait until the answer of a turn stands there whole."""
    seen = page.locator(f".st-key-turn-{turn}").get_by_role("button", name="What the model saw")
    seen.wait_for(timeout=90_000)


def test_a_picture_is_pasted_or_dropped_seen_by_the_model_and_kept(
    asked_server: Server, sample_library: Path, model: Model, open_page: Any
) -> None:
    page = open_page(asked_server.url).page
    figures = sample_library.glob("files/*/*.png")
    figure = max(figures, key=lambda path: path.stat().st_size)
    paste(page, "plan.png", figure.read_bytes())
    page.keyboard.press("Enter")
    answered(page, 0)
    page.get_by_role("heading", name="Picture: plan.png").wait_for()
    request = model.server.requests[-1]
    assert request.parts[0]["text"] == QUESTION_PICTURE_NOTE
    assert request.parts[1]["type"] == "image_url"

    drop_on_box(page, "other.png", "image/png", make_png((200, 320), (20, 90, 160)))
    start_asking(page, QUESTION)
    answered(page, 1)
    assert model.server.requests[-1].parts[1]["type"] == "image_url"

    page.reload()
    for turn in (0, 1):
        answered(page, turn)
        picture_of(page, turn).wait_for()
        assert picture_of(page, turn).evaluate("picture => picture.naturalWidth") > 0

    page.get_by_role("button", name="Try again").click()
    answered(page, 2)
    picture_of(page, 2).wait_for()
    assert page.get_by_role("heading", name=QUESTION).count() == 2


def test_a_document_dropped_on_the_chat_box_is_added_and_the_words_wait(
    asked_server: Server, open_page: Any
) -> None:
    page = open_page(asked_server.url).page
    drop_on_box(page, "puffin.md", "text/markdown", b"# Puffin\n\nThe Puffin has 3 blades.\n")
    start_asking(page, "How many blades has the Puffin?")

    said = page.get_by_test_id("stBottomBlockContainer").get_by_text("added to the library.")
    said.wait_for()

    box = page.get_by_test_id("stChatInputTextArea")
    assert box.input_value() == "How many blades has the Puffin?"
    assert page.locator("h2.f-q").count() == 0


def test_hits_come_before_the_first_word_and_a_stopped_answer_can_be_tried_again(
    asked_server: Server, model: Model, open_page: Any
) -> None:
    page = open_page(asked_server.url).page
    start_asking(page, f"wait slow: {QUESTION}")
    page.locator("[class*=st-key-plate-] img").first.wait_for()
    page.locator("a.f-card").first.wait_for()
    assert page.locator("[class*=st-key-words-]").count() == 0
    model.released.set()
    page.locator("[class*=st-key-words-]").get_by_text("And 100 more.").first.wait_for()
    page.get_by_role("link", name="[1]").first.click()
    page.get_by_role("dialog").locator("img").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")

    page.get_by_role("button", name="Stop").click()

    page.get_by_text("You stopped this answer.").first.wait_for()
    answered(page, 0)
    assert page.locator("[class*=st-key-words-]").inner_text().startswith("The availability")
    page.locator("a.f-card").first.wait_for()
    page.get_by_role("button", name="Try again").click()
    page.locator(".st-key-turn-1 [class*=st-key-words-]").wait_for()
    page.get_by_role("button", name="Stop").click()
    answered(page, 1)
    assert page.get_by_text("You stopped this answer.").count() >= 2


def test_an_answer_left_alone_is_there_on_the_return_and_the_keyboard_goes_on(
    asked_server: Server, open_page: Any
) -> None:
    page = open_page(asked_server.url).page
    start_asking(page, f"slow: {QUESTION}")
    page.locator("[class*=st-key-words-]").get_by_text("And 100 more.").first.wait_for()
    address = page.url
    page.goto("about:blank")
    page.wait_for_timeout(1_000)

    page.goto(address)

    answered(page, 0)
    words = page.locator("[class*=st-key-words-]").inner_text()
    assert "And 299 more." in words
    ask(page, QUESTION)
    page.locator("[data-testid=stChatInputTextArea]:focus").wait_for()


def test_a_model_without_eyes_is_told_of_in_a_badge(asked_server: Server, open_page: Any) -> None:
    page = open_page(asked_server.url).page

    ask(page, f"blind: {QUESTION}")

    page.get_by_text("This model cannot see pictures. Captions were used.").wait_for()
