"""Trying embedders on a library: side by side, stoppable, without a trace in the index in use."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from evals.sets_pages import read_pages
from evals.trial import SPEED_TEXTS
from evals.trial_record import TrialRecord
from rag.embed.turns import Turns, hurried, unhurried
from rag.errors import ConfigError, EmbedError
from rag.settings import Settings, StoreSettings
from tests.builders import make_html
from tests.conftest import copy_library
from tests.towns import (
    NamedLanes,
    index_folders,
    lanes,  # noqa: F401 - a fixture
    parse_here,
    picture,
    settings_for,
    stored_points,
)
from ui.services import Services, build
from ui.trial import CHANGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HERE = {"minilm", "nomic"}
BODIES = {
    "mill.html": "<h1>The old mill</h1><p>The miller keeps nine wooden wheels under the roof of"
    " the northern barn.</p><p>Every autumn the river floods the lower meadow behind the"
    " village church.</p><table><tr><th>Wheel</th><th>Diameter</th></tr><tr><td>Upper oak"
    " wheel</td><td>4 m</td></tr><tr><td>Lower pine wheel</td><td>3 m</td></tr></table>",
    "ferry.html": "<h1>The ferry</h1><p>Two sailors count the passengers at the wooden gate of"
    " the southern pier.</p><p>The night crossing takes longer because the captain waits for"
    " the mail train.</p>"
    f"<figure>{picture(3)}<figcaption>Figure 1. Crossings of the white ferry by month"
    "</figcaption></figure>",
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with both documents in it, to be copied: reading them takes a second."""
    folder = tmp_path_factory.mktemp("filled") / "library"
    made = NamedLanes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.pipeline.parse_in_child", parse_here)
        for seam in ("ui.embedding.identity_of", "ui.indexing.identity_of"):
            patch.setattr(seam, made.identity_of)
        patch.setattr("ui.embedding.load_embedder", made.load)
        services = build(settings_for(folder))
        for name in BODIES:
            add(services, name)
        services.close()
    return folder


@pytest.fixture
def start(
    tmp_path: Path,
    lanes: NamedLanes,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[], Services]]:
    """Opens the same small library again and again; two embedders are here."""
    monkeypatch.setattr("ingest.pipeline.parse_in_child", parse_here)
    monkeypatch.setattr("ui.trial.identity_of", lanes.identity_of)
    monkeypatch.setattr("evals.trial.load_embedder", lanes.load)
    monkeypatch.setattr("ui.models.is_cached", lambda facts, _settings: facts.name in HERE)
    opened: list[Services] = []

    def open_again() -> Services:
        for services in opened:
            services.close()
        opened[:] = [build(settings_for(tmp_path / "library"))]
        return opened[0]

    yield open_again
    for services in opened:
        services.close()


@pytest.fixture
def services(start: Callable[[], Services], filled: Path, tmp_path: Path) -> Services:
    copy_library(filled, tmp_path / "library")
    return start()


def add(services: Services, name: str, body: str = "") -> None:
    admitted = services.pipeline.admit(name, make_html(body or BODIES[name]))
    assert services.pipeline.run(admitted.document.id).state == "ready"


def finish(services: Services) -> None:
    for _ in range(1_200):
        if services.trial.view().state != "running":
            return
        time.sleep(0.05)
    message = "the test never ended"
    raise AssertionError(message)


def run(services: Services, **options: bool) -> None:
    services.trial.start(**options)
    finish(services)


def kept(services: Services) -> list[dict[str, Any]]:
    path = services.settings.data_dir / "trial" / "results.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_embedder_that_is_here_gets_every_question(services: Services) -> None:
    before = stored_points(services), index_folders(services)

    run(services)

    report = services.trial.report()
    assert report is not None
    assert {standing.name for standing in report.standings} == HERE
    count = len(report.questions)
    assert {kind for standing in report.standings for kind in standing.by_kind} == {
        "text",
        "table",
        "figure",
    }
    assert all(standing.right.count == count for standing in report.standings)
    assert all(standing.cost and standing.cost.items > 0 for standing in report.standings)
    assert services.trial.is_complete()
    assert (stored_points(services), index_folders(services)) == before
    assert services.status().embedder == "minilm"


