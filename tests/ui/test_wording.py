"""Short plain words for values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.ui.scripted import make_document, make_hit, make_progress
from ui.web import wording

REPORT = make_document("report.pdf")


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0, 0), "Add a document to start asking"),
        ((0, 0, 1), "You can ask as soon as the first text is ready"),
        ((0, 2, 0), "No document is ticked. Tick one in the library to search it"),
        ((1, 1, 0), "Searching 1 document"),
        ((3, 4, 0), "Searching 3 of 4 documents"),
        ((4, 4, 2), "Searching 4 documents, 2 still being read"),
    ],
)
def test_scope_line_says_what_is_searched(counts: tuple[int, int, int], words: str) -> None:
    assert wording.scope_line(*counts) == words


@pytest.mark.parametrize(("coming", "words"), [(0, "figures"), (1, "1 figure"), (4, "4 figures")])
def test_a_row_counts_the_figures_that_come_once_they_are_known(coming: int, words: str) -> None:
    document = replace(REPORT, state="readable", figures_pending=coming)

    assert wording.library_line(document) == f"Text ready, {words} to come"


def test_long_names_keep_their_ends() -> None:
    name = "a" * 5_000 + ".pdf"

    assert len(wording.cut_name(name)) == 119
    assert wording.cut_name(name).endswith(".pdf")


def test_titles_come_from_caption_heading_or_first_words() -> None:
    assert wording.source_title(make_hit(REPORT, "figure", caption="Figure 1. Rain")) == (
        "Figure 1. Rain"
    )
    assert wording.source_title(make_hit(REPORT, heading=())) == (
        "Output rose 42 per cent to 6.8 TWh."
    )
    assert wording.source_title(make_hit(REPORT, "figure", "", heading=())) == "Figure"
    assert wording.source_title(make_hit(REPORT, "page")) == "Page 3"


def test_places_count_pages_from_one_and_leave_them_out_for_web_pages() -> None:
    assert wording.source_place(make_hit(REPORT)) == "report.pdf, p. 3"
    assert wording.source_place(make_hit(make_document("a.html"), page=None)) == "a.html"
    assert wording.source_place_long(make_hit(REPORT, rank=9)).endswith("also in 1 other place")


@pytest.mark.parametrize(
    ("state", "pages", "figures", "line"),
    [
        ("queued", (0, None), (0, 0), "Waiting"),
        ("working", (0, None), (0, 0), "Reading"),
        ("working", (31, 58), (0, 0), "Text 31 of 58 pages"),
        ("readable", (58, 58), (0, 0), "Text is ready. Looking for figures"),
        ("readable", (58, 58), (14, 37), "Text is ready. 14 of 37 figures"),
    ],
)
def test_progress_counts_text_and_figures_apart(
    state: str, pages: tuple[int, int | None], figures: tuple[int, int], line: str
) -> None:
    document = make_document("scan.pdf", state)  # type: ignore[arg-type]
    progress = make_progress(document, pages=pages, figures=figures)

    assert wording.progress_line(progress) == line
    assert 0 <= wording.progress_share(progress) <= 1


@pytest.mark.parametrize(
    ("added_at", "words"),
    [
        ("2026-11-25T09:41:00+00:00", "Today 09:41 UTC"),
        ("2026-11-24T23:59:00Z", "Yesterday 23:59 UTC"),
        ("2026-11-25T01:00:00+14:00", "Yesterday 11:00 UTC"),
        ("2026-11-03T09:41:00+00:00", "2026-11-03"),
        ("not a time", "not a time"),
    ],
)
def test_times_are_told_in_utc(added_at: str, words: str) -> None:
    assert wording.when(added_at, datetime(2026, 11, 25, 12, tzinfo=UTC)) == words


def test_sizes_and_counts_carry_their_unit() -> None:
    assert wording.size(2_100_000) == "2.1 MB"
    assert wording.size(10) == "1 kB"
    assert wording.count(1, "page") == "1 page"
    assert wording.count(1_200, "page") == "1,200 pages"
