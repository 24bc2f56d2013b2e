"""Which blocks of a page are its main content. Knows blocks and trafilatura's opinion.

trafilatura finds the main text well and loses captions and pictures (measured: 6 of 53
captions kept), so it only says which of our own blocks to keep.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingest.html_tree import remove_keeping_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.etree import _Element

    from ingest.html_walk import HtmlBlock

SMALL_CHARACTERS = 200  # trafilatura found less: the page is taken whole
MAX_CHARACTERS = 2_000_000  # trafilatura takes seconds on more
LINKY = 0.5
MAX_HEADER_LINKS = 3
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_RUN = 4  # words in a row that must be found; single words of a menu are found anywhere
_FRAME_ROLES = {"navigation", "banner", "contentinfo", "search", "menu", "menubar", "dialog"}
_CONTENT_TAGS = ("article", "main", "section")


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


def main_text(root: _Element) -> str:
    """What trafilatura takes for the main text; "" where it finds little or the page is huge.

    Takes the spans out of the tree's tables, so walk it before.
    """
    from lxml import etree
    from trafilatura import extract

    # trafilatura 2.3.1 lays claimed columns out: 300 cells over 1,000 columns took 70 s.
    etree.strip_attributes(root, "colspan", "rowspan")
    page = etree.tostring(root, method="html", encoding="unicode")
    if len(page) > MAX_CHARACTERS:
        return ""
    text = extract(page, include_comments=False, include_tables=True, favor_recall=True) or ""
    return text if len(text) >= SMALL_CHARACTERS else ""


def keep_main(blocks: Sequence[HtmlBlock], text: str) -> list[HtmlBlock]:
    """The blocks that belong to the main text, in order; all of them where `text` is "".

    A block stays when most of its words stand there in the same order; headings, code,
    pictures and short lines between such blocks stay with them; data tables stay
    unless they are lists of links.
    """
    if not text:
        return list(blocks)
    finder = _Finder(text)
    sure = [block.kind in ("text", "heading") and finder.holds(block) for block in blocks]
    if _share_of_prose(blocks, sure) < 0.3:
        return list(blocks)
    found = [index for index, is_sure in enumerate(sure) if is_sure and _is_body(blocks[index])]
    if not found:
        return list(blocks)
    first, last = _title_before(blocks, found[0]), found[-1]
    homes = {blocks[index].container for index in found}
    kept = [
        is_sure or _belongs(block, first <= index <= last, homes)
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

    def holds(self, block: HtmlBlock) -> bool:
        words = _words(block.text)
        if len(words) < 2 * _RUN:
            return bool(words) and f" {' '.join(words)} " in self._text
        runs = [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]
        return sum(run in self._runs for run in runs) >= 0.5 * len(runs)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _is_body(block: HtmlBlock) -> bool:
    return block.kind == "text" and block.link_share < LINKY and len(_words(block.text)) >= 4


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


def _belongs(block: HtmlBlock, is_inside: bool, homes: set[_Element | None]) -> bool:
    is_neighbour = block.container in homes
    if block.kind == "table":
        return is_inside or is_neighbour or block.link_share < LINKY
    if block.kind == "figure":
        return is_inside or is_neighbour
    if block.kind == "heading" or block.is_code:
        return is_inside or (block.is_code and is_neighbour)
    return is_inside and is_neighbour and block.link_share < LINKY


def _leads_somewhere(blocks: Sequence[HtmlBlock], kept: Sequence[bool], index: int) -> bool:
    """Whether a kept block follows before the next heading of the same or a higher level."""
    for behind, block in enumerate(blocks[index + 1 :], start=index + 1):
        if block.kind == "heading" and block.level <= blocks[index].level:
            return False
        if kept[behind] and block.kind != "heading":
            return True
    return False
