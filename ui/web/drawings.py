"""Bars and histograms as SVG pictures. Knows numbers and two colour schemes, nothing of pages.

`st.html` drops inline SVG, so each drawing is a `data:` picture with words in place of it.
Inside one the variables of style.css do not reach: the colours stand here once more.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import LegName

Scheme = Literal["light", "dark"]

TRACK: dict[Scheme, str] = {"light": "#f1f3f3", "dark": "#1d2224"}
INK: dict[Scheme, str] = {"light": "#1b2124", "dark": "#e6eaeb"}
WORDS: dict[Scheme, str] = {"light": "#0b5cad", "dark": "#6cb2f5"}
PICTURES: dict[Scheme, str] = {"light": "#b0307e", "dark": "#ee8cc4"}
BAR_PX = (108, 14)
BAR_TOP, BAR_HEIGHT = 3, 8
HISTOGRAM_PX = (240, 64)
BINS = 20


def z_bar(z: float, bar: float, scale: float, leg: LegName, scheme: Scheme) -> str:
    """How far a hit stands out in one leg, with a line at the bar to pass; a `data:` address.

    Args:
        z: Robust z-score; below 0 draws nothing.
        bar: The z to pass.
        scale: The z at the right end.
        leg: Says the colour; a caption is hatched.
        scheme: Light or dark.
    """
    width, height = BAR_PX
    full = _share(z, scale) * width
    line = _share(bar, scale) * width
    fill = "url(#h)" if leg == "caption" else _colour(leg, scheme)
    return _picture(
        BAR_PX,
        f'<defs><pattern id="h" width="5" height="5" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="3" height="5" fill="{_colour(leg, scheme)}"/>'
        "</pattern></defs>"
        f'<rect y="{BAR_TOP}" width="{width}" height="{BAR_HEIGHT}" rx="2" fill="{TRACK[scheme]}"/>'
        f'<rect y="{BAR_TOP}" width="{full:.1f}" height="{BAR_HEIGHT}" rx="2" fill="{fill}"/>'
        f'<rect x="{min(line, width - 1.5):.1f}" width="1.5" height="{height}"'
        f' fill="{INK[scheme]}"/>',
    )


def histogram(sample: Sequence[float], shown: Sequence[float], leg: LegName, scheme: Scheme) -> str:
    """Where the cosines of a sample lie, with a dashed line for each result shown.

    Args:
        sample: Cosines of the question with the leg's sample; not empty.
        shown: Cosines of the results.
        leg: Says the colour.
        scheme: Light or dark.
    """
    width, height = HISTOGRAM_PX
    low, high = ends(sample, shown)
    counts = _counts(sample, low, high)
    step = width / BINS
    bars = "".join(
        f'<rect x="{place * step + 1:.1f}" y="{height - part:.1f}" width="{step - 2:.1f}"'
        f' height="{part:.1f}" fill="{_colour(leg, scheme)}" fill-opacity="0.8"/>'
        for place, count in enumerate(counts)
        if (part := (height - 4) * count / max(counts))
    )
    lines = "".join(
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}" stroke="{INK[scheme]}"'
        ' stroke-width="1.5" stroke-dasharray="3 2"/>'
        for x in (1 + (width - 2) * (cosine - low) / (high - low) for cosine in shown)
    )
    return _picture(HISTOGRAM_PX, bars + lines)


def ends(sample: Sequence[float], shown: Sequence[float]) -> tuple[float, float]:
    """The cosines at both ends of a histogram, never the same."""
    low, high = min(*sample, *shown, 1.0), max(*sample, *shown, -1.0)
    return (low, high) if high - low > 0.001 else (low - 0.01, low + 0.01)


def _counts(sample: Sequence[float], low: float, high: float) -> list[int]:
    counts = [0] * BINS
    for cosine in sample:
        counts[min(BINS - 1, int(BINS * (cosine - low) / (high - low)))] += 1
    return counts


def _share(value: float, scale: float) -> float:
    return max(0.0, min(1.0, float(value) / scale)) if scale > 0 else 0.0


def _colour(leg: LegName, scheme: Scheme) -> str:
    return (WORDS if leg == "text" else PICTURES)[scheme]


def _picture(size: tuple[int, int], body: str) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}"'
        f' viewBox="0 0 {size[0]} {size[1]}">{body}</svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
