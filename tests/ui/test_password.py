"""Asking for the password of an encrypted document, run without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamlit.util import calc_hash

from rag.types import Failure
from tests.ui.conftest import ask, page_html
from tests.ui.scripted import ScriptedServices, make_answer, make_document, make_hit
from ui.web import sources, state

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from tests.ui.conftest import Open

REPORT = make_document("report.pdf")
LOCKED = make_document(
    "locked.pdf",
    "failed",
    error=Failure(kind="encrypted", message="locked.pdf is protected by a password."),
)


def _documents(app: AppTest) -> AppTest:
    app._page_hash = calc_hash("documents")
    return app.run()


def _enter(app: AppTest, place: str, password: str) -> AppTest:
    document = REPORT if place == "page" else LOCKED
    app.text_input(key=f"secret-{place}-{document.id}").set_value(password)
    return app.button(key=f"open-{place}-{document.id}").click().run()


def _keys(app: AppTest) -> str:
    return repr(app.session_state)


def test_the_row_of_a_locked_document_asks_and_hands_the_password_on(open_app: Open) -> None:
    services = ScriptedServices(library=[LOCKED])
    app = _documents(open_app(services))
    assert "Needs its password. See Documents." in page_html(app)

    _enter(app, "row", "honey")

    assert services.passwords == [(LOCKED.id, "honey")]
    assert not any(field.key == f"secret-row-{LOCKED.id}" for field in app.text_input)
    assert "honey" not in _keys(app)


def test_the_message_after_an_upload_asks_as_well(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT, make_document("locked.pdf", "working")])
    app = open_app(services)
    services.library[1] = LOCKED
    app.run()
    assert "locked.pdf was not read." in page_html(app)

    _enter(app, "notice", "honey")

    assert services.passwords == [(LOCKED.id, "honey")]
    assert "locked.pdf was not read." not in page_html(app), "the message is gone, it is tried"


def test_documents_asks_in_the_row_and_not_in_a_message_as_well(open_app: Open) -> None:
    services = ScriptedServices(library=[make_document("locked.pdf", "working")])
    app = open_app(services)
    services.library[0] = LOCKED
    app.run()

    _documents(app)

    assert [field.key for field in app.text_input] == [f"secret-row-{LOCKED.id}"]
    assert "locked.pdf was not read." not in page_html(app)


def test_a_wrong_password_is_asked_for_again(open_app: Open) -> None:
    services = ScriptedServices(library=[LOCKED])
    app = _enter(_documents(open_app(services)), "row", "wax")
    failure = Failure(kind="encrypted", message="The password for locked.pdf is wrong.")
    services.library[0] = make_document("locked.pdf", "failed", error=failure)

    app.run()
    assert "The password for locked.pdf is wrong." in page_html(app)
    _enter(app, "row", "honey")

    assert [password for _, password in services.passwords] == ["wax", "honey"]


def test_an_empty_field_opens_nothing(open_app: Open) -> None:
    services = ScriptedServices(library=[LOCKED])

    _enter(_documents(open_app(services)), "row", "")

    assert services.passwords == []


def test_a_document_that_failed_otherwise_is_not_asked_about(open_app: Open) -> None:
    failure = Failure(kind="corrupt", message="It is damaged.")
    bad = make_document("bad.pdf", "failed", error=failure)

    app = _documents(open_app(ScriptedServices(library=[bad])))

    assert "It is damaged." in page_html(app)
    assert not list(app.text_input)


def test_a_page_picture_asks_again_and_is_then_drawn(open_app: Open) -> None:
    sources.marked_page.clear()
    answer = make_answer("q", "Rose. [1]", [make_hit(REPORT)])
    services = ScriptedServices(library=[REPORT], answers=[answer], page_password="honey")
    app = ask(open_app(services), "q")
    app.session_state[state.OPEN] = state.OpenSource(turn=0, marker=1)
    app.run()
    assert "The page picture needs the password again." in page_html(app)

    _enter(app, "page", "wax")
    assert "This password is wrong." in page_html(app)
    assert not list(app.image)
    _enter(app, "page", "honey")

    assert len(list(app.image)) == 1
    assert "honey" not in _keys(app)
