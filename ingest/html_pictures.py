"""An img or svg element to a PNG worth showing, or the reason why not. Knows no blocks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.html_sources import NOT_THERE
from ingest.svg import draw_svg, read_svg, svg_name, svg_size, svg_words
from rag.errors import DocumentError
from rag.imaging import decode_picture, encode_png, is_blank

if TYPE_CHECKING:
    from lxml.etree import _Element
    from PIL import Image

    from ingest.html_sources import Sources
    from rag.settings import IngestSettings

# Proposals of facts/ingestion.md, for PDF and HTML alike.
MIN_SIDE_PX = 64
MIN_CAPTIONED_SIDE_PX = 16  # the page itself calls it a figure
MAX_ASPECT = 12.0
_SVG_START = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!doctype\s+svg|<!--|<svg)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPicture:
    """What became of an element.

    png: RGB PNG, or None.
    words: written in the drawing; only drawings hold words that can be read.
    name: of the drawing, as good as alt text.
    reason: why there is no PNG; "" where there is one.
    is_seen: whether a reader of the page would see something; not for a 1 x 1 pixel.
    """

    png: bytes | None = None
    words: str = ""
    name: str = ""
    reason: str = ""
    is_seen: bool = True


class PictureReader:
    """Reads the pictures of one page, each content once, up to the limit."""

    def __init__(self, sources: Sources, limits: IngestSettings) -> None:
        self._sources = sources
        self._limits = limits
        self._seen: set[bytes] = set()  # digests of the PNGs that were kept
        self._refused: dict[bytes, FoundPicture] = {}  # by digest: pages repeat tracking pixels

    def read(self, element: _Element, *, has_caption: bool) -> FoundPicture:
        """Decode, judge and write anew; never raises for a bad picture."""
        min_side_px = MIN_CAPTIONED_SIDE_PX if has_caption else MIN_SIDE_PX
        if _is_declared_small(element, min_side_px):
            return _unseen(f"it is smaller than {min_side_px} pixels")
        if len(self._seen) >= self._limits.max_images:
            return FoundPicture(reason=f"the page has more than {self._limits.max_images} pictures")
        try:
            return self._read(element, min_side_px)
        except DocumentError as error:
            return FoundPicture(reason=str(error))

    def _read(self, element: _Element, min_side_px: int) -> FoundPicture:
        if element.tag == "svg":
            return self._judge_drawing(element, min_side_px)
        data = self._sources.load(element)
        if data is None:
            return FoundPicture(reason=NOT_THERE)
        digest = hashlib.sha256(data).digest()
        if digest not in self._refused or min_side_px != MIN_SIDE_PX:
            found = self._decode(data, min_side_px)
            if found.png is not None:
                return found
            self._refused[digest] = found
        return self._refused[digest]

    def _decode(self, data: bytes, min_side_px: int) -> FoundPicture:
        if _SVG_START.match(data[:200]):
            return self._judge_drawing(read_svg(data), min_side_px)
        image = decode_picture(data, max_megapixels=self._limits.max_megapixels)
        return self._judge(image, min_side_px)

    def _judge_drawing(self, root: _Element, min_side_px: int) -> FoundPicture:
        size = svg_size(root)
        if size is not None and min(size) < min_side_px:
            return _unseen(f"it is smaller than {min_side_px} pixels")
        image = draw_svg(root, max_megapixels=self._limits.max_megapixels)
        return self._judge(image, min_side_px, words=svg_words(root), name=svg_name(root))

    def _judge(
        self, image: Image.Image, min_side_px: int, *, words: str = "", name: str = ""
    ) -> FoundPicture:
        short, long = sorted(image.size)
        if short < min_side_px:
            return _unseen(f"it is smaller than {min_side_px} pixels")
        if long > MAX_ASPECT * short:
            return _unseen("it is a line or a strip")
        if is_blank(image):
            return _unseen("nothing can be seen in it")
        png = encode_png(image)
        digest = hashlib.sha256(png).digest()
        if digest in self._seen:
            return _unseen("the same picture stands further up")
        self._seen.add(digest)
        return FoundPicture(png=png, words=words, name=name)


def _unseen(reason: str) -> FoundPicture:
    return FoundPicture(reason=reason, is_seen=False)


def _is_declared_small(element: _Element, min_side_px: int) -> bool:
    """By its width or height attribute: an icon, whose address need not be looked at."""
    sides = [(element.get(name) or "").strip().removesuffix("px") for name in ("width", "height")]
    return any(side.isascii() and side.isdigit() and int(side[:6]) < min_side_px for side in sides)
