"""Takes files in: the drop zone, a folder, and each file's fate in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ingest.detect import SUFFIXES
from rag.errors import RagError
from ui.batch import Batch
from ui.folder import sort_folder
from ui.web import faults, state, wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    from ui.batch import Outcome
    from ui.web.pieces import Tone

    class Upload(Protocol):
        """A file as Streamlit hands it over; of a folder, its name is its path in it."""

        name: str

        def getvalue(self) -> bytes: ...


TYPES = [suffix.lstrip(".") for suffixes in SUFFIXES.values() for suffix in suffixes]
SMALL_S = 0.4  # a few files are in the library when the page is drawn anew
MAX_SINGLE = 3  # messages of one sort; more are one message with a list
MAX_LINES = 200


def drop_zone(place: str) -> None:
    """The uploaders; `place` is "drop" for the big one or "slim" for the sidebar.

    Bytes lie in the server's memory until the widget lets go of them: they are
    written out at once and the widget is replaced by an empty one.
    """
    most_mb = state.services().settings.ingest.max_file_mb
    files = st.file_uploader(
        "Add documents",
        type=TYPES,
        accept_multiple_files=True,
        key=state.upload_key(place),
        max_upload_size=most_mb,
        label_visibility="collapsed",
    )
    with st.container(key=f"folder-{place}"):
        # Every type: what is not read is counted and named, not passed over in silence.
        folder = st.file_uploader(
            "Add a folder",
            accept_multiple_files="directory",
            key=state.upload_key(f"{place}-folder"),
            max_upload_size=most_mb,
            label_visibility="collapsed",
        )
    if files or folder:
        take_in(files or [], folder or [])
        state.reset_uploaders()
        st.rerun()


def take_in(files: Iterable[Upload], folder: Iterable[Upload] = ()) -> None:
    """Hand files over; one that is refused gets its sentence, the rest goes on."""
    state.forget_notices()
    in_order = sorted(folder, key=lambda file: file.name)  # a browser gives them as they come
    found = sort_folder([(file.name, file.getvalue) for file in in_order])
    # A folder that is dropped on the zone comes as files with a path as well.
    single = sort_folder([(file.name, file.getvalue) for file in files], takes_all=True)
    batch = Batch(
        [*single.files, *found.files],
        state.services().intake.add,
        describe=lambda error: faults.sentence(faults.log(error)),
        left_out=found.left_out,
        is_folder=bool(found.files or found.left_out),
    )
    batch.start(SMALL_S)
    state.set_batches([*state.batches(), batch])


def collect() -> None:
    """Tell what became of the drops that are over."""
    over = [batch for batch in state.batches() if batch.is_over]
    if not over:
        return
    state.set_batches([batch for batch in state.batches() if not batch.is_over])
    for batch in over:
        _tell_batch(batch)


def add_sample() -> None:
    """Queue the sample documents; callback of their button."""
    try:
        state.services().add_sample()
    except RagError as error:
        state.tell(state.Notice(tone="warn", strong="No sample was added.", rest=str(error)))


def _tell_batch(batch: Batch) -> None:
    outcomes = batch.outcomes()
    refused = [one for one in outcomes if one.refusal]
    known = [one for one in outcomes if one.same_as]
    if batch.is_folder or len(outcomes) > MAX_SINGLE:
        _tell_sum(batch, len(outcomes) - len(refused) - len(known))
    _tell_refused(refused)
    _tell_known(known)


def _tell_sum(batch: Batch, added: int) -> None:
    """One sentence, "12 files added, 3 left out: .xlsx, .zip"."""
    strong = f"{wording.count(added, 'file')} added"
    strong += f", {wording.left_out(batch.left_out)}." if batch.left_out else "."
    state.tell(state.Notice(tone="ok" if added else "info", strong=strong))


def _tell_refused(refused: Sequence[Outcome]) -> None:
    if len(refused) > MAX_SINGLE:
        lines = tuple(f"{wording.cut_name(one.name)}: {one.refusal}" for one in refused[:MAX_LINES])
        strong = f"{wording.count(len(refused), 'file')} were not added."
        state.tell(state.Notice(tone="warn", strong=strong, lines=lines))
        return
    for one in refused:
        strong = f"{wording.cut_name(one.name)} was not added."
        tone: Tone = "err" if one.is_fault else "warn"
        state.tell(state.Notice(tone=tone, strong=strong, rest=one.refusal))


def _tell_known(known: Sequence[Outcome]) -> None:
    if len(known) > MAX_SINGLE:
        lines = tuple(_same(one) for one in known[:MAX_LINES])
        strong = f"{wording.count(len(known), 'file')} are in the library already."
        state.tell(state.Notice(tone="file", strong=strong, rest="Not added again.", lines=lines))
        return
    for one in known:
        state.tell(
            state.Notice(
                tone="file", strong=_same(one), rest="Not added again.", show_id=one.document_id
            )
        )


def _same(one: Outcome) -> str:
    name = wording.cut_name(one.name)
    if one.same_as == one.name:
        return f"{name} is in the library already."
    return f"{name} has the same content as {wording.cut_name(one.same_as)}."
