"""The Documents page: what was read from each file, what was left out, and deleting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.embed.languages import language_name
from rag.errors import RagError
from ui.views import note_on_language
from ui.web import notices, passwords, pieces, reading, recent, sources, state, turns, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import DeleteReceipt, Document
    from ui.services import Services
    from ui.web.pieces import Tone

PAGE_ROWS = 25
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
    st.html(pieces.meta("What was read from each file, what was left out, and why."))
    notices.show(asks_passwords=False)
    if services.progress():
        with st.container(key="panel"):
            st.html(pieces.section("Being read", "You can ask questions meanwhile."))
            reading.show(services, documents, key="main")
    if not documents:
        st.html(pieces.note("info", "No documents yet.", "Add files on the Ask page."))
    embedder = services.status().embedder
    with st.container(key="files", gap=None):
        for document in _page_of(documents):
            _file(document, note_on_language(document, embedder))
    _confirm(services, documents)


def receipt_notice(receipt: DeleteReceipt) -> state.Notice:
    """What a delete left behind, in one sentence."""
    left = (receipt.points_left, receipt.rows_left, receipt.files_left)
    rest = f"{left[0]} vectors, {left[1]} entries and {left[2]} files of it are left" + (
        " here." if not any(left) else ". Run: folio doctor"
    )
    tone: Tone = "warn" if any(left) else "ok"
    return state.Notice(tone=tone, strong=f"{receipt.name} was deleted.", rest=rest)


def _page_of(documents: Sequence[Document]) -> Sequence[Document]:
    if len(documents) <= PAGE_ROWS:
        return documents
    last = -(-len(documents) // PAGE_ROWS)
    number = int(st.number_input(f"Page, 1 to {last}", 1, last, 1, key="files-page"))
    return documents[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]


def _file(document: Document, note: str) -> None:
    with st.container(key=f"file-{document.id}"):
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"acts-file-{document.id}"
        ):
            st.html(pieces.row(wording.cut_name(document.name), _facts(document)))
            tone, word = TONES[document.state], wording.STATE_WORDS[document.state]
            if document.language not in ("", "en"):
                name = language_name(document.language)
                st.html(pieces.badge("warn" if note else "plain", name), width="content")
            st.html(pieces.badge(tone, word), width="content")
            open_now = st.session_state.get(state.SELECTED) == document.id
            st.button(
                "Hide" if open_now else "Details",
                key=f"details-{document.id}",
                type="tertiary",
                on_click=_select,
                args=(None if open_now else document.id,),
            )
            if st.button("Delete", key=f"delete-{document.id}", type="tertiary"):
                st.session_state[state.CONFIRM] = document.id
        if document.error is not None:
            st.html(pieces.note("warn", "This file was not read.", document.error.message))
            passwords.ask_to_read(document, "row")
        if open_now:
            _details(document, note)


def _facts(document: Document) -> str:
    facts = [wording.contents(document)] if document.state in state.SEARCHABLE else []
    facts += [wording.size(document.size_bytes), wording.when(document.added_at)]
    if document.warnings:
        facts.append(wording.count(len(document.warnings), "remark"))
    return " · ".join(facts)


def _details(document: Document, note: str) -> None:
    pages = "–" if document.page_count is None else f"{document.page_count:,}"
    st.html(
        pieces.strip(
            [
                ("Pages", pages),
                ("Passages", f"{document.text_count:,}"),
                ("Tables", f"{document.table_count:,}"),
                ("Figures", f"{document.figure_count:,}"),
                ("Figures to come", f"{document.figures_pending:,}"),
            ]
        )
    )
    if note:
        first, _, rest = note.partition(". ")
        st.html(pieces.note("info", f"{first.rstrip('.')}.", rest))
    if document.warnings:
        st.html(pieces.section("Left out, and remarks") + pieces.bullets(document.warnings))
    else:
        st.html(pieces.meta("Nothing was left out."))


def _select(document_id: object) -> None:
    st.session_state[state.SELECTED] = document_id


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
    recent.refresh(services)
    state.tell(receipt_notice(receipt))


def _keep() -> None:
    st.session_state[state.CONFIRM] = None
