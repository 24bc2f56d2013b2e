"""The title over a figure or table without a label, and the notes under it. Pure.

Reports and slides set a chart as heading, subtitle, drawing, source line: there is no
"Figure 3", and the words that say what the chart shows stand above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.boxes import gap_x, gap_y, shares_column, union
from ingest.figures import reason_to_skip
from ingest.graphic_types import Caption
from ingest.joining import take_in

if TYPE_CHECKING:
    from ingest.graphic_types import Graphic
    from ingest.pageblocks import PageBlock
    from rag.types import BBox

MAX_GAP_PT = 22.0
MAX_LINES = 4
MAX_WORDS = 60
MAX_SUBTITLES = 2
ROW_GAP_PT = 16.0  # between two charts under one title
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
    bbox: BBox  # of heading and subtitles; notes stay outside the picture


def is_note(text: str) -> bool:
    """Whether a line only says where a figure comes from."""
    return bool(_NOTE.match(text)) or (text.isupper() and len(text.split()) <= 4)


def give_titles(
    graphics: Sequence[Graphic],
    blocks: Sequence[PageBlock],
    captions: Sequence[Caption],
    page_size: tuple[float, float],
) -> list[Graphic]:
    """The graphics, those without a label with the title above and the notes below as caption.

    A title that stands over two charts side by side makes them one figure. The box of a
    figure takes its title in, that of a table does not: its words are read in any case.
    """
    used = {i for graphic in graphics for i in graphic.members}
    used |= {i for caption in captions for i in caption.members}
    used |= {i for g in graphics if g.caption is not None for i in g.caption.members}
    done: list[Graphic] = []
    for graphic in graphics:
        beside = [g for g in done if _is_beside(g, graphic)]
        if not beside or not _share_title(beside[0], graphic, blocks, used):
            done.append(graphic)
    for graphic in done:
        is_labelled = graphic.caption is not None and graphic.caption.kind != "other"
        if not is_labelled and reason_to_skip(graphic.bbox, page_size) is None:
            _give_title(graphic, blocks, used)
    return done


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
    return Surroundings(
        heading=headings[0],
        others=(*reversed(subtitles), *notes),
        bbox=union(blocks[i].bbox for i in (headings[0], *subtitles)),
    )


def _give_title(graphic: Graphic, blocks: Sequence[PageBlock], used: set[int]) -> None:
    free = [i for i in range(len(blocks)) if i not in used]
    found = find_surroundings(graphic.bbox, blocks, free)
    if found is None:
        return
    used.update((found.heading, *found.others))
    texts = [blocks[i].text() for i in (found.heading, *found.others)]
    below = graphic.caption  # a source line that the layout model calls a caption
    texts += [below.text] if below else []
    if graphic.kind == "figure":
        graphic.bbox = union([graphic.bbox, found.bbox])
    graphic.caption = Caption(
        bbox=found.bbox,
        text=" ".join(" ".join(texts).split()),
        kind="other",
        number="",
        members=(*found.others, *(below.members if below else ())),
    )


def _is_beside(one: Graphic, other: Graphic) -> bool:
    """Two charts without captions in one row."""
    if any(g.kind != "figure" or g.caption is not None for g in (one, other)):
        return False
    heights = max(g.bbox[3] - g.bbox[1] for g in (one, other))
    return gap_x(one.bbox, other.bbox) <= ROW_GAP_PT and (
        -gap_y(one.bbox, other.bbox) >= 0.8 * heights
    )


def _share_title(one: Graphic, other: Graphic, blocks: Sequence[PageBlock], used: set[int]) -> bool:
    """Join two charts when one title reaches over both."""
    free = [i for i in range(len(blocks)) if i not in used]
    found = find_surroundings(union([one.bbox, other.bbox]), blocks, free)
    if found is None:
        return False
    title = blocks[found.heading].bbox
    if not all(shares_column(title, g.bbox) for g in (one, other)):
        return False
    take_in(one, other)
    return True


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
