"""The picture of a question: from a file to safe pixels, or one sentence about why not."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.detect import SUFFIXES
from rag.errors import ConfigError, DocumentError
from rag.imaging import decode_picture, encode_png
from rag.turn import AskedPicture

if TYPE_CHECKING:
    from PIL import Image

    from rag.settings import IngestSettings

MB = 1_000_000
MAX_NAME = 120  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPicture:
    """The picture of a question that is about to be asked."""

    asked: AskedPicture
    pixels: Image.Image  # searched with, and shown to a model
    png: bytes  # to be kept


def is_picture(name: str) -> bool:
    """Whether a file is meant as the picture of a question, by its name; else as a document."""
    return Path(name).suffix.lower() in SUFFIXES["picture"]


def new_picture(data: bytes, name: str, limits: IngestSettings) -> NewPicture:
    """A picture to ask with, from a file.

    Raises:
        ConfigError: As `open_picture`.
    """
    pixels = open_picture(data, name, limits)
    png = encode_png(pixels)
    name = " ".join(name.split())[:MAX_NAME]
    asked = AskedPicture(name=name, sha256=sha256(png).hexdigest())
    return NewPicture(asked=asked, pixels=pixels, png=png)


def picture_again(asked: AskedPicture, limits: IngestSettings) -> NewPicture:
    """The kept picture of an earlier question, to ask with once more.

    Raises:
        ConfigError: It is no longer there.
    """
    try:
        png = Path(asked.path or "").read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The picture {asked.name} is no longer kept. Add it to your question again."
        ) from error
    return NewPicture(asked=asked, pixels=open_picture(png, asked.name, limits), png=png)


def read_picture(path: Path, limits: IngestSettings) -> Image.Image:
    """The picture in a file, as `open_picture`.

    Raises:
        ConfigError: As there, or the file cannot be read.
    """
    try:
        if path.stat().st_size > limits.max_file_mb * MB:
            raise ConfigError(
                f"{path.name} is larger than {limits.max_file_mb} MB. Make it smaller, or raise "
                "FOLIO_INGEST__MAX_FILE_MB."
            )
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The picture {path} cannot be read: {error.strerror}.") from error
    return open_picture(data, path.name, limits)


def open_picture(data: bytes, name: str, limits: IngestSettings) -> Image.Image:
    """Upright RGB on white; of an animation its first moment.

    Args:
        data: The file's bytes.
        name: How messages call it.
        limits: Those of documents.

    Raises:
        ConfigError: Empty, damaged, too large, or none of the formats that Folio reads.
    """
    if not data:
        raise ConfigError(f"{name} is empty. Choose a picture.")
    try:
        picture = decode_picture(data, max_megapixels=limits.max_megapixels, name=name)
    except DocumentError as error:
        # Nothing was done: a picture in a question is an argument, not a document.
        raise ConfigError(str(error)) from error
    # Text in the file must not pass for the mark of a stored picture (`rag.imaging.FILE_KEY`).
    picture.info = {}
    return picture
