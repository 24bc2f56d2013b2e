"""Two plots as SVG: dots with ranges, and bars. Knows numbers and labels, no measure.

Sizes are fixed by the view box; the page scales them. Colours are classes of the style sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.statistics import Interval

WIDTH, LEFT, RIGHT = 600, 150, 24
ROW = 40
BARS_WIDTH, BARS_HEIGHT = 440, 190
HEAD, FOOT = 24, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One row: a share with its range, and a second share to compare with."""

    label: str
    value: float
    interval: Interval | None = None
    other: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One column; a late one is drawn in grey."""

    label: str
    count: int
    is_late: bool = False


def dot_plot(rows: Sequence[Dot], title: str) -> str:
    """Shares on a scale from 0 to 1, one row each."""
    height = 8 + ROW * len(rows) + FOOT
    grid = "".join(_tick(step / 5, height) for step in range(6))
    return _svg(WIDTH, height, title, grid + "".join(_row(row, i) for i, row in enumerate(rows)))


def bar_plot(bars: Sequence[Bar], title: str) -> str:
    """Counts as columns."""
    most = max((bar.count for bar in bars), default=0) or 1
    step = BARS_WIDTH / max(1, len(bars))
    body = "".join(_column(bar, i, step, most) for i, bar in enumerate(bars))
    return _svg(BARS_WIDTH, BARS_HEIGHT, title, body)


def _svg(width: int, height: int, title: str, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{body}</svg>'
    )


def _x(share: float) -> float:
    return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)


def _tick(share: float, height: int) -> str:
    x, bottom = _x(share), height - FOOT
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"/>'
        f'<text class="axis" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{share:.1f}</text>'
    )


def _row(row: Dot, number: int) -> str:
    y, x = 8 + ROW * number + ROW / 2 + 4, _x(row.value)
    parts = [f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(row.label)}</text>']
    if row.interval is not None:
        low, high = map(_x, row.interval)
        parts.append(
            f'<line class="range" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
    if row.other is not None:
        o = _x(row.other)
        points = f"{o:.1f},{y - 6:.1f} {o + 6:.1f},{y:.1f} {o:.1f},{y + 6:.1f} {o - 6:.1f},{y:.1f}"
        parts.append(f'<polygon class="open" points="{points}"/>')
    parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
    parts.append(f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{row.value:.2f}</text>')
    return "".join(parts)


def _column(bar: Bar, number: int, step: float, most: int) -> str:
    middle, bottom = step * (number + 0.5), BARS_HEIGHT - FOOT
    height = (bottom - HEAD) * bar.count / most
    width = min(28.0, 0.6 * step)
    style = "late" if bar.is_late else "bar"
    return (
        f'<rect class="{style}" x="{middle - width / 2:.1f}" y="{bottom - height:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" rx="1.5"/>'
        f'<text x="{middle:.1f}" y="{bottom - height - 6:.1f}" text-anchor="middle">'
        f"{bar.count}</text>"
        f'<text class="axis" x="{middle:.1f}" y="{bottom + 18}" text-anchor="middle">'
        f"{escape(bar.label)}</text>"
    )