def test_what_is_stopped_goes_on_where_it_stopped_after_a_restart(
    start: Callable[[], Services],
    services: Services,
    lanes: NamedLanes,  # noqa: F811 - the fixture
) -> None:
    lanes.pause_of["nomic"] = services.trial.cancel
    run(services)
    assert {line["embedder"] for line in kept(services)} == {"minilm"}
    assert "trial" not in index_folders(services)

    lanes.pause_of["nomic"] = lambda: None
    again = start()
    assert not again.trial.is_complete()
    run(again)

    asked = [(one["embedder"], one["question"]) for one in kept(again) if one["what"] == "outcome"]
    assert len(asked) == len(set(asked))
    assert {name for name, _ in asked} == HERE
    assert again.trial.is_complete()


def test_a_killed_test_is_cleaned_up_and_gone_on_with(
    start: Callable[[], Services], services: Services
) -> None:
    run(services)
    folder = services.settings.data_dir
    results = folder / "trial" / "results.jsonl"
    lines = results.read_text(encoding="utf-8").splitlines(keepends=True)
    results.write_text("".join(lines[:3]) + lines[3][:20], encoding="utf-8")
    (folder / "index" / "trial" / "shard").mkdir(parents=True)

    again = start()
    again.trial.at_start()
    assert "trial" not in index_folders(again)
    run(again)

    assert len(kept(again)) >= len(lines) - 1
    assert again.trial.is_complete()


def test_another_document_makes_what_was_found_stale_and_the_next_run_starts_anew(
    services: Services,
) -> None:
    run(services)
    before = services.trial.export()
    add(
        services,
        "bees.html",
        "<h1>Bees</h1><p>The keeper moves eleven painted hives to the clover field of the"
        " eastern farm.</p>",
    )
    assert services.trial.report() is None
    assert services.trial.is_stale()

    run(services)

    assert services.trial.export() != before
    assert "clover" in services.trial.export() or "hives" in services.trial.export()


def test_a_deleted_document_leaves_none_of_its_words_behind(services: Services) -> None:
    run(services)

    services.delete(services.find("mill.html")[0].id)

    assert not (services.settings.data_dir / "trial").exists()
    assert services.trial.report() is None


def test_a_document_deleted_meanwhile_stops_the_test_first(
    services: Services,
    lanes: NamedLanes,  # noqa: F811 - the fixture
) -> None:
    at_work = []
    lanes.pause_of["nomic"] = lambda: (at_work.append(1), time.sleep(0.2))[0]
    services.trial.start()
    while not at_work:
        time.sleep(0.01)

    services.delete(services.find("mill.html")[0].id)

    assert services.trial.view().state == "idle"
    assert not (services.settings.data_dir / "trial").exists()
    assert "trial" not in index_folders(services)


def test_a_library_that_changes_meanwhile_ends_the_test_in_words(
    services: Services,
    lanes: NamedLanes,  # noqa: F811 - the fixture
) -> None:
    def change() -> None:
        lanes.pause_of["nomic"] = lambda: None
        add(services, "note.html", "<p>A short note about the weather of the island.</p>")

    lanes.pause_of["nomic"] = change
    run(services)

    assert services.trial.view().failure == CHANGED
    services.trial.dismiss()
    assert services.trial.view().state == "idle"
    assert "trial" not in index_folders(services)


def test_vectors_that_are_known_are_not_made_again(
    services: Services,
    lanes: NamedLanes,  # noqa: F811 - the fixture
) -> None:
    run(services)
    counts = {name: lane.embedded_count for name, lane in lanes.words.items()}
    run(services, again=True)

    head = services.settings.data_dir / "trial" / "trial.json"
    assert json.loads(head.read_text())["seed"] == 1  # other questions, where there are more
    again = {name: lanes.words[name].embedded_count - counts[name] for name in HERE}
    # Only the few that tell its speed, the first of them twice.
    assert all(count <= SPEED_TEXTS + 1 for count in again.values())


