"""Geometry of boxes in points. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rag.types import BBox


def union(boxes: Iterable[BBox]) -> BBox:
    """The smallest box around all; there must be one."""
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return (min(x0s), min(y0s), max(x1s), max(y1s))


def area(box: BBox) -> float:
    """Square points; 0 for an inverted box."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def centre(box: BBox) -> tuple[float, float]:
    """The middle of a box."""
    return ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def contains(box: BBox, point: tuple[float, float], *, slack: float = 0.0) -> bool:
    """Whether the point lies in the box, widened by `slack` points."""
    x, y = point
    return box[0] - slack <= x <= box[2] + slack and box[1] - slack <= y <= box[3] + slack


def overlap(one: BBox, other: BBox) -> float:
    """Shared area in square points."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def gap_x(one: BBox, other: BBox) -> float:
    """Free space between two boxes from left to right; negative: they overlap by as much."""
    return max(one[0], other[0]) - min(one[2], other[2])


def gap_y(one: BBox, other: BBox) -> float:
    """Free space between two boxes from top to bottom; negative: they overlap by as much."""
    return max(one[1], other[1]) - min(one[3], other[3])


def shares_column(one: BBox, other: BBox, *, share: float = 0.3) -> bool:
    """Whether they overlap from left to right by `share` of the narrower one."""
    narrower = min(one[2] - one[0], other[2] - other[0])
    return -gap_x(one, other) >= share * narrower


def clipped(box: BBox, size: tuple[float, float]) -> BBox:
    """The box inside a page of `size`; corners in order."""
    width, height = size
    x0, x1 = sorted((min(max(box[0], 0.0), width), min(max(box[2], 0.0), width)))
    y0, y1 = sorted((min(max(box[1], 0.0), height), min(max(box[3], 0.0), height)))
    return (x0, y0, x1, y1)
