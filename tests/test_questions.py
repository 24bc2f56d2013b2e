from __future__ import annotations

import pytest

from rag.questions import Named, named_things, read_label


@pytest.mark.parametrize(
    ("question", "kind", "number"),
    [
        ("What is in Figure 3?", "figure", "3"),
        ("see fig. 3-1 please", "figure", "3-1"),
        ("What does Fig. 2b show?", "figure", "2b"),
        ("row 2 of TABLE 4.68", "table", "4.68"),
        ("Was zeigt Abb. 7a?", "figure", "7a"),
        ("Was zeigt Abbildung 4 auf Seite 9?", "figure", "4"),
        ("Que montre le tableau 5 ?", "table", "5"),
        ("请看图3里的数字", "figure", "3"),
        ("Что показывает рисунок 12?", "figure", "12"),
        ("What does Ｆｉｇ．１ show?", "figure", "1"),
        ("the totals of Table IV", "table", "iv"),
    ],
    ids=[
        *("figure", "dashed", "panel", "table", "german", "with-page", "french", "chinese"),
        *("russian", "full-width", "roman"),
    ],
)
def test_a_figure_called_by_its_number_is_known_by_kind_and_number(
    question: str, kind: str, number: str
) -> None:
    first = named_things(question)[0]
    assert (first.kind, first.number) == (kind, number)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What does the chart on page 5 show?", Named(kind="figure", page_number=5)),
        ("Sum the table on page 12.", Named(kind="table", page_number=12)),
        ("On page 7, which colour has the largest slice of the pie chart?", "figure"),
        ("What is the title of the diagram in slide 9?", Named(kind="figure", page_number=9)),
        ("Welche Werte zeigt das Diagramm auf Seite 3?", Named(kind="figure", page_number=3)),
        ("第5页的图表显示什么?", Named(kind="figure", page_number=5)),
        ("What does the second figure show?", Named(kind="figure", place=2)),
        ("Was steht in der letzten Tabelle?", Named(kind="table", place=-1)),
        ("the first bar chart of the report", Named(kind="figure", place=1)),
        ("第二张图是什么?", Named(kind="figure", place=2)),
    ],
)
def test_a_figure_called_by_page_or_place_is_known(question: str, expected: Named | str) -> None:
    if isinstance(expected, str):
        expected = Named(kind="figure", page_number=7)
    assert named_things(question) == [expected]


@pytest.mark.parametrize(
    "question",
    [
        *("How many figures?", "3 tables", "", "Who figures on page?", "What is on page 5?"),
        *("Who took the first picture of a black hole?", "the first table made of glass"),
        "a stable 5 % and an unfigured 3",
        "the last chapter on page 4",
    ],
)
def test_no_name_names_nothing(question: str) -> None:
    assert named_things(question) == []


def test_several_are_named_in_order_and_a_range_by_its_parts() -> None:
    assert [n.number for n in named_things("Compare Figures 2 and 5 with Table 1")] == [
        *("2", "5", "1")
    ]
    assert [n.number for n in named_things("Figures 2-3")] == ["2-3", "2", "3"]


def test_a_pasted_text_names_at_most_three() -> None:
    assert len(named_things("Figure 1. " * 10 + "Figure 2. Figure 3. Figure 4. Figure 5.")) == 3


@pytest.mark.parametrize(
    ("label", "family"),
    [("Fig. 3", "figure"), ("Abbildung 3", "figure"), ("Chart 3", "chart"), ("図3", "figure")],
)
def test_labels_of_documents_are_read_as_questions_are(label: str, family: str) -> None:
    read = read_label(label)
    assert read is not None
    assert (read.number, read.family) == ("3", family)


def test_a_supplement_is_not_the_figure_of_its_number() -> None:
    assert read_label("Supplementary Fig. 3") is None
