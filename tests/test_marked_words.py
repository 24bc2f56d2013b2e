"""The words of a quote, found on a page or in a text: all of them, or none, never others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.pages import draw_page
from ingest.pagewords import MAX_WORD_CHARACTERS, MAX_WORDS, PageWord
from ingest.wire import WireError, words_from_wire, words_to_wire
from rag.types import BBox, Region
from tests.builders import PageSpec, make_pdf
from ui.quoted_words import Found, find_in_texts, find_on_pages, fold

LETTER_PT, LINE_PT = 6.0, 15.0
WIND = "Row A sent 97.3 GWh ashore in 2031, the most of all rows."


def _lay(lines: Sequence[str], left: float = 70.0, top: float = 100.0) -> list[PageWord]:
    """Words of lines set in a type whose letters are 6 points wide."""
    words = []
    for row, line in enumerate(lines):
        at = 0
        for text in line.split(" "):
            x, y = left + at * LETTER_PT, top + row * LINE_PT
            words.append(PageWord(text, (x, y, x + len(text) * LETTER_PT, y + 12)))
            at += len(text) + 1
    return words


def _around(words: Sequence[PageWord], page: int = 1) -> Region:
    boxes = [word.bbox for word in words]
    box = (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )
    return Region(page_number=page, bbox=box)


def _under(found: Found, words: Sequence[PageWord], page: int = 1) -> str:
    """What a reader sees under the marks."""
    return " ".join(
        word.text
        for x0, y0, x1, y1 in found.boxes.get(page, ())
        for word in words
        if x0 <= (word.bbox[0] + word.bbox[2]) / 2 <= x1 and y0 <= word.bbox[1] + 6 <= y1
    )


def _find(quote: str, words: Sequence[PageWord]) -> Found:
    return find_on_pages(quote, {1: words}, [_around(words)])


def test_words_on_one_line_share_a_mark_and_a_new_line_has_its_own() -> None:
    words = _lay(["Before it. Row A sent", "97.3 GWh ashore in 2031. After."])
    found = _find("Row A sent 97.3 GWh ashore in 2031.", words)

    assert len(found.boxes[1]) == 2
    assert found.share == 1.0
    assert _under(found, words) == "Row A sent 97.3 GWh ashore in 2031."


@pytest.mark.parametrize(
    ("quote", "lines"),
    [
        ("ROW A SENT it ashore", ["Row A sent", "it ashore"]),
        ("The efficient office filed it", ["The eﬃcient oﬃce", "ﬁled it"]),
        ("A type-specialized TraceMonkey", ["A type-", "specialized Trace-", "Monkey"]),
        ("Nordhavn is a seaside town", ["Nordhavn is a sea\u00ad", "side town"]),
        ("about 10⁶ turns of the rotor", ["about 106 turns of", "the rotor"]),
        ("about 10^6 turns of the rotor", ["about 10⁶ turns of", "the rotor"]),
        ("a naïve reading of ﬁve", ["a nai\u0308ve reading", "of five"]),
        ("Die Straße ist gesperrt", ["Die STRASSE ist", "gesperrt"]),
        ("“Rose” — fell, and rose", ['"Rose" - fell,', "and rose"]),
        ("| Row A | 97.3 GWh | 41 % |", ["Row A 97.3 GWh", "41 %"]),
    ],
    ids=["case", "ligatures", "hyphens", "soft hyphen", "power", "caret", "accents", "sharp s",
         "dashes and quotes", "cells of a table"],
)  # fmt: skip
def test_ways_of_writing_the_same_words_are_all_found(quote: str, lines: list[str]) -> None:
    words = _lay(["Something else stands here.", *lines, "And here."])
    found = _find(quote, words)

    assert found.share == 1.0
    assert _under(found, words) == " ".join(lines)


def test_of_words_that_stand_twice_those_at_the_place_are_marked() -> None:
    above, below = _lay([WIND], top=100), _lay([WIND], top=400)
    regions = [_around(above), _around(below)]
    pages = {1: [*above, *below]}

    assert find_on_pages(WIND, pages, regions).boxes[1][0][1] == 100
    assert find_on_pages(WIND, pages, regions, regions[1]).boxes[1][0][1] == 400


def test_nothing_outside_the_regions_is_marked() -> None:
    inside, outside = _lay(["Nothing of the kind."], top=100), _lay([WIND], top=400)

    assert not find_on_pages(WIND, {1: [*inside, *outside]}, [_around(inside)]).boxes


def test_a_quote_over_two_columns_is_marked_in_both_without_what_stands_between() -> None:
    left = _lay(["Row A sent 97.3", "GWh ashore in"], left=70, top=700)
    foot = _lay(["1 A note at the foot."], left=70, top=760)
    right = _lay(["2031, the most of", "all rows. More."], left=330, top=100)
    words = [*left, *foot, *right]
    found = find_on_pages(WIND, {1: words}, [_around(left), _around(right)])

    assert _under(found, words) == WIND
    assert find_on_pages(WIND, {1: words}, [_around(words)]).share == 1.0, "with the note inside"
    assert "note" not in _under(find_on_pages(WIND, {1: words}, [_around(words)]), words)


def test_a_quote_over_two_pages_is_marked_on_both() -> None:
    first, second = (
        _lay(["Row A sent 97.3 GWh"], top=700),
        _lay(["ashore in 2031, the most of all rows."]),
    )
    found = find_on_pages(WIND, {3: first, 4: second}, [_around(first, 3), _around(second, 4)])

    assert _under(found, first, 3) == "Row A sent 97.3 GWh"
    assert _under(found, second, 4) == "ashore in 2031, the most of all rows."


def test_a_part_of_a_word_is_marked_as_a_part() -> None:
    words = _lay(["rose—fell by 3"])
    ((x0, _, x1, _),) = _find("fell by 3", words).boxes[1]

    assert x0 == pytest.approx(70 + 5 * LETTER_PT)
    assert x1 == words[-1].bbox[2]


@pytest.mark.parametrize(
    "quote",
    ["", " — ", "Column B fell to 12.1 TWh in the year 2029, the least of any.", "is", "ow A se"],
    ids=["empty", "signs", "other words", "inside another word", "parts of words"],
)
def test_what_is_not_there_is_not_marked(quote: str) -> None:
    words = _lay(["This row is not it: " + WIND]) if quote != "is" else _lay(["This thistle"])

    assert _find(quote, words) == Found({}, 0.0)


def test_a_quote_of_which_a_third_is_missing_is_not_marked_at_all() -> None:
    words = _lay(["Row A sent 97.3 GWh ashore"])

    assert not _find("Row A sent 97.3 GWh ashore and then nothing more", words).boxes


def test_a_row_whose_cells_have_two_lines_each_is_found_by_rows_of_the_page() -> None:
    words = [*_lay(["Row A"], 70), *_lay(["Row B"], 70, 115), *_lay(["97.3 GWh"], 200)]
    found = _find("| Row A | 97.3 GWh |", words)

    assert _under(found, words) == "Row A 97.3 GWh"


@given(
    st.lists(
        st.sampled_from(["wind", "rose", "in", "2031", "fell", "ﬁve", "row-", "97.3"]), max_size=40
    ),
    st.integers(0, 30),
    st.integers(1, 12),
)
def test_whatever_is_marked_reads_like_the_quote(texts: list[str], start: int, count: int) -> None:
    words = _lay([" ".join(texts[i : i + 6]) for i in range(0, len(texts), 6)]) if texts else []
    quote = " ".join(texts[start : start + count])
    found = find_on_pages(quote, {1: words}, [_around(words)] if words else [])

    if len(fold(quote)) >= 12 or (texts and fold(quote)):
        assert fold(_under(found, words)) == fold(quote)
    else:
        assert not found.boxes


def test_words_of_a_turned_page_with_a_cut_margin_stand_where_they_are_drawn(
    tmp_path: Path,
) -> None:
    import pymupdf

    data = make_pdf([PageSpec(lines=[WIND])])
    document = pymupdf.open(stream=data)
    document[0].set_cropbox(pymupdf.Rect(40, 60, 560, 700))
    document[0].set_rotation(90)
    path = tmp_path / "turned.pdf"
    path.write_bytes(document.tobytes())
    document.close()

    drawn = draw_page(path, 1, long_side_px=1_280, timeout_s=30)

    found = find_on_pages(WIND, {1: drawn.words}, [Region(page_number=1, bbox=(0, 0, 640, 520))])
    assert found.share == 1.0
    assert _darkest(drawn.png, found.boxes[1][0], 2.0) < 120, "ink under the mark"
    assert _darkest(drawn.png, (5, 5, 300, 500), 2.0) > 250, "and none beside it"


def _darkest(png: bytes, box: BBox, scale: float) -> int:
    import io

    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("L")
    part = picture.crop(tuple(round(value * scale) for value in box))  # type: ignore[arg-type]
    darkest = part.getextrema()[0]
    assert isinstance(darkest, int)
    return darkest


def test_a_persian_sentence_is_found_in_the_order_it_is_read(shared: Path) -> None:
    path = shared / "corpus" / "pdf" / "right_to_left_03.pdf"
    drawn = draw_page(path, 1, long_side_px=200, timeout_s=30)
    everywhere = [Region(page_number=1, bbox=(0, 0, 2_000, 2_000))]

    found = find_on_pages("سازمان ملی استاندارد ايران", {1: drawn.words}, everywhere)

    assert found.share == 1.0


def test_words_of_a_page_pass_the_pipe_unchanged() -> None:
    words = _lay([WIND])

    assert words_from_wire(words_to_wire(words)["words"]) == words


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [["a", 1, 2, 3]],
        [["a", 1, 2, 3, float("nan")]],
        [["a" * (MAX_WORD_CHARACTERS + 1), 1, 2, 3, 4]],
        [["a", 1, 2, 3, 4]] * (MAX_WORDS + 1),
        [[7, 1, 2, 3, 4]],
    ],
    ids=["nothing", "no box", "no number", "endless word", "too many", "no text"],
)
def test_words_that_a_hostile_page_made_up_are_refused(sent: Any) -> None:
    with pytest.raises(WireError):
        words_from_wire(sent)


def test_a_quote_is_found_in_a_text_and_over_several() -> None:
    assert find_in_texts("rose by 3 %", ["It rose by 3 %, they say."]) == [[(3, 14)]]
    blocks = ["Rows A and B fell.", "Row C rose", "by 3 % in June."]
    spans = find_in_texts("Row C rose by 3 % in June", blocks)
    assert [[block[a:b] for a, b in found] for block, found in zip(blocks, spans, strict=True)] == [
        [],
        ["Row C rose"],
        ["by 3 % in June"],
    ]


def test_a_quote_that_is_not_in_a_text_leaves_it_as_it_is() -> None:
    assert find_in_texts("Nobody said so in any year.", [WIND, "More."]) == [[], []]
