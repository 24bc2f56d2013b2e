"""Markdown to parts, by way of the markup it stands for. Knows Markdown, no blocks of ours.

Markup inside the Markdown is kept: README files hold half of their pictures and tables so,
and what follows was made for hostile pages. Nothing of it is ever shown as itself.
"""

from __future__ import annotations

import html
import re
import secrets
from typing import TYPE_CHECKING

from ingest.html import parse_markup
from ingest.markdown_captions import attach_captions
from ingest.text import decode_text
from rag.errors import EmptyFileError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from ingest.parts import DocumentHead, ParsedPage
    from rag.settings import IngestSettings

MAX_NESTING = 100  # what stands deeper is left out by markdown-it 4.3; its own default is 20
_FRONT_MATTER = re.compile(
    r"\ufeff?(?P<mark>---|\+\+\+)[ \t]*\n(?P<fields>(?:.*\n){0,400}?)(?P=mark)[ \t]*(?:\n|$)"
)
_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*(?P<title>.+)$", re.IGNORECASE | re.MULTILINE)
# Megabytes of base64 cost markdown-it, which looks at each character, a second each.
_PICTURE_DATA = re.compile(r"data:image/[\w.+-]{1,40}(?:;[\w=.-]{1,40}){0,3},[^\s)>\"'\]]{200,}")
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
_TAGS = {
    "a", "abbr", "address", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote",
    "body", "br", "button", "canvas", "caption", "center", "cite", "code", "col", "colgroup", "dd",
    "del", "details", "dfn", "div", "dl", "dt", "em", "embed", "figcaption", "figure", "font",
    "footer", "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header",
    "hr", "html", "i", "iframe", "img", "input", "ins", "kbd", "label", "legend", "li", "link",
    "main", "map", "mark", "math", "meta", "nav", "noscript", "object", "ol", "option", "p",
    "param", "picture", "pre", "q", "rp", "rt", "ruby", "s", "samp", "script", "section", "select",
    "small", "source", "span", "strike", "strong", "style", "sub", "summary", "sup", "svg", "table",
    "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "time", "title", "tr", "track",
    "tt", "u", "ul", "var", "video", "wbr",
    # Inside svg:
    "circle", "defs", "ellipse", "g", "line", "path", "polygon", "polyline", "rect", "stop", "text",
    "tspan", "use",
}  # fmt: skip


def parse_markdown(
    data: bytes, *, name: str, asset_dir: Path | None, limits: IngestSettings
) -> tuple[DocumentHead, ParsedPage]:
    """The head and the single page of a Markdown file; arguments and parts as for `parse_html`.

    Raises:
        EmptyFileError: Nothing is left that a reader would see.
        FileTooLargeError: Over a limit on text, tags or nesting.
        CorruptFileError: The bytes are no text.
    """
    text, warning = decode_text(data, name=name)
    try:
        return parse_markup(
            to_markup(text),
            name=name,
            asset_dir=asset_dir,
            limits=limits,
            warning=warning,
            media_type="markdown",
        )
    except EmptyFileError as error:
        raise EmptyFileError(
            f"{name} holds no text and no pictures. Check the file and add it again."
        ) from error


def to_markup(text: str) -> str:
    """Markdown as markup: CommonMark with tables and strikethrough, front matter left out."""
    title = ""
    front = _FRONT_MATTER.match(text)
    if front is not None:
        text = text[front.end() :]
        found = _TITLE.search(front["fields"])
        title = found["title"].strip().strip("\"'") if found else ""
    text, lifted = _lift(text)
    reader = _reader()
    tokens = attach_captions(reader.parse(text))
    body = reader.renderer.render(tokens, reader.options, {})
    for mark, address in lifted.items():
        body = body.replace(mark, address)
    return f"<html><head><title>{html.escape(title)}</title></head><body>{body}</body></html>"


def _lift(text: str) -> tuple[str, dict[str, str]]:
    """The text with short names in place of pictures in it, and what they stand for."""
    salt = secrets.token_hex(8)  # a document cannot know it
    lifted: dict[str, str] = {}

    def name_of(match: re.Match[str]) -> str:
        name = f"picture-{salt}-{len(lifted)}-"
        lifted[name] = html.escape(match[0])
        return name

    return _PICTURE_DATA.sub(name_of, text), lifted


def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True, "maxNesting": MAX_NESTING})
    reader.enable(["table", "strikethrough"])
    # Addresses are judged where pictures are read; links are never followed or shown.
    reader.validateLink = _any_link  # type: ignore[assignment]  # the documented way
    reader.normalizeLink = _same_link  # type: ignore[assignment]
    reader.add_render_rule("html_inline", _render_markup)
    reader.add_render_rule("html_block", _render_markup)
    return reader


def _any_link(_address: str) -> bool:
    return True


def _same_link(address: str) -> str:
    return address


def _render_markup(
    _renderer: object, tokens: Sequence[Token], index: int, _options: object, _env: object
) -> str:
    """Markup as it is; what only looks like it ("Vec<T>", "<your name>") as words."""
    content = tokens[index].content
    name = _TAG_NAME.match(content.lstrip())
    if name is not None and name[1].lower() not in _TAGS:
        return html.escape(content)
    return content
