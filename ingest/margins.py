"""Running headers, footers and page numbers: dropped when they repeat. Knows blocks of pages.

Looks back only: the first two of a run stay findable, and a page never waits for one
after it that may take for ever to read.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest.boxes import centre

if TYPE_CHECKING:
    from ingest.pageblocks import PageBlock

REPEATS = 2  # on pages before: what stands on three pages is no heading
REMEMBERED_PAGES = 4  # left and right pages differ, and a figure page may have none
SAME_PLACE_PT = 8.0
CLASSED_MARGIN_SHARE = 0.16  # of the page height, for boxes the layout model calls header or footer
MARGIN_SHARE = 0.08  # of the page height, where text of no header class may be one
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|página|pagina|side|sida|strana|стр|صفحه)\W*)?"
    r"(?:\d{1,5}|[ivxlc]{1,7})(?:\s*(?:/|of|von|de|из|di)\s*\d{1,5})?\W*",
    re.IGNORECASE,
)

_NUMBER = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class _Mark:
    """What stands in a margin: text without its numbers, the numbers, points from the top."""

    text: str
    numbers: tuple[int, ...]
    y: float

    def repeats(self, before: _Mark, pages_apart: int) -> bool:
        """Whether it is the same line some pages later; page numbers count on, others stay."""
        if self.text != before.text or abs(self.y - before.y) > SAME_PLACE_PT:
            return False
        steps = (one - other for one, other in zip(self.numbers, before.numbers, strict=True))
        return all(step in (0, pages_apart) for step in steps)


class RunningMatter:
    """Remembers what stood in the margins of the pages before."""

    def __init__(self) -> None:
        self._pages: deque[list[_Mark]] = deque(maxlen=REMEMBERED_PAGES)

    def without(self, blocks: Sequence[PageBlock], page_height: float) -> list[PageBlock]:
        """`blocks` without page numbers and what the pages before had at the same place.

        What only the page before had stays, as aside: it may be a heading once more.
        """
        counts = [self._count(block, page_height) for block in blocks]
        kept = [
            replace(block, is_aside=True) if count else block
            for block, count in zip(blocks, counts, strict=True)
            if count < REPEATS
        ]
        # A page that says the same as the one before it still says something.
        return kept if any(block.lines for block in kept) else list(blocks)

    def remember(self, blocks: Sequence[PageBlock], page_height: float) -> None:
        """Keep the margins of a finished page for the next ones."""
        self._pages.append([_mark(block) for block in blocks if _is_marginal(block, page_height)])

    def _count(self, block: PageBlock, page_height: float) -> int:
        """On how many pages before it stood; `REPEATS` for a page number."""
        if not _is_marginal(block, page_height):
            return 0
        if _PAGE_NUMBER.fullmatch(block.text()):
            return REPEATS
        mark = _mark(block)
        return sum(
            any(mark.repeats(before, apart) for before in page)
            for apart, page in enumerate(reversed(self._pages), 1)
        )


def _is_marginal(block: PageBlock, page_height: float) -> bool:
    y = centre(block.bbox)[1]
    from_edge = min(y, page_height - y)
    if block.kind.startswith("page-"):
        return from_edge < CLASSED_MARGIN_SHARE * page_height
    in_margin = from_edge < MARGIN_SHARE * page_height
    return in_margin and block.kind not in ("picture", "table", "title") and len(block.lines) <= 2


def _mark(block: PageBlock) -> _Mark:
    text = block.text().lower()
    numbers = tuple(int(number) for number in _NUMBER.findall(text))
    return _Mark(_NUMBER.sub("#", text), numbers, centre(block.bbox)[1])
