"""Both engines, one behaviour. The yardstick is qdrant-client in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qdrant_client import QdrantClient

from rag.errors import DiskReserveError, LibraryInUseError, StoreError
from rag.store import Filter, Leg, Point, Schema, Sparse, Store
from rag.store.edge import DamagedIndexError, EdgeStore
from rag.store.server import ServerStore

if TYPE_CHECKING:
    from collections.abc import Iterator

DIM = 16
SCHEMA = Schema(text_dim=DIM, image_dim=8)
EVERYTHING = Filter(workspace="local")
RUNS = [uuid.uuid5(uuid.NAMESPACE_OID, f"run {i}") for i in range(4)]
DOCUMENTS = [uuid.uuid5(uuid.NAMESPACE_OID, f"document {i}") for i in range(4)]


def unit(rng: np.random.Generator, dim: int) -> np.ndarray:
    vector = rng.normal(size=dim).astype(np.float32)
    return vector / np.linalg.norm(vector)


def words(rng: np.random.Generator, count: int) -> Sparse:
    indices = sorted(int(i) for i in rng.choice(60, size=count, replace=False))
    return Sparse(tuple(indices), tuple(float(v) for v in rng.uniform(0.5, 2.5, size=count)))


def make_points(count: int, *, seed: int = 1) -> list[Point]:
    rng = np.random.default_rng(seed)
    points = []
    for i in range(count):
        is_figure = i % 5 == 0
        dense = (
            {"image": unit(rng, 8), "caption": unit(rng, DIM)}
            if is_figure
            else {"text": unit(rng, DIM)}
        )
        points.append(
            Point(
                id=uuid.uuid5(uuid.NAMESPACE_OID, f"point {i}"),
                workspace="local" if i % 7 else "other",
                document_id=DOCUMENTS[i % 4],
                run=RUNS[i % 4],
                kind="figure" if is_figure else "text",
                page_number=i % 9 or None,
                order=i,
                dense=dense,
                keywords=words(rng, 6),
            )
        )
    return points


@pytest.fixture(params=["edge", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = (
        EdgeStore(tmp_path / "index")
        if request.param == "edge"
        else ServerStore(QdrantClient(":memory:"), "folio")
    )
    opened.ensure(SCHEMA)
    yield opened
    opened.close()


def test_a_point_is_found_by_each_of_its_vectors(store: Store) -> None:
    points = make_points(40)
    store.upsert(points)
    figure = points[5]
    legs = [
        Leg(using="image", vector=figure.dense["image"], where=EVERYTHING, limit=1),
        Leg(using="caption", vector=figure.dense["caption"], where=EVERYTHING, limit=1),
        Leg(using="keywords", vector=figure.keywords, where=EVERYTHING, limit=1),
    ]
    found = store.search(legs)
    assert [hits[0].id for hits in found] == [figure.id] * 3
    assert found[0][0].score == pytest.approx(1, abs=1e-5)


def test_a_filter_never_shows_another_workspace(store: Store) -> None:
    points = make_points(60)
    store.upsert(points)
    visible = {point.id for point in points if point.workspace == "local"}
    leg = Leg(using="text", vector=points[1].dense["text"], where=EVERYTHING, limit=60)
    found = {hit.id for hit in store.search([leg])[0]}
    assert found
    assert found <= visible
    assert store.count(EVERYTHING) == len(visible)


def test_an_empty_document_filter_matches_nothing(store: Store) -> None:
    store.upsert(make_points(20))
    assert store.count(Filter(workspace="local", documents=())) == 0


def test_hidden_runs_are_left_out(store: Store) -> None:
    points = make_points(40)
    store.upsert(points)
    hidden = Filter(workspace="local", not_runs=(RUNS[1], RUNS[2]))
    leg = Leg(using="text", vector=points[1].dense["text"], where=hidden, limit=40)
    runs = {point.id: point.run for point in points}
    assert {runs[hit.id] for hit in store.search([leg])[0]} == {RUNS[0], RUNS[3]}


def test_points_to_be_left_out_are_in_no_leg_and_not_counted(store: Store) -> None:
    points = make_points(40)
    store.upsert(points)
    figure = points[5]
    where = Filter(workspace="local", not_runs=(RUNS[2],), not_ids=(figure.id, points[6].id))
    legs = [
        Leg(using="image", vector=figure.dense["image"], where=where, limit=40),
        Leg(using="caption", vector=figure.dense["caption"], where=where, limit=40),
        Leg(using="keywords", vector=figure.keywords, where=where, limit=40),
    ]

    found = [{hit.id for hit in hits} for hits in store.search(legs)]

    assert all(found)
    assert not any({figure.id, points[6].id} & ids for ids in found)
    assert figure.id not in store.scan(where, limit=100)
    local = [point for point in points if point.workspace == "local" and point.run != RUNS[2]]
    assert store.count(where) == len({p.id for p in local} - {figure.id, points[6].id})


def test_scan_pages_through_all_ids_in_order(store: Store) -> None:
    points = make_points(50)
    store.upsert(points)
    seen: list[uuid.UUID] = []
    after = None
    while page := store.scan(EVERYTHING, limit=7, after=after):
        seen += page
        after = page[-1]
    assert seen == sorted(point.id for point in points if point.workspace == "local")


def test_fetch_returns_unit_vectors_and_leaves_out_missing_ids(store: Store) -> None:
    points = make_points(10)
    store.upsert(points)
    found = store.fetch([points[1].id, uuid.uuid4()], ["text"])
    assert list(found) == [points[1].id]
    assert found[points[1].id]["text"] == pytest.approx(points[1].dense["text"], abs=1e-6)


def test_delete_by_document_leaves_the_others(store: Store) -> None:
    points = make_points(40)
    store.upsert(points)
    store.delete(Filter(workspace="local", documents=(DOCUMENTS[0],)))
    left = {p.id for p in points if p.workspace == "local" and p.document_id != DOCUMENTS[0]}
    assert set(store.scan(EVERYTHING, limit=100)) == left


def test_a_keyword_leg_without_common_words_is_empty(store: Store) -> None:
    store.upsert(make_points(10))
    leg = Leg(using="keywords", vector=Sparse((9_999,), (1.0,)), where=EVERYTHING, limit=5)
    assert store.search([leg]) == [[]]


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        (np.full(DIM, np.nan, dtype=np.float32), "not a number"),
        (np.zeros(DIM, dtype=np.float32), "unit length"),
        (np.ones(3, dtype=np.float32), "shape"),
    ],
    ids=["nan", "zero", "wrong dimension"],
)
def test_a_vector_that_would_rank_wrongly_is_refused(
    store: Store, vector: np.ndarray, words: str
) -> None:
    bad = Point(
        id=uuid.uuid4(),
        workspace="local",
        document_id=DOCUMENTS[0],
        run=RUNS[0],
        kind="text",
        page_number=1,
        order=0,
        dense={"text": vector},
    )
    with pytest.raises(StoreError, match=words):
        store.upsert([*make_points(3), bad])
    assert store.count(EVERYTHING) == 0


@pytest.mark.parametrize(
    ("indices", "values"),
    [((5, 6), (1.0,)), ((6, 5), (1.0, 1.0)), ((5, 5), (1.0, 1.0)), ((5,), (float("nan"),))],
    ids=["lengths", "unsorted", "repeated", "nan"],
)
def test_a_malformed_keyword_vector_cannot_be_made(
    indices: tuple[int, ...], values: tuple[float, ...]
) -> None:
    with pytest.raises(StoreError, match="keyword vector"):
        Sparse(indices, values)


def test_both_engines_give_the_same_hits(tmp_path: Path) -> None:
    edge, memory = EdgeStore(tmp_path / "index"), ServerStore(QdrantClient(":memory:"), "folio")
    points = make_points(400)
    for store in (edge, memory):
        store.ensure(SCHEMA)
        store.upsert(points)
    rng = np.random.default_rng(9)
    for turn in range(40):
        where = Filter(
            workspace="local",
            documents=tuple(DOCUMENTS[: 1 + turn % 4]),
            not_runs=(RUNS[turn % 4],) if turn % 2 else (),
            kinds=("text",) if turn % 3 == 0 else None,
        )
        legs = [
            Leg(using="text", vector=unit(rng, DIM), where=where, limit=20),
            Leg(using="image", vector=unit(rng, 8), where=where, limit=20),
            Leg(using="caption", vector=unit(rng, DIM), where=where, limit=20),
            Leg(using="keywords", vector=words(rng, 4), where=where, limit=20),
        ]
        for ours, theirs in zip(edge.search(legs), memory.search(legs), strict=True):
            assert [h.score for h in ours] == pytest.approx([h.score for h in theirs], rel=1e-4)
            assert {hit.id for hit in ours[:-1]} == {hit.id for hit in theirs[:-1]}
    edge.close()
    memory.close()


def test_a_reopened_index_holds_the_same_points(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "index")
    store.ensure(SCHEMA)
    store.upsert(make_points(30))
    before = store.scan(EVERYTHING, limit=100)
    store.close()
    again = EdgeStore(tmp_path / "index")
    again.ensure(SCHEMA)
    assert again.scan(EVERYTHING, limit=100) == before
    again.close()


def test_a_second_process_is_refused_in_words(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "index")
    store.ensure(SCHEMA)
    second = EdgeStore(tmp_path / "index")
    with pytest.raises(LibraryInUseError, match="another program"):
        second.ensure(SCHEMA)
    store.close()


def test_another_engine_version_asks_for_a_rebuild(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "index")
    store.ensure(SCHEMA)
    store.close()
    marker = tmp_path / "index" / "engine.json"
    marker.write_text(json.dumps({"engine": "qdrant-edge-py", "version": "0.1.0"}))
    with pytest.raises(DamagedIndexError):
        EdgeStore(tmp_path / "index").ensure(SCHEMA)


def test_a_damaged_segment_asks_for_a_rebuild(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "index")
    store.ensure(SCHEMA)
    store.upsert(make_points(30))
    store.close()
    for path in (tmp_path / "index" / "shard").rglob("*.json"):
        path.write_text("{")
    with pytest.raises(DamagedIndexError):
        EdgeStore(tmp_path / "index").ensure(SCHEMA)


def test_nothing_is_written_below_the_disk_reserve(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "index", reserve_mb=100_000_000)
    with pytest.raises(DiskReserveError, match="Free at least"):
        store.ensure(SCHEMA)


def test_acknowledged_points_survive_a_kill(tmp_path: Path) -> None:
    script = (
        "import sys, os, signal; sys.path.insert(0, sys.argv[2]);"
        "from pathlib import Path; from rag.store.edge import EdgeStore;"
        "from tests.test_store import SCHEMA, make_points;"
        "s = EdgeStore(Path(sys.argv[1])); s.ensure(SCHEMA); s.upsert(make_points(200));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = str(Path(__file__).parent.parent)
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "index"), root], check=False, cwd=root
    )
    store = EdgeStore(tmp_path / "index")
    store.ensure(SCHEMA)
    assert store.count(EVERYTHING) + store.count(Filter(workspace="other")) == 200
    store.close()


def test_a_dropped_collection_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    edge = EdgeStore(folder)
    edge.ensure(SCHEMA)
    edge.upsert(make_points(5))
    edge.flush()
    edge.drop()
    assert not folder.exists()
    EdgeStore(folder).drop()  # a second time, never opened

    client = QdrantClient(":memory:")
    for name in ("old", "new"):
        ServerStore(client, name).ensure(SCHEMA)
    gone: list[str] = []
    original = client.delete_collection
    client.delete_collection = lambda name: gone.append(name) or original(name)  # type: ignore[method-assign,func-returns-value]
    ServerStore(client, "old").drop()
    assert gone == ["old"]
