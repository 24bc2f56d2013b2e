"""Pages of a run, what was noted on them, and the reader view of what has no pages. Knows SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from rag.errors import NotFoundError
from rag.library.items import VISIBLE, refer_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.library.database import Database
    from rag.library.documents import Run
    from rag.types import BBox, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What was left out of a document, or went wrong with it, in words."""

    kind: Literal["warning", "skipped"]
    page_number: int | None
    bbox: BBox | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Size of a page in points, as displayed, and what the parser made of it."""

    page_number: int
    size: tuple[float, float]
    page_class: str
    label: str = ""  # what the page calls itself, such as the number printed on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of the reader view of a page-less document, in order."""

    anchor: str
    kind: Literal["heading", "text", "table", "figure", "page"]
    level: int
    text: str
    caption: str = ""
    image_sha256: str | None = None


class PageTable:
    """Rows that belong to a run beside its items."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: Run, pages: Sequence[Page]) -> None:
        """Write page sizes of a run."""
        with self._database.change() as connection:
            connection.executemany(
                "INSERT INTO pages VALUES (?,?,?,?,?,?)",
                [(str(run.id), p.page_number, *p.size, p.page_class, p.label) for p in pages],
            )

    def set_labels(self, run: Run, labels: Mapping[int, str]) -> None:
        """Write what pages call themselves; before the run is visible."""
        with self._database.change() as connection:
            connection.executemany(
                "UPDATE pages SET label=? WHERE run=? AND page_number=?",
                [(label, str(run.id), number) for number, label in labels.items()],
            )

    def size(self, document_id: UUID, page_number: int) -> tuple[float, float]:
        """Size of a page in points.

        Raises:
            NotFoundError: The document has no such page.
        """
        return self.get(document_id, page_number).size

    def get(self, document_id: UUID, page_number: int) -> Page:
        """What is known of a page.

        Raises:
            NotFoundError: The document has no such page.
        """
        row = self._database.row(
            "SELECT p.* FROM pages p JOIN documents d ON d.run = p.run"
            " WHERE d.id = ? AND p.page_number = ?",
            (str(document_id), page_number),
        )
        if row is None:
            raise NotFoundError(f"That document has no page {page_number}.")
        return Page(
            page_number=page_number,
            size=(float(row["width"]), float(row["height"])),
            page_class=row["page_class"],
            label=row["label"],
        )

    def called(self, document_id: UUID, number: int, *, is_place: bool = False) -> list[int]:
        """The counted pages that a number may mean: the one it is printed on, then its count.

        Args:
            document_id: Of a visible document.
            number: As asked; -1 is the last page.
            is_place: Whether it is a count and never a printed number.
        """
        rows = self._database.rows(
            "SELECT p.page_number, p.label, MAX(p.page_number) OVER () AS last FROM pages p"
            " JOIN documents d ON d.run = p.run WHERE d.id = ?",
            (str(document_id),),
        )
        if not rows:
            return []
        wanted = int(rows[0]["last"]) if number == -1 else number
        printed = [] if is_place else [r["page_number"] for r in rows if r["label"] == str(wanted)]
        counted = [r["page_number"] for r in rows if r["page_number"] == wanted]
        return list(dict.fromkeys([*printed[:1], *counted]))

    def on_page(self, workspace: str, document_id: UUID, page_number: int) -> dict[UUID, Kind]:
        """Points of the visible items that stand on a page, in document order, with their kind."""
        rows = self._database.rows(
            "SELECT i.point_id, i.kind FROM items i JOIN runs r ON r.id = i.run"
            f" WHERE r.workspace = ?1 AND {VISIBLE} AND i.document_id = ?2"
            " AND EXISTS (SELECT 1 FROM json_each(i.regions) g"
            "   WHERE json_extract(g.value, '$[0]') = ?3) ORDER BY i.ord",
            (workspace, str(document_id), page_number),
        )
        return {UUID(row["point_id"]): row["kind"] for row in rows}

    def add_notes(self, run: Run, notes: Sequence[Note]) -> None:
        """Write what was left out or went wrong."""
        with self._database.change() as connection:
            start = connection.execute(
                "SELECT COUNT(*) FROM notes WHERE run=?", (str(run.id),)
            ).fetchone()[0]
            connection.executemany(
                "INSERT INTO notes VALUES (?,?,?,?,?,?)",
                [
                    (
                        str(run.id),
                        start + i,
                        note.kind,
                        note.page_number,
                        json.dumps(note.bbox) if note.bbox else None,
                        note.text,
                    )
                    for i, note in enumerate(notes)
                ],
            )

    def add_blocks(self, run: Run, blocks: Sequence[Block]) -> None:
        """Write the reader view of a page-less document."""
        with self._database.change() as connection:
            connection.executemany(
                "INSERT INTO blocks VALUES (?,?,?,?,?,?,?,?)",
                [
                    (str(run.id), i, b.anchor, b.kind, b.level, b.text, b.caption, b.image_sha256)
                    for i, b in enumerate(blocks)
                ],
            )
            refer_pictures(connection, run, (block.image_sha256 for block in blocks))

    def blocks(self, document_id: UUID) -> list[Block]:
        """The reader view of a page-less document, in order."""
        rows = self._database.rows(
            "SELECT b.* FROM blocks b JOIN documents d ON d.run = b.run"
            " JOIN runs r ON r.id = b.run AND r.stage > 0 WHERE d.id = ? ORDER BY b.seq",
            (str(document_id),),
        )
        return [
            Block(
                anchor=row["anchor"],
                kind=row["kind"],
                level=row["level"],
                text=row["text"],
                caption=row["caption"],
                image_sha256=row["image_sha256"],
            )
            for row in rows
        ]
