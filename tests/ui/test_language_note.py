"""The badge and the note of a document in a language that the embedder does not read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from streamlit.util import calc_hash

from tests.ui.conftest import page_html
from tests.ui.scripted import ScriptedServices, make_document, make_status
from tests.ui.scripted_coverage import choose

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from tests.ui.conftest import Open

KOREAN = make_document("펌프.pdf", language="ko")
ENGLISH = make_document("pump.pdf", language="en")
NOTE = "This document is in Korean; the current embedder, minilm, was trained on English"
BADGE = '<span class="f-icon"></span>Korean</span>'


def _documents(app: AppTest) -> AppTest:
    app._page_hash = calc_hash("documents")
    return app.run()


def test_a_document_in_another_language_has_a_badge_and_a_note_when_it_is_chosen(
    open_app: Open,
) -> None:
    app = _documents(open_app(ScriptedServices(library=[ENGLISH, KOREAN])))

    assert NOTE not in page_html(app)
    choose(app, 1)

    assert f'f-badge f-warn">{BADGE}' in page_html(app)
    assert f"<strong>{NOTE}, so it is found mainly by exact words.</strong>" in page_html(app)


def test_english_and_unknown_documents_have_neither(open_app: Open) -> None:
    unknown = make_document("scan.pdf")
    app = _documents(open_app(ScriptedServices(library=[ENGLISH, unknown])))

    for row in (0, 1):
        choose(app, row)
        assert "English" not in page_html(app)
        assert "exact words" not in page_html(app)


def test_with_an_embedder_of_many_languages_the_badge_is_plain(open_app: Open) -> None:
    status = replace(make_status(), embedder="gemma")
    app = _documents(open_app(ScriptedServices(library=[KOREAN], state=status)))

    assert f'f-badge f-plain">{BADGE}' in page_html(app)
    assert "exact words" not in page_html(app)


def test_a_document_that_becomes_searchable_tells_its_language_once(open_app: Open) -> None:
    services = ScriptedServices(library=[make_document("펌프.pdf", "working")])
    app = open_app(services)

    services.library = [make_document("펌프.pdf", "readable", language="ko")]
    app.run()
    assert f"<strong>펌프.pdf can be searched.</strong> {NOTE}" in page_html(app)

    services.library = [KOREAN, make_document("second.pdf", language="ko")]
    app.run()
    assert page_html(app).count("can be searched.") == 1


def test_documents_that_were_there_before_are_not_told_of(open_app: Open) -> None:
    app = open_app(ScriptedServices(library=[KOREAN]))
    app.run()

    assert "can be searched." not in page_html(app)
