"""A picture file as a document: one page, or one for each page of a TIFF. Knows no PDF, no words.

A single picture is a figure that covers its page: somebody chose to keep it, as an author
chooses a figure, and it is shown and counted like one. The pages of a TIFF are kind "page":
such files come from scanners and fax machines, and "page 3" says more than a caption that
would be the same on all of them.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from ingest.characters import clean_text, fold_spaces
from ingest.parts import DocumentHead, ParsedPage, Part
from rag.errors import DocumentError, EmptyFileError, FileTooLargeError
from rag.imaging import FORMATS, LONG_SIDE_PX, decode_picture, encode_png, is_blank, picture_errors
from rag.types import Region

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

    from ingest.pagewords import PageWord
    from rag.settings import IngestSettings
    from rag.types import BBox

POINTS_PER_INCH = 72.0
MIN_SIDE_PX = 16
MIN_DPI, MAX_DPI = 36.0, 2_400.0  # what is outside is a default or a mistake
MAX_DESCRIPTION_CHARACTERS = 500
_UNEVEN = 0.02  # of the pixels' sides: fax pages have twice as many dots across as down
_EXIF_DESCRIPTION, _EXIF_ORIENTATION, _TIFF_SUBFILE = 0x010E, 0x0112, 0x00FE
_TURNED = range(5, 9)  # EXIF orientations that swap width and height
_NOT_WORDS = re.compile(r"\s*(?:<|\{|ImageJ=|OLYMPUS DIGITAL CAMERA|SONY DSC|.*\bsoftware\b)", re.I)
_BETWEEN_WORDS = re.compile(r"[\s_.+\-]+|(?<=[a-zäöü])(?=[A-ZÄÖÜ])")
# Names that cameras, phones, scanners and browsers give.
_MACHINE_WORDS = {
    "img", "image", "images", "dsc", "dscn", "dscf", "dcim", "pxl", "mvimg", "vid", "pano", "photo",
    "picture", "pic", "foto", "bild", "scan", "scanned", "screenshot", "screen", "shot", "capture",
    "snap", "whatsapp", "signal", "telegram", "fb", "untitled", "unnamed", "unbenannt", "download",
    "file", "copy", "edited", "cropped", "resized", "final", "at", "am", "pm", "wa", "the", "of",
    "and", "a",
}  # fmt: skip
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_HEX = re.compile(r"[0-9a-f]{6,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Frame:
    """One page of the file; dots per inch are those of the picture as displayed."""

    number: int
    dpi: tuple[float, float]


class PictureFile:
    """An opened picture file, read a page at a time; a single picture is read when opened."""

    def __init__(self, path: Path, name: str, limits: IngestSettings) -> None:
        """Open it.

        Raises:
            FileTooLargeError: More pages or pixels than allowed.
            CorruptFileError: It does not decode.
            EmptyFileError: It is a single dot or line of them.
        """
        self._data = path.read_bytes()
        self._name = name
        self._limits = limits
        with picture_errors(name, limits.max_megapixels):
            self._frames, description = _read_frames(self._data, name, limits.max_pages)
        self._caption = description or name_words(name)
        self.head = DocumentHead(media_type="picture", page_count=len(self._frames))
        self._only = self._single_page() if len(self._frames) == 1 else None

    def stages(self, page_number: int, *, plain: bool) -> Iterator[ParsedPage]:
        """The page, in one go; none when only words are wanted, since it has none."""
        if self._only is not None:
            yield self._only
        elif not plain:
            yield self._page_of_many(page_number)

    def draw(self, page_number: int, *, long_side_px: int, box: BBox | None = None) -> bytes:
        """The page as displayed, or a part of it, as an RGB PNG."""
        image, size = self._decoded(page_number)
        if box is not None:
            image, size = _part(image, size, box)
        return _drawn(image, size, long_side_px)

    def words(self, page_number: int) -> list[PageWord]:
        """None: what is in a picture is not read."""
        return []

    def _single_page(self) -> ParsedPage:
        image, size = self._decoded(1)
        if min(image.size) < MIN_SIDE_PX:
            raise EmptyFileError(
                f"{self._name} is smaller than {MIN_SIDE_PX} pixels, so nothing can be seen in it. "
                "Add a larger copy."
            )
        warnings = ("The picture is one tone all over.",) if is_blank(image) else ()
        figure = Part(
            kind="figure",
            caption=self._caption,
            regions=_whole(1, size),
            image_png=_drawn(image, size, LONG_SIDE_PX),
        )
        return ParsedPage(
            page_number=1, size=size, page_class="picture", parts=(figure,), warnings=warnings
        )

    def _page_of_many(self, page_number: int) -> ParsedPage:
        try:
            image, size = self._decoded(page_number)
        except DocumentError as error:
            return ParsedPage(
                page_number=page_number,
                size=None,
                page_class="failed",
                parts=(),
                warnings=(f"Page {page_number} was left out. {error}",),
            )
        if min(image.size) < MIN_SIDE_PX or is_blank(image):
            return ParsedPage(page_number=page_number, size=size, page_class="blank", parts=())
        page = Part(
            kind="page",
            regions=_whole(page_number, size),
            image_png=_drawn(image, size, LONG_SIDE_PX),
        )
        return ParsedPage(page_number=page_number, size=size, page_class="picture", parts=(page,))

    def _decoded(self, page_number: int) -> tuple[Image.Image, tuple[float, float]]:
        """The page's pixels, and its size in points."""
        frame = self._frames[page_number - 1]
        image = decode_picture(
            self._data,
            max_megapixels=self._limits.max_megapixels,
            frame=frame.number,
            name=self._name,
        )
        across, down = frame.dpi
        size = (image.width * POINTS_PER_INCH / across, image.height * POINTS_PER_INCH / down)
        return image, (round(size[0], 2), round(size[1], 2))


