"""About and the drawer, run without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamlit.util import calc_hash

from rag.library import Block
from tests.ui.conftest import ask, page_html
from tests.ui.scripted import ScriptedServices, make_answer, make_document, make_hit
from ui import outcome
from ui.version import source_address, version
from ui.web import state

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from tests.ui.conftest import Open

REPORT = make_document("report.pdf")
GUIDE = make_document("guide.html", pages=None)


def _open(app: AppTest, turn: int, marker: int) -> AppTest:
    app.session_state[state.OPEN] = state.OpenSource(turn=turn, marker=marker)
    return app.run()


def test_drawer_shows_title_words_and_the_marked_page(open_app: Open) -> None:
    hit = make_hit(REPORT, text="Output rose 42 per cent to 6.8 TWh.")
    services = ScriptedServices(library=[REPORT], answers=[make_answer("q", "Rose. [1]", [hit])])
    app = ask(open_app(services), "q")

    _open(app, 0, 1)

    html = page_html(app)
    assert "report.pdf, page 3" in html
    assert '<blockquote class="f-quote f-k-text" dir="auto">Output rose 42 per cent' in html
    alts = [picture.alt for element in app.image for picture in element.proto.imgs]
    assert alts == ["3.2 Generation, report.pdf, p. 3, page marked"]


def test_next_goes_to_the_next_source(open_app: Open) -> None:
    hits = [make_hit(REPORT), make_hit(REPORT, page=5, rank=2)]
    services = ScriptedServices(library=[REPORT], answers=[make_answer("q", "Rose. [1] [2]", hits)])
    app = _open(ask(open_app(services), "q"), 0, 1)

    app.button(key="drawer-Next").click().run()

    assert "report.pdf, page 5" in page_html(app)
    assert app.button(key="drawer-Next").disabled


def test_page_less_source_opens_in_the_reader_view(open_app: Open) -> None:
    hit = make_hit(GUIDE, page=None, anchor="7")
    services = ScriptedServices(library=[GUIDE], answers=[make_answer("q", "Rose. [1]", [hit])])
    services.reader = [
        Block(anchor=str(n), kind="text", level=0, text=f"Paragraph {n}.") for n in range(30)
    ]
    app = _open(ask(open_app(services), "q"), 0, 1)

    html = page_html(app)
    assert "Paragraph 5." in html
    assert "Paragraph 0." not in html
    marked = html.split("Cited here")[1]
    assert marked.index("Paragraph 7.") < 60


def test_a_source_that_is_gone_shuts_the_drawer(open_app: Open) -> None:
    app = _open(open_app(ScriptedServices(library=[REPORT])), 3, 1)

    assert app.session_state[state.OPEN] is None


def test_table_rows_leave_the_rule_out() -> None:
    assert outcome.table_rows("| A | B |\n|---|:-:|\n| 1 | 2 |") == [["A", "B"], ["1", "2"]]


def test_about_names_version_licences_and_source(open_app: Open) -> None:
    app = _go(open_app(ScriptedServices()), "about")

    html = page_html(app)
    assert f"Version {version()}" in html
    assert "AGPL-3.0" in html
    assert "Inter, typeface" in html
    assert "Files up to 50 MB" in html
    assert any(source_address() in text.value for text in app.markdown)


def _go(app: AppTest, url_path: str) -> AppTest:
    # AppTest.switch_page knows pages that are files; ours are functions of app.py.
    app._page_hash = calc_hash(url_path)
    return app.run()
