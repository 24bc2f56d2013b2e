"""The library at the left: rows to tick, files being read, the slim drop zone, who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui.views import note_on_language
from ui.web import markup, pieces, recent, state, uploads, wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from rag.types import Document
    from ui.services import Services
    from ui.views import Progress

POLL_S = 1.0
MAX_ROWS = 100
MAX_JOBS = 8


def show(services: Services, documents: Sequence[Document]) -> bool:
    """Draw the sidebar; returns whether the Ask page is wanted: a new question, or a chat."""
    fresh = st.button("New question", icon=":material/add:", width="stretch", key="new-question")
    st.html(pieces.section("Library", _count_line(documents)))
    if not documents:
        st.html(pieces.meta("Documents you add appear here. Tick the ones you want to search."))
    for document in documents[:MAX_ROWS]:
        _row(document)
    reading(services, documents, key="side")
    if documents:
        uploads.drop_zone("slim")
    chosen = recent.show(services)
    _who_answers(services)
    if fresh:
        state.start_over()
    elif chosen is not None:
        recent.open_chat(services, chosen)
    return fresh or chosen is not None


def reading(services: Services, documents: Sequence[Document], *, key: str) -> None:
    """Files being read, redrawn each second while there are any."""
    _tell_failures(documents)
    _tell_languages(services, documents)
    st.session_state[state.SEEN_STATES] = _states(documents)
    if not services.progress():
        return

    @st.fragment(run_every=POLL_S)
    def redraw() -> None:
        known = services.documents()
        # A file that became readable or ready changes rows, scope and notes elsewhere.
        if _states(known) != st.session_state.get(state.SEEN_STATES):
            st.rerun()
        names = {document.id: document.name for document in known}
        running = services.progress()
        for job in running[:MAX_JOBS]:
            _job(services, job, names.get(job.document_id, job.name), key)

        if len(running) > MAX_JOBS:
            st.html(pieces.meta(f"{len(running) - MAX_JOBS} more wait"))

    redraw()


def _job(services: Services, job: Progress, name: str, key: str) -> None:
    with st.container(
        horizontal=True, vertical_alignment="top", key=f"job-{key}-{job.document_id}", gap="xsmall"
    ):
        waits = job.state == "queued"
        share = None if waits else wording.progress_share(job)
        st.html(pieces.job(wording.cut_name(name), wording.progress_line(job), share))
        st.button(
            "Cancel",
            key=f"acts-cancel-{key}-{job.document_id}",
            type="tertiary",
            on_click=_cancel,
            args=(services, job.document_id),
        )


def _tell_failures(documents: Sequence[Document]) -> None:
    """A message for each file that failed since the last look of this visitor."""
    seen = st.session_state.get(state.SEEN_STATES)
    if seen is None:  # first look: what failed long ago stands on the Documents page
        return
    before = dict(seen)
    for document in documents:
        failed = document.state == "failed" and before.get(str(document.id)) != "failed"
        if failed and document.error is not None:
            strong = f"{wording.cut_name(document.name)} was not read."
            notice = state.Notice(
                tone="warn", strong=strong, rest=document.error.message, document_id=document.id
            )
            state.tell(notice)


def _tell_languages(services: Services, documents: Sequence[Document]) -> None:
    """What to expect of a document that can be searched since the last look, once a language."""
    seen = st.session_state.get(state.SEEN_STATES)
    if seen is None:
        return
    before, told = dict(seen), st.session_state.setdefault(state.TOLD_LANGUAGES, set())
    for document in state.searchable(documents):
        is_new = before.get(str(document.id)) not in state.SEARCHABLE
        if not is_new or document.language in told:
            continue
        note = note_on_language(document, services.status().embedder)
        if note:
            told.add(document.language)
            strong = f"{wording.cut_name(document.name)} can be searched."
            state.tell(state.Notice(tone="info", strong=strong, rest=note))


def _cancel(services: Services, document_id: UUID) -> None:
    try:
        services.cancel(document_id)
    except RagError as error:  # it was just finished, or deleted in another window
        state.tell(state.Notice(tone="info", strong=str(error)))


def _row(document: Document) -> None:
    with st.container(key=f"doc-{document.id}"):
        name = wording.cut_name(document.name)
        if document.state in state.SEARCHABLE:
            key = f"{state.TICK}{document.id}"
            st.session_state.setdefault(key, True)
            st.checkbox(markup.label(name), key=key)
            st.html(pieces.meta(wording.library_line(document)))
        elif document.state == "failed":
            st.html(pieces.row(name, wording.library_line(document)))


def _count_line(documents: Sequence[Document]) -> str:
    searchable, ticked = state.searchable(documents), state.scope(documents)
    if not documents:
        return "0 documents"
    if len(ticked) < len(searchable):
        return f"{len(ticked)} of {len(searchable)} searched"
    return wording.count(len(documents), "document")


def _states(documents: Sequence[Document]) -> tuple[tuple[str, str], ...]:
    return tuple((str(document.id), document.state) for document in documents)


def _who_answers(services: Services) -> None:
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
