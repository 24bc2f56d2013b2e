"""Drawings: what is in them is drawn and read, what they point at is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.svg import draw_svg, read_svg, svg_name, svg_words
from rag.errors import CorruptFileError, DocumentError, FileTooLargeError
from tests.html_builders import data_uri, parts_of, png, read_page, stored

if TYPE_CHECKING:
    from pathlib import Path

START = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="200" height="100">'
)
RED = (255, 0, 0)


def draw(inside: str, start: str = START) -> tuple[int, int, int]:
    """Colour in the middle of a drawing."""
    image = draw_svg(read_svg((start + inside + "</svg>").encode()), max_megapixels=25)
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def test_shapes_are_drawn_on_white_large_enough_to_read() -> None:
    root = read_svg(f'{START}<rect width="100" height="100" fill="red"/></svg>'.encode())
    image = draw_svg(root, max_megapixels=25)
    assert image.size == (800, 400)
    assert (image.getpixel((100, 200)), image.getpixel((700, 200))) == (RED, (255, 255, 255))


def test_a_million_by_a_million_is_drawn_small() -> None:
    start = START.replace('"200"', '"1000000"').replace('"100"', '"1000000"')
    root = read_svg(f"{start}</svg>".encode())
    assert draw_svg(root, max_megapixels=25).size == (1600, 1600)


def test_an_inline_drawing_keeps_the_names_that_html_folds() -> None:
    page = read_page(
        '<svg viewBox="0 0 200 100" width="100%"><title>Flow</title><defs>'
        '<linearGradient id="g"><stop stop-color="red"/></linearGradient></defs>'
        '<rect width="100" height="100" fill="url(#g)"/><g><text y="20">In</text>'
        "</g><foreignObject><div>Out</div></foreignObject></svg>"
    )
    (part,) = parts_of("figure", page)
    assert (part.text, part.alt, stored(part).size) == ("In Out", "Flow", (800, 400))
    assert stored(part).getpixel((100, 300)) == RED


@pytest.mark.parametrize(
    "inside",
    [
        '<style>.a, text {fill: red}</style><rect class="a" width="200" height="100"/>',
        '<style>#b{fill:blue}</style><rect id="b" style="fill:red" width="200" height="100"/>',
        '<g style="color:red"><g><rect fill="currentColor" width="200" height="100"/></g></g>',
        '<rect fill="hsl(0, 100%, 50%)" width="200" height="100"/>',
        '<rect fill="rgba(255,0,0,1.0)" width="200" height="100"/>',
        '<rect fill="rgb(100% 0% 0%)" width="200" height="100"/>',
        '<a href="#x"><rect fill="red" width="200" height="100"/></a>',
        '<rect fill="red" width="200" height="100"/><rect width="200" height="90" display="none"/>',
        '<rect fill="red" width="200" height="100"/><path d="M0 0H200V90" fill="hsla(0 0% 0% 0)"/>',
        '<defs><rect id="r" fill="red" width="200" height="100"/></defs><use xlink:href="#r"/>',
    ],
)
def test_colours_that_the_renderer_does_not_know_are_resolved(inside: str) -> None:
    assert draw(inside) == RED


def test_words_and_name_of_a_drawing_are_read() -> None:
    root = read_svg(
        f"{START}<title>Flow</title><style>x</style><text>In <tspan>put</tspan> A</text>"
        "<text>Out</text></svg>".encode()
    )
    assert (svg_name(root), svg_words(root)) == ("Flow", "In put A Out")


def test_a_file_beside_the_page_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(f'{START}<circle cx="100" cy="50" r="40"/></svg>')
    (part,) = parts_of("figure", read_page('<img src="a.svg">', asset_dir=tmp_path))
    assert stored(part).size == (800, 400)


def test_an_icon_is_left_out() -> None:
    page = read_page("<p>x</p><svg width=24 height=24><path d='M0 0L24 24'/></svg>")
    assert not parts_of("figure", page)


def test_an_embedded_picture_is_drawn_after_our_own_decoding() -> None:
    picture = f'<image href="{data_uri(png(200, 100))}" width="200" height="100"/>'
    assert draw(picture) == RED


@pytest.mark.parametrize(
    "inside",
    [
        '<image href="{0}" width="200" height="100"/>',
        '<image xlink:href="{0}" width="200" height="100"/>',
        '<image xlink:href="file://{0}" width="200" height="100"/>',
        "<style>@import url({0});</style>",
        '<rect width="200" height="100" fill="url({0}#p)"/>',
        '<use href="{0}#p"/>',
    ],
)
def test_files_that_a_drawing_points_at_are_not_opened(inside: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(200, 100))
    assert draw(inside.format(secret)) != RED


def test_a_drawing_with_entities_is_refused() -> None:
    with pytest.raises(CorruptFileError, match="entities"):
        read_svg(b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="x"><text>&a;</text></svg>')


@pytest.mark.parametrize("data", [b"<svg", b"<html/>", b""], ids=["damaged", "other", "nothing"])
def test_what_is_no_drawing_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError, match="Save it as PNG"):
        read_svg(data)


def test_copies_of_copies_are_refused() -> None:
    groups = "".join(f'<g id="a{n}"><use xlink:href="#a{n - 1}"/></g>' for n in range(1, 9))
    with pytest.raises(FileTooLargeError, match="too many elements"):
        draw(f'<g id="a0"><rect width="9" height="9"/></g>{groups}<use xlink:href="#a8"/>')


def test_a_drawing_of_megabytes_is_refused() -> None:
    with pytest.raises(FileTooLargeError, match="over 2 MB"):
        read_svg(b"<svg>" + b" " * 2_000_001)
