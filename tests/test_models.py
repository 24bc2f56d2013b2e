"""Choosing, fetching and switching embedders for the app, on real services and fixtures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ingest.reindex import ReindexStopped
from rag.embed.catalogue import NOMIC, NOMIC_TEXT, NOMIC_VISION
from rag.embed.load import is_cached
from rag.errors import ConfigError
from tests.builders import make_html
from tests.hub_server import HubServer
from tests.openai_server import free_port
from tests.towns import parse_here, settings_for, stop_after
from ui.models import DEFAULT
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ui.models import ModelRow

PAGE = make_html("<h1>Harbour</h1><p>The harbour has seven cranes and a ferry.</p>")


@pytest.fixture
def open_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Services]]:
    monkeypatch.setattr("ingest.pipeline.parse_in_child", parse_here)
    opened: list[Services] = []

    def start(**embed: Any) -> Services:
        for services in opened:
            services.close()
        opened[:] = [build(settings_for(tmp_path / "library", **embed))]
        return opened[0]

    yield start
    for services in opened:
        services.close()


def add(services: Services, name: str = "harbour.html", data: bytes = PAGE) -> None:
    admitted = services.pipeline.admit(name, data)
    assert services.pipeline.run(admitted.document.id).state == "ready"


def row_of(services: Services, name: str) -> ModelRow:
    return next(row for row in services.models.rows() if row.facts.name == name)


def wait(services: Services) -> None:
    """Until nothing runs any more; what failed stays in the list."""
    until(lambda: all(job.is_over for job in services.models.jobs()))


def _point_at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As HF_ENDPOINT would, which is read when the library is imported."""
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


