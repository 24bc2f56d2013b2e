"""Which blocks of a page are its main content. Knows blocks and trafilatura's opinion.

trafilatura finds the main text well and loses captions and pictures (measured: 6 of 53
captions kept), so it only says which of our own blocks to keep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.html_tree import remove_keeping_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

    from ingest.html_walk import HtmlBlock

SMALL_CHARACTERS = 200  # trafilatura found less: the page is taken whole
MAX_CHARACTERS = 2_000_000  # trafilatura takes seconds on more
MIN_SHARE_OF_WIDE = 0.7  # under it the narrow text has lost a part of the article
LINKY = 0.5
MENU_SHARE = 0.8  # of the letters in links, in a line above the first section
MAX_HEADER_LINKS = 3
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_RUN = 4  # words in a row that must be found; single words of a menu are found anywhere
_FRAME_ROLES = {"navigation", "banner", "contentinfo", "search", "menu", "menubar", "dialog"}
_CONTENT_TAGS = ("article", "main", "section")


@dataclass(frozen=True, slots=True)
class MainText:
    """The main text by trafilatura; both empty where it finds little.

    narrow: without banners and share buttons, and it may lose labels of tables.
    wide: with both; believed between two blocks of the narrow one only.
    """

    narrow: str = ""
    wide: str = ""


def remove_frame(root: _Element) -> None:
    """Take out navigation, side matter and what stands around the content, by tag and role."""
    doomed = [element for element in root.iter() if _is_frame(element)]
    for element in doomed:
        remove_keeping_tail(element)


def _is_frame(element: _Element) -> bool:
    if element.tag in ("header", "footer"):
        if next(element.iterancestors(*_CONTENT_TAGS), None) is not None:
            return False
        # A plain page has its title in a header; a site's header has a menu.
        has_title = element.find(".//h1") is not None
        return not has_title or len(element.findall(".//a")) > MAX_HEADER_LINKS
    role = (element.get("role") or "").lower()
    is_content = element.tag in ("html", "body", "main", "article")
    return element.tag in ("nav", "aside") or (role in _FRAME_ROLES and not is_content)


def main_text(root: _Element) -> MainText:
    """What trafilatura takes for the main text; empty where it finds little or the page is huge.

    Takes the spans out of the tree's tables, so walk it before.
    """
    from lxml import etree
    from trafilatura import extract

    # trafilatura 2.3.1 lays claimed columns out: 300 cells over 1,000 columns took 70 s.
    etree.strip_attributes(root, "colspan", "rowspan")
    page = etree.tostring(root, method="html", encoding="unicode")
    if len(page) > MAX_CHARACTERS:
        return MainText()
    narrow, wide = (
        extract(page, include_comments=False, include_tables=True, favor_recall=is_wide) or ""
        for is_wide in (False, True)
    )
    if _letter_count(narrow) < MIN_SHARE_OF_WIDE * _letter_count(wide):
        narrow = wide
    return MainText(narrow, wide) if len(narrow) >= SMALL_CHARACTERS else MainText()


def _letter_count(text: str) -> int:
    return sum(len(word) for word in text.split())


def keep_main(blocks: Sequence[HtmlBlock], text: MainText) -> list[HtmlBlock]:
    """The blocks that belong to the main text, in order; all of them where there is none.

    A block stays when most of its words stand there in the same order; headings, code,
    pictures and short lines between such blocks stay with them; data tables stay
    unless they are lists of links.
    """
    if not text.narrow:
        return list(blocks)
    narrow, wide = _Finder(text.narrow), _Finder(text.wide)
    sure = [block.kind in ("text", "heading") and narrow.holds(block) for block in blocks]
    if _share_of_prose(blocks, sure) < 0.3:
        return list(blocks)
    found = [index for index, is_sure in enumerate(sure) if is_sure and _is_body(blocks[index])]
    if not found:
        return list(blocks)
    first, last = _title_before(blocks, found[0]), found[-1]
    top = _heading_before(blocks, found[0])
    homes = {blocks[index].container for index in found}
    kept = [
        (is_sure and not (index < top and _is_menu(block)))
        or _belongs(block, first <= index <= last, homes, wide)
        for index, (block, is_sure) in enumerate(zip(blocks, sure, strict=True))
    ]
    return [
        block
        for index, block in enumerate(blocks)
        if kept[index] and (block.kind != "heading" or _leads_somewhere(blocks, kept, index))
    ]


class _Finder:
    """Looks runs of words up in the main text."""

    def __init__(self, text: str) -> None:
        words = _words(text)
        self._runs = {tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}
        self._text = f" {' '.join(words)} "
        lines = re.split(r"[\n|]", text)
        self._lines = {tuple(_words(line)) for line in lines}

    def holds(self, block: HtmlBlock) -> bool:
        words = _words(block.text)
        if len(words) < _RUN:  # "Video" stands in many a sentence, and in many a menu
            return bool(words) and tuple(words) in self._lines
        if len(words) < 2 * _RUN:
            return f" {' '.join(words)} " in self._text
        runs = [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]
        return sum(run in self._runs for run in runs) >= 0.5 * len(runs)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _is_body(block: HtmlBlock) -> bool:
    return block.kind == "text" and block.link_share < LINKY and len(_words(block.text)) >= 4


def _is_menu(block: HtmlBlock) -> bool:
    return block.kind == "text" and block.link_share > MENU_SHARE and len(_words(block.text)) > 5


def _share_of_prose(blocks: Sequence[HtmlBlock], sure: Sequence[bool]) -> float:
    """How much of the page's running text trafilatura kept: under a third, it chose wrongly."""
    sizes = [
        len(block.text) if block.kind == "text" and block.link_share < 0.3 else 0
        for block in blocks
    ]
    prose = [size if size > 60 else 0 for size in sizes]
    kept = sum(size for size, is_sure in zip(prose, sure, strict=True) if is_sure)
    return kept / sum(prose) if any(prose) else 0.0


def _title_before(blocks: Sequence[HtmlBlock], first: int) -> int:
    """Where the main part starts: at the page's h1, when one leads to the first kept block."""
    for index in range(first, -1, -1):
        if blocks[index].kind == "heading" and blocks[index].level == 1:
            return index
    return first


def _heading_before(blocks: Sequence[HtmlBlock], first: int) -> int:
    """Where the heading nearest above the first running text stands, or 0."""
    above = (index for index in range(first, -1, -1) if blocks[index].kind == "heading")
    return next(above, 0)


def _belongs(block: HtmlBlock, is_inside: bool, homes: set[_Element | None], wide: _Finder) -> bool:
    is_neighbour = block.container in homes
    if block.kind == "table":
        return is_inside or is_neighbour or block.link_share < LINKY
    if block.kind == "figure":
        return is_inside or is_neighbour
    if block.kind == "heading" or block.is_code:
        return is_inside or (block.is_code and is_neighbour)
    return is_inside and block.link_share < LINKY and (is_neighbour or wide.holds(block))


def _leads_somewhere(blocks: Sequence[HtmlBlock], kept: Sequence[bool], index: int) -> bool:
    """Whether a kept block follows before the next heading of the same or a higher level."""
    for behind, block in enumerate(blocks[index + 1 :], start=index + 1):
        if block.kind == "heading" and block.level <= blocks[index].level:
            return False
        if kept[behind] and block.kind != "heading":
            return True
    return False
