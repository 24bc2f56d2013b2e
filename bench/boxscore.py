"""When an extracted box shows what a true box holds, and counts over pages. Pure.

Nothing to run here. Boxes are x0 y0 x1 y1 in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.boxes import area, overlap

Box = tuple[float, float, float, float]

MIN_SIDE_PT = 40.0  # less shows nothing that a question can be asked about
MAX_TIMES = 4.0  # a page around a figure does not show the figure
CAPTION_CHARACTERS = 24  # of the start of a caption must agree
TRUE_IOU = 0.5  # one box for one figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A figure or table on a page counted by hand; `caption` is how its caption starts."""

    kind: str
    bbox: Box
    number: str = ""
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was extracted."""

    kind: str
    bbox: Box
    number: str = ""
    caption: str = ""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts over pages; `misses` says each fault in words."""

    true: int = 0
    whole: int = 0  # found as one box
    found: int = 0  # found at all
    parts: int = 0  # boxes that show some of a true one
    captions: int = 0  # true captions
    right_captions: int = 0
    false: int = 0  # boxes that show none
    misses: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take the counts of another tally in."""
        for name in ("true", "whole", "found", "parts", "captions", "right_captions", "false"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.misses += other.misses


def iou(one: Box, other: Box) -> float:
    """Shared area over joint area."""
    shared = overlap(one, other)
    joint = area(one) + area(other) - shared
    return shared / joint if joint else 0.0


def is_large(box: Box) -> bool:
    """Whether both sides are long enough for the box to count at all."""
    return min(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE_PT


def shows(found: Box, gold: Box) -> bool:
    """The loose measure: half of the smaller one is shared, and no page around a figure."""
    is_over = overlap(found, gold) >= 0.5 * min(area(found), area(gold))
    return is_over and area(found) <= MAX_TIMES * area(gold)


def fits(found: Box, gold: Box) -> bool:
    """The strict measure: half of both together is shared."""
    return iou(found, gold) >= TRUE_IOU


def count_page(
    true: Sequence[Counted], found: Sequence[Found], kind: str, tally: Tally, where: str
) -> None:
    """Add the figures, or the tables, of one page to the tally.

    A box belongs to the true one it lies in for the most part. Of "optional" ones (an
    ornament that some would call a picture) nothing is asked and nothing held against.
    """
    kinds = ("figure", "page") if kind == "figure" else (kind,)
    found = [each for each in found if each.kind in kinds]
    wanted = [one for one in true if one.kind in (kind, "optional")]
    owner = [_owner(each.bbox, wanted) for each in found]
    for index, one in enumerate(wanted):
        if one.kind == "optional":
            continue
        parts = [f for f, at in zip(found, owner, strict=True) if at == index]
        best = max(parts, key=lambda f: iou(f.bbox, one.bbox), default=None)
        name = f"{where} {one.number or one.kind}"
        tally.true += 1
        tally.parts += len(parts)
        tally.captions += bool(one.caption)
        if best is None:
            tally.misses.append(f"{name}: not found")
            continue
        tally.found += 1
        if len(parts) == 1 and fits(best.bbox, one.bbox):
            tally.whole += 1
        else:
            tally.misses.append(
                f"{name}: {len(parts)} parts, best IoU {iou(best.bbox, one.bbox):.2f}"
            )
        if one.caption and _is_caption_of(best, one):
            tally.right_captions += 1
        elif one.caption:
            tally.misses.append(f"{name}: caption is {best.caption[:40]!r}")
    strays = [f for f, at in zip(found, owner, strict=True) if at is None]
    tally.false += len(strays)
    tally.misses += [f"{where}: {f.kind} {_rounded(f.bbox)} is none" for f in strays]


def _owner(box: Box, true: Sequence[Counted]) -> int | None:
    shared = [overlap(box, one.bbox) / min(area(box), area(one.bbox)) for one in true]
    best = max(range(len(true)), key=lambda index: shared[index], default=None)
    return best if best is not None and shared[best] >= TRUE_IOU else None


def _is_caption_of(found: Found, true: Counted) -> bool:
    begin = "".join(true.caption.split())[:CAPTION_CHARACTERS].casefold()
    is_same = "".join(found.caption.split()).casefold().startswith(begin)
    return is_same and found.number == true.number


def _rounded(box: Box) -> tuple[int, ...]:
    return tuple(round(side) for side in box)
