"""The reader view of page-less documents: our own blocks, the cited one marked.

A web page is never shown as itself. Knows blocks, pieces and Streamlit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui import outcome
from ui.web import pieces, state, wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from rag.library import Block

BEFORE, AFTER = 2, 8  # few before: the scroll position cannot be set, the mark must be in sight
BLOCK_CHARS = 3_000


def show(document_id: UUID, anchor: str | None) -> None:
    """Draw the cited block among its neighbours."""
    try:
        blocks = state.services().blocks(document_id)
    except RagError as error:
        st.html(pieces.note("warn", str(error)))
        return
    place = find(blocks, anchor)
    start = max(0, place - BEFORE) if place is not None else 0
    with st.container(key="reader", border=True, gap="xsmall"):
        for index in range(start, min(len(blocks), start + BEFORE + AFTER)):
            _draw(blocks[index], marked=index == place)


def find(blocks: Sequence[Block], anchor: str | None) -> int | None:
    """Index of the cited block, or None when the document has changed under it."""
    return next((i for i, block in enumerate(blocks) if block.anchor == anchor), None)


def _draw(block: Block, *, marked: bool) -> None:
    text = block.text[:BLOCK_CHARS]
    rows = outcome.table_rows(text) if block.kind == "table" else []
    if block.kind == "figure":
        _draw_figure(block, marked=marked)
    elif rows:
        st.html(pieces.reader_table(rows, marked=marked))
    else:
        st.html(pieces.reader_block(text, heading=block.kind == "heading", marked=marked))


def _draw_figure(block: Block, *, marked: bool) -> None:
    words = block.caption or "Figure without a caption"
    if block.image_sha256:
        path = state.services().picture_path(block.image_sha256)
        if path.is_file():
            st.image(str(path), alt=wording.cut(words, wording.TITLE_CHARS))
    st.html(pieces.reader_block(words, heading=False, marked=marked, kind="figure"))
