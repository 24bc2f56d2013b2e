"""Switching the embedder with a mouse, on the tiny checkpoints, and asking meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import make_html
from tests.e2e.conftest import Server, ask, drop, start_server, stop_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.e2e.conftest import Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

BODY = "<main><h1>Harbour</h1><p>The harbour of Elmouth has seven cranes and a ferry.</p></main>"


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, chromium: str, shared: Path
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("models")
    running = start_server(folder, {"FOLIO_EMBED__MODEL_DIR": str(shared / "fixtures")})
    yield running
    stop_server(running)


def test_a_switch_keeps_the_documents_and_answers_go_on(server: Server, open_page: Opener) -> None:
    page = open_page(server.url).page
    drop(page, "elmouth.html", make_html(BODY), "text/html")
    page.locator('[class*="st-key-doc-"]', has_text="elmouth.html").first.wait_for()
    page.get_by_text("nomic is ready").wait_for()

    page.get_by_role("link", name="Models").first.click()
    card = page.locator(".st-key-model-nomic")
    card.get_by_role("button", name="Switch to nomic").click()
    card.get_by_text("In use").first.wait_for()
    page.get_by_text("Search: nomic, on this computer").wait_for()
    page.get_by_role("link", name="Ask").first.click()
    ask(page, "How many cranes has the harbour of Elmouth?")

    assert "seven cranes" in page.locator(".f-quote").first.inner_text()
    assert page.get_by_text("nomic is ready").count() == 0


def test_a_non_commercial_model_is_switched_to_only_after_its_licence_is_accepted(
    server: Server, open_page: Opener
) -> None:
    page = open_page(server.url).page
    page.get_by_role("link", name="Models").first.click()
    card = page.locator(".st-key-model-jina")

    card.get_by_role("button", name="Read and accept the licence").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("no commercial use").wait_for()
    assert dialog.get_by_role("button", name="Accept").is_disabled()
    dialog.get_by_text("I have read it").click()
    dialog.get_by_role("button", name="Accept").click()
    dialog.wait_for(state="detached")

    card.get_by_role("button", name="Switch to jina").click()
    card.get_by_text("In use").first.wait_for()
    card.get_by_text("CC BY-NC 4.0: no commercial use").wait_for()
