"""What the page says of files that come in: one by one, many, twice, under a taken name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rag.types import Failure
from tests.ui.conftest import page_html
from tests.ui.scripted import (
    ScriptedServices,
    make_answer,
    make_document,
    make_hit,
    make_progress,
)
from ui.views import SameName
from ui.web import selection, state
from ui.worker import Series

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from rag.types import Document
    from tests.ui.conftest import Open

REPORT = make_document("report.pdf")


def upload(app: AppTest, files: list[tuple[str, bytes]], key: str = "slim-0") -> AppTest:
    chosen = [(name, data, "application/octet-stream") for name, data in files]
    return app.file_uploader(key=key).set_value(chosen).run()


def library(count: int) -> list[Document]:
    return [make_document(f"paper {number:04}.pdf") for number in range(count)]


def test_thirty_refusals_are_one_message_with_a_list(open_app: Open) -> None:
    app = open_app(ScriptedServices(library=[REPORT]))

    upload(app, [(f"locked{n}.pdf", b"secret") for n in range(30)])

    html = page_html(app)
    assert "<strong>30 files were not added.</strong>" in html
    assert html.count('class="f-note') == 2  # and that none was added
    assert html.count("<li>locked") == 30
    assert "locked7.pdf: It is protected by a password." in html


def test_a_duplicate_leads_to_the_document_it_is_the_same_as(open_app: Open) -> None:
    app = open_app(ScriptedServices(library=[REPORT]))

    upload(app, [("copy.pdf", b"the same")])
    html = page_html(app)
    app.button(key="show-0").click().run()

    assert "copy.pdf has the same content as report.pdf.</strong> Not added again." in html
    assert app.session_state[selection.SELECTED] == REPORT.id
    assert ">Documents</h1>" in page_html(app)


def test_a_folder_is_summed_up_with_what_was_left_out(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    app = open_app(services)

    upload(
        app,
        [
            ("year/a.pdf", b"a"),
            ("year/page.html", b"b"),
            ("year/page_files/logo.png", b"c"),
            ("year/sums.xlsx", b"d"),
            ("year/more/old.zip", b"e"),
            ("year/more/new.zip", b"f"),
        ],
        key="slim-folder-0",
    )

    assert services.files == ["a.pdf", "page.html"]
    assert "<strong>2 files added, 3 left out: .zip, .xlsx.</strong>" in page_html(app)


def test_a_taken_name_asks_which_is_to_stay_until_it_is_said(open_app: Open) -> None:
    newer = make_document("report (2).pdf")
    services = ScriptedServices(library=[newer, REPORT])
    services.intake.pairs = [SameName(name="report.pdf", new=newer, old=REPORT, is_wanted=False)]
    app = open_app(services)

    asked = page_html(app)
    app.run()
    still = page_html(app)
    app.button(key=f"replace-{newer.id}").click().run()

    words = "report.pdf is in the library with other content (added"
    assert words in asked
    assert words in still
    assert "The new one is kept as report (2).pdf until you choose." in asked
    assert services.intake.calls == [("replace", newer.id)]
    assert words not in page_html(app)


def test_many_taken_names_can_be_answered_at_once(open_app: Open) -> None:
    services = ScriptedServices(library=library(8))
    services.intake.pairs = [
        SameName(name=d.name, new=d, old=d, is_wanted=False) for d in services.library
    ]
    app = open_app(services)

    assert page_html(app).count("with other content") == 5
    app.button(key="keep-all").click().run()

    assert [what for what, _ in services.intake.calls] == ["keep"] * 8


def test_a_failure_that_may_pass_can_be_tried_again(open_app: Open) -> None:
    services = ScriptedServices(library=[make_document("big.pdf", "working"), REPORT])
    app = open_app(services)
    failure = Failure(kind="disk_reserve", message="The disk is nearly full.")
    services.library[0] = make_document("big.pdf", "failed", error=failure)
    services.intake.retriable = {services.library[0].id}
    app.run()

    app.button(key="retry-0").click().run()

    assert services.intake.calls == [("retry", services.library[0].id)]
    assert "big.pdf was not read." not in page_html(app)


def test_files_that_fail_one_after_the_other_are_told_in_one_message(open_app: Open) -> None:
    names = [f"{place}.pdf" for place in range(5)]
    services = ScriptedServices(library=[make_document(name, "working") for name in names])
    app = open_app(services)
    for place, name in enumerate(names):
        failure = Failure(kind="corrupt", message=f"{name} is damaged. Save it again.")
        services.library[place] = make_document(name, "failed", error=failure)
        app.run()

    html = page_html(app)

    assert "<strong>5 files were not read.</strong>" in html
    assert html.count("f-note") == 1
    assert "4.pdf was not read. It is damaged. Save it again." in html


def test_progress_tells_pace_place_in_the_queue_and_all_files(open_app: Open) -> None:
    first, second = make_document("a.pdf", "working"), make_document("b.pdf", "queued")
    services = ScriptedServices(library=[first, second, REPORT])
    services.running = [
        replace(make_progress(first, pages=(31, 58)), remaining_s=38.2),
        replace(make_progress(second), ahead=1),
    ]
    services.intake.together = Series(done=3, total=12, remaining_s=221.0)

    html = page_html(open_app(services))

    assert "Text 31 of 58 pages, about 40 s left" in html
    assert "Waits behind 1 file" in html
    assert "3 of 12 files, about 4 min left" in html


def test_two_thousand_documents_are_found_by_name_and_ticked_together(open_app: Open) -> None:
    services = ScriptedServices(library=library(2_000))
    app = open_app(services)

    assert len(app.checkbox) == 30
    assert "30 of 2,000 listed." in page_html(app)
    app.button(key="tick-none").click().run()
    assert "0 of 2,000 searched" in page_html(app)
    app.text_input(key=selection.FIND).set_value("0777").run()
    (box,) = app.checkbox
    assert not box.value
    app.button(key="tick-all").click().run()
    app.text_input(key=selection.FIND).set_value("0778").run()
    app.checkbox[0].check().run()
    app.text_input(key=selection.FIND).set_value("").run()

    # Neither of the two is drawn now; both count.
    assert "2 of 2,000 searched" in page_html(app)
    assert "Searching 2 of 2,000 documents" in page_html(app)


def test_reset_says_what_goes_and_another_window_survives_it(open_app: Open) -> None:
    services = ScriptedServices(library=library(3))
    other = open_app(services)
    app = open_app(services)

    app.button(key="reset").click().run()
    asked = page_html(app)
    app.button(key="reset-now").click().run()
    other.run()

    assert "3 documents are removed from this computer" in asked
    assert "the sample documents are added again" in asked
    assert "<strong>The demo was reset.</strong> 0 vectors" in page_html(app)
    assert "The demo was reset in another window." in page_html(other)
    assert other.session_state[state.ANNOUNCED] == "The demo was reset in another window."
    assert [document.name for document in services.library] == ["sample.pdf"]


def test_an_empty_library_offers_no_reset(open_app: Open) -> None:
    app = open_app(ScriptedServices())

    assert not [button for button in app.button if button.key == "reset"]


def test_hostile_names_are_plain_text_in_every_list(open_app: Open, shared: Path) -> None:
    import runpy

    from rag.library.documents import shown_name

    hostile: list[str] = runpy.run_path(str(shared / "hostile" / "make_hostile.py"))["NAMES"]
    shown = sorted({shown_name(name) for name in hostile})
    for start in range(0, len(shown), 20):
        documents = [make_document(name) for name in shown[start : start + 20]]
        services = ScriptedServices(library=documents)
        services.intake.pairs = [
            SameName(name=d.name, new=d, old=d, is_wanted=False) for d in documents
        ]
        services.running = [make_progress(d, pages=(1, 9)) for d in documents]
        app = open_app(services)

        html = page_html(app)
        assert not re.search(r"<(img|script)\b", html)
        for element in [*app.checkbox, *app.button]:
            assert not re.search(r"]\(|!\[|(?<!\\):(red|material)\b(?!\ufeff)", element.label)
        assert not app.exception


@pytest.mark.parametrize("name", ["<b>x</b>.pdf", ":red[x] $x^2$.pdf", "![a](http://h/n.png).pdf"])
def test_a_name_that_is_markup_is_shown_letter_by_letter(open_app: Open, name: str) -> None:
    from html import escape

    document = make_document(name)
    services = ScriptedServices(library=[document, REPORT])
    services.intake.pairs = [SameName(name=name, new=document, old=document, is_wanted=False)]
    services.running = [make_progress(document, pages=(3, 9))]

    app = open_app(services)

    label = app.checkbox(key=f"tick-{document.id}").label
    assert "](http" not in label
    assert ":red[" not in label
    html = page_html(app)
    assert f"{escape(name)} is in the library with other content" in html
    assert name not in html or escape(name) == name


def test_a_question_that_comes_in_with_a_file_is_asked(open_app: Open) -> None:
    answer = make_answer("What rose?", "Output rose. [1]", [make_hit(REPORT)])
    services = ScriptedServices(library=[REPORT], answers=[answer])
    app = open_app(services)

    app.chat_input(key="ask").set_value("What rose?")  # no run yet: both arrive together
    upload(app, [("new.pdf", b"new")])

    assert [asked[0] for asked in services.asked] == ["What rose?"]
    assert "new.pdf" in [document.name for document in services.library]
