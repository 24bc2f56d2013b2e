"""What chunking makes: an item without ids. Knows the budget, the breadcrumb and regions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.embed.wordpiece import count_tokens, take_tokens
from rag.folding import fold_for_search
from rag.types import Kind, Region

if TYPE_CHECKING:
    from collections.abc import Iterable

# With breadcrumb; the built-in model reads 256 (facts and design: chunks do not depend on
# the embedder, and 200 to 300 suits all of them on a CPU).
BUDGET_TOKENS = 220
CRUMB_TOKENS = 64  # leaves most of the budget to the body, whatever a document calls a heading
TITLE_TOKENS = 24
NEAR_POINTS = 14.0  # about one line: boxes nearer than this touch


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An item before it gets its ids; fields as in `rag.types.Item`.

    image_png: RGB PNG of a figure, page or table; of a table in pieces, only the
        first carries it.
    """

    kind: Kind
    order: int = 0
    text: str
    search_text: str
    regions: tuple[Region, ...] = ()
    heading: tuple[str, ...] = ()
    caption: str = ""
    number: str = ""
    anchor: str | None = None
    image_png: bytes | None = None


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    """The line "title > heading > heading" in front of a body, and the names that made it."""

    line: str
    names: tuple[str, ...]
    tokens: int

    def before(self, body: str) -> str:
        return f"{self.line}\n{body}" if self.line else body


@lru_cache(maxsize=256)
def breadcrumb(title: str, heading: tuple[str, ...]) -> Breadcrumb:
    """Title and as many of the innermost headings as fit `CRUMB_TOKENS`; repeats left out.

    Folded: a breadcrumb is for search, never quoted.
    """
    title, heading = fold_for_search(title), tuple(map(fold_for_search, heading))
    names = [take_tokens(" ".join(title.split()), TITLE_TOKENS)] if title.strip() else []
    room = CRUMB_TOKENS - sum(count_tokens(name) + 1 for name in names)
    kept: list[str] = []
    for name in reversed([" ".join(name.split()) for name in heading]):
        cost = count_tokens(name) + 1
        if cost > room:
            break
        if name and name not in kept and not is_same(name, title):
            kept.insert(0, name)
            room -= cost
    line = " > ".join([*names, *kept])
    return Breadcrumb(line, (*names, *kept), count_tokens(line))


def is_same(name: str, other: str) -> bool:
    """Whether two names differ in nothing but case, white space and variants of characters."""
    return _folded_words(name) == _folded_words(other)


def folded(draft: Draft) -> Draft:
    """`draft` with what is searched folded and within the budget, whatever folding added."""
    search_text = fold_for_search(draft.search_text)
    if search_text == draft.search_text:
        return draft
    return replace(draft, search_text=take_tokens(search_text, BUDGET_TOKENS))


def _folded_words(name: str) -> list[str]:
    return fold_for_search(name).casefold().split()


def merge_regions(regions: Iterable[Region]) -> tuple[Region, ...]:
    """Regions in reading order, neighbours made one where they touch in the same column."""
    merged: list[Region] = []
    for region in regions:
        if region in merged:
            continue
        if merged and _touch(merged[-1], region):
            merged[-1] = _union(merged[-1], region)
        else:
            merged.append(region)
    return tuple(merged)


def _touch(above: Region, below: Region) -> bool:
    if above.page_number != below.page_number:
        return False
    a, b = above.bbox, below.bbox
    gap = max(a[1], b[1]) - min(a[3], b[3])
    side = min(a[2], b[2]) - max(a[0], b[0])
    narrow = min(a[2] - a[0], b[2] - b[0])
    if gap > NEAR_POINTS or side < 0.5 * narrow:
        return False
    # A heading over two columns touches the first one, but their union covers the second.
    together = _area(_union(above, below).bbox)
    return together <= 1.5 * (_area(a) + _area(b)) + NEAR_POINTS * max(narrow, 1.0)


def _union(first: Region, second: Region) -> Region:
    a, b = first.bbox, second.bbox
    box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    return Region(page_number=first.page_number, bbox=box)


def _area(bbox: tuple[float, float, float, float]) -> float:
    return max(bbox[2] - bbox[0], 0.0) * max(bbox[3] - bbox[1], 0.0)
