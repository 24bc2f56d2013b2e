"""Testing models on one's own documents with a mouse: MiniLM, a tiny checkpoint, real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import make_html
from tests.e2e.conftest import Server, drop, start_server, stop_server
from tests.towns import picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.e2e.conftest import Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

BODY = (
    "<main><h1>The old mill</h1><p>The miller keeps nine wooden wheels under the roof of the"
    " northern barn.</p><h2>The river</h2><p>Every autumn the water floods the lower meadow"
    " behind the village church.</p><table><tr><th>Wheel</th><th>Diameter</th></tr><tr><td>Upper"
    " oak wheel</td><td>4 m</td></tr><tr><td>Lower pine wheel</td><td>3 m</td></tr></table>"
    f"<figure>{picture(3)}<figcaption>Figure 1. Height of the river by month</figcaption>"
    "</figure></main>"
)


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, chromium: str, shared: Path
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("trial")
    fixtures = shared / "fixtures" / "clip_tiny"
    running = start_server(folder, {"FOLIO_EMBED__MODEL_DIR": str(fixtures)})
    yield running
    stop_server(running)


def open_test(opened: Watched) -> Page:
    page = opened.page
    page.get_by_role("link", name="Test", exact=True).first.click()
    page.get_by_role("heading", name="Test my documents").wait_for()
    return page


def test_an_empty_library_has_nothing_to_test(server: Server, open_page: Opener) -> None:
    page = open_test(open_page(server.url))

    page.get_by_text("There is no document to test.").wait_for()
    assert page.get_by_role("button", name="Run").count() == 0


def test_a_test_runs_shows_plots_and_opens_sources(
    server: Server, open_page: Opener, tmp_path: Path
) -> None:
    page = open_page(server.url).page
    drop(page, "mill.html", make_html(BODY), "text/html")
    page.locator('[class*="st-key-doc-"]', has_text="1 figure").first.wait_for()

    page.get_by_role("link", name="Test", exact=True).first.click()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Search models side by side").wait_for(timeout=120_000)

    rows = page.locator("table.f-trial tbody th").all_inner_texts()
    assert sorted(rows) == ["minilm", "minilm+clip"]
    alt = page.get_by_role("img", name="keywords alone").first.get_attribute("alt") or ""
    assert alt.startswith("Text: ")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["doc"] for line in lines} == {"mill.html"}
    assert not list((server.log.parent / "data" / "index").glob("trial*"))


def test_at_390_px_nothing_runs_off_the_page(server: Server, open_page: Opener) -> None:
    page = open_test(open_page(server.url, scheme="dark"))
    page.set_viewport_size({"width": 390, "height": 900})
    page.get_by_text("Search models side by side").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
