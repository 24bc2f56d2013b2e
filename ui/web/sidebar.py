"""The library at the left: rows to tick, files being read, the slim drop zone, who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.web import (
    markup,
    pieces,
    polling,
    reading,
    recent,
    reset,
    selection,
    state,
    uploads,
    wording,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from rag.types import Document
    from ui.services import Services

LISTED = 30  # rows at once; each is three elements that every run draws anew
FIND_FROM = 12  # documents from which on a field to find one is of use


def show(services: Services, documents: Sequence[Document]) -> bool:
    """Draw the sidebar; returns whether the Ask page is wanted: a new question, or a chat."""
    uploads.collect()
    reading.tell_news(services)
    fresh = st.button("New question", icon=":material/add:", width="stretch", key="new-question")
    st.html(pieces.section("Library", _count_line(documents)))
    if not documents:
        st.html(pieces.meta("Documents you add appear here. Tick the ones you want to search."))
    _rows(documents)
    reading.show(services, documents, key="side")
    if documents:
        uploads.drop_zone("slim")
    chosen = recent.show(services)
    _who_answers(services)
    reset.offer(services)
    if fresh:
        state.start_over()
    elif chosen is not None:
        recent.open_chat(services, chosen)
    return fresh or chosen is not None


def _rows(documents: Sequence[Document]) -> None:
    """The documents that can be ticked, at most some of them; those not drawn count as well."""
    found = _found(documents)
    if len(selection.searchable(documents)) > 1:
        _tick_all(found, is_part=len(found) < len(documents))
    listed = [d for d in found if d.state in (*selection.SEARCHABLE, "failed")]
    for document in listed[:LISTED]:
        _row(document)
    if len(listed) > LISTED:
        st.html(pieces.meta(f"{LISTED} of {len(listed):,} listed. Find others by their name."))
    elif not found and documents:
        st.html(pieces.meta("No document has this in its name."))


def _found(documents: Sequence[Document]) -> list[Document]:
    """Those whose name holds what is looked for."""
    if len(documents) <= FIND_FROM:
        return list(documents)
    wanted = st.text_input(
        "Find a document",
        key=selection.FIND,
        placeholder="Find a document",
        label_visibility="collapsed",
        max_chars=200,
    )
    words = (wanted or "").casefold().split()
    return [d for d in documents if all(word in d.name.casefold() for word in words)]


def _tick_all(found: Sequence[Document], *, is_part: bool) -> None:
    ids = [document.id for document in found]
    which = "found" if is_part else "all"
    with st.container(horizontal=True, key="acts-ticks", gap="small"):
        for word, key, on in ((f"Tick {which}", "tick-all", True), ("None", "tick-none", False)):
            name = word if on else f"Tick none{' of them' if is_part else ''}"
            st.button(name, key=key, type="tertiary", on_click=_tick, args=(ids, on))


def _tick(ids: Sequence[UUID], on: bool) -> None:
    selection.tick(ids, on=on)


def _row(document: Document) -> None:
    with st.container(key=f"doc-{document.id}"):
        name = wording.short_name(document.name)
        if document.state in selection.SEARCHABLE:
            key = f"{selection.TICK}{document.id}"
            st.session_state[key] = selection.is_ticked(document.id)
            st.checkbox(markup.label(name), key=key, on_change=_ticked, args=(document.id,))
            st.html(pieces.meta(wording.library_line(document)))
        elif document.state == "failed":
            st.html(pieces.row(name, wording.library_line(document)))


def _ticked(document_id: UUID) -> None:
    selection.tick([document_id], on=bool(st.session_state[f"{selection.TICK}{document_id}"]))


def _count_line(documents: Sequence[Document]) -> str:
    searchable, ticked = selection.searchable(documents), selection.scope(documents)
    if not documents:
        return "0 documents"
    if len(ticked) < len(searchable):
        return f"{len(ticked):,} of {len(searchable):,} searched"
    return wording.count(len(documents), "document")


def _who_answers(services: Services) -> None:
    if not services.status().is_looking:
        _draw_who(services)
        return
    polling.until(lambda: not services.status().is_looking, lambda: _draw_who(services))


def _draw_who(services: Services) -> None:
    status = services.status()
    where = f"sends texts and pictures to {status.sent_to}" if status.sent_to else ""
    search = f"Search: {status.embedder}, {where or 'on this computer'}"
    if not status.model:
        answers = f"Answers: quotes only, {status.reason or 'no model set'}"
    else:
        sees = "sees pictures" if status.sees_pictures else "reads captions"
        because = f" ({status.reason})" if status.reason else ""
        answers = f"Answers: {status.model}, {sees}{because}"
    st.html('<hr class="f-rule">' + pieces.meta(search) + pieces.meta(answers))
