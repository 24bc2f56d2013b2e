"""Questions, uploads and deletes while an index is made again."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from ingest.reindex import ReindexStopped
from rag.errors import ConfigError, IndexMismatchError
from rag.store import Filter
from tests import towns
from tests.builders import make_paper
from tests.towns import (
    NamedLanes,
    choose,
    fill,
    find,
    finds,
    index_folders,
    settings_for,
    stop_after,
    stored_points,
    unfinished_count,
    visible_points,
)
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The fixtures of this file.
lanes, services = towns.lanes, towns.services


def test_a_question_that_has_begun_ends_on_the_old_index(services: Services) -> None:
    old = services.library.indexes.active()
    assert old is not None
    with services._indexing.answering() as retriever:
        services.reindex(choose(services, "nomic"))
        assert old.name in index_folders(services)
        assert retriever.retrieve("How many ships has town3?", top_k=8).hits
        assert finds(services, 3)  # a new question, on the new index
    assert old.name not in index_folders(services)


def test_a_second_rebuild_at_the_same_time_is_refused(
    services: Services, lanes: NamedLanes
) -> None:
    refused: list[str] = []

    def try_again() -> None:
        lanes.pause = lambda: None
        with pytest.raises(ConfigError) as error:
            services.reindex(choose(services, "nomic-text"))
        refused.append(str(error.value))

    lanes.pause = try_again
    services.reindex(choose(services, "nomic"))
    assert len(refused) == 1


def test_documents_come_and_go_and_questions_are_answered_meanwhile(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = build(settings_for(tmp_path / "library", model_dir=shared / "fixtures"))
    fill(services, range(8), monkeypatch)
    copied, uncopied = find(services, 0), find(services, 7)
    reached, go_on = threading.Event(), threading.Event()

    def report(done: int, _: int) -> None:
        if done >= 4 and not reached.is_set():
            reached.set()
            assert go_on.wait(120)

    with ThreadPoolExecutor() as pool:
        rebuild = pool.submit(services.reindex, choose(services, "nomic"), on_progress=report)
        questions = pool.submit(ask_until, services, rebuild.done)
        assert reached.wait(120)
        added = [services.add_file(f"paper{i}.pdf", make_paper(figures=i)) for i in (1, 2)]
        receipts = [services.delete(document.id) for document in (copied, uncopied)]
        go_on.set()
        assert rebuild.result(300)[:2] == ("minilm", "nomic")
        assert questions.result(60) > 0
    deadline = time.monotonic() + 120
    while any(services.library.documents.get(a.document_id).state != "ready" for a in added):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert {(r.points_left, r.rows_left, r.files_left) for r in receipts} == {(0, 0, 0)}
    assert services.status().embedder == "nomic"
    assert len(services.documents()) == 8
    assert stored_points(services) == visible_points(services)
    gone = Filter(workspace="local", documents=(copied.id, uncopied.id))
    assert services.store().count(gone) == 0
    assert services.search("Figure 2").hits[0].document_name.startswith("paper")
    services.close()


def ask_until(services: Services, is_over: Callable[[], bool]) -> int:
    """How many questions were answered until then; none may fail."""
    count = 0
    while not is_over():
        assert finds(services, 3)
        count += 1
    return count


def test_a_document_deleted_while_it_is_embedded_leaves_no_points(
    services: Services, lanes: NamedLanes
) -> None:
    document = find(services, 0)
    deleted = threading.Event()

    def delete() -> None:
        if not deleted.is_set():
            deleted.set()
            services.delete(document.id)

    lanes.pause = delete
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "nomic"), is_cancelled=deleted.is_set)
    where = Filter(workspace="local", documents=(document.id,))
    assert unfinished_count(services, where) == 0
    services.reindex(choose(services, "nomic"))
    assert stored_points(services) == visible_points(services) != set()


def test_the_switch_waits_for_the_document_that_is_being_read(
    services: Services, lanes: NamedLanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_pictures, copied, go_on = threading.Event(), threading.Event(), threading.Event()
    batches = iter(("words", "pictures"))

    def hold() -> None:
        if next(batches, "") == "pictures":
            at_pictures.set()
            assert go_on.wait(60)

    def report(done: int, total: int) -> None:
        if done == total:
            copied.set()

    lanes.pause_of["minilm"] = hold
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(fill, services, [10], monkeypatch)
        assert at_pictures.wait(60)
        rebuild = pool.submit(services.reindex, choose(services, "nomic"), on_progress=report)
        assert copied.wait(60)
        time.sleep(0.3)  # a switch that does not wait would come now
        go_on.set()
        reading.result(60)
        assert rebuild.result(60)[1] == "nomic"
    assert find(services, 10).state == "ready"
    assert stored_points(services) == visible_points(services)
    assert finds(services, 10)


def test_a_delete_reaches_an_unfinished_index_that_only_lies_on_disk(services: Services) -> None:
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "nomic"), **stop_after(12))
    document = find(services, 0)
    where = Filter(workspace="local", documents=(document.id,))
    assert unfinished_count(services, where) > 0
    services.close()

    again = build(settings_for(services.settings.data_dir))
    receipt = again.delete(document.id)

    assert receipt.points_left == 0
    assert unfinished_count(again, where) == 0
    again.reindex(choose(again, "nomic"))
    assert stored_points(again) == visible_points(again)
    again.close()


def test_closing_the_app_stops_a_rebuild_that_can_be_gone_on_with(
    services: Services, lanes: NamedLanes
) -> None:
    begun = threading.Event()

    def slow() -> None:
        begun.set()
        time.sleep(0.3)

    lanes.pause = slow
    with ThreadPoolExecutor() as pool:
        rebuild = pool.submit(services.reindex, choose(services, "nomic"))
        assert begun.wait(60)
        services.close()
        with pytest.raises(ReindexStopped):
            rebuild.result(60)
    lanes.pause = lambda: None
    again = build(settings_for(services.settings.data_dir))
    again.reindex(choose(again, "nomic"))
    assert stored_points(again) == visible_points(again)
    again.close()


# -- another embedder is set ------------------------------------------------------------------


def test_a_question_to_an_index_of_another_embedder_is_refused_with_the_way_out(
    services: Services,
) -> None:
    services.close()
    again = build(settings_for(services.settings.data_dir, model="nomic"))
    with pytest.raises(IndexMismatchError, match="folio reindex --embedder nomic"):
        again.search("How many ships has town3?")
    assert "indexed with minilm, and nomic is set" in again.mismatch()
    again.close()


def test_while_the_index_is_made_again_the_old_one_answers_with_its_embedder(
    services: Services, lanes: NamedLanes
) -> None:
    services.close()
    again = build(settings_for(services.settings.data_dir, model="nomic"))
    found: list[bool] = []

    def ask() -> None:
        lanes.pause = lambda: None
        found.append(finds(again, 3))
        assert again.mismatch() == ""

    lanes.pause = ask
    again.reindex(again.embed_settings())
    assert found == [True]
    assert again.mismatch() == ""
    assert finds(again, 3)
    again.close()


def test_an_index_whose_embedder_is_gone_does_not_answer_meanwhile(
    services: Services, lanes: NamedLanes
) -> None:
    lanes.version = "v2"
    services.close()
    again = build(settings_for(services.settings.data_dir))
    refused: list[str] = []

    def ask() -> None:
        lanes.pause = lambda: None
        with pytest.raises(IndexMismatchError) as error:
            again.search("How many ships has town3?")
        refused.append(str(error.value))

    lanes.pause = ask
    again.reindex(again.embed_settings())
    assert "another version of minilm" in refused[0]
    assert finds(again, 3)
    again.close()


def test_another_version_of_the_same_embedder_is_called_that(
    services: Services, lanes: NamedLanes
) -> None:
    lanes.version = "v2"
    services.close()
    again = build(settings_for(services.settings.data_dir))
    assert "made with another version of minilm" in again.mismatch()
    assert "folio reindex --embedder minilm" in again.mismatch()
    again.close()


def test_a_document_can_be_deleted_whatever_embedder_is_set(services: Services) -> None:
    document = find(services, 3)
    services.close()
    again = build(settings_for(services.settings.data_dir, model="nomic"))
    receipt = again.delete(document.id)
    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    again.close()
