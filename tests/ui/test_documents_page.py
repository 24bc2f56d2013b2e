"""The Documents page, run without a browser: the table, the report of a document, hiding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from streamlit.util import calc_hash

from rag.types import Failure
from tests.ui.conftest import page_html
from tests.ui.scripted import ScriptedServices, make_document
from tests.ui.scripted_coverage import choose, page, report, seen, skipped
from ui.web import selection, state

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from tests.ui.conftest import Open

REPORT = make_document("report.pdf", warnings=("Page 1: its layout was left out.",))
GUIDE = make_document("guide.html", pages=None)
HOSTILE = "<img src=x onerror=alert(1)> :red[x] " + "long " * 40 + ".pdf"
FIGURE = seen("figure", 2, caption="Output by region", number="Figure 3")


def _open(open_app: Open, services: ScriptedServices) -> AppTest:
    app = open_app(services)
    # AppTest.switch_page knows pages that are files; ours are functions of app.py.
    app._page_hash = calc_hash("documents")
    return app.run()


def _alts(app: AppTest) -> list[str]:
    return [picture.alt for element in app.image for picture in element.proto.imgs]


def _table(app: AppTest) -> dict[str, list[object]]:
    frame = app.dataframe[0].value
    return {name: list(frame[name]) for name in frame.columns}


def test_every_document_has_a_row_and_a_failed_one_its_reason(open_app: Open) -> None:
    bad = make_document(
        "locked.pdf", "failed", error=Failure(kind="corrupt", message="It is damaged.")
    )
    counted = replace(REPORT, left_out_count=3)
    app = _open(open_app, ScriptedServices(library=[counted, GUIDE, bad]))

    table = _table(app)

    assert table["Name"] == ["report.pdf", "guide.html", "locked.pdf"]
    assert table["Status"] == ["Ready", "Ready", "Not read: It is damaged."]
    assert table["Left out"][0] == 3
    assert table["Model"][:2] == ["minilm", "minilm"]
    assert table["Size"][0] == 2_100_000
    assert str(table["Added"][0]).startswith("2026-11-25 09:41")
    assert table["Pages"][0] == 12
    assert table["Pages"][1] != table["Pages"][1], "no pages, no number"


def test_the_first_document_is_chosen_and_another_one_by_its_row(open_app: Open) -> None:
    app = _open(open_app, ScriptedServices(library=[REPORT, GUIDE]))
    assert '<h2 class="f-doc" dir="auto">report.pdf</h2>' in page_html(app)
    assert "Page 1: its layout was left out." in page_html(app)

    choose(app, 1)

    assert '<h2 class="f-doc" dir="auto">guide.html</h2>' in page_html(app)


def test_a_document_is_found_by_its_name_for_who_has_no_mouse(open_app: Open) -> None:
    app = _open(open_app, ScriptedServices(library=[REPORT, GUIDE]))

    app.selectbox(key="find-0").set_value(GUIDE.id).run()

    assert '<h2 class="f-doc" dir="auto">guide.html</h2>' in page_html(app)
    assert app.selectbox(key="find-1").value is None
    choose(app, 0)
    assert '<h2 class="f-doc" dir="auto">report.pdf</h2>' in page_html(app)


def test_the_choice_stays_with_its_document_when_rows_move(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT, GUIDE])
    app = choose(_open(open_app, services), 1)

    services.library.insert(0, make_document("new.pdf"))
    app.run()

    assert app.session_state[selection.SELECTED] == GUIDE.id
    assert '<h2 class="f-doc" dir="auto">guide.html</h2>' in page_html(app)


def test_a_failed_document_says_below_why_it_was_not_read(open_app: Open) -> None:
    failure = Failure(kind="corrupt", message="It is damaged.")
    bad = make_document("bad.pdf", "failed", error=failure)
    app = _open(open_app, ScriptedServices(library=[bad]))

    assert "<strong>This file was not read.</strong> It is damaged." in page_html(app)
    assert "Figures found" not in page_html(app)
    assert app.button(key=f"delete-{bad.id}")


def test_a_hostile_name_of_250_characters_shows_as_text(open_app: Open) -> None:
    app = _open(open_app, ScriptedServices(library=[make_document(HOSTILE)]))

    assert "<img src=x" not in page_html(app)
    assert "&lt;img src=x onerror=alert(1)&gt;" in page_html(app)


def test_numbers_say_what_was_found_and_what_can_be_found(open_app: Open) -> None:
    bare = seen("figure", 3)
    services = ScriptedServices(library=[REPORT])
    services.reports.report = report(
        [seen("text", 1), FIGURE, bare, seen("table", 2)],
        [page(1), page(2), page(3), page(4, "picture")],
        [skipped(1, "too small to show anything")],
    )
    html = page_html(_open(open_app, services))

    assert "<dt>Figures found</dt><dd>3</dd>" in html
    assert "<dt>Searchable</dt><dd>1 <small>of 3</small></dd>" in html
    assert "<dt>With a caption</dt><dd>1 <small>of 2</small></dd>" in html
    assert "<dt>Tables</dt><dd>1</dd>" in html
    assert "<dt>Pages without text</dt><dd>1 <small>read as picture</small></dd>" in html
    assert "The embedder minilm does not see pictures." in html
    assert "1 of them has no caption and no words" in html
    assert "Page 4 has no text layer that can be used" in html
    assert "<td>1</td><td>Too small to show anything</td>" in html


def test_figures_that_are_still_read_are_said_to_be(open_app: Open) -> None:
    services = ScriptedServices(library=[make_document("report.pdf", "readable", pending=1)])
    services.reports.report = report([FIGURE], [page(2)], is_ready=False)

    app = _open(open_app, services)

    assert "Figures are still being read." in page_html(app)
    assert "<dt>Searchable</dt><dd>0 <small>of 1</small></dd>" in page_html(app)
    assert _table(app)["Status"] == ["Reading figures"]
    assert not any(button.key.startswith("again-") for button in app.button)


def test_pages_with_something_to_say_come_first_and_all_on_request(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    services.reports.report = report([seen("text", 1), FIGURE], [page(1), page(2)])
    app = _open(open_app, services)
    assert services.reports.asked == [[2]]
    assert "Page 2 of report.pdf: 1 figure" in _alts(app)
    assert "1 page of 2 with more than text." in page_html(app)

    app.toggle(key=f"all-pages-{REPORT.id}").set_value(True).run()

    assert services.reports.asked[-1] == [1, 2]
    assert "Page 1 of report.pdf: text only" in _alts(app)


def test_a_long_document_is_paged(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    services.reports.report = report(
        [seen("figure", number, caption=f"Figure {number}") for number in range(1, 301)],
        [page(number) for number in range(1, 301)],
    )
    app = _open(open_app, services)
    assert services.reports.asked == [list(range(1, 16))]

    pages = next(widget for widget in app.get("pagination") if "leaf-pages-" in widget.key)
    pages.set_value(20).run()

    assert services.reports.asked[-1] == list(range(286, 301))
    assert sum(button.key.startswith("hide-") for button in app.button) == 12


def test_a_page_that_is_not_drawn_yet_keeps_its_place(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    services.reports.report = report([FIGURE], [page(2)])
    services.reports.missing = {2}
    services.reports.is_waiting = True

    html = page_html(_open(open_app, services))

    assert "Being drawn" in html
    assert "Page 2" in html


def test_pages_of_a_locked_file_ask_for_its_password(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    services.reports.report = report([FIGURE], [page(2)])
    services.reports.missing = {2}
    services.reports.needs_password = True

    app = _open(open_app, services)

    assert "The page picture needs the password again." in page_html(app)
    assert [field.key for field in app.text_input] == [f"secret-page-{REPORT.id}"]


def test_a_page_less_document_shows_its_figures_and_no_pages(open_app: Open) -> None:
    services = ScriptedServices(library=[GUIDE])
    services.reports.report = report(
        [seen("figure", None, caption="A pump")], (), [skipped(None, "blank")]
    )
    app = _open(open_app, services)

    assert services.reports.asked == []
    assert "A pump" in page_html(app)
    assert "<td>Blank</td>" in page_html(app)
    assert "<dt>Pages without text</dt><dd>–</dd>" in page_html(app)


def test_a_figure_is_hidden_and_shown_again(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    services.reports.report = report([FIGURE], [page(2)])
    app = _open(open_app, services)

    app.button(key=f"hide-{FIGURE.id}").click().run()
    assert services.reports.turned == [("hide", FIGURE.id)]
    assert app.session_state[state.ANNOUNCED] == "Figure 3 Output by region is hidden from search"

    services.reports.report = report([replace(FIGURE, is_hidden=True)], [page(2)])
    app.run()
    assert "Hidden from search" in page_html(app)
    assert "1 of 1 hidden from search" in page_html(app)
    app.button(key=f"hide-{FIGURE.id}").click().run()

    assert services.reports.turned[-1] == ("show", FIGURE.id)


def test_a_ready_document_is_read_again_and_a_failed_one_tried_again(open_app: Open) -> None:
    failure = Failure(kind="embed", message="The model was not there.")
    bad = make_document("bad.pdf", "failed", error=failure)
    services = ScriptedServices(library=[REPORT, bad])
    services.intake.retriable = {bad.id}
    app = _open(open_app, services)

    app.button(key=f"again-{REPORT.id}").click().run()
    choose(app, 1)
    app.button(key=f"again-{bad.id}").click().run()

    assert services.intake.calls == [("read again", REPORT.id), ("retry", bad.id)]


def test_delete_asks_first_and_shows_the_receipt(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT, GUIDE])
    app = _open(open_app, services)

    app.button(key=f"delete-{REPORT.id}").click().run()
    assert services.library == [REPORT, GUIDE], "nothing yet"
    app.button(key="delete-now").click().run()

    assert services.library == [GUIDE]
    assert (
        "<strong>report.pdf was deleted.</strong> "
        "0 vectors, 0 entries and 0 files of it are left here." in page_html(app)
    )
    assert '<h2 class="f-doc" dir="auto">guide.html</h2>' in page_html(app)


def test_keeping_a_document_keeps_it(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    app = _open(open_app, services)

    app.button(key=f"delete-{REPORT.id}").click().run()
    app.button(key="keep").click().run()

    assert services.library == [REPORT]


def test_two_thousand_documents_are_one_table(open_app: Open) -> None:
    services = ScriptedServices(library=[make_document(f"file{n}.pdf") for n in range(2_000)])
    app = _open(open_app, services)

    assert len(_table(app)["Name"]) == 2_000
    assert len([button for button in app.button if button.key.startswith("delete-")]) == 1
