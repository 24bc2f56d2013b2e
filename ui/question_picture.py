"""The picture of a question: from a file to safe pixels, or one sentence about why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import ConfigError, DocumentError
from rag.imaging import decode_picture

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from rag.settings import IngestSettings

MB = 1_000_000


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
