"""Which boxes are figures: merging, filters, fallbacks. Boxes are made by hand."""

from __future__ import annotations

import pytest

from ingest.arrange import Piece, arrange
from ingest.figures import find_missed, reason_to_skip, stacked_above, without_picture
from ingest.graphic_types import PageContext
from ingest.joining import grow_captioned, merge_overlapping
from ingest.layout import LayoutBox
from ingest.pageblocks import fill_boxes
from ingest.parts import Part
from ingest.spans import Span

PAGE = (600.0, 800.0)


def _words(text: str, box: tuple[float, float, float, float], line: int) -> Span:
    return Span(text=text, bbox=box, size=10, line=line)


def _arrange(
    boxes: list[LayoutBox],
    spans: list[Span],
    drawings: list[tuple[float, float, float, float]] | None = None,
) -> list[Piece]:
    context = PageContext(page_number=1, size=PAGE, drawings=lambda: drawings or [])
    return arrange(fill_boxes(boxes, spans), context)[0]


def test_parts_of_one_figure_join_the_captioned_one() -> None:
    owned = {7: (100.0, 100.0, 200.0, 200.0)}
    beside, next_to_it = (210.0, 100.0, 300.0, 200.0), (310.0, 100.0, 400.0, 200.0)
    free = [beside, next_to_it, (100.0, 500.0, 200.0, 600.0)]
    assert grow_captioned(owned, free, []) == {7: [0, 1]}


def test_a_figure_does_not_grow_over_text() -> None:
    owned = {0: (100.0, 100.0, 200.0, 200.0)}
    free = [(100.0, 220.0, 200.0, 300.0)]
    assert grow_captioned(owned, free, [(100.0, 203.0, 200.0, 217.0)]) == {0: []}


def test_overlapping_boxes_become_one() -> None:
    boxes = [(0.0, 0.0, 100.0, 100.0), (10.0, 10.0, 90.0, 90.0), (200.0, 0.0, 300.0, 100.0)]
    assert merge_overlapping(boxes) == [(0.0, 0.0, 100.0, 100.0), (200.0, 0.0, 300.0, 100.0)]


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ((0.0, 0.0, 20.0, 20.0), "too small to show anything"),
        ((0.0, 0.0, 600.0, 40.0), "a thin strip"),
        ((0.0, 0.0, 200.0, 150.0), None),
    ],
)
def test_pictures_that_show_nothing_are_left_out_with_a_reason(
    box: tuple[float, float, float, float], reason: str | None
) -> None:
    assert reason_to_skip(box, PAGE) == reason


def test_drawings_above_a_caption_are_found_and_frames_are_not() -> None:
    caption = (100.0, 300.0, 300.0, 310.0)
    frame, upper, lower = (
        (0.0, 0.0, 600.0, 800.0),
        (100.0, 120.0, 300.0, 200.0),
        (
            110.0,
            210.0,
            290.0,
            290.0,
        ),
    )
    assert find_missed(caption, [frame, upper, lower], [], PAGE) == (100.0, 120.0, 300.0, 290.0)
    assert find_missed(caption, [frame], [], PAGE) is None


def test_lines_of_a_listing_end_at_the_first_gap() -> None:
    caption = (100.0, 300.0, 300.0, 310.0)
    far, upper, lower = 100.0, 270.0, 285.0
    boxes = [(100.0, top, 250.0, top + 10) for top in (far, upper, lower)]
    assert stacked_above(caption, boxes) == [1, 2]


def test_a_figure_the_model_missed_is_drawn_from_its_caption() -> None:
    caption = _words("Figure 4. A pump.", (100, 300, 250, 310), 1)
    (piece,) = _arrange(
        [LayoutBox(kind="text", bbox=(100, 300, 250, 310))], [caption], [(100, 150, 300, 290)]
    )
    assert (piece.part.kind, piece.part.number) == ("figure", "Figure 4")
    assert piece.part.regions[0].bbox == (100, 150, 300, 290)


def test_a_caption_without_a_figure_stays_as_text() -> None:
    caption = _words("Figure 4. A pump.", (100, 300, 250, 310), 1)
    (piece,) = _arrange([LayoutBox(kind="caption", bbox=(100, 300, 250, 310))], [caption])
    assert (piece.part.kind, piece.part.text) == ("text", "Figure 4. A pump.")


def test_a_caption_split_in_two_boxes_is_joined() -> None:
    boxes = [
        LayoutBox(kind="caption", bbox=(100, 100, 140, 110)),
        LayoutBox(kind="text", bbox=(100, 114, 300, 124)),
        LayoutBox(kind="table", bbox=(100, 130, 300, 200), grid=(("a", "b"), ("1", "2"))),
    ]
    spans = [
        _words("Table 1", (100, 100, 140, 110), 1),
        _words("Yield of each lamp", (100, 114, 300, 124), 3),
        _words("a b 1 2", (110, 140, 200, 150), 5),
    ]
    (piece,) = _arrange(boxes, spans)
    assert piece.part.caption == "Table 1 Yield of each lamp"
    assert piece.part.number == "Table 1"


def test_running_text_inside_a_picture_box_is_not_lost() -> None:
    boxes = [LayoutBox(kind="picture", bbox=(50, 100, 550, 500))]
    spans = [
        _words("many words that make a sentence", (60, 110 + 20 * i, 400, 120 + 20 * i), i)
        for i in range(8)
    ]
    pieces = _arrange(boxes, spans)
    assert pieces[0].part.kind == "figure"
    assert "many words" in pieces[0].part.text
    assert any(piece.part.kind == "text" for piece in pieces)


def test_labels_of_an_axis_stay_inside_the_figure() -> None:
    boxes = [LayoutBox(kind="picture", bbox=(50, 100, 300, 300))]
    spans = [_words(str(i), (60, 110 + 20 * i, 70, 120 + 20 * i), 2 * i) for i in range(8)]
    (piece,) = _arrange(boxes, spans)
    assert piece.part.text.split() == [str(i) for i in range(8)]


def test_words_outside_all_boxes_are_put_in_where_they_stand() -> None:
    boxes = [
        LayoutBox(kind="text", bbox=(100, 100, 300, 110)),
        LayoutBox(kind="text", bbox=(100, 300, 300, 310)),
    ]
    spans = [
        _words("first", (100, 100, 300, 110), 1),
        _words("last", (100, 300, 300, 310), 3),
        _words("lost", (100, 200, 300, 210), 5),
    ]
    assert [piece.part.text for piece in _arrange(boxes, spans)] == ["first", "lost", "last"]


def test_without_its_picture_a_figure_leaves_its_words() -> None:
    figure = Part(kind="figure", caption="Figure 1. A pump.", text="inlet\noutlet")
    assert [part.text for part in without_picture(figure)] == ["Figure 1. A pump. inlet outlet"]
    assert without_picture(Part(kind="figure")) == []
