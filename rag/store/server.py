"""Points on a Qdrant server or cluster. The only importer of `qdrant_client`.

The same class runs on qdrant-client's in-memory engine, which is the yardstick that
a parity test holds the embedded engine to.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException

from rag.errors import ConfigError, StoreError, StoreUnavailableError
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

logger = logging.getLogger(__name__)

UPSERT_BATCH = 128


def connect(url: str, *, api_key: str | None, timeout_s: float) -> QdrantClient:
    """A client for the server at `url`; nothing is sent yet.

    Raises:
        ConfigError: The address cannot be understood.
    """
    try:
        return QdrantClient(
            url=url, api_key=api_key, timeout=int(max(1, timeout_s)), check_compatibility=False
        )
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"FOLIO_STORE__URL is not an address Folio can use: {url}. Give it as http://host:6333."
        ) from error


class ServerStore:
    """A `Store` on a server. Safe to share between threads."""

    def __init__(self, client: QdrantClient, collection: str) -> None:
        self._client = client
        self._collection = collection
        self._schema: Schema | None = None

    def ensure(self, schema: Schema) -> None:
        """Create the collection with its indexes, or check the one that is there.

        Raises:
            StoreUnavailableError: The server does not answer.
            StoreError: The collection there has other vectors.
        """
        self._schema = schema
        with self._translated():
            if self._client.collection_exists(self._collection):
                self._check(schema)
            else:
                self._create(schema)

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points, all checked before the first is sent."""
        if self._schema is None:
            raise StoreError("The index is closed. Restart Folio.")
        for point in points:
            point.check(self._schema)
        with self._translated():
            for start in range(0, len(points), UPSERT_BATCH):
                batch = [_to_struct(point) for point in points[start : start + UPSERT_BATCH]]
                self._client.upsert(self._collection, batch, wait=True)

    def delete(self, where: Filter) -> None:
        """Delete every point that matches."""
        with self._translated():
            self._client.delete(
                self._collection,
                models.FilterSelector(filter=_to_filter(where)),
                wait=True,
            )

    def search(self, legs: Sequence[Leg]) -> list[list[Scored]]:
        """One ranked list a leg, all in one request."""
        if not legs:
            return []
        with self._translated():
            answers = self._client.query_batch_points(
                self._collection, [_to_query(leg) for leg in legs]
            )
        return [
            # A server drops hits without a common word; in memory they come with score 0.
            [Scored(UUID(str(p.id)), p.score) for p in answer.points if _keeps(leg, p.score)]
            for leg, answer in zip(legs, answers, strict=True)
        ]

    def fetch(
        self, ids: Sequence[UUID], names: Sequence[DenseName]
    ) -> dict[UUID, dict[DenseName, Dense]]:
        """Vectors by id, unit length."""
        if not ids:
            return {}
        with self._translated():
            records = self._client.retrieve(
                self._collection,
                [str(id_) for id_ in ids],
                with_payload=False,
                with_vectors=list(names),
            )
        return {UUID(str(record.id)): _dense_of(record.vector) for record in records}

    def update_keywords(self, vectors: Mapping[UUID, Sparse]) -> None:
        """Write other keyword vectors; ids that are gone are left out."""
        wanted = [id_ for id_, sparse in vectors.items() if sparse.indices]
        for start in range(0, len(wanted), UPSERT_BATCH):
            known = self.fetch(wanted[start : start + UPSERT_BATCH], ())
            changes = [
                models.PointVectors(id=str(id_), vector={"keywords": _to_sparse(vectors[id_])})
                for id_ in known
            ]
            if changes:
                with self._translated():
                    self._client.update_vectors(self._collection, changes, wait=True)

    def scan(self, where: Filter, *, limit: int, after: UUID | None = None) -> list[UUID]:
        """Ids in rising order."""
        if limit <= 0:
            return []
        extra = 0 if after is None else 1  # the offset is inclusive
        with self._translated():
            records, _ = self._client.scroll(
                self._collection,
                scroll_filter=_to_filter(where),
                limit=limit + extra,
                offset=None if after is None else str(after),
                with_payload=False,
                with_vectors=False,
            )
        ids = [UUID(str(record.id)) for record in records]
        return [id_ for id_ in ids if id_ != after][:limit]

    def count(self, where: Filter) -> int:
        """Exact number of points that match."""
        with self._translated():
            return self._client.count(
                self._collection, count_filter=_to_filter(where), exact=True
            ).count

    def optimise(self) -> None:
        """Nothing to do: a server builds its graphs in the background."""

    def flush(self) -> None:
        """Nothing to do: every write waits until the server has it."""

    def drop(self) -> None:
        """Delete the collection, then close the connection."""
        with self._translated():
            self._client.delete_collection(self._collection)
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _create(self, schema: Schema) -> None:
        self._client.create_collection(
            self._collection,
            vectors_config={
                name: models.VectorParams(size=size, distance=models.Distance.COSINE)
                for name, size in schema.dims().items()
            },
            sparse_vectors_config={
                "keywords": models.SparseVectorParams(modifier=models.Modifier.IDF)
            },
        )
        for name in KEYWORD_FIELDS:
            self._client.create_payload_index(
                self._collection,
                name,
                models.KeywordIndexParams(
                    type=models.KeywordIndexType.KEYWORD, is_tenant=name == "workspace" or None
                ),
            )
        for name in INTEGER_FIELDS:
            self._client.create_payload_index(
                self._collection, name, models.PayloadSchemaType.INTEGER
            )

    def _check(self, schema: Schema) -> None:
        vectors = self._client.get_collection(self._collection).config.params.vectors
        named = vectors if isinstance(vectors, dict) else {}
        found = {name: params.size for name, params in named.items()}
        if found != schema.dims():
            raise StoreError(
                f"The collection {self._collection} on the server has other vectors than Folio "
                "wants. Use another server, or delete that collection."
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ResponseHandlingException as error:
            raise StoreUnavailableError(
                "The Qdrant server does not answer. Start it with `docker compose up -d qdrant`, "
                "or check FOLIO_STORE__URL."
            ) from error
        except (ApiException, ValueError) as error:
            status = getattr(error, "status_code", None)
            if status in (401, 403):
                raise StoreError(
                    "The Qdrant server refuses the key. Check FOLIO_STORE__API_KEY."
                ) from error
            logger.exception("store call failed status=%s", status)
            raise StoreError(
                "The Qdrant server refused a request. Look at its log, then try again."
            ) from error


def _keeps(leg: Leg, score: float) -> bool:
    """A keyword hit without a single common word is no hit."""
    return not isinstance(leg.vector, Sparse) or score > 0


def _to_struct(point: Point) -> models.PointStruct:
    vectors: dict[str, list[float] | models.SparseVector] = {
        name: vector.tolist() for name, vector in point.dense.items()
    }
    if point.keywords is not None and point.keywords.indices:
        vectors["keywords"] = _to_sparse(point.keywords)
    return models.PointStruct(id=str(point.id), vector=vectors, payload=point.payload())


def _to_sparse(sparse: Sparse) -> models.SparseVector:
    return models.SparseVector(indices=list(sparse.indices), values=list(sparse.values))


def _to_query(leg: Leg) -> models.QueryRequest:
    vector = _to_sparse(leg.vector) if isinstance(leg.vector, Sparse) else leg.vector.tolist()
    return models.QueryRequest(
        query=models.NearestQuery(nearest=vector),
        using=leg.using,
        filter=_to_filter(leg.where),
        limit=leg.limit,
        with_payload=False,
        with_vector=False,
    )


def _to_filter(where: Filter) -> models.Filter:
    must: list[models.Condition] = [
        models.FieldCondition(key="workspace", match=models.MatchValue(value=where.workspace))
    ]
    if where.ids is not None:
        must.append(models.HasIdCondition(has_id=[str(id_) for id_ in where.ids]))
    for key, values in (("document", where.documents), ("run", where.runs), ("kind", where.kinds)):
        if values is not None:
            must.append(
                models.FieldCondition(key=key, match=models.MatchAny(any=[str(v) for v in values]))
            )
    hidden: list[models.Condition] = []
    if where.not_runs:
        runs = [str(run) for run in where.not_runs]
        hidden.append(models.FieldCondition(key="run", match=models.MatchAny(any=runs)))
    if where.not_ids:
        hidden.append(models.HasIdCondition(has_id=[str(id_) for id_ in where.not_ids]))
    return models.Filter(must=must, must_not=hidden or None)


def _dense_of(vectors: object) -> dict[DenseName, Dense]:
    if not isinstance(vectors, dict):
        return {}
    found: dict[DenseName, Dense] = {}
    for name in DENSE_NAMES:
        if vectors.get(name) is not None:
            vector = np.asarray(vectors[name], dtype=np.float32)
            norm = float(np.linalg.norm(vector))
            found[name] = vector / norm if norm else vector
    return found
