"""Running headers, footers and page numbers: dropped when they repeat. Knows blocks of pages.

Looks back only: the first header of a run stays findable, and a page never waits
for one after it that may take for ever to read.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.boxes import centre

if TYPE_CHECKING:
    from ingest.pageblocks import PageBlock

REMEMBERED_PAGES = 4  # left and right pages differ, and a figure page may have none
SAME_PLACE_PT = 8.0
CLASSED_MARGIN_SHARE = 0.16  # of the page height, for boxes the layout model calls header or footer
MARGIN_SHARE = 0.08  # of the page height, where text of no header class may be one
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|página|pagina|side|sida|strana|стр|صفحه)\W*)?"
    r"(?:\d{1,5}|[ivxlc]{1,7})(?:\s*(?:/|of|von|de|из|di)\s*\d{1,5})?\W*",
    re.IGNORECASE,
)

_Mark = tuple[str, float]  # text without its digits, height on the page in points


class RunningMatter:
    """Remembers what stood in the margins of the pages before."""

    def __init__(self) -> None:
        self._pages: deque[set[_Mark]] = deque(maxlen=REMEMBERED_PAGES)

    def without(self, blocks: Sequence[PageBlock], page_height: float) -> list[PageBlock]:
        """`blocks` without page numbers and what the pages before had at the same place."""
        kept = [block for block in blocks if not self._repeats(block, page_height)]
        # A page that says the same as the one before it still says something.
        return kept if any(block.lines for block in kept) else list(blocks)

    def remember(self, blocks: Sequence[PageBlock], page_height: float) -> None:
        """Keep the margins of a finished page for the next ones."""
        self._pages.append({_mark(block) for block in blocks if _is_marginal(block, page_height)})

    def _repeats(self, block: PageBlock, page_height: float) -> bool:
        if not _is_marginal(block, page_height):
            return False
        if _PAGE_NUMBER.fullmatch(block.text()):
            return True
        text, y = _mark(block)
        seen = sum(
            any(text == other and abs(y - at) <= SAME_PLACE_PT for other, at in page)
            for page in self._pages
        )
        return seen >= (1 if block.kind.startswith("page-") else 2)


def _is_marginal(block: PageBlock, page_height: float) -> bool:
    y = centre(block.bbox)[1]
    from_edge = min(y, page_height - y)
    if block.kind.startswith("page-"):
        return from_edge < CLASSED_MARGIN_SHARE * page_height
    in_margin = from_edge < MARGIN_SHARE * page_height
    return in_margin and block.kind not in ("picture", "table", "title") and len(block.lines) <= 2


def _mark(block: PageBlock) -> _Mark:
    return re.sub(r"\d+", "#", block.text().lower()), centre(block.bbox)[1]