def until(holds: Callable[[], object]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    message = "it never came"
    raise AssertionError(message)


def test_rows_say_what_is_in_use_here_or_needs_a_licence(
    open_services: Callable[..., Services], shared: Path
) -> None:
    services = open_services(model_dir=shared / "fixtures")

    assert services.models.rows()[0].facts.name == "minilm"
    states = {row.facts.name: row.state for row in services.models.rows()}
    assert states["minilm"] == "in_use"
    assert states["nomic"] == states["clip"] == "ready"
    assert states["jina"] == "licence"
    assert states["jina-api"] == "key"
    assert row_of(services, "clip").choice == "minilm+clip"


def test_a_switch_in_the_background_ends_with_the_other_model_in_use(
    open_services: Callable[..., Services], shared: Path
) -> None:
    services = open_services(model_dir=shared / "fixtures")
    add(services)

    services.models.switch("nomic")
    wait(services)

    assert services.models.jobs() == []
    assert services.status().embedder == "nomic"
    assert row_of(services, "nomic").state == "in_use"
    assert services.search("How many cranes?").hits
    assert open_services(model_dir=shared / "fixtures").status().embedder == "nomic"


def test_a_model_that_is_not_here_or_not_accepted_starts_nothing(
    open_services: Callable[..., Services], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    services = open_services()

    with pytest.raises(Exception, match="are not on this machine"):
        services.models.switch("nomic")
    with pytest.raises(ConfigError, match="allows no commercial use"):
        services.models.switch("jina")
    with pytest.raises(ConfigError, match="allows no commercial use"):
        services.models.fetch("jina")
    with pytest.raises(ConfigError, match="There is no embedder 'bert'"):
        services.models.switch("bert")

    assert services.models.jobs() == []


def test_a_model_that_the_settings_name_cannot_be_changed_on_the_page(
    open_services: Callable[..., Services], shared: Path
) -> None:
    services = open_services(model="minilm", model_dir=shared / "fixtures")

    assert services.models.fixed_by_settings() == "minilm"
    with pytest.raises(ConfigError, match="FOLIO_EMBED__MODEL=minilm is set"):
        services.models.switch("nomic")


def test_an_accepted_licence_is_remembered_by_the_library(
    open_services: Callable[..., Services], shared: Path
) -> None:
    folder = shared / "fixtures" / "jina_clip_onnx_tiny"
    services = open_services(model_dir=folder)
    add(services)

    services.models.accept_licence("jina")
    assert row_of(services, "jina").state == "ready"
    services.models.switch("jina")
    wait(services)

    assert services.models.jobs() == []
    again = open_services(model_dir=folder)
    assert again.status().embedder == "jina"
    assert again.search("How many cranes?").hits


@pytest.fixture
def hub(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """Both halves of nomic on a loopback hub, with the real length in their configs."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with HubServer() as server:
        for checkpoint, name in (
            (NOMIC_TEXT, "nomic_text_tiny"),
            (NOMIC_VISION, "nomic_vision_tiny"),
        ):
            server.publish(checkpoint, shared / "fixtures" / name)
            path = f"{checkpoint.id}/resolve/{checkpoint.revision}/config.json"
            config = json.loads(server.files[path]) | {"n_embd": 768}
            server.files[path] = json.dumps(config).encode()
        _point_at(server.endpoint, monkeypatch)
        yield server


def test_the_default_is_fetched_by_itself_and_offered_to_a_library_of_ones_own(
    open_services: Callable[..., Services], hub: HubServer
) -> None:
    services = open_services()
    add(services)
    assert services.models.offer() is None

    services.models.at_start()
    until(lambda: is_cached(NOMIC, services.settings.embed) and not services.models.jobs())

    offer = services.models.offer()
    assert offer is not None
    assert (offer.name, offer.can_dismiss) == (DEFAULT, True)
    assert services.status().embedder == "minilm"
    services.models.dismiss_offer()
    assert services.models.offer() is None


@pytest.mark.parametrize("embed", [{"fetch_default": False}, {"model": "minilm"}])
def test_nothing_is_fetched_when_it_is_switched_off_or_a_model_is_set(
    open_services: Callable[..., Services], hub: HubServer, embed: dict[str, Any]
) -> None:
    services = open_services(**embed)

    services.models.at_start()
    time.sleep(0.3)

    assert hub.seen == []


def test_nothing_is_fetched_offline_or_after_somebody_stopped_it(
    open_services: Callable[..., Services], hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = open_services()
    with monkeypatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        services.models.at_start()
        time.sleep(0.3)
    assert hub.seen == []

    hub.faults.pause_s = 0.05
    services.models.fetch(DEFAULT)
    until(lambda: hub.seen)
    services.models.stop("fetch")
    until(lambda: not services.models.jobs())
    asked = len(hub.seen)
    services.models.at_start()
    time.sleep(0.3)

    assert len(hub.seen) == asked
    assert not is_cached(NOMIC, services.settings.embed)


def test_a_hub_that_refuses_leaves_one_sentence_until_it_is_dismissed(
    open_services: Callable[..., Services], hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _point_at(f"http://127.0.0.1:{free_port()}", monkeypatch)
    services = open_services()

    services.models.fetch("nomic-text")
    wait(services)

    (job,) = services.models.jobs()
    assert job.is_over
    assert job.failure
    assert "Traceback" not in job.failure
    services.models.forget_failures()
    assert services.models.jobs() == []


def test_a_library_that_holds_only_the_sample_moves_to_the_default_by_itself(
    open_services: Callable[..., Services],
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    (sample / "harbour.html").write_bytes(PAGE)
    monkeypatch.setattr("ui.intake.SAMPLE_DIR", sample)
    services = open_services(model_dir=shared / "fixtures")
    add(services)

    services.models.at_start()
    until(lambda: services.status().embedder == "nomic")

    assert services.search("How many cranes?").hits


def test_with_a_document_of_ones_own_the_default_waits_for_a_click(
    open_services: Callable[..., Services], shared: Path
) -> None:
    services = open_services(model_dir=shared / "fixtures")
    add(services)

    services.models.at_start()
    wait(services)

    assert services.status().embedder == "minilm"
    assert services.models.offer() is not None


def test_who_went_back_to_the_built_in_model_is_not_asked_again(
    open_services: Callable[..., Services], shared: Path
) -> None:
    services = open_services(model_dir=shared / "fixtures")
    add(services)
    for name in ("nomic", "minilm"):
        services.models.switch(name)
        wait(services)

    assert services.status().embedder == "minilm"
    assert services.models.offer() is None


def test_a_switch_that_was_cut_off_is_gone_on_with_at_the_next_start(
    open_services: Callable[..., Services], shared: Path
) -> None:
    services = open_services(model_dir=shared / "fixtures")
    for number in range(70):
        add(services, f"{number}.html", PAGE.replace(b"seven", str(number).encode()))
    wanted = services.embed_settings().model_copy(update={"model": "nomic"})
    with pytest.raises(ReindexStopped):
        services.reindex(wanted, **stop_after(1))

    services = open_services(model_dir=shared / "fixtures")
    assert services.library.indexes.unfinished() is not None
    services.models.at_start()
    wait(services)

    assert services.status().embedder == "nomic"
    assert services.library.indexes.unfinished() is None


def test_an_index_of_another_model_than_the_one_set_is_offered_to_be_made_again(
    open_services: Callable[..., Services], shared: Path
) -> None:
    add(open_services())
    services = open_services(model="nomic", model_dir=shared / "fixtures")

    offer = services.models.offer()
    assert offer is not None
    assert (offer.name, offer.can_dismiss) == ("nomic", False)
    assert "indexed with minilm" in offer.rest
    services.models.switch("nomic")
    wait(services)

    assert services.models.offer() is None
    assert services.search("How many cranes?").hits


def test_closing_ends_a_fetch(open_services: Callable[..., Services], hub: HubServer) -> None:
    hub.faults.pause_s = 0.05
    services = open_services()
    services.models.fetch(DEFAULT)

    services.close()

    assert not is_cached(NOMIC, services.settings.embed)
