"""The words inside a picture box: prose, captions, headings, or labels of a drawing. Pure.

Knows lines and their sizes. Knows nothing of pictures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ingest.boxes import centre, contains, gap_y, shares_column, union
from ingest.captions import is_caption
from ingest.pageblocks import BOX_SLACK_PT, file_blocks
from ingest.paragraphs import Line, join_lines, to_lines

if TYPE_CHECKING:
    from ingest.spans import Span
    from rag.types import BBox

PROSE_CHARACTERS, PROSE_WORDS = 40, 6  # of a line, at least
LABEL_WORDS = 6  # at most
HEADING_RATIO = 1.15  # to the size of the body text
MAX_LONG_LINES = 400  # comparing them is quadratic


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldWords:
    """A text block of the file inside a picture box."""

    lines: tuple[Line, ...]  # as a reader sees them
    runs: tuple[Line, ...]  # as the file holds them: each tick of an axis is its own
    is_caption: bool

    @property
    def bbox(self) -> BBox:
        return union(line.bbox for line in self.lines)


def words_in(box: BBox, spans: Sequence[Span], others: Sequence[BBox]) -> list[HeldWords]:
    """Text blocks in the box; words in a smaller box that lies over it belong to that one."""
    held = [
        span
        for span in spans
        if contains(box, centre(span.bbox), slack=BOX_SLACK_PT)
        and not any(contains(other, centre(span.bbox), slack=BOX_SLACK_PT) for other in others)
    ]
    found = []
    for group in file_blocks(held):
        lines = tuple(to_lines(group))
        pieces = groupby(group, key=lambda span: span.line)
        runs = tuple(line for _, piece in pieces for line in to_lines(list(piece)))
        text = join_lines([line.text for line in lines], frozenset())
        labelled = is_caption(text, is_classed=False, is_beside=False)
        found.append(HeldWords(lines=lines, runs=runs, is_caption=labelled))
    return found


def find_prose(words: Sequence[HeldWords], body: float) -> list[HeldWords]:
    """Blocks with a long line of the body text that stands next to another such line."""
    long = [line for held in words for line in held.lines if _is_long(line, body)]
    if len(long) > MAX_LONG_LINES:
        return []
    running = [
        line
        for line in long
        if any(
            gap_y(line.bbox, other.bbox) <= line.size and shares_column(line.bbox, other.bbox)
            for other in long
            if other is not line
        )
    ]
    return [held for held in words if any(line in running for line in held.lines)]


def body_size(spans: Sequence[Span]) -> float:
    """Font size of most characters in runs as long as a line of prose, in points; 0: none."""
    sizes: Counter[float] = Counter()
    for span in spans:
        if len(span.text) >= PROSE_CHARACTERS:
            sizes[round(span.size, 1)] += len(span.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def is_label(line: Line, body: float) -> bool:
    """Whether a run is so short and small that it may name a thing in a drawing."""
    is_short = len(line.text) < PROSE_CHARACTERS and len(line.text.split()) <= LABEL_WORDS
    return is_short and line.size <= HEADING_RATIO * (body or line.size)


def is_heading(held: HeldWords, body: float) -> bool:
    """Whether a block is a heading by its size alone."""
    is_large = body > 0 and all(line.size > HEADING_RATIO * body for line in held.lines)
    return is_large and len(held.lines) <= 2 and not held.is_caption


def _is_long(line: Line, body: float) -> bool:
    words = [word for word in line.text.split() if any(map(str.isalpha, word))]
    is_body = abs(line.size - body) <= 0.1 * body
    return is_body and len(line.text) >= PROSE_CHARACTERS and len(words) >= PROSE_WORDS
