"""Stand-ins written by hand. Each says what it promises."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from rag.keywords import content_words
from rag.types import Hit, Item, Kind, Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from rag.embed.lanes import Array

DOCUMENT = uuid.uuid5(uuid.NAMESPACE_URL, "report.pdf")
_ITEM_FIELDS = frozenset(Item.__dataclass_fields__)


class WordLane:
    """A text lane whose cosine grows with shared words: deterministic, depends on content.

    Promises unit rows and row order. Counts the documents that it embedded.
    """

    dim = 256
    text_cap = 512

    def __init__(self) -> None:
        self.embedded_count = 0

    def embed_queries(self, texts: Sequence[str]) -> Array:
        return self._embed(texts)

    def embed_documents(self, texts: Sequence[str]) -> Array:
        self.embedded_count += len(texts)
        return self._embed(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def _embed(self, texts: Sequence[str]) -> Array:
        rows = np.full((len(texts), self.dim), 1e-6, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in content_words(text):
                row[uuid.uuid5(uuid.NAMESPACE_OID, word).int % self.dim] += 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class ColourLane:
    """A picture lane whose vectors are mean colours. Promises unit rows; counts its pictures."""

    dim = 3
    text_cap = 64

    def __init__(self) -> None:
        self.embedded_count = 0

    def embed_queries(self, texts: Sequence[str]) -> Array:
        return np.tile(np.float32([1, 0, 0]), (len(texts), 1))

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        self.embedded_count += len(images)
        rows = np.float32([np.asarray(image).mean(axis=(0, 1)) + 1 for image in images])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def make_hit(
    text: str, *, rank: int = 1, kind: Kind = "text", page: int | None = 1, **more: Any
) -> Hit:
    """A hit of report.pdf; `more` goes to the item where it has such a field, else to the hit."""
    assert kind in get_args(Kind)
    on_item = {name: value for name, value in more.items() if name in _ITEM_FIELDS}
    on_hit = {name: value for name, value in more.items() if name not in _ITEM_FIELDS}
    box = (72.0, 100.0, 500.0, 200.0)
    fields: dict[str, Any] = {
        "id": uuid.uuid5(DOCUMENT, f"{kind}/{rank}/{text}"),
        "document_id": DOCUMENT,
        "kind": kind,
        "order": rank,
        "text": text,
        "search_text": text,
        "regions": (Region(page_number=page, bbox=box),) if page else (),
    }
    item = Item(**(fields | on_item))
    return Hit(
        **({"item": item, "document_name": "report.pdf", "rank": rank, "height": 5.0} | on_hit)
    )
