"""The HTML of the Inspect page. Every text is escaped, every number goes through a format."""

from __future__ import annotations

import math
from html import escape
from statistics import median
from typing import TYPE_CHECKING

from rag.types import PICTURES
from ui.explaining import LEFT_OUT, LEG_ORDER, LEG_WORDS, moved, remark, stages
from ui.web import drawings, wording
from ui.web.pieces import kind_mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from rag.types import Considered, Explanation, Hit, LegName, LegScore
    from ui.web.drawings import Scheme

SNIPPET_CHARS = 220
LEAST_SCALE = 4.5  # z at the right end of a bar, when nothing stands out further
BEYOND_BAR = 1.3  # the bar to pass is never at the very end


def results(
    ones: Sequence[Considered],
    said: Explanation,
    *,
    markers: Mapping[UUID, int],
    thumbs: Mapping[str, str],
    target: int,
    plain: bool,
    scheme: Scheme,
) -> str:
    """The ranked list.

    Args:
        ones: What is listed, best first.
        said: For the bars to pass.
        markers: Number of each item in the drawer.
        thumbs: `data:` addresses of small pictures by path.
        target: The turn that the drawer knows this list by.
        plain: Listed by cosine alone, not in our order.
        scheme: Light or dark.
    """
    scale = _scale(ones, said)
    rows = "".join(
        f'<li class="f-hit">{_rank(one, place, plain=plain)}{_thumb(one.hit, thumbs)}'
        f"{_words(one, target, markers, plain=plain)}"
        f"{_legs(one, said.bars[one.group], scale, scheme)}</li>"
        for place, one in enumerate(ones, 1)
    )
    return f'<ol class="f-hits">{rows}</ol>'


def left_out(ones: Sequence[Considered], markers: Mapping[UUID, int], target: int) -> str:
    """The candidates that are not shown, with the reason; one line each."""
    rows = "".join(
        f'<li>{_link(one.hit, markers, target)}<span class="f-meta">'
        f"{escape(wording.source_place(one.hit))} {kind_mark(one.hit.item.kind)}</span>"
        f'<span class="f-meta">{escape(LEFT_OUT[one.fate])}; {escape(moved(one))}, '
        f"{_height(one.hit)}</span></li>"
        for one in ones
    )
    return f'<ul class="f-left-out">{rows}</ul>'


def spread(leg: LegName, said: Explanation, shown: Sequence[Considered], scheme: Scheme) -> str:
    """Heading and histogram of one leg; "" when it has no sample."""
    sample = said.samples.get(leg, ())
    if not sample:
        return ""
    scores = [one.hit.legs[leg].cosine for one in shown if leg in one.hit.legs]
    found = sorted(cosine for cosine in scores if cosine is not None)
    low, high = drawings.ends(sample, found)
    middle = (low + high) / 2
    axis = "".join(f"<span>{number:.2f}</span>" for number in (low, middle, high))
    return (
        f'<figure class="f-spread"><figcaption class="f-meta"><strong>{LEG_WORDS[leg]}</strong>, '
        f"cosine of {len(sample)} sampled entries</figcaption>"
        f'<img src="{drawings.histogram(sample, found, leg, scheme)}" '
        f'alt="{escape(_spread_words(sample, found))}">'
        f'<div class="f-axis" aria-hidden="true">{axis}</div></figure>'
    )


def times(timings_ms: Mapping[str, float]) -> str:
    """Stage by stage."""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{ms:.1f} ms</dd></div>" for name, ms in stages(timings_ms)
    )
    return f'<dl class="f-facts">{rows}</dl>'


def head(left: str, right: str) -> str:
    """The line above the list."""
    return (
        f'<div class="f-section"><h2 class="f-count">{escape(left)}</h2>'
        f'<span class="f-meta">{escape(right)}</span></div>'
    )


def _spread_words(sample: Sequence[float], shown: Sequence[float]) -> str:
    words = f"From {min(sample):.2f} to {max(sample):.2f}, half of them below {median(sample):.2f}."
    if not shown:
        return f"{words} No result shown was compared here."
    return f"{words} Results shown at {', '.join(f'{cosine:.2f}' for cosine in shown)}."


