"""The chat box: words, a picture, files that are dropped there, and what is searched.

Knows what a visitor hands over. What is asked then is started by `ui.web.chat`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui.question_picture import is_picture, new_picture
from ui.web import faults, pieces, polling, selection, state, uploads, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamlit.typing import ChatInputValue

    from rag.types import Document
    from ui.question_picture import NewPicture
    from ui.services import Services
    from ui.web.uploads import Upload

PLACEHOLDER = "Ask about your documents, or paste a picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was put into the chat box."""

    question: str
    picture: NewPicture | None = None


def show(services: Services, documents: Sequence[Document]) -> Asked | None:
    """Draw the chat box and the line under it; returns a question that was just put."""
    with st.bottom:
        for notice in state.box_notices():
            st.html(pieces.note(notice.tone, notice.strong, notice.rest))
        draft = state.take_draft()
        if draft:
            st.session_state[state.ASK] = draft
        # Every type that the library takes: a PDF dropped here must not vanish.
        st.chat_input(
            PLACEHOLDER,
            key=state.ASK,
            on_submit=_hold,
            accept_file="multiple",
            file_type=uploads.TYPES,
            max_upload_size=services.settings.ingest.max_file_mb,
            disabled=not selection.scope(documents) or state.job() is not None,
        )
        _scope_line(services, documents)
    value = state.take_put()
    return _take(services, value) if value else None


def _hold() -> None:
    """Keep what was put: a run that is left early, as after a drop, never comes to the box."""
    state.hold_put(st.session_state[state.ASK])


def _take(services: Services, value: ChatInputValue) -> Asked | None:
    """The question; None when something else has to be said first: then the words stay."""
    pictures = [file for file in value.files if is_picture(file.name)]
    others = [file for file in value.files if not is_picture(file.name)]
    state.set_box_notices([])
    if others:
        _add(services, others)
    asked = _with_picture(services, value.text, pictures) if pictures else None
    if asked is None and not value.files:
        return Asked(question=value.text)
    if asked is None:
        state.set_draft(value.text)
        st.rerun()
    return asked


def _with_picture(services: Services, words: str, pictures: Sequence[Upload]) -> Asked | None:
    first, *more = pictures
    name = wording.cut_name(first.name)
    try:
        picture = new_picture(first.getvalue(), first.name, services.settings.ingest)
    except RagError as error:
        _refuse(f"{name} was not used.", str(error))
        return None
    except Exception as error:  # noqa: BLE001 - the rim of one picture; logged with a reference
        _refuse(f"{name} was not used.", faults.sentence(faults.log(error)))
        return None
    if more:
        left = wording.count(len(more), "picture")
        rest = f"{name} was used, {left} left out. To search them later, add them as documents."
        tell(state.Notice(tone="info", strong="A question takes one picture.", rest=rest))
    return Asked(question=words, picture=picture)


def _refuse(strong: str, rest: str) -> None:
    tell(state.Notice(tone="warn", strong=strong, rest=rest))


def tell(notice: state.Notice) -> None:
    """Say something where the visitor looks and, to who does not see it, in the live region."""
    state.set_box_notices([*state.box_notices(), notice])
    st.session_state[state.ANNOUNCED] = f"{notice.strong} {notice.rest}"


def _add(services: Services, files: Sequence[Upload]) -> None:
    """Add documents that were dropped on the chat box to the library, and say so.

    They cannot be asked about yet, and the rest of the library is not what was meant:
    nothing is asked, the words stay in the box.
    """
    known = {document.id for document in services.documents()}
    uploads.take_in(files)
    uploads.collect()
    refused = state.notices()
    for notice in refused:  # at the top of a long page nobody would see them
        tell(notice)
    state.forget_notices()
    added = [document for document in services.documents() if document.id not in known]
    if refused and not added:
        return
    names = [document.name for document in added] or [file.name for file in files]
    which = wording.cut_name(names[0])
    if len(names) > 1:
        which = wording.count(len(names), "document")
    verb = ("was" if len(names) == 1 else "were") + " added" if added else "goes"
    rest = "You can ask as soon as the text is ready."
    tell(state.Notice(tone="file", strong=f"{which} {verb} to the library.", rest=rest))


def _scope_line(services: Services, documents: Sequence[Document]) -> None:
    ticked, searchable = selection.scope(documents), selection.searchable(documents)
    unread = sum(document.state in ("queued", "working") for document in documents)

    def draw() -> None:
        running = services.progress()
        line = wording.scope_line(
            len(ticked), len(searchable), unread, wording.figures_line(running)
        )
        st.html(f'<div class="f-scope">{pieces.meta(line)}</div>')

    # Polls only while something is read; the page is drawn anew when a text becomes ready.
    if services.progress():
        st.fragment(draw, run_every=polling.POLL_S)()
    else:
        draw()
