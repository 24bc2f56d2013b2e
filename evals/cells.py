"""A table in Markdown to cells with the names of their row and column. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.sentences import fold_spaces

MAX_NAME_CHARS = 60
MIN_NAME_LETTERS = 3
_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"[-:\s]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and the names by which a reader would ask for it."""

    row: str
    column: str
    value: str


def cells_of(markdown: str) -> list[Cell]:
    """Cells whose row and column both have a name and that hold something.

    The first row names the columns, the first column the rows. A name that stands twice
    is no name.
    """
    rows = _rows(markdown)
    if len(rows) < 2:
        return []
    head, body = rows[0], rows[1:]
    names = [row[0] for row in body if row]
    return [
        Cell(row=row[0], column=column, value=value)
        for row in body
        if row and _is_name(row[0]) and names.count(row[0]) == 1
        for column, value in zip(head[1:], row[1:], strict=False)
        if _is_name(column) and head.count(column) == 1 and _is_value(value, column)
    ]


def _rows(markdown: str) -> list[list[str]]:
    lines = [line.strip() for line in markdown.splitlines()]
    rows = [_BAR.split(line.strip("|")) for line in lines if line.startswith("|")]
    cleaned = [[fold_spaces(cell.replace("\\|", "|")) for cell in row] for row in rows]
    return [row for row in cleaned if not all(_RULE.fullmatch(cell) or not cell for cell in row)]


def _is_name(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    is_wide = any(ord(sign) > 0x2E80 for sign in text)  # two signs of Chinese are a word
    return len(text) <= MAX_NAME_CHARS and letters >= (2 if is_wide else MIN_NAME_LETTERS)


def _is_value(value: str, column: str) -> bool:
    return len(value) > 0 and value != column and any(map(str.isalnum, value))
