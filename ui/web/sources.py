"""The drawer: one source with its words and its place, the page marked.

Opened from the main script only: a dialog born in a polling fragment goes dead
(Streamlit 1.67). What is open is kept in the session, so a rerun, such as the end
of a streamed answer, draws it again instead of closing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from rag.errors import RagError
from ui import cited, outcome
from ui.explaining import leg_rows, why_kept
from ui.web import pieces, reader, source_picture, state, wording
from ui.web.source_picture import marked_page as marked_page  # cleared with a document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Hit, Item, Source

WIDTH_PX = 620
QUOTE_CHARS = 900
Z_WORDS = "z says how far it stands out from the rest of the library."
MAX_ROWS = 4  # of a table above its picture, which must stay in sight

View = Literal["Page", "Crop"]


def show_opened() -> None:
    """Draw the drawer when a source is open; one that no longer exists shuts it."""
    shown = state.opened()
    if shown is None:
        return
    sources = sources_of(shown.turn)
    if _place(shown, sources) is None:
        state.shut_source()
        return
    # One title for all sources: with another one it is another dialog, and the focus is lost.
    drawer = st.dialog("Source", position="right", width=WIDTH_PX, on_dismiss=state.shut_source)
    drawer(_draw)(sources)


def _place(shown: state.OpenSource, sources: Sequence[Source]) -> int | None:
    return next((i for i, source in enumerate(sources) if source.marker == shown.marker), None)


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


def _draw(sources: list[Source]) -> None:
    # A click inside the drawer runs this function alone, with what it was first given.
    shown = state.opened()
    place = _place(shown, sources) if shown is not None else None
    if shown is None or place is None:
        return
    source = sources[place]
    hit = source.hit
    turn = state.turn(shown.turn)
    answer = turn.answer if turn else None
    page_count, label = _page_facts(hit)
    where = wording.source_place_long(hit, page_count, label)
    st.html(pieces.source_head(wording.source_title(hit), where, hit.item.kind))
    _draw_words(outcome.quote_of(answer, source), hit.item)
    view = _controls(shown, sources, place)
    quote = outcome.quoted(answer, source)
    if hit.page_number is None:
        reader.show(shown, hit, quote)
    elif view == "Crop":
        source_picture.show_crop(source, quote)
    else:
        source_picture.show_page(source, quote, shown.page, page_count)
    _draw_why(hit)


def _page_facts(hit: Hit) -> tuple[int | None, str]:
    """How many pages the document has, and what the cited one calls itself; little when gone."""
    if hit.page_number is None:
        return None, ""
    services = state.services()
    try:
        page_count = services.document(hit.item.document_id).page_count
        return page_count, services.page(hit.item.document_id, hit.page_number).label
    except RagError:
        return None, ""


def _draw_words(quote: str, item: Item) -> None:
    kind = item.kind
    rows = outcome.quoted_rows(item.text, quote) if kind == "table" else []
    if rows:
        st.html(pieces.table(rows[0], rows[1 : MAX_ROWS + 1]))
    elif quote:
        if kind == "figure":  # the words inside it stand a line each, most of them numbers
            first, *others = quote.splitlines()
            quote = "\n".join(filter(None, (first, " ".join(others))))
        st.html(pieces.quote(quote[:QUOTE_CHARS], kind))


def _draw_why(hit: Hit) -> None:
    """Why it was found, and what each search said of it; Inspect has the rest."""
    st.html(pieces.section("Why this source", level=3) + pieces.meta(f"{why_kept(hit)}."))
    rows = leg_rows(hit)
    if rows:
        st.html(pieces.facts(rows) + pieces.meta(Z_WORDS))


def _controls(shown: state.OpenSource, sources: list[Source], place: int) -> View:
    view = shown.view or _first_view(sources[place].hit)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="acts-drawer"):
        if sources[place].hit.page_number is not None:
            view = _choose_view(view, f"view-{shown.turn}-{shown.marker}")
        st.space("stretch")
        if len(sources) > 1:
            _step("Previous", shown.turn, sources, place - 1)
            st.html(pieces.meta(f"{place + 1} of {len(sources)}"), width="content")
            _step("Next", shown.turn, sources, place + 1)
    return view


def _choose_view(view: View, key: str) -> View:
    chosen = st.segmented_control(
        "View", ["Page", "Crop"], default=view, required=True, key=key, label_visibility="collapsed"
    )
    return "Crop" if chosen == "Crop" else "Page"


def _step(word: str, turn: int, sources: list[Source], target: int) -> None:
    possible = 0 <= target < len(sources)
    st.button(
        word,
        key=f"drawer-{word}",
        type="tertiary",
        disabled=not possible,
        on_click=state.open_source,
        args=(turn, sources[target].marker if possible else 0),
    )


def _first_view(hit: Hit) -> View:
    # The scroll position of a dialog cannot be set.
    return "Crop" if cited.opens_as_crop(hit) else "Page"
