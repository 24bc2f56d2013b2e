"""Units beside numbers: which one stands there, and what it is a multiple of.

Knows symbols, and the names that Unicode's tables (by Babel) give to units in the main
languages; nothing of the numbers themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "pl")
MAX_NAME_WORDS = 3  # "kilometres per hour"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts: 5 km is (length, metre, 1000).

    Units of one family turn into each other by their factors; units of one kind measure
    the same thing, so that one beside the number of another is a mistake.
    """

    kind: str
    family: str
    factor: Decimal
    is_plain: bool = True  # False: a lone letter or a word that often means something else


LABEL = "label"  # the kind of a Figure 3 and a Table 3
# Of a number that counts things which are no units: nine photographs.
THINGS = Unit("thing", "thing", Decimal(1))

# Symbols as they are written (case counts), by kind, family and factor.
_SYMBOLS = """
length metre: nm 1e-9, µm 1e-6, um 1e-6, mm 1e-3, cm 1e-2, dm 1e-1, m? 1, km 1e3
length foot: ft 1, yd 3, mi 5280
area metre2: mm2 1e-6, cm2 1e-4, m2 1, ha 1e4, km2 1e6
volume metre3: ml 1e-6, mL 1e-6, cl 1e-5, dl 1e-4, l? 1e-3, L? 1e-3, hl 1e-1, m3 1, km3 1e9
volume cubic: cm3 1, dm3 1000
mass gram: µg 1e-6, ug 1e-6, mg 1e-3, g? 1, kg 1e3, t? 1e6, kt 1e9, Mt 1e12
mass pound: lb 1, lbs 1, oz 0.0625
duration second: ns 1e-9, µs 1e-6, us 1e-6, ms 1e-3, s? 1, sec 1, min 60, h? 3600, hr 3600
duration second: hrs 3600, d? 86400
duration month: yr 12, yrs 12
power watt: mW 1e-3, W? 1, kW 1e3, MW 1e6, GW 1e9, TW 1e12
power horse: hp 1, PS? 1
energy watthour: Wh 1, kWh 1e3, MWh 1e6, GWh 1e9, TWh 1e12
energy joule: J? 1, kJ 1e3, MJ 1e6, GJ 1e9
energy calorie: cal 1, kcal 1e3
temperature celsius: °C 1, ºC 1, C? 1
temperature fahrenheit: °F 1, ºF 1, F? 1
temperature kelvin: K? 1
speed kmh: km/h 1, kph 1, kmh 1
speed ms: m/s 1
speed mph: mph 1
speed knot: kn 1, kt? 1
digital byte: B? 1, kB 1e3, KB 1e3, MB 1e6, GB 1e9, TB 1e12, PB 1e15
digital binary: KiB 1, MiB 1024, GiB 1048576
rate bit: kbit/s 1e3, Mbit/s 1e6, Gbit/s 1e9, kbps 1e3, Mbps 1e6, Gbps 1e9
frequency hertz: Hz 1, kHz 1e3, MHz 1e6, GHz 1e9
voltage volt: mV 1e-3, V? 1, kV 1e3
current ampere: mA 1e-3, A? 1, kA 1e3
pressure pascal: Pa 1, hPa 1e2, kPa 1e3, MPa 1e6, mbar 1e2, bar 1e5
pressure psi: psi 1
sound decibel: dB 1
share percent: % 1, ‰ 0.1, pct 1
share point: pp 1, ppt? 1
share basis: bp 1, bps 1
share million: ppm 1
currency dollar: $ 1, US$ 1, USD 1
currency euro: € 1, EUR 1
currency pound: £ 1, GBP 1
currency yen: ¥ 1, JPY 1
currency franc: CHF 1
currency rupee: ₹ 1, INR 1
"""
# Names by hand, where the tables of Babel have none.
_WORDS = """
share percent: percent 1, per cent 1, pct 1, procent 1, per mille 0.1, permille 0.1
share point: percentage point 1, percentage points 1, prozentpunkt 1, prozentpunkte 1
share point: prozentpunkten 1, points de pourcentage 1, point de pourcentage 1
share point: puntos porcentuales 1, punti percentuali 1, pontos percentuais 1, procentpunten 1
share basis: basis point 1, basis points 1, basispunkte 1
length metre: metre 1, metres 1, kilometre 1e3, kilometres 1e3, millimetre 1e-3
length metre: millimetres 1e-3, centimetre 1e-2, centimetres 1e-2, micron 1e-6, microns 1e-6
length metre: micrometre 1e-6, micrometres 1e-6, nanometre 1e-9, nanometres 1e-9
area metre2: square metre 1, square metres 1, square kilometre 1e6, square kilometres 1e6
volume metre3: cubic metre 1, cubic metres 1, litre 1e-3, litres 1e-3, millilitres 1e-6
mass gram: tonne 1e6, tonnes 1e6
mass ton: ton? 1, tons? 1
mass pound: lb 1, lbs 1
duration second: sec 1, secs 1, min 60, mins 60, hr 3600, hrs 3600
duration month: yr 12, yrs 12
speed kmh: kilometres per hour 1
energy watthour: watt hour 1, watt hours 1, kilowatt hour 1e3, kilowatt hours 1e3
energy watthour: megawatt hour 1e6, megawatt hours 1e6, gigawatt hour 1e9, gigawatt hours 1e9
energy watthour: terawatt hour 1e12, terawatt hours 1e12, megawattstunden 1e6
energy watthour: gigawattstunden 1e9
speed knot: knot 1, knots 1
currency dollar: dollar 1, dollars 1, us dollars 1, dólares 1
currency euro: euro 1, euros 1
currency pound: pound sterling 1, pounds sterling 1
currency yen: yen 1
currency franc: francs 1, swiss francs 1, franken 1
"""
_FROM_BABEL = """
length metre: kilometer 1e3, meter 1, decimeter 1e-1, centimeter 1e-2, millimeter 1e-3
length metre: micrometer 1e-6, nanometer 1e-9
length foot: foot 1, yard 3, mile 5280
length inch: inch 1
length nautical: nautical-mile 1
area metre2: square-kilometer 1e6, hectare 1e4, square-meter 1, square-centimeter 1e-4
area acre: acre 1
area mile2: square-mile 1
area foot2: square-foot 1
volume metre3: cubic-kilometer 1e9, cubic-meter 1, hectoliter 1e-1, liter 1e-3
volume metre3: deciliter 1e-4, centiliter 1e-5, milliliter 1e-6
volume gallon: gallon 1
volume barrel: barrel 1
mass gram: tonne 1e6, kilogram 1e3, gram 1, milligram 1e-3, microgram 1e-6
mass pound: pound? 1
mass ounce: ounce 1
duration month: century 1200, decade 120, year 12, quarter? 3, month 1
duration second: week 604800, day 86400, hour 3600, minute 60, second? 1, millisecond 1e-3
duration second: microsecond 1e-6, nanosecond 1e-9
power watt: gigawatt 1e9, megawatt 1e6, kilowatt 1e3, watt 1, milliwatt 1e-3
power horse: horsepower 1
energy watthour: kilowatt-hour 1e3
energy joule: kilojoule 1e3, joule 1
energy calorie: kilocalorie 1e3, calorie 1
temperature celsius: celsius 1
temperature fahrenheit: fahrenheit 1
temperature kelvin: kelvin 1
speed kmh: kilometer-per-hour 1
speed ms: meter-per-second 1
speed mph: mile-per-hour 1
digital byte: terabyte 1e12, gigabyte 1e9, megabyte 1e6, kilobyte 1e3, byte 1
frequency hertz: gigahertz 1e9, megahertz 1e6, kilohertz 1e3, hertz 1
voltage volt: volt 1
current ampere: ampere 1, milliampere 1e-3
share percent: percent 1, permille 0.1
"""
_SYMBOL = re.compile(r"(?:US)?[$€£¥₹]|[%‰]|[°º]\s?[CF]\b|[µμA-Za-z]{1,4}(?:/[a-z]{1,2}\b|\^?[23])?")
_GAP = re.compile(r"[\s\u00a0\u202f]?-?")
_NAME_WORD = re.compile(r"[^\W\d_]{1,30}(?:-[^\W\d_]{1,30})?")
_BEFORE = re.compile(r"((?:US)?[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|INR))\s?$")
# Words before a number that make it a place in the document: Table 3, Fig. 3.
_LABEL = re.compile(
    r"\b(fig|tab|sec|chap|step|exam|equa|abb|kap|absch|page|seite|schritt|line)[^\W\d_]{0,8}\.?\s$",
    re.IGNORECASE,
)
_ALONE = re.compile(r"[(\[]\s?(?:in\s)?([^()\[\]\n]{1,24})[)\]]|\bin\s([^\W\d_]+|%)")
_SCALES_OF_HEAT = frozenset({"celsius", "fahrenheit", "kelvin"})
_ENDINGS = ("", "n", "s", "en", "e")
_OTHER_SENSE = frozenset(
    {"mil", "time", "timer", "dia", "meter per"}
)  # thousand, English time, ...


