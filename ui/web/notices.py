"""Messages that stay until they are dismissed, with what can be done about each. Draws only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui.views import needs_password
from ui.web import passwords, pieces, selection, state, uploads, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from uuid import UUID

    from rag.types import Document
    from ui.services import Services
    from ui.views import SameName

MAX_ASKED = 5  # questions about names at once


def show(*, asks_passwords: bool = True) -> None:
    """Draw them, the questions that wait for an answer first.

    Args:
        asks_passwords: Put a password field under each that is about a locked document;
            else leave those out, since the rows of the Documents page say and ask the same.
    """
    services = state.services()
    _ask_which(services, services.intake.same_names())
    found = state.notices()
    failed = {d.id: d for d in services.documents() if d.state == "failed"} if found else {}
    waiting = {id_: d for id_, d in failed.items() if needs_password(d)}
    if not asks_passwords:
        found = [notice for notice in found if notice.document_id not in waiting]
    if not found:
        return
    with st.container(key="notices", gap="small"):
        for place, notice in enumerate(_folded(found, waiting)):
            _notice(services, notice, place, failed)
            if notice.document_id in waiting:  # two messages about one file, one field
                passwords.ask_to_read(waiting.pop(notice.document_id), "notice")
        with st.container(horizontal=True, horizontal_alignment="right", key="acts-notices"):
            st.button("Dismiss", type="tertiary", key="dismiss", on_click=state.forget_notices)


def _folded(found: Sequence[state.Notice], apart: Container[UUID]) -> list[state.Notice]:
    """Many messages of files that failed as one with a list, where the first of them stood.

    They come one by one while a folder is read, and would push the page out of sight.
    """
    failed = [n for n in found if n.document_id is not None and n.document_id not in apart]
    if len(failed) <= uploads.MAX_SINGLE:
        return list(found)
    folded = state.Notice(
        tone="warn",
        strong=f"{wording.count(len(failed), 'file')} were not read.",
        lines=tuple(f"{n.strong} {n.rest}" for n in failed[: uploads.MAX_LINES]),
    )
    return [
        folded if notice is failed[0] else notice
        for notice in found
        if notice is failed[0] or notice not in failed
    ]


def _notice(
    services: Services, notice: state.Notice, place: int, failed: dict[UUID, Document]
) -> None:
    st.html(pieces.note(notice.tone, notice.strong, notice.rest))
    if notice.lines:
        with st.expander("Which files, and why", key=f"which-{place}"):
            st.html(pieces.bullets(notice.lines))
    about = failed.get(notice.document_id) if notice.document_id else None
    can_retry = about is not None and services.intake.can_retry(about)
    if notice.show_id is None and not can_retry:
        return
    with st.container(horizontal=True, key=f"acts-notice-{place}"):
        if notice.show_id is not None:
            st.button(
                "Show it",
                type="tertiary",
                key=f"show-{place}",
                on_click=selection.show_document,
                args=(notice.show_id,),
            )
        if about is not None and can_retry:
            st.button(
                "Try again",
                type="tertiary",
                key=f"retry-{place}",
                on_click=retry,
                args=(services, about.id),
            )


def retry(services: Services, document_id: UUID) -> None:
    """Read a failed document once more; callback of a button."""
    state.forget_notices_of(document_id)
    _try(services.intake.retry, document_id)


def read_again(services: Services, document_id: UUID) -> None:
    """Read the kept file of a document anew; callback of a button."""
    _try(services.read_again, document_id)


def _ask_which(services: Services, pairs: Sequence[SameName]) -> None:
    """Which of two documents of one name is to stay."""
    open_pairs = [pair for pair in pairs if not pair.is_wanted]
    if not open_pairs:
        return
    intake = services.intake
    with st.container(key="same-names", gap="small"):
        for pair in open_pairs[:MAX_ASKED]:
            st.html(pieces.note("file", *_words(pair)))
            with st.container(horizontal=True, key=f"acts-same-{pair.new.id}"):
                for word, call in (
                    ("Replace it", intake.replace_old),
                    ("Keep both", intake.keep_both),
                ):
                    key = f"{word.split()[0].lower()}-{pair.new.id}"
                    st.button(word, key=key, on_click=_try, args=(call, pair.new.id))
        if len(open_pairs) > 1:
            _ask_all(services, open_pairs)


def _ask_all(services: Services, pairs: Sequence[SameName]) -> None:
    ids = [pair.new.id for pair in pairs]
    words = f"all {len(ids):,}"
    with st.container(horizontal=True, vertical_alignment="center", key="acts-same-all"):
        for word, key, call in (
            (f"Replace {words}", "replace-all", services.intake.replace_old),
            (f"Keep {words} beside", "keep-all", services.intake.keep_both),
        ):
            st.button(word, key=key, type="tertiary", on_click=_try, args=(call, *ids))


def _words(pair: SameName) -> tuple[str, str]:
    name, new = wording.cut_name(pair.name), wording.cut_name(pair.new.name)
    added = wording.when(pair.old.added_at)
    strong = f"{name} is in the library with other content (added {added})."
    return strong, f"The new one is kept as {new} until you choose."


def _try(call: Callable[[UUID], None], *document_ids: UUID) -> None:
    for document_id in document_ids:
        try:
            call(document_id)
        except RagError as error:  # gone meanwhile, from another window
            state.tell(state.Notice(tone="info", strong=str(error)))
