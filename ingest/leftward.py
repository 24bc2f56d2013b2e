"""Arabic, Persian and Hebrew lines of a page, put together again from their glyphs.

Knows MuPDF's "rawdict" and where glyphs stand. The order on a line is `ingest.bidi`'s.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ingest.bidi import holds_leftward, logical_order, read_order
from ingest.boxes import union

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.types import BBox

Entry = tuple[int, dict[str, Any]]  # number on the page, and a line or span of MuPDF

# Shares of the type size.
SAME_ROW = 0.35
ONE_PIECE = 0.9  # a wider gap is a gutter or the next cell
WORD_GAP = 0.16
NO_WIDTH = 0.05
NEIGHBOURS = 4  # letters to each side that a mark or part may belong to
ROWS_LOOKED_AT = 40  # spans come nearly in order of height


@dataclass(frozen=True, slots=True)
class _Glyph:
    text: str
    x0: float
    x1: float
    bbox: BBox

    @property
    def middle(self) -> float:
        return (self.x0 + self.x1) / 2


def rebuilt(lines: Sequence[Entry], *, leftward: bool) -> tuple[list[Entry], set[int]]:
    """Rows with leftward words as one span each, its text in the order it is read.

    Rows of numbers as well: MuPDF breaks a date on such a page into five lines.

    Args:
        lines: number on the page and line, as "rawdict" gives them; horizontal ones.
        leftward: most words of the page are.

    Returns:
        The rows as (number, span with "text"), and the numbers of all lines that are in one.
    """
    rows = [row for row in _rows(lines) if _is_wanted("".join(map(_text, row)))]
    spans = [made for row in rows if (made := _span(row, leftward))]
    return spans, {number for row in rows for number, _ in row}


def _is_wanted(text: str) -> bool:
    return holds_leftward(text) or not any(character.isalpha() for character in text)


def _rows(lines: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Spans of one colour side by side on one height."""
    entries = [(number, span) for number, line in lines for span in line["spans"] if span["chars"]]
    heights: list[list[Entry]] = []
    for entry in sorted(entries, key=_middle):
        row = next((row for row in heights[-ROWS_LOOKED_AT:] if _is_beside(row[0], entry)), None)
        if row is None:
            heights.append([entry])
        else:
            row.append(entry)
    for height in heights:
        height.sort(key=lambda entry: entry[1]["bbox"][0])
        start, end = 0, height[0][1]["bbox"][2]
        for place, (_, span) in enumerate(height):
            if place and span["bbox"][0] - end > ONE_PIECE * span["size"]:
                yield height[start:place]
                start = place
            end = max(end, span["bbox"][2])
        yield height[start:]


def _middle(entry: Entry) -> float:
    return float(entry[1]["bbox"][1] + entry[1]["bbox"][3]) / 2


def _is_beside(one: Entry, other: Entry) -> bool:
    a, b = one[1], other[1]
    if (a["color"], a.get("alpha")) != (b["color"], b.get("alpha")):
        return False  # hidden words must not hide among the seen ones
    return bool(abs(_middle(one) - _middle(other)) < SAME_ROW * min(a["size"], b["size"]))


def _text(entry: Entry) -> str:
    return "".join(char["c"] for char in entry[1]["chars"])


def read_rows(rawdict: dict[str, Any], *, leftward: bool) -> Iterator[tuple[str, BBox]]:
    """All words of a page with their boxes, each row in the order it is read.

    Args:
        rawdict: the page as "rawdict" gives it.
        leftward: most words of the page are.
    """
    lines = [line for block in rawdict["blocks"] for line in block.get("lines", ())]
    rows = list(_rows(list(enumerate(lines))))
    for row in sorted(rows, key=lambda row: min(number for number, _ in row)):
        words = _words(row)
        drawn = ["".join(glyph.text for glyph in word) for word in words]
        for place in read_order(drawn, leftward=leftward):
            text = logical_order([glyph.text for glyph in words[place]], leftward=leftward)
            yield text, union(glyph.bbox for glyph in words[place])


def _span(row: list[Entry], leftward: bool) -> Entry | None:
    words = _words(row)
    if not words:
        return None
    drawn = [glyph.text for glyph in words[0]]
    for word in words[1:]:
        drawn += [" ", *(glyph.text for glyph in word)]
    first = max((span for _, span in row), key=lambda span: len(span["chars"]))
    box = union(glyph.bbox for word in words for glyph in word)
    text, size = logical_order(drawn, leftward=leftward), _size(row)
    made = {**first, "text": text, "bbox": box, "size": size}
    return min(number for number, _ in row), made


def _words(row: list[Entry]) -> list[list[_Glyph]]:
    """The letters of a row from left to right, by words."""
    size = _size(row)
    glyphs = [
        _glyph(char) for _, span in row for char in span["chars"] if not char.get("synthetic")
    ]
    spaces = [glyph.middle for glyph in glyphs if glyph.text.isspace()]
    letters = _clusters([glyph for glyph in glyphs if not glyph.text.isspace()], size)
    words = [[letter] for letter in letters[:1]]
    for before, glyph in pairwise(letters):
        gap = glyph.x0 - before.x1
        has_space = any(before.middle < space < glyph.middle for space in spaces)
        if gap > WORD_GAP * size or (has_space and gap > WORD_GAP * size / 2):
            words.append([])
        words[-1].append(glyph)
    return words


def _size(row: list[Entry]) -> float:
    return float(max(span["size"] for _, span in row))


def _glyph(char: dict[str, Any]) -> _Glyph:
    x0, y0, x1, y1 = char["bbox"]
    return _Glyph(char["c"], x0, x1, (x0, y0, x1, y1))


def _clusters(glyphs: Sequence[_Glyph], size: float) -> list[_Glyph]:
    """Glyphs from left to right; marks and the further letters of a ligature with their letter.

    MuPDF gives the first letter of a ligature its width and sets the others, without
    width, at its right edge, before or behind it.
    """
    is_part = [unicodedata.combining(g.text[:1]) or g.x1 - g.x0 < NO_WIDTH * size for g in glyphs]
    bases = [glyph for glyph, part in zip(glyphs, is_part, strict=True) if not part]
    if not bases:
        return list(glyphs)
    parts: dict[int, str] = {}
    bases.sort(key=lambda glyph: glyph.middle)
    middles = [glyph.middle for glyph in bases]
    for glyph in (g for g, part in zip(glyphs, is_part, strict=True) if part):
        is_mark = unicodedata.combining(glyph.text[:1])
        near = bisect_left(middles, glyph.middle)
        home = min(
            range(max(0, near - NEIGHBOURS), min(len(bases), near + NEIGHBOURS)),
            key=lambda i: abs((bases[i].middle if is_mark else bases[i].x1) - glyph.middle),
        )
        parts[home] = parts.get(home, "") + glyph.text
    return [
        _Glyph(base.text + parts.get(i, ""), base.x0, base.x1, base.bbox)
        for i, base in enumerate(bases)
    ]
