"""Rows of a table whose cells cut words in two, read again from the words of the page. Pure.

A header that spans columns comes out of the table finder as "HOVE | R (4-hop)": the
cells below it decide where it is cut.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

from ingest.boxes import centre, contains, union

if TYPE_CHECKING:
    from ingest.layout import Cells, Grid
    from rag.types import BBox

SPACE_SHARE = 0.45  # of the height of a word: a wider gap is one between columns
MAX_HEADER_ROWS = 3
KEPT_SHARE = 0.9  # of the letters, and of the unbroken words, must be found again
COVER_SHARE = 0.4  # of a column, or of the words where they are narrower
SAME_LINE = 0.5  # of the height


class Word(NamedTuple):
    """A word where it stands."""

    bbox: BBox
    text: str


def mend_grid(grid: Grid, cells: Cells, words: Sequence[Word]) -> Grid:
    """The grid, rows with broken words made again; words over several columns stand in each.

    Args:
        grid: rows of cells, as extracted.
        cells: their boxes, of the same shape; None for a cell merged into its neighbour.
        words: of the page.
    """
    columns = _columns(cells)
    if len(cells) != len(grid) or any(len(row) != len(columns) for row in grid):
        return grid
    rows = [_words_in(boxes, columns, words) for boxes in cells]
    if _letters(word.text for row in rows for word in row) < KEPT_SHARE * _letters(chain(*grid)):
        return grid
    whole = {word.text for word in words}
    mended = []
    for index, (row, inside) in enumerate(zip(grid, rows, strict=True)):
        tokens = Counter(token for cell in row for token in cell.split())
        unbroken = Counter({token: n for token, n in tokens.items() if token in whole})
        lost = (unbroken - Counter(word.text for word in inside)).total()
        if inside and unbroken != tokens and lost <= (1 - KEPT_SHARE) * unbroken.total():
            row = _read_row(inside, columns, is_header=index < MAX_HEADER_ROWS)
        mended.append(row)
    return tuple(mended)


def _letters(texts: Iterable[str]) -> int:
    return sum(len(token) for text in texts for token in text.split())


def _columns(cells: Cells) -> list[tuple[float, float]]:
    """Left and right of each column; empty where one has no cell of its own."""
    width = max((len(row) for row in cells), default=0)
    found = []
    for column in range(width):
        boxes = [row[column] for row in cells if column < len(row)]
        sides = [(box[0], box[2]) for box in boxes if box is not None]
        if not sides:
            return []
        lefts, rights = zip(*sides, strict=True)
        found.append((statistics.median(lefts), statistics.median(rights)))
    return found


def _words_in(
    boxes: Sequence[BBox | None], columns: Sequence[tuple[float, float]], words: Sequence[Word]
) -> list[Word]:
    own = [box for box in boxes if box is not None]
    if not own:
        return []
    row = (columns[0][0], union(own)[1], columns[-1][1], union(own)[3])
    return [word for word in words if contains(row, centre(word.bbox))]


def _read_row(
    inside: Sequence[Word], columns: Sequence[tuple[float, float]], *, is_header: bool
) -> tuple[str, ...]:
    cells: list[list[str]] = [[] for _ in columns]
    for phrase in _phrases(inside):
        box = union(word.bbox for word in phrase)
        for column in _covered(box, columns, is_header=is_header):
            cells[column].append(" ".join(word.text for word in phrase))
    return tuple("\n".join(texts) for texts in cells)


def _phrases(words: Sequence[Word]) -> list[list[Word]]:
    """Words that follow one another with no more than a space between, line by line."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda w: centre(w.bbox)[1]):
        if lines and _is_on_line(lines[-1][-1], word):
            lines[-1].append(word)
        else:
            lines.append([word])
    phrases: list[list[Word]] = []
    for line in lines:
        ordered = sorted(line, key=lambda word: word.bbox[0])
        phrases.append([ordered[0]])
        for before, word in pairwise(ordered):
            space = SPACE_SHARE * (word.bbox[3] - word.bbox[1])
            if word.bbox[0] - before.bbox[2] <= space:
                phrases[-1].append(word)
            else:
                phrases.append([word])
    return phrases


def _is_on_line(one: Word, other: Word) -> bool:
    height = min(one.bbox[3] - one.bbox[1], other.bbox[3] - other.bbox[1])
    return abs(centre(one.bbox)[1] - centre(other.bbox)[1]) <= SAME_LINE * height


def _covered(box: BBox, columns: Sequence[tuple[float, float]], *, is_header: bool) -> list[int]:
    """The columns that a phrase stands over; in the body, the one that it mostly stands in."""
    shared = [min(box[2], right) - max(box[0], left) for left, right in columns]
    found = [
        index
        for index, (left, right) in enumerate(columns)
        if shared[index] >= COVER_SHARE * min(right - left, box[2] - box[0])
    ]
    if found and is_header:
        return found
    return [max(range(len(columns)), key=lambda index: shared[index])]
