"""Runs of text to lines, lines to paragraphs: order on a line, hyphens, list items. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from ingest.boxes import union
from ingest.characters import fold_spaces

if TYPE_CHECKING:
    from ingest.spans import Span
    from rag.types import BBox

# Two runs stand on one line when their middles are nearer than this share of the height.
SAME_LINE = 0.45
MAX_WORD = 60
_BULLET = re.compile(r"(?:[•◦▪‣●○■□►▶✓✔➢–—]|\ufffd{1,2}|[-*](?=\s)|\(?(?:\d{1,2}|[a-z])[.)](?=\s))")
_BROKEN = re.compile(r"([^\W\d_]{2,})[-\u2010\u00ad]$")
_LEADER = re.compile(r"(?:\s?[._·]){5,}")  # dots from a heading to its page number
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of text as a reader sees it."""

    text: str
    bbox: BBox
    size: float  # points, of the largest run
    is_mono: bool
    is_bold: bool


def to_lines(spans: Sequence[Span]) -> list[Line]:
    """Lines from top to bottom; runs that the file broke apart are put on one line again.

    Runs of one line of the file keep their order there, which is the reading order for
    right-to-left text too.
    """
    pieces = [list(group) for _, group in groupby(spans, key=lambda span: span.line)]
    if any(not span.is_horizontal for span in spans):
        return [_line(piece) for piece in pieces]
    rows: list[list[list[Span]]] = []
    for piece in sorted(pieces, key=lambda spans: _middle(union(s.bbox for s in spans))):
        if rows and _on_one_line(rows[-1][-1], piece):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [_line([span for piece in _ordered(row) for span in piece]) for row in rows]


def join_lines(texts: Sequence[str], known_words: frozenset[str]) -> str:
    """One paragraph on one line; a word broken at a line end is whole again.

    Args:
        texts: the lines.
        known_words: what `words_of` found on the page.
    """
    pieces: list[str] = []
    for text in filter(None, map(fold_spaces, texts)):
        # Only the end of the last line is searched: a page may hold a million characters.
        broken = _BROKEN.search(pieces[-1][-MAX_WORD:]) if pieces else None
        if broken and text[:1].isalpha():
            rest = re.match(r"\w+", text)
            if not _keeps_hyphen(broken[1], rest[0] if rest else "", known_words):
                pieces[-1] = pieces[-1][:-1]
            pieces[-1] += text
        else:
            pieces.append(text)
    return " ".join(pieces)


def split_items(lines: Sequence[Line]) -> list[list[Line]]:
    """List items: a line that begins with a bullet or a number begins a new one."""
    items: list[list[Line]] = []
    for line in lines:
        if not items or _BULLET.match(line.text):
            items.append([])
        items[-1].append(line)
    return items


def words_of(texts: Sequence[str]) -> frozenset[str]:
    """Words inside lines in lower case, hyphenated ones as a whole."""
    return frozenset(
        word.lower() for text in texts for word in re.findall(r"\w+(?:-\w+)*", fold_spaces(text))
    )


def _keeps_hyphen(before: str, after: str, known_words: frozenset[str]) -> bool:
    """Kept in "type-" "specialized" when the page writes it so, not in "Trace-" "Monkey"."""
    if f"{before}-{after}".lower() in known_words:
        return True
    return after[:1].isupper() and f"{before}{after}".lower() not in known_words


def _line(spans: Sequence[Span]) -> Line:
    text = spans[0].text
    for before, span in pairwise(spans):
        apart = span.line != before.line or span.bbox[0] - before.bbox[2] > 0.2 * span.size
        text += f" {span.text}" if apart else span.text
    return Line(
        text=fold_spaces(_LEADER.sub(" … ", text)),
        bbox=union(span.bbox for span in spans),
        size=max(span.size for span in spans),
        is_mono=all(span.is_mono for span in spans),
        is_bold=all(span.is_bold for span in spans),
    )


def _on_one_line(one: Sequence[Span], other: Sequence[Span]) -> bool:
    first, second = union(s.bbox for s in one), union(s.bbox for s in other)
    height = min(first[3] - first[1], second[3] - second[1])
    beside = first[2] <= second[0] + 1 or second[2] <= first[0] + 1
    return beside and abs(_middle(first) - _middle(second)) < SAME_LINE * height


def _ordered(row: list[list[Span]]) -> list[list[Span]]:
    text = "".join(span.text for piece in row for span in piece)
    backwards = len(_RIGHT_TO_LEFT.findall(text)) > len(text) / 3
    return sorted(row, key=lambda piece: piece[0].bbox[0], reverse=backwards)


def _middle(box: BBox) -> float:
    return (box[1] + box[3]) / 2
