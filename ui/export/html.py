"""A chat as one web page: pictures inside, no script, nothing that is fetched. Knows no disk.

Every text goes through `html.escape`, every number through `int`, class names come from closed
sets. Its own policy stands in its head, so that even a mistake here could load nothing.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from rag.types import PICTURES
from ui.export import prose
from ui.export.pictures import Cited, collect
from ui.web.pieces import KIND_WORDS
from ui.web.wording import count, cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ui.cited import Pages
    from ui.export.chat import ToldChat, ToldSource, ToldTurn
    from ui.export.licences import Licence
    from ui.export.pictures import Album, MarkedPage, Picture
    from ui.outcome import Told

STYLE = Path(__file__).with_name("style.css")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
LONG_QUESTION = 300  # characters; a longer one is set small
MANY_TURNS = 3  # from here on a list of the questions stands on top
MAX_ROWS = 30  # of a table
NAME_CHARS = 90
_BODIES = {"written": prose.written, "quoted": prose.quoted, "own": prose.own}

MACHINE = (
    "The answers were put together by a machine from the documents named here, and can be wrong."
    " Follow a number to its source before you rely on a sentence."
)
OWNERS = (
    "Quotes, figures and pictures of pages belong to the owners of the documents, whatever the"
    " licence of the software."
)


def to_html(chat: ToldChat, services: Pages) -> str:
    """The whole file.

    Args:
        chat: from `gather`.
        services: Draws pages and finds their words.
    """
    album = collect(chat, services)
    return "".join(
        [
            _head(chat),
            _header(chat),
            "<main>\n",
            *(_turn(turn, chat, album) for turn in chat.turns),
            _pages(album, chat),
            "</main>\n",
            _footer(chat),
            "</body>\n</html>\n",
        ]
    )


def _head(chat: ToldChat) -> str:
    # A closing tag in the sheet would end it; it is our own file and holds none.
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f'<meta name="generator" content="Folio {escape(chat.version)}">\n'
        f"<title>{escape(chat.name)}</title>\n"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
    )


def _header(chat: ToldChat) -> str:
    told = f"{count(len(chat.turns), 'question')}, saved on {chat.made_at:%d %B %Y}"
    listed = ""
    if len(chat.turns) >= MANY_TURNS:
        rows = "".join(
            f'<li><a href="#q-{int(turn.number)}" dir="auto">{escape(_short(turn))}</a></li>'
            for turn in chat.turns
        )
        listed = f'<nav aria-label="Questions"><ol>{rows}</ol></nav>\n'
    return (
        f'<header>\n<p class="brand">Folio</p>\n<h1 dir="auto">{escape(chat.title)}</h1>\n'
        f'<p class="meta">{escape(told)}</p>\n{listed}</header>\n'
    )


def _turn(turn: ToldTurn, chat: ToldChat, album: Album) -> str:
    number = int(turn.number)
    long = ' class="long"' if len(turn.question) > LONG_QUESTION else ""
    eyebrow = f'<p class="eyebrow">Question {number}</p>\n' if len(chat.turns) > 1 else ""
    searched = f"Searched for: {turn.searched_for}" if turn.searched_for else ""
    parts = [
        f'<article class="turn" id="q-{number}" aria-labelledby="h-{number}">\n{eyebrow}',
        f'<h2 id="h-{number}"{long} dir="auto">{escape(turn.question or "A picture")}</h2>\n',
        _asked(album.asked.get(number)),
        *(_note(told) for told in turn.notes if not told.under),
        f'<div class="answer">\n{_BODIES[turn.body](turn)}</div>\n' if turn.text.strip() else "",
        *(_note(told) for told in turn.notes if told.under),
        _badges(turn),
        _checks(turn),
        _sources(turn, chat, album),
        _meta(searched, "; ".join(turn.facts)),
        "</article>\n",
    ]
    return "".join(parts)


def _asked(picture: Picture | None) -> str:
    if picture is None:
        return ""
    return f'<figure class="asked">{_image(picture, "Picture of the question")}</figure>\n'


def _note(told: Told) -> str:
    below = f"<br>{escape(told.below)}" if told.below else ""
    name = f"note {told.tone}" if told.tone in ("warn", "err") else "note"
    said = f"<strong>{escape(told.strong)}</strong> {escape(told.rest)}{below}"
    return f'<p class="{name}">{said}</p>\n'


def _badges(turn: ToldTurn) -> str:
    if not turn.badges:
        return ""
    tones = ("ok", "warn", "err")
    rows = "".join(
        f'<li class="{tone if tone in tones else "plain"}">{escape(words)}</li>'
        for tone, words in turn.badges
    )
    return f'<ul class="badges" aria-label="About this answer">{rows}</ul>\n'


def _checks(turn: ToldTurn) -> str:
    if not turn.checks:
        return ""
    rows = "".join(
        f'<li id="c-{int(turn.number)}-{place}"'
        f' class="{check.doubt if check.doubt in ("weak", "figure") else "missing"}">'
        f'<q dir="auto">{escape(check.sentence)}</q>'
        f' <span class="meta">{escape(check.reason)}</span></li>\n'
        for place, check in enumerate(turn.checks)
    )
    return f'<h3>What to check</h3>\n<ol class="checks">\n{rows}</ol>\n'


def _meta(*lines: str) -> str:
    told = "<br>".join(escape(line) for line in lines if line)
    return f'<p class="meta facts-line">{told}</p>\n' if told else ""


def _sources(turn: ToldTurn, chat: ToldChat, album: Album) -> str:
    if not turn.sources:
        return ""
    rows = "".join(_source(source, turn, album) for source in turn.sources)
    return f'<h3>{escape(turn.heading)}</h3>\n<ol class="sources">\n{rows}</ol>\n'


def _source(source: ToldSource, turn: ToldTurn, album: Album) -> str:
    number, marker = int(turn.number), int(source.marker)
    kind = source.kind if source.kind in KIND_WORDS else "text"
    who = Cited(number, marker)
    body = [
        '<div class="head">'
        f'<p class="name" dir="auto">{escape(source.title)}</p>'
        f'<p class="meta"><bdi>{escape(source.place)}</bdi>'
        f'<span class="kind k-{kind}">{KIND_WORDS[kind]}</span></p></div>\n',
        _crop(source, album.crops.get(who)),
        *_words(source, is_pictured=who in album.crops or who in album.shown_at),
        f'<p class="meta">{escape(source.note)}</p>\n' if source.note else "",
        _links(who, album),
    ]
    return (
        f'<li class="source k-{kind}" id="s-{number}-{marker}">'
        f'<span class="chip"><span class="hidden">Source </span>{marker}</span>'
        f'<div class="body">\n{"".join(body)}</div></li>\n'
    )


def _words(source: ToldSource, *, is_pictured: bool) -> Iterator[str]:
    language = f' lang="{escape(source.language)}"' if source.language else ""
    if source.quote and not (is_pictured and source.kind in PICTURES):
        quote = escape(source.quote)
        yield f'<blockquote class="quote" dir="auto"{language}>{quote}</blockquote>\n'
    if source.rows and is_pictured:
        table = _table(source, language)
        yield f"<details><summary>The table as text</summary>\n{table}</details>\n"
    elif source.rows:
        yield _table(source, language)


def _table(source: ToldSource, language: str) -> str:
    head, *rows = source.rows
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows[:MAX_ROWS]
    )
    more = len(rows) - MAX_ROWS
    rest = f'<p class="meta">{count(more, "more row")} in the document</p>\n' if more > 0 else ""
    name = escape(f"Table: {cut(source.title, NAME_CHARS)}")
    return (
        f'<div class="scroll" role="group" aria-label="{name}" tabindex="0"><table{language}>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>\n{rest}"
    )


def _crop(source: ToldSource, picture: Picture | None) -> str:
    if picture is None:
        return ""
    return f"<figure>{_image(picture, source.alt)}</figure>\n"


def _image(picture: Picture, alt: str) -> str:
    return (
        f'<img src="{picture.uri}" alt="{escape(alt)}" width="{int(picture.width_px)}"'
        f' height="{int(picture.height_px)}">'
    )


def _links(who: Cited, album: Album) -> str:
    links = []
    shown = album.shown_at.get(who)
    if shown is not None:
        where = f"question {shown.turn}, source {shown.marker}"
        links.append((f"s-{shown.turn}-{shown.marker}", f"The picture is shown at {where}"))
    links += [
        (f"p-{at}", f"Page {album.pages[at].key.number} with the place marked")
        for at in album.drawn_on.get(who, ())
    ]
    links.append((f"q-{who.turn}", "Back to the answer"))
    rows = "".join(
        f'<a href="#{target}"{_back(target)}>{escape(words)}</a>' for target, words in links
    )
    return f'<p class="links">{rows}</p>\n'


def _back(target: str) -> str:
    return ' class="back"' if target.startswith("q-") else ""


def _pages(album: Album, chat: ToldChat) -> str:
    if not album.pages and not album.left_out:
        return ""
    figures = "".join(
        _page(at, page, page.picture, chat)
        for at, page in enumerate(album.pages)
        if page.picture is not None
    )
    left = "".join(f'<p class="meta">{escape(sentence)}</p>\n' for sentence in album.left_out)
    return (
        '<section id="pages" aria-labelledby="h-pages">\n<h2 id="h-pages">Cited pages</h2>\n'
        f"{left}{figures}</section>\n"
    )


def _page(at: int, page: MarkedPage, picture: Picture, chat: ToldChat) -> str:
    links = "".join(
        f'<a href="#s-{int(who.turn)}-{int(who.marker)}">{escape(_who(who, chat))}</a>'
        for _, who in page.cited_by()
    )
    name = f"{cut(page.name, NAME_CHARS)}, page {int(page.key.number)}"
    marked = ", ".join(_who(who, chat) for _, who in page.cited_by())
    return (
        f'<figure class="page" id="p-{int(at)}"><figcaption><bdi class="name">{escape(name)}</bdi>'
        f'<span class="links">{links}</span></figcaption>\n'
        f"{_image(picture, f'{name}, with the place of {marked} marked')}</figure>\n"
    )


def _who(who: Cited, chat: ToldChat) -> str:
    if len(chat.turns) == 1:
        return f"Source {who.marker}"
    return f"Question {who.turn}, source {who.marker}"


def _footer(chat: ToldChat) -> str:
    rows = [
        ("Made with", [f"Folio {chat.version}, {chat.made_at:%Y-%m-%d %H:%M} UTC"]),
        ("Answers", list(chat.answered_by)),
        ("Search", list(chat.searched_with)),
        ("Library", [f"{count(chat.library_count, 'document')} when this file was made"]),
        ("Licences", [_licence(licence) for licence in chat.licences]),
    ]
    facts = "".join(_fact(name, values) for name, values in rows if values)
    return (
        f"<footer>\n<h2>About this file</h2>\n<p>{escape(MACHINE)}</p>\n<p>{escape(OWNERS)}</p>\n"
        f'<dl class="facts">{facts}</dl>\n</footer>\n'
    )


def _fact(name: str, values: Iterable[str]) -> str:
    told = "".join(f"<dd>{escape(value)}</dd>" for value in values)
    return f"<dt>{escape(name)}</dt>{told}\n"


def _licence(licence: Licence) -> str:
    notice = f" {licence.notice}" if licence.notice else ""
    return f"{licence.part}: {licence.name}.{notice}"


def _short(turn: ToldTurn) -> str:
    return cut(turn.question, NAME_CHARS) or "A picture"
