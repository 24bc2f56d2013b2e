"""Files on their way in: folders, batches, hostile names, trying again, pace, the reset."""

from __future__ import annotations

import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from ingest.progress import Pace
from rag.errors import CorruptFileError, EmptyFileError, NotFoundError, RagError
from rag.library.documents import NAMESPACE
from tests.builders import make_html, make_pdf, make_png
from tests.test_pipeline import settings_for
from tests.test_replace import names, settle
from ui.batch import Batch
from ui.folder import Asset, Incoming, is_plain, keep_assets, sort_folder
from ui.services import Services, build
from ui.views import Added
from ui.web import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.parts import DocumentHead, ParsedPage

PAGE = make_html("<p>A page about gulls.</p><img src='page_files/gull.png' alt='A gull'>")


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = build(settings_for(tmp_path / "library"))
    yield opened
    opened.close()


def incoming(name: str, data: bytes) -> Incoming:
    return Incoming(name=name, read=lambda: data)


def entries(*paths: str) -> list[tuple[str, object]]:
    return [(path, lambda: b"") for path in paths]


# -- folders ---------------------------------------------------------------------------------


def test_a_folder_gives_documents_and_pictures_of_pages_and_says_what_it_leaves_out() -> None:
    found = sort_folder(
        entries(  # type: ignore[arg-type]
            "year/report.pdf",
            "year/page.html",
            "year/page_files/gull.png",
            "year/page_files/style.css",
            "year/page_files/frame.html",
            "year/photo.jpg",
            "year/sums.xlsx",
            "year/README",
        )
    )

    assert [file.name for file in found.files] == ["report.pdf", "page.html", "photo.jpg"]
    assert [str(asset.path) for asset in found.files[1].assets] == ["page_files/gull.png"]
    assert found.left_out == (".xlsx", "")
    assert wording.left_out(found.left_out) == "2 left out: .xlsx, no type"


def test_a_page_of_a_folder_keeps_its_pictures_until_it_is_deleted(
    services: Services, tmp_path: Path
) -> None:
    chosen = [("year/page.html", lambda: PAGE), ("year/page_files/gull.png", make_png)]
    (file,) = sort_folder(chosen).files

    added = services.intake.add(file)
    settle(services)
    kept = tmp_path / "library" / "assets"

    assert services.documents()[0].figure_count == 1
    assert [path.name for path in kept.rglob("*.png")] == ["gull.png"]
    receipt = services.delete(added.document_id)
    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    assert list(kept.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["../gull.png", "a/../../gull.png", "/etc/gull.png", ".hidden/gull.png", "a/b\0.png",
             "-rf/gull.png", "a/b/c/d/e.png", "a\nb.png"],
)  # fmt: skip
def test_a_picture_whose_path_is_not_plain_is_not_written(tmp_path: Path, path: str) -> None:
    asset = Asset(path=PurePosixPath(path), read=lambda: b"picture")

    assert not is_plain(asset.path)
    assert not keep_assets([asset], tmp_path / "inside", most_bytes=100)
    assert list(tmp_path.rglob("*")) == []


def test_too_much_beside_a_page_is_left_out(tmp_path: Path) -> None:
    assets = [Asset(path=PurePosixPath(f"{n}.png"), read=lambda: b"1234") for n in range(9)]

    keep_assets(assets, tmp_path, most_bytes=10)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png"]


# -- batches ---------------------------------------------------------------------------------


def test_a_batch_goes_on_beside_the_page_and_past_what_is_refused() -> None:
    may_go_on = threading.Event()

    def add(file: Incoming) -> Added:
        may_go_on.wait(30)
        if file.name == "empty.pdf":
            message = "empty.pdf is empty."
            raise EmptyFileError(message)
        if file.name == "bug.pdf":
            raise ZeroDivisionError
        return Added(document_id=NAMESPACE, name=file.name, duplicate_of=None)

    files = [incoming(name, b"") for name in ("empty.pdf", "bug.pdf", "good.pdf")]
    batch = Batch(files, add, describe=lambda _error: "Ref 1")
    batch.start(wait_s=0.0)
    assert (batch.is_over, batch.done) == (False, 0)  # the page is free meanwhile
    may_go_on.set()
    batch._over.wait(30)

    assert batch.is_over
    found = [(one.name, one.refusal, one.is_fault) for one in batch.outcomes()]
    assert found == [
        ("empty.pdf", "empty.pdf is empty.", False),
        ("bug.pdf", "Ref 1", True),
        ("good.pdf", "", False),
    ]