def unit_after(text: str, end: int) -> tuple[Unit, int] | None:
    """The unit that stands right after a number, by symbol or name, and where it ends.

    Args:
        text: Folded.
        end: Where the number, with its "million", ends.
    """
    gap = _GAP.match(text, end)
    start = gap.end() if gap else end
    return _by_name(text, start) or _by_symbol(text, start)


def unit_before(text: str, start: int) -> Unit | None:
    """What stands right before a number and says what it is: $5, EUR 5, Table 5."""
    before = _BEFORE.search(text[max(0, start - 5) : start])
    if before:
        return _symbols().get(before.group(1))
    label = _LABEL.search(text[max(0, start - 20) : start])
    return Unit(LABEL, label.group(1).casefold()[:3], Decimal(1)) if label else None


def units_named(text: str) -> frozenset[Unit]:
    """Units that head a column or an axis: "(m)", "[kg]", "in km"."""
    found: set[Unit | None] = set()
    for place in _ALONE.finditer(text):
        inside = (place.group(1) or place.group(2)).strip()
        named = _by_name(inside, 0)
        found |= {named[0] if named else None, _symbols().get(inside)}
    return frozenset(unit for unit in found if unit)


def is_unit(word: str) -> bool:
    """Whether a word is the symbol or name of a unit, and no name of anything else."""
    unit = _symbols().get(word) or _names().get(word.casefold())
    return word.casefold() in _SCALES_OF_HEAT or (unit is not None and unit.is_plain)