def name_words(name: str) -> str:
    """The words in a file name, "" for one that a camera, a scanner or a browser gave."""
    words = [word for word in _BETWEEN_WORDS.split(PurePath(name).stem) if word]
    plain = [re.sub(r"[\d()]+", "", word).lower() for word in words if not _HEX.fullmatch(word)]
    told = [word for word in plain if _LETTERS.search(word) and word not in _MACHINE_WORDS]
    return clean_text(" ".join(words)) if told else ""


def _read_frames(data: bytes, name: str, max_pages: int) -> tuple[tuple[_Frame, ...], str]:
    """The pages of a file and what it says it shows; nothing is decoded.

    Only the frames of a TIFF are pages; those of an animation are one picture in motion.
    """
    from PIL import Image as Pillow

    picture = Pillow.open(io.BytesIO(data), formats=FORMATS)
    description = _description(picture)
    frames: list[_Frame] = []
    for number in range(max_pages + 1):
        try:
            picture.seek(number)
        except EOFError:
            break
        if number == 0 or not _is_small_copy(picture):
            frames.append(_Frame(number, _dpi(picture)))
        if picture.format != "TIFF":
            break
    if len(frames) > max_pages:
        raise FileTooLargeError(
            f"{name} has more than {max_pages} pages. Split it, or raise FOLIO_INGEST__MAX_PAGES."
        )
    return tuple(frames), description


def _is_small_copy(picture: Image.Image) -> bool:
    """Whether a TIFF calls this frame a smaller version of another one."""
    subfile = getattr(picture, "tag_v2", {}).get(_TIFF_SUBFILE, 0)
    return isinstance(subfile, int) and bool(subfile & 1)


def _dpi(picture: Image.Image) -> tuple[float, float]:
    given = picture.info.get("dpi") or (POINTS_PER_INCH, POINTS_PER_INCH)
    try:
        across, down = (float(value) for value in given)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        across = down = POINTS_PER_INCH
    if not all(math.isfinite(dpi) and MIN_DPI <= dpi <= MAX_DPI for dpi in (across, down)):
        across = down = POINTS_PER_INCH
    # PNG counts in metres: 144 dots an inch come back as 143.99.
    across, down = (round(dpi) if abs(dpi - round(dpi)) < 0.05 else dpi for dpi in (across, down))
    return (down, across) if _exif(picture, _EXIF_ORIENTATION) in _TURNED else (across, down)


def _exif(picture: Image.Image, tag: int) -> object:
    try:
        return picture.getexif().get(tag)
    except Exception:  # noqa: BLE001 - Pillow's reader raises anything on damaged metadata
        return None


def _description(picture: Image.Image) -> str:
    """What the file says it shows; "" for what programs write there by themselves."""
    found = _exif(picture, _EXIF_DESCRIPTION)
    if not isinstance(found, str) or not found.strip():
        found = picture.info.get("Description") or picture.info.get("Title") or ""
    if not isinstance(found, str) or _NOT_WORDS.match(found):
        return ""
    with contextlib.suppress(UnicodeError):  # Pillow 13 reads as Latin-1 what is UTF-8 today
        found = found.encode("latin-1").decode()
    words = fold_spaces(clean_text(found[: 4 * MAX_DESCRIPTION_CHARACTERS]))
    return words[:MAX_DESCRIPTION_CHARACTERS] if _LETTERS.search(words) else ""


def _drawn(image: Image.Image, size: tuple[float, float], long_side_px: int) -> bytes:
    """PNG of a page; one whose dots are not square is stretched to its true shape."""
    from PIL import Image as Pillow

    across, down = image.width / size[0], image.height / size[1]
    if abs(across / down - 1) > _UNEVEN:
        scale = min(long_side_px, max(image.size)) / max(size)
        square = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        image = image.resize(square, Pillow.Resampling.LANCZOS)
    return encode_png(image, long_side_px)


def _part(
    image: Image.Image, size: tuple[float, float], box: BBox
) -> tuple[Image.Image, tuple[float, float]]:
    """What lies in a box of points, at least a dot, and its size in points."""
    across, down = image.width / size[0], image.height / size[1]
    left, top = (
        min(int(box[0] * across), image.width - 1),
        min(int(box[1] * down), image.height - 1),
    )
    right, bottom = max(left + 1, round(box[2] * across)), max(top + 1, round(box[3] * down))
    part = image.crop((left, top, min(right, image.width), min(bottom, image.height)))
    return part, (part.width / across, part.height / down)


def _whole(page_number: int, size: tuple[float, float]) -> tuple[Region, ...]:
    return (Region(page_number=page_number, bbox=(0.0, 0.0, *size)),)
