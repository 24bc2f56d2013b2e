"""Samples for calibration, drawn from a real library."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import numpy as np
import pytest

from rag.background import Background
from rag.merge import MIN_SAMPLE
from rag.settings import EmbedSettings, Settings
from rag.types import LOCAL_WORKSPACE
from tests.builders import make_html
from tests.towns import picture
from ui.services import Services, build


def notes(subject: str, count: int) -> bytes:
    sections = (
        f"## {subject} {n}\n\n{subject} number {n} was opened in {1800 + n}." for n in range(count)
    )
    return "\n\n".join(sections).encode()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("background")
    built = build(Settings(data_dir=folder, embed=EmbedSettings(model="minilm"), _env_file=None))
    for name, count in (("bridges.md", 70), ("ovens.md", 70), ("lamps.md", 5)):
        document = built.pipeline.admit(name, notes(name[:-4].title(), count)).document
        built.pipeline.run(document.id)
    yield built
    built.close()


def sample(services: Services, *names: str) -> np.ndarray:
    background = Background(services.library, services.store(), services.embedder())
    return background.sample(LOCAL_WORKSPACE, "text", tuple(ids(services, *names)))


def ids(services: Services, *names: str) -> list[UUID]:
    return [document.id for name in names for document in services.find(name)]


def likeness(services: Services, rows: np.ndarray, question: str) -> float:
    asked = services.embedder().text.embed_queries([question])[0]
    return float(np.median(rows @ asked))


def test_a_scope_is_measured_against_itself(services: Services) -> None:
    bridges = sample(services, "bridges.md")
    everything = sample(services)
    assert len(bridges) == 70
    assert likeness(services, bridges, "bridge") > likeness(services, everything, "bridge")


def test_a_small_scope_is_filled_up_from_the_library(services: Services) -> None:
    rows = sample(services, "lamps.md")
    assert len(rows) >= MIN_SAMPLE
    assert likeness(services, rows[:5], "lamp") > likeness(services, rows[5:], "lamp")


def test_texts_are_measured_among_documents_with_pictures(services: Services) -> None:
    background = Background(services.library, services.store(), services.embedder())
    page = make_html("".join(f"<h2>Boat {n}</h2><p>Boat {n} sank in {n}.</p>" for n in range(80)))
    with_picture = page.replace(b"</body>", f"<figure>{picture(3)}</figure></body>".encode())
    document = services.pipeline.admit("boats.html", with_picture).document
    services.pipeline.run(document.id)

    boats = background.sample(LOCAL_WORKSPACE, "text")
    other = services.pipeline.admit("tiles.md", notes("Tile", 90)).document
    services.pipeline.run(other.id)
    unchanged = background.sample(LOCAL_WORKSPACE, "text")
    services.pipeline.delete(document.id)
    services.pipeline.delete(other.id)

    assert likeness(services, boats, "boat") > likeness(services, sample(services), "boat") + 0.1
    assert np.array_equal(boats, unchanged)


def test_a_new_document_renews_the_sample(services: Services) -> None:
    background = Background(services.library, services.store(), services.embedder())
    before = len(background.sample(LOCAL_WORKSPACE, "text"))
    document = services.pipeline.admit("doors.md", notes("Door", 6)).document
    services.pipeline.run(document.id)
    assert len(background.sample(LOCAL_WORKSPACE, "text")) == before + 6
    services.pipeline.delete(document.id)
