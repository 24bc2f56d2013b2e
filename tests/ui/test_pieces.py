"""Our own HTML: hostile strings show as plain text."""

from __future__ import annotations

from typing import Any

import pytest

from ui.web import pieces
from ui.web.pieces import Card

HOSTILE = "\"><img src=x onerror=alert(1)><script>&lt;'javascript:"
CARD = Card(marker=1, target=HOSTILE, title=HOSTILE, place=HOSTILE, kind="text")


@pytest.mark.parametrize(
    "html",
    [
        pieces.title(HOSTILE),
        pieces.lead(HOSTILE),
        pieces.section(HOSTILE, HOSTILE),
        pieces.meta(HOSTILE),
        pieces.question(HOSTILE),
        pieces.waiting(HOSTILE),
        pieces.note("err", HOSTILE, HOSTILE),
        pieces.badges([("ok", HOSTILE)]),
        pieces.source_cards([CARD]),
        pieces.plate_caption(CARD),
        pieces.job(HOSTILE, HOSTILE, 0.5),
        pieces.row(HOSTILE, HOSTILE),
        pieces.strip([(HOSTILE, HOSTILE, HOSTILE)]),
        pieces.document_title(HOSTILE),
        pieces.blank_page((4, 3), HOSTILE),
        pieces.page_words(HOSTILE, HOSTILE),
        pieces.figure_words(HOSTILE, HOSTILE, HOSTILE),
        pieces.bullets([HOSTILE]),
        pieces.table([HOSTILE], [[HOSTILE]]),
        pieces.promises([(HOSTILE, HOSTILE, HOSTILE)]),
        pieces.quote(HOSTILE, "figure"),
        pieces.quotes(HOSTILE, {1}, 0),
        pieces.plain(HOSTILE, {1}, 0),
        pieces.source_head(HOSTILE, HOSTILE, "page"),
        pieces.reader_block(HOSTILE, heading=True, marked=True),
        pieces.reader_figure(HOSTILE, marked=True),
        pieces.reader_table([[HOSTILE], [HOSTILE]], marked=False),
    ],
)
def test_hostile_text_is_escaped_in_every_piece(html: str) -> None:
    assert "<img" not in html
    assert "<script" not in html
    assert 'x"><' not in html
    assert "&lt;img" in html


def test_unknown_kinds_and_tones_never_reach_a_class_name() -> None:
    bad: Any = '"><img>'

    assert "<img>" not in pieces.note(bad, "a")
    assert "<img>" not in pieces.quote("a", bad)


@pytest.mark.parametrize(("share", "width"), [(-1, "f-w0"), (0.52, "f-w50"), (7, "f-w100")])
def test_bars_stay_between_nothing_and_all(share: float, width: str) -> None:
    assert width in pieces.bar(share)


def test_every_bar_width_is_in_the_style_sheet() -> None:
    from ui.web.page import STYLE

    css = STYLE.read_text(encoding="utf-8")
    assert all(f".f-w{width} {{" in css for width in range(0, 101, 5))


def test_quotes_link_known_marks_only() -> None:
    html = pieces.quotes("Word for word -> [1]\n\nA | 18 [2]", {1}, 2)

    assert html.count("<blockquote") == 2
    assert 'href="#cite-2-1"' in html
    assert "A | 18 [2]" in html
    assert "-&gt;" in html
