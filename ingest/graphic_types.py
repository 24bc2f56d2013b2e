"""What finding figures and tables on a page works with. Values only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.captions import CaptionKind

if TYPE_CHECKING:
    from rag.types import BBox

FLAT_PX = 8  # an image so small is a fill, often the ink of words drawn as a mask


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedImage:
    """A raster image where it stands on the page."""

    bbox: BBox
    width_px: int
    height_px: int
    stored_bytes: int

    @property
    def is_flat(self) -> bool:
        return min(self.width_px, self.height_px) <= FLAT_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What arranging needs to know beside the blocks."""

    page_number: int
    size: tuple[float, float]  # points
    drawings: Callable[[], Sequence[BBox]] = field(default=lambda: ())  # only asked when needed
    rulings: Callable[[], Sequence[BBox]] = field(default=lambda: ())  # so are these
    images: Sequence[PlacedImage] = ()
    repeated: Collection[PlacedImage] = ()  # of them, those that pages before had as well
    texts_before: Sequence[str] = ()  # running text of the page before, for mentions
    distrusted: Sequence[BBox] = ()  # boxes of hidden words: no table grid may hold them


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A caption block, or several joined; `kind` "other" has no label."""

    bbox: BBox
    text: str
    kind: CaptionKind
    number: str
    members: tuple[int, ...]  # indices of the blocks it is made of


@dataclass(slots=True, kw_only=True, eq=False)
class Graphic:
    """A figure or table in the making; `members` are indices of its blocks."""

    kind: CaptionKind
    bbox: BBox
    members: list[int]
    caption: Caption | None = None
    is_listing: bool = False  # its words are text parts as well
