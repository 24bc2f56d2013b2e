"""Kept page pictures and words: drawn once, gone with their document, two at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import ingest.pages
from rag.errors import EncryptedFileError
from rag.files import FileStore
from rag.settings import Settings
from tests.builders import make_pdf
from tests.ui.scripted import make_document, make_hit
from ui.cited import draw_ahead
from ui.pictures import MAX_CHILDREN, PagePictures

if TYPE_CHECKING:
    from pathlib import Path

    from rag.types import Document

WORDS = "Row A sent 97.3 GWh ashore in 2031."


@pytest.fixture
def pictures(tmp_path: Path) -> PagePictures:
    settings = Settings(data_dir=tmp_path)
    settings = settings.model_copy(
        update={"store": settings.store.model_copy(update={"reserve_mb": 0})}
    )
    return PagePictures(settings, FileStore(tmp_path / "files", reserve_mb=0))


def _stored(pictures: PagePictures, tmp_path: Path, name: str = "rows.pdf") -> Document:
    files = FileStore(tmp_path / "files", reserve_mb=0)
    sha256 = files.put_original(make_pdf([f"{name}: {WORDS}", "Second page."]))
    return replace(make_document(name), sha256=sha256)


def _kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache" / "pages").rglob("*.*"))


def test_words_come_with_the_picture_and_are_kept_beside_it(
    pictures: PagePictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = _stored(pictures, tmp_path)
    png = pictures.page(document, 1)
    monkeypatch.setattr(ingest.pages, "draw_page", None)  # nothing is drawn again

    assert " ".join(word.text for word in pictures.words(document, 1)) == f"rows.pdf: {WORDS}"
    assert pictures.page(document, 1) == png
    assert _kept(tmp_path) == ["1.json", "1.png"]


@pytest.mark.parametrize("left", [b"", b"[[1]]", None], ids=["empty", "nonsense", "missing"])
def test_damaged_words_mark_nothing_and_missing_ones_are_read_again(
    pictures: PagePictures, tmp_path: Path, left: bytes | None
) -> None:
    document = _stored(pictures, tmp_path)
    pictures.page(document, 1)
    (path,) = (tmp_path / "cache" / "pages").rglob("*.json")
    path.unlink() if left is None else path.write_bytes(left)

    assert bool(pictures.words(document, 1)) == (left is None)


def test_a_deleted_document_leaves_no_picture_even_if_one_was_being_drawn(
    pictures: PagePictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = _stored(pictures, tmp_path)
    pictures.page(document, 2)
    draw, drawing, deleted = ingest.pages.draw_page, threading.Event(), threading.Event()

    def slowly(*args: Any, **options: Any) -> Any:
        drawn = draw(*args, **options)
        drawing.set()
        assert deleted.wait(30)
        return drawn

    monkeypatch.setattr(ingest.pages, "draw_page", slowly)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(pictures.page, document, 1)
        assert drawing.wait(60)
        pictures.forget(document.id)
        deleted.set()
        assert asked.result(60).startswith(b"\x89PNG")

    assert _kept(tmp_path) == []


def test_a_slow_page_holds_up_no_other_document_and_few_are_drawn_at_once(
    pictures: PagePictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [_stored(pictures, tmp_path, f"{n}.pdf") for n in range(4)]
    together, most, guard = threading.Barrier(MAX_CHILDREN), [0, 0], threading.Lock()

    def counted(*_: Any, **__: Any) -> ingest.pages.DrawnPage:
        with guard:
            most[0] += 1
            most[1] = max(most)
        together.wait(30)  # breaks when they come one after another
        with guard:
            most[0] -= 1
        return ingest.pages.DrawnPage(png=b"\x89PNG", words=())

    monkeypatch.setattr(ingest.pages, "draw_page", counted)
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda document: pictures.page(document, 1), documents))

    assert len(drawn) == 4
    assert most[1] == MAX_CHILDREN


def test_cited_pages_are_drawn_ahead_each_once_and_a_locked_one_holds_up_none() -> None:
    document, drawn = make_document("report.pdf"), list[int]()

    class Drawing:
        def page_picture(self, _id: object, page_number: int) -> bytes:
            drawn.append(page_number)
            if page_number == 2:
                raise EncryptedFileError("It asks for its password.")
            return b""

    services: Any = Drawing()
    draw_ahead(services, [make_hit(document, page=n) for n in (2, 2, None, 7, 1, 9)]).join(10)

    assert drawn == [2, 7, 1]