def test_a_model_that_cannot_be_loaded_is_left_out_and_the_others_go_on(
    services: Services,
    lanes: NamedLanes,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(settings: Any, turns: object) -> Any:
        if settings.model == "nomic":
            raise EmbedError("The weights of nomic are damaged. Fetch them again.")
        return lanes.load(settings, turns)

    monkeypatch.setattr("evals.trial.load_embedder", load)
    run(services)

    report = services.trial.report()
    assert report is not None
    assert {standing.name for standing in report.standings} == HERE - {"nomic"}
    assert report.left_out == {"nomic": "The weights of nomic are damaged. Fetch them again."}
    assert services.trial.is_complete()


def test_a_nearly_full_disk_ends_it_in_one_sentence(services: Services) -> None:
    full = Settings(data_dir=services.settings.data_dir, store=StoreSettings(reserve_mb=1_000_000))
    services.settings = full

    run(services)

    assert services.trial.view().failure.startswith("The disk is nearly full")
    assert not (full.data_dir / "trial").exists()
    assert "trial" not in index_folders(services)


def test_an_empty_library_or_one_without_words_is_refused_in_words(
    start: Callable[[], Services],
) -> None:
    services = start()
    with pytest.raises(ConfigError, match="Add a document first"):
        services.trial.start()

    add(services, "dots.html", "<p>12 34 56.</p>")
    run(services)

    assert services.trial.view().failure.startswith("No question could be made")
    assert services.trial.report() is None


def test_one_document_without_figures_gives_a_report(start: Callable[[], Services]) -> None:
    services = start()
    add(services, "mill.html", BODIES["mill.html"].partition("<table>")[0])

    run(services)

    report = services.trial.report()
    assert report is not None
    assert {kind for standing in report.standings for kind in standing.by_kind} == {"text"}
    assert "too few" in report.advice


def test_a_second_start_is_refused_while_one_runs(
    services: Services,
    lanes: NamedLanes,  # noqa: F811 - the fixture
) -> None:
    lanes.pause_of["minilm"] = lambda: time.sleep(0.05)
    services.trial.start()

    with pytest.raises(ConfigError, match="runs already"):
        services.trial.start()
    services.trial.cancel()
    finish(services)


def test_licences_and_hosted_models_are_left_out_with_the_reason(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.models.is_cached", lambda _facts, _settings: True)

    plan = services.trial.plan()

    assert plan.left_out["jina"] == "Its licence, CC BY-NC 4.0, has not been accepted."
    assert plan.left_out["jina-api"] == "Hosted: a test would send all documents away."
    assert plan.names[0] == "minilm"


def test_the_export_is_a_set_that_folio_eval_reads(services: Services, tmp_path: Path) -> None:
    run(services)
    folder = tmp_path / "set"
    (folder / "pdfs").mkdir(parents=True)
    (folder / "questions.jsonl").write_text(services.trial.export(), encoding="utf-8")
    for name, body in BODIES.items():
        (folder / "pdfs" / name).write_bytes(make_html(body))

    labelled = read_pages(folder)

    report = services.trial.report()
    assert report is not None
    assert len(labelled.questions) == len(report.questions)
    assert all(question.is_ranked for question in labelled.questions)
    assert labelled.missing == labelled.notes == ()


def test_sources_of_questions_can_be_opened(services: Services) -> None:
    run(services)
    report = services.trial.report()
    assert report is not None

    sources = services.trial.sources(report.questions)

    assert [source.marker for source in sources if source] == list(range(1, len(sources) + 1))
    assert {s.hit.item.id for s in sources if s} == {q.item_id for q in report.questions}


def test_a_record_of_another_version_counts_for_nothing(services: Services) -> None:
    run(services)
    head = services.settings.data_dir / "trial" / "trial.json"
    head.write_text(json.dumps({**json.loads(head.read_text()), "version": 0}))

    assert TrialRecord(head.parent, reserve_mb=0).read() is None
    assert services.trial.report() is None


def test_a_trials_questions_let_a_readers_go_first() -> None:
    turns = Turns()
    order: list[str] = []

    with unhurried(), turns.take(question=True):
        # Were it a question, it would keep the turn to its end.
        def reader() -> None:
            with hurried(), turns.take(question=False):
                order.append("reader")

        thread = threading.Thread(target=reader)
        thread.start()
        while not turns._questions_waiting:
            time.sleep(0.001)
        turns.give_way()
        order.append("trial")
    thread.join()

    assert order == ["reader", "trial"]


def test_real_engine_and_checkpoints_run_side_by_side(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.pipeline.parse_in_child", parse_here)
    monkeypatch.setattr("ui.models.is_cached", lambda facts, _settings: facts.name in HERE)
    services = build(settings_for(tmp_path / "library", model_dir=shared / "fixtures"))
    try:
        for document in BODIES:
            add(services, document)
        run(services)

        report = services.trial.report()
        assert report is not None
        by_name = {standing.name: standing for standing in report.standings}
        assert set(by_name) == HERE
        real = by_name["minilm"]
        assert real.right.hits == real.right.count
        assert real.cost
        assert real.cost.memory_bytes > 0
        assert real.cost.seconds_per_100
        assert services.search("nine wooden wheels").hits
    finally:
        services.close()