def test_hostile_names_are_words_and_never_a_path(
    services: Services, shared: Path, tmp_path: Path
) -> None:
    import runpy

    hostile: list[str] = runpy.run_path(str(shared / "hostile" / "make_hostile.py"))["NAMES"]
    said: list[str] = []
    outside = {path for path in tmp_path.iterdir() if path.name != "library"}

    for number, name in enumerate(hostile):
        data = make_html(f"<p>Words number {number} about gulls.</p>")
        try:
            services.intake.add(incoming(name, data))
        except RagError as error:
            said.append(str(error))

    assert said
    assert all(sentence.isprintable() for sentence in said)
    shown = [name for name, _ in services.intake.states().values()]
    assert len(shown) == len(set(shown)) > 5
    assert all(name.isprintable() and len(name) <= 120 and "/" not in name for name in shown)
    written = [path for path in (tmp_path / "library").rglob("*") if path.is_file()]
    assert not [path for path in written if "CANARY" in path.name or path.suffix == ".pdf"]
    assert {path for path in tmp_path.iterdir() if path.name != "library"} == outside


# -- trying again ----------------------------------------------------------------------------


def test_only_a_failure_that_may_pass_can_be_tried_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ingest.pipeline

    parse = ingest.pipeline.parse_in_child
    is_busy = [True]

    def crash(*given: object, **named: object) -> Iterator[DocumentHead | ParsedPage]:
        if is_busy[0]:
            message = "slow.html could not be opened."
            raise CorruptFileError(message, retryable=True)
        return parse(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("ingest.pipeline.parse_in_child", crash)
    services.add_file("slow.html", PAGE)
    settle(services)
    (failed,) = services.documents()
    assert services.intake.can_retry(failed)
    is_busy[0] = False
    services.intake.retry(failed.id)
    settle(services)
    assert services.documents()[0].state == "ready"

    services.add_file("nothing.html", make_html("<p></p>"))
    settle(services)
    empty = next(d for d in services.documents() if d.state == "failed")
    assert not services.intake.can_retry(empty)
    with pytest.raises(NotFoundError):
        services.intake.retry(empty.id)


# -- pace ------------------------------------------------------------------------------------


def test_pace_says_nothing_early_and_then_falls_steadily() -> None:
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    told: list[float | None] = []
    for page in range(40):
        # Every fifth page takes three times as long.
        now[0] += 3.0 if page % 5 == 4 else 1.0
        pace.count()
        told.append(pace.remaining_s(40))

    assert told[0] is None
    assert told[1] is None
    late = [seconds for seconds in told[10:] if seconds is not None]
    assert len(late) == 30
    assert all(after <= 1.15 * before for before, after in pairwise(late))
    assert late[-1] == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (2.0, ", about 5 s left"), (38.2, ", about 40 s left"),
     (221.0, ", about 4 min left"), (3_000.0, ", about 50 min left")],
)  # fmt: skip
def test_time_left_goes_in_steps(seconds: float | None, words: str) -> None:
    assert wording.time_left(seconds) == words


def test_progress_tells_places_and_files_together(services: Services) -> None:
    for number in range(3):
        services.add_file(f"paper{number}.html", make_html(f"<p>Paper number {number}.</p>"))

    ahead = [job.ahead for job in services.progress()]
    series = services.intake.series()
    settle(services)

    assert ahead == list(range(len(ahead)))
    assert series is not None
    assert series.total == 3
    assert services.intake.series() is None


# -- the reset -------------------------------------------------------------------------------


def test_a_reset_leaves_the_sample_and_nothing_else(
    services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sample = tmp_path / "sample.html"
    sample.write_bytes(make_html("<p>The sample speaks of tides.</p>"))
    monkeypatch.setattr("ui.intake.sample_paths", lambda: [sample])
    services.library.choices.set("greeting", "kept")
    done = services.add_file("done.html", PAGE)
    settle(services)
    place = services.chats.begin(None, "What of gulls?")
    services.add_file("long.pdf", make_pdf([f"Page {n} of boats." for n in range(200)]))
    services.add_file("waiting.html", make_html("<p>It waits.</p>"))
    assert services.reset.counts() == (3, 1)

    services.reset.start()
    services.reset.wait(60)
    settle(services)

    assert names(services) == ["sample.html"]
    assert services.chats.get(place.chat_id) is None
    assert services.library.documents.rows_left(done.document_id) == 0
    assert services.library.choices.get("greeting") == "kept"
    (news,) = services.intake.news.after(0)
    assert (news.kind, news.message.split(" of it")[0]) == (
        "reset",
        "0 vectors, 0 entries and 0 files",
    )


def test_taking_in_draws_nothing_and_loads_no_streamlit() -> None:
    code = "import sys, ui.intake, ui.batch, ui.folder, ui.reset; print('streamlit' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
