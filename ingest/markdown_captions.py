"""Captions in Markdown, which has none: paragraphs that read like one, beside what they name.

Knows markdown-it's tokens, no files. Writers set captions under a picture, in its title, in
its alternative text ("Figure 2: ..."), above or under a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.captions import is_caption, read_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

    from ingest.captions import CaptionKind

_NO_WORDS = ("image", "softbreak", "hardbreak", "link_open", "link_close")


def attach_captions(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with each caption inside a figure or table element, the rest as it was."""
    units = _units(tokens)
    done: list[list[Token]] = []
    at = 0
    while at < len(units):
        unit, after = units[at], units[at + 1] if at + 1 < len(units) else []
        at += 1
        if _is_table(unit):
            behind = units[at + 1] if at + 1 < len(units) else []
            if done and _is_caption_of("table", done[-1]):
                unit = _captioned_table(unit, done.pop())
            elif _is_caption_of("table", after) and not _is_table(behind):
                unit = _captioned_table(unit, after)
                at += 1
        elif _is_picture(unit):
            if _is_caption_of("figure", after) and not _own_caption(unit):
                unit = _captioned_picture(unit, after)
                at += 1
            else:
                unit = _with_own_caption(unit)
        done.append(unit)
    return [token for unit in done for token in unit]


def _units(tokens: Sequence[Token]) -> list[list[Token]]:
    """Tokens in order; a paragraph or a table is one unit, anything else one a token."""
    units: list[list[Token]] = []
    at = 0
    while at < len(tokens):
        end = at + 1
        if tokens[at].type == "paragraph_open" and not tokens[at].hidden:
            end = at + 3  # open, inline, close
        elif tokens[at].type == "table_open":
            while tokens[end - 1].type != "table_close":
                end += 1
        units.append(list(tokens[at:end]))
        at = end
    return units


def _is_table(unit: Sequence[Token]) -> bool:
    return bool(unit) and unit[0].type == "table_open"


def _is_paragraph(unit: Sequence[Token]) -> bool:
    return len(unit) == 3 and unit[0].type == "paragraph_open"


def _is_picture(unit: Sequence[Token]) -> bool:
    """Whether a paragraph is pictures and nothing else, or nothing but their caption."""
    if not _is_paragraph(unit):
        return False
    pictures, rest = _split(unit)
    return any(child.type == "image" for child in pictures) and (
        not rest or _reads_as("figure", _words(rest))
    )


def _is_caption_of(kind: CaptionKind, unit: Sequence[Token]) -> bool:
    if not _is_paragraph(unit):
        return False
    children = unit[1].children or []
    if any(child.type == "image" for child in children):
        return False
    return _reads_as(kind, _words(children))


def _reads_as(kind: CaptionKind, words: str) -> bool:
    label = read_label(words)
    if label is None or label.kind != kind:
        return False
    return is_caption(words, is_classed=False, is_beside=True)


def _split(unit: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """The pictures a paragraph begins with, and what follows them."""
    children = list(unit[1].children or [])
    for at, child in enumerate(children):
        if child.type not in _NO_WORDS and (child.type != "text" or child.content.strip()):
            return children[:at], children[at:]
    return children, []


def _words(children: Sequence[Token]) -> str:
    words = (" " if "break" in child.type else child.content for child in children)
    return " ".join("".join(words).split())


def _own_caption(unit: Sequence[Token]) -> str:
    """Words of a lone picture's title, or of an alternative text that reads like a caption."""
    images = [child for child in unit[1].children or [] if child.type == "image"]
    if len(images) != 1:
        return ""
    title = str(images[0].attrs.get("title") or "")
    alt = " ".join(images[0].content.split())
    return title or (alt if _reads_as("figure", alt) else "")


def _captioned_table(table: Sequence[Token], caption: Sequence[Token]) -> list[Token]:
    caption[0].tag = caption[-1].tag = "caption"
    return [table[0], *caption, *table[1:]]


def _captioned_picture(picture: Sequence[Token], caption: Sequence[Token]) -> list[Token]:
    picture[0].tag = picture[-1].tag = "figure"
    caption[0].tag = caption[-1].tag = "figcaption"
    return [*picture[:2], *caption, picture[2]]


def _with_own_caption(picture: Sequence[Token]) -> list[Token]:
    from markdown_it.token import Token

    pictures, rest = _split(picture)
    words = _own_caption(picture)
    if not rest and not words:
        return list(picture)
    picture[0].tag = picture[-1].tag = "figure"
    picture[1].children = [
        *pictures,
        Token("html_inline", "", 0, content="<figcaption>"),
        *(rest or [Token("text", "", 0, content=words)]),
        Token("html_inline", "", 0, content="</figcaption>"),
    ]
    return list(picture)
