from __future__ import annotations

import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from rag.errors import LibraryInUseError, NotFoundError, StoreError
from rag.files import FileStore
from rag.library import Block, Database, Library, Page
from rag.library.database import VERSION
from rag.library.documents import READABLE, READY, Run, document_id, shown_name
from rag.library.items import item_id, point_id
from rag.library.lock import FolderLock
from rag.library.pages import Note
from rag.types import Document, Item, Kind, Region

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(Database(tmp_path / "library.sqlite"))
    yield opened
    opened.close()


def add(library: Library, name: str = "report.pdf", sha: str = "a" * 64) -> Document:
    return library.documents.add(
        workspace="local",
        name=name,
        sha256=sha,
        media_type="pdf",
        size_bytes=10,
        asset_dir=None,
    )


def make_item(document: Document, order: int, kind: Kind = "text", **changes: object) -> Item:
    text = str(changes.pop("text", f"words {order}"))
    return Item(
        id=item_id(document.id, kind, order, text),
        document_id=document.id,
        kind=kind,
        order=order,
        text=text,
        search_text=text,
        regions=(Region(page_number=1, bbox=(1, 2, 3, 4)),),
        **changes,  # type: ignore[arg-type]
    )


def fill(library: Library, document: Document, *items: Item) -> Run:
    run = library.documents.start_run(document.id)
    library.items.add(run, items)
    library.pages.add(run, [Page(page_number=1, size=(600, 800), page_class="text")])
    return run


def points(run: Run, *items: Item) -> list:
    return [point_id(item.id, run.id) for item in items]


def test_nothing_of_a_run_is_visible_before_its_stage(library: Library) -> None:
    document = add(library)
    text, figure = make_item(document, 0), make_item(document, 1, "figure")
    run = fill(library, document, text, figure)
    both = points(run, text, figure)
    seen = [len(library.items.lookup("local", both))]
    assert library.items.is_empty("local")
    hidden = [library.documents.hidden_runs("local")]
    for stage in (READABLE, READY):
        library.documents.publish(run, stage)
        seen.append(len(library.items.lookup("local", both)))
        hidden.append(library.documents.hidden_runs("local"))
    assert seen == [0, 1, 2]
    assert not library.items.is_empty("local")
    assert library.items.is_empty("other")
    assert hidden == [((run.id,), (run.id,)), ((), (run.id,)), ((), ())]
    assert library.documents.get(document.id).state == "ready"


def test_counts_follow_what_is_visible(library: Library) -> None:
    document = add(library)
    items = [make_item(document, 0), make_item(document, 1, "table")]
    run = fill(library, document, *items, make_item(document, 2, "figure"))
    library.documents.publish(run, READABLE)
    row = library.documents.get(document.id)
    assert (row.text_count, row.table_count, row.figure_count) == (1, 1, 0)
    assert row.figures_pending == 1
    assert library.items.group_sizes("local") == (2, 0)


def test_an_item_comes_back_as_it_went_in(library: Library) -> None:
    document = add(library)
    item = make_item(
        document,
        3,
        "figure",
        caption="Figure 3. Output",
        number="Figure 3",
        heading=("Results", "Größe"),
        image_sha256="b" * 64,
    )
    run = fill(library, document, item)
    library.documents.publish(run, READY)
    found = library.items.lookup("local", points(run, item))[points(run, item)[0]]
    assert found.item == item
    assert found.page_size == (600, 800)
    for where in ({"containing": "3"}, {"page_number": item.regions[0].page_number}, {}):
        named = library.items.labelled("local", [document.id], **where)
        assert [one.point_id for one in named] == points(run, item)
        assert named[0].label == "Figure 3"
    assert library.items.labelled("local", [document.id], containing="4") == []
    assert library.items.labelled("local", [document.id], page_number=99) == []


