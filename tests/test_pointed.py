"""Questions that point to a page, against a real PDF with front matter, through the real engine."""

from __future__ import annotations

import pymupdf
import pytest

from rag.settings import Settings
from rag.types import Hit, Scope
from ui.services import Services, build

TOWNS = ("Orvik", "Lerum", "Tamse", "Vildal", "Hagby")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    folder = tmp_path_factory.mktemp("pointed")
    path = folder / "towns.pdf"
    with pymupdf.open() as document:
        for footer in ("", "", "1", "2", "3", "4", "5"):
            page = document.new_page()
            name = TOWNS[int(footer) - 1] if footer else "Contents"
            words = f"{name} lies by the river and keeps a market on the first day of the week. "
            page.insert_textbox((72, 90, 520, 700), words * 9, fontsize=11)
            page.insert_text((290, 820), footer)
        document.save(path)
    built = build(Settings(data_dir=folder / "data", _env_file=None))
    document_id = built.pipeline.admit(path.name, path.read_bytes()).document.id
    built.pipeline.run(document_id)
    yield built
    built.close()


def first_pages(services: Services, question: str) -> list[int | None]:
    hits: tuple[Hit, ...] = services.search(question, top_k=4).hits
    return list(dict.fromkeys(hit.page_number for hit in hits if hit.why == "named"))


def test_a_page_is_found_by_the_number_printed_on_it_and_then_by_its_count(
    services: Services,
) -> None:
    assert first_pages(services, "What does page 3 say about the market?") == [5, 3]


def test_the_last_page_is_the_last_one_counted(services: Services) -> None:
    assert first_pages(services, "What is on the last page?") == [7]


def test_a_page_that_is_not_there_changes_nothing(services: Services) -> None:
    assert first_pages(services, "What does page 900 say about the market?") == []


def test_a_page_is_looked_for_in_the_document_in_scope(services: Services) -> None:
    (document,) = services.documents()
    found = services.search("And page 2?", scope=Scope(documents=(document.id,)))
    assert found.hits[0].page_number == 4
    assert found.hits[0].why == "named"
