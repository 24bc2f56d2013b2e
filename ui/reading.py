"""The reader view of a page-less document around a cited block. Pure; knows blocks, no pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.outcome import table_rows
from ui.quoted_words import Span, find_in_texts

if TYPE_CHECKING:
    from rag.library import Block

BEFORE, AFTER = 2, 8  # few before: the scroll position cannot be set, the mark must be in sight
QUOTED_BLOCKS = 20  # a passage may hold several blocks; its quote is looked for in so many
BLOCK_CHARS = 3_000
NO_CAPTION = "Figure without a caption"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A block to draw; `texts` are its words or cells, `spans` what of each is quoted."""

    block: Block
    is_cited: bool
    rows: tuple[tuple[str, ...], ...]  # of a table
    texts: tuple[str, ...]
    spans: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Blocks in order, and how many there are before and after them."""

    blocks: tuple[Shown, ...]
    before: int
    after: int


def view(
    blocks: Sequence[Block], anchor: str | None, quote: str, *, earlier: int = 0, later: int = 0
) -> View:
    """The blocks around the cited one, its heading with them, the words of the quote marked.

    Args:
        blocks: Of the document, in order.
        anchor: Of the block at which the cited passage begins.
        quote: Words of the passage; "" marks none.
        earlier: How many blocks more before.
        later: How many more after.
    """
    place = find(blocks, anchor)
    spans = _spans(blocks, place, quote)
    cited = min(spans, default=place)
    start = max(0, (cited or 0) - BEFORE - earlier)
    end = min(len(blocks), (cited or 0) + AFTER + later)
    numbers = list(range(start, end))
    heading = next(
        (n for n in range(start, -1, -1) if n < end and blocks[n].kind == "heading"), None
    )
    if heading is not None and heading < start:
        numbers.insert(0, heading)  # whose section it is
    shown = [_shown(blocks[n], spans.get(n, []), is_cited=n == cited) for n in numbers]
    return View(blocks=tuple(shown), before=start, after=len(blocks) - end)


def find(blocks: Sequence[Block], anchor: str | None) -> int | None:
    """Index of the cited block, or None when the document has changed under it."""
    return next((i for i, block in enumerate(blocks) if block.anchor == anchor), None)


def _spans(
    blocks: Sequence[Block], place: int | None, quote: str
) -> dict[int, list[tuple[Span, ...]]]:
    """By block, what of its texts is quoted; only blocks that hold some of it."""
    if place is None or not quote:
        return {}
    numbers = range(place, min(len(blocks), place + QUOTED_BLOCKS))
    texts = [(number, text) for number in numbers for text in _texts(blocks[number])[1]]
    found: dict[int, list[tuple[Span, ...]]] = {}
    spans = find_in_texts(quote, [text for _, text in texts])
    for (number, _), of_text in zip(texts, spans, strict=True):
        found.setdefault(number, []).append(tuple(of_text))
    return {number: listed for number, listed in found.items() if any(listed)}


def _shown(block: Block, spans: Sequence[tuple[Span, ...]], *, is_cited: bool) -> Shown:
    rows, texts = _texts(block)
    return Shown(
        block=block,
        is_cited=is_cited,
        rows=tuple(map(tuple, rows)),
        texts=tuple(texts),
        spans=tuple(spans) or ((),) * len(texts),
    )


def _texts(block: Block) -> tuple[list[list[str]], list[str]]:
    """Rows of a table, and the texts of a block: its cells, its caption or its words."""
    text = block.text[:BLOCK_CHARS]
    if block.kind == "figure":
        return [], [block.caption or NO_CAPTION]
    rows = table_rows(text) if block.kind == "table" else []
    return rows, [cell for row in rows for cell in row] or [text]
