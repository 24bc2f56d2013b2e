"""What every page shares: look, navigation, sidebar, drawer. Knows the pages, no retrieval."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui.web import (
    about,
    chat,
    documents,
    inspect,
    live,
    models,
    pieces,
    recent,
    reset,
    selection,
    sidebar,
    sources,
    state,
    trial,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Document

STATIC = Path(__file__).parent / "static"
STYLE = Path(__file__).parent / "style.css"
# A fixed choice of two strings: Streamlit sets it on its app element only, and
# dialogs live outside of that.
SCHEMES = {
    "dark": "<style>:root{color-scheme:dark}</style>",
    "light": "<style>:root{color-scheme:light}</style>",
}
BY_HAND = "This page was started by hand, without its protective headers."
BY_HAND_REST = "Answers are shown as plain text. Start it with: make app"


def render() -> None:
    """Draw the page that the address names."""
    _look()
    try:
        services = state.services()
    except RagError as error:
        st.html(pieces.note("err", "Folio cannot open its library.", str(error)))
        return
    found = services.documents()
    ask_page = st.Page(
        lambda: chat.show(services, found), title="Ask", url_path="ask", default=True
    )
    documents_page = st.Page(
        lambda: documents.show(services, found), title="Documents", url_path="documents"
    )
    inspect_page = st.Page(
        lambda: inspect.show(services, found), title="Inspect", url_path="inspect"
    )
    models_page = st.Page(lambda: models.show(services), title="Models", url_path="models")
    trial_page = st.Page(lambda: trial.show(services), title="Test", url_path="test")
    about_page = st.Page(lambda: about.show(services), title="About", url_path="about")
    page = st.navigation(
        [ask_page, documents_page, inspect_page, models_page, trial_page, about_page],
        position="top",
    )
    live.follow_citation()
    if page == ask_page:
        recent.follow_address(services)
    else:
        state.take_put()  # nothing is asked later that was put before the page was left
    with st.sidebar:
        if sidebar.show(services, found):
            chat_id = state.chat_id()
            st.switch_page(
                ask_page, query_params={state.CHAT_PARAMETER: str(chat_id)} if chat_id else None
            )
    if st.session_state.pop(selection.GO_DOCUMENTS, False) and page != documents_page:
        st.switch_page(documents_page)
    if not state.has_headers():
        st.html(pieces.note("warn", BY_HAND, BY_HAND_REST))
    page.run()
    live.follow_dusk()
    count, asked = state.asked()
    live.follow_question(asked, count, is_writing=state.job() is not None)
    live.announce(st.session_state.get(state.ANNOUNCED, ""))
    if not reset.confirm(services) and not recent.confirm(services):
        _drawer(found)
    if found:
        state.warm_up()


def _drawer(found: Sequence[Document]) -> None:
    # Only one dialog a run: a delete that waits for its answer goes first.
    if st.session_state.get(state.CONFIRM) not in {document.id for document in found}:
        sources.show_opened()


def _look() -> None:
    st.html(STYLE)
    scheme = "dark" if st.context.theme.type == "dark" else "light"
    st.html(SCHEMES[scheme])
    dark = scheme == "dark"
    st.logo(str(STATIC / ("logo-dark.svg" if dark else "logo-light.svg")), size="large")