def _by_symbol(text: str, start: int) -> tuple[Unit, int] | None:
    symbol = _SYMBOL.match(text, start)
    if not symbol:
        return None
    after = text[symbol.end() : symbol.end() + 1]
    if symbol.group()[-1].isalnum() and after.isalnum():
        return None
    written = symbol.group().replace(" ", "").replace("^", "").replace("μ", "µ")
    unit = _symbols().get(written)
    return (unit, symbol.end()) if unit else None


def _by_name(text: str, start: int) -> tuple[Unit, int] | None:
    """By the longest name that stands there, of at most three words."""
    ends: list[tuple[str, int]] = []
    at = start
    while len(ends) < MAX_NAME_WORDS and (word := _NAME_WORD.match(text, at)):
        before = f"{ends[-1][0]} " if ends else ""
        ends.append((before + word.group().casefold(), word.end()))
        at = word.end() + text[word.end() : word.end() + 1].isspace()
        if at == word.end():
            break
    for name, end in reversed(ends):
        unit = _names().get(name) or _inflected(name)
        if unit:
            return unit, end
    return None


def _inflected(name: str) -> Unit | None:
    """Kilometern, of which the tables have Kilometer only."""
    stems = (name.removesuffix(end) for end in _ENDINGS if name.endswith(end) and len(name) > 5)
    return next((unit for stem in stems if (unit := _names().get(stem))), None)


@cache
def _symbols() -> dict[str, Unit]:
    return _table(_SYMBOLS)


@cache
def _names() -> dict[str, Unit]:
    found = _babel_names()
    found.update(_table(_WORDS))
    return found


def _babel_names() -> dict[str, Unit]:
    from babel.units import format_unit

    found: dict[str, Unit] = {}
    for name, unit in _table(_FROM_BABEL).items():
        for language in LANGUAGES:
            for count in (1, 5):
                shown = format_unit(count, _unicode_name(name, unit), "long", locale=language)
                words = re.sub(r"[\d\s\u00a0\u202f]+", " ", shown).strip().casefold()
                if len(words) > 2 and words not in _OTHER_SENSE:
                    found.setdefault(words, unit)
    return found


def _unicode_name(name: str, unit: Unit) -> str:
    kind = "concentr" if unit.kind == "share" else unit.kind
    return f"{'electric' if kind in ('voltage', 'current') else kind}-{name}"


def _table(lines: str) -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for line in lines.split("\n"):
        head, _, entries = line.partition(": ")
        for entry in entries.split(", ") if entries else ():
            name, factor = entry.rsplit(" ", 1)
            kind, family = head.split()
            plain = not name.endswith("?")
            found[name.removesuffix("?")] = Unit(kind, family, Decimal(factor), plain)
    return found
