"""Where the words of a quote stand: on a page, or in a text. Pure; knows letters and boxes.

A quote is compared by its letters and digits alone, so that ligatures, hyphens at line ends,
raised digits and spacing do not matter. What cannot be found for the most part is not marked
at all: a wrong mark is worse than none.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.types import BBox, Region

    Word = tuple[str, BBox]  # as `ingest.pagewords.PageWord`
    Words = Mapping[int, Sequence[Word]]  # by page, in content order

Span = tuple[int, int]  # first character and the one after the last

MIN_SHARE = 0.8  # of a quote's letters; with fewer nothing is marked
SEED = 8  # letters that a piece of a broken quote must have at least
LONE_SEED = 24  # the same for one that stands before the piece it follows
MIN_ALONE = 12  # letters; a shorter quote must be a whole word wherever it stands
REGION_SLACK_PT = 3.0
MAX_WORD_GAP = 2.0  # heights of a line; words further apart are marked apart

_SIGNS = frozenset("%‰°±×")  # and currencies: what a number is without them is another number
_TATWEEL = "\u0640"
_DOTLESS = str.maketrans({"ı": "i", "ſ": "s", _TATWEEL: None})


@dataclass(frozen=True, slots=True)
class Found:
    """What of a quote was found: boxes by page, and the share of its letters in them."""

    boxes: Mapping[int, tuple[BBox, ...]]
    share: float


NOTHING = Found({}, 0.0)


def find_on_pages(
    quote: str, pages: Words, regions: Sequence[Region], place: Region | None = None
) -> Found:
    """The boxes of a quote's words inside the regions of its source.

    Args:
        quote: Words of the source, as shown; the rows of a table with their bars.
        pages: Words of each page that a region lies on.
        regions: Where the source stands.
        place: The region that the quote stands in, as far as that is known: of words that
            stand twice, those in it are marked.
    """
    wanted = fold(quote)
    inside = [
        _Placed(number, text, box)
        for number, words in sorted(pages.items())
        for text, box in words
        if any(_is_in(box, region) for region in regions if region.page_number == number)
    ]
    best: Found = NOTHING
    for order in (_as_given, _by_rows):
        words = order(inside)
        stream = _Stream([word.text for word in words])
        near = [place is not None and word.is_in(place) for word in words]
        pieces = _pieces(wanted, stream, near)
        share = sum(length for _, length in pieces) / len(wanted) if wanted else 0.0
        if share > best.share:
            best = Found(_boxes(words, stream, pieces), share)
        if share == 1.0:
            break
    return best if best.share >= MIN_SHARE else NOTHING


def find_once(quote: str, page_number: int, words: Sequence[Word]) -> Found:
    """The boxes of a quote that stands on a page just once, wherever that is; else none.

    For captions, which stand beside what they belong to.
    """
    wanted = fold(quote)
    placed = [_Placed(page_number, text, box) for text, box in words]
    stream = _Stream([word.text for word in placed])
    starts = list(islice(_occurrences(wanted, stream.letters), 2)) if wanted else []
    if len(starts) != 1 or not stream.is_whole(starts[0], len(wanted)):
        return NOTHING
    return Found(_boxes(placed, stream, [(starts[0], len(wanted))]), 1.0)


def find_in_texts(quote: str, texts: Sequence[str]) -> list[list[Span]]:
    """Of each text, start and end of what it holds of a quote that may run over several.

    Args:
        quote: Words of the source, as shown.
        texts: Blocks or cells, in the order they are read.

    Returns:
        As many lists as texts, all empty when too little of the quote is found.
    """
    wanted = fold(quote)
    stream = _Stream(texts)
    spans: list[list[Span]] = [[] for _ in texts]
    pieces = _pieces(wanted, stream, [False] * len(texts))
    if not wanted or sum(length for _, length in pieces) < MIN_SHARE * len(wanted):
        return spans
    for start, length in pieces:
        for index, first, end in stream.cut(start, length):
            spans[index].append(stream.span(first, end - first))
    return [sorted(found) for found in spans]


def fold(text: str) -> str:
    """The letters of a text as they are compared, digits and signs of amounts with them."""
    return "".join(letter for letter, _ in _letters(text))


@dataclass(frozen=True, slots=True)
class _Placed:
    page_number: int
    text: str
    box: BBox

    def is_in(self, region: Region) -> bool:
        return region.page_number == self.page_number and _is_in(self.box, region)


class _Stream:
    """The letters of words one after another, and where each is from."""

    def __init__(self, words: Sequence[str]) -> None:
        letters: list[str] = []
        self.origin: list[int] = []  # of each letter, its character in its word
        self.starts: list[int] = []  # of each word, its first letter
        self.sizes = [len(word) for word in words]
        for word in words:
            self.starts.append(len(letters))
            for letter, origin in _letters(word):
                letters.append(letter)
                self.origin.append(origin)
        self.letters = "".join(letters)

    def word_at(self, letter: int) -> int:
        return bisect_right(self.starts, letter) - 1

    def end_of(self, word: int) -> int:
        return self.starts[word + 1] if word + 1 < len(self.starts) else len(self.letters)

    def cut(self, start: int, length: int) -> Iterator[tuple[int, int, int]]:
        """A stretch word by word: which one, and from which letter to which of the stream."""
        for word in range(self.word_at(start), self.word_at(start + length - 1) + 1):
            first, end = max(start, self.starts[word]), min(start + length, self.end_of(word))
            if first < end:  # else a dash or bullet of its own
                yield word, first, end

    def span(self, start: int, length: int) -> tuple[int, int]:
        """Characters of the word that a stretch of letters in it takes, signs between included."""
        return self.origin[start], self.origin[start + length - 1] + 1

    def is_whole(self, start: int, length: int) -> bool:
        """Whether a stretch begins and ends where words do, in the words or by a sign in one."""
        return self._is_edge(start) and self._is_edge(start + length)

    def _is_edge(self, letter: int) -> bool:
        if letter in (0, len(self.letters)):
            return True
        word = self.word_at(letter)
        if self.starts[word] == letter:
            return True
        return self.origin[letter] - self.origin[letter - 1] > 1


Pieces = list[tuple[int, int]]  # first letter in the stream, and how many


def _pieces(wanted: str, stream: _Stream, is_near: Sequence[bool]) -> Pieces:
    """The stretches of a stream that are a quote, in the quote's order."""
    if not wanted:
        return []
    whole = list(_occurrences(wanted, stream.letters))
    if len(wanted) < MIN_ALONE:
        whole = [start for start in whole if stream.is_whole(start, len(wanted))]
    if whole:

        def rank(start: int) -> tuple[bool, bool, int]:
            middle = stream.word_at(start + len(wanted) // 2)
            return not is_near[middle], not stream.is_whole(start, len(wanted)), start

        return [(min(whole, key=rank), len(wanted))]
    return _broken(wanted, stream.letters)


def _occurrences(wanted: str, letters: str) -> Iterator[int]:
    start = letters.find(wanted)
    while start >= 0:
        yield start
        start = letters.find(wanted, start + 1)


def _broken(wanted: str, letters: str) -> Pieces:
    """The same where something stands between: the next column, a footnote, a lost letter."""
    places: dict[str, list[int]] = {wanted[i : i + SEED]: [] for i in range(len(wanted) - SEED + 1)}
    for start in range(len(letters) - SEED + 1):
        seed = letters[start : start + SEED]
        if seed in places:
            places[seed].append(start)
    pieces: Pieces = []
    at = after = 0
    while at + SEED <= len(wanted):
        options = [
            (length, start >= after, -start)
            for start in places[wanted[at : at + SEED]]
            if not _is_taken(start, pieces)
            and (length := _alike(wanted, at, letters, start))
            >= (SEED if start >= after else LONE_SEED)
        ]
        if not options:
            at += 1
            continue
        length, _, start = max(options)
        pieces.append((-start, length))
        after = -start + length
        at += length
    return pieces


def _alike(wanted: str, at: int, letters: str, start: int) -> int:
    most = min(len(wanted) - at, len(letters) - start)
    return next((n for n in range(most) if wanted[at + n] != letters[start + n]), most)


def _is_taken(start: int, pieces: Pieces) -> bool:
    return any(first <= start < first + length for first, length in pieces)


def _letters(text: str) -> Iterator[tuple[str, int]]:
    """Letters, digits and signs of amounts, folded, each with the character it is from."""
    for place, character in enumerate(text):
        if character.isascii():
            if character.isalnum() or character in "%$":
                yield character.lower(), place
            continue
        for letter in unicodedata.normalize("NFKD", character).casefold().translate(_DOTLESS):
            category = unicodedata.category(letter)
            is_mark = category[0] == "M" and not "\u0300" <= letter <= "\u036f"
            if category[0] in "LN" or category == "Sc" or is_mark or letter in _SIGNS:
                yield letter, place


def _is_in(box: BBox, region: Region) -> bool:
    x0, y0, x1, y1 = region.bbox
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    slack = REGION_SLACK_PT
    return x0 - slack <= x <= x1 + slack and y0 - slack <= y <= y1 + slack


def _as_given(words: Sequence[_Placed]) -> list[_Placed]:
    return list(words)


def _by_rows(words: Sequence[_Placed]) -> list[_Placed]:
    """From top to bottom and left to right, as a row of a table is read."""
    rows: list[list[_Placed]] = []
    for word in sorted(words, key=lambda word: (word.page_number, word.box[1] + word.box[3])):
        if rows and _is_beside(rows[-1][0], word):
            rows[-1].append(word)
        else:
            rows.append([word])
    return [word for row in rows for word in sorted(row, key=lambda word: word.box[0])]


def _is_beside(one: _Placed, other: _Placed) -> bool:
    if one.page_number != other.page_number:
        return False
    shared = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    return shared > 0.5 * min(one.box[3] - one.box[1], other.box[3] - other.box[1])


def _boxes(
    words: Sequence[_Placed], stream: _Stream, pieces: Pieces
) -> dict[int, tuple[BBox, ...]]:
    """A box for each run of words on one line."""
    boxes: dict[int, list[BBox]] = {}
    for start, length in pieces:
        before: _Placed | None = None
        for index, first, end in stream.cut(start, length):
            word = words[index]
            box = _part(word, stream, index, first, end)
            on_page = boxes.setdefault(word.page_number, [])
            if before is not None and _is_beside(before, word) and _is_close(on_page[-1], box):
                on_page[-1] = _union(on_page[-1], box)
            else:
                on_page.append(box)
            before = word
    return {number: tuple(found) for number, found in boxes.items()}


def _part(word: _Placed, stream: _Stream, index: int, first: int, end: int) -> BBox:
    """The box of a word, or of a part of it, each character taken as wide as the others."""
    x0, y0, x1, y1 = word.box
    if first == stream.starts[index] and end == stream.end_of(index):
        return word.box
    begin, stop = stream.span(first, end - first)
    if first == stream.starts[index]:
        begin = 0
    if end == stream.end_of(index):
        stop = stream.sizes[index]
    width = (x1 - x0) / max(1, stream.sizes[index])
    if unicodedata.bidirectional(word.text[0]) in ("R", "AL"):
        return (x1 - stop * width, y0, x1 - begin * width, y1)
    return (x0 + begin * width, y0, x0 + stop * width, y1)


def _is_close(one: BBox, other: BBox) -> bool:
    gap = max(one[0], other[0]) - min(one[2], other[2])
    return gap < MAX_WORD_GAP * max(1.0, one[3] - one[1])


def _union(one: BBox, other: BBox) -> BBox:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )
