"""The Inspect page: a search with the reasons beside each result. Draws and forwards only."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import DocumentError, RagError
from rag.imaging import open_rgb
from rag.types import PICTURES, Scope, Source
from ui.explaining import bar_words
from ui.web import faults, inspect_pieces, notices, pieces, selection, state, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Considered, Document, Explanation, Group, LegName, Retrieval
    from ui.services import Services
    from ui.web.drawings import Scheme

GROUPS: dict[str, Group | None] = {"All": None, "Text": "words", "Pictures": "pictures"}
SPREADS: tuple[LegName, ...] = ("text", "image", "caption")
THUMB_PX = (138, 104)  # drawn at half of it
PLAIN_HELP = (
    "By the largest cosine alone: no calibration between text and pictures, no keywords, no place"
    " kept for a picture, copies not put together."
)


def show(services: Services, documents: Sequence[Document]) -> None:
    """Draw the page."""
    st.html(pieces.title("Inspect") + pieces.meta("Why each result stands where it stands."))
    notices.show()
    question, group, plain = _controls()
    problem = _cannot_search(services, documents)
    if problem:
        st.html(pieces.note("info", *problem))
    elif question:
        found = _search(services, documents, question, group)
        if found is not None:
            _draw(found, services.settings.retrieve.top_k, plain=plain)
    else:
        st.html(pieces.note("search", "Type a question above.", _WHAT))


_WHAT = "You will see what each search made of it, what was left out, and how plain order differs."


def _controls() -> tuple[str, Group | None, bool]:
    last = state.inspected()
    with st.container(horizontal=True, vertical_alignment="center", key="inspect-controls"):
        question = st.text_input(
            "Search",
            value=last.question if last else "",
            key=state.INSPECT_QUESTION,
            icon=":material/search:",
            placeholder="Search your documents",
            label_visibility="collapsed",
        )
        chosen = st.segmented_control(
            "Kind",
            list(GROUPS),
            default="All",
            required=True,
            key=state.INSPECT_KIND,
            label_visibility="collapsed",
        )
        plain = st.toggle("Plain order", key=state.INSPECT_PLAIN, help=PLAIN_HELP)
    return (question or "").strip(), GROUPS[chosen or "All"], plain


def _cannot_search(services: Services, documents: Sequence[Document]) -> tuple[str, str] | None:
    if not selection.searchable(documents):
        return "There is nothing to search yet.", "Add a document; its text is searchable first."
    if not selection.scope(documents):
        return "No document is ticked.", "Tick one in the library to search it."
    mismatch = services.mismatch()
    return ("The index cannot be searched.", mismatch) if mismatch else None


def _search(
    services: Services, documents: Sequence[Document], question: str, group: Group | None
) -> Retrieval | None:
    """The results for what is on the page; the same ones again while nothing has changed."""
    searchable, ticked = selection.searchable(documents), selection.scope(documents)
    wanted = tuple(d.id for d in ticked) if len(ticked) < len(searchable) else ()
    scope = Scope(workspace=services.workspace, documents=wanted, group=group)
    library = tuple((d.id, d.state) for d in searchable)
    last = state.inspected()
    of = (question, scope, services.status().embedder, library)
    if last is not None and last.of == of:
        return last.found
    try:
        with st.spinner("Searching"):
            found = services.search(question, scope=scope, explain=True)
    except RagError as error:
        st.html(pieces.note("warn", "The search failed.", str(error)))
        return None
    except Exception as error:  # noqa: BLE001 - the rim of a search; `log` keeps it
        st.html(pieces.note("err", faults.sentence(faults.log(error))))
        return None
    state.set_inspected(
        state.Inspected(question=question, of=of, found=found, sources=_sources(found))
    )
    return found


def _sources(found: Retrieval) -> tuple[Source, ...]:
    """All candidates, numbered for the drawer: those shown, then those left out."""
    said = found.explanation
    ones = [*said.kept(), *said.dropped()] if said is not None else []
    return tuple(Source(marker=n, hit=one.hit) for n, one in enumerate(ones, 1))


def _draw(found: Retrieval, top_k: int, *, plain: bool) -> None:
    for note in found.notes:
        st.html(pieces.note("info", note))
    said = found.explanation
    shown = (said.plain(top_k) if plain else said.kept()) if said is not None else []
    if said is None or not said.considered:
        st.html(pieces.note("search", "Nothing was found.", _nothing_words()))
        return
    scheme: Scheme = "dark" if st.context.theme.type == "dark" else "light"
    main, side = st.columns([2.8, 1], gap="large")
    with main:
        _list(said, shown, scheme, plain=plain)
    with side:
        _side(found, said, shown, scheme)


def _nothing_words() -> str:
    return "Try other words, another kind, or more documents in the library at the left."


def _list(said: Explanation, shown: Sequence[Considered], scheme: Scheme, *, plain: bool) -> None:
    last = state.inspected()
    markers = {source.hit.item.id: source.marker for source in last.sources} if last else {}
    bars = bar_words(said.bars)
    st.html(
        inspect_pieces.head(
            _count(shown, plain=plain), f"Line in each bar: the bar to pass, {bars}" if bars else ""
        )
        + inspect_pieces.results(
            shown,
            said,
            markers=markers,
            thumbs=_thumbs(shown),
            target=state.INSPECT_TURN,
            plain=plain,
            scheme=scheme,
        )
    )
    dropped = said.dropped()
    if dropped and not plain:
        with st.expander(f"Left out, {wording.count(len(dropped), 'candidate')}", key="left-out"):
            st.html(inspect_pieces.left_out(dropped, markers, state.INSPECT_TURN))


def _count(shown: Sequence[Considered], *, plain: bool) -> str:
    pictures = sum(one.group == "pictures" for one in shown)
    how = " in plain order" if plain else ""
    return f"{wording.count(len(shown), 'result')}{how}, {pictures} of them pictures"


def _side(found: Retrieval, said: Explanation, shown: Sequence[Considered], scheme: Scheme) -> None:
    with st.container(key="inspect-side"):
        drawn = "".join(inspect_pieces.spread(leg, said, shown, scheme) for leg in SPREADS)
        st.html(
            pieces.section("Where scores lie for this question")
            + pieces.meta("Dashed: results shown. Each search has a scale of its own.")
            + drawn
        )
        total = sum(found.timings_ms.values())
        st.html(
            pieces.section(f"Time, {total:.0f} ms in all") + inspect_pieces.times(found.timings_ms)
        )


def _thumbs(shown: Sequence[Considered]) -> dict[str, str]:
    hits = [one.hit for one in shown if one.hit.item.kind in PICTURES]
    return {hit.image_path: _thumb(hit.image_path) for hit in hits if hit.image_path}


@st.cache_data(max_entries=256, show_spinner=False)
def _thumb(path: str) -> str:
    """A small JPEG as a `data:` address; "" when the file is gone or does not decode."""
    try:
        image = open_rgb(Path(path)).copy()
    except (OSError, DocumentError):
        return ""
    image.thumbnail(THUMB_PX)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
