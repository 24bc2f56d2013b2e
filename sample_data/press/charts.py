"""Charts as vectors. Knows numbers, labels and a box, nothing of documents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pymupdf

from sample_data.press.faces import HAIRLINE, INK, MUTED, PAPER, Colour, mix, text_width
from sample_data.press.pen import area, box, line, write, write_rising


class Axes:
    """A plotting area in a box: x and y scales, grid, ticks and axis titles."""

    def __init__(
        self,
        page: pymupdf.Page,
        bbox: pymupdf.Rect,
        *,
        x_range: tuple[float, float],
        y_ticks: Sequence[float],
        y_title: str,
        x_title: str = "",
        size: float = 8.0,
    ) -> None:
        self.page = page
        self.size = size
        foot = size * (4 if x_title else 2.5)
        self.plot = pymupdf.Rect(
            bbox.x0 + size * 5, bbox.y0 + size * 2.5, bbox.x1 - 8, bbox.y1 - foot
        )
        self._x_range = x_range
        self._y_range = (y_ticks[0], y_ticks[-1])
        for tick in y_ticks:
            self._grid(tick)
        middle = (self.plot.y0 + self.plot.y1) / 2
        write_rising(page, (bbox.x0 + size * 1.1, middle), y_title, size=size)
        if x_title:
            middle = (self.plot.x0 + self.plot.x1) / 2
            write(page, (middle, bbox.y1 - 5), x_title, size=size, align="centre")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Point on the page of a pair of values."""
        across = (x - self._x_range[0]) / (self._x_range[1] - self._x_range[0])
        up = (y - self._y_range[0]) / (self._y_range[1] - self._y_range[0])
        return self.plot.x0 + across * self.plot.width, self.plot.y1 - up * self.plot.height

    def tick(self, x: float, text: str) -> None:
        """A label under the horizontal axis."""
        at = (self.at(x, self._y_range[0])[0], self.plot.y1 + self.size * 1.5)
        write(self.page, at, text, size=self.size, align="centre")

    def _grid(self, value: float) -> None:
        y = self.at(0, value)[1]
        colour = INK if value == self._y_range[0] else HAIRLINE
        line(self.page, [(self.plot.x0, y), (self.plot.x1, y)], colour, 0.5)
        at = (self.plot.x0 - 5, y + self.size * 0.35)
        write(self.page, at, f"{value:g}", size=self.size, colour=MUTED, align="right")


def legend(
    page: pymupdf.Page, at: tuple[float, float], names: Mapping[str, Colour], size: float = 8.0
) -> None:
    """Coloured squares with names, left to right."""
    x, y = at
    for name, colour in names.items():
        box(page, (x, y - size * 0.85, x + size, y + size * 0.15), fill=colour)
        write(page, (x + size * 1.5, y), name, size=size)
        x += size * 3.5 + text_width(name, "sans", size)


def bars(
    page: pymupdf.Page,
    bbox: pymupdf.Rect,
    groups: Sequence[str],
    series: Mapping[str, tuple[Colour, Sequence[float]]],
    y_ticks: Sequence[float],
    y_title: str,
) -> None:
    """Grouped upright bars, each with its value on top."""
    axes = Axes(page, bbox, x_range=(0, len(groups)), y_ticks=y_ticks, y_title=y_title)
    width = 0.72 / len(series)
    for order, (colour, values) in enumerate(series.values()):
        for index, value in enumerate(values):
            x = index + 0.14 + order * width
            x0, y0 = axes.at(x + 0.02, value)
            x1, y1 = axes.at(x + width - 0.02, y_ticks[0])
            box(page, (x0, y0, x1, y1), fill=colour)
            write(page, ((x0 + x1) / 2, y0 - 4), f"{value:g}", size=7.6, align="centre")
    for index, name in enumerate(groups):
        axes.tick(index + 0.5, name)
    if len(series) > 1:
        colours = {name: colour for name, (colour, _) in series.items()}
        legend(page, (axes.plot.x0, bbox.y0 + 9), colours)


