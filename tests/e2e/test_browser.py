"""What a visitor does, with everything real but the language model."""

from __future__ import annotations

import io
import socket
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import PageSpec, make_html, make_paper, make_pdf
from tests.e2e.conftest import Server, ask, drop, start_asking, start_server, stop_server
from tests.openai_server import ModelServer, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.conftest import Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

WORDS = (
    "The lighthouse of Sandhaven was built in 1871 by the engineer Ida Falk. Its lamp burned "
    "rape oil until 1904, when it was changed to acetylene gas."
)


def _two_pages() -> bytes:
    """A page on boats and a page on the lighthouse, each under its heading."""
    pages = (("1 Boats", "Boats need nets, and nets need mending in winter."), ("2 Light", WORDS))
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


def test_a_dropped_pdf_is_read_asked_and_cited_with_its_place_marked(
    server: Server, open_page: Opener
) -> None:
    page = open_page(server.url).page

    drop(page, "lighthouse.pdf", _two_pages())
    page.get_by_text("lighthouse.pdf").first.wait_for()
    ask(page, "Who built the lighthouse of Sandhaven?")

    assert "Ida Falk" in page.locator(".f-quote").first.inner_text()
    page.locator('a[href="#cite-0-1"]').first.click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("lighthouse.pdf, page 2").wait_for()
    picture = drawer.locator(".st-key-picture img")
    picture.wait_for()
    address = picture.get_attribute("src") or ""
    assert _has_box(page.request.get(address).body())
    page.keyboard.press("Escape")
    drawer.wait_for(state="detached")
    ask(page, "What do boats need?")
    assert page.request.get(address).ok, "a picture outlives the run that shows it no more"
    assert len(page.context.pages) == 1, "a citation never opens another tab"


def test_a_web_page_opens_in_the_reader_view(server: Server, open_page: Opener) -> None:
    page = open_page(server.url).page

    body = f"<main><h1>Harbour</h1><p>{WORDS.replace('Sandhaven', 'Elmouth')}</p></main>"
    drop(page, "elmouth.html", make_html(body), "text/html")
    page.get_by_text("elmouth.html").first.wait_for()
    page.locator('[class*="st-key-doc-"]', has_text="elmouth.html").first.wait_for()
    ask(page, "Who built the lighthouse of Elmouth?")
    page.locator(".f-card", has_text="elmouth.html").first.click()

    marked = page.get_by_role("dialog").locator(".f-marked")
    marked.wait_for()
    assert "Ida Falk" in marked.inner_text()


def test_refused_files_say_why_and_the_next_one_is_taken(server: Server, open_page: Opener) -> None:
    page = open_page(server.url).page

    drop(page, "locked.pdf", make_pdf([WORDS], password="x"))
    page.get_by_text("locked.pdf was not read.").wait_for()
    assert page.get_by_text("password").count() > 0

    drop(page, "paper.pdf", make_paper())
    page.locator('[class*="st-key-doc-"]', has_text="paper.pdf").first.wait_for()
    assert page.get_by_text("locked.pdf was not read.").count() == 0


def test_documents_can_be_deleted_and_leave_nothing(server: Server, open_page: Opener) -> None:
    page = open_page(server.url).page
    drop(page, "gone.pdf", make_pdf(["A page about whales and their songs, soon to go."]))
    page.locator('[class*="st-key-doc-"]', has_text="gone.pdf").first.wait_for()

    page.get_by_role("link", name="Documents", exact=True).click()
    chosen = page.locator('[class*="st-key-file-"]', has_text="gone.pdf").first  # the newest
    chosen.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    page.get_by_text("0 vectors, 0 entries and 0 files of it are left here.").wait_for()


def test_what_is_asked_for_elsewhere_is_noted_and_found_nowhere(
    server: Server, open_page: Opener
) -> None:
    from playwright.sync_api import Error

    watched = open_page(server.url)

    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        watched.page.goto("http://192.0.2.1/a.png")  # an address for documentation

    assert watched.outside == ["http://192.0.2.1/a.png"]
    watched.outside.clear()
    watched.complaints.clear()


