"""What a vector store is to Folio: points, filters, legs, and nothing about ranking.

All ordering is done by Folio, so both engines agree by construction. Every value
is checked here before it reaches an engine: edge 0.9.0 accepts NaN and malformed
sparse vectors without a word, and one malformed sparse vector can leave an index
that no longer loads (measured).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from rag.types import Kind

DenseName = Literal["text", "image", "caption"]
VectorName = Literal["text", "image", "caption", "keywords"]
DENSE_NAMES: tuple[DenseName, ...] = ("text", "image", "caption")
KEYWORD_FIELDS = ("workspace", "document", "run", "kind")
INTEGER_FIELDS = ("page", "order")

Dense = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sparse:
    """A keyword vector: strictly rising indices, one finite weight each."""

    indices: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.indices) != len(self.values):
            raise StoreError("A keyword vector has unequal numbers of indices and weights.")
        if any(b <= a for a, b in zip(self.indices, self.indices[1:], strict=False)):
            raise StoreError("A keyword vector has unsorted or repeated indices.")
        if not np.isfinite(self.values).all():
            raise StoreError("A keyword vector holds a weight that is not a number.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Dimensions of the named vectors; `image_dim` is None without a picture lane."""

    text_dim: int
    image_dim: int | None = None

    def dims(self) -> dict[DenseName, int]:
        """Dimension of each dense vector that the collection has."""
        dims: dict[DenseName, int] = {"text": self.text_dim, "caption": self.text_dim}
        if self.image_dim is not None:
            dims["image"] = self.image_dim
        return dims


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One record of the collection. Texts and captions stay in the library, not here."""

    id: UUID
    workspace: str
    document_id: UUID
    run: UUID
    kind: Kind
    page_number: int | None
    order: int
    dense: Mapping[DenseName, Dense] = field(default_factory=dict)  # float32 (dim,), unit length
    keywords: Sparse | None = None

    def payload(self) -> dict[str, str | int]:
        """Flat payload; a page-less item has page 0."""
        return {
            "workspace": self.workspace,
            "document": str(self.document_id),
            "run": str(self.run),
            "kind": self.kind,
            "page": self.page_number or 0,
            "order": self.order,
        }

    def check(self, schema: Schema) -> None:
        """Refuse vectors that an engine would swallow and rank wrongly.

        Raises:
            StoreError: Unknown vector, wrong dimension, not finite, not unit length.
        """
        dims = schema.dims()
        for name, vector in self.dense.items():
            if name not in dims:
                raise StoreError(f"The index has no vector called {name}.")
            if vector.shape != (dims[name],):
                raise StoreError(
                    f"Vector {name} has shape {vector.shape}, the index wants ({dims[name]},)."
                )
            if not np.isfinite(vector).all():
                raise StoreError(f"Vector {name} holds a value that is not a number.")
            if abs(float(np.linalg.norm(vector)) - 1) > 1e-3:
                raise StoreError(f"Vector {name} is not of unit length.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which points a call may see. A workspace is always named; an empty tuple matches nothing."""

    workspace: str
    documents: tuple[UUID, ...] | None = None
    runs: tuple[UUID, ...] | None = None
    not_runs: tuple[UUID, ...] = ()
    kinds: tuple[Kind, ...] | None = None
    ids: tuple[UUID, ...] | None = None
    not_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One candidate query: a vector, its name, who may be found and how many."""

    using: VectorName
    vector: Dense | Sparse
    where: Filter
    limit: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A point found by a leg; cosine for dense legs, IDF-weighted sum for keywords."""

    id: UUID
    score: float


class Store(Protocol):
    """A place for points. Both engines return the same hits for the same calls.

    search: one list a leg, best first. A leg whose vector no point has gives [].
    fetch: vectors by id and name; ids that are gone are left out.
    update_keywords: other keyword vectors for points, all else kept; ids that are gone are
        left out, and so is an empty vector.
    scan: up to `limit` ids in rising order after `after`, for paging.
    delete: by filter, all that match.
    optimise: build graphs where that pays; never during ingest.
    flush: make everything written so far survive a power cut; takes tenths of a second.
    drop: remove the collection for good, opened or not; the store is closed afterwards.
    """

    def ensure(self, schema: Schema) -> None: ...
    def upsert(self, points: Sequence[Point]) -> None: ...
    def delete(self, where: Filter) -> None: ...
    def search(self, legs: Sequence[Leg]) -> list[list[Scored]]: ...
    def fetch(
        self, ids: Sequence[UUID], names: Sequence[DenseName]
    ) -> dict[UUID, dict[DenseName, Dense]]: ...
    def update_keywords(self, vectors: Mapping[UUID, Sparse]) -> None: ...
    def scan(self, where: Filter, *, limit: int, after: UUID | None = None) -> list[UUID]: ...
    def count(self, where: Filter) -> int: ...
    def optimise(self) -> None: ...
    def flush(self) -> None: ...
    def drop(self) -> None: ...
    def close(self) -> None: ...
