"""The reader view of page-less documents: our own blocks, the cited one marked.

A web page is never shown as itself. Knows pieces and Streamlit; which blocks is `ui.reading`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui import reading
from ui.web import pieces, state, wording

if TYPE_CHECKING:
    from rag.types import Hit

MORE = 10  # blocks at a click


def show(shown: state.OpenSource, hit: Hit, quote: str) -> None:
    """Draw the cited block among its neighbours."""
    try:
        state.services().document(hit.item.document_id)
        blocks = state.services().blocks(hit.item.document_id)
    except RagError as error:
        st.html(pieces.note("warn", str(error)))
        return
    view = reading.view(blocks, hit.item.anchor, quote, earlier=shown.earlier, later=shown.later)
    with st.container(key="reader", border=True, gap="xsmall"):
        if view.before:
            _more("Show earlier", earlier=MORE)
        for one in view.blocks:
            _draw(one)
        if view.after:
            _more("Show more", later=MORE)


def _more(words: str, *, earlier: int = 0, later: int = 0) -> None:
    st.button(
        words,
        key=f"reader-{'earlier' if earlier else 'later'}",
        type="tertiary",
        on_click=state.show_blocks,
        kwargs={"earlier": earlier, "later": later},
    )


def _draw(one: reading.Shown) -> None:
    if one.rows:
        st.html(pieces.reader_table(one.rows, marked=one.is_cited, spans=one.spans))
        return
    block = one.block
    if block.kind == "figure":
        _draw_figure(one)
        return
    st.html(
        pieces.reader_block(
            one.texts[0],
            heading=block.kind == "heading",
            marked=one.is_cited,
            spans=one.spans[0],
        )
    )


def _draw_figure(one: reading.Shown) -> None:
    """Picture and words as one; the frame of a cited figure goes round both."""
    words = pieces.reader_figure(one.texts[0], marked=one.is_cited, spans=one.spans[0])
    with st.container(key="reader-cited" if one.is_cited else None, gap="xsmall"):
        _draw_picture(one.block.image_sha256, one.texts[0])
        st.html(words)


def _draw_picture(sha256: str | None, words: str) -> None:
    if not sha256:
        return
    path = state.services().picture_path(sha256)
    if path.is_file():
        st.image(str(path), alt=wording.cut(words, wording.TITLE_CHARS))
