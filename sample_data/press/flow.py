"""Paragraphs broken into lines. Knows words, faces and widths, nothing of pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pymupdf

from sample_data.press.faces import INK, Colour, face, text_width

_MARKS = re.compile(r"(\*\*.+?\*\*|\*.+?\*)")


@dataclass(frozen=True, slots=True)
class Word:
    """One word and the face that it is set in."""

    text: str
    font: str
    size: float

    @property
    def width(self) -> float:
        """Points, without a space."""
        return text_width(self.text, self.font, self.size)

    @property
    def space(self) -> float:
        """Points of the space that follows."""
        return text_width(" ", self.font, self.size)


@dataclass(frozen=True, slots=True)
class Line:
    """Words of one line; the last line of a paragraph is never stretched."""

    words: tuple[Word, ...]
    is_last: bool

    @property
    def width(self) -> float:
        """Points with normal spaces."""
        return sum(word.width + word.space for word in self.words) - self.words[-1].space


def words_of(text: str, font: str, size: float) -> list[Word]:
    """Words of a text in which `**bold**` and `*italic*` are marked."""
    return [Word(word, name, size) for part, name in _runs(text, font) for word in part.split()]


def break_lines(words: list[Word], width: float) -> list[Line]:
    """Greedy line breaks for a column of `width` points."""
    lines: list[Line] = []
    current: list[Word] = []
    used = 0.0
    for word in words:
        if current and used + word.width > width:
            lines.append(Line(tuple(current), is_last=False))
            current, used = [], 0.0
        current.append(word)
        used += word.width + word.space
    lines.append(Line(tuple(current), is_last=True))
    return lines


def draw_line(
    page: pymupdf.Page,
    line: Line,
    at: tuple[float, float],
    *,
    width: float,
    is_justified: bool = False,
    colour: Colour = INK,
) -> None:
    """Set one line with its baseline's left end at `at`."""
    gaps = len(line.words) - 1
    stretch = (width - line.width) / gaps if gaps and not line.is_last else 0.0
    # Without hyphenation a loose line is worse than a ragged one.
    extra = stretch if is_justified and stretch < 6.5 else 0.0
    writer = pymupdf.TextWriter(page.rect)
    x = at[0]
    for index, word in enumerate(line.words):
        text = word.text + (" " if index < gaps else "")
        writer.append((x, at[1]), text, font=face(word.font), fontsize=word.size)
        x += word.width + word.space + extra
    writer.write_text(page, color=colour)


def _runs(text: str, font: str) -> Iterator[tuple[str, str]]:
    family = font.split("-")[0]
    for part in _MARKS.split(text):
        if part.startswith("**"):
            yield part[2:-2], f"{family}-bold"
        elif part.startswith("*"):
            yield part[1:-1], f"{family}-italic"
        elif part:
            yield part, font
