"""Points in the embedded Qdrant engine. The only importer of `qdrant_edge`.

Knows how edge 0.9.0 behaves (measured): ids come back as UUIDs; the GIL is held in
every call, so batches stay small; a panic is a BaseException; a full disk kills the
process, so the reserve is checked before each write.
"""

from __future__ import annotations

import json
import logging
import shutil
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import qdrant_edge as qe

from rag.errors import LibraryInUseError, StoreError
from rag.store.base import (
    DENSE_NAMES,
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    Dense,
    DenseName,
    Filter,
    Leg,
    Point,
    Schema,
    Scored,
    Sparse,
)
from rag.store.disk import check_reserve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)

# 10,000 points in one call stopped every other thread for 473 ms; 500 stay under 30 ms.
UPSERT_BATCH = 500
MARKER = "engine.json"
# 4-bit codes beside the vectors: the best 3 x limit by code are compared again by their exact
# cosine. 8,000 x 768: 0.7 ms of CPU against 2.5, and the same 50 hits for 120 of 120 questions
# (2 bits lose 0.6 % of them, 1 bit 7 %). A shard made without codes ignores this.
_CODES = qe.TurboQuantQuantizationConfig(bits=qe.TurboQuantBitSize.Bits4)
_EXACT_AT_LAST = qe.SearchParams(
    quantization=qe.QuantizationSearchParams(rescore=True, oversampling=3.0)
)


class DamagedIndexError(StoreError):
    """The index cannot be read and must be rebuilt from the rows."""

    kind = "index_damaged"


