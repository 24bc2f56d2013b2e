"""Frames between the parsing child and its parent: JSON plus raw PNG bytes.

Knows the values of `ingest.parts`, nothing of PDF or processes. Not pickle: the
child reads hostile files, so what it sends is checked like any outside data.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from ingest.pagewords import MAX_WORD_CHARACTERS, MAX_WORDS, PageWord
from ingest.parts import DocumentHead, ParsedPage

MAX_HEADER_BYTES = 64 << 20
MAX_PICTURE_BYTES = 64 << 20
MAX_PICTURES_PER_FRAME = 2_000
MAX_SIDE_PX = 8_192

_LENGTH = struct.Struct(">I")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_HEAD: TypeAdapter[DocumentHead] = TypeAdapter(DocumentHead)
_PAGE: TypeAdapter[ParsedPage] = TypeAdapter(ParsedPage)
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Word = tuple[
    Annotated[str, Field(max_length=MAX_WORD_CHARACTERS)], _Number, _Number, _Number, _Number
]
_WORDS: TypeAdapter[list[_Word]] = TypeAdapter(Annotated[list[_Word], Field(max_length=MAX_WORDS)])

Frame = tuple[dict[str, Any], list[bytes]]


class WireError(Exception):
    """The other side sent something that is no frame of ours."""


def write_frame(stream: IO[bytes], header: dict[str, Any], pictures: Sequence[bytes] = ()) -> None:
    """Header length, header as JSON (with the picture lengths), then the pictures themselves."""
    encoded = json.dumps({**header, "pictures": [len(picture) for picture in pictures]}).encode()
    stream.write(_LENGTH.pack(len(encoded)))
    stream.write(encoded)
    for picture in pictures:
        stream.write(picture)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """The next frame, or None at the end of the stream.

    Raises:
        WireError: The bytes are no frame, or pass a limit.
    """
    start = stream.read(_LENGTH.size)
    if len(start) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(start)
    if size > MAX_HEADER_BYTES:
        message = f"a frame header of {size} bytes"
        raise WireError(message)
    header = _loaded(_exactly(stream, size))
    lengths = header.get("pictures")
    if not isinstance(lengths, list) or len(lengths) > MAX_PICTURES_PER_FRAME:
        message = "a frame without a list of pictures"
        raise WireError(message)
    return header, [_picture(stream, length) for length in lengths]


def head_to_wire(head: DocumentHead) -> dict[str, Any]:
    """A head as the header of a frame."""
    return {"type": "head", "head": asdict(head)}


def head_from_wire(header: dict[str, Any]) -> DocumentHead:
    """The reverse of `head_to_wire`, checked.

    Raises:
        WireError: A field is missing or of another type.
    """
    try:
        return _HEAD.validate_python(header.get("head"))
    except ValidationError as error:
        message = "a head with wrong fields"
        raise WireError(message) from error


def page_to_wire(page: ParsedPage, kind: str) -> Frame:
    """A page as a frame of type `kind`; each picture leaves its index in the header."""
    fields = asdict(page)
    pictures: list[bytes] = []
    for part in fields["parts"]:
        if part["image_png"] is not None:
            pictures.append(part["image_png"])
            part["image_png"] = len(pictures) - 1
    return {"type": kind, "page": fields}, pictures


def page_from_wire(frame: Frame) -> ParsedPage:
    """The reverse of `page_to_wire`, checked.

    Raises:
        WireError: A field is missing or of another type, or a picture is no PNG of bearable size.
    """
    header, pictures = frame
    try:
        for part in header["page"]["parts"]:
            index = part["image_png"]
            part["image_png"] = None if index is None else pictures[index]
        return _PAGE.validate_python(header["page"])
    except (KeyError, IndexError, TypeError, ValidationError) as error:
        message = "a page with wrong fields"
        raise WireError(message) from error


def words_to_wire(words: Sequence[PageWord]) -> dict[str, Any]:
    """The words of a page as the header of a frame."""
    return {"type": "words", "words": [(word.text, *word.bbox) for word in words]}


def words_from_wire(words: object) -> list[PageWord]:
    """The reverse of `words_to_wire`, checked; of the list alone.

    Raises:
        WireError: Something is missing or of another type, or there is too much of it.
    """
    try:
        return [
            PageWord(text, (x0, y0, x1, y1))
            for text, x0, y0, x1, y1 in _WORDS.validate_python(words)
        ]
    except ValidationError as error:
        message = "words with wrong fields"
        raise WireError(message) from error


def _loaded(encoded: bytes) -> dict[str, Any]:
    try:
        header = json.loads(encoded)
    except ValueError as error:
        message = "a frame header that is no JSON"
        raise WireError(message) from error
    if not isinstance(header, dict):
        message = "a frame header that is no object"
        raise WireError(message)
    return header


def _picture(stream: IO[bytes], length: object) -> bytes:
    if not isinstance(length, int) or not 0 < length <= MAX_PICTURE_BYTES:
        message = f"a picture of {length} bytes"
        raise WireError(message)
    png = _exactly(stream, length)
    width, height = struct.unpack(">II", png[16:24]) if len(png) >= 24 else (0, 0)
    if not png.startswith(_PNG_START) or not 0 < max(width, height) <= MAX_SIDE_PX:
        message = "a picture that is no PNG of bearable size"
        raise WireError(message)
    return png


def _exactly(stream: IO[bytes], size: int) -> bytes:
    read = stream.read(size)
    if len(read) != size:
        message = "a frame cut short"
        raise WireError(message)
    return read
