"""Documents and items by hand, for tests that need no library."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from rag.types import Document, Item, Region

if TYPE_CHECKING:
    from rag.types import Kind


def make_document(name: str = "report.pdf") -> Document:
    return Document(
        id=uuid.uuid5(uuid.NAMESPACE_URL, name),
        workspace="local",
        name=name,
        sha256="0" * 64,
        state="ready",
        page_count=3,
        text_count=0,
        table_count=0,
        figure_count=0,
        figures_pending=0,
        size_bytes=1,
        added_at="2026-01-01T00:00:00+00:00",
        media_type="pdf",
    )


def make_item(
    document: Document, text: str, *, kind: Kind = "text", page: int | None = 1, **more: Any
) -> Item:
    box = (72.0, 100.0, 500.0, 200.0)
    fields: dict[str, Any] = {
        "id": uuid.uuid5(document.id, f"{kind}/{page}/{text}"),
        "document_id": document.id,
        "kind": kind,
        "order": 0,
        "text": text,
        "search_text": text,
        "regions": (Region(page_number=page, bbox=box),) if page else (),
    }
    return Item(**(fields | more))
