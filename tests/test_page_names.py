from __future__ import annotations

import pytest

from rag.page_names import PageName, named_pages


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("What is on page 5?", [5]),
        ("What date is at the beginning of page(1)?", [1]),
        ("the words in the rectangle on the top of the page two", [2]),
        ("Compare pages 3-4 and slide 12", [3, 4, 12]),
        ("p. 14 says what?", [14]),
        ("Was steht auf Seite 7?", [7]),
        ("第3页的图说明什么？", [3]),
        ("What is on page V?", []),
        ("How many pages are there?", []),
        ("Which page 5.2 million people read?", []),
        ("a two page letter of 2019", []),
        ("pages 10-900", [10]),
    ],
)
def test_pages_are_read_from_the_words_of_a_question(question: str, numbers: list[int]) -> None:
    assert [page.number for page in named_pages(question)] == numbers


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("Is there a signature present on the last page?", -1),
        ("What does the first page say?", 1),
        ("Was steht auf der letzten Seite?", -1),
        ("¿Qué dice la última página?", -1),
    ],
)
def test_a_page_may_be_called_by_its_place(question: str, number: int) -> None:
    assert named_pages(question) == (PageName(number, is_place=True),)


def test_a_pasted_text_names_no_more_than_its_first_pages() -> None:
    assert len(named_pages(" ".join(f"page {n}" for n in range(1, 400)))) == 3
