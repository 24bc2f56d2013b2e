"""A Markdown table to drafts within the budget, by rows. Knows Markdown, nothing of pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingest.drafts import BUDGET_TOKENS, Draft, breadcrumb, merge_regions
from rag.embed.wordpiece import count_many, count_tokens, split_tokens, take_tokens

if TYPE_CHECKING:
    from ingest.parts import Part

_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$")
_BAR = re.compile(r"(?<!\\)\|")
# Caption and header are repeated in each piece, and leave at least half of it to rows.
CAPTION_TOKENS = 60
HEADER_TOKENS = 50


def cut_table(part: Part, title: str) -> list[Draft]:
    """One draft where the table fits, else one per run of rows with the header repeated.

    A row too long for a piece is cut between words. Empty for anything but a table
    with text. `text` is Markdown; `search_text` has the rows without Markdown's rules
    and outer bars, which would eat a third of the budget.
    """
    if part.kind != "table" or not part.text.strip():
        return []
    lines = [line for line in part.text.splitlines() if line.strip()]
    has_header = len(lines) > 1 and _RULE.match(lines[1]) is not None
    header, rows = (lines[:2], lines[2:]) if has_header else ([], lines)
    if header and (not rows or count_tokens(_plain(header[0])) > HEADER_TOKENS):
        header, rows = [], [header[0], *rows]
    lead = _lead(part, title)
    plain_header = [_plain(header[0])] if header else []
    room = BUDGET_TOKENS - count_tokens("\n".join([lead, *plain_header]))
    pieces = _pack(rows, room)
    return [
        Draft(
            kind="table",
            text="\n".join([*header, *piece]),
            search_text="\n".join(filter(None, [lead, *plain_header, *map(_plain, piece)])),
            regions=merge_regions(part.regions),
            heading=part.heading,
            caption=part.caption,
            number=part.number,
            anchor=part.anchor,
            image_png=part.image_png if index == 0 else None,
        )
        for index, piece in enumerate(pieces)
    ]


def _lead(part: Part, title: str) -> str:
    crumb = breadcrumb(title, part.heading).line
    label = part.caption
    if part.number and not label.startswith(part.number):
        label = f"{part.number} {label}"
    return "\n".join(filter(None, [crumb, take_tokens(label.strip(), CAPTION_TOKENS)]))


def _pack(rows: list[str], room: int) -> list[list[str]]:
    pieces: list[list[str]] = []
    used = room
    for row, tokens in zip(rows, count_many([_plain(row) for row in rows]), strict=True):
        parts = [row] if tokens <= room else split_tokens(_plain(row), room)
        for part, cost in zip(parts, count_many(parts), strict=True):
            cost = min(cost, tokens)  # without the bars of an uncut row
            if not pieces or used + cost > room:
                pieces.append([])
                used = 0
            pieces[-1].append(part)
            used += cost
    return pieces


def _plain(row: str) -> str:
    cells = (" ".join(cell.split()) for cell in _BAR.split(row))
    return " | ".join(cell for cell in cells if cell).replace("\\|", "|")
