"""The title over a figure without a label, and the notes under it. Pure.

Reports and slides set a chart as heading, subtitle, drawing, source line: there is no
"Figure 3", and the words that say what the chart shows stand above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.boxes import shares_column, union

if TYPE_CHECKING:
    from ingest.pageblocks import PageBlock
    from rag.types import BBox

MAX_GAP_PT = 15.0
MAX_LINES = 4
MAX_WORDS = 60
MAX_SUBTITLES = 2
_NOTE = re.compile(
    r"(?:notes?|sources?|quelle|anmerkung|nota|fuente|fonte|bron|källa|источник|примечание|"
    r"出典|注|资料来源|자료)\s*[:：.]",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?:\d|[IVX]+\.|[A-Z]\.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Words around a figure: indices of blocks; `heading` stays a heading as well."""

    heading: int
    others: tuple[int, ...]  # subtitles and notes, in reading order
    bbox: BBox  # of all of them


def is_note(text: str) -> bool:
    """Whether a line only says where a figure comes from."""
    return bool(_NOTE.match(text)) or (text.isupper() and len(text.split()) <= 4)


def find_surroundings(
    box: BBox, blocks: Sequence[PageBlock], free: Iterable[int]
) -> Surroundings | None:
    """The heading that stands on a figure, what is between them, and the notes below.

    None when no heading stands there, or when it is a numbered one: that is a section,
    not the title of a chart.

    Args:
        box: of the figure.
        blocks: of the page.
        free: indices of blocks that belong to nothing else.
    """
    usable = [i for i in free if _is_short(blocks[i]) and _fits(blocks[i].bbox, box)]
    above = _chain(box, blocks, usable, is_above=True)
    headings = [i for i in above if blocks[i].kind in ("section-header", "title")]
    if not headings or _NUMBERED.match(blocks[headings[0]].text()):
        return None
    subtitles = above[: above.index(headings[0])]
    if len(subtitles) > MAX_SUBTITLES:
        return None
    below = _chain(box, blocks, usable, is_above=False)
    notes = [i for i in below if is_note(blocks[i].text())]
    others = (*reversed(subtitles), *notes)
    return Surroundings(
        heading=headings[0],
        others=others,
        bbox=union(blocks[i].bbox for i in (headings[0], *others)),
    )


def _chain(
    box: BBox, blocks: Sequence[PageBlock], usable: Sequence[int], *, is_above: bool
) -> list[int]:
    """Blocks that follow one another away from the figure, nearest first."""
    found: list[int] = []
    edge = box[1] if is_above else box[3]
    order = sorted(usable, key=lambda i: -blocks[i].bbox[3] if is_above else blocks[i].bbox[1])
    for index in order:
        other = blocks[index].bbox
        gap = edge - other[3] if is_above else other[1] - edge
        if -4 <= gap <= MAX_GAP_PT:
            found.append(index)
            edge = other[1] if is_above else other[3]
    return found


def _is_short(block: PageBlock) -> bool:
    return 0 < len(block.lines) <= MAX_LINES and len(block.text().split()) <= MAX_WORDS


def _fits(other: BBox, box: BBox) -> bool:
    return shares_column(other, box, share=0.6) and other[2] - other[0] <= 1.3 * (box[2] - box[0])
