"""The order in which a reader takes the blocks of a page: columns, then what stands beside them.

Pure. Columns are found by cutting the page where nothing crosses; inside a column, and on
pages without columns, the order of the layout model holds. The model alone reads two
columns line by line on some pages (measured: tracemonkey 2, 8 and 13).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.boxes import area, overlap, shares_column

if TYPE_CHECKING:
    from ingest.pageblocks import PageBlock

MIN_GUTTER_PT = 6.0
SLACK_PT = 1.5  # italics and brackets reach out of their line
MIN_LINES = 2  # of running text on each side of a gutter
MIN_LINE_LETTERS = 9  # mean length of its lines in letters of its size; labels are shorter
SMALL_TYPE = 0.93  # of the running text, and less: notes
SAME_SIZE_PT = 0.6
MAX_NOTE_SHARE = 0.5  # of the lines of a page; more is the text itself
MAX_BLOCKS = 500  # the cuts are quadratic at worst
_GRAPHIC = ("picture", "table")
_HEADING = ("title", "section-header")
_NOTE_MARK = re.compile(
    r"[\u00b9\u00b2\u00b3\u2070-\u2079⁽*†‡§¶①-⑳※]|\(?\d{1,3}[)\].]?\s?(?=[^\W\d])|\[\d{1,3}\]"
)

Blocks = list[tuple[int, "PageBlock"]]  # with the place each had before


def in_reading_order(blocks: Sequence[PageBlock], *, leftward: bool = False) -> list[PageBlock]:
    """`blocks` column by column; headers first, notes and footers last, those marked as aside.

    Args:
        blocks: of one page, in the order of the layout model.
        leftward: columns follow one another from right to left (Arabic, Hebrew).
    """
    headers = [_aside(block) for block in blocks if block.kind == "page-header"]
    footers = [_aside(block) for block in blocks if block.kind == "page-footer"]
    body = [block for block in blocks if block.kind not in ("page-header", "page-footer")]
    if len(body) > MAX_BLOCKS:
        return list(blocks)
    ordered = [block for _, block in _ordered(list(enumerate(body)), leftward)]
    notes = _notes(ordered)
    rest = [block for index, block in enumerate(ordered) if index not in notes]
    return [*headers, *rest, *(_aside(ordered[index]) for index in sorted(notes)), *footers]


def _aside(block: PageBlock) -> PageBlock:
    return replace(block, is_aside=True)


def _ordered(blocks: Blocks, leftward: bool) -> Blocks:
    columns = _columns(blocks)
    if columns is not None:
        ordered = [_ordered(column, leftward) for column in columns]
        return [block for column in (ordered[::-1] if leftward else ordered) for block in column]
    covering = _covering(blocks)
    if covering is not None:
        return _ordered_around(covering, blocks, leftward)
    bands = _bands(blocks)
    if len(bands) < 2:
        return sorted(blocks, key=lambda block: block[0])
    ordered = [_ordered(band, leftward) for band in bands]
    if all(_columns(band) is None for band in bands):
        # No columns anywhere: the model knows rows and forms better.
        return sorted(blocks, key=lambda block: block[0])
    return [block for band in ordered for block in band]


def _columns(blocks: Blocks) -> list[Blocks] | None:
    """Both sides of the widest gutter between running texts, or None without one."""
    runs = _runs(blocks, 0)
    ends = [max(block.bbox[2] for _, block in run) for run in runs]
    gutters = [(runs[at][0][1].bbox[0] - ends[at - 1], at) for at in range(1, len(runs))]
    gutters.sort(reverse=True)
    for width, at in gutters:
        sides = [_flat(runs[:at]), _flat(runs[at:])]
        if width >= MIN_GUTTER_PT and all(map(_is_running, sides)):
            return sides
    return None


def _bands(blocks: Blocks) -> list[Blocks]:
    """The page cut across; bands that share their columns stay together."""
    bands: list[Blocks] = []
    for run in _runs(blocks, 1):
        if bands and _columns([*bands[-1], *run]) is not None:
            bands[-1] = [*bands[-1], *run]
        else:
            bands.append(run)
    return bands


def _runs(blocks: Blocks, axis: int) -> list[Blocks]:
    """Groups of blocks that overlap along an axis (0: from left to right), in its order."""
    runs: list[Blocks] = []
    end = float("-inf")
    for entry in sorted(blocks, key=lambda entry: entry[1].bbox[axis]):
        box = entry[1].bbox
        if runs and box[axis] + SLACK_PT < end - SLACK_PT:
            runs[-1].append(entry)
        else:
            runs.append([entry])
        end = max(end, box[axis + 2])
    return runs


def _flat(runs: Sequence[Blocks]) -> Blocks:
    return [entry for run in runs for entry in run]


def _is_running(blocks: Blocks) -> bool:
    """Whether a side of a gutter is a column: running text, or a picture."""
    if any(block.kind in _GRAPHIC for _, block in blocks):
        return True
    lines = [line for _, block in blocks for line in block.lines]
    if len(lines) < MIN_LINES:
        return False
    letters = [(line.bbox[2] - line.bbox[0]) / max(line.size / 2, 1.0) for line in lines]
    return sum(letters) / len(letters) >= MIN_LINE_LETTERS


def _covering(blocks: Blocks) -> tuple[int, PageBlock] | None:
    """The largest graphic that lies over words of others and so hides every cut."""
    graphics = [entry for entry in blocks if entry[1].kind in _GRAPHIC]
    for entry in sorted(graphics, key=lambda entry: -area(entry[1].bbox)):
        others = (block for _, block in blocks if block is not entry[1] and block.lines)
        if any(overlap(entry[1].bbox, o.bbox) > 0.3 * area(o.bbox) for o in others):
            return entry
    return None


def _ordered_around(covering: tuple[int, PageBlock], blocks: Blocks, leftward: bool) -> Blocks:
    """The other blocks in order, and the covering one before the first of them below its top."""
    ordered = _ordered([entry for entry in blocks if entry is not covering], leftward)
    box = covering[1].bbox
    place = next(
        (
            place
            for place, (_, other) in enumerate(ordered)
            if other.bbox[1] >= box[1] and shares_column(other.bbox, box)
        ),
        len(ordered),
    )
    return [*ordered[:place], covering, *ordered[place:]]


def _notes(blocks: Sequence[PageBlock]) -> set[int]:
    """Which blocks are footnotes: small type at the foot of a column, with a mark or a class."""
    body_size = _body_size(blocks)
    found: set[int] = set()
    for index in 2 * list(range(len(blocks) - 1, -1, -1)):
        if index not in found and _is_note(blocks, index, found, body_size):
            found.add(index)
    lines = sum(len(block.lines) for block in blocks)
    note_lines = sum(len(blocks[index].lines) for index in found)
    return found if note_lines <= MAX_NOTE_SHARE * lines else set()


def _is_note(blocks: Sequence[PageBlock], index: int, found: set[int], body_size: float) -> bool:
    block = blocks[index]
    if not block.lines or block.kind in (*_GRAPHIC, *_HEADING, "caption", "formula"):
        return False
    if block.kind != "footnote" and block.size > SMALL_TYPE * body_size:
        return False
    below = [
        other
        for i, other in enumerate(blocks)
        if other.lines
        and i not in found
        and i != index
        and other.bbox[1] >= block.bbox[3] - SLACK_PT
        and shares_column(other.bbox, block.bbox)
    ]
    if below:
        return False
    if block.kind == "footnote" or _NOTE_MARK.match(block.lines[0].text):
        return True
    if any(abs(blocks[i].size - block.size) < SAME_SIZE_PT for i in found):
        return True  # a note that goes on in the next column
    # Unmarked small type between the text of two columns; a list of references goes on small.
    later = (b for i, b in enumerate(blocks) if i > index and i not in found and b.lines)
    after = next(later, None)
    return after is not None and after.size > SMALL_TYPE * body_size and after.kind != "caption"


def _body_size(blocks: Sequence[PageBlock]) -> float:
    counts: dict[float, int] = {}
    for block in blocks:
        for line in block.lines if block.kind in ("text", "list-item") else ():
            size = round(line.size, 1)
            counts[size] = counts.get(size, 0) + len(line.text)
    return max(counts, key=lambda size: counts[size]) if counts else 0.0
