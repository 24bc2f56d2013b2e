"""Plots of a trial as SVG text: shares with ranges, and ranks as bars. Pure; our own drawing.

An `<img>` knows nothing of the page's style sheet, so colours come in as one of two sets.
Every text goes through `html.escape`, every number through `float`.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Scheme = Literal["light", "dark"]

WIDTH_PX = 460  # still legible when a narrow screen shrinks it to 350
ROW_PX, LEFT_PX, RIGHT_PX = 46, 66, 30
BARS_HEIGHT_PX, BARS_TOP_PX = 190, 26
FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
STEP = 0.2  # of the axis


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ink:
    text: str
    muted: str
    line: str
    mark: str
    paper: str


# style.css: --f-ink, --f-muted, --f-line, --f-accent, --f-page.
_INKS: dict[Scheme, _Ink] = {
    "light": _Ink(text="#1b2124", muted="#566067", line="#dfe3e4", mark="#0b6b66", paper="#ffffff"),
    "dark": _Ink(text="#e6eaeb", muted="#a3aeb4", line="#2d3437", mark="#5cc4ba", paper="#14181a"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A row of the plot: a share with its range, and another one beside it. All in [0, 1]."""

    name: str
    value: float
    low: float
    high: float
    other: float


def dots(rows: Sequence[Dot], scheme: Scheme) -> str:
    """Filled: the share, on the line of its range; open: the other one."""
    ink = _INKS[scheme]
    floor = _floor(rows)
    height = ROW_PX * len(rows) + 34
    ticks = [floor + STEP * i for i in range(round((1 - floor) / STEP) + 1)]
    body = "".join(_tick(tick, floor, height, ink) for tick in ticks)
    body += "".join(_dot(row, place, floor, ink) for place, row in enumerate(rows))
    return _svg(height, body)


def dots_words(rows: Sequence[Dot]) -> str:
    """The same for who cannot see it."""
    return "; ".join(
        f"{row.name}: {percent(row.value)}, range {percent(row.low)} to {percent(row.high)}, "
        f"keywords alone {percent(row.other)}"
        for row in rows
    )


def bars(pairs: Sequence[tuple[str, int]], scheme: Scheme, *, quiet: int = 0) -> str:
    """A bar a name, with its number above it; the last `quiet` ones are drawn in grey."""
    ink = _INKS[scheme]
    most = max((number for _, number in pairs), default=0) or 1
    step = (WIDTH_PX - 8) / max(1, len(pairs))
    base = BARS_TOP_PX + BARS_HEIGHT_PX
    body = ""
    for place, (name, number) in enumerate(pairs):
        middle = 4 + step * (place + 0.5)
        tall = BARS_HEIGHT_PX * int(number) / most
        colour = ink.muted if place >= len(pairs) - quiet else ink.mark
        if number:
            body += (
                f'<rect x="{middle - 15:.1f}" y="{base - tall:.1f}" width="30" '
                f'height="{tall:.1f}" rx="2" fill="{colour}"/>'
            )
        body += _text(middle, base - tall - 7, f"{int(number)}", ink.text)
        body += _text(middle, base + 20, name, ink.muted, size=13)
    body += f'<path d="M4 {base}.5H{WIDTH_PX - 4}" stroke="{ink.line}"/>'
    return _svg(base + 30, body)


def bars_words(pairs: Sequence[tuple[str, int]]) -> str:
    """The same for who cannot see it."""
    return "; ".join(f"{name}: {int(number)}" for name, number in pairs)


def percent(share: float) -> str:
    """A share as "94 %"."""
    return f"{round(100 * float(share))} %"


def _floor(rows: Sequence[Dot]) -> float:
    lowest = min((min(row.low, row.other) for row in rows), default=0.0)
    steps = int(max(0.0, min(lowest, 0.8)) / STEP + 1e-9)
    return steps * STEP


def _x(share: float, floor: float) -> float:
    inside = min(1.0, max(floor, float(share)))
    return LEFT_PX + (WIDTH_PX - LEFT_PX - RIGHT_PX) * (inside - floor) / (1 - floor)


def _tick(tick: float, floor: float, height: float, ink: _Ink) -> str:
    x = _x(tick, floor)
    line = f'<path d="M{x:.1f} 4V{height - 26}" stroke="{ink.line}"/>'
    return line + _text(x, height - 8, f"{round(100 * tick)}%", ink.muted, size=13)


def _dot(row: Dot, place: int, floor: float, ink: _Ink) -> str:
    y = ROW_PX * place + 30
    low, value, high = (_x(share, floor) for share in (row.low, row.value, row.high))
    other = _x(row.other, floor)
    diamond = f"M{other:.1f} {y - 8}l8 8l-8 8l-8 -8z"  # larger: it still shows behind the dot
    return (
        _text(LEFT_PX - 12, y + 5, row.name, ink.text, anchor="end")
        + f'<path d="M{low:.1f} {y}H{high:.1f}" stroke="{ink.mark}" stroke-width="2"/>'
        f'<path d="{diamond}" fill="{ink.paper}" stroke="{ink.text}" stroke-width="1.5"/>'
        f'<circle cx="{value:.1f}" cy="{y}" r="4.5" fill="{ink.mark}"/>'
        + _text(value, y - 13, percent(row.value), ink.text, size=13)
    )


def _text(
    x: float, y: float, words: str, colour: str, *, size: int = 14, anchor: str = "middle"
) -> str:
    return (
        f'<text x="{float(x):.1f}" y="{float(y):.1f}" fill="{colour}" font-size="{int(size)}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def _svg(height: float, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{float(height):.0f}" '
        f'viewBox="0 0 {WIDTH_PX} {float(height):.0f}" font-family="{FONT}">{body}</svg>'
    )
