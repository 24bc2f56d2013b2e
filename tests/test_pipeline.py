"""From bytes to ready and back to nothing, with the real parser, model and engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingest.pipeline import Cancelled, Progress
from rag.errors import EmptyFileError, FileTooLargeError, UnsupportedFileError
from rag.settings import IngestSettings, Settings, StoreSettings
from rag.store import Filter
from rag.types import Document
from tests.builders import make_html, make_paper, make_pdf
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent


def settings_for(folder: Path, **limits: int) -> Settings:
    return Settings(
        data_dir=folder,
        store=StoreSettings(reserve_mb=0),
        ingest=IngestSettings(**limits),  # type: ignore[arg-type]
    )


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = build(settings_for(tmp_path / "library"))
    yield opened
    opened.close()


def ingest(services: Services, name: str, data: bytes) -> Document:
    admitted = services.pipeline.admit(name, data)
    return services.pipeline.run(admitted.document.id)


def test_a_paper_becomes_texts_and_figures_that_are_found(services: Services) -> None:
    document = ingest(services, "paper.pdf", make_paper(figures=2))
    assert document.state == "ready"
    assert document.text_count >= 1
    assert document.figure_count == 2
    assert services.search("Figure 2").hits[0].item.kind == "figure"


def test_a_deleted_document_leaves_nothing(services: Services) -> None:
    ingest(services, "paper.pdf", make_paper(figures=1))
    kept = ingest(services, "other.pdf", make_pdf(["A page about harbours and cranes."]))
    paper = services.find("paper.pdf")[0]
    receipt = services.delete(paper.id)
    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    assert {h.item.document_id for h in services.search("figure").hits} <= {kept.id}
    files = [p for p in (services.settings.data_dir / "files").rglob("*") if p.is_file()]
    assert len(files) == 1


def test_the_same_bytes_are_taken_once(services: Services) -> None:
    data = make_pdf(["One page about tides."])
    ingest(services, "a.pdf", data)
    again = services.pipeline.admit("b.pdf", data)
    assert again.is_known
    assert again.document.name == "a.pdf"


def test_reading_a_file_again_gives_the_same_ids(services: Services) -> None:
    data = make_paper(figures=1)
    first = ingest(services, "paper.pdf", data)
    before = {hit.item.id for hit in services.search("figure").hits}
    services.delete(first.id)
    ingest(services, "paper.pdf", data)
    assert {hit.item.id for hit in services.search("figure").hits} == before


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("empty.pdf", b"", EmptyFileError),
        ("photo.pdf", b"\x89PNG\r\n\x1a\n" + b"0" * 64, UnsupportedFileError),
        ("big.pdf", b"%PDF-1.4" + b"0" * 1_000_001, FileTooLargeError),
    ],
    ids=["empty", "mislabelled", "too large"],
)
def test_the_gate_refuses_in_words_and_keeps_nothing(
    tmp_path: Path, name: str, data: bytes, error: type[Exception]
) -> None:
    services = build(settings_for(tmp_path / "library", max_file_mb=1))
    with pytest.raises(error, match=name):
        services.pipeline.admit(name, data)
    assert services.documents() == []
    assert not [p for p in (tmp_path / "library" / "files").rglob("*") if p.is_file()]
    services.close()


def test_a_damaged_file_fails_alone_and_leaves_no_points(services: Services) -> None:
    broken = ingest(services, "broken.pdf", b"%PDF-1.7\n" + os.urandom(4_000))
    fine = ingest(services, "fine.html", make_html("<h1>Tides</h1><p>The tide turns twice.</p>"))
    assert broken.state == "failed"
    assert broken.error is not None
    assert "broken.pdf" in broken.error.message
    assert fine.state == "ready"
    assert services.store().count(Filter(workspace="local", documents=(broken.id,))) == 0
    assert services.library.documents.run_of(broken.id) is None


def test_a_page_of_html_without_words_fails_in_words(services: Services) -> None:
    document = ingest(services, "blank.html", b"<html><body></body></html>")
    assert document.state == "failed"
    assert document.error is not None
    assert document.error.kind == "empty"


def test_a_failed_file_can_be_added_again(services: Services) -> None:
    data = b"<html><body></body></html>"
    ingest(services, "blank.html", data)
    admitted = services.pipeline.admit("blank.html", data)
    assert not admitted.is_known
    assert services.pipeline.run(admitted.document.id).state == "failed"


def test_a_cancelled_document_is_gone(services: Services) -> None:
    admitted = services.pipeline.admit("paper.pdf", make_paper(figures=1))
    progress = Progress(document_id=admitted.document.id, name="paper.pdf")
    progress.cancelled.set()
    with pytest.raises(Cancelled):
        services.pipeline.run(admitted.document.id, progress)
    assert services.documents() == []
    assert services.store().count(Filter(workspace="local")) == 0


def test_uploads_are_read_in_the_background_and_reported(services: Services) -> None:
    data = make_paper(figures=1)
    added = services.add_file("paper.pdf", data)
    seen = set()
    deadline = time.monotonic() + 120
    while services.library.documents.get(added.document_id).state != "ready":
        seen |= {entry.message for entry in services.progress()}
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert seen
    assert services.add_file("same.pdf", data).duplicate_of == "paper.pdf"


def test_a_damaged_index_is_rebuilt_from_the_rows(tmp_path: Path) -> None:
    services = build(settings_for(tmp_path / "library"))
    ingest(services, "paper.pdf", make_paper(figures=1))
    before = [hit.item.id for hit in services.search("figure").hits]
    services.close()
    for path in (tmp_path / "library" / "index").rglob("*.json"):
        path.write_text("{")
    again = build(settings_for(tmp_path / "library"))
    assert [hit.item.id for hit in again.search("figure").hits] == before
    again.close()


KILLED = """
import os, signal, sys, threading
from pathlib import Path
from tests.builders import make_pdf
from tests.test_pipeline import settings_for
from ui.services import build
services = build(settings_for(Path(sys.argv[1])))
pages = [f"Page {n}. The harbour of town {n} has {n} cranes." for n in range(10)]
document = services.pipeline.admit("long.pdf", make_pdf(pages)).document
original = services.store().upsert
def upsert(points):
    original(points)
    print("written", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
services.store().upsert = upsert
services.pipeline.run(document.id)
"""


@pytest.mark.soak
def test_a_kill_in_mid_ingest_leaves_nothing_half_visible(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "written" in done.stdout
    services = build(settings_for(folder))
    assert services.search("cranes of the harbour").hits == ()
    (document_id,) = services.pipeline.recover()
    assert services.store().count(Filter(workspace="local")) == 0
    progress = Progress(document_id=document_id, name="")
    assert services.pipeline.resume(document_id, progress).state == "ready"
    assert services.search("How many cranes has the harbour of town 7?").hits
    services.close()
