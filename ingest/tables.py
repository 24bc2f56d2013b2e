"""A grid of cells to Markdown, and when not to trust the grid. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ingest.characters import fold_spaces

if TYPE_CHECKING:
    from ingest.layout import Grid

# Cells that hold a run of short lines mean that whole columns ran into one cell.
TALL_CELL_LINES = 3
SHORT_LINE_WORDS = 2.0
MAX_TALL_SHARE = 0.3
# Words the cells may break or lose before the plain words are better.
MAX_MISSING_SHARE = 0.2


def is_trusted(grid: Grid) -> bool:
    """Whether the cells can be believed: at least 2 x 2, and few cells that hold a column.

    Source: measured on nics-background-checks-rotated, where a dense table came out as
    6 x 10 with whole columns in one cell. Long lines are a paragraph in a cell and do
    not count (normal_4pages, page 2).
    """
    cells = [cell for row in grid for cell in row if cell.strip()]
    if len(grid) < 2 or max(len(row) for row in grid) < 2 or len(cells) < 3:
        return False
    tall = sum(1 for cell in cells if _is_column(cell))
    return tall <= MAX_TALL_SHARE * len(cells)


def to_markdown(grid: Grid) -> str:
    """The grid as a Markdown table, the first row as its header.

    Empty rows and columns are left out; line breaks inside a cell become spaces.
    """
    rows = [[_cell(cell) for cell in row] for row in grid]
    width = max(len(row) for row in rows)
    rows = [row + [""] * (width - len(row)) for row in rows if any(row)]
    if not rows:
        return ""
    kept = [column for column in range(width) if any(row[column] for row in rows)]
    lines = ["| " + " | ".join(row[column] for column in kept) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(kept))
    return "\n".join(lines)


def _is_column(cell: str) -> bool:
    lines = cell.count("\n") + 1
    return lines >= TALL_CELL_LINES and len(cell.split()) < SHORT_LINE_WORDS * lines


def _cell(text: str) -> str:
    return fold_spaces(text.replace("<br>", " ")).replace("|", "\\|")


def holds_words(grid: Grid, words: str) -> bool:
    """Whether the cells hold nearly all words that stand in the box of the table."""
    inside = " ".join(cell for row in grid for cell in row).split()
    wanted = words.split()
    if not wanted:
        return True
    missing = sum((Counter(wanted) - Counter(inside)).values())
    return missing <= MAX_MISSING_SHARE * len(wanted)
