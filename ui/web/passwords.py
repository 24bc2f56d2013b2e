"""Asks for the password of an encrypted document. Hands it on at once and keeps nothing.

The field is emptied when it is sent, so the password leaves the session with the script
run that used it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import EncryptedFileError, RagError
from ui.views import needs_password
from ui.web import pieces, state, wording

if TYPE_CHECKING:
    from uuid import UUID

    from rag.types import Document


def ask_to_read(document: Document, place: str) -> None:
    """The field for a document that waits for its password; nothing for any other."""
    if not needs_password(document):
        return
    password = _field(document.id, place, "Open")
    if not password:
        return
    state.forget_notices_of(document.id)
    try:
        state.services().unlock(document.id, password)
    except RagError as error:
        strong = f"{wording.cut_name(document.name)} was not opened."
        state.tell(state.Notice(tone="warn", strong=strong, rest=str(error)))
    st.rerun()


def ask_for_page(document_id: UUID, page_number: int) -> None:
    """The field for a page picture; its text was read with a password that is forgotten."""
    st.html(pieces.note("lock", "The page picture needs the password again."))
    password = _field(document_id, "page", "Show page")
    if not password:
        return
    try:
        state.services().page_picture(document_id, page_number, password)
    except EncryptedFileError:
        st.html(pieces.note("warn", "This password is wrong.", "Check it and try again."))
        return
    st.rerun()


def _field(document_id: UUID, place: str, button: str) -> str:
    """What was just entered, "" when nothing was."""
    with (
        st.form(f"unlock-{place}-{document_id}", clear_on_submit=True, border=False),
        st.container(
            horizontal=True, vertical_alignment="bottom", key=f"password-{place}-{document_id}"
        ),
    ):
        password = st.text_input(
            "Password",
            type="password",
            key=f"secret-{place}-{document_id}",
            max_chars=1_000,
            autocomplete="off",
            width=280,
        )
        sent = st.form_submit_button(button, key=f"open-{place}-{document_id}")
    return password if sent else ""
