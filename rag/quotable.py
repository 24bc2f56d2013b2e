"""Hits to pieces that can be quoted: sentences, rows and a figure's words. Knows no question.

Each piece stands word for word in its item, white space folded. What a piece cannot be
understood without comes with it: the header of a row, the sentence that "This" speaks of, the
items that "as follows:" announces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.keywords import content_words
from rag.sentences import fold_spaces, split_lines, split_sentences, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Hit, Item

MIN_WORDS, MAX_WORDS = 4, 60
MAX_LISTED = 6  # items of a list that come with the sentence that announces them
MAX_LABELS = 600  # characters of a figure's own words that are quoted at a time
SHORT_START = 3  # words; "Figure 1." is no sentence of its own

_BULLET = re.compile(r"(?:[-*•‣◦–]|#{1,6})\s+")
_ITEM = re.compile(r"(?:[-*•‣◦–]|\d{1,3}[.)]|\(?[a-z]\))\s")
_TRAILING_MARKS = re.compile(r"(?:[ \t]?\[\d{1,3}\]){1,20}$")
# A document's own "[3]" would read as our marker, and taking it out would not be word for word.
# A line of dots leads to a page number: a table of contents.
_UNFIT = re.compile(r"\[\d{1,3}\]|【\d|\.{5}|(?:\. ){5}")
# Speaks of the sentence before it.
_SPEAKS_BACK = re.compile(
    r"(?:this|that|these|those|it|its|they|their|he|she|such|both|here"
    r"|dies(?:e[rsmn]?)?|er|sie|es|cela|ceci|il|elle|ils|elles)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A quotable piece of a hit. `shown` is word for word; `meaning` is what is compared."""

    hit: Hit
    position: int  # within the hit
    shown: str
    meaning: str
    lead: str = ""  # shown before it: the header of a table, the sentence it speaks of
    tail: tuple[str, ...] = ()  # shown after it: the list it announces


def is_fit(text: str) -> bool:
    """Whether a text can stand in an answer as it is."""
    return _UNFIT.search(text) is None


def pieces_of(hit: Hit) -> list[Piece]:
    """What of a passage or a table can be quoted, in its order; nothing of a picture."""
    if hit.item.kind == "text":
        return _passage_pieces(hit)
    return _table_pieces(hit) if hit.item.kind == "table" else []


def caption_sentences(item: Item) -> list[str]:
    """A figure's caption by sentences; a label such as "Figure 1." stays with the next one."""
    found: list[str] = []
    for sentence in map(fold_spaces, split_sentences(item.caption)):
        is_start = bool(found) and len(words_of(found[-1])) < SHORT_START
        if is_start:
            found[-1] = f"{found[-1]} {sentence}"
        else:
            found.append(sentence)
    return [sentence for sentence in found if is_fit(sentence)]


def label_groups(item: Item) -> list[str]:
    """The words inside a figure: runs of its lines, none longer than can be shown."""
    text = item.text
    inner = text[len(item.caption) :] if text.startswith(item.caption) else text
    groups: list[str] = []
    is_open = False
    for line in map(fold_spaces, split_lines(inner)):
        if not is_fit(line) or len(line) > MAX_LABELS:
            is_open = False
        elif is_open and len(groups[-1]) + len(line) < MAX_LABELS:
            groups[-1] += f" {line}"
        else:
            groups.append(line)
            is_open = True
    return groups


def _passage_pieces(hit: Hit) -> list[Piece]:
    said = _sentences(hit.item.text)
    found = []
    for position, (sentence, _) in enumerate(said):
        if not _has_quotable_length(sentence) or not is_fit(sentence):
            continue
        lead, tail = _lead(said, position), _tail(said, position)
        meaning = " ".join((lead, sentence, *tail)).strip()
        found.append(
            Piece(hit=hit, position=position, shown=sentence, meaning=meaning, lead=lead, tail=tail)
        )
    return found


def _lead(said: Sequence[tuple[str, bool]], position: int) -> str:
    """The sentence before one that speaks of it."""
    if not position or not _SPEAKS_BACK.match(said[position][0]):
        return ""
    before = said[position - 1][0]
    return before if _has_quotable_length(before) and is_fit(before) else ""


def _tail(said: Sequence[tuple[str, bool]], position: int) -> tuple[str, ...]:
    """The items of the list that a sentence announces."""
    if not said[position][0].endswith(":"):
        return ()
    items: list[str] = []
    for line, is_item in said[position + 1 : position + 1 + MAX_LISTED]:
        if not is_item or not is_fit(line) or len(words_of(line)) > MAX_WORDS:
            break
        items.append(line)
    return tuple(items)


def _has_quotable_length(sentence: str) -> bool:
    # Scripts without spaces have one word a clause; their terms are pairs of characters.
    count = len(words_of(sentence))
    return count <= MAX_WORDS and max(count, len(content_words(sentence))) >= MIN_WORDS


def _sentences(text: str) -> list[tuple[str, bool]]:
    """Sentences without bullets, and whether each is the item of a list.

    An endless one (slides, lists without stops) by its lines.
    """
    pieces: list[str] = []
    for sentence in split_sentences(text):
        too_long = len(words_of(sentence)) > MAX_WORDS
        pieces.extend(split_lines(sentence) if too_long else [sentence])
    return [
        (fold_spaces(_TRAILING_MARKS.sub("", _without_bullet(piece))), bool(_ITEM.match(piece)))
        for piece in pieces
    ]


def _without_bullet(piece: str) -> str:
    bullet = _BULLET.match(piece)
    return piece[bullet.end() :] if bullet else piece


def _table_pieces(hit: Hit) -> list[Piece]:
    """Body rows of a Markdown table, each with the header row as its lead."""
    rows = [line for line in split_lines(hit.item.text) if line.startswith("|") and words_of(line)]
    if not rows:
        return _passage_pieces(hit)
    header = _row_text(rows[0])
    about = f"{hit.item.caption} {header}"
    return [
        Piece(hit=hit, position=i, shown=shown, meaning=f"{about}: {shown}", lead=header)
        for i, shown in enumerate(map(_row_text, rows[1:]))
        if len(words_of(shown)) <= MAX_WORDS and is_fit(header + shown)
    ]


def _row_text(row: str) -> str:
    return fold_spaces(row.strip("| \t"))
