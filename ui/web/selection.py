"""Which documents this session has ticked to be searched, and which one it looks at.

Keys of the session, like `state`. Draws nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from rag.types import Document

TICK = "tick-"  # + document id
UNTICKED = "unticked"  # a widget's own state goes when it is not drawn
FIND = "find_document"
SELECTED = "selected_document"
JUMPS = "jumps_to_documents"
GO_DOCUMENTS = "go_to_documents"
SEARCHABLE = ("readable", "ready")


def unticked() -> set[UUID]:
    """The documents that are not searched, drawn or not."""
    return cast("set[UUID]", st.session_state.setdefault(UNTICKED, set()))


def is_ticked(document_id: UUID) -> bool:
    """Whether a document is searched; new ones are."""
    return document_id not in unticked()


def tick(document_ids: Iterable[UUID], *, on: bool) -> None:
    """Search these documents, or do not."""
    if on:
        unticked().difference_update(document_ids)
    else:
        unticked().update(document_ids)


def searchable(documents: Sequence[Document]) -> list[Document]:
    """Those whose text can be searched already."""
    return [document for document in documents if document.state in SEARCHABLE]


def scope(documents: Sequence[Document]) -> list[Document]:
    """The searchable documents that are ticked."""
    off = unticked()  # once: each look into the session costs, and there may be thousands
    return [document for document in searchable(documents) if document.id not in off]


def choose_document(document_id: UUID | None) -> None:
    """Choose a row of the Documents page from outside of its table."""
    st.session_state[SELECTED] = document_id
    # The table gets a new key, so that it opens at this row instead of keeping its own.
    st.session_state[JUMPS] = st.session_state.get(JUMPS, 0) + 1


def show_document(document_id: UUID) -> None:
    """Go to the Documents page and open this document there."""
    choose_document(document_id)
    st.session_state[GO_DOCUMENTS] = True
