"""Small pieces of our own HTML. Knows class names of style.css, nothing of Streamlit.

Every text goes through `html.escape`, every number through `int` or `float`, and
class names come from the closed sets below: a hostile string shows as plain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rag.types import Doubt, Kind

Span = tuple[int, int]  # first character and the one after the last
Tone = Literal["info", "warn", "err", "ok", "plain", "lock", "file", "search", "quote"]

KIND_WORDS: dict[Kind, str] = {
    "text": "Text",
    "table": "Table",
    "figure": "Figure",
    "page": "Page",
}
_MARKER = re.compile(r" ?\[(\d{1,3})\]")
LONG_QUESTION = 300  # characters; a longer one is set small and scrolls in its own box


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a source card says; `target` is the part of the link after `#cite-`."""

    marker: int
    target: str
    title: str
    place: str
    kind: Kind


def title(text: str, *, big: bool = False) -> str:
    """The one h1 of a page."""
    return f'<h1 class="{"f-title f-big" if big else "f-title"}">{escape(text)}</h1>'


def hidden_title(text: str) -> str:
    """An h1 for screen readers where the page shows none."""
    return f'<h1 class="f-hidden">{escape(text)}</h1>'


def lead(text: str) -> str:
    """The sentence under a title."""
    return f'<p class="f-lead">{escape(text)}</p>'


def section(text: str, second: str = "", *, level: Literal[2, 3] = 2) -> str:
    """A small heading, with a quiet second text at the right; of level 3 below a question."""
    right = f'<span class="f-meta">{escape(second)}</span>' if second else ""
    return f'<div class="f-section"><h{level:d}>{escape(text)}</h{level:d}>{right}</div>'


def meta(text: str) -> str:
    """A quiet second line."""
    return f'<p class="f-meta">{escape(text)}</p>'


def question(text: str) -> str:
    """A question, set like a heading."""
    extra = " f-long" if len(text) > LONG_QUESTION else ""
    return f'<h2 class="f-q{extra}" dir="auto">{escape(text)}</h2>'


def waiting(text: str) -> str:
    """A quiet line with three dots that pulse, for the time before the first word."""
    return f'<p class="f-wait">{escape(text)}<span class="f-dots" aria-hidden="true"></span></p>'


def note(tone: Tone, strong: str, rest: str = "") -> str:
    """Icon, bold first sentence, then what to do."""
    return (
        f'<div class="f-note f-{_tone(tone)}" role="note"><span class="f-icon"></span>'
        f"<p><strong>{escape(strong)}</strong> {escape(rest)}</p></div>"
    )


def badge(tone: Tone, text: str) -> str:
    """A state in a rounded frame: icon and words, never colour alone."""
    return (
        f'<span class="f-badge f-{_tone(tone)}"><span class="f-icon"></span>{escape(text)}</span>'
    )


def badges(pairs: Iterable[tuple[Tone, str]]) -> str:
    """Several badges in a row."""
    return '<div class="f-badges">' + "".join(badge(*pair) for pair in pairs) + "</div>"


def kind_mark(kind: Kind) -> str:
    """The kind of a source: coloured sign and its word."""
    return f'<span class="f-kind f-k-{_kind(kind)}">{KIND_WORDS[kind]}</span>'


def source_cards(cards: Iterable[Card]) -> str:
    """The list under an answer; each card is one link as a whole."""
    rows = "".join(
        f'<li><a class="f-card" href="#cite-{escape(card.target)}">'
        f'<span class="f-chip" aria-hidden="true">{int(card.marker)}</span>'
        f'<span class="f-hidden">Source {int(card.marker)}: </span>'
        f'<span class="f-card-title" dir="auto">{escape(card.title)}</span>'
        f'<span class="f-meta">{escape(card.place)} {kind_mark(card.kind)}</span></a></li>'
        for card in cards
    )
    return f'<ul class="f-cards">{rows}</ul>'


def plate_caption(card: Card) -> str:
    """The line under a figure plate; its link covers the whole plate."""
    return (
        f'<a class="f-plate" href="#cite-{escape(card.target)}">'
        f'<span class="f-chip">{int(card.marker)}</span> '
        f'<span dir="auto">{escape(card.title)}</span>'
        f'<span class="f-meta">{escape(card.place)}</span></a>'
    )


