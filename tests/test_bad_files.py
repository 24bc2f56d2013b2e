"""Damaged, encrypted and endless files: one clear sentence, and what can be read is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.child import Session, Task, parse_in_child
from ingest.parts import DocumentHead, ParsedPage
from rag.errors import EncryptedFileError
from rag.settings import IngestSettings
from tests.builders import make_pdf

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "Bees find their way home by the position of the sun."


def _pages(path: Path, limits: IngestSettings, passwords: tuple[str, ...] = ()) -> list[ParsedPage]:
    head, *pages = parse_in_child(path, "pdf", name=path.name, limits=limits, passwords=passwords)
    assert isinstance(head, DocumentHead)
    assert head.page_count == len(pages)
    return [page for page in pages if isinstance(page, ParsedPage)]


@pytest.mark.parametrize(("number", "words"), [(1, 1_500), (2, 1_000)])
def test_slow_pages_keep_their_text_and_are_named(shared: Path, number: int, words: int) -> None:
    path = shared / "corpus" / "pdf" / "test_2548.pdf"
    limits = IngestSettings(page_timeout_s=1)  # less than these pages need on most machines
    task = Task(path=path, media_type="pdf", name=path.name, limits=limits)
    with Session(task) as session:
        page = session.parse_page(number)
    assert page.page_class == "text"
    assert sum(len(part.text) for part in page.parts) > words
    assert all(text.startswith(f"Page {number} ") for text in page.warnings)


def test_a_page_whose_content_is_damaged_is_named(shared: Path) -> None:
    pages = _pages(shared / "corpus" / "pdf" / "poppler-90-0-fuzzed.pdf", IngestSettings())
    empty = [page for page in pages if not page.parts and page.page_number != 14]
    assert len(empty) > 10
    for page in empty:
        assert page.warnings == (
            f"Page {page.page_number} is damaged; nothing on it could be read.",
        )


def test_an_empty_page_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    path.write_bytes(make_pdf([WORDS, []]))
    assert [page.warnings for page in _pages(path, IngestSettings())] == [(), ()]


def test_an_encrypted_file_asks_for_its_password_and_is_read_with_it(shared: Path) -> None:
    path = shared / "corpus" / "pdf" / "password-example.pdf"
    with pytest.raises(EncryptedFileError, match=r"password-example\.pdf is protected"):
        _pages(path, IngestSettings())
    with pytest.raises(EncryptedFileError, match="is wrong"):
        _pages(path, IngestSettings(), passwords=("not it",))
    assert len(_pages(path, IngestSettings(), passwords=("test",))) == 4


def test_a_file_cut_short_keeps_the_pages_that_are_there(tmp_path: Path) -> None:
    whole = make_pdf([f"{WORDS} Page {number}." for number in range(1, 6)])
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: int(len(whole) * 0.8)])
    pages = list(parse_in_child(path, "pdf", name="cut.pdf", limits=IngestSettings()))
    words = " ".join(
        part.text for page in pages if isinstance(page, ParsedPage) for part in page.parts
    )
    assert WORDS in words
