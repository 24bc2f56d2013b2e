"""What was seen in a document, item by item, shown or hidden. Knows SQL, no pictures, no words.

Not what can be found: that is `items`. Here a reader is told what there is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from rag.library.pages import Note, Page
from rag.types import Region

if TYPE_CHECKING:
    from rag.library.database import Database
    from rag.types import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenItem:
    """An item as far as a report needs it: what it is, where it stands, what leads to it."""

    id: UUID
    kind: Kind
    regions: tuple[Region, ...]
    anchor: str | None
    caption: str
    number: str
    has_words: bool  # its own: a caption, words inside, or what the document calls it
    image_sha256: str | None
    is_hidden: bool


class CoverageTable:
    """The current run of a document, whatever its stage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def items(self, document_id: UUID) -> list[SeenItem]:
        """Every item, in document order."""
        rows = self._database.rows(
            "SELECT i.item_id, i.kind, i.regions, i.anchor, i.caption, i.number, i.image_sha256,"
            " i.text != '' OR i.number != '' AS has_words, h.item_id IS NOT NULL AS is_hidden"
            " FROM documents d JOIN items i ON i.run = d.run"
            " LEFT JOIN hidden_items h ON h.item_id = i.item_id WHERE d.id = ? ORDER BY i.ord",
            (str(document_id),),
        )
        return [
            SeenItem(
                id=UUID(row["item_id"]),
                kind=row["kind"],
                regions=tuple(
                    Region(page_number=int(page), bbox=(x0, y0, x1, y1))
                    for page, x0, y0, x1, y1 in json.loads(row["regions"])
                ),
                anchor=row["anchor"],
                caption=row["caption"],
                number=row["number"],
                has_words=bool(row["has_words"]),
                image_sha256=row["image_sha256"],
                is_hidden=bool(row["is_hidden"]),
            )
            for row in rows
        ]

    def pages(self, document_id: UUID) -> list[Page]:
        """Its pages in order; none for page-less formats."""
        rows = self._database.rows(
            "SELECT p.* FROM documents d JOIN pages p ON p.run = d.run WHERE d.id = ?"
            " ORDER BY p.page_number",
            (str(document_id),),
        )
        return [
            Page(
                page_number=row["page_number"],
                size=(row["width"], row["height"]),
                page_class=row["page_class"],
                label=row["label"],
            )
            for row in rows
        ]

    def left_out(self, document_id: UUID) -> list[Note]:
        """Pictures that were not kept, with the reason, in order."""
        rows = self._database.rows(
            "SELECT n.* FROM documents d JOIN notes n ON n.run = d.run"
            " WHERE d.id = ? AND n.kind = 'skipped' ORDER BY n.seq",
            (str(document_id),),
        )
        return [
            Note(
                kind="skipped",
                page_number=row["page_number"],
                bbox=tuple(json.loads(row["bbox"])) if row["bbox"] else None,
                text=row["text"],
            )
            for row in rows
        ]
