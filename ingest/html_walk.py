"""A page's tree to blocks in document order: headings, paragraphs, lists, code, tables, pictures.

Knows elements, nothing of bytes, of files or of what is main text.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.characters import strip_unseen
from ingest.html_captions import find_captions, is_picture_figure, pictures_in, plain_text
from ingest.html_labels import join_labelled
from ingest.html_tables import is_data_table, table_markdown
from ingest.parts import PartKind

if TYPE_CHECKING:
    from lxml.etree import _Element

HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_BLOCKS = set(HEADINGS) | {
    "html", "body", "div", "p", "section", "article", "main", "header", "footer", "aside", "nav",
    "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "figure", "figcaption", "table", "caption",
    "thead", "tbody", "tfoot", "tr", "td", "th", "form", "fieldset", "legend", "address", "details",
    "summary", "hr", "center", "hgroup", "search", "menu", "dir", "noscript",
}  # fmt: skip
_SEE_THROUGH = {
    "p", "li", "ul", "ol", "dt", "dd", "dl", "section", "details", "summary", "blockquote",
    "figure", "figcaption", *HEADINGS,
}  # fmt: skip
_MATH_CLASS = re.compile(r"(?:^|[\s_-])(?:math|tex|latex|mwe-math\S*)(?:$|[\s_-])", re.IGNORECASE)
_POWER = re.compile(r"[+\-−]?[\dn]{1,3}")
_BASE = re.compile(r"[\w)\]]$")
MAX_INDENT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlBlock:
    """A piece of a page as walked.

    container: the element that the piece stands in, to see which pieces are neighbours.
    picture: the img or svg element of a figure.
    link_share: share of the letters that are links.
    is_code: its line breaks and indents are its own.
    """

    kind: PartKind
    text: str = ""
    level: int = 0
    caption: str = ""
    alt: str = ""
    picture: _Element | None = None
    container: _Element | None = None
    link_share: float = 0.0
    is_code: bool = False


def walk_blocks(root: _Element) -> list[HtmlBlock]:
    """All blocks of a tree (hidden parts removed, twins settled), in document order."""
    return join_labelled(_Walker(root).walk())


class _Walker:
    """One walk; collects inline text until a block begins or ends."""

    def __init__(self, root: _Element) -> None:
        self._root = root
        self._captions = find_captions(root)
        self._spent = set(self._captions.values())
        self._blocks: list[HtmlBlock] = []
        self._words: list[str] = []
        self._link_letters = 0
        self._pictures: list[HtmlBlock] = []  # wait for the end of the paragraph they stand in
        self._open: Counter[str] = Counter()
        self._stack: list[_Element] = []
        self._lists: list[int | None] = []  # next number of each open list; None for bullets
        self._marker = ""

    def walk(self) -> list[HtmlBlock]:
        from lxml import etree

        walk = etree.iterwalk(self._root, events=("start", "end"))
        skipped: _Element | None = None
        for event, element in walk:
            if event == "start":
                if self._starts(element):
                    skipped = element
                    walk.skip_subtree()
                continue
            if element is skipped:
                skipped = None
            else:
                self._ends(element)
            if element is not self._root:
                self._say(element.tail)
        self._flush()
        return self._blocks

    def _starts(self, element: _Element) -> bool:
        """Take in a start tag; True when the whole element is dealt with."""
        tag = str(element.tag)
        if element in self._spent:
            return True
        if self._take_whole(element, tag):
            return True
        if tag in _BLOCKS:
            self._flush()
            self._stack.append(element)
            self._open_list(tag, element)
        self._open[tag] += 1
        if tag == "br":
            self._words.append("\n")
        self._say(element.text)
        return False

    def _take_whole(self, element: _Element, tag: str) -> bool:
        if tag in ("img", "svg"):
            self._take_picture(element)
        elif tag == "pre":
            self._take_code(element)
        elif tag == "table" and is_data_table(element, cell_text):
            self._take_table(element)
        elif tag == "figure" and is_picture_figure(element):
            self._take_figure(element)
        elif tag == "math":
            self._say(element.get("alttext") or plain_text(element))
        elif tag == "sup":
            self._say(_superscript(element, self._words))
        else:
            return False
        return True

    def _ends(self, element: _Element) -> None:
        tag = str(element.tag)
        if tag in _BLOCKS:
            self._flush()
            self._stack.pop()
            if tag in ("ul", "ol", "menu", "dir") and self._lists:
                self._lists.pop()
            if tag == "li":
                self._marker = ""
        self._open[tag] -= 1

    def _open_list(self, tag: str, element: _Element) -> None:
        if tag in ("ul", "menu", "dir"):
            self._lists.append(None)
        elif tag == "ol":
            start = element.get("start") or "1"
            self._lists.append(int(start) if start.isascii() and start.isdigit() else 1)
        elif tag == "li":
            indent = "  " * min(max(len(self._lists) - 1, 0), MAX_INDENT)
            number = self._lists[-1] if self._lists else None
            self._marker = f"{indent}- " if number is None else f"{indent}{number}. "
            if number is not None:
                self._lists[-1] = number + 1

    def _say(self, text: str | None) -> None:
        if text:
            words = re.sub(r"\s+", " ", strip_unseen(text))
            self._words.append(words)
            if self._open["a"] > 0:
                self._link_letters += len(words.strip())

    def _flush(self) -> None:
        """The text since the last block, as one block, then the pictures that stood in it."""
        lines = [" ".join(line.split()) for line in self._lines()]
        text = "\n".join(lines).strip()
        letters, self._link_letters, self._words = self._link_letters, 0, []
        if text:
            self._add_text(text, min(letters / len(text), 1.0))
        self._blocks += self._pictures
        self._pictures = []

    def _lines(self) -> list[str]:
        text = re.sub(r"\n\s*\n\s*", "\n\n", "".join(self._words))
        return text.split("\n")

    def _add_text(self, text: str, link_share: float) -> None:
        level = next((level for tag, level in HEADINGS.items() if self._open[tag] > 0), 0)
        container = self._container()
        if level:
            line = " ".join(text.split())
            block = HtmlBlock(
                kind="heading", text=line, level=level, container=container, link_share=link_share
            )
            self._blocks.append(block)
            return
        for paragraph in text.split("\n\n"):
            body = self._marker + paragraph.strip()
            self._marker = ""
            self._blocks.append(
                HtmlBlock(kind="text", text=body, container=container, link_share=link_share)
            )

    def _container(self) -> _Element | None:
        """What the open block stands in; of a list item or section, what that stands in."""
        for element in reversed(self._stack):
            is_section = element.tag == "div" and "section" in (element.get("class") or "").split()
            if element.tag not in _SEE_THROUGH and not is_section:
                return element
        return None

    def _take_code(self, element: _Element) -> None:
        for line_break in element.iter("br"):
            line_break.text = "\n"
        lines = strip_unseen("".join(element.itertext())).expandtabs(4).splitlines()
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines).strip("\n"))
        self._flush()
        if text.strip() and not re.fullmatch(r"[\d\s]+", text):  # a gutter of line numbers
            self._blocks.append(
                HtmlBlock(kind="text", text=text, container=self._container(), is_code=True)
            )

    def _take_table(self, table: _Element) -> None:
        self._flush()
        text = strip_unseen(table_markdown(table, cell_text))
        own = table.find("caption")
        caption = own if own is not None else self._captions.get(table)
        letters = len(plain_text(table)) or 1
        linked = sum(len(plain_text(link)) for link in table.iter("a"))
        if text:
            self._blocks.append(
                HtmlBlock(
                    kind="table",
                    text=text,
                    caption="" if caption is None else clean_line(plain_text(caption)),
                    container=self._container(),
                    link_share=linked / letters,
                )
            )
        for picture in pictures_in(table):
            self._take_picture(picture)
        self._flush()

    def _take_figure(self, figure: _Element) -> None:
        self._flush()
        captions = [clean_line(plain_text(one)) for one in figure.iter("figcaption")]
        caption = " ".join(one for one in captions if one)
        loose = clean_line(_loose_text(figure))
        for picture in pictures_in(figure):
            self._take_picture(picture, caption or loose)
        if caption and loose and loose not in caption:
            self._words.append(loose)
        self._flush()

    def _take_picture(self, picture: _Element, caption: str = "") -> None:
        alt = clean_line(picture.get("alt") or picture.get("title") or "")
        if alt and _MATH_CLASS.search(picture.get("class") or ""):
            self._words.append(alt)
            return
        own = self._captions.get(picture)
        if own is not None:
            caption = f"{clean_line(plain_text(own))} {caption}".strip()
        self._pictures.append(
            HtmlBlock(
                kind="figure",
                caption=caption,
                alt=alt,
                picture=picture,
                container=self._container(),
            )
        )


def clean_line(text: str) -> str:
    """One line without unseen characters."""
    return " ".join(strip_unseen(text).split())


def cell_text(cell: _Element) -> str:
    """Words of a table cell on one line; breaks and blocks inside become spaces."""
    from lxml import etree

    words: list[str] = []
    for event, element in etree.iterwalk(cell, events=("start", "end")):
        is_break = element is not cell and element.tag in (*_BLOCKS, "br")
        words.append(" " if is_break else "")
        if event == "start":
            is_formula = element.tag == "img" and _MATH_CLASS.search(element.get("class") or "")
            words.append(element.get("alt") or "" if is_formula else element.text or "")
        elif element is not cell:
            words.append(element.tail or "")
    return clean_line("".join(words))


def _loose_text(figure: _Element) -> str:
    """Words in a figure outside its caption and its drawings."""
    from lxml import etree

    words: list[str] = []
    walk = etree.iterwalk(figure, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            words.append((element.tail or "") if element is not figure else "")
        elif element.tag in ("figcaption", "svg"):
            walk.skip_subtree()
        else:
            words.append(element.text or "")
    return " ".join(" ".join(words).split())


def _superscript(element: _Element, before: list[str]) -> str:
    """A power keeps its caret ("10^6", not "106"); a footnote mark goes; the rest stays."""
    text = clean_line(plain_text(element))
    if "reference" in (element.get("class") or "") or re.fullmatch(r"\[[\w ]{1,6}\]", text):
        return ""
    is_link = element.find(".//a") is not None
    if not is_link and _POWER.fullmatch(text) and before and _BASE.search(before[-1]):
        return f"^{text}"
    return text
