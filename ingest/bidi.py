"""A line as it is drawn, from left to right, to the order in which it is read. Pure.

PDF files hold Arabic, Persian and Hebrew in either order, and MuPDF turns some lines and
leaves others, so the order is taken from the places of the glyphs. This is the reverse
of the Unicode bidirectional algorithm (UAX 9) as far as printed lines need it: numbers
and Latin words keep their order, brackets are turned.
"""

from __future__ import annotations

import re
from typing import Literal

Direction = Literal["right", "left", "number", "inner", "sign", "other"]

_LEFTWARD = re.compile(
    "[\u0590-\u05ff\u0600-\u065f\u066a-\u06ef\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
)
_LETTER_OF_IT = re.compile(
    "[\u05d0-\u05f2\u0620-\u064a\u066e-\u06d3\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
)
_DIGIT = re.compile("[0-9\u0660-\u0669\u06f0-\u06f9]")
_INNER = frozenset(",.:/-+\u066b\u066c\u2212'")  # inside a number, between two digits
_SIGN = frozenset("%\u066a$€£¥#°\u2212\u00b1")  # beside a number; a hyphen there is a dash
MAX_SIGNS = 3  # before a number
_OPENING, _CLOSING = "([{<«‹", ")]}>»›"
_TURNED = str.maketrans(_OPENING + _CLOSING, _CLOSING + _OPENING)


def is_leftward(text: str) -> bool:
    """Whether most letters are of a script that is written from right to left."""
    letters = len(_LETTER_OF_IT.findall(text))
    return letters > sum(character.isalpha() for character in text) / 2


def holds_leftward(text: str) -> bool:
    """Whether any letter is of such a script."""
    return _LETTER_OF_IT.search(text) is not None


def logical_order(drawn: list[str], *, leftward: bool = False) -> str:
    """The glyphs of a line, from left to right, as the text a reader reads.

    Args:
        drawn: one entry a glyph; a ligature or a letter with its marks is one entry.
        leftward: most words of the page are, so a line half in Latin begins on the right.
    """
    text = "".join(drawn)
    if not holds_leftward(text):
        return text
    runs = _runs(drawn)
    if leftward or is_leftward(text):
        runs = _with_turned_brackets(runs)
        return "".join(_read(run, is_turned) for run, is_turned in reversed(runs))
    return "".join(_in_place(run, is_turned) for run, is_turned in runs)


def read_order(words: list[str], *, leftward: bool = False) -> list[int]:
    """Places of the words of a line, given from left to right, in the order they are read.

    Args:
        words: the letters of each may be in either order.
        leftward: most words of the page are.
    """
    text = "".join(words)
    if not holds_leftward(text):
        return list(range(len(words)))
    is_turned = [holds_leftward(word) or not any(map(str.isalpha, word)) for word in words]
    if not (leftward or is_leftward(text)):
        is_turned = [holds_leftward(word) for word in words]
        return [
            place
            for run in _alike(is_turned)
            for place in (run[::-1] if is_turned[run[0]] else run)
        ]
    runs = reversed(_alike(is_turned))
    return [place for run in runs for place in (run[::-1] if is_turned[run[0]] else run)]


def _alike(flags: list[bool]) -> list[list[int]]:
    """Places in runs of the same flag."""
    runs: list[list[int]] = []
    for place, flag in enumerate(flags):
        if runs and flags[runs[-1][-1]] == flag:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _in_place(run: list[str], is_turned: bool) -> str:
    """A run of a line of Latin: leftward words turn where they stand, marks beside them stay."""
    words = [place for place, glyph in enumerate(run) if holds_leftward(glyph)]
    if not is_turned or not words:
        return "".join(run)
    first, last = words[0], words[-1] + 1
    return "".join([*run[:first], *reversed(run[first:last]), *run[last:]])


def _read(run: list[str], is_turned: bool) -> str:
    return "".join(reversed(run)) if is_turned else "".join(run)


def _runs(drawn: list[str]) -> list[tuple[list[str], bool]]:
    """Pieces of the line from left to right, and whether each is read from right to left."""
    kinds = _kinds(drawn)
    runs: list[tuple[list[str], bool]] = []
    at = 0
    while at < len(drawn):
        end = _end_of_rightward(kinds, drawn, at)
        if end > at:
            runs.append((drawn[at:end], False))
            at = end
        elif runs and runs[-1][1]:
            runs[-1][0].append(drawn[at])
            at += 1
        else:
            runs.append(([drawn[at]], True))
            at += 1
    return runs


def _end_of_rightward(kinds: list[Direction], drawn: list[str], at: int) -> int:
    """Where the run of numbers or Latin words that begins here ends; `at` when none begins."""
    end = last = at
    has_word = False
    while end < len(kinds) and kinds[end] != "left":
        if kinds[end] in ("right", "number"):
            if last > at and not _is_one_run(kinds, last, end, has_word):
                break
            has_word = has_word or kinds[end] == "right"
            last = end + 1
        elif last == at and (kinds[end] != "sign" or end - at >= MAX_SIGNS):
            return at  # nothing but signs stands before a number
        end += 1
    if last == at:
        return at
    while last < len(kinds) and kinds[last] == "sign" and kinds[last - 1] != "right":
        last += 1
    return _with_closing(drawn, at, last)


def _is_one_run(kinds: list[Direction], last: int, end: int, has_word: bool) -> bool:
    """Whether what stands between two numbers or words belongs to them."""
    between = kinds[last:end]
    if has_word or kinds[end] == "right":
        return True  # Latin words keep the spaces and numbers between them
    return not between or (len(between) == 1 and between[0] in ("inner", "sign"))


def _with_closing(drawn: list[str], at: int, end: int) -> int:
    """The run with the bracket that closes one inside it."""
    inside = "".join(drawn[at:end])
    if end < len(drawn) and drawn[end] in _CLOSING:
        opening = _OPENING[_CLOSING.index(drawn[end])]
        if inside.count(opening) > inside.count(drawn[end]):
            return end + 1
    return end


def _kinds(drawn: list[str]) -> list[Direction]:
    return [_kind(glyph) for glyph in drawn]


def _kind(glyph: str) -> Direction:
    if _DIGIT.match(glyph):
        return "number"
    if _LEFTWARD.match(glyph):
        return "left" if glyph not in _SIGN and glyph not in _INNER else "sign"
    if glyph[0].isalpha():
        return "right"
    if glyph in _SIGN:
        return "sign"
    return "inner" if glyph in _INNER else "other"


def _with_turned_brackets(runs: list[tuple[list[str], bool]]) -> list[tuple[list[str], bool]]:
    """Brackets in leftward text: files write the glyph or its meaning; the one that pairs wins."""
    plain = "".join(_read(*run) for run in reversed(runs) if run[1])
    if _unpaired(plain) <= _unpaired(plain.translate(_TURNED)):
        return runs
    return [
        ([glyph.translate(_TURNED) for glyph in run] if is_turned else run, is_turned)
        for run, is_turned in runs
    ]


def _unpaired(text: str) -> int:
    """Brackets that close none, and those that nothing closes."""
    open_ones: list[str] = []
    wrong = 0
    for character in text:
        if character in _OPENING:
            open_ones.append(character)
        elif character in _CLOSING:
            if open_ones and open_ones[-1] == _OPENING[_CLOSING.index(character)]:
                open_ones.pop()
            else:
                wrong += 1
    return wrong + len(open_ones)
