"""The drawer: one source with its words and its place, the page marked.

Opened from the main script only: a dialog born in a polling fragment goes dead
(Streamlit 1.67). What is open is kept in the session, so a rerun, such as the end
of a streamed answer, draws it again instead of closing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import streamlit as st

from rag.errors import EncryptedFileError, RagError
from ui import boxes, outcome
from ui.web import passwords, pieces, reader, state, wording

if TYPE_CHECKING:
    from rag.types import BBox, Hit, Kind, Source

WIDTH_PX = 620
QUOTE_CHARS = 900
MAX_ROWS = 4  # of a table above its picture, which must stay in sight
MAX_PAGES = 3  # a part over more pages shows the first ones

View = Literal["Page", "Crop"]


def show_opened() -> None:
    """Draw the drawer when a source is open; one that no longer exists shuts it."""
    shown = state.opened()
    if shown is None:
        return
    sources = sources_of(shown.turn)
    place = next((i for i, source in enumerate(sources) if source.marker == shown.marker), None)
    if place is None:
        state.shut_source()
        return
    drawer = st.dialog(
        f"Source {place + 1} of {len(sources)}",
        position="right",
        width=WIDTH_PX,
        on_dismiss=state.shut_source,
    )(_draw)
    drawer(shown, sources, place)


def sources_of(turn: int) -> list[Source]:
    """The sources a turn shows, those of the answer being written, or those of Inspect."""
    job = state.job()
    known = state.turn(turn)
    inspected = state.inspected()
    if turn == state.INSPECT_TURN:
        return list(inspected.sources) if inspected is not None else []
    if turn == state.LOOSE_TURN:
        return state.loose_sources()
    if known is not None:
        return list(outcome.shown_sources(known))
    if job is None:
        return []
    number = job.place.number if job.place else state.next_number()
    return list(job.look().sources) if turn == number else []


def _draw(shown: state.OpenSource, sources: list[Source], place: int) -> None:
    source = sources[place]
    hit = source.hit
    kind = hit.item.kind
    head = pieces.source_head(wording.source_title(hit), wording.source_place_long(hit), kind)
    st.html(head)
    turn = state.turn(shown.turn)
    _draw_words(outcome.quote_of(turn.answer if turn else None, source), kind)
    view = _controls(shown, sources, place)
    if hit.page_number is None:
        reader.show(hit.item.document_id, hit.item.anchor)
    else:
        _draw_picture(source, view)


def _draw_words(quote: str, kind: Kind) -> None:
    rows = outcome.table_rows(quote) if kind == "table" else []
    if rows:
        st.html(pieces.table(rows[0], rows[1 : MAX_ROWS + 1]))
    elif quote:
        st.html(pieces.quote(quote[:QUOTE_CHARS], kind))


def _controls(shown: state.OpenSource, sources: list[Source], place: int) -> View:
    view = shown.view or _first_view(sources[place].hit)
    with st.container(horizontal=True, vertical_alignment="center", key="acts-drawer"):
        if sources[place].hit.page_number is not None:
            view = _choose_view(view, f"view-{shown.turn}-{shown.marker}")
        st.space("stretch")
        _step("Previous", shown.turn, sources, place - 1)
        _step("Next", shown.turn, sources, place + 1)
    return view


def _choose_view(view: View, key: str) -> View:
    chosen = st.segmented_control(
        "View", ["Page", "Crop"], default=view, required=True, key=key, label_visibility="collapsed"
    )
    return "Crop" if chosen == "Crop" else "Page"


def _step(word: str, turn: int, sources: list[Source], target: int) -> None:
    possible = 0 <= target < len(sources)
    if st.button(word, key=f"drawer-{word}", type="tertiary", disabled=not possible):
        state.open_source(turn, sources[target].marker)
        st.rerun()


def _first_view(hit: Hit) -> View:
    # The scroll position of a dialog cannot be set: a box far down opens as its crop.
    regions = hit.item.regions
    low = (
        bool(regions) and hit.page_size is not None and boxes.is_low(regions[0].bbox, hit.page_size)
    )
    return "Crop" if low else "Page"


def _draw_picture(source: Source, view: View) -> None:
    hit = source.hit
    with st.container(key="picture"):
        try:
            if view == "Crop":
                st.image(_crop(hit), output_format="PNG", alt=wording.picture_alt(hit))
                return
            for number in sorted({region.page_number for region in hit.item.regions})[:MAX_PAGES]:
                st.image(
                    _page(source, number),
                    output_format="PNG",
                    alt=f"{wording.picture_alt(hit)}, page marked",
                )
        except EncryptedFileError:
            passwords.ask_for_page(hit.item.document_id, hit.page_number or 1)
        except RagError as error:
            st.html(pieces.note("warn", str(error)))


def _page(source: Source, number: int) -> bytes:
    hit = source.hit
    on_page = tuple(r.bbox for r in hit.item.regions if r.page_number == number)
    tag = f"{source.marker} {hit.item.number or pieces.KIND_WORDS[hit.item.kind]}"
    if hit.page_size is None:
        return state.services().page_picture(hit.item.document_id, number)
    document = str(hit.item.document_id)
    return marked_page(document, number, on_page, hit.page_size, hit.item.kind, tag)


def _crop(hit: Hit) -> bytes | str:
    if hit.image_path:
        return hit.image_path
    region = hit.item.regions[0]
    png = state.services().page_picture(hit.item.document_id, region.page_number)
    return boxes.crop_page(png, region.bbox, hit.page_size) if hit.page_size else png


@st.cache_data(max_entries=32, show_spinner=False)
def marked_page(
    document_id: str,
    number: int,
    on_page: tuple[BBox, ...],
    page_size: tuple[float, float],
    kind: Kind,
    tag: str,
) -> bytes:
    """A page with its boxes drawn; cleared when a document is deleted."""
    png = state.services().page_picture(UUID(document_id), number)
    return boxes.mark_page(png, on_page, page_size, kind=kind, tag=tag)
