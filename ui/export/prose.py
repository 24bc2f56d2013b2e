"""The words of an answer to HTML. Knows Markdown and marks, no pictures and no page around it.

A model's Markdown keeps emphasis, lists, tables and code. Nothing in it loads or leads anywhere:
HTML is text, links and pictures are not read at all, so that their address stays as written.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from ui.web import markup, wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from ui.export.chat import ToldTurn

# Around what may be wider than the page: it is scrolled, also by keyboard.
SCROLLED = '<div class="scroll" role="group" aria-label="Table" tabindex="0">'
_MARK = re.compile(r" ?\[(\d{1,3})\]")
# A note's place between two signs of private use; with it, one lost in code disturbs no other.
_OPEN, _SHUT = markup.NOTE, "\uf8f1"
NOTE = re.compile(f"{_OPEN}(\\d{{1,4}}){_SHUT}")


def parser() -> MarkdownIt:
    """Markdown without links, pictures and HTML: all of these stay text."""
    from markdown_it import MarkdownIt

    read = MarkdownIt("commonmark", {"html": False, "linkify": False})
    read.enable(["table", "strikethrough"])
    return read.disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])


def noted(turn: ToldTurn) -> str:
    """A model's text with a sign after each sentence to check: `_OPEN`, its place, `_SHUT`."""
    text = turn.text.replace(_OPEN, "").replace(_SHUT, "")
    signed, places = markup.with_notes(text, [check.sentence for check in turn.checks])
    first, *rest = signed.split(_OPEN)
    return first + "".join(
        f"{_OPEN}{place}{_SHUT}{part}" for place, part in zip(places, rest, strict=True)
    )


def without_notes(text: str) -> str:
    """Text of a code block: a note that fell into it is left out."""
    return NOTE.sub("", text)


def written(turn: ToldTurn) -> str:
    """A model's words as HTML, with links to the sources and to what is to be checked."""
    read = parser()
    tokens = read.parse(noted(turn))
    for token in tokens:
        _settle(token)
    read.add_render_rule("text", lambda _self, parts, at, *_: _text(parts[at].content, turn))
    read.add_render_rule("table_open", lambda *_: f"{SCROLLED}<table>\n")
    read.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return str(read.renderer.render(tokens, read.options, {}))


def quoted(turn: ToldTurn) -> str:
    """An answer of quotes: each is words of a document, exactly."""
    return "".join(
        f'<blockquote class="said" dir="auto">{_text(part, turn)}</blockquote>\n'
        for part in turn.text.split("\n\n")
        if part.strip()
    )


def own(turn: ToldTurn) -> str:
    """A sentence of Folio."""
    return f"<p>{_text(turn.text, turn)}</p>\n"


def linked_markers(turn: ToldTurn) -> dict[int, str]:
    """The markers that have a source in the file, and its place in words."""
    return {source.marker: source.place for source in turn.sources}


def _settle(token: Token) -> None:
    """Headings under the question's, paragraphs with a direction of their own, code bare."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = "h3"
    if token.type in ("paragraph_open", "heading_open", "list_item_open"):
        token.attrSet("dir", "auto")
    if token.type in ("fence", "code_block", "code_inline"):
        token.content = without_notes(token.content)
        token.info = ""  # would name a class
    if token.type in ("fence", "code_block"):
        token.attrs = {"tabindex": "0"}  # wide code is scrolled
    for child in token.children or ():
        _settle(child)


def _text(text: str, turn: ToldTurn) -> str:
    known = linked_markers(turn)
    body = escape(markup.after_stops(text, known))
    body = _MARK.sub(lambda match: _cite(match, turn.number, known), body)
    return NOTE.sub(lambda match: _note(int(match[1]), turn), body)


def _cite(match: re.Match[str], number: int, known: Mapping[int, str]) -> str:
    marker = int(match[1])
    if marker not in known:
        return match[0]
    name = escape(f"Source {marker}: {known[marker]}")
    # The word joiner keeps a mark from starting a line alone.
    return (
        f'&#8288;<a class="cite" href="#s-{int(number)}-{marker}" aria-label="{name}">'
        f"[{marker}]</a>"
    )


def _note(place: int, turn: ToldTurn) -> str:
    words = [wording.DOUBT_WORDS[check.doubt] for check in turn.checks]
    if place >= len(words):
        return ""
    return _note_link(place, turn.number, words)


def _note_link(place: int, number: int, words: Sequence[str]) -> str:
    return f' <a class="doubt" href="#c-{int(number)}-{int(place)}">{escape(words[place])}</a>'
