from __future__ import annotations

import pytest

from rag.questions import named_labels


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("What is in Figure 3?", "figure 3"),
        ("see fig. 3-1 please", "fig. 3-1"),
        ("row 2 of TABLE 4.68", "table 4.68"),
        ("Was zeigt Abb. 7a?", "abb. 7a"),
    ],
    ids=["figure", "dashed", "table", "german"],
)
def test_a_figure_called_by_its_number_is_known_under_its_labels(question: str, label: str) -> None:
    assert label in named_labels(question)


@pytest.mark.parametrize("question", ["How many figures?", "3 tables", ""])
def test_no_number_names_no_figure(question: str) -> None:
    assert named_labels(question) == []