class EdgeStore:
    """A `Store` in a folder of this process. Thread-safe by the engine's own locks."""

    def __init__(self, folder: Path, *, reserve_mb: int = 0) -> None:
        self._folder = folder
        self._shard_folder = folder / "shard"
        self._reserve_mb = reserve_mb
        self._schema: Schema | None = None
        self._shard: qe.EdgeShard | None = None

    def ensure(self, schema: Schema) -> None:
        """Create or load the collection.

        Raises:
            DiskReserveError: Too little disk to open it safely.
            DamagedIndexError: The folder holds an index that this engine cannot read.
            LibraryInUseError: Another process holds the folder.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        check_reserve(self._folder, self._reserve_mb)
        self._schema = schema
        marker = {"engine": "qdrant-edge-py", "version": version("qdrant-edge-py")}
        marker_path = self._folder / MARKER
        if marker_path.exists():
            self._load(marker_path, marker)
        else:
            # Without a marker the last creation did not finish: nothing in there is promised.
            shutil.rmtree(self._shard_folder, ignore_errors=True)
            self._create(schema)
            marker_path.write_text(json.dumps(marker), encoding="utf-8")

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points, all checked before the first is written."""
        for point in points:
            point.check(self._known_schema)
        for start in range(0, len(points), UPSERT_BATCH):
            batch = points[start : start + UPSERT_BATCH]
            check_reserve(self._folder, self._reserve_mb)
            with _translated():
                self._open.update(
                    qe.UpdateOperation.upsert_points([_to_edge(point) for point in batch])
                )

    def delete(self, where: Filter) -> None:
        """Delete every point that matches."""
        with _translated():
            self._open.update(qe.UpdateOperation.delete_points_by_filter(_to_filter(where)))

    def search(self, legs: Sequence[Leg]) -> list[list[Scored]]:
        """One ranked list a leg."""
        if not legs:
            return []
        with _translated():
            answers = self._open.query_batch(qe.QueryBatchRequest([_to_query(leg) for leg in legs]))
        return [[Scored(_to_uuid(hit.id), float(hit.score)) for hit in hits] for hits in answers]

    def fetch(
        self, ids: Sequence[UUID], names: Sequence[DenseName]
    ) -> dict[UUID, dict[DenseName, Dense]]:
        """Vectors by id, unit length."""
        if not ids:
            return {}
        with _translated():
            records = self._open.retrieve([str(id_) for id_ in ids], False, list(names))
        return {_to_uuid(record.id): _dense_of(record.vector) for record in records}

    def update_keywords(self, vectors: Mapping[UUID, Sparse]) -> None:
        """Write other keyword vectors. The engine refuses ids that are gone: those are left out."""
        wanted = [id_ for id_, sparse in vectors.items() if sparse.indices]
        for start in range(0, len(wanted), UPSERT_BATCH):
            check_reserve(self._folder, self._reserve_mb)
            known = self.fetch(wanted[start : start + UPSERT_BATCH], ())
            changes = [
                qe.PointVectors(str(id_), {"keywords": _to_sparse(vectors[id_])}) for id_ in known
            ]
            with _translated():
                self._open.update(qe.UpdateOperation.update_vectors(changes))

    def scan(self, where: Filter, *, limit: int, after: UUID | None = None) -> list[UUID]:
        """Ids in rising order."""
        if limit <= 0:
            return []
        extra = 0 if after is None else 1  # the engine's offset is inclusive
        with _translated():
            records, _ = self._open.scroll(
                qe.ScrollRequest(
                    limit=limit + extra,
                    filter=_to_filter(where),
                    offset=None if after is None else str(after),
                    with_payload=False,
                    with_vector=False,
                )
            )
        ids = [_to_uuid(record.id) for record in records]
        return [id_ for id_ in ids if id_ != after][:limit]

    def count(self, where: Filter) -> int:
        """Exact number of points that match."""
        with _translated():
            return self._open.count(qe.CountRequest(exact=True, filter=_to_filter(where)))

    def optimise(self) -> None:
        """Build graphs. Blocks the whole process: call it in a child, on a copy."""
        check_reserve(self._folder, self._reserve_mb)
        with _translated():
            self._open.optimize()

    def flush(self) -> None:
        """Make everything written so far durable (0.1 to 0.4 s, whatever was written)."""
        with _translated():
            self._open.flush()

    def drop(self) -> None:
        """Remove the folder and all that is in it; one that is not there is no error."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Flush and release the folder; a second call does nothing."""
        if self._shard is not None:
            with _translated():
                self._shard.close()
            self._shard = None

    @property
    def _open(self) -> qe.EdgeShard:
        if self._shard is None:
            raise StoreError("The index is closed. Restart Folio.")
        return self._shard

    @property
    def _known_schema(self) -> Schema:
        if self._schema is None:
            raise StoreError("The index is closed. Restart Folio.")
        return self._schema

    def _create(self, schema: Schema) -> None:
        config = qe.EdgeConfig(
            vectors={
                name: qe.EdgeVectorParams(
                    size=size, distance=qe.Distance.Cosine, quantization_config=_CODES
                )
                for name, size in schema.dims().items()
            },
            sparse_vectors={"keywords": qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)},
        )
        self._shard_folder.mkdir(parents=True, exist_ok=True)
        with _translated():
            self._shard = qe.EdgeShard.create(str(self._shard_folder), config)
            for name in KEYWORD_FIELDS:
                self._shard.update(qe.UpdateOperation.create_field_index(name, _field_type(name)))
            for name in INTEGER_FIELDS:
                self._shard.update(
                    qe.UpdateOperation.create_field_index(name, qe.PayloadSchemaType.Integer)
                )

    def _load(self, marker_path: Path, expected: dict[str, str]) -> None:
        try:
            found = json.loads(marker_path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DamagedIndexError("The index is damaged and must be rebuilt.") from error
        if found != expected:
            # The engine is in beta: its files are not promised to be readable by another version.
            raise DamagedIndexError("The index was written by another engine version.")
        try:
            with _translated():
                self._shard = qe.EdgeShard.load(str(self._shard_folder))
        except StoreError as error:
            if isinstance(error, LibraryInUseError):
                raise
            raise DamagedIndexError("The index is damaged and must be rebuilt.") from error


def _field_type(name: str) -> qe.PayloadSchemaType | qe.KeywordIndexParams:
    if name == "workspace":
        return qe.KeywordIndexParams(is_tenant=True)
    return qe.PayloadSchemaType.Keyword


@contextmanager
def _translated() -> Iterator[None]:
    """Engine errors and panics as ours. A panic is a BaseException by pyo3's choice."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, StoreError):
        raise
    except BaseException as error:
        if type(error).__name__ != "PanicException" and not isinstance(error, Exception):
            raise
        if "WouldBlock" in str(error):
            raise LibraryInUseError(
                "The index is open in another program. Stop that program and try again."
            ) from error
        logger.exception("engine failed")
        raise StoreError(
            "The search index failed. Restart Folio; if it happens again, delete the `index` "
            "folder of the library and it is rebuilt."
        ) from error


def _to_uuid(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _to_edge(point: Point) -> qe.Point:
    vectors: dict[str, object] = {name: vector.tolist() for name, vector in point.dense.items()}
    if point.keywords is not None and point.keywords.indices:
        vectors["keywords"] = _to_sparse(point.keywords)
    return qe.Point(str(point.id), vectors, point.payload())  # type: ignore[arg-type]  # stub has list invariance


def _to_sparse(sparse: Sparse) -> qe.SparseVector:
    return qe.SparseVector(list(sparse.indices), list(sparse.values))


def _to_query(leg: Leg) -> qe.QueryRequest:
    vector = _to_sparse(leg.vector) if isinstance(leg.vector, Sparse) else leg.vector.tolist()
    return qe.QueryRequest(
        limit=leg.limit,
        query=qe.Query.Nearest(vector, using=leg.using),
        filter=_to_filter(leg.where),
        params=None if isinstance(leg.vector, Sparse) else _EXACT_AT_LAST,
        with_payload=False,
        with_vector=False,
    )


def _to_filter(where: Filter) -> qe.Filter:
    must: list[qe.FieldCondition | qe.HasIdCondition] = [
        qe.FieldCondition("workspace", match=qe.MatchValue(where.workspace))
    ]
    if where.ids is not None:
        must.append(qe.HasIdCondition({str(id_) for id_ in where.ids}))
    for key, values in (("document", where.documents), ("run", where.runs), ("kind", where.kinds)):
        if values is not None:
            must.append(qe.FieldCondition(key, match=qe.MatchAny([str(v) for v in values])))
    must_not: list[qe.FieldCondition | qe.HasIdCondition] = []
    if where.not_runs:
        runs = [str(run) for run in where.not_runs]
        must_not.append(qe.FieldCondition("run", match=qe.MatchAny(runs)))
    if where.not_ids:
        must_not.append(qe.HasIdCondition({str(id_) for id_ in where.not_ids}))
    return qe.Filter(must=list(must), must_not=list(must_not) or None)


def _dense_of(vectors: object) -> dict[DenseName, Dense]:
    if not isinstance(vectors, dict):
        return {}
    return {
        name: np.asarray(vectors[name], dtype=np.float32)
        for name in DENSE_NAMES
        if vectors.get(name) is not None
    }
