"""Page or crop of a source in the drawer, and the steps to the pages beside it. Draws only."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import streamlit as st

from rag.errors import EncryptedFileError, RagError
from rag.types import Region
from ui import cited
from ui.web import passwords, pieces, state, wording

if TYPE_CHECKING:
    from rag.types import BBox, Kind, Source

ENDS = {"before": "Start", "after": "End"}  # of the document, where there is no page
STEP_ICONS = {"before": ":material/chevron_left:", "after": ":material/chevron_right:"}


def show_crop(source: Source, quote: str) -> None:
    """The cited part alone."""
    hit = source.hit
    with st.container(key="picture"):
        try:
            with st.spinner("Drawing the place"):
                drawn = cited.draw_crop(state.services(), hit, quote)
            st.image(drawn, output_format="PNG", alt=wording.picture_alt(hit))
        except EncryptedFileError:
            passwords.ask_for_page(hit.item.document_id, hit.page_number or 1)
        except RagError as error:
            st.html(pieces.note("warn", str(error)))


def show_page(source: Source, quote: str, turned_to: int | None, page_count: int | None) -> None:
    """A page of the document, the cited one first, with buttons to those beside it."""
    hit = source.hit
    number = turned_to or hit.page_number or 1
    pages = cited.pages_of(hit.item.regions)
    if page_count and page_count > 1:
        _steps(number, page_count, pages)
    tag = f"{source.marker} {hit.item.number or pieces.KIND_WORDS[hit.item.kind]}"
    with st.container(key="picture"):
        try:
            with st.spinner(f"Drawing page {number}"):
                png = marked_page(
                    str(hit.item.document_id),
                    number,
                    tuple((region.page_number, region.bbox) for region in hit.item.regions),
                    quote,
                    hit.item.kind,
                    tag,
                    hit.item.caption,
                )
            st.image(png, output_format="PNG", alt=_alt(source, number, pages))
        except EncryptedFileError:
            passwords.ask_for_page(hit.item.document_id, number)
        except RagError as error:
            st.html(pieces.note("warn", str(error)))


@st.cache_data(max_entries=32, show_spinner=False)
def marked_page(
    document_id: str,
    number: int,
    regions: tuple[tuple[int, BBox], ...],
    quote: str,
    kind: Kind,
    tag: str,
    caption: str,
) -> bytes:
    """A page with what is cited on it drawn in; cleared when a document is deleted."""
    return cited.draw_page(
        state.services(),
        UUID(document_id),
        number,
        regions=[Region(page_number=page, bbox=box) for page, box in regions],
        quote=quote,
        kind=kind,
        tag=tag,
        caption=caption,
    )


def _steps(number: int, page_count: int, pages: list[int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="acts-pages"):
        _step("before", number - 1, page_count, pages)
        st.space("stretch")
        words = f"Page {number} of {page_count:,}"
        st.html(pieces.meta(f"{words}, cited" if number in pages else words), width="content")
        if pages and min(abs(number - page) for page in pages) > 1:
            st.button(
                f"Back to page {pages[0]}",
                key="page-cited",
                type="tertiary",
                on_click=state.turn_to,
                args=(None,),
            )
        st.space("stretch")
        _step("after", number + 1, page_count, pages)


def _step(side: str, target: int, page_count: int, pages: list[int]) -> None:
    is_there = 1 <= target <= page_count
    words = f"Page {target}" if is_there else ENDS[side]
    st.button(
        f"{words}, cited" if target in pages else words,
        key=f"page-{side}",
        type="tertiary",
        icon=STEP_ICONS[side],
        icon_position="left" if side == "before" else "right",
        disabled=not is_there,
        on_click=state.turn_to,
        args=(target,),
    )


def _alt(source: Source, number: int, pages: list[int]) -> str:
    if number not in pages:
        return f"Page {number} of {wording.cut_name(source.hit.document_name)}"
    where = "" if number == source.hit.page_number else f" and page {number}"
    return f"{wording.picture_alt(source.hit)}{where}, page marked"
