from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest

from ingest.pagelabels import PageLabels, printed_labels
from ingest.pdf import PdfReader
from rag.settings import IngestSettings


def labels_of(path: Path) -> dict[int, str]:
    """Labels of a real file, from the words alone: no layout model is needed for them."""
    reader = PdfReader(path, name=path.name, limits=IngestSettings())
    labels = PageLabels()
    for number in range(1, (reader.head.page_count or 0) + 1):
        labels.add(next(iter(reader.stages(number, plain=True))))
    reader.close()
    return labels.found()


def write_pages(path: Path, footers: list[str]) -> Path:
    with pymupdf.open() as document:
        for footer in footers:
            page = document.new_page()
            page.insert_text((72, 300), "Words in the middle of the page, 12 of them or so.")
            page.insert_text((280, 820), footer)
        document.save(path)
    return path


def test_numbers_that_rise_with_the_pages_are_page_numbers() -> None:
    numbers = {1: (), 2: (), 3: (1, 2015), 4: (2, 2015), 5: (3, 2015)}
    assert printed_labels(numbers) == {3: "1", 4: "2", 5: "3"}


def test_a_page_without_a_number_lies_between_two_that_have_one() -> None:
    assert printed_labels({1: (7,), 2: (8,), 3: (), 4: (10,)})[3] == "9"


def test_a_year_on_every_page_is_no_page_number() -> None:
    assert printed_labels(dict.fromkeys(range(1, 9), (2024,))) == {}


def test_two_pages_that_agree_by_chance_are_not_believed() -> None:
    assert printed_labels({1: (40,), 2: (41,), 3: (7,), 4: ()}) == {}


def test_parts_of_a_book_bound_together_keep_their_own_numbers() -> None:
    numbers = {1: (11,), 2: (12,), 3: (13,), 4: (90,), 5: (91,), 6: (92,)}
    assert printed_labels(numbers) == {1: "11", 2: "12", 3: "13", 4: "90", 5: "91", 6: "92"}


def test_runs_that_contradict_one_another_are_not_believed() -> None:
    by_chance = {1: (4,), 2: (5,), 3: (6,), 4: (1,), 5: (2,), 6: (3,), 7: ()}
    assert printed_labels(by_chance) == {}
    mostly = {page: (page + 20,) for page in range(1, 9)} | {9: (1,), 10: (2,), 11: (3,)}
    assert printed_labels(mostly) == {page: str(page + 20) for page in range(1, 9)}


@pytest.mark.parametrize("name", ["tracemonkey.pdf", "redp5110_sampled.pdf"])
def test_numbers_in_running_text_are_no_page_numbers(shared: Path, name: str) -> None:
    assert labels_of(shared / "corpus" / "pdf" / name) == {}


def test_front_matter_shifts_the_printed_numbers(tmp_path: Path) -> None:
    path = write_pages(tmp_path / "a.pdf", ["", "ii", "", "1", "2", "Page 3 of 4", "4"])
    assert labels_of(path) == {4: "1", 5: "2", 6: "3", 7: "4"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("e79deb02a0c0e87511080836c5d4347b.pdf", {5: "2", 17: "14"}),
        ("e639029d16094ea71d964e2fb953952b.pdf", {5: "1", 6: "2"}),
        ("2310.07609v1.pdf", {1: None, 10: None}),
    ],
)
def test_real_documents_say_what_their_pages_are_called(
    shared: Path, name: str, expected: dict[int, str]
) -> None:
    labels = labels_of(shared / "evaldata" / "mmlongbench_dev" / "pdfs" / name)
    assert {page: labels.get(page) for page in expected} == expected
