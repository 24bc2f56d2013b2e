"""Parts of a page drawn as RGB PNG within a pixel budget. Knows pymupdf pages, no layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.boxes import clipped

if TYPE_CHECKING:
    import pymupdf

    from ingest.spans import InkMap
    from rag.types import BBox

MAX_SIDE_PX = 1_600
MAX_DPI = 220  # beyond it a crop only grows; measured on axis labels of the corpus
INK_SIDE_PX = 900
BLANK_DEVIATION = 4.0  # grey levels
_POINTS_PER_INCH = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A drawn box."""

    png: bytes
    width_px: int
    height_px: int
    deviation: float  # standard deviation of the grey levels; near 0 is blank
    dhash: int  # 64 bits; the same picture differs in at most 4

    @property
    def is_blank(self) -> bool:
        return self.deviation < BLANK_DEVIATION


def crop_page(
    page: pymupdf.Page, bbox: BBox | None = None, *, max_side_px: int = MAX_SIDE_PX
) -> Crop:
    """Draw `bbox` of a page, or all of it, with its long side at most `max_side_px`."""
    return _crop(draw_pixels(page, bbox, max_side_px=max_side_px))


def draw_pixels(
    page: pymupdf.Page, bbox: BBox | None = None, *, max_side_px: int = MAX_SIDE_PX
) -> pymupdf.Pixmap:
    """The pixels of `bbox` of a page, or of all of it, and nothing else about them.

    Their number is known before anything is drawn: a page may be 14,400 points wide, or
    three points wide and kilometres long.
    """
    import pymupdf

    box = pymupdf.Rect(clipped(bbox or tuple(page.rect), (page.rect.width, page.rect.height)))
    long_side = max(box.width, box.height, 1.0)
    scale = min(max_side_px / long_side, MAX_DPI / _POINTS_PER_INCH)
    if bbox is None:
        scale = max_side_px / long_side
    # One pixel less: MuPDF rounds the clip outwards.
    scale *= 1 - 1 / max_side_px
    return page.get_pixmap(
        matrix=pymupdf.Matrix(scale, scale), clip=box, colorspace=pymupdf.csRGB, alpha=False
    )


def draw_ink(page: pymupdf.Page) -> InkMap | None:
    """The page drawn small in grey, to see which text leaves a mark.

    None when MuPDF had to stop at something broken: what comes after it on the page
    is missing from the drawing, and honest text would pass for hidden.
    """
    import numpy as np
    import pymupdf

    from ingest.spans import InkMap

    scale = INK_SIDE_PX / max(page.rect.width, page.rect.height, 1.0)
    pymupdf.TOOLS.reset_mupdf_warnings()
    pixels = page.get_pixmap(
        matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csGRAY, alpha=False
    )
    if pymupdf.TOOLS.mupdf_warnings():
        return None
    grey = np.frombuffer(pixels.samples, dtype=np.uint8).reshape(pixels.height, pixels.stride)
    return InkMap(grey[:, : pixels.width], scale)


def _crop(pixels: pymupdf.Pixmap) -> Crop:
    import numpy as np
    from PIL import Image

    picture = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
    grey = picture.convert("L")
    small = np.asarray(grey.resize((9, 8)), dtype=np.int16)
    bits = (small[:, 1:] > small[:, :-1]).flatten()
    return Crop(
        png=pixels.tobytes("png"),
        width_px=pixels.width,
        height_px=pixels.height,
        deviation=float(np.asarray(grey).std()),
        dhash=int("".join("1" if bit else "0" for bit in bits), 2),
    )
