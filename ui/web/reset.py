"""Back to the sample: the quiet button at the left and the one question before it. Draws only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.web import pieces, state, wording

if TYPE_CHECKING:
    from ui.services import Services


def offer(services: Services) -> None:
    """A button, where there is something that would go."""
    documents, chats = services.reset.counts()
    if services.reset.state is None and (documents or chats):
        with st.container(key="acts-reset"):
            st.button("Reset demo", key="reset", type="tertiary", on_click=_ask)


def confirm(services: Services) -> bool:
    """Ask before everything goes; returns whether it is asked."""
    if not st.session_state.get(state.CONFIRM_RESET) or services.reset.state is not None:
        return False
    st.dialog("Reset the demo?", on_dismiss=_keep)(_ask_reset)(services)
    return True


def _ask_reset(services: Services) -> None:
    st.html(pieces.meta(_what_goes(*services.reset.counts())))
    with st.container(horizontal=True, horizontal_alignment="right", key="acts-confirm"):
        if st.button("Keep everything", key="keep-demo"):
            _keep()
            st.rerun()
        if st.button("Reset", key="reset-now", type="primary"):
            _reset(services)
            st.rerun()


def _what_goes(documents: int, chats: int) -> str:
    what = [wording.count(documents, "document")] if documents else []
    if chats:
        what.append(f"{wording.count(chats, 'conversation')} and their pictures")
    are = "is" if documents + chats == 1 and not chats else "are"
    return (
        f"{', '.join(what)} {are} removed from this computer, those of other visitors as well;"
        " the sample documents are added again. Settings and models stay."
    )


def _reset(services: Services) -> None:
    _keep()
    state.board().stop_all()
    state.start_over()
    state.forget_notices()
    st.session_state[state.RESETTING] = True
    services.reset.start()


def _ask() -> None:
    st.session_state[state.CONFIRM_RESET] = True


def _keep() -> None:
    st.session_state[state.CONFIRM_RESET] = False
