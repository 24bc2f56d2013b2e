"""Captions that only their words give away: "Figure 3: …" in a paragraph beside a picture.

Knows blocks and labels, no elements. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.captions import is_caption, read_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.html_walk import HtmlBlock

MAX_CAPTION_CHARACTERS = 500


def join_labelled(blocks: Sequence[HtmlBlock]) -> list[HtmlBlock]:
    """The blocks with such paragraphs made captions; they are no text of their own then.

    A figure's caption is looked for below it first, a table's above it.
    """
    captions: dict[int, str] = {}
    spent: set[int] = set()
    for index, block in enumerate(blocks):
        if block.kind not in ("figure", "table") or block.caption:
            continue
        places = (index + 1, index - 1) if block.kind == "figure" else (index - 1, index + 1)
        for place in places:
            is_free = 0 <= place < len(blocks) and place not in spent
            if is_free and _is_caption_of(blocks[place], block):
                captions[index] = blocks[place].text
                spent.add(place)
                break
    return [
        replace(block, caption=" ".join(captions[index].split())) if index in captions else block
        for index, block in enumerate(blocks)
        if index not in spent
    ]


def _is_caption_of(text: HtmlBlock, block: HtmlBlock) -> bool:
    if text.kind != "text" or text.is_code or text.container is not block.container:
        return False
    if len(text.text) > MAX_CAPTION_CHARACTERS:
        return False
    label = read_label(text.text)
    is_same_kind = label is not None and label.kind == block.kind
    return is_same_kind and is_caption(text.text, is_classed=False, is_beside=True)
