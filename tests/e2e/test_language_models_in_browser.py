"""The language model's part of the Models page with a mouse: Ollama found, a key pasted."""

from __future__ import annotations

import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from rag.llm_keys import FILE_NAME
from tests.builders import make_html
from tests.e2e.conftest import Server, ask, drop, start_server, stop_server
from tests.ollama_server import Kept, OllamaServer
from tests.openai_server import ModelServer, Request, refuses, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import Watched
    from tests.openai_server import Reply

    Opener = Callable[..., Watched]

pytestmark = [pytest.mark.browser, pytest.mark.soak]

KEY = "sk-proj-abcdefghij1234567890"
BODY = "<main><h1>Harbour</h1><p>The harbour of Elmouth has seven cranes and a ferry.</p></main>"
GEMMA = Kept(name="gemma3:4b", capabilities=("completion", "vision"))


def _asks_for_a_key(request: Request) -> Reply:
    if request.headers["authorization"] != f"Bearer {KEY}":
        return refuses(401, f"Incorrect API key: {request.headers['authorization']}")
    return says("The harbour has seven cranes [1].")


@pytest.fixture(scope="module")
def ollama() -> Iterator[OllamaServer]:
    with OllamaServer(GEMMA, says="It has seven cranes [1].") as running:
        yield running


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, chromium: str, ollama: OllamaServer
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("language-models")
    running = start_server(
        folder, {"OLLAMA_HOST": ollama.address, "FOLIO_LLM__OLLAMA_LIMIT_S": "20"}
    )
    yield running
    stop_server(running)


def test_an_ollama_is_found_and_a_pasted_key_is_used_and_seen_nowhere(
    server: Server, open_page: Opener, ollama: OllamaServer
) -> None:
    page = open_page(server.url).page
    page.get_by_text("Answers: ollama_chat/gemma3:4b, sees pictures").wait_for()
    drop(page, "elmouth.html", make_html(BODY), "text/html")
    page.locator('[class*="st-key-doc-"]', has_text="elmouth.html").first.wait_for()
    ask(page, "How many cranes has the harbour of Elmouth?")
    page.get_by_text("It has seven cranes").first.wait_for()
    assert ollama.paths().count("/api/tags") == 1

    with ModelServer(_asks_for_a_key) as cloud:
        page.get_by_role("link", name="Models").first.click()
        chooser = page.locator(".st-key-model-llm-choose")
        chooser.get_by_role("combobox").fill("harbour-model")
        chooser.get_by_role("combobox").press("Enter")
        chooser.get_by_role("textbox", name="Address").fill(cloud.base_url)
        chooser.get_by_role("button", name="Use this model").click()
        page.locator(".st-key-model-llm").get_by_text("Chosen on the Models page.").wait_for()

        hello = page.get_by_role("button", name="Say hello")
        hello.click()
        page.get_by_text("It did not answer (key).").wait_for()

        ring = page.locator(".st-key-model-llm-key")
        ring.get_by_label("Key", exact=True).fill(KEY)
        ring.get_by_text("Keep it in a file").click()
        ring.get_by_role("button", name="Use this key").click()
        page.get_by_text("Entered here, kept in the data folder").wait_for()
        assert ring.get_by_label("Key", exact=True).input_value() == ""
        hello.click()
        page.get_by_text("It says: The harbour has seven cranes").wait_for()
        assert KEY not in page.content()

        page.get_by_role("link", name="Ask").first.click()
        ask(page, "What stands in the harbour?")
        page.get_by_text("The harbour has seven cranes").first.wait_for()

    assert KEY not in server.log.read_text(encoding="utf-8")
    data = server.log.parent / "data"
    holders = [p for p in data.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()]
    assert [path.name for path in holders] == [FILE_NAME]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
    with sqlite3.connect(f"file:{data / 'library.sqlite'}?mode=ro", uri=True) as library:
        used = {model for (model,) in library.execute("SELECT model FROM spending")}
    assert {"ollama_chat/gemma3:4b", "harbour-model"} <= used
