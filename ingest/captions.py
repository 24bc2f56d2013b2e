"""Captions: told by their words as well as by the layout class, and matched to pictures. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.boxes import area, gap_x, gap_y, overlap, shares_column
from rag.caption_words import (
    FIGURE_WORDS,
    NUMBER_FIRST_FIGURES,
    NUMBER_FIRST_TABLES,
    PREFIXES,
    TABLE_WORDS,
    WEAK_WORDS,
    pattern,
)
from rag.types import BBox

CaptionKind = Literal["figure", "table", "other"]

MAX_CAPTION_CHARACTERS = 1_500
MAX_GAP_PT = 60.0
_NUMBER = (
    r"(?:[A-Z]{1,2}[.\-]?)?\d{1,4}(?:[.\-–]\d{1,3})*(?:[a-z](?![^\W_]))?"
    r"|[IVXL]{1,6}(?![^\W_])|[一二三四五六七八九十]{1,3}"
)
_NUMBER_SIGN = r"(?P<sign>(?:(?:n[o°º.]+|nr\.?|№|第)\s*)?[(\[]?)"
_LABEL = re.compile(
    rf"(?:(?:{PREFIXES})\s+)?"
    rf"(?:(?P<figure>{pattern(FIGURE_WORDS)})|(?P<table>{pattern(TABLE_WORDS)}))"
    rf"\.?\s*{_NUMBER_SIGN}(?P<number>{_NUMBER})",
    re.IGNORECASE,
)
_NUMBER_FIRST = re.compile(
    rf"(?P<number>\d{{1,3}}(?:\.\d{{1,3}})*)\.?\s+"
    rf"(?:(?P<figure>{pattern({'': NUMBER_FIRST_FIGURES})})"
    rf"|(?P<table>{pattern({'': NUMBER_FIRST_TABLES})}))(?![^\W_])",
    re.IGNORECASE,
)
# After the label a caption has a stop or nothing; a sentence about the figure goes on.
_STOP = re.compile(r"\s*(?:$|[.:|—–：．。\])>】]|-\s|\()")
_OPENING = "《「『“\"'«‘(["
# A sentence that only begins with the label: "図1は", "图1所示", "चित्र 1 में".
_SENTENCE = re.compile(r"\s*(?:は|が|に|の|を|で|と|所示|显示|顯示|中|为|為|是|和|与|में|से|को|का)")
_BEFORE = " \t▲▼◄►■•|[(<【〈《"
_LABEL_ONLY_CHARACTERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The label at the start of a caption."""

    kind: CaptionKind
    number: str  # as the document writes it: "Fig. 4", "Table 2-1"
    rest: str  # what follows


def read_label(text: str) -> Label | None:
    """The label that `text` starts with, or None."""
    # Folded: "Ｆｉｇ．１" of a Japanese paper is "Fig.1" to a question about it.
    text = unicodedata.normalize("NFKC", text[:MAX_CAPTION_CHARACTERS]).lstrip(_BEFORE)
    match = _LABEL.match(text) or _NUMBER_FIRST.match(text)
    if match is None:
        return None
    kind: CaptionKind = "figure" if match["figure"] else "table"
    # "I" to "XL" in lower case are words of a sentence ("Table i", "Fig. v"), not numbers.
    number = match["number"]
    if number.isascii() and number.islower() and not any(c.isdigit() for c in number):
        return None
    label = match[0]
    if match.re is _LABEL and match["sign"]:
        label = f"{text[: match.start('sign')]} {number}"
    return Label(kind=kind, number=" ".join(label.split()), rest=text[match.end() :])


def is_caption(text: str, *, is_classed: bool, is_beside: bool) -> bool:
    """Whether a block is a caption.

    The layout class alone misses one caption in ten (measured: full-width figures, code
    listings, tables whose caption says "Figure").

    Args:
        text: of the block, on one line.
        is_classed: the layout model says it is one.
        is_beside: a picture or table lies within reach.
    """
    label = read_label(text)
    if label is None or len(text) > MAX_CAPTION_CHARACTERS:
        return False
    if is_classed:
        return True
    if label.number.split()[0].lower() in WEAK_WORDS and not label.rest.strip(" .:"):
        return False
    if _STOP.match(label.rest):
        return True
    return is_beside and _is_name(label.rest) and not _SENTENCE.match(label.rest)


def _is_name(rest: str) -> bool:
    """Whether a label goes on with a name, not with the verb of a sentence."""
    begin = rest.lstrip()[:1]
    if begin in _OPENING:
        return bool(begin)
    return rest != rest.lstrip() and begin.isalnum() and not begin.islower()


def lacks_text(text: str) -> bool:
    """Whether a caption is its label only, so that its words stand in the next block."""
    label = read_label(text)
    return label is not None and len(label.rest.strip()) <= _LABEL_ONLY_CHARACTERS


def match_captions(
    captions: Sequence[tuple[BBox, CaptionKind]], targets: Sequence[tuple[BBox, CaptionKind]]
) -> dict[int, int]:
    """Which target each caption belongs to, nearest pairs first; caption index to target index.

    "Figure" captions stand below first, "Table" captions above; a graphic of the other
    kind still fits ("Figure 13" under a table), at a cost.

    Args:
        captions: boxes, and what their label says they are about.
        targets: boxes of pictures ("figure") and tables ("table").
    """
    costs = {
        (c, t): cost
        for c, (caption, caption_kind) in enumerate(captions)
        for t, (target, target_kind) in enumerate(targets)
        if (cost := _cost(caption, caption_kind, target, target_kind)) is not None
    }
    found: dict[int, int] = {}
    for c, t in sorted(costs, key=lambda pair: (costs[pair], pair)):
        if c not in found and t not in found.values():
            found[c] = t
    for c in range(len(captions)):
        if c not in found:
            _make_room(c, found, costs)
    return found


def _make_room(wanting: int, found: dict[int, int], costs: dict[tuple[int, int], float]) -> None:
    """Give a caption its target when the one that has it fits another, free one.

    Two tables with captions below: the upper caption is nearest to the lower table.
    """
    holders = {t: c for c, t in found.items()}
    moves = [
        (costs[wanting, t] + costs[holders[t], other], t, other)
        for c, t in costs
        if c == wanting and t in holders
        for holder, other in costs
        if holder == holders[t] and other not in holders
    ]
    if moves:
        _, target, other = min(moves)
        found[holders[target]] = other
        found[wanting] = target


def _cost(
    caption: BBox, caption_kind: CaptionKind, target: BBox, target_kind: CaptionKind
) -> float | None:
    """Points of distance, with penalties; None when they cannot belong together."""
    kind_penalty = 0.0 if caption_kind == target_kind else 45.0
    if overlap(caption, target) > 0.7 * area(caption):  # set inside the picture's box
        return kind_penalty
    down = gap_y(caption, target)
    if shares_column(caption, target) and -8 <= down <= MAX_GAP_PT:
        is_below = caption[1] >= target[3] - 8
        belongs_below = (target_kind if caption_kind == "other" else caption_kind) == "figure"
        preferred = is_below == belongs_below
        return max(down, 0.0) + (0.0 if preferred else 25.0) + kind_penalty
    across = gap_x(caption, target)
    height = min(caption[3] - caption[1], target[3] - target[1])
    if -4 <= across <= MAX_GAP_PT / 2 and -down >= 0.5 * height:
        return max(across, 0.0) + 40.0 + kind_penalty
    return None
