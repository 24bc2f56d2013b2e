"""Numbers in prose and what they can mean. Knows characters only.

1,234.5 = 1234.5 = 1 234,5; "12 %" = "12 percent"; "three" = 3; 2.5 million = 2,500,000;
March = 3. A number that can be read two ways counts as found when either reading is.
"""

from __future__ import annotations

import re

from rag.folding import fold_for_search

_SPACES = " \u00a0\u202f\u2009"
# Not after a letter: the 2 of "H2O" and the 4 of "B4" are names, not amounts.
_NUMBER = re.compile(
    rf"(?<![^\W_])(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,'’]\d+)*)"
)
_ANY_NUMBER = re.compile(r"\d+(?:[.,'’]\d+)*")
_GROUPED = re.compile(rf"\d{{1,3}}(?:([.,'’{_SPACES}])\d{{3}})(?:\1\d{{3}})*(?:([.,])\d+)?")
_DECIMAL = re.compile(r"\d+(?:[.,]\d+)?")
_DIGITS = re.compile(r"\d+")
_SCALE = re.compile(
    r"[\s-]?(thousand|million|billion|trillion|mio|mrd|tsd|mn|bn|k|m)\b", re.IGNORECASE
)
_SCALES = {
    "thousand": 3, "tsd": 3, "k": 3,
    "million": 6, "mio": 6, "mn": 6, "m": 6,
    "billion": 9, "mrd": 9, "bn": 9,
    "trillion": 12,
}  # fmt: skip
_UP_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty"
)
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_UP_TO_TWENTY.split())} | {
    "half": "0.5", "double": "2", "twice": "2", "first": "1", "second": "2", "third": "3",
    "thirty": "30", "forty": "40", "fifty": "50", "hundred": "100", "thousand": "1000",
}  # fmt: skip
_MONTHS = (
    "January February March April May June July August September October November December"
    " Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    " Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
)
_MONTH_NUMBERS = {name: str(place % 12 + 1) for place, name in enumerate(_MONTHS.split())}
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST_NUMBER = 40  # characters; longer runs of digits are no amounts


def has_number(text: str) -> bool:
    """Whether the text holds a number written in digits."""
    return _NUMBER.search(fold_for_search(text)) is not None


def missing_numbers(sentence: str, known: frozenset[str]) -> list[str]:
    """Numbers of a sentence that no reading finds among `known`, as written, in order.

    Args:
        sentence: without marks and list numbers.
        known: `source_numbers` of all that the sentence cites.
    """
    folded = fold_for_search(sentence)
    tokens = (t for t in _NUMBER.finditer(folded) if len(t.group()) <= _LONGEST_NUMBER)
    return [token.group() for token in tokens if not _is_known(token, folded, known)]


def source_numbers(text: str) -> frozenset[str]:
    """All readings of all numbers, number words and month names of a source."""
    folded = fold_for_search(text)
    found: set[str] = set()
    for pattern in (_NUMBER, _ANY_NUMBER):
        for token in pattern.finditer(folded):
            if len(token.group()) <= _LONGEST_NUMBER:
                found |= _readings(token.group()) | _scaled(token, folded)
                found.update(_parts(token.group()))
    for word in _WORD.findall(folded):
        found.add(_NUMBER_WORDS.get(word.casefold(), _MONTH_NUMBERS.get(word, "")))
    return frozenset(found - {""})


def _is_known(token: re.Match[str], text: str, known: frozenset[str]) -> bool:
    if (_readings(token.group()) | _scaled(token, text)) & known:
        return True
    parts = _parts(token.group())
    return bool(parts) and known.issuperset(parts)


def _parts(token: str) -> list[str]:
    """The numbers of a date, a version or two neighbours ("3 456"); none of an amount."""
    is_amount = _DECIMAL.fullmatch(token) or (
        _GROUPED.fullmatch(token) and not any(space in token for space in _SPACES)
    )
    return [] if is_amount else [_plain(part) for part in _DIGITS.findall(token)]


def _readings(token: str) -> frozenset[str]:
    readings: set[str] = set()
    grouped = _GROUPED.fullmatch(token)
    if grouped and grouped.group(1) != grouped.group(2):
        readings.add(_ungroup(token, has_decimals=grouped.group(2) is not None))
    if _DECIMAL.fullmatch(token):
        readings.add(_plain(token.replace(",", ".")))
    # A date or a version, 5.3.2024: as one piece.
    return frozenset(readings or {token})


def _ungroup(token: str, *, has_decimals: bool) -> str:
    """1.234.567,89 as 1234567.89."""
    parts = _DIGITS.findall(token)
    if not has_decimals:
        return _plain("".join(parts))
    return _plain("".join(parts[:-1]) + "." + parts[-1])


def _scaled(token: re.Match[str], text: str) -> frozenset[str]:
    """2.5 million as 2500000."""
    scale = _SCALE.match(text, token.end())
    if not scale:
        return frozenset()
    power = _SCALES[scale.group(1).casefold()]
    readings = (r for r in _readings(token.group()) if r.count(".") <= 1)
    return frozenset(_shift(reading, power) for reading in readings)


def _shift(reading: str, power: int) -> str:
    whole, _, decimals = reading.partition(".")
    return _plain(whole + decimals[:power].ljust(power, "0") + "." + decimals[power:])


def _plain(number: str) -> str:
    """Without leading zeros, trailing decimal zeros and a bare point."""
    whole, _, decimals = number.partition(".")
    decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{decimals}" if decimals else "")
