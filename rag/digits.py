"""Numbers as they are written and what they can mean. Knows characters only.

1,234.5 = 1234.5 = 1 234,5 = 1.234,5; "2.5 million" = 2,500,000. A number that can be
read two ways has both readings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPACES = " \u00a0\u202f\u2009"
# Not after a letter: the 2 of "H2O" and the 4 of "B4" are names, not amounts.
_NUMBER = re.compile(
    rf"(?<![^\W_])(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,'’]\d+)*)"
)
_ANY_NUMBER = re.compile(r"\d+(?:[.,'’]\d+)*")
_GROUPED = re.compile(rf"\d{{1,3}}(?:([.,'’{_SPACES}])\d{{3}})(?:\1\d{{3}})*(?:([.,])\d+)?")
_DECIMAL = re.compile(r"\d+(?:[.,]\d+)?")
_DIGITS = re.compile(r"\d+")
_LONGEST = 40  # characters; longer runs of digits are no amounts
_SCALES = {
    "thousand": 3, "thousands": 3, "tsd": 3, "tausend": 3, "mille": 3, "mil": 3, "duizend": 3,
    "million": 6, "millions": 6, "mio": 6, "mn": 6, "millionen": 6, "millón": 6, "millones": 6,
    "milioni": 6, "milione": 6, "milhões": 6, "milhão": 6, "miljoen": 6, "mln": 6,
    "billion": 9, "billions": 9, "mrd": 9, "bn": 9, "milliarden": 9, "milliarde": 9,
    "milliard": 9, "milliards": 9, "miliardi": 9, "miljard": 9, "bilhões": 9, "mld": 9,
    "trillion": 12, "trillions": 12, "billionen": 12, "billones": 12, "trn": 12,
    "hundred": 2,
}  # fmt: skip
_SHORT = {"k": 3, "m": 6, "b": 9}  # glued to the digits only: "5 m" is a length
_SCALE = re.compile(rf"[\s-]?({'|'.join(sorted(_SCALES, key=len, reverse=True))})\b", re.I)
_GLUED = re.compile(r"([kKmMB])\b(?!/)")
_SCALE_WORD = re.compile(
    rf"(?<![^\W_])({'|'.join(sorted((s for s in _SCALES if len(s) > 2), key=len, reverse=True))}"
    r"|[$€£]\s?(?:m|bn))\b|['’](000)s?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number in a text: its digits read, and the power of ten that follows them."""

    start: int
    end: int  # of the digits
    scale_end: int  # of "million", else of the digits
    readings: frozenset[str]  # of the digits alone, in one form
    powers: tuple[int, ...]  # 0 for none; two for "5m"
    parts: tuple[str, ...]  # of a date, a version or two neighbours; none of an amount


def numbers_in(text: str, *, inside_words: bool = False) -> list[Number]:
    """Numbers of a folded text, in order; with `inside_words` also those glued to letters."""
    pattern = _ANY_NUMBER if inside_words else _NUMBER
    return [_number(m, text) for m in pattern.finditer(text) if len(m.group()) <= _LONGEST]


def scales_named(text: str) -> frozenset[int]:
    """Powers of ten that a text speaks of anywhere: "in millions", "EUR '000"."""
    found = set()
    for match in _SCALE_WORD.finditer(text):
        word = (match.group(1) or "tsd").casefold()
        found.add(_SCALES.get(word, 9 if word.endswith("bn") else 6))
    return frozenset(found)


def shift(reading: str, power: int) -> str:
    """A reading times ten to a power."""
    whole, _, decimals = reading.partition(".")
    return plain(whole + decimals[:power].ljust(power, "0") + "." + decimals[power:])


def plain(number: str) -> str:
    """Without leading zeros, trailing decimal zeros and a bare point."""
    whole, _, decimals = number.partition(".")
    decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{decimals}" if decimals else "")


def is_amount(reading: str) -> bool:
    """Whether a reading is one number, not a date or version of several."""
    return reading.count(".") <= 1 and reading.replace(".", "").isascii() and "," not in reading


def _number(match: re.Match[str], text: str) -> Number:
    powers, scale_end = _scale(text, match.end())
    return Number(
        start=match.start(),
        end=match.end(),
        scale_end=scale_end,
        readings=_readings(match.group()),
        powers=powers,
        parts=tuple(_parts(match.group())),
    )


def _scale(text: str, end: int) -> tuple[tuple[int, ...], int]:
    scale = _SCALE.match(text, end)
    if scale:
        return (_SCALES[scale.group(1).casefold()],), scale.end()
    glued = _GLUED.match(text, end)
    # The digits may as well have a unit after them: 5m.
    return ((_SHORT[glued.group(1).casefold()], 0) if glued else (0,)), end


def _parts(token: str) -> list[str]:
    """The numbers of a date, a version or two neighbours ("3 456"); none of an amount."""
    amount = _DECIMAL.fullmatch(token) or (
        _GROUPED.fullmatch(token) and not any(space in token for space in _SPACES)
    )
    return [] if amount else [plain(part) for part in _DIGITS.findall(token)]


def _readings(token: str) -> frozenset[str]:
    readings: set[str] = set()
    grouped = _GROUPED.fullmatch(token)
    if grouped and grouped.group(1) != grouped.group(2):
        readings.add(_ungroup(token, has_decimals=grouped.group(2) is not None))
    if _DECIMAL.fullmatch(token):
        readings.add(plain(token.replace(",", ".")))
    # A date or a version, 5.3.2024: as one piece.
    return frozenset(readings or {token})


def _ungroup(token: str, *, has_decimals: bool) -> str:
    """1.234.567,89 as 1234567.89."""
    parts = _DIGITS.findall(token)
    if not has_decimals:
        return plain("".join(parts))
    return plain("".join(parts[:-1]) + "." + parts[-1])
