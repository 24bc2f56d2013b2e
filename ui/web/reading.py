"""Files on their way in, redrawn each second while there are any, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui.views import note_on_language
from ui.web import pieces, polling, selection, state, wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.types import Document
    from ui.news import News
    from ui.services import Services
    from ui.views import Progress
    from ui.web.pieces import Tone

MAX_JOBS = 8


def is_busy(services: Services) -> bool:
    """Whether anything is on its way, so that there is something to look at each second."""
    return bool(services.progress() or state.batches() or services.reset.state)


def show(services: Services, documents: Sequence[Document], *, key: str) -> None:
    """What is read and what waits; nothing is polled while nothing is."""
    _tell_failures(documents)
    _tell_languages(services, documents)
    st.session_state[state.SEEN_STATES] = {str(d.id): d.state for d in documents}
    if not is_busy(services):
        return

    polling.until(lambda: _has_news(services), lambda: _draw(services, key))


def _has_news(services: Services) -> bool:
    """A file that became readable or ready changes rows, scope and notes elsewhere."""
    has_changed = _states(services) != st.session_state.get(state.SEEN_STATES)
    is_over = any(batch.is_over for batch in state.batches())
    return has_changed or is_over or not is_busy(services)


def tell_news(services: Services) -> None:
    """Messages about what no state of a document tells, once a visitor."""
    board = services.intake.news
    told = st.session_state.get(state.NEWS)
    st.session_state[state.NEWS] = board.last
    if told is None:  # first look: what happened before is not news
        return
    for news in board.after(told):
        if news.kind == "reset":
            _tell_reset(news)
        else:
            tone, strong, rest = _words(news)
            state.tell(state.Notice(tone=tone, strong=strong, rest=rest))


def _words(news: News) -> tuple[Tone, str, str]:
    name = wording.cut_name(news.name)
    match news.kind:
        case "replaced":
            return "ok", f"{name} was replaced.", "Answers from the old one keep name and page."
        case "not_replaced":
            return "warn", f"{name} was not replaced; the old one stays.", news.message
        case "read_again":
            return "ok", f"{name} was read again.", ""
    return "warn", f"{name} was not read again; what is here of it stays.", news.message


def _tell_reset(news: News) -> None:
    began_here = st.session_state.pop(state.RESETTING, False)
    if not began_here:  # what this page shows is gone
        state.start_over()
        state.forget_notices()
    selection.unticked().clear()
    st.session_state[selection.SELECTED] = None
    if news.name:
        notice = state.Notice(tone="warn", strong="The reset stopped.", rest=news.message)
    elif began_here:
        notice = state.Notice(tone="ok", strong="The demo was reset.", rest=news.message)
    else:
        strong = "The demo was reset in another window."
        rest = "Its documents and conversations are gone; the sample documents are added again."
        notice = state.Notice(tone="info", strong=strong, rest=rest)
        # An answer that was being written here was not stopped by this visitor.
        st.session_state[state.ANNOUNCED] = strong
    state.tell(notice)


def _draw(services: Services, key: str) -> None:
    resetting = services.reset.state
    if resetting is not None:
        words = f"{resetting.done:,} of {wording.count(resetting.total, 'document')} removed"
        st.html(pieces.job("Resetting the demo", words, None))
    for batch in state.batches():
        words = f"{batch.done:,} of {wording.count(batch.total, 'file')} taken in"
        st.html(pieces.job("Adding files", words, batch.done / max(1, batch.total)))
    running = services.progress()
    series = services.intake.series()
    if series is not None and series.total > 1:
        st.html(pieces.meta(wording.series_line(series)))
    for job in running[:MAX_JOBS]:
        _job(services, job, key)
    if len(running) > MAX_JOBS:
        st.html(pieces.meta(f"{len(running) - MAX_JOBS:,} more wait"))


def _job(services: Services, job: Progress, key: str) -> None:
    with st.container(
        horizontal=True, vertical_alignment="top", key=f"job-{key}-{job.document_id}", gap="xsmall"
    ):
        waits = job.state == "queued" or job.ahead
        share = None if waits else wording.progress_share(job)
        st.html(pieces.job(wording.short_name(job.name), wording.progress_line(job), share))
        st.button(
            "Cancel",
            key=f"acts-cancel-{key}-{job.document_id}",
            type="tertiary",
            on_click=_cancel,
            args=(services, job),
        )


def _cancel(services: Services, job: Progress) -> None:
    try:
        services.cancel(job.document_id)
    except RagError as error:  # it was just finished, or deleted in another window
        state.tell(state.Notice(tone="info", strong=str(error)))
        return
    strong = f"{wording.cut_name(job.name)} is not read."
    rest = "What was here of it stays." if job.is_again else "Nothing of it is kept."
    state.tell(state.Notice(tone="info", strong=strong, rest=rest))


def _tell_failures(documents: Sequence[Document]) -> None:
    """A message for each file that failed since the last look of this visitor."""
    before = _seen()
    if before is None:  # first look: what failed long ago stands on the Documents page
        return
    failed = [d for d in documents if d.state == "failed" and before.get(str(d.id)) != "failed"]
    for document in failed:
        if document.error is not None:
            strong = f"{wording.cut_name(document.name)} was not read."
            rest = wording.reason(document.name, document.error.message)
            state.tell(state.Notice(tone="warn", strong=strong, rest=rest, document_id=document.id))


def _tell_languages(services: Services, documents: Sequence[Document]) -> None:
    """What to expect of a document that can be searched since the last look, once a language."""
    before = _seen()
    if before is None:
        return
    told = st.session_state.setdefault(state.TOLD_LANGUAGES, set())
    for document in selection.searchable(documents):
        is_new = before.get(str(document.id)) not in selection.SEARCHABLE
        if not is_new or document.language in told:
            continue
        note = note_on_language(document, services.status().embedder)
        if note:
            told.add(document.language)
            strong = f"{wording.cut_name(document.name)} can be searched."
            state.tell(state.Notice(tone="info", strong=strong, rest=note))


def _seen() -> Mapping[str, str] | None:
    return st.session_state.get(state.SEEN_STATES)


def _states(services: Services) -> dict[str, str]:
    return {str(id_): known for id_, (_, known) in services.intake.states().items()}
