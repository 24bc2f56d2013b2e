"""Single lines of text and plain shapes on a page. Knows points and colours, nothing of flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pymupdf

from sample_data.press.faces import INK, PAPER, Colour, face, text_width

Align = Literal["left", "centre", "right"]
Point = tuple[float, float]


def write(
    page: pymupdf.Page,
    at: Point,
    text: str,
    *,
    font: str = "sans",
    size: float = 8.0,
    colour: Colour = INK,
    align: Align = "left",
) -> None:
    """One line of text; `at` is the baseline's left end, middle or right end."""
    shift = {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * text_width(text, font, size)
    writer = pymupdf.TextWriter(page.rect)
    writer.append((at[0] - shift, at[1]), text, font=face(font), fontsize=size)
    writer.write_text(page, color=colour)


def write_rising(page: pymupdf.Page, at: Point, text: str, *, size: float = 8.0) -> None:
    """One line of text turned to run upwards, centred on `at`: the title of a vertical axis."""
    writer = pymupdf.TextWriter(page.rect)
    start = (at[0] - text_width(text, "sans", size) / 2, at[1])
    writer.append(start, text, font=face("sans"), fontsize=size)
    # A turn by -90 degrees about the middle; the morph takes a matrix in PDF orientation.
    writer.write_text(page, color=INK, morph=(pymupdf.Point(*at), pymupdf.Matrix(90)))


def line(
    page: pymupdf.Page,
    points: Sequence[Point],
    colour: Colour = INK,
    width: float = 0.6,
    dashes: str | None = None,
) -> None:
    """An open line through all points."""
    page.draw_polyline(list(points), color=colour, width=width, dashes=dashes, lineJoin=1)


def area(page: pymupdf.Page, points: Sequence[Point], fill: Colour, opacity: float = 1.0) -> None:
    """A filled polygon without an edge."""
    page.draw_polyline(
        list(points), color=None, fill=fill, width=0, closePath=True, fill_opacity=opacity
    )


def box(
    page: pymupdf.Page,
    bbox: Sequence[float],
    fill: Colour | None = None,
    edge: Colour | None = None,
    radius: float | None = None,
) -> None:
    """A rectangle; `radius` is a share of its shorter side."""
    page.draw_rect(pymupdf.Rect(*bbox), color=edge, fill=fill, width=0.8, radius=radius)


def arrow(page: pymupdf.Page, start: Point, end: Point, colour: Colour = INK) -> None:
    """A straight arrow with a filled head at its end."""
    direction = (pymupdf.Point(*end) - pymupdf.Point(*start)).unit
    across = pymupdf.Point(-direction.y, direction.x)
    tip = pymupdf.Point(*end)
    foot = tip - direction * 6
    line(page, [start, tuple(foot)], colour, 1.0)
    area(page, [tuple(tip), tuple(foot + across * 2.8), tuple(foot - across * 2.8)], colour)


def node(
    page: pymupdf.Page,
    bbox: Sequence[float],
    lines: Sequence[str],
    fill: Colour,
    ink: Colour = PAPER,
    size: float = 8.2,
) -> None:
    """A rounded box of a diagram, its first line bold, all lines centred."""
    box(page, bbox, fill=fill, radius=0.14)
    middle = (bbox[0] + bbox[2]) / 2
    step = size * 1.28
    top = (bbox[1] + bbox[3]) / 2 - step * (len(lines) - 1) / 2 + size * 0.35
    for index, text in enumerate(lines):
        font = "sans-bold" if index == 0 else "sans"
        at = (middle, top + index * step)
        write(page, at, text, font=font, size=size, colour=ink, align="centre")
