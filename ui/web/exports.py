"""The Export menu under the last answer. Knows buttons; the file is made when one is clicked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from ui.export.chat import file_name
from ui.export.make import make
from ui.web import pieces, state

if TYPE_CHECKING:
    from ui.export.chat import Format

HELP = "The whole conversation in one file."
CHOICES: tuple[tuple[Format, str, str], ...] = (
    ("html", "Web page (HTML)", "text/html"),
    ("md", "Markdown", "text/markdown"),
)


def button() -> None:
    """The menu, when the conversation is kept and no answer is being written."""
    chat_id, services = state.chat_id(), state.services()
    chat = services.chats.get(chat_id) if chat_id is not None else None
    if chat is None or state.job() is not None:
        return
    with st.popover("Export", type="tertiary", key="export", icon=":material/ios_share:"):
        st.html(pieces.meta(HELP))
        for form, label, mime in CHOICES:
            # Streamlit calls it in a thread of its own when the button is clicked.
            st.download_button(
                label,
                partial(make, services, chat.id, form),
                file_name=file_name(chat.name, form),
                mime=mime,
                key=f"export-{form}",
                type="tertiary",
                icon=":material/download:",
                on_click="ignore",
            )
