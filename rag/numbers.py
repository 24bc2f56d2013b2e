"""Whether the numbers of a sentence stand in what it cites, with their units.

Knows numbers, scales and units, nothing of sources. "12 %" = "12 percent"; 1.2 km =
1,200 m; 5 lb is not 5 kg; 2.5 billion is not 2.5 million. A bare number may be one that
has a unit, and the other way round where nothing speaks against it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import TYPE_CHECKING, TypeVar

from rag.dates import month_names
from rag.digits import Number, is_amount, numbers_in, scales_named, shift
from rag.folding import fold_for_search
from rag.stopwords import STOP_WORDS
from rag.units import LABEL, THINGS, Unit, unit_after, unit_before, units_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

V = TypeVar("V")

_UP_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty"
)
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_UP_TO_TWENTY.split())} | {
    "half": "0.5", "double": "2", "twice": "2", "first": "1", "second": "2", "third": "3",
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70",
    "eighty": "80", "ninety": "90", "hundred": "100", "thousand": "1000", "dozen": "12",
    "ein": "1", "eine": "1", "zwei": "2", "drei": "3", "vier": "4", "fünf": "5", "sechs": "6",
    "sieben": "7", "acht": "8", "neun": "9", "zehn": "10", "elf": "11", "zwölf": "12",
    "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7", "eighth": "8", "ninth": "9",
    "tenth": "10", "un": "1", "une": "1", "deux": "2", "trois": "3", "quatre": "4", "cinq": "5",
    "sept": "7", "huit": "8", "neuf": "9", "dix": "10", "dos": "2", "tres": "3", "cuatro": "4",
    "cinco": "5", "seis": "6", "siete": "7", "ocho": "8", "nueve": "9", "diez": "10",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_NOUN = re.compile(r"[ -]([^\W\d_]{3,})")
_STOPS = frozenset().union(*STOP_WORDS.values())
_JOINT = re.compile(r"\s?(?:[-‐‑‒–—−~]|to|and|or|bis|und|oder|à|et|ou|a|y|e|o|tot|en)\s?[$€£]?$")
_SHORT_YEARS = re.compile(r"(?<!\d)((?:19|20)\d\d)[-‐–—/](\d\d)(?!\d)")
_ROUGHLY = re.compile(
    r"\b(about|around|roughly|approximately|approx\.?|circa|ca\.?|nearly|almost|just (?:over|under)"
    r"|more than|less than|over|under|above|below|close to|some|rund|etwa|knapp|fast|über|gut"
    r"|environ|près de|plus de|casi|alrededor de|unos)\s[$€£]?$|[~≈]\s?$",
    re.IGNORECASE,
)
_NOT_QUITE = re.compile(
    r"\b(?:nearly|almost|under|below|less than|up to|knapp|fast|près de|casi)\s[$€£]?$",
    re.IGNORECASE,
)
MIN_GLUED = 3  # digits
_BEFORE = 24  # characters looked at before a number
_MIN_ROUNDED = Decimal(10)  # "about 3" is not 2.6 of something


@dataclass(frozen=True, slots=True)
class Meaning:
    """One way to read a number: its value with the scale in, and what it counts."""

    value: str  # shifted by the power
    digits: str  # as they stand before the scale
    power: int
    unit: Unit | None


@dataclass(frozen=True, slots=True)
class Known:
    """The numbers of sources, by value, by digits and in base units."""

    values: dict[str, frozenset[Unit | None]] = field(default_factory=dict)
    digits: dict[str, frozenset[int]] = field(default_factory=dict)  # to their powers
    base: frozenset[tuple[str, Decimal]] = frozenset()  # (family, amount in its unit 1)
    named: frozenset[Unit] = frozenset()  # units that head columns
    scales: frozenset[int] = frozenset()

    def __or__(self, other: Known) -> Known:
        return Known(
            _merged(self.values, other.values),
            _merged(self.digits, other.digits),
            self.base | other.base,
            self.named | other.named,
            self.scales | other.scales,
        )

    def __contains__(self, reading: object) -> bool:
        return reading in self.digits or reading in self.values


def has_number(text: str) -> bool:
    """Whether the text holds a number written in digits."""
    return bool(numbers_in(fold_for_search(text)))


def missing_numbers(sentence: str, known: Known) -> list[str]:
    """Numbers of a sentence that no reading finds among `known`, as written, in order.

    Args:
        sentence: without marks, list numbers and dates.
        known: `source_numbers` of all that the sentence cites.
    """
    folded = fold_for_search(sentence)
    found = numbers_in(folded)
    said = scales_named(folded)
    missing = []
    for place, number in enumerate(found):
        end, meanings = _meanings(folded, found, place)
        if not _is_known(number, meanings, folded, known, said):
            missing.append(folded[number.start : end])
    return missing


def source_numbers(text: str) -> Known:
    """All readings of all numbers, number words and month names of a source."""
    folded = fold_for_search(text)
    meanings = set(_words(folded))
    for inside_words in (False, True):
        found = numbers_in(folded, inside_words=inside_words)
        for place, number in enumerate(found):
            # The 4 of "S4" is no amount; the 2024 of "FY2024" is.
            if inside_words and number.end - number.start < MIN_GLUED:
                continue
            meanings.update(_meanings(folded, found, place, in_source=True)[1])
            meanings.update(Meaning(part, part, 0, None) for part in number.parts)
    return _index(meanings, units_named(folded), scales_named(folded))


def _index(meanings: set[Meaning], named: frozenset[Unit], scales: frozenset[int]) -> Known:
    values: dict[str, set[Unit | None]] = {}
    digits: dict[str, set[int]] = {}
    base = set()
    for meaning in meanings:
        values.setdefault(meaning.value, set()).add(meaning.unit)
        digits.setdefault(meaning.digits, set()).add(meaning.power)
        if is_amount(meaning.value):
            base.add(_in_base(meaning.value, meaning.unit))
    frozen_values = {value: frozenset(units) for value, units in values.items()}
    frozen_digits = {value: frozenset(powers) for value, powers in digits.items()}
    return Known(frozen_values, frozen_digits, frozenset(base), named, scales)


def _words(folded: str) -> Iterator[Meaning]:
    """Numbers and months in words, with the unit after them: "three plants", "ten km"."""
    for word in _WORD.finditer(folded):
        value = _NUMBER_WORDS.get(word.group().casefold())
        if value:
            yield Meaning(value, value, 0, _what_follows(folded, word.end()))
        elif word.group()[0].isupper() and word.group().casefold() in month_names():
            value = str(month_names()[word.group().casefold()])
            yield Meaning(value, value, 0, None)
    for years in _SHORT_YEARS.finditer(folded):
        value = years.group(1)[:2] + years.group(2)
        yield Meaning(value, value, 0, None)


def _what_follows(text: str, end: int) -> Unit | None:
    """The unit after a number, THINGS for another noun, None where nothing is counted."""
    after = unit_after(text, end)
    if after:
        return after[0]
    noun = _NOUN.match(text, end)
    return THINGS if noun and noun.group(1).casefold() not in _STOPS else None


def _meanings(
    text: str, found: Sequence[Number], place: int, *, in_source: bool = False
) -> tuple[int, list[Meaning]]:
    """What a number can mean, and where it ends with its unit.

    The first number of "5 to 10 million" or "3-5 km" has the scale and unit of the second.
    """
    number = found[place]
    end, unit, powers = _counted(text, number)
    if in_source and unit is None:
        unit = _what_follows(text, number.scale_end)
    ways = [(power, unit) for power in powers]
    if place + 1 < len(found) and unit in (None, THINGS):
        following = found[place + 1]
        if _JOINT.fullmatch(text[number.scale_end : following.start]):
            _, other, later = _counted(text, following)
            ways += [(power, other) for power in (*later, *powers)]
    label = _label_of_list(text, found, place)
    if label:
        ways.append((0, label))
    return end, [
        Meaning(shift(reading, power) if is_amount(reading) else reading, reading, power, counted)
        for reading in number.readings
        for power, counted in dict.fromkeys(ways)
    ]


def _label_of_list(text: str, found: Sequence[Number], place: int) -> Unit | None:
    """Of the 3 of "Figures 2 and 3"."""
    if not place or not _JOINT.fullmatch(text[found[place - 1].end : found[place].start]):
        return None
    before = unit_before(text, found[place - 1].start)
    return before if before and before.kind == LABEL else None


def _counted(text: str, number: Number) -> tuple[int, Unit | None, tuple[int, ...]]:
    after = unit_after(text, number.scale_end)
    if after:
        return after[1], after[0], number.powers
    return number.scale_end, unit_before(text, number.start), number.powers


def _is_known(
    number: Number,
    meanings: Sequence[Meaning],
    text: str,
    known: Known,
    said: frozenset[int],
) -> bool:
    if any(_fits(meaning, known, said) for meaning in meanings):
        return True
    if number.parts and all(part in known for part in number.parts):
        return True
    before = text[max(0, number.start - _BEFORE) : number.start]
    if not _ROUGHLY.search(before):
        return False
    ways = (ROUND_HALF_UP, ROUND_UP if _NOT_QUITE.search(before) else ROUND_DOWN)
    return any(_is_rounded(meaning, known, ways) for meaning in meanings)


def _fits(meaning: Meaning, known: Known, said: frozenset[int]) -> bool:
    unit = meaning.unit
    if unit and is_amount(meaning.value) and _in_base(meaning.value, unit) in known.base:
        return True
    units = known.values.get(meaning.value)
    if units is None:
        return _fits_scaled(meaning, known, said)
    if unit is None:
        return True
    if unit.kind == LABEL:  # Figure 6 is not any 6
        return False
    others = {other for other in units if other is not None}
    if any(other.kind == unit.kind for other in others):
        return False
    if None in units:
        rivals = {other for other in known.named if other.kind == unit.kind}
        return not rivals or unit in rivals
    return not (unit.is_plain and all(other.is_plain for other in others))


def _fits_scaled(meaning: Meaning, known: Known, said: frozenset[int]) -> bool:
    """47 million of a column "47" in millions, and "47" of a sentence that says millions once."""
    powers = known.digits.get(meaning.digits, frozenset())
    if meaning.power:
        return powers == {0} and meaning.power in known.scales
    return bool(powers & said)


def _is_rounded(meaning: Meaning, known: Known, ways: Sequence[str]) -> bool:
    """Whether some number of the sources, cut or rounded to as many places, is this one.

    In the same unit, or in none where this one or that one has none.
    """
    if not is_amount(meaning.value):
        return False
    value, unit = Decimal(meaning.value), meaning.unit
    if value < _MIN_ROUNDED and "." not in meaning.digits:
        return False
    decimals = len(meaning.digits.partition(".")[2])
    zeros = len(meaning.digits) - len(meaning.digits.rstrip("0")) if not decimals else 0
    step = Decimal(10) ** (meaning.power - decimals + min(zeros, len(meaning.digits) - 1))
    factor = unit.factor if unit else Decimal(1)
    return any(
        (amount / factor / step).to_integral_value(way) * step == value
        for family, amount in known.base
        if (unit is None or family in ("", unit.family)) and abs(amount / factor - value) < step
        for way in ways
    )


def _in_base(value: str, unit: Unit | None) -> tuple[str, Decimal]:
    factor = unit.factor if unit else Decimal(1)
    return unit.family if unit else "", (Decimal(value) * factor).normalize()


def _merged(
    one: dict[str, frozenset[V]], other: dict[str, frozenset[V]]
) -> dict[str, frozenset[V]]:
    return one | {key: one.get(key, frozenset()) | found for key, found in other.items()}
