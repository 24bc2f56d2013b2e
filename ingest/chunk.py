"""Parsed pages to drafts of items: chunks of text, tables in pieces, figures with their words.

Knows parts and the budget, nothing of ids, vectors or the store.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.blocks import read_blocks
from ingest.drafts import BUDGET_TOKENS, Draft, breadcrumb, folded, merge_regions
from ingest.packing import TextPacker
from ingest.table_pieces import cut_table
from rag.embed.wordpiece import take_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingest.parts import ParsedPage, Part

__all__ = ["BUDGET_TOKENS", "Draft", "chunk_parts"]

MAX_WAITING = 8  # pictures held back until the open chunk is done: keeps memory flat


def chunk_parts(pages: Iterable[ParsedPage], *, title: str) -> Iterator[Draft]:
    """The items of a document in reading order, page by page.

    Holds one page and one open chunk, so a long document stays flat in memory. A chunk
    comes before the figures and tables that stand beside or inside it.

    Args:
        pages: as parsers give them, in order; may be a generator.
        title: first name of every breadcrumb; "" for none.

    Returns:
        Drafts with `order` 0, 1, 2, …; every `search_text` has at most `BUDGET_TOKENS`.
    """
    for order, draft in enumerate(_drafts(pages, title)):
        yield replace(draft, order=order)


def _drafts(pages: Iterable[ParsedPage], title: str) -> Iterator[Draft]:
    packer = TextPacker(title)
    waiting: list[Draft] = []
    for block in read_blocks(pages):
        part = block.first
        if part.kind == "heading":
            done = packer.add_heading(part) if part.text.strip() else []
        elif part.kind == "text":
            done = packer.add_text(block) if part.text.strip() else []
        else:
            made = [folded(d) for d in cut_table(part, title) or [_picture_draft(part, title)]]
            packer.cover_headings(made)
            waiting += made
            done = packer.finish() if len(waiting) > MAX_WAITING else []
        yield from done[:1]
        if done or not packer.is_open:
            yield from waiting
            waiting.clear()
        yield from done[1:]
    done = packer.end()
    yield from done[:1]
    yield from waiting
    yield from done[1:]


def _picture_draft(part: Part, title: str) -> Draft:
    """A figure or page; a table of which only the picture is known counts as a figure."""
    words = part.text.strip()
    label = _caption_line(part)
    return Draft(
        kind="page" if part.kind == "page" else "figure",
        text="\n".join(line for line in (label or part.alt, words) if line),
        search_text=_picture_words(part, label, title),
        regions=merge_regions(part.regions),
        heading=part.heading,
        caption=part.caption,
        number=part.number,
        anchor=part.anchor,
        image_png=part.image_png,
    )


def _picture_words(part: Part, label: str, title: str) -> str:
    """What a figure is found by: the document's words about it first, words inside it last."""
    crumb = breadcrumb(title, part.heading).line
    alt = "" if part.alt in label else part.alt
    lines = [line for line in (label, alt, part.mention, crumb, part.text.strip()) if line]
    if not lines:
        page_number = part.regions[0].page_number if part.regions else None
        lines = [f"picture on page {page_number}" if page_number else "picture"]
    return take_tokens("\n".join(lines), BUDGET_TOKENS)


def _caption_line(part: Part) -> str:
    if part.number and not part.caption.startswith(part.number):
        return f"{part.number} {part.caption}".strip()
    return part.caption.strip()
