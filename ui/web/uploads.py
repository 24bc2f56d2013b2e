"""Takes files in: the drop zone, each file's fate in one sentence, messages that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ingest.detect import SUFFIXES
from rag.errors import RagError
from ui.views import needs_password
from ui.web import faults, passwords, pieces, state, wording

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    class Upload(Protocol):
        """A file as Streamlit hands it over."""

        name: str

        def getvalue(self) -> bytes: ...


TYPES = [suffix.lstrip(".") for suffixes in SUFFIXES.values() for suffix in suffixes]


def drop_zone(place: str) -> None:
    """The uploader; `place` is "drop" for the big one or "slim" for the sidebar.

    Bytes lie in the server's memory until the widget lets go of them: they are
    written out at once and the widget is replaced by an empty one.
    """
    files = st.file_uploader(
        "Add documents",
        type=TYPES,
        accept_multiple_files=True,
        key=state.upload_key(place),
        max_upload_size=state.services().settings.ingest.max_file_mb,
        label_visibility="collapsed",
    )
    if files:
        take_in(files)
        state.reset_uploaders()
        st.rerun()


def take_in(files: Iterable[Upload]) -> None:
    """Hand each file over; one that is refused gets its sentence, the rest goes on."""
    state.forget_notices()
    for file in files:
        name = wording.cut_name(file.name)
        try:
            added = state.services().add_file(file.name, file.getvalue())
        except RagError as error:
            state.tell(state.Notice(tone="warn", strong=f"{name} was not added.", rest=str(error)))
        except Exception as error:  # noqa: BLE001 - the rim of one upload; logged with a reference
            words = faults.sentence(faults.log(error))
            state.tell(state.Notice(tone="err", strong=f"{name} was not added.", rest=words))
        else:
            _tell_duplicate(name, added.duplicate_of)


def add_sample() -> None:
    """Queue the sample documents; callback of their button."""
    try:
        state.services().add_sample()
    except RagError as error:
        state.tell(state.Notice(tone="warn", strong="No sample was added.", rest=str(error)))


def show_notices(*, asks_passwords: bool = True) -> None:
    """Messages of the last uploads and deletes, until they are dismissed.

    Args:
        asks_passwords: Put a password field under each that is about a locked document;
            else leave those out, since the rows of the Documents page say and ask the same.
    """
    found = state.notices()
    waiting = {d.id: d for d in state.services().documents() if needs_password(d)} if found else {}
    if not asks_passwords:
        found = [notice for notice in found if notice.document_id not in waiting]
    if not found:
        return
    with st.container(key="notices", gap="small"):
        for notice in found:
            st.html(pieces.note(notice.tone, notice.strong, notice.rest))
            if notice.document_id in waiting:  # two messages about one file, one field
                passwords.ask_to_read(waiting.pop(notice.document_id), "notice")
        with st.container(horizontal=True, horizontal_alignment="right", key="acts-notices"):
            st.button("Dismiss", type="tertiary", key="dismiss", on_click=state.forget_notices)


def _tell_duplicate(name: str, duplicate_of: str | None) -> None:
    if duplicate_of is None:
        return
    if duplicate_of == name:
        rest = "It is in the library already."
    else:
        rest = f"It has the same content as {wording.cut_name(duplicate_of)}."
    state.tell(state.Notice(tone="file", strong=f"{name} was not added.", rest=rest))
