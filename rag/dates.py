"""Dates in prose: 3 May 2021, May 3, 2021, 2021-05-03, 03.05.2021, 3-5 May, May.

Knows characters and the month names of the main languages (from Babel). What is not
said of a date is None, and a date holds wherever a fuller one stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from rag.units import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterator, Mapping, Sequence

_DASH = r"[\-‐‑‒–—]"
_ISO = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d.])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
# Months that are other words as well: with a day or a year beside them only.
_OTHER_SENSE = frozenset({"march", "august", "mars", "set", "sett", "marca", "maja"})
_NEVER_SMALL = frozenset({"may", "march", "august", "mar", "set", "dec", "sep", "sept", "jan"})
_ALONE = frozenset({"May", "Mai", "Mei", "Maj"})  # short, and no short forms
_MAX_YEARS_AHEAD = 69  # of "03.05.21", as strptime reads two digits


@dataclass(frozen=True, slots=True)
class Date:
    """A day, a month, or a month of a year."""

    year: int | None
    month: int
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Dated:
    """A date as it is written in a text; several where digits can be read two ways."""

    readings: tuple[Date, ...]
    start: int
    end: int


def dates_in(text: str) -> list[Dated]:
    """The dates of a folded text, in order, none inside another."""
    found = [*_numeric(text), *_named(text)]
    kept: list[Dated] = []
    for dated in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or dated.start >= kept[-1].end or dated.start == kept[-1].start:
            kept.append(dated)
    return kept


def is_told(dated: Dated, known: Collection[Date], numbers: Container[str]) -> bool:
    """Whether any reading of a date stands among `known`.

    A source may leave the year to its heading or name: then the year must be among its
    `numbers`. A source without any date of that month may have it in the cells of a table.
    """
    return any(_is_told(date, known, numbers) for date in dated.readings)


def month_names() -> Mapping[str, int]:
    """Month by name or short form, as written and in capitals."""
    return _months()


def _is_told(date: Date, known: Collection[Date], numbers: Container[str]) -> bool:
    same = [other for other in known if other.month == date.month]
    return any(
        _same_day(date, other, same, numbers) and _same_year(date, other, numbers) for other in same
    )


def _same_day(date: Date, other: Date, same: Sequence[Date], numbers: Container[str]) -> bool:
    if date.day in (None, other.day):
        return True
    return str(date.day) in numbers and all(one.day is None for one in same)


def _same_year(date: Date, other: Date, numbers: Container[str]) -> bool:
    return date.year in (None, other.year) or (other.year is None and str(date.year) in numbers)


def _numeric(text: str) -> Iterator[Dated]:
    for match in _ISO.finditer(text):
        yield from _dated(match, [(match[1], match[3], match[4])])
    for match in _NUMERIC.finditer(text):
        orders = [(match[4], match[3], match[1])]
        if match[2] != ".":
            orders.append((match[4], match[1], match[3]))
        yield from _dated(match, orders)


def _dated(match: re.Match[str], orders: list[tuple[str, str, str]]) -> Iterator[Dated]:
    dates = [_checked(_year(year), int(month), int(day)) for year, month, day in orders]
    readings = tuple(dict.fromkeys(date for date in dates if date))
    if readings:
        yield Dated(readings, match.start(), match.end())


def _checked(year: int | None, month: int, day: int | None) -> Date | None:
    return Date(year, month, day) if 1 <= month <= 12 and 1 <= (day or 1) <= 31 else None


def _year(digits: str | None) -> int | None:
    if not digits:
        return None
    value = int(digits)
    if len(digits) > 2:
        return value
    return value + (2000 if value < _MAX_YEARS_AHEAD else 1900)


def _named(text: str) -> Iterator[Dated]:
    """Dates with a month's name; of "3-5 May" and "May to June 2021" each."""
    for match in _pattern().finditer(text):
        month, second = _months().get(match["month"].rstrip(".").casefold()), match["month2"]
        if month is None or not _is_month(match):
            continue
        year = _year(match["year"])
        days = [match["d1"], match["d2"], match["a1"], match["a2"]]
        numbers: list[int | None] = [int(day) for day in days if day] or [None]
        dates = [_checked(year, month, day) for day in numbers]
        if None in dates:  # "24 to 46 December": numbers, to be checked as such
            continue
        for date in dates:
            if date:
                yield Dated((date,), match.start(), match.end())
        other = _months().get(second.rstrip(".").casefold()) if second else None
        if other:
            yield Dated((Date(year, other),), match.start(), match.end())


def _is_month(match: re.Match[str]) -> bool:
    """Whether a name is meant as a month: not "may", nor the March that starts a sentence."""
    name = match["month"].rstrip(".")
    if name in _NEVER_SMALL:
        return False
    if any(match[part] for part in ("d1", "a1", "year", "month2")):
        return True
    if name[0].islower():
        return len(name) > 3 and name not in _OTHER_SENSE
    is_first = not match.string[: match.start()].strip('*_#>-• \t\n"“(')
    is_word = name.casefold() in _OTHER_SENSE - {"march", "august"}
    return not is_first and not is_word and (len(name) > 3 or name in _ALONE)


@cache
def _pattern() -> re.Pattern[str]:
    names = sorted(map(re.escape, _months()), key=len, reverse=True)
    # One alternation over all names, ends of words on both sides.
    month = rf"(?:{'|'.join(names)})\b\.?"
    nth = r"(?:st|nd|rd|th|er|º|\.)?"
    joint = rf"\s?(?:{_DASH}|to|and|until|bis|und|et|au|y|al|a|e|tot|en)\s?"
    of = r"\s?(?:of|de|d'|di|del)?\s?"
    before = rf"(?<![\w.,:])(?P<d1>\d{{1,2}}){nth}(?:{joint}(?P<d2>\d{{1,2}}){nth})?{of}"
    second_day = rf"(?:{joint}(?P<a2>\d{{1,2}})(?!\d){nth}(?!\s?[a-z]))?"
    after = rf"\s(?P<a1>\d{{1,2}})(?!\d|[.,]\d|\s?%){nth}{second_day}"
    year = r"(?:,?\s(?:de\s|of\s|del\s)?(?P<year>(?:1[0-9]|20|21)\d\d)(?!\d))?"
    second = rf"(?:{joint}(?P<month2>{month})(?!\s\d{{1,2}}\b))?"
    return re.compile(
        rf"(?:{before})?(?<![^\W_])(?P<month>{month})(?:{after})?{second}{year}", re.IGNORECASE
    )


@cache
def _months() -> dict[str, int]:
    from babel import Locale

    found: dict[str, int] = {}
    for language in LANGUAGES:
        locale = Locale(language)
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in locale.months[form].get(width, {}).items():
                    found.setdefault(name.rstrip(".").casefold(), number)
    found["sept"] = 9
    return {name: number for name, number in found.items() if len(name) > 2 and name.isalpha()}
