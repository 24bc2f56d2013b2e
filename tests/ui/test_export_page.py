"""The Export menu under the last answer, run without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamlit.testing.v1 import AppTest

from tests.ui.conftest import ask
from tests.ui.scripted import ScriptedServices, make_answer, make_document, make_hit

if TYPE_CHECKING:
    from tests.ui.conftest import Open

REPORT = make_document("report.pdf")
ANSWERS = [
    make_answer("What rose?", "Output rose 42 per cent. [1]", [make_hit(REPORT)]),
    make_answer("And cost?", "Cost fell. [1]", [make_hit(REPORT)]),
]


def offered(app: AppTest) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]  # type: ignore[attr-defined]


def test_a_conversation_is_exported_from_under_its_last_answer_only(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT], answers=list(ANSWERS))
    app = open_app(services)
    assert offered(app) == []

    app = ask(ask(app, "What rose?"), "And cost?")

    assert offered(app) == ["Web page (HTML)", "Markdown"]
    button = app.get("download_button")[0]
    assert button.proto.ignore_rerun  # type: ignore[attr-defined]
    assert button.proto.deferred_file_id  # type: ignore[attr-defined]  # made when it is clicked
    assert not button.proto.url  # type: ignore[attr-defined]


def test_an_answer_that_is_not_kept_offers_no_export(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT], answers=list(ANSWERS))
    services.chats.is_full = True

    app = ask(open_app(services), "What rose?")

    assert offered(app) == []