def test_another_workspace_sees_nothing(library: Library) -> None:
    document = add(library)
    item = make_item(document, 0)
    run = fill(library, document, item)
    library.documents.publish(run, READY)
    assert library.items.lookup("other", points(run, item)) == {}
    assert library.documents.all("other") == []


def test_a_file_goes_with_its_last_reference(library: Library) -> None:
    picture = "c" * 64
    one, two = add(library), add(library, "copy.pdf", "d" * 64)
    for document in (one, two):
        run = fill(library, document, make_item(document, 0, "figure", image_sha256=picture))
        library.documents.publish(run, READY)
    assert library.documents.delete(one.id) == ["a" * 64]
    assert sorted(library.documents.delete(two.id)) == sorted(["d" * 64, picture])
    assert library.documents.rows_left(two.id) == 0


def test_a_begun_delete_hides_the_document_for_good(library: Library) -> None:
    document = add(library)
    item = make_item(document, 0)
    run = fill(library, document, item)
    library.documents.publish(run, READY)
    library.documents.hide(document.id)
    assert library.documents.all("local") == []
    assert library.items.lookup("local", points(run, item)) == {}
    assert library.documents.deleting() == [document.id]


def test_dropping_a_run_keeps_the_document(library: Library) -> None:
    document = add(library)
    run = fill(library, document, make_item(document, 0, "figure", image_sha256="e" * 64))
    library.pages.add_blocks(run, [Block(anchor="1", kind="text", level=0, text="hello")])
    library.pages.add_notes(run, [Note(kind="warning", page_number=1, bbox=None, text="odd")])
    assert library.documents.drop_run(run) == ["e" * 64]
    assert library.documents.get(document.id).warnings == ()
    assert library.documents.run_of(document.id) is None


def test_the_same_bytes_are_the_same_document() -> None:
    assert document_id("local", "a") == document_id("local", "a")
    assert document_id("local", "a") != document_id("other", "a")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\a.pdf", "a.pdf"),
        ("a\x00b\n.pdf", "ab.pdf"),
        ("報告書.pdf", "報告書.pdf"),
        ("", "document"),
    ],
    ids=["above", "windows", "control", "cjk", "empty"],
)
def test_names_are_cut_to_what_may_be_shown(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_very_long_name_is_cut_in_the_middle() -> None:
    shown = shown_name("x" * 5_000 + ".pdf")
    assert len(shown) <= 120
    assert shown.endswith(".pdf")


def test_a_newer_library_is_refused_in_words(tmp_path: Path) -> None:
    Database(tmp_path / "library.sqlite").close()
    with sqlite3.connect(tmp_path / "library.sqlite") as connection:
        connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match="newer Folio"):
        Database(tmp_path / "library.sqlite")


def test_a_damaged_library_is_named(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"library\.sqlite"):
        Database(tmp_path / "library.sqlite")


def test_an_unknown_document_is_not_found(library: Library) -> None:
    with pytest.raises(NotFoundError):
        library.documents.get(uuid4())


def test_the_lock_names_the_address_of_its_holder(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path, address="http://127.0.0.1:8501")
    with pytest.raises(LibraryInUseError, match=r"http://127\.0\.0\.1:8501"):
        FolderLock(tmp_path)
    lock.release()
    FolderLock(tmp_path).release()


def test_a_killed_holder_leaves_the_folder_free(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from rag.library.lock import FolderLock; lock = FolderLock(Path(sys.argv[1]));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    FolderLock(tmp_path).release()


def test_files_are_kept_once_and_read_back(tmp_path: Path) -> None:
    files = FileStore(tmp_path / "files")
    digest = files.put_picture(b"png")
    assert files.put_picture(b"png") == digest
    assert files.picture_path(digest).read_bytes() == b"png"
    files.delete([digest])
    with pytest.raises(NotFoundError):
        files.picture_path(digest)


def test_a_made_up_digest_reaches_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    files = FileStore(tmp_path / "files")
    with pytest.raises(NotFoundError):
        files.original_path("../../secret")
