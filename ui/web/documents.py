"""The Documents page: a table of all files, and under it what was read from the chosen one."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

import streamlit as st

from rag.embed.languages import language_name
from rag.errors import RagError
from ui.views import needs_password, note_on_language
from ui.web import (
    coverage,
    notices,
    passwords,
    pieces,
    reading,
    recent,
    selection,
    sources,
    state,
    turns,
    wording,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamlit.elements.lib.column_types import ButtonColumnResult, ColumnConfig

    from rag.types import DeleteReceipt, Document
    from ui.services import Services
    from ui.web.pieces import Tone

ROW_PX, HEAD_PX = 40, 38
MAX_ROWS = 10  # in sight; the table scrolls
TONES: dict[str, Tone] = {
    "queued": "plain",
    "working": "info",
    "readable": "info",
    "ready": "ok",
    "failed": "err",
}


def show(services: Services, documents: Sequence[Document]) -> None:
    """Draw the page."""
    st.html(pieces.title("Documents"))
    with st.container(horizontal=True, vertical_alignment="center", key="documents-head"):
        st.html(pieces.meta("What was read from each file, what was left out, and why."))
        if len(documents) > 1:
            _jump(documents)
    top = st.container()
    if not documents:
        st.html(pieces.note("info", "No documents yet.", "Add files on the Ask page."))
    chosen = _table(documents, services.status().embedder) if documents else None
    with top:
        _news(services, documents, chosen)
    if chosen is not None:
        _chosen(services, chosen)
    _confirm(services, documents)


def receipt_notice(receipt: DeleteReceipt) -> state.Notice:
    """What a delete left behind, in one sentence."""
    left = (receipt.points_left, receipt.rows_left, receipt.files_left)
    rest = f"{left[0]} vectors, {left[1]} entries and {left[2]} files of it are left" + (
        " here." if not any(left) else ". Run: folio doctor"
    )
    tone: Tone = "warn" if any(left) else "ok"
    return state.Notice(tone=tone, strong=f"{receipt.name} was deleted.", rest=rest)


def _news(services: Services, documents: Sequence[Document], chosen: Document | None) -> None:
    # The chosen one asks for its password itself.
    asks = chosen is None or not needs_password(chosen)
    notices.show(asks_passwords=asks)
    if services.progress():
        with st.container(key="panel"):
            st.html(pieces.section("Being read", "You can ask questions meanwhile."))
            reading.show(services, documents, key="main")


def _jump(documents: Sequence[Document]) -> None:
    """Choose a document by typing; the only way by keyboard, a table has none (Streamlit 1.67)."""
    names = {document.id: wording.cut_name(document.name) for document in documents}
    key = f"find-{st.session_state.get(selection.JUMPS, 0)}"
    st.selectbox(
        "Go to a document",
        list(names),
        index=None,
        format_func=lambda id_: names.get(id_, ""),
        placeholder="Go to a document",
        label_visibility="collapsed",
        width=280,
        key=key,
        on_change=_go_to,
        args=(key,),
    )


def _go_to(key: str) -> None:
    selection.choose_document(st.session_state.get(key))


def _table(documents: Sequence[Document], embedder: str) -> Document | None:
    """The table of all documents; returns the chosen one."""
    ids = [document.id for document in documents]
    wanted = st.session_state.get(selection.SELECTED)
    row = ids.index(wanted) if wanted in ids else 0
    # A choice is a row number: with other rows it is another table, opened at the same document.
    rows_id = blake2b(b"".join(id_.bytes for id_ in ids), digest_size=6).hexdigest()
    with st.container(key="files"):
        picked = st.dataframe(
            _rows(documents, embedder),
            hide_index=True,
            column_config=_columns(),
            row_height=ROW_PX,
            height=ROW_PX * min(len(documents), MAX_ROWS) + HEAD_PX,
            placeholder="–",
            on_select="rerun",
            selection_mode="single-row-required",
            selection_default={"selection": {"rows": [row], "columns": [], "cells": []}},
            key=f"files-{rows_id}-{st.session_state.get(selection.JUMPS, 0)}",
            alt="Documents, one row each. Choose a row to see what was read from it.",
        )
    rows = [place for place in picked.selection.rows if place < len(documents)]
    chosen = documents[rows[0]] if rows else None
    st.session_state[selection.SELECTED] = chosen.id if chosen is not None else None
    return chosen


def _rows(documents: Sequence[Document], embedder: str) -> dict[str, list[object]]:
    is_there = [document.state in selection.SEARCHABLE for document in documents]
    return {
        "Name": [document.name for document in documents],
        "Status": [_status(document) for document in documents],
        "Pages": [document.page_count for document in documents],
        "Passages": [document.text_count for document in documents],
        "Tables": [document.table_count for document in documents],
        "Figures": [document.figure_count + document.figures_pending for document in documents],
        "Left out": [document.left_out_count for document in documents],
        "Size": [document.size_bytes for document in documents],
        "Added": [datetime.fromisoformat(document.added_at) for document in documents],
        "Model": [embedder if there else None for there in is_there],
    }


def _columns() -> dict[str, ColumnConfig | ButtonColumnResult | str | None]:
    number = st.column_config.NumberColumn
    return {
        "Name": st.column_config.TextColumn(width=226),
        "Status": st.column_config.TextColumn(width=112),
        "Pages": number(width=62, format="localized"),
        "Passages": number(width=84, format="localized"),
        "Tables": number(width=64, format="localized"),
        "Figures": number(width=70, format="localized"),
        "Left out": number(width=74, format="localized"),
        "Size": number(width=78, format="bytes"),
        "Added": st.column_config.DatetimeColumn(width=138, format="calendar"),
        "Model": st.column_config.TextColumn(width=84),
    }


def _status(document: Document) -> str:
    word = wording.STATE_WORDS[document.state]
    return word if document.error is None else f"{word}: {document.error.message}"


def _chosen(services: Services, document: Document) -> None:
    with st.container(key=f"file-{document.id}"):
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"acts-file-{document.id}"
        ):
            st.html(pieces.document_title(wording.cut_name(document.name)))
            _actions(services, document)
        note = note_on_language(document, services.status().embedder)
        st.html(pieces.badges(_badges(document, note)))
        if document.error is not None:
            st.html(pieces.note("warn", "This file was not read.", document.error.message))
            passwords.ask_to_read(document, "row")
            return
        if note:
            first, _, rest = note.partition(". ")
            st.html(pieces.note("info", f"{first.rstrip('.')}.", rest))
        if document.state in selection.SEARCHABLE:
            coverage.show(services, document)


def _actions(services: Services, document: Document) -> None:
    again = ":material/refresh:"
    if services.intake.can_retry(document):
        st.button(
            "Try again",
            key=f"again-{document.id}",
            icon=again,
            on_click=notices.retry,
            args=(services, document.id),
        )
    elif document.state == "ready":
        st.button(
            "Read again",
            key=f"again-{document.id}",
            icon=again,
            help="Read the kept file anew. What is found of it stays until that is done.",
            on_click=notices.read_again,
            args=(services, document.id),
        )
    if st.button("Delete", key=f"delete-{document.id}", icon=":material/delete:"):
        st.session_state[state.CONFIRM] = document.id


def _badges(document: Document, note: str) -> list[tuple[Tone, str]]:
    badges = [(TONES[document.state], wording.STATE_WORDS[document.state])]
    if document.language not in ("", "en"):
        badges.append(("warn" if note else "plain", language_name(document.language)))
    return badges


def _confirm(services: Services, documents: Sequence[Document]) -> None:
    wanted = st.session_state.get(state.CONFIRM)
    document = next((d for d in documents if d.id == wanted), None)
    if document is None:
        return
    st.dialog("Delete this document?", on_dismiss=_keep)(_ask_delete)(services, document)


def _ask_delete(services: Services, document: Document) -> None:
    st.html(pieces.row(wording.cut_name(document.name), wording.contents(document)))
    st.html(
        pieces.meta(
            "Its text, its pictures and its place in the index are removed from this computer."
            " Answers that cite it keep the name and the page."
        )
    )
    with st.container(horizontal=True, horizontal_alignment="right", key="acts-confirm"):
        if st.button("Keep", key="keep"):
            _keep()
            st.rerun()
        if st.button("Delete", key="delete-now", type="primary"):
            _delete(services, document)
            st.rerun()


def _delete(services: Services, document: Document) -> None:
    _keep()
    state.forget_notices()
    try:
        receipt = services.delete(document.id)
    except RagError as error:
        strong = f"{wording.cut_name(document.name)} was not deleted."
        state.tell(state.Notice(tone="err", strong=strong, rest=str(error)))
        return
    # Pages and words of it may still lie in memory.
    sources.marked_page.clear()
    turns.small_picture.clear()
    coverage.forget_pictures()
    recent.refresh(services)
    state.tell(receipt_notice(receipt))


def _keep() -> None:
    st.session_state[state.CONFIRM] = None
