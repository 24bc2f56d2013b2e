"""Pictures from outside to safe RGB pictures and PNG bytes. Knows Pillow, no file format's parser.

The original bytes are never passed on: a picture is decoded once, turned upright, laid
on white, made RGB and written anew, so metadata and trailing bytes are gone.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import TYPE_CHECKING

from rag.errors import CorruptFileError, DocumentError, FileTooLargeError, UnsupportedFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

# Without this list Pillow tries every reader it has: FITS bombs, Ghostscript for EPS.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
LONG_SIDE_PX = 1_600
FILE_KEY = "folio-file"
# Standard deviation of grey under which a picture shows nothing: paper grain and scanner
# noise stay below, a thin line of text on white is above (facts/ingestion.md: 4).
BLANK_DEVIATION = 4.0


def decode_picture(
    data: bytes, *, max_megapixels: int, frame: int = 0, name: str = "This picture"
) -> Image.Image:
    """One frame of a picture as upright RGB on white.

    Args:
        data: the file's bytes; PNG, JPEG, WebP, GIF, TIFF or BMP by content.
        max_megapixels: width times height, in millions, read from the header and
            checked before anything is decoded.
        frame: Which one, from 0: pages of a TIFF, moments of an animation.
        name: How messages call it.

    Raises:
        UnsupportedFileError: Not one of these formats.
        FileTooLargeError: More pixels than allowed.
        CorruptFileError: The bytes end early or do not decode.
    """
    with picture_errors(name, max_megapixels):
        return _decode(data, max_megapixels, frame)


@contextlib.contextmanager
def picture_errors(name: str, max_megapixels: int) -> Iterator[None]:
    """Turns what Pillow raises into our errors; also silences its warnings.

    Pillow warns about sizes that are checked here, and about odd metadata.
    """
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DocumentError:
        raise
    except (Pillow.DecompressionBombError, _TooManyPixelsError) as error:
        raise FileTooLargeError(
            f"{name} has more than {max_megapixels} megapixels. Make it smaller, or raise "
            "FOLIO_INGEST__MAX_MEGAPIXELS."
        ) from error
    except UnidentifiedImageError as error:
        raise UnsupportedFileError(
            f"{name} is not a PNG, JPEG, WebP, GIF, TIFF or BMP file. Save it as PNG."
        ) from error
    # Broken headers surface as any of these in Pillow 13 (ValueError: zTXt and ICC bombs).
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError) as error:
        raise CorruptFileError(
            f"{name} is damaged and cannot be decoded. Save it again as PNG."
        ) from error


def open_rgb(path: Path, *, max_megapixels: int = 25) -> Image.Image:
    """The picture in a file; see `decode_picture` for what is refused.

    Its `info` says which file it is, under `FILE_KEY`: for files of the library, their SHA-256.
    """
    picture = decode_picture(path.read_bytes(), max_megapixels=max_megapixels)
    picture.info = {FILE_KEY: path.stem}
    return picture


def to_rgb_on_white(picture: Image.Image) -> Image.Image:
    """Any opened picture as RGB: transparency laid on white, grey of more than 8 bits scaled.

    Plain `convert("RGB")` shows the colours hidden under transparency, and Pillow 13
    clips 16-bit grey to black and white.
    """
    from PIL import Image as Pillow

    if picture.mode == "F" or picture.mode.startswith("I"):
        return _scale_grey(picture).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Pillow.new("RGBA", layer.size, "white")
        white.alpha_composite(layer)
        return white.convert("RGB")
    return picture.convert("RGB")


def encode_png(image: Image.Image, long_side_px: int = LONG_SIDE_PX) -> bytes:
    """RGB PNG without metadata, shrunk so that its longer side is at most `long_side_px`."""
    from PIL import Image as Pillow

    small = image.convert("RGB")
    if max(small.size) > long_side_px:
        small.thumbnail((long_side_px, long_side_px), Pillow.Resampling.LANCZOS)
    # Pillow writes an ICC profile that it finds here.
    small.info = {}
    buffer = io.BytesIO()
    small.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def is_blank(image: Image.Image) -> bool:
    """Whether the picture is one tone all over, so that nothing can be seen in it."""
    from PIL import ImageStat

    grey = image.convert("L")
    grey.thumbnail((512, 512))
    return float(ImageStat.Stat(grey).stddev[0]) < BLANK_DEVIATION


class _TooManyPixelsError(Exception):
    """Our own limit, lower than Pillow's."""


def _decode(data: bytes, max_megapixels: int, frame: int) -> Image.Image:
    from PIL import Image as Pillow
    from PIL import ImageOps

    picture = Pillow.open(io.BytesIO(data), formats=FORMATS)
    picture.seek(frame)
    if picture.width * picture.height > max_megapixels * 1_000_000:
        raise _TooManyPixelsError
    picture.load()
    return to_rgb_on_white(ImageOps.exif_transpose(picture))


def _scale_grey(picture: Image.Image) -> Image.Image:
    """Grey of more than 8 bits to 8; a plain convert would turn all of it white."""
    import numpy as np
    from PIL import Image as Pillow

    values = np.nan_to_num(np.asarray(picture, dtype=np.float32), posinf=0.0, neginf=0.0)
    if picture.mode == "F":
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (255.0 / max(high - low, 1e-6))
    else:  # 16 bits, also where Pillow widens them to 32
        values = values / 256.0
    return Pillow.fromarray(values.clip(0, 255).astype(np.uint8))
