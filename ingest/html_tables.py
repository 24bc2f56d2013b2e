"""An HTML table to Markdown. Knows rowspan and colspan, nothing of the page around it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    CellText = Callable[[_Element], str]

MAX_SPAN = 1_000  # what browsers allow for colspan
MAX_CELLS = 50_000  # that spans may claim: three tags could claim a million
_BLOCKS = ("h1", "h2", "h3", "ul", "ol", "pre", "article", "section", "form", "figure")
_LONG_CELL = 400  # characters; a cell with more, as a rule, is a page's column


def is_data_table(table: _Element, cell_text: CellText) -> bool:
    """Whether a table holds data; tables that only lay out a page are walked as blocks."""
    if (table.get("role") or "").lower() in ("presentation", "none"):
        return False
    if any(not _is_one_cell(nested) for nested in table.iterdescendants("table")):
        return False
    rows = [cells for row in _rows(table) if (cells := _cells(row))]
    if len(rows) < 2:
        return False
    if max(len(row) for row in rows) < 2:
        return next(table.iterdescendants("th", "caption"), None) is not None
    if next(table.iterdescendants("th", "caption", "thead"), None) is not None:
        return True
    if next(table.iterdescendants(*_BLOCKS), None) is not None:
        return False
    return max(len(cell_text(cell)) for row in rows for cell in row) <= _LONG_CELL


def table_markdown(table: _Element, cell_text: CellText) -> str:
    """Markdown with one header row; "" when no cell holds a word.

    A cell over several rows is repeated in each, so that every row can be read alone;
    a cell over several columns is repeated in header rows only. Header rows above one
    another are joined. A table without header cells takes its first row as header.
    """
    rows = _rows(table)
    grid = _grid(rows, cell_text)
    if not any(cell for row in grid for cell in row):
        return ""
    header_count = _header_count(rows)
    width = max(len(row) for row in grid)
    if width * len(grid) <= 2 * MAX_CELLS:  # past that the rows stay ragged
        grid = [row + [""] * (width - len(row)) for row in grid]
    heads = itertools.zip_longest(*grid[:header_count], fillvalue="")
    header = [_joined(column) for column in heads] or [""] * width
    body = [row for row in grid[header_count:] if any(row)]
    return "\n".join(_line(row) for row in (header, ["---"] * width, *body))


def _is_one_cell(table: _Element) -> bool:
    """A frame around one line, which old pages put into the cells of real tables."""
    rows = list(table.iterdescendants("tr"))
    return len(rows) <= 1 and all(len(_cells(row)) <= 1 for row in rows)


def _rows(table: _Element) -> list[_Element]:
    return [row for row in table.iterdescendants("tr") if _owner(row) is table]


def _owner(row: _Element) -> _Element | None:
    return next(row.iterancestors("table"), None)


def _cells(row: _Element) -> list[_Element]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _header_count(rows: list[_Element]) -> int:
    count = 0
    for row in rows:
        parent = row.getparent()
        is_head = parent is not None and parent.tag == "thead"
        cells = _cells(row)
        if not is_head and (not cells or any(cell.tag == "td" for cell in cells)):
            break
        count += 1
    has_names = any(cell.tag == "th" for row in rows for cell in row)
    # Names in the first column only (an info box): the first row is data, not a header.
    return min(count, 3, len(rows)) if count or has_names else 1


def _grid(rows: list[_Element], cell_text: CellText) -> list[list[str]]:
    grid: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # column -> rows still to fill, text
    total = 0
    for row in rows:
        line: list[str] = []
        for cell in _cells(row):
            _fill(line, hanging)
            text = cell_text(cell)
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            wide = min(wide, max(MAX_CELLS - total, 1))
            for step in range(wide):
                if high > 1:
                    hanging[len(line)] = (high - 1, text if step == 0 else "")
                line.append(text if step == 0 or cell.tag == "th" else "")
            total += wide
        _fill(line, hanging)
        grid.append(line)
        total += len(line)
        if total >= MAX_CELLS:
            hanging.clear()
    return grid


def _fill(line: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    """Cells that hang down from rows above, up to the next free column."""
    while len(line) in hanging:
        column = len(line)
        left, text = hanging[column]
        line.append(text)
        if left > 1:
            hanging[column] = (left - 1, text)
        else:
            del hanging[column]


def _span(cell: _Element, name: str) -> int:
    value = (cell.get(name) or "1").strip()[:6]
    return min(max(int(value), 1), MAX_SPAN) if value.isascii() and value.isdigit() else 1


def _joined(column: tuple[str, ...]) -> str:
    return " ".join(dict.fromkeys(text for text in column if text))


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
