"""Small libraries of towns, two embedders that count, and looks into their indexes."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from ingest.html import parse_html
from ingest.reindex import schema_of
from rag.embed.lanes import Embedder
from rag.errors import EmbedError
from rag.settings import EmbedSettings, Settings, StoreSettings
from rag.store import Filter, open_store
from rag.types import Scope
from tests.builders import make_html
from tests.fakes import ColourLane, WordLane
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.embed.lanes import Array
    from rag.library import IndexRow
    from rag.types import Document

EVERYTHING = Filter(workspace="local")


def town(number: int) -> bytes:
    """A page of three passages; every fifth with a captioned picture of its own."""
    body = f"<h1>Town {number}</h1>" + "".join(
        f"<h2>Section {part}</h2><p>The harbour of town{number} has {part} cranes, a ferry and "
        f"{number} ships. {'It is a quiet place by the sea. ' * 8}</p>"
        for part in range(3)
    )
    if number % 5 == 0:
        body += f"<figure>{picture(number)}<figcaption>Figure 1. Ships of town{number}."
        body += "</figcaption></figure>"
    return make_html(body, title=f"Town {number}")


def picture(number: int) -> str:
    pixels = np.random.default_rng(number).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((320, 240), Image.Resampling.NEAREST).save(buffer, "PNG")
    return f'<img src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def fill(services: Services, numbers: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Take towns in, parsed in this process: a child each would take minutes."""
    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.parse_in_child", parse_here)
        for number in numbers:
            admitted = services.pipeline.admit(f"town{number}.html", town(number))
            done = services.pipeline.run(admitted.document.id)
            assert done.state == "ready", done.error


def parse_here(path: Path, _: str, *, name: str, limits: Any, **__: object) -> Iterator[object]:
    yield from parse_html(path.read_bytes(), name=name, asset_dir=None, limits=limits)


def settings_for(folder: Path, **embed: Any) -> Settings:
    return Settings(
        data_dir=folder, store=StoreSettings(reserve_mb=0), embed=EmbedSettings(**embed)
    )


@pytest.fixture
def lanes(monkeypatch: pytest.MonkeyPatch) -> NamedLanes:
    """Counting stand-ins for `minilm` and `nomic`, so that a test needs no weights."""
    made = NamedLanes()
    monkeypatch.setattr("ui.embedding.load_embedder", made.load)
    monkeypatch.setattr("ui.embedding.identity_of", made.identity_of)
    monkeypatch.setattr("ui.indexing.identity_of", made.identity_of)
    return made


class NamedLanes:
    """Embedders by name. Promises what `WordLane` and `ColourLane` promise."""

    def __init__(self) -> None:
        self.words = {"minilm": WordLane(), "nomic": WordLane(), "nomic-text": WordLane()}
        self.version = "v1"
        self.words["nomic"].dim = 128  # so that one's vectors do not fit the other's index
        self.pause: Callable[[], None] = lambda: None
        self.pause_of = {"minilm": lambda: None}  # the same, for one of them

    def load(self, settings: EmbedSettings, _turns: object = None) -> Embedder:
        name = settings.model or "minilm"
        self.identity_of(settings)
        lane = Paused(self.words[name], self, name)
        has_pictures = name == "nomic"
        return Embedder(
            name=name,
            text_identity=f"{name}|{self.version}",
            text=lane,
            picture_identity="colours" if has_pictures else "",
            pictures=ColourLane() if has_pictures else None,
        )

    def identity_of(self, settings: EmbedSettings) -> str:
        name = settings.model or "minilm"
        if settings.model_dir is not None:
            raise EmbedError(f"The weights of {name} are not on this machine.")
        return f"{name}|{self.version}" + (" + colours" if name == "nomic" else "")


class Paused:
    """A lane that calls what a test wants before each batch of documents."""

    def __init__(self, lane: WordLane, lanes: NamedLanes, name: str) -> None:
        self.dim, self.text_cap = lane.dim, lane.text_cap
        self.embed_queries, self.count_tokens = lane.embed_queries, lane.count_tokens
        self._lane, self._lanes, self._name = lane, lanes, name

    def embed_documents(self, texts: Sequence[str]) -> Array:
        self._lanes.pause()
        self._lanes.pause_of.get(self._name, lambda: None)()
        return self._lane.embed_documents(texts)


@pytest.fixture
def services(
    tmp_path: Path, lanes: NamedLanes, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    opened = build(settings_for(tmp_path / "library"))
    fill(opened, range(6), monkeypatch)
    yield opened
    opened.close()


def choose(services: Services, name: str) -> EmbedSettings:
    return services.embed_settings().model_copy(update={"model": name})


def stop_after(points: int) -> dict[str, Any]:
    """Arguments of `reindex` that stop it once so many points are there."""
    seen: list[int] = []
    return {
        "on_progress": lambda done, _: seen.append(done),
        "is_cancelled": lambda: bool(seen) and seen[-1] >= points,
    }


def visible_points(services: Services) -> set[str]:
    rows = services.library.database.rows(
        "SELECT i.point_id FROM items i JOIN runs r ON r.id = i.run WHERE r.stage = 2"
    )
    return {row["point_id"] for row in rows}


def stored_points(services: Services) -> set[str]:
    return {str(id_) for id_ in services.store().scan(EVERYTHING, limit=100_000)}


def index_folders(services: Services) -> set[str]:
    return {path.name for path in (services.settings.data_dir / "index").iterdir()}


def unfinished_count(services: Services, where: Filter) -> int:
    index = services.library.indexes.unfinished()
    assert index is not None
    return count_in(services, index, where)


def count_in(services: Services, index: IndexRow, where: Filter) -> int:
    store = open_store(services.settings.store, services.settings.data_dir / "index", index.name)
    store.ensure(schema_of(index))
    count = store.count(where)
    store.close()
    return count


def states(services: Services) -> dict[str, tuple[str, int, int]]:
    return {d.name: (d.state, d.text_count, d.figure_count) for d in services.documents()}


def finds(services: Services, number: int) -> bool:
    words = Scope(workspace=services.workspace, group="words")
    hits = services.search(f"How many ships has town{number}?", scope=words).hits
    return any(hit.document_name == f"town{number}.html" for hit in hits)


def find(services: Services, number: int) -> Document:
    return services.find(f"town{number}.html")[0]
