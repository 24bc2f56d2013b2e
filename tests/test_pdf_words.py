"""The pure parts of PDF reading: characters, paragraphs, captions, grids."""

from __future__ import annotations

import pytest

from ingest.captions import is_caption, lacks_text, match_captions, read_label
from ingest.headings import heading_level
from ingest.paragraphs import join_lines, to_lines, words_of
from ingest.spans import Span
from ingest.tables import holds_words, is_trusted, to_markdown


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        pytest.param(["a pro-", "gram runs"], "a program runs", id="broken word"),
        pytest.param(["the Trace-", "Monkey VM"], "the TraceMonkey VM", id="broken name"),
        pytest.param(["is type-", "specialized code"], "is type-specialized code", id="compound"),
        pytest.param(["pages 3-", "4 and"], "pages 3- 4 and", id="range"),
        pytest.param(["two  spaces", "", "here"], "two spaces here", id="spaces"),
    ],
)
def test_lines_join_to_one_paragraph(lines: list[str], joined: str) -> None:
    known = words_of(["TraceMonkey compiles", "a type-specialized trace"])
    assert join_lines(lines, known) == joined


def _span(text: str, x: float, y: float, line: int) -> Span:
    return Span(text=text, bbox=(x, y, x + 5 * len(text), y + 10), size=10, line=line)


def test_runs_the_file_broke_apart_stand_on_one_line_again() -> None:
    item, below = _span("Item", 72, 50.5, 1), _span("x", 72, 70, 2)
    lines = to_lines([_span("Total", 300, 50, 3), item, below])
    assert [line.text for line in lines] == ["Item Total", "x"]


def test_dot_leaders_are_shortened() -> None:
    (line,) = to_lines([_span("Preface . . . . . . . . . . . vii", 72, 50, 1)])
    assert line.text == "Preface … vii"


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("Figure 3. LIR snippet", "figure", "Figure 3"),
        ("Fig. 4. Anodic curve", "figure", "Fig. 4"),
        ("FIGURE 2-1: Overview", "figure", "FIGURE 2-1"),
        ("Supplemental Figure 7. Effect", "figure", "Supplemental Figure 7"),
        ("Table 2-1 FUNCTION_USAGE view", "table", "Table 2-1"),
        ("TABLE IV. Results", "table", "TABLE IV"),
        ("Abbildung 5: Aufbau", "figure", "Abbildung 5"),
        ("Abb. 12 Aufbau", "figure", "Abb. 12"),
        ("Рис. 1. Схема", "figure", "Рис. 1"),
        ("Таблица 3 – Итоги", "table", "Таблица 3"),
        ("図1 構成", "figure", "図1"),
        ("图 2：结构", "figure", "图 2"),
        ("[표 1] 비교", "table", "표 1"),
        ("Şekil 4. Akış", "figure", "Şekil 4"),
    ],
)
def test_labels_of_many_languages_are_read(text: str, kind: str, number: str) -> None:
    label = read_label(text)
    assert label is not None
    assert (label.kind, label.number) == (kind, number)


@pytest.mark.parametrize(
    ("text", "is_beside", "expected"),
    [
        pytest.param("Figure 13. Detailed statistics", False, True, id="stop"),
        pytest.param("Table 1", False, True, id="label only"),
        pytest.param("Figure 3-1 CREATE PERMISSION statement", True, True, id="name beside"),
        pytest.param("Figure 3-1 CREATE PERMISSION statement", False, False, id="name alone"),
        pytest.param("Figure 2 shows the state machine.", True, False, id="sentence"),
        pytest.param("図1は構成を示す。", True, False, id="japanese sentence"),
        pytest.param("Figures are nice.", True, False, id="no number"),
        pytest.param("Tab vs. space", True, False, id="roman-looking words"),
        pytest.param("Mapping 3 things", True, False, id="word that begins like a label"),
    ],
)
def test_captions_are_told_from_sentences(text: str, is_beside: bool, expected: bool) -> None:
    assert is_caption(text, is_classed=False, is_beside=is_beside) is expected


def test_a_label_alone_waits_for_its_words() -> None:
    assert lacks_text("Table 1")
    assert not lacks_text("Table 1. Yield by lamp")


def test_figure_captions_stand_below_and_table_captions_above() -> None:
    upper, lower = (100.0, 100.0, 300.0, 200.0), (100.0, 230.0, 300.0, 330.0)
    between = (100.0, 210.0, 300.0, 220.0)
    figures = [(upper, "figure"), (lower, "figure")]
    tables = [(upper, "table"), (lower, "table")]
    assert match_captions([(between, "figure")], figures) == {0: 0}
    assert match_captions([(between, "table")], tables) == {0: 1}


def test_a_caption_of_the_other_column_is_not_taken() -> None:
    left_picture, right_caption = (60.0, 100.0, 290.0, 200.0), (320.0, 210.0, 540.0, 220.0)
    assert match_captions([(right_caption, "figure")], [(left_picture, "figure")]) == {}


@pytest.mark.parametrize(
    ("text", "is_title", "size", "level"),
    [
        ("A Study of Bees", True, 20.0, 1),
        ("3 Trace Trees", False, 11.0, 2),
        ("3.1 Traces", False, 10.0, 3),
        ("2.4.1.1 Deep", False, 10.0, 5),
        ("Abstract", False, 12.0, 2),
        ("Run-in heading", False, 10.0, 3),
    ],
)
def test_heading_levels(text: str, is_title: bool, size: float, level: int) -> None:
    assert heading_level(text, is_title=is_title, size=size, body_size=10.0) == level


def test_a_grid_whose_columns_ran_into_cells_is_not_trusted() -> None:
    column = "\n".join("1234567")
    assert not is_trusted((("State", "Permit"), (column, column), (column, column)))
    assert is_trusted((("State", "Permit"), ("Alabama", "1"), ("Alaska", "2")))
    paragraph = "\n".join(["a long line of a paragraph"] * 4)
    assert is_trusted((("Before", "After"), (paragraph, paragraph), (paragraph, paragraph)))


def test_a_grid_that_lost_words_is_noticed() -> None:
    grid = (("Lamp", "Yield"), ("Red", "42 kg"))
    assert holds_words(grid, "Lamp Yield\nRed 42 kg")
    assert not holds_words(grid, "Lamp Yield Price\nRed 42 kg 7 euro a day")


def test_markdown_escapes_bars_and_leaves_out_empty_rows_and_columns() -> None:
    grid = (("a|b", "", "c"), ("", "", ""), ("1\n2", "", "3"))
    assert to_markdown(grid) == "| a\\|b | c |\n|---|---|\n| 1 2 | 3 |"
