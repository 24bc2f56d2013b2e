"""A chat as Markdown that any viewer can show. Knows Markdown's rules, no pictures and no disk.

Words of documents and of readers are escaped, so that they read as they were written. A model's
Markdown is parsed and written anew: what is left of it are emphasis, lists, tables and code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ui.export import prose
from ui.export.html import MACHINE, OWNERS
from ui.web import markup, wording
from ui.web.pieces import KIND_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.tree import SyntaxTreeNode

    from ui.export.chat import ToldChat, ToldSource, ToldTurn
    from ui.outcome import Told

_ACTIVE = re.compile(r"([\\`*_\[\]<>|~&$])")
_ADDRESS = re.compile(r"(?i)(https?|ftp|mailto|javascript|data)(?=:)|www(?=\.)")
_LINE_START = re.compile(r"^(\s*)(#|[-+=](?=[\s=-]|$)|>)|^(\s*\d{1,9})([.)])(?=\s|$)", re.M)
_MARK = re.compile(r" ?\\\[(\d{1,3})\\\]")
_BREAK = "\\\n"


def to_markdown(chat: ToldChat) -> str:
    """The whole file."""
    told = f"{wording.count(len(chat.turns), 'question')}, saved on {chat.made_at:%Y-%m-%d}"
    blocks = [f"# {line(chat.title)}", told]
    for turn in chat.turns:
        blocks += _turn(turn)
    return "\n\n".join([*blocks, *_about(chat)]) + "\n"


def escaped(text: str) -> str:
    """Text that reads in Markdown as it was written, line by line."""
    safe = _ADDRESS.sub(lambda found: found[0] + "\\", _ACTIVE.sub(r"\\\1", text))
    return _LINE_START.sub(_quiet, safe)


def line(text: str) -> str:
    """The same in one line."""
    return escaped(" ".join(text.split()))


def _lines(text: str) -> str:
    """Words of a document: each line stays one, none begins with the spaces that make code."""
    return _BREAK.join(escaped(part.strip()) for part in text.split("\n") if part.strip())


def _quiet(found: re.Match[str]) -> str:
    if found[2]:
        return f"{found[1]}\\{found[2]}"
    return f"{found[3]}\\{found[4]}"


def _turn(turn: ToldTurn) -> Iterator[str]:
    yield f"## {line(turn.question) or 'A picture'}"
    if turn.searched_for:
        yield f"Searched for: {line(turn.searched_for)}"
    if turn.picture_path is not None:
        yield "*Asked with a picture.*"
    yield from (_note(told) for told in turn.notes if not told.under)
    if turn.text.strip():
        yield from _answer(turn)
    yield from (_note(told) for told in turn.notes if told.under)
    if turn.badges:
        yield "*" + " · ".join(line(words) for _, words in turn.badges) + "*"
    if turn.checks:
        rows = (f"- “{line(check.sentence)}”: {line(check.reason)}" for check in turn.checks)
        yield "### What to check"
        yield "\n".join(rows)
    if turn.sources:
        yield f"### {line(turn.heading)}"
        for source in turn.sources:
            yield from _source(source)
        yield "\n".join(_footnote(turn, source) for source in turn.sources)
    if turn.facts:
        yield f"*{line('; '.join(turn.facts))}*"


def _note(told: Told) -> str:
    parts = (f"**{line(told.strong)}**", line(told.rest), line(told.below))
    return " ".join(part for part in parts if part)


def _answer(turn: ToldTurn) -> Iterator[str]:
    if turn.body == "written":
        from markdown_it.tree import SyntaxTreeNode

        tree = SyntaxTreeNode(prose.parser().parse(prose.noted(turn)))
        yield "\n\n".join(_blocks(tree.children, turn))
        return
    for part in turn.text.split("\n\n"):
        if part.strip():
            said = _marked(_lines(part), turn)
            yield _quoted(said) if turn.body == "quoted" else said


def _source(source: ToldSource) -> Iterator[str]:
    kind = KIND_WORDS[source.kind].lower()
    yield f"**{source.marker}.** **{line(source.title)}**, {line(source.place)} ({kind})"
    if source.quote:
        yield _quoted(_lines(source.quote))
    elif source.rows:
        yield _quoted(_table(list(source.rows)))
    if source.note:
        yield line(source.note)


def _footnote(turn: ToldTurn, source: ToldSource) -> str:
    kind = KIND_WORDS[source.kind].lower()
    return f"[^{turn.number}-{source.marker}]: {line(source.title)}, {line(source.place)} ({kind})"


def _about(chat: ToldChat) -> Iterator[str]:
    yield "---"
    yield "## About this file"
    yield f"{MACHINE} {OWNERS}"
    yield "Pictures are not part of this file; the web page that Folio exports has them."
    rows = [f"Made with Folio {chat.version}, {chat.made_at:%Y-%m-%d %H:%M} UTC", *chat.answered_by]
    rows += [f"Searched with {name}" for name in chat.searched_with]
    rows.append(f"{wording.count(chat.library_count, 'document')} in the library")
    for one in chat.licences:
        rows.append(f"{one.part}: {one.name}.{' ' + one.notice if one.notice else ''}")
    yield "\n".join(f"- {line(row)}" for row in rows)


def _quoted(text: str) -> str:
    return "\n".join(f"> {row}".rstrip() for row in text.split("\n"))


def _table(rows: list[tuple[str, ...]]) -> str:
    width = max(len(row) for row in rows)
    full = [[line(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    head, *rest = [f"| {' | '.join(row)} |" for row in full]
    return "\n".join([head, "|" + " --- |" * width, *rest])


# -- a model's Markdown, written anew ------------------------------------------------------


def _blocks(nodes: Iterable[SyntaxTreeNode], turn: ToldTurn) -> Iterator[str]:
    for node in nodes:
        match node.type:
            case "paragraph":
                yield _inline(node.children, turn)
            case "heading":
                yield f"**{_inline(node.children, turn)}**"
            case "bullet_list" | "ordered_list":
                yield "\n".join(_items(node, turn))
            case "blockquote":
                yield _quoted("\n\n".join(_blocks(node.children, turn)))
            case "fence" | "code_block":
                yield _fenced(prose.without_notes(node.content))
            case "table":
                yield _written_table(node, turn)
            case "hr":
                yield "* * *"


def _items(node: SyntaxTreeNode, turn: ToldTurn) -> Iterator[str]:
    start = int(node.attrs.get("start", 1))
    for place, item in enumerate(node.children):
        sign = "- " if node.type == "bullet_list" else f"{start + place}. "
        body = "\n\n".join(_blocks(item.children, turn)).split("\n")
        yield sign + "\n".join(
            [body[0], *(" " * len(sign) + row if row else "" for row in body[1:])]
        )


def _fenced(code: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"{fence}\n{code.rstrip()}\n{fence}"


def _written_table(node: SyntaxTreeNode, turn: ToldTurn) -> str:
    rows = [
        [_inline(cell.children, turn).replace("\n", " ") for cell in row.children]
        for part in node.children
        for row in part.children
    ]
    head, *rest = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *rest])


def _inline(nodes: Iterable[SyntaxTreeNode], turn: ToldTurn) -> str:
    return "".join(_piece(node, turn) for node in nodes)


def _piece(node: SyntaxTreeNode, turn: ToldTurn) -> str:
    match node.type:
        case "text":
            known = prose.linked_markers(turn)
            return _marked(escaped(markup.after_stops(node.content, known)), turn)
        case "softbreak":
            return "\n"
        case "hardbreak":
            return _BREAK
        case "code_inline":
            return _code(prose.without_notes(node.content))
        case "em" | "strong" | "s":
            sign = {"em": "*", "strong": "**", "s": "~~"}[node.type]
            return f"{sign}{_inline(node.children, turn)}{sign}"
    return _inline(node.children, turn)


def _code(code: str) -> str:
    fence = "`" * (1 + max(map(len, re.findall("`+", code)), default=0))
    pad = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{fence}{pad}{code}{pad}{fence}"


def _marked(safe: str, turn: ToldTurn) -> str:
    """Escaped text with its marks as footnotes, and our words after sentences to check."""
    known = prose.linked_markers(turn)

    def cite(found: re.Match[str]) -> str:
        return f"[^{turn.number}-{found[1]}]" if int(found[1]) in known else found[0]

    def note(found: re.Match[str]) -> str:
        place = int(found[1])
        checks = turn.checks[place : place + 1]
        return f" *({wording.DOUBT_WORDS[checks[0].doubt]})*" if checks else ""

    return prose.NOTE.sub(note, _MARK.sub(cite, safe))