def bar(share: float) -> str:
    """A 4 px progress bar; the words stand beside it, so it is hidden from readers."""
    percent = max(0, min(100, round(float(share) * 100)))
    return (
        f'<div class="f-bar" aria-hidden="true"><div class="f-fill f-w{percent // 5 * 5}">'
        "</div></div>"
    )


def job(name: str, words: str, share: float | None) -> str:
    """A file that is being read: name, what is done, and a bar once it has begun."""
    drawn = "" if share is None else bar(share)
    return (
        f'<div class="f-job"><p class="f-name" dir="auto">{escape(name)}</p>'
        f'<p class="f-meta">{escape(words)}</p>{drawn}</div>'
    )


def row(name: str, words: str) -> str:
    """A document in the list: name and what is in it."""
    return (
        f'<div class="f-row"><p class="f-name" dir="auto">{escape(name)}</p>'
        f'<p class="f-meta">{escape(words)}</p></div>'
    )


def strip(cells: Sequence[tuple[str, str, str]]) -> str:
    """Up to five numbers in a row, each under its label; a small second one may follow it."""
    drawn = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(number)}"
        + (f" <small>{escape(second)}</small>" if second else "")
        + "</dd></div>"
        for name, number, second in cells
    )
    return f'<dl class="f-strip">{drawn}</dl>'


def document_title(name: str) -> str:
    """The h2 over what was read from a document."""
    return f'<h2 class="f-doc" dir="auto">{escape(name)}</h2>'


def legend(*, left_out: bool) -> str:
    """What the boxes on small pages mean."""
    kinds: tuple[Kind, ...] = ("text", "table", "figure", "page")
    marks = "".join(kind_mark(kind) for kind in kinds)
    grey = '<span class="f-kind f-k-none">Left out</span>' if left_out else ""
    return f'<p class="f-legend"><span class="f-hidden">Boxes: </span>{marks}{grey}</p>'


def blank_page(size: tuple[float, float], words: str) -> str:
    """A sheet in the shape of a page, or of a picture, that is not there."""
    width, height = (max(1, min(100_000, int(side))) for side in size)
    return (
        f'<div class="f-sheet" style="aspect-ratio:{width}/{height}">'
        f'<span class="f-meta">{escape(words)}</span></div>'
    )


def page_words(name: str, words: str) -> str:
    """The two lines under a small page."""
    return f'<p class="f-under">{escape(name)}</p><p class="f-meta">{escape(words)}</p>'


def figure_words(title: str, place: str, standing: str) -> str:
    """The lines under a figure: what it is, where, and what stands in the way of finding it."""
    last = f'<p class="f-standing">{escape(standing)}</p>' if standing else ""
    return (
        f'<p class="f-under f-two" dir="auto">{escape(title)}</p>'
        f'<p class="f-meta">{escape(place)}</p>{last}'
    )


