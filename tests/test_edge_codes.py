"""The embedded engine compares short codes first: what it finds must be what is nearest."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import numpy as np
import pytest
import qdrant_edge as qe

from rag.store.base import Filter, Leg, Point, Schema
from rag.store.edge import MARKER, EdgeStore

if TYPE_CHECKING:
    from pathlib import Path

    from rag.embed.lanes import Array

NAMES = UUID(int=7)
DIM = 384
COUNT = 1500
EVERYTHING = Filter(workspace="local")


def crowded_vectors() -> Array:
    """Unit rows around 30 centres, as passages of documents lie."""
    chance = np.random.default_rng(1)
    centres = chance.standard_normal((30, DIM))
    rows = centres[np.arange(COUNT) % 30] + chance.standard_normal((COUNT, DIM))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def make_points(vectors: Array) -> list[Point]:
    return [
        Point(
            id=uuid5(NAMES, str(i)),
            workspace="local",
            document_id=uuid5(NAMES, f"document {i % 30}"),
            run=NAMES,
            kind="text",
            page_number=1,
            order=i,
            dense={"text": vector},
        )
        for i, vector in enumerate(vectors)
    ]


def make_uncoded_shard(folder: Path) -> None:
    """A shard as Folio made it before codes came."""
    (folder / "shard").mkdir(parents=True)
    vectors = {
        name: qe.EdgeVectorParams(size=DIM, distance=qe.Distance.Cosine)
        for name in ("text", "caption")
    }
    sparse = {"keywords": qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)}
    config = qe.EdgeConfig(vectors=dict(vectors), sparse_vectors=sparse)
    qe.EdgeShard.create(str(folder / "shard"), config).close()
    marker = {"engine": "qdrant-edge-py", "version": version("qdrant-edge-py")}
    (folder / MARKER).write_text(json.dumps(marker), encoding="utf-8")


@pytest.mark.parametrize("is_coded", [True, False], ids=["with codes", "made before codes"])
def test_the_hits_are_the_exact_nearest_with_their_exact_cosines(
    tmp_path: Path, is_coded: bool
) -> None:
    if not is_coded:
        make_uncoded_shard(tmp_path)
    vectors = crowded_vectors()
    points = make_points(vectors)
    store = EdgeStore(tmp_path)
    store.ensure(Schema(text_dim=DIM))
    store.upsert(points)
    store.close()
    store.ensure(Schema(text_dim=DIM))
    for question in vectors[:60:3]:
        hits = store.search([Leg(using="text", vector=question, where=EVERYTHING, limit=50)])[0]
        cosines = vectors @ question
        nearest = np.argsort(-cosines, kind="stable")[:50]
        assert {hit.id for hit in hits} == {points[i].id for i in nearest}
        assert [hit.score for hit in hits] == pytest.approx(
            sorted(cosines[nearest], reverse=True), abs=1e-5
        )
    store.close()


def test_codes_follow_a_vector_that_is_written_again_or_deleted(tmp_path: Path) -> None:
    every = crowded_vectors()
    before, now = every[:400], np.concatenate([every[400:600], every[200:400]])
    points = make_points(before)
    store = EdgeStore(tmp_path)
    store.ensure(Schema(text_dim=DIM))
    store.upsert(points)
    store.upsert(make_points(now)[:200])
    store.delete(Filter(workspace="local", documents=(points[3].document_id,)))
    left = [i for i, point in enumerate(points) if point.document_id != points[3].document_id]
    for question in (*before[:20:5], *now[:20:5]):
        hits = store.search([Leg(using="text", vector=question, where=EVERYTHING, limit=20)])[0]
        best = sorted(left, key=lambda i: -float(now[i] @ question))[:20]
        assert [hit.id for hit in hits][:5] == [points[i].id for i in best][:5]
        assert {hit.id for hit in hits} == {points[i].id for i in best}
    store.close()
