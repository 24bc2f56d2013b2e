"""Files on their way in, by a real chooser: a folder, twice the same, one name, the reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import make_html, make_png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.e2e.conftest import Server, Watched

    Opener = Callable[..., Watched]

pytestmark = pytest.mark.browser

GULLS = make_html("<p>Seven gulls live here.</p><img src='gulls_files/gull.png' alt='A gull'>")
TIDES = make_html("<p>The tide comes twice a day.</p>")
SPRING = make_html("<p>The spring tide comes twice a month.</p>")


def choose(page: Page, name: str, data: bytes) -> None:
    """Add a file by the chooser of the sidebar."""
    chooser = page.get_by_test_id("stSidebar").locator("input[type=file]:not([webkitdirectory])")
    chooser.first.set_input_files({"name": name, "mimeType": "text/html", "buffer": data})


def wait_for_rows(page: Page, *names: str) -> None:
    """Until these and no others have a tick box at the left; what is stale goes late."""
    from playwright.sync_api import expect

    rows = page.get_by_test_id("stSidebar").locator('[class*="st-key-doc-"] label')
    expect(rows).to_have_text(list(names), timeout=30_000)


def test_a_folder_a_duplicate_a_taken_name_and_the_reset(
    server: Server, open_page: Opener, tmp_path: Path
) -> None:
    folder = tmp_path / "birds"
    (folder / "gulls_files").mkdir(parents=True)
    (folder / "gulls.html").write_bytes(GULLS)
    (folder / "gulls_files" / "gull.png").write_bytes(make_png())
    (folder / "tides.html").write_bytes(TIDES)
    (folder / "sums.xlsx").write_bytes(b"PK")
    page = open_page(server.url).page

    page.locator(".st-key-folder-drop input[type=file]").set_input_files(folder)
    page.get_by_text("2 files added, 1 left out: .xlsx.").wait_for()
    page.get_by_text("1 passage, 1 figure").wait_for()  # the picture beside the page is its own
    page.get_by_label("tides.html").wait_for()

    choose(page, "copy.html", TIDES)
    page.get_by_text("copy.html has the same content as tides.html.").wait_for()
    page.get_by_role("button", name="Show it").click()
    page.get_by_role("heading", name="Documents", level=1).wait_for()
    page.wait_for_url("**/documents")

    choose(page, "tides.html", SPRING)
    question = page.get_by_text("tides.html is in the library with other content")
    question.wait_for()
    page.goto(f"{server.url}/")  # a new session
    question.wait_for()  # whoever opens the library is asked
    page.get_by_label("tides (2).html").wait_for()
    wait_for_rows(page, "tides (2).html", "tides.html", "gulls.html")
    page.get_by_role("button", name="Replace it").click()
    page.get_by_text("tides.html was replaced.").wait_for()
    wait_for_rows(page, "tides.html", "gulls.html")

    other = open_page(server.url).page
    page.get_by_role("button", name="Reset demo").click()
    page.get_by_role("dialog").get_by_text("2 documents are removed from this computer").wait_for()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_text("0 vectors, 0 entries and 0 files of it are left here.").wait_for()
    page.get_by_text("annual-report-2024.pdf").first.wait_for()
    page.get_by_label("tides.html").wait_for(state="detached")

    other.get_by_role("button", name="New question").click()
    # Shown, and beside it said to those who listen.
    other.get_by_text("The demo was reset in another window.").first.wait_for()