def model_head(name: str, words: str, tone: Tone | None = None, state: str = "") -> str:
    """Top of a model's card: its name, what it does, and its state in a badge."""
    mark = badge(tone, state) if tone and state else ""
    return (
        f'<div class="f-head"><h2 class="f-model">{escape(name)}</h2>{mark}</div>'
        f'<p class="f-meta">{escape(words)}</p>'
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Rows of a label at the left and a value at the right."""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs
    )
    return f'<dl class="f-facts">{rows}</dl>'


def licence(name: str, *, is_free: bool, words: str) -> str:
    """A licence in a badge, and beside it what it allows."""
    return (
        f'<div class="f-badges f-licence">{badge("ok" if is_free else "warn", name)}'
        f'<span class="f-meta">{escape(words)}</span></div>'
    )


def bullets(lines: Iterable[str]) -> str:
    """A plain list."""
    return '<ul class="f-list">' + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def checks(rows: Iterable[tuple[str, str, Doubt]], turn: int) -> str:
    """Sentences of an answer that need a look, each with its reason; its note links here."""
    items = "".join(
        f'<li id="check-{int(turn)}-{place}" class="f-d-{_doubt(doubt)}">'
        f'<q dir="auto">{escape(sentence)}</q> <span class="f-meta">{escape(reason)}</span></li>'
        for place, (sentence, reason, doubt) in enumerate(rows)
    )
    return f'<ol class="f-checks">{items}</ol>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A plain table; rows may be shorter than the head."""
    return _table([escape(cell) for cell in head], [[escape(c) for c in row] for row in rows])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in rows
    )
    return (
        f'<div class="f-scroll"><table class="f-table"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def promises(triples: Iterable[tuple[str, str, str]]) -> str:
    """Columns of icon, bold line and sentence; the icon is one of search, page, lock."""
    cells = "".join(
        f'<li class="f-p-{icon if icon in _PROMISE_ICONS else "page"}">'
        f"<strong>{escape(strong)}</strong><span>{escape(rest)}</span></li>"
        for icon, strong, rest in triples
    )
    return f'<ul class="f-promises">{cells}</ul>'


def quote(text: str, kind: Kind) -> str:
    """Words of a document, exactly; the bar beside them has the colour of the kind."""
    return f'<blockquote class="f-quote f-k-{_kind(kind)}" dir="auto">{escape(text)}</blockquote>'


def quotes(text: str, markers: Collection[int], turn: int) -> str:
    """An extractive answer: each paragraph is a quotation, its marks are links."""
    return "".join(
        f'<blockquote class="f-quote f-said" dir="auto">{_linked(part, markers, turn)}</blockquote>'
        for part in text.split("\n\n")
        if part.strip()
    )


def plain(text: str, markers: Collection[int], turn: int) -> str:
    """Our own sentences in the size of an answer."""
    return f'<p class="f-answer">{_linked(text, markers, turn)}</p>'


def source_head(name: str, place: str, kind: Kind) -> str:
    """Top of the drawer: title, where it stands, what it is."""
    return (
        f'<div class="f-head"><div><p class="f-name" dir="auto">{escape(name)}</p>'
        f'<p class="f-meta">{escape(place)}</p></div>{kind_mark(kind)}</div>'
    )


def reader_block(body: str, *, heading: bool, marked: bool, spans: Sequence[Span] = ()) -> str:
    """A block of the reader view; the cited one is framed and named, its quoted words marked."""
    words = with_marks(body, spans)
    inner = f'<p class="f-h" dir="auto">{words}</p>' if heading else f'<p dir="auto">{words}</p>'
    return _framed(inner, marked=marked, kind="text")


def reader_figure(body: str, *, marked: bool, spans: Sequence[Span] = ()) -> str:
    """The words under a picture of the reader view; the page frames both when they are cited."""
    tag = '<span class="f-tag f-k-figure">Cited here</span>' if marked else ""
    return f'<div class="f-block">{tag}<p dir="auto">{with_marks(body, spans)}</p></div>'


def reader_table(
    rows: Sequence[Sequence[str]], *, marked: bool, spans: Sequence[Sequence[Span]] = ()
) -> str:
    """A table block of the reader view; `spans` are those of its cells, row by row."""
    of_cell = iter(spans)
    cells = [[with_marks(cell, next(of_cell, ())) for cell in row] for row in rows]
    return _framed(_table(cells[0] if cells else (), cells[1:]), marked=marked, kind="table")


def with_marks(text: str, spans: Sequence[Span]) -> str:
    """A text, escaped, with stretches of it marked; spans are in order and do not overlap."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [escape(text[at:start]), f"<mark>{escape(text[start:end])}</mark>"]
        at = end
    return "".join([*pieces, escape(text[at:])])


def _linked(text: str, markers: Collection[int], turn: int) -> str:
    def link(match: re.Match[str]) -> str:
        number = int(match[1])
        if number not in markers:
            return match[0]
        target = f"#cite-{int(turn)}-{number}"
        return f'&#8288;<a class="f-cite" href="{target}" title="{number}">[{number}]</a>'

    return _MARKER.sub(link, escape(text))


def _framed(inner: str, *, marked: bool, kind: Kind) -> str:
    if not marked:
        return f'<div class="f-block">{inner}</div>'
    return (
        f'<div class="f-block f-marked f-k-{_kind(kind)}"><span class="f-tag">Cited here</span>'
        f"{inner}</div>"
    )


_PROMISE_ICONS = frozenset({"search", "page", "lock"})
_TONES: frozenset[Tone] = frozenset(
    {"info", "warn", "err", "ok", "plain", "lock", "file", "search", "quote"}
)

_DOUBTS: frozenset[Doubt] = frozenset({"unsourced", "missing", "weak", "figure"})


def _tone(tone: Tone) -> Tone:
    return tone if tone in _TONES else "plain"


def _doubt(doubt: Doubt) -> Doubt:
    return doubt if doubt in _DOUBTS else "missing"


def _kind(kind: Kind) -> Kind:
    return kind if kind in KIND_WORDS else "text"
