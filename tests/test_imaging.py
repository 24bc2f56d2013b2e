"""Pictures from outside become upright RGB on white, or a plain refusal."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rag.errors import CorruptFileError, FileTooLargeError, UnsupportedFileError
from rag.imaging import decode_picture, encode_png, is_blank, open_rgb

if TYPE_CHECKING:
    from pathlib import Path

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def claimed_png(width: int, height: int) -> bytes:
    """A PNG whose header claims a size and whose pixels are missing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_formats_decode_to_the_same_rgb(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = decode_picture(
        encoded(Image.new("RGB", (8, 4), RED), kind, **options), max_megapixels=1
    )
    assert (picture.mode, picture.size, picture.getpixel((0, 0))) == ("RGB", (8, 4), RED)


def test_transparent_pixels_become_white() -> None:
    picture = decode_picture(
        encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG"), max_megapixels=1
    )
    assert picture.getpixel((0, 0)) == WHITE


def test_a_transparent_palette_entry_becomes_white() -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([9, 9, 9, 255, 0, 0])
    picture = decode_picture(encoded(palette, "PNG", transparency=0), max_megapixels=1)
    assert picture.getpixel((0, 0)) == WHITE


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    image = Image.new("RGB", (16, 8), WHITE)
    ImageDraw.Draw(image).rectangle((0, 0, 7, 7), fill=RED)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it 90 degrees clockwise
    picture = decode_picture(encoded(image, "PNG", exif=exif), max_megapixels=1)
    assert picture.size == (8, 16)
    assert picture.getpixel((4, 2)) == RED


def test_grey_of_16_bits_keeps_its_tones() -> None:
    values = np.array([[0, 32768, 65535]], dtype=np.uint16)
    picture = decode_picture(encoded(Image.fromarray(values), "PNG"), max_megapixels=1)
    assert [picture.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (128, 128, 128), WHITE]


def test_floating_point_grey_is_not_all_white() -> None:
    values = np.array([[0.0, 500.0, 1000.0]], dtype=np.float32)
    picture = decode_picture(encoded(Image.fromarray(values), "TIFF"), max_megapixels=1)
    assert [picture.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (127, 127, 127), WHITE]


def test_print_colours_become_screen_colours() -> None:
    ink = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red, green, blue = decode_picture(encoded(ink, "JPEG"), max_megapixels=1).getpixel((4, 4))
    assert red > 200
    assert max(green, blue) < 60


def test_only_the_first_frame_of_an_animation_is_read() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, WHITE)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode_picture(data, max_megapixels=1).getpixel((0, 0)) == RED


@pytest.mark.parametrize("side", [1_001, 60_000], ids=["over ours", "over Pillow's"])
def test_too_many_pixels_are_refused_before_decoding(side: int) -> None:
    with pytest.raises(FileTooLargeError, match="more than 1 megapixels"):
        decode_picture(claimed_png(side, side), max_megapixels=1)


def test_a_picture_that_ends_early_is_called_damaged() -> None:
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    with pytest.raises(CorruptFileError, match="damaged"):
        decode_picture(encoded(noise, "JPEG")[:600], max_megapixels=1)


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"SIMPLE  =    T"],
    ids=["nothing", "svg", "eps", "fits"],
)
def test_other_types_are_refused_by_content(data: bytes) -> None:
    with pytest.raises(UnsupportedFileError, match="not a PNG"):
        decode_picture(data, max_megapixels=1)


def test_written_pictures_are_small_and_carry_no_metadata(tmp_path: Path) -> None:
    source = Image.new("RGB", (3200, 100), RED)
    source.info["comment"] = "<script>"
    (tmp_path / "a.png").write_bytes(encode_png(source))
    with Image.open(tmp_path / "a.png") as again:
        assert (again.size, again.info) == ((1600, 50), {})
    assert open_rgb(tmp_path / "a.png").getpixel((0, 0)) == RED


def test_one_tone_is_blank_and_a_thin_line_of_text_is_not() -> None:
    paper = Image.new("RGB", (400, 200), (250, 250, 250))
    assert is_blank(paper)
    ImageDraw.Draw(paper).text((20, 90), "a thin line of text on a page", fill="black")
    assert not is_blank(paper)
