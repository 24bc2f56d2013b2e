"""Why a result stands where it stands, in plain words. Pure; for the terminal and the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rag.types import (
        Considered,
        Explanation,
        Fate,
        Group,
        Hit,
        LegName,
        LegScore,
        Retrieval,
        Why,
    )

LEG_WORDS: dict[LegName, str] = {
    "text": "Text",
    "image": "Picture",
    "caption": "Caption",
    "keywords": "Keywords",
}
KEPT: dict[Why, str] = {
    "rank": "Kept by its rank",
    "picture_reserve": "Kept as the best picture, which would not be shown otherwise",
    "named": "Put first, the question names it or its page",
}
LOOK_ALIKE = "Kept, it looks like your picture"
LEFT_OUT: dict[Fate, str] = {
    "same": "Same words or same picture as a better result",
    "document_cap": "Moved back, its document has enough results already",
    "picture_limit": "Enough pictures are shown, words that pass their bar went first",
    "gave_way": "Gave its place to a picture or to what the question names",
    "below": "Stands below the results shown",
}
STAGES = {
    "embed": "Question to vector",
    "search": "All searches",
    "merge": "Calibrate and merge",
    "rerank": "Second look",
    "evidence": "Check for an answer",
}
LEG_ORDER: tuple[LegName, ...] = ("text", "image", "caption", "keywords")
RAISED = 0.05  # of a height; less is not worth a word
MAX_LEFT_OUT = 20  # lines on the terminal; --json has all


def passes(one: Considered, bars: Mapping[Group, float]) -> bool:
    """Whether it stands out enough to count as evidence."""
    return one.hit.height >= bars[one.group]


def reason(one: Considered, bars: Mapping[Group, float]) -> str:
    """Why it was kept or left out, in one short sentence without a stop."""
    if one.fate != "kept":
        return LEFT_OUT[one.fate]
    is_alike = one.hit.look_alike_bits is not None
    rest = "" if is_alike or passes(one, bars) else ", though it does not pass the bar"
    return why_kept(one.hit) + rest


def why_kept(hit: Hit) -> str:
    """Why it is among the results, in one short sentence without a stop."""
    if hit.look_alike_bits is not None:
        return LOOK_ALIKE
    return KEPT[hit.why] + (", raised by its keywords" if _is_raised(hit) else "")


def leg_rows(hit: Hit) -> list[tuple[str, str]]:
    """What each search said of it, "Text" and "rank 1, z +5.2"; empty when only its name did."""
    return [(LEG_WORDS[name], _standing(hit.legs[name])) for name in LEG_ORDER if name in hit.legs]


def remark(one: Considered) -> str:
    """What is worth saying of a result whose rank and bars are seen; "" for nothing."""
    if one.hit.look_alike_bits is not None:
        return LOOK_ALIKE
    if one.hit.why != "rank":
        return KEPT[one.hit.why]
    return "Raised by its keywords" if _is_raised(one.hit) else ""


def bar_words(bars: Mapping[Group, float]) -> str:
    """The bars to pass, "z 3.4 for words, 2.6 for pictures"; "" when there is nothing to pass."""
    known = [f"{bars[group]:.1f} for {group}" for group in bars if math.isfinite(bars[group])]
    return f"z {', '.join(known)}" if known else ""


def moved(one: Considered) -> str:
    """Its place in plain order, "was 9"; "new" when no vector of it was compared."""
    return f"was {one.plain_rank}" if one.plain_rank is not None else "new"


def stages(timings_ms: Mapping[str, float]) -> list[tuple[str, float]]:
    """Stage and milliseconds, in the order they ran."""
    return [(STAGES.get(name, name), ms) for name, ms in timings_ms.items()]


def hit_lines(one: Considered, explanation: Explanation) -> list[str]:
    """Of one hit: its height, its former place, why it was kept, and each leg."""
    bar = explanation.bars[one.group]
    head = f"{reason(one, explanation.bars)}; {moved(one)} by plain cosine"
    return [
        f"   {head}; height {one.hit.height:.2f}, bar {bar:.2f}",
        *(f"   {LEG_WORDS[name]:9} {_leg(leg)}" for name, leg in one.hit.legs.items()),
    ]


def rest_lines(found: Retrieval, explanation: Explanation) -> list[str]:
    """Below the hits: what was left out and why, the bars, the times."""
    dropped = explanation.dropped()
    lines = [f"Left out ({len(dropped)}):"] if dropped else []
    for one in dropped[:MAX_LEFT_OUT]:
        page = f", page {one.hit.page_number}" if one.hit.page_number else ""
        where = f"{one.hit.document_name}{page} ({one.hit.item.kind})"
        lines.append(
            f"   {one.merged_rank:3}. {where}; {moved(one)}, height {one.hit.height:.2f}."
            f" {LEFT_OUT[one.fate]}."
        )
    if len(dropped) > MAX_LEFT_OUT:
        lines.append(f"   and {len(dropped) - MAX_LEFT_OUT} more; --json lists all.")
    if words := bar_words(explanation.bars):
        lines.append(f"Bar to pass: {words}.")
    times = ", ".join(f"{name.lower()} {ms:.1f} ms" for name, ms in stages(found.timings_ms))
    return [*lines, f"Times: {times}."]


def _is_raised(hit: Hit) -> bool:
    """Whether it stands higher than its own vectors would have it."""
    own = max((leg.z for leg in hit.legs.values() if leg.z is not None), default=-math.inf)
    return "keywords" in hit.legs and hit.why == "rank" and hit.height > own + RAISED


def _standing(leg: LegScore) -> str:
    return f"rank {leg.rank}" if leg.z is None else f"rank {leg.rank}, z {leg.z:+.1f}"


def _leg(leg: LegScore) -> str:
    if leg.z is None or leg.cosine is None:
        return f"rank {leg.rank}, weight {leg.weight or 0.0:.2f}"
    return f"rank {leg.rank}, cosine {leg.cosine:.3f}, z {leg.z:+.2f}"
