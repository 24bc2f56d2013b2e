"""Fonts and ink. Knows which faces PyMuPDF carries, nothing of pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pymupdf

Colour = tuple[float, float, float]

INK: Colour = (0.11, 0.13, 0.15)
MUTED: Colour = (0.40, 0.44, 0.47)
HAIRLINE: Colour = (0.78, 0.81, 0.83)
PAPER: Colour = (1.0, 1.0, 1.0)
DEEP: Colour = (0.05, 0.27, 0.36)
TEAL: Colour = (0.07, 0.50, 0.52)
SAND: Colour = (0.87, 0.65, 0.30)
CORAL: Colour = (0.82, 0.36, 0.25)
MIST: Colour = (0.91, 0.95, 0.96)
SLATE: Colour = (0.55, 0.63, 0.68)

_SANS = {"sans": "helv", "sans-bold": "hebo", "sans-italic": "heit", "mono": "cour"}
_SERIF = {"serif": "{0}", "serif-bold": "<b>{0}</b>", "serif-italic": "<i>{0}</i>"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What sets one document apart: page size in points, colour, face and measure."""

    size: tuple[float, float] = (595.0, 842.0)
    margins: tuple[float, float, float, float] = (72.0, 84.0, 72.0, 76.0)  # left top right bottom
    accent: Colour = DEEP
    body: str = "serif"
    body_size: float = 10.2
    leading: float = 1.46
    table_size: float = 8.4
    columns: int = 1
    gutter: float = 22.0
    is_justified: bool = True


@cache
def face(name: str) -> pymupdf.Font:
    """A font by its role, such as `sans`, `sans-bold`, `mono`, `serif` or `serif-italic`."""
    if name in _SANS:
        return pymupdf.Font(_SANS[name])
    return pymupdf.Font(fontbuffer=_charis(_SERIF[name]))


def mix(colour: Colour, share: float) -> Colour:
    """The colour thinned with white; share 1 leaves it as it is."""
    return tuple(1.0 - (1.0 - part) * share for part in colour)  # type: ignore[return-value]


def text_width(text: str, name: str, size: float) -> float:
    """Points that a text takes in one line."""
    return face(name).text_length(text, fontsize=size)


def _charis(markup: str) -> bytes:
    # MuPDF bundles Charis SIL for HTML only; a page set by insert_htmlbox hands the file over.
    document = pymupdf.open()
    page = document.new_page()
    html = f'<p style="font-family:serif">{markup.format("Veyra")}</p>'
    page.insert_htmlbox(page.rect, html)
    xref = page.get_fonts(full=True)[0][0]
    return document.extract_font(xref)[3]
