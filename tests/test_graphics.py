"""Parts joined, photos found and split, titles given, listings told. Boxes are made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ingest.arrange import Piece, arrange
from ingest.figures import SeenImages
from ingest.graphic_types import PageContext, PlacedImage
from ingest.layout import LayoutBox
from ingest.pageblocks import fill_boxes
from ingest.parts import Skipped
from ingest.spans import Span
from rag.types import BBox

PAGE = (600.0, 800.0)


def _words(text: str, box: BBox, line: int, *, is_mono: bool = False) -> Span:
    return Span(text=text, bbox=box, size=10, line=line, is_mono=is_mono)


def _image(box: BBox, *, px: int = 400, stored_bytes: int = 9_000) -> PlacedImage:
    return PlacedImage(bbox=box, width_px=px, height_px=px, stored_bytes=stored_bytes)


def _arrange(
    boxes: Sequence[LayoutBox],
    spans: Sequence[Span] = (),
    *,
    images: Sequence[PlacedImage] = (),
    repeated: Sequence[PlacedImage] = (),
    drawings: Sequence[BBox] = (),
) -> tuple[list[Piece], list[Skipped]]:
    context = PageContext(
        page_number=1,
        size=PAGE,
        images=images,
        repeated=repeated,
        drawings=lambda: [*drawings, *(image.bbox for image in images)],
    )
    return arrange(fill_boxes(boxes, spans), context)


def _figures(pieces: Sequence[Piece]) -> list[BBox]:
    return [p.part.regions[0].bbox for p in pieces if p.part.kind in ("figure", "page")]


def _picture(*box: float) -> LayoutBox:
    return LayoutBox(kind="picture", bbox=(box[0], box[1], box[2], box[3]))


# -- parts of one figure -------------------------------------------------------------------


def test_halves_of_a_picture_that_was_cut_become_one() -> None:
    boxes = [_picture(50, 100, 298, 300), _picture(297, 100, 540, 300), _picture(50, 301, 540, 400)]
    assert _figures(_arrange(boxes)[0]) == [(50, 100, 540, 400)]


def test_photos_one_over_the_other_stay_two() -> None:
    boxes = [_picture(50, 100, 150, 220), _picture(50, 245, 150, 365)]
    assert len(_figures(_arrange(boxes)[0])) == 2


def test_a_row_of_labels_joins_its_chart_and_a_far_one_is_left_out_with_the_reason() -> None:
    pieces, skipped = _arrange([_picture(50, 100, 300, 300), _picture(90, 306, 250, 320)])
    assert (_figures(pieces), skipped) == ([(50, 100, 300, 320)], [])
    pieces, skipped = _arrange([_picture(50, 100, 300, 300), _picture(90, 350, 250, 364)])
    assert _figures(pieces) == [(50, 100, 300, 300)]
    assert [s.reason for s in skipped] == ["too small to show anything"]


# -- titles --------------------------------------------------------------------------------

TITLE = LayoutBox(kind="section-header", bbox=(50, 60, 400, 74))
TITLE_WORDS = _words("Views of each other over the years", (50, 60, 400, 74), 1)
SOURCE = LayoutBox(kind="text", bbox=(50, 310, 300, 320))
SOURCE_WORDS = _words("Source: Survey of 2019.", (50, 310, 300, 320), 9)


def test_a_title_over_two_charts_makes_them_one_figure() -> None:
    boxes = [TITLE, _picture(50, 90, 230, 300), _picture(240, 90, 420, 300)]
    (figure,) = [p for p in _arrange(boxes, [TITLE_WORDS])[0] if p.part.kind == "figure"]
    assert figure.part.regions[0].bbox == (50, 60, 420, 300)
    assert figure.part.caption == "Views of each other over the years"


def test_notes_are_in_the_caption_and_not_in_the_picture() -> None:
    boxes = [TITLE, _picture(50, 90, 400, 300), SOURCE]
    (figure,) = [
        p for p in _arrange(boxes, [TITLE_WORDS, SOURCE_WORDS])[0] if p.part.kind == "figure"
    ]
    assert figure.part.regions[0].bbox == (50, 60, 400, 300)
    assert figure.part.caption == "Views of each other over the years Source: Survey of 2019."


def test_a_source_line_classed_as_caption_does_not_keep_the_title_away() -> None:
    line = _words("From the tracking survey of 2013.", (50, 310, 300, 320), 9)
    boxes = [TITLE, _picture(50, 90, 400, 300), LayoutBox(kind="caption", bbox=line.bbox)]
    (figure,) = [p for p in _arrange(boxes, [TITLE_WORDS, line])[0] if p.part.kind == "figure"]
    assert figure.part.caption == (
        "Views of each other over the years From the tracking survey of 2013."
    )


def test_a_table_without_a_label_takes_the_title_above_and_keeps_its_box() -> None:
    grid = (("Year", "Share"), ("2018", "7"), ("2019", "9"))
    words = _words("Year Share 2018 7 2019 9", (60, 100, 380, 110), 3)
    table = LayoutBox(kind="table", bbox=(50, 90, 400, 200), grid=grid)
    (piece,) = [
        p for p in _arrange([TITLE, table], [TITLE_WORDS, words])[0] if p.part.kind == "table"
    ]
    assert piece.part.caption == "Views of each other over the years"
    assert piece.part.regions[0].bbox == (50, 90, 400, 200)


# -- photos --------------------------------------------------------------------------------

COVER: BBox = (100.0, 300.0, 500.0, 700.0)


def test_an_image_that_the_model_missed_is_a_figure() -> None:
    assert _figures(_arrange([], images=[_image(COVER)])[0]) == [COVER]


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(_image((0, 0, 600, 790)), id="the paper of the page"),
        pytest.param(_image((100, 300, 150, 700)), id="narrow"),
        pytest.param(_image(COVER, px=40), id="few pixels"),
    ],
)
def test_images_that_are_no_photos_are_not_looked_at(image: PlacedImage) -> None:
    assert _figures(_arrange([], images=[image])[0]) == []


def test_an_image_under_words_or_of_the_page_before_is_a_background() -> None:
    lines = [_words("words " * 12, (110, 310 + 20 * i, 490, 320 + 20 * i), i) for i in range(12)]
    assert _figures(_arrange([], lines, images=[_image(COVER)])[0]) == []
    assert _figures(_arrange([], images=[_image(COVER)], repeated=[_image(COVER)])[0]) == []


def test_one_box_over_several_photos_comes_apart() -> None:
    photos = [_image((60, 110, 150, 200)), _image((160, 210, 250, 300))]
    assert _figures(_arrange([_picture(50, 100, 260, 310)], images=photos)[0]) == [
        photo.bbox for photo in photos
    ]


@pytest.mark.parametrize("is_captioned", [True, False], ids=["captioned", "tiles"])
def test_one_figure_of_several_images_stays_one(is_captioned: bool) -> None:
    second = (160, 210, 250, 300) if is_captioned else (151, 110, 250, 200)
    images = [_image((60, 110, 150, 200)), _image(second)]
    caption = _words("Figure 1. Two birds.", (50, 315, 200, 325), 1)
    boxes = [_picture(50, 100, 260, 310), LayoutBox(kind="caption", bbox=caption.bbox)]
    pieces, _ = _arrange(boxes[: 1 + is_captioned], [caption] * is_captioned, images=images)
    assert _figures(pieces) == [(50, 100, 260, 310)]


def test_letters_drawn_as_a_mask_are_left_out_with_the_reason() -> None:
    heading: BBox = (72.0, 100.0, 500.0, 142.0)
    pieces, skipped = _arrange([_picture(*heading)], images=[_image(heading, px=2)])
    assert _figures(pieces) == []
    assert [s.reason for s in skipped] == ["an area of colour or letters drawn as a shape"]
    axes: BBox = (80.0, 100.0, 400.0, 140.0)
    pieces, _ = _arrange([_picture(*heading)], images=[_image(heading, px=2)], drawings=[axes])
    assert _figures(pieces) == [heading]


def test_an_image_is_repeated_at_the_same_place_on_a_later_page_only() -> None:
    seen, logo = SeenImages(), _image((10, 10, 90, 90))
    assert seen.repeated([logo], 1) == []
    assert seen.repeated([logo], 1) == []  # a page is arranged twice
    assert seen.repeated([logo], 2) == [logo]
    assert seen.repeated([_image((300, 10, 380, 90))], 3) == []
    assert seen.repeated([_image((10, 10, 90, 90), stored_bytes=77)], 3) == []


# -- listings and tables --------------------------------------------------------------------


def _listing(*, is_mono: bool) -> list[Piece]:
    code = [
        _words(text, (60, 100 + 12 * i, 300, 110 + 12 * i), i, is_mono=is_mono)
        for i, text in enumerate(("mov eax, 1", "add eax, 2", "ret 0"))
    ]
    caption = _words("Figure 3. A snippet.", (60, 150, 200, 160), 9)
    grid = (("mov eax,", "1"), ("add eax,", "2"), ("ret", "0"))
    boxes = [
        LayoutBox(kind="table", bbox=(60, 100, 300, 136), grid=grid),
        LayoutBox(kind="caption", bbox=caption.bbox),
    ]
    return _arrange(boxes, [*code, caption])[0]


def test_a_table_of_code_under_a_figure_caption_is_a_figure_and_text() -> None:
    pieces = _listing(is_mono=True)
    assert [piece.part.kind for piece in pieces] == ["figure", "text"]
    assert pieces[0].part.number == "Figure 3"
    assert pieces[1].part.text == "mov eax, 1\nadd eax, 2\nret 0"


def test_a_table_that_can_be_read_stays_one_under_a_figure_caption() -> None:
    (piece,) = _listing(is_mono=False)
    assert (piece.part.kind, piece.part.number) == ("table", "Figure 3")


def test_a_list_of_contents_is_text() -> None:
    lines = ["Preface … 3", "Ships … 4", "Winds … 19", "Index … 88"]
    spans = [_words(text, (60, 100 + 12 * i, 300, 110 + 12 * i), i) for i, text in enumerate(lines)]
    grid = tuple(tuple(line.split(" … ")) for line in lines)
    (piece,) = _arrange([LayoutBox(kind="table", bbox=(60, 98, 310, 150), grid=grid)], spans)[0]
    assert (piece.part.kind, piece.part.text) == ("text", "\n".join(lines))


# -- captions of tables below, frames of rules ------------------------------------------------


def _frame_page(*rules: BBox) -> list[Piece]:
    prompt = [
        _words(f"You are a careful expert {i}.", (150, 100 + 20 * i, 400, 110 + 20 * i), 3 * i)
        for i in range(3)
    ]
    upper = _words("Table 1: Prompt for the test.", (150, 172, 400, 182), 20)
    cells = _words("Year Share 2018 7", (150, 220, 400, 230), 30)
    lower = _words("Table 2: Shares by year.", (150, 272, 400, 282), 40)
    grid = (("Year", "Share"), ("2018", "7"))
    boxes = [
        *(LayoutBox(kind="text", bbox=span.bbox) for span in prompt),
        LayoutBox(kind="caption", bbox=upper.bbox),
        LayoutBox(kind="table", bbox=(140, 200, 460, 260), grid=grid),
        LayoutBox(kind="caption", bbox=lower.bbox),
    ]
    context = PageContext(page_number=1, size=PAGE, rulings=lambda: rules)
    return arrange(fill_boxes(boxes, [*prompt, upper, cells, lower]), context)[0]


def test_words_between_rules_over_a_table_caption_are_that_table() -> None:
    pieces = _frame_page((140.0, 95.0, 410.0, 95.5), (140.0, 165.0, 410.0, 165.5))
    tables = [piece.part for piece in pieces if piece.part.kind == "table"]
    assert [table.number for table in tables] == ["Table 1", "Table 2"]
    assert tables[0].text.startswith("You are a careful expert 0.")
    assert tables[0].regions[0].bbox == (140, 95, 410, 165.5)
    assert tables[1].text.startswith("| Year | Share |")


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([], id="no rules"),
        pytest.param([(140.0, 95.0, 410.0, 95.5), (90.0, 165.0, 310.0, 165.5)], id="uneven"),
        pytest.param([(140.0, 95.0, 460.0, 95.5), (140.0, 300.0, 460.0, 300.5)], id="around all"),
        pytest.param([(140.0, 95.0, 410.0, 95.5), (140.0, 135.0, 410.0, 135.5)], id="far off"),
    ],
)
def test_other_rules_make_no_table(rules: list[BBox]) -> None:
    pieces = _frame_page(*rules)
    assert len([piece for piece in pieces if piece.part.kind == "table"]) == 1
