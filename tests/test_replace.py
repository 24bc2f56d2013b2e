"""One name, other bytes; and reading again: what is visible of the old until the new is ready."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ingest.progress import Cancelled, Progress
from rag.errors import CorruptFileError, NotFoundError
from rag.store import Filter
from tests.builders import make_html, make_pdf
from tests.conftest import ROOT
from tests.test_pipeline import settings_for
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.parts import DocumentHead, ParsedPage

OLD = make_html("<p>The old harbour has seven cranes and a lighthouse.</p>")
NEW = make_html("<p>The new harbour has nine cranes and no lighthouse.</p>")
BROKEN = make_html("<p></p>")


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = build(settings_for(tmp_path / "library"))
    yield opened
    opened.close()


def settle(services: Services) -> None:
    """Wait until nothing is read."""
    for _ in range(1_200):
        if not services.progress():
            return
        time.sleep(0.05)
    message = "reading never ended"
    raise AssertionError(message)


def names(services: Services) -> list[str]:
    return sorted(document.name for document in services.documents())


def texts(services: Services, question: str = "harbour cranes") -> str:
    return " ".join(hit.item.text for hit in services.search(question).hits)


def test_other_content_under_a_taken_name_is_kept_beside_it_and_asked_about(
    services: Services,
) -> None:
    services.add_file("report.html", OLD)
    settle(services)

    added = services.add_file("report.html", NEW)
    settle(services)

    (pair,) = services.intake.same_names()
    assert (pair.name, pair.new.id, pair.is_wanted) == ("report.html", added.document_id, False)
    assert names(services) == ["report (2).html", "report.html"]
    assert "seven" in texts(services)
    assert "nine" in texts(services)

    services.intake.keep_both(added.document_id)
    assert services.intake.same_names() == []
    assert services.add_file("report.html", OLD).same_name_as is None  # the same content: known


def test_the_old_one_goes_when_the_new_one_is_ready(services: Services) -> None:
    old = services.add_file("report.html", OLD)
    settle(services)
    added = services.add_file("report.html", NEW)
    services.intake.replace_old(added.document_id)
    seen = set()
    while services.progress():
        seen.add(bool(texts(services)))
    settle(services)

    (document,) = services.documents()
    assert (document.id, document.name) == (added.document_id, "report.html")
    assert seen <= {True}  # no question fell into a hole
    assert "seven" not in texts(services)
    assert services.library.documents.rows_left(old.document_id) == 0
    where = Filter(workspace="local", documents=(old.document_id,))
    assert services.store().count(where) == 0
    assert [news.kind for news in services.intake.news.after(0)] == ["replaced"]


def test_a_new_one_that_cannot_be_read_leaves_the_old_one(services: Services) -> None:
    services.add_file("report.html", OLD)
    settle(services)
    added = services.add_file("report.html", BROKEN)
    services.intake.replace_old(added.document_id)
    settle(services)

    assert "seven" in texts(services)
    (news,) = services.intake.news.after(0)
    assert (news.kind, news.name) == ("not_replaced", "report.html")
    assert news.message
    assert services.intake.same_names() == []


def test_names_that_are_taken_are_counted_on(services: Services) -> None:
    for number in range(3):
        services.add_file("notes.html", make_html(f"<p>Note {number} is about gulls.</p>"))
    services.add_file("plain", b"<html><body><p>No suffix at all.</p></body></html>")
    services.add_file("plain", b"<html><body><p>No suffix, other words.</p></body></html>")

    found = names(services)

    assert {"notes.html", "notes (2).html", "notes (3).html", "plain", "plain (2)"} == set(found)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.test_pipeline import settings_for
from tests.test_replace import NEW, OLD, settle
from ui.services import build
services = build(settings_for(Path(sys.argv[1])))
services.add_file("report.html", OLD)
settle(services)
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "before the new one is ready":
    services.store().upsert = kill
elif sys.argv[2] == "before the switch":
    services.intake._take_place = kill
else:
    services.intake.delete = kill
added = services.add_file("report.html", NEW)
services.intake.replace_old(added.document_id)
settle(services)
"""


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("before the new one is ready", marks=pytest.mark.soak),
        "before the switch",
        pytest.param("before the old one is gone", marks=pytest.mark.soak),
    ],
)
def test_a_kill_while_replacing_loses_neither(tmp_path: Path, moment: str) -> None:
    folder = tmp_path / "library"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), moment],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr

    services = build(settings_for(folder))
    assert texts(services)  # one of both can be found at once
    services.resume()
    for _ in range(600):
        if names(services) == ["report.html"] and "seven" not in texts(services):
            break
        time.sleep(0.1)

    assert names(services) == ["report.html"]
    assert "nine" in texts(services)
    assert "seven" not in texts(services)
    services.close()


def test_read_again_keeps_what_is_found_until_the_switch(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = services.add_file("report.html", OLD)
    settle(services)
    before = services.library.documents.run_of(added.document_id)
    found: list[str] = []
    add_pictures = services.pipeline._add_pictures
    monkeypatch.setattr(
        services.pipeline,
        "_add_pictures",
        lambda *given: (found.append(texts(services)), add_pictures(*given))[1],
    )

    services.read_again(added.document_id)
    settle(services)

    assert ["seven" in one for one in found] == [True]
    after = services.library.documents.run_of(added.document_id)
    assert before is not None
    assert after is not None
    assert after.id != before.id
    assert texts(services).count("seven cranes") == 1
    assert services.store().count(Filter(workspace="local", runs=(before.id,))) == 0
    assert [news.kind for news in services.intake.news.after(0)] == ["read_again"]


def test_reading_again_in_vain_keeps_the_old_and_says_so(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = services.add_file("report.html", OLD)
    settle(services)

    def fail(*_: object, **__: object) -> Iterator[DocumentHead | ParsedPage]:
        message = "report.html is damaged."
        raise CorruptFileError(message)

    monkeypatch.setattr("ingest.pipeline.parse_in_child", fail)
    services.read_again(added.document_id)
    settle(services)

    (document,) = services.documents()
    assert document.state == "ready"
    assert "seven" in texts(services)
    (news,) = services.intake.news.after(0)
    assert (news.kind, news.message) == ("not_read_again", "report.html is damaged.")


def test_reading_again_can_be_cut_off_at_any_time(services: Services) -> None:
    added = services.add_file("paper.pdf", make_pdf(["Seven cranes.", "A lighthouse."]))
    settle(services)
    progress = Progress(document_id=added.document_id, name="")
    progress.cancelled.set()
    with pytest.raises(Cancelled):
        services.pipeline.read_again(added.document_id, progress)
    services.library.rereads.begin(added.document_id, "local")  # what a kill leaves

    assert services.pipeline.recover() == []

    assert [d.state for d in services.documents()] == ["ready"]
    assert services.library.documents.unfinished() == []
    assert "cranes" in texts(services)
    services.read_again(added.document_id)
    services.cancel(added.document_id)  # waiting or at work: the document stays either way
    settle(services)
    assert names(services) == ["paper.pdf"]


def test_a_document_that_is_gone_cannot_be_read_again(services: Services) -> None:
    added = services.add_file("report.html", OLD)
    settle(services)
    services.delete(added.document_id)

    with pytest.raises(NotFoundError):
        services.read_again(added.document_id)
