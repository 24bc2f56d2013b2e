"""The marked page: the box is where the region is, in the colour of its kind."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from rag.types import BBox, Kind
from tests.builders import make_png
from ui import boxes

SIZE = (595.0, 842.0)
BOX: BBox = (100.0, 200.0, 300.0, 400.0)


def _white_page() -> bytes:
    return make_png((595, 842), (255, 255, 255), pattern=False)


def _marked(kind: Kind = "figure", box: BBox = BOX) -> Image.Image:
    png = boxes.mark_page(_white_page(), [box], SIZE, kind=kind, tag="1 Figure 4")
    return Image.open(io.BytesIO(png))


def test_frame_stands_around_the_box_and_the_rest_is_veiled() -> None:
    page = _marked()
    scale = page.width / SIZE[0]
    left, middle = round(100 * scale), round(300 * scale)

    assert page.getpixel((left - 1, middle)) == boxes.LINES["figure"].colour
    assert page.getpixel((left + 60, middle)) == (255, 255, 255), "inside: paper"
    outside = page.getpixel((10, 10))
    assert isinstance(outside, tuple)
    assert outside[0] < 245, "outside: veiled"


@pytest.mark.parametrize("kind", ["text", "table", "figure", "page"])
def test_every_kind_has_its_own_line(kind: Kind) -> None:
    page = _marked(kind)
    scale = page.width / SIZE[0]
    column = round(100 * scale) - 1
    rows = range(round(210 * scale), round(390 * scale))
    inked = sum(page.getpixel((column, row)) == boxes.LINES[kind].colour for row in rows)

    share = inked / len(rows)
    expected = {"text": 0.45, "table": 0.71, "figure": 1.0, "page": 0.64}[kind]
    assert share == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(
    "box",
    [(-50, -50, 900, 2000), (500, 800, 400, 700), (594.9, 841.9, 595, 842), (0, 0, 0, 0)],
    ids=["larger than the page", "corners swapped", "in the corner", "without area"],
)
def test_odd_boxes_never_break_the_picture(box: BBox) -> None:
    assert _marked(box=box).width == boxes.WIDTH_PX


def test_crop_is_the_box_with_a_margin() -> None:
    png = boxes.crop_page(_white_page(), BOX, SIZE)
    width, height = Image.open(io.BytesIO(png)).size
    scale = boxes.WIDTH_PX / SIZE[0]

    assert width == pytest.approx((200 + 2 * boxes.MARGIN_PT) * scale, abs=2)
    assert height == pytest.approx((200 + 2 * boxes.MARGIN_PT) * scale, abs=2)


def test_only_boxes_far_down_open_as_their_crop() -> None:
    assert boxes.is_low((0, 700, 10, 800), SIZE)
    assert not boxes.is_low((0, 100, 10, 800), SIZE)


def test_quoted_words_are_coloured_and_nothing_else_is() -> None:
    words: BBox = (120.0, 220.0, 200.0, 240.0)
    png = boxes.mark_page(_white_page(), [BOX], SIZE, kind="text", tag="1 Text", words=[words])
    page = Image.open(io.BytesIO(png))
    scale = page.width / SIZE[0]
    inked = [
        (x / scale, y / scale)
        for x in range(0, page.width, 3)
        for y in range(0, page.height, 3)
        if page.getpixel((x, y)) == boxes.MARKER
    ]

    assert len(inked) == pytest.approx(80 * 20 * scale**2 / 9, rel=0.1)
    assert all(119 <= x <= 201 and 219 <= y <= 241 for x, y in inked)


def test_ink_stays_under_the_marker() -> None:
    black = make_png((595, 842), (0, 0, 0), pattern=False)
    png = boxes.mark_page(black, [BOX], SIZE, kind="figure", tag="1", words=[BOX])

    assert Image.open(io.BytesIO(png)).getpixel((400, 600)) == (0, 0, 0)


def test_the_tag_hides_no_words() -> None:
    line: BBox = (100.0, 300.0, 300.0, 314.0)
    png = boxes.mark_page(_white_page(), [line], SIZE, kind="text", tag="1 Text", words=[line])
    page = Image.open(io.BytesIO(png))
    scale = page.width / SIZE[0]

    assert page.getpixel((round(297 * scale), round(307 * scale))) == boxes.MARKER


def test_a_small_page_keeps_its_size_and_shows_each_kind_and_what_was_left_out() -> None:
    small = make_png((400, 566), (255, 255, 255), pattern=False)
    left_out: BBox = (400.0, 600.0, 500.0, 700.0)
    marks = [boxes.Mark(kind="figure", box=BOX, tag="F")]

    page = Image.open(io.BytesIO(boxes.mark_thumbnail(small, marks, SIZE, [left_out])))

    scale = page.width / SIZE[0]
    assert page.size == (400, 566)
    assert page.getpixel((round(100 * scale) - 1, round(380 * scale))) == (
        boxes.LINES["figure"].colour
    )
    inside = page.getpixel((round(250 * scale), round(300 * scale)))
    assert inside not in ((255, 255, 255), boxes.LINES["figure"].colour), "filled a little"
    edge = [page.getpixel((x, round(600 * scale) - 3)) for x in range(260, 340)]
    assert boxes.LEFT_OUT.colour in edge
    assert (255, 255, 255) in edge, "dashed"