def test_a_new_question_is_brought_into_sight(server: Server, open_page: Opener) -> None:
    page = open_page(server.url, width=390).page
    for question in ("Who built the lighthouse?", "When was it built?", "What did the lamp burn?"):
        ask(page, question)

    last = page.locator("h2.f-q").last.bounding_box()
    assert last is not None
    assert 0 <= last["y"] < 200


class _Canary:
    """A socket that nobody should ever call; it notes who does."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller:
                self.calls.append(caller.recv(200).decode("latin-1"))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def canary() -> Iterator[_Canary]:
    listening = _Canary()
    yield listening
    listening.close()


def test_a_hostile_answer_streams_and_reaches_nobody(
    tmp_path: Path, chromium: str, open_page: Opener, canary: _Canary
) -> None:
    there = f"http://127.0.0.1:{canary.port}"
    hostile = (
        f"Ida Falk built it. [1] ![x]({there}/a) <img src={there}/b> [c]({there}/c) ![d][r] ",
        f"{there}/e :red[verified] :material/check: `code ![f]({there}/f)` ",
        f"\n\n[r]: {there}/g\n\n```\n![h]({there}/h)",
    )
    with ModelServer(says(*hostile, pause_s=0.6)) as model:
        extra = {
            "FOLIO_LLM__MODEL": "openai/scripted",
            "FOLIO_LLM__API_BASE": model.base_url,
            "FOLIO_LLM__API_KEY": "test",
        }
        server = start_server(tmp_path, extra)
        page = open_page(server.url).page
        try:
            drop(page, "lighthouse.pdf", make_pdf([WORDS]))
            page.locator('[class*="st-key-doc-"]', has_text="lighthouse.pdf").first.wait_for()
            _ask_and_click_while_it_streams(page)
            answer = page.locator('[class*="st-key-words-"]').first
            links = answer.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
            ours = {link for link in links if link.startswith("#check-0-")}
            assert set(links) - ours <= {"#cite-0-1"}
            assert ours, "what has no source is marked in the text"
            answer.locator('a[href^="#check-"]').first.click()
            page.locator(next(iter(ours))).wait_for()  # its reason is under the answer
            assert len(page.context.pages) == 1, "the note leads to it on the same page"
            assert answer.locator("img").count() == 0
            assert "verified" in answer.inner_text()
        finally:
            page.close()
            assert stop_server(server) == 0
    assert canary.calls == []


def _ask_and_click_while_it_streams(page: Any) -> None:
    start_asking(page, "Who built the lighthouse?")
    link = page.get_by_role("link", name="[1]").first
    link.wait_for()
    assert page.locator(".st-key-stop").count() == 1, "it is still being written"
    link.click()
    page.get_by_role("dialog").wait_for()
    page.locator(".st-key-stop").wait_for(state="detached", timeout=90_000)
    assert page.get_by_role("dialog").count() == 1, "the end of the answer does not shut it"
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


@pytest.mark.soak
def test_questions_are_answered_while_another_file_is_read(
    tmp_path: Path, chromium: str, open_page: Opener
) -> None:
    server = start_server(tmp_path)
    page = open_page(server.url).page
    try:
        drop(page, "lighthouse.pdf", make_pdf([WORDS]))
        page.locator('[class*="st-key-doc-"]', has_text="lighthouse.pdf").first.wait_for()
        drop(page, "long.pdf", make_pdf([f"Page {n} on moss. " * 60 for n in range(60)]))
        page.locator('[class*="st-key-job-"]', has_text="long.pdf").first.wait_for()

        ask(page, "Who built the lighthouse of Sandhaven?")

        assert page.get_by_text("Answered while long.pdf was still being read").count() == 1
        assert "Ida Falk" in page.locator(".f-quote").first.inner_text()
        page.locator('[class*="st-key-job-"]').get_by_role("button", name="Cancel").first.click()
        page.locator('[class*="st-key-job-"]').first.wait_for(state="detached")
    finally:
        page.close()
        stop_server(server)


def _has_box(png: bytes) -> bool:
    """Whether the frame of a passage is drawn into a picture."""
    from PIL import Image

    from ui.boxes import LINES

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    counted = picture.getcolors(maxcolors=1 << 20) or []
    return any(colour == LINES["text"].colour and number > 200 for number, colour in counted)
