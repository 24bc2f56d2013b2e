"""What the extraction ceiling counts: loose and strict overlap, parts, captions, strays."""

from __future__ import annotations

import pytest

from bench.boxscore import Box, Counted, Found, Tally, count_page, fits, iou, is_large, shows

CHART = Counted(
    kind="figure", bbox=(100, 100, 300, 300), number="Figure 1", caption="Figure 1. Sales"
)


@pytest.mark.parametrize(
    ("found", "loose", "strict"),
    [
        pytest.param((100, 100, 300, 300), True, True, id="the same"),
        pytest.param((100, 100, 200, 200), True, False, id="a quarter of it"),
        pytest.param((0, 0, 399, 399), True, False, id="nearly four times as large"),
        pytest.param((0, 0, 600, 800), False, False, id="the page around it"),
        pytest.param((250, 250, 450, 450), False, False, id="a corner"),
        pytest.param((100, 100, 300, 440), True, True, id="with its caption"),
    ],
)
def test_a_box_shows_another_when_half_of_the_smaller_one_is_shared(
    found: Box, loose: bool, strict: bool
) -> None:
    assert (shows(found, CHART.bbox), fits(found, CHART.bbox)) == (loose, strict)


def test_regions_under_forty_points_do_not_count() -> None:
    assert is_large((0, 0, 40, 400))
    assert not is_large((0, 0, 39, 400))


def test_boxes_without_area_share_nothing() -> None:
    assert iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def _count(*found: Found, kind: str = "figure") -> Tally:
    tally = Tally()
    logo = Counted(kind="optional", bbox=(400, 0, 500, 60))
    count_page([CHART, logo], found, kind, tally, "p1")
    return tally


def test_a_figure_found_as_one_with_its_caption_is_right() -> None:
    tally = _count(
        Found(kind="figure", bbox=CHART.bbox, number="Figure 1", caption="Figure 1. Sales in 2024")
    )
    assert (tally.true, tally.whole, tally.parts, tally.right_captions, tally.false) == (
        1,
        1,
        1,
        1,
        0,
    )
    assert tally.misses == []


def test_halves_of_a_figure_are_two_parts_and_not_one_figure() -> None:
    tally = _count(
        Found(kind="figure", bbox=(100, 100, 195, 300)),
        Found(kind="figure", bbox=(205, 100, 300, 300)),
    )
    assert (tally.found, tally.whole, tally.parts, tally.right_captions) == (1, 0, 2, 0)


def test_a_caption_of_another_figure_is_wrong() -> None:
    tally = _count(
        Found(kind="figure", bbox=CHART.bbox, number="Figure 2", caption="Figure 2. Costs")
    )
    assert (tally.whole, tally.right_captions) == (1, 0)


def test_what_shows_no_figure_is_false_and_an_ornament_is_neither() -> None:
    tally = _count(
        Found(kind="figure", bbox=(400, 0, 500, 60)), Found(kind="figure", bbox=(0, 500, 90, 590))
    )
    assert (tally.true, tally.found, tally.false) == (1, 0, 1)


def test_a_figure_taken_for_a_table_is_missed_and_a_false_table() -> None:
    table = Found(kind="table", bbox=CHART.bbox)
    assert _count(table).found == 0
    assert _count(table, kind="table").false == 1
