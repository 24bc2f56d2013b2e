"""The app without a browser, on scripted services put in at the one seam."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT
from tests.ui.scripted import ScriptedServices

if TYPE_CHECKING:
    from streamlit.testing.v1.element_tree import Element

Open = Callable[[ScriptedServices], AppTest]


@pytest.fixture(scope="session", autouse=True)
def _components_read_once() -> Iterator[None]:
    """Each page of a test has a runtime of its own, which reads of all installed packages anew."""
    once = cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the app on scripted services, as served: with the policy behind it."""
    monkeypatch.setenv("FOLIO_SERVE_CHILD", "1")

    def start(services: ScriptedServices) -> AppTest:
        monkeypatch.setattr("ui.services.build", lambda _settings: services)
        st.cache_resource.clear()
        return AppTest.from_file(str(ROOT / "app.py"), default_timeout=20).run()

    yield start
    st.cache_resource.clear()


def page_html(app: AppTest) -> str:
    """All of our own HTML on the page, without the style sheet."""
    found: list[Element] = list(app.get("html"))
    bodies = [str(element.proto.body) for element in found]  # type: ignore[attr-defined]
    return "\n".join(body for body in bodies if not body.startswith("<style"))


def page_text(app: AppTest) -> str:
    """All Markdown and plain text on the page."""
    return "\n".join([*(m.value for m in app.markdown), *(t.value for t in app.text)])


def ask(app: AppTest, question: str) -> AppTest:
    """Ask, and look again until the answer is there."""
    app.chat_input(key="ask").set_value(question).run()
    return settle(app)


def settle(app: AppTest) -> AppTest:
    """Run again until no answer is being written; a fragment does not tick by itself here."""
    for _ in range(200):
        if not any(button.key == "stop" for button in app.button):
            return app
        time.sleep(0.01)
        app.run()
    message = "the answer never ended"
    raise AssertionError(message)