def _rank(one: Considered, place: int, *, plain: bool) -> str:
    ours = f"ours {one.hit.rank}" if one.hit.rank else "left out"
    second = ours if plain else moved(one)
    return (
        f'<div class="f-rank"><span class="f-place">{int(place)}</span>'
        f'<span class="f-meta">{escape(second)}</span></div>'
    )


def _thumb(hit: Hit, thumbs: Mapping[str, str]) -> str:
    address = thumbs.get(hit.image_path or "", "")
    if hit.item.kind in PICTURES and address:
        return f'<div class="f-thumb"><img src="{escape(address)}" alt=""></div>'
    icon = "table" if hit.item.kind == "table" else "text"
    return f'<div class="f-thumb"><span class="f-icon f-i-{icon}"></span></div>'


def _words(one: Considered, target: int, markers: Mapping[UUID, int], *, plain: bool) -> str:
    hit = one.hit
    why = "" if plain else remark(one)
    why = f'<p class="f-meta">{escape(why)}.</p>' if why else ""
    place = f"{kind_mark(hit.item.kind)} {escape(wording.source_place(hit))}"
    return (
        f'<div class="f-hit-words">{_link(hit, markers, target)}'
        f'<p class="f-meta f-two" dir="auto">{escape(_snippet(hit))}</p>'
        f'<p class="f-meta">{place}</p>{why}</div>'
    )


def _link(hit: Hit, markers: Mapping[UUID, int], target: int) -> str:
    title = escape(wording.source_title(hit))
    marker = markers.get(hit.item.id)
    if marker is None:
        return f'<span class="f-hit-title" dir="auto">{title}</span>'
    address = f"#cite-{int(target)}-{int(marker)}"
    return f'<a class="f-hit-title" href="{address}" dir="auto">{title}</a>'


def _snippet(hit: Hit) -> str:
    """The words below the title; a table as its cells."""
    title = " ".join(hit.item.caption.split())
    words = " ".join(hit.item.text.split()).removeprefix(title).strip()
    if hit.item.kind == "table":
        cells = (cell.strip() for cell in words.split("|"))
        words = ", ".join(cell for cell in cells if cell.strip("-: "))
    return wording.cut(words, SNIPPET_CHARS)


def _legs(one: Considered, bar: float, scale: float, scheme: Scheme) -> str:
    known = [(name, one.hit.legs[name]) for name in LEG_ORDER if name in one.hit.legs]
    best = max((leg.z for _, leg in known if leg.z is not None), default=None)
    rows = "".join(_leg(name, leg, bar, scale, scheme, best) for name, leg in known)
    if not rows:
        return '<p class="f-meta f-legs">Found by its name only</p>'
    return f'<dl class="f-legs">{rows}</dl>'


def _leg(
    name: LegName, leg: LegScore, bar: float, scale: float, scheme: Scheme, best: float | None
) -> str:
    label = LEG_WORDS[name]
    if leg.z is None:
        return f'<div><dt>{label}</dt><dd class="f-z">rank {int(leg.rank)}</dd></div>'
    label = f"<strong>{label}</strong>" if leg.z == best else label
    passed = f"{'passes' if leg.z >= bar else 'below'} the bar of {bar:.1f}"
    return (
        f'<div><dt>{label}</dt><dd><img src="{drawings.z_bar(leg.z, bar, scale, name, scheme)}"'
        f' alt="{passed}"></dd><dd class="f-z">z {leg.z:+.1f}</dd></div>'
    )


def _scale(ones: Sequence[Considered], said: Explanation) -> float:
    """The z at the right end of every bar on the page."""
    known = [leg.z for one in ones for leg in one.hit.legs.values() if leg.z is not None]
    bars = [BEYOND_BAR * bar for bar in said.bars.values() if math.isfinite(bar)]
    return max([LEAST_SCALE, *known, *bars])


def _height(hit: Hit) -> str:
    return f"height {hit.height:.1f}" if math.isfinite(hit.height) else "no height"