def stacks(
    page: pymupdf.Page,
    bbox: pymupdf.Rect,
    groups: Sequence[str],
    series: Mapping[str, tuple[Colour, Sequence[float]]],
    y_ticks: Sequence[float],
    y_title: str,
    size: float = 8.0,
) -> None:
    """Stacked bars: each part with its value inside, the sum on top."""
    axes = Axes(page, bbox, x_range=(0, len(groups)), y_ticks=y_ticks, y_title=y_title, size=size)
    for index, name in enumerate(groups):
        total = 0.0
        for colour, values in series.values():
            x0, y1 = axes.at(index + 0.26, total)
            total += values[index]
            x1, y0 = axes.at(index + 0.74, total)
            box(page, (x0, y0, x1, y1), fill=colour)
            at = ((x0 + x1) / 2, (y0 + y1) / 2 + 2.7)
            write(page, at, f"{values[index]:.1f}", size=size * 0.95, colour=PAPER, align="centre")
        at = (axes.at(index + 0.5, 0)[0], axes.at(0, total)[1] - 4)
        write(page, at, f"{total:.1f}", font="sans-bold", size=size, align="centre")
        axes.tick(index + 0.5, name)
    colours = {name: colour for name, (colour, _) in series.items()}
    legend(page, (axes.plot.x0, bbox.y0 + size * 1.1), colours, size)


def rows(
    page: pymupdf.Page,
    bbox: pymupdf.Rect,
    values: Mapping[str, float],
    colour: Colour,
    label_width: float = 120.0,
) -> None:
    """Lying bars, longest label left of its bar, the value behind it."""
    step = bbox.height / len(values)
    longest = max(values.values())
    room = bbox.width - label_width - 34
    for index, (name, value) in enumerate(values.items()):
        y = bbox.y0 + index * step
        x = bbox.x0 + label_width
        middle = y + step / 2 + 3
        write(page, (x - 8, middle), name, align="right")
        shade = colour if index == 0 else mix(colour, 0.62)
        box(page, (x, y + step * 0.2, x + room * value / longest, y + step * 0.8), fill=shade)
        at = (x + room * value / longest + 5, middle)
        write(page, at, f"{value:g}", font="sans-bold", size=8)
    x = bbox.x0 + label_width
    line(page, [(x, bbox.y0), (x, bbox.y1)], INK, 0.5)


def pie(
    page: pymupdf.Page,
    bbox: pymupdf.Rect,
    shares: Mapping[str, tuple[Colour, float]],
    middle_text: Sequence[str] = (),
) -> None:
    """A ring with the share in each slice and the names beside it; shares sum to 100."""
    radius = bbox.height / 2 - 6
    centre = (bbox.x0 + radius + 40, (bbox.y0 + bbox.y1) / 2)
    angle = -90.0
    x = centre[0] + radius + 44
    y = centre[1] - len(shares) * 10 + 12
    for name, (colour, share) in shares.items():
        turn = share * 3.6
        area(page, _slice(centre, radius, angle, angle + turn), colour)
        at = _on_circle(centre, radius * 0.78, angle + turn / 2)
        if share >= 8:
            text = f"{share:g} %"
            write(page, (at[0], at[1] + 3), text, font="sans-bold", colour=PAPER, align="centre")
        box(page, (x, y - 7, x + 9, y + 2), fill=colour)
        write(page, (x + 16, y + 1), f"{name}, {share:g} %", size=8.8)
        angle += turn
        y += 20
    page.draw_circle(centre, radius * 0.54, color=None, fill=PAPER, width=0)
    for index, text in enumerate(middle_text):
        font = "sans-bold" if index == 0 else "sans"
        at = (centre[0], centre[1] + index * 12 + (1 if len(middle_text) > 1 else 4))
        write(page, at, text, font=font, size=12 - index * 4, align="centre")


def _slice(
    centre: tuple[float, float], radius: float, start: float, end: float
) -> list[tuple[float, float]]:
    steps = max(2, int((end - start) / 2))
    arc = [_on_circle(centre, radius, start + (end - start) * i / steps) for i in range(steps + 1)]
    return [centre, *arc]


def _on_circle(centre: tuple[float, float], radius: float, degrees: float) -> tuple[float, float]:
    turn = math.radians(degrees)
    return centre[0] + radius * math.cos(turn), centre[1] + radius * math.sin(turn)
