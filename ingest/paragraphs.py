"""Runs of text to lines, lines to paragraphs: order on a line, line ends, list items. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from ingest.boxes import union
from ingest.characters import SOFT_HYPHEN, fold_spaces
from ingest.glyphs import LOST
from ingest.hyphens import joint

if TYPE_CHECKING:
    from ingest.spans import Span
    from rag.types import BBox

# Two runs stand on one line when their middles are nearer than this share of the lower one's
# height, or when the lower one reaches so far into the other (cells in two sizes).
SAME_LINE = 0.45
SAME_LINE_OVERLAP = 0.75
PIECES_LOOKED_AT = 20  # on one line; more are a table of its own
INITIAL_SIZE = 1.6  # times the size of the words beside it
_BULLET = re.compile(r"(?:[•◦▪‣●○■□►▶✓✔➢–—]|\ufffd{1,2}|[-*](?=\s)|\(?(?:\d{1,2}|[a-z])[.)](?=\s))")
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
    is_glued: bool = False  # the next line goes on inside the same word (Korean)


def to_lines(spans: Sequence[Span]) -> list[Line]:
    """Lines from top to bottom; runs that the file broke apart are put on one line again.

    Runs of one line of the file keep their order there, which is the reading order for
    right-to-left text too.
    """
    pieces = [list(group) for _, group in groupby(spans, key=lambda span: span.line)]
    if any(not span.is_horizontal for span in spans):
        return [_line(piece) for piece in pieces]
    boxed = [(union(span.bbox for span in piece), piece) for piece in pieces]
    boxed.sort(key=lambda entry: _middle(entry[0]))
    rows: list[list[list[Span]]] = []
    boxes: list[BBox] = []  # of the last row
    for box, piece in boxed:
        if boxes and all(_on_one_line(other, box) for other in boxes[-PIECES_LOOKED_AT:]):
            rows[-1].append(piece)
            boxes.append(box)
        else:
            rows.append([piece])
            boxes = [box]
    return [_line([span for piece in _ordered(row) for span in piece]) for row in rows]


def join_lines(texts: Sequence[str], known_words: frozenset[str]) -> str:
    """One paragraph on one line; a word broken at a line end is whole again.

    Args:
        texts: the lines.
        known_words: what `words_of` found on the page.
    """
    return _joined([(fold_spaces(text), False) for text in texts], known_words)


def join_paragraph(lines: Sequence[Line], known_words: frozenset[str]) -> str:
    """As `join_lines`, with what the lines know of their ends.

    A soft hyphen at the end says that the last word goes on in the next paragraph.
    """
    edge = max((line.bbox[2] for line in lines), default=0.0)
    # A line that ends early was not broken inside a word.
    full = [line.is_glued and line.bbox[2] > edge - 2 * line.size for line in lines]
    texts = [line.text for line in lines]
    is_open = bool(lines) and (full[-1] or texts[-1].endswith(SOFT_HYPHEN))
    return _joined(list(zip(texts, full, strict=True)), known_words) + SOFT_HYPHEN * is_open


def _joined(lines: Sequence[tuple[str, bool]], known_words: frozenset[str]) -> str:
    pieces: list[str] = []
    was_glued = False
    for text, is_glued in lines:
        if not text:
            continue
        if pieces:
            cut, glue = joint(pieces[-1], text, known_words)
            pieces[-1] = pieces[-1][: len(pieces[-1]) - cut]
            goes_on = was_glued and not text[:1].isascii()
            pieces.append("" if goes_on else glue)
        pieces.append(text)
        was_glued = is_glued
    return "".join(pieces).replace(SOFT_HYPHEN, "")


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


def _line(spans: Sequence[Span]) -> Line:
    text = spans[0].text
    if len(spans) > 1 and text.strip() == LOST and not spans[1].text[:1].isdigit():
        text = "•"  # bullets of symbol fonts; before a number it may be a sign
    for before, span in pairwise(spans):
        apart = span.line != before.line or span.bbox[0] - before.bbox[2] > 0.2 * span.size
        text += f" {span.text}" if apart and not _is_initial(before, span) else span.text
    return Line(
        text=fold_spaces(_LEADER.sub(" … ", text)),
        bbox=union(span.bbox for span in spans),
        size=max(span.size for span in spans),
        is_mono=all(span.is_mono for span in spans),
        is_bold=all(span.is_bold for span in spans),
        is_glued=spans[-1].is_glued,
    )


def _is_initial(before: Span, after: Span) -> bool:
    """A large first letter beside the lines of its paragraph."""
    return (
        len(before.text.strip()) == 1
        and before.text.strip().isalpha()
        and before.size > INITIAL_SIZE * after.size
        and after.text[:1].isalpha()
    )


def _on_one_line(first: BBox, second: BBox) -> bool:
    height = min(first[3] - first[1], second[3] - second[1])
    beside = first[2] <= second[0] + 1 or second[2] <= first[0] + 1
    inside = min(first[3], second[3]) - max(first[1], second[1])
    is_near = abs(_middle(first) - _middle(second)) < SAME_LINE * height
    return beside and (is_near or inside >= SAME_LINE_OVERLAP * height)


def _ordered(row: list[list[Span]]) -> list[list[Span]]:
    text = "".join(span.text for piece in row for span in piece)
    backwards = len(_RIGHT_TO_LEFT.findall(text)) > len(text) / 3
    return sorted(row, key=lambda piece: piece[0].bbox[0], reverse=backwards)


def _middle(box: BBox) -> float:
    return (box[1] + box[3]) / 2
