"""Items of a run, and the visible ones that a question found. Knows SQL, nothing of vectors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid5

from rag.library.database import marks
from rag.library.documents import READABLE, READY
from rag.types import PICTURES, Item, Region

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from rag.library.database import Database
    from rag.library.documents import Run
    from rag.types import Kind


# Of a whole stage, and not hidden by a reader; the list of those is nearly always empty.
VISIBLE = (
    f"r.stage >= CASE WHEN i.kind IN ('figure','page') THEN {READY} ELSE {READABLE} END"
    " AND i.item_id NOT IN (SELECT item_id FROM hidden_items)"
)


class FoundItem:
    """A visible item with what a hit needs beside it.

    Made from a row, its item is put together when it is asked for: of the 200 candidates
    of a question, 8 become hits, and the others are known by what stands in one column.
    """

    __slots__ = ("_item", "_row", "document_name", "page_size")

    def __init__(
        self,
        *,
        item: Item | sqlite3.Row,
        document_name: str,
        page_size: tuple[float, float] | None,
    ) -> None:
        self._item = item if isinstance(item, Item) else None
        self._row = None if isinstance(item, Item) else item
        self.document_name = document_name
        self.page_size = page_size

    @property
    def item(self) -> Item:
        """All of it."""
        if self._item is None:
            self._item = _to_item(cast("sqlite3.Row", self._row))
        return self._item

    @property
    def document_id(self) -> UUID:
        """Of `item`."""
        return self.item.document_id if self._row is None else _to_uuid(self._row["document_id"])

    @property
    def kind(self) -> Kind:
        """Of `item`."""
        return self.item.kind if self._row is None else cast("Kind", self._row["kind"])

    @property
    def text(self) -> str:
        """Of `item`."""
        return self.item.text if self._row is None else str(self._row["text"])

    @property
    def search_text(self) -> str:
        """Of `item`."""
        return self.item.search_text if self._row is None else str(self._row["search_text"])

    @property
    def image_sha256(self) -> str | None:
        """Of `item`."""
        return self.item.image_sha256 if self._row is None else self._row["image_sha256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A visible table, figure or page, as far as it can be called by name."""

    point_id: UUID
    document_id: UUID
    kind: Kind
    label: str  # the document's own, "Figure 3"; "" when it has none
    pages: tuple[int, ...]


def item_id(document_id: UUID, kind: Kind, order: int, content: str) -> UUID:
    """UUIDv5 of document, kind, place and content: stable over re-ingest of the same file."""
    return uuid5(document_id, f"{kind}\n{order}\n{content}")


def point_id(item: UUID, run: UUID) -> UUID:
    """UUIDv5 of item and run: two runs never touch each other's points."""
    return uuid5(item, str(run))


class ItemTable:
    """Rows of items and what belongs to a run. Visibility is the run's stage."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sizes: dict[str, tuple[int, dict[UUID, tuple[int, int]]]] = {}

    def add(self, run: Run, items: Sequence[Item]) -> None:
        """Write items of a run, with references to their pictures."""
        with self._database.change() as connection:
            connection.executemany(
                f"INSERT INTO items VALUES ({marks(15)})",
                [
                    (
                        str(point_id(item.id, run.id)),
                        str(item.id),
                        str(item.document_id),
                        str(run.id),
                        item.kind,
                        item.order,
                        item.text,
                        item.search_text,
                        item.caption,
                        item.number,
                        json.dumps(item.heading, ensure_ascii=False),
                        json.dumps([[r.page_number, *r.bbox] for r in item.regions]),
                        item.anchor,
                        item.image_sha256,
                        _to_links(item.links),
                    )
                    for item in items
                ],
            )
            refer_pictures(connection, run, (item.image_sha256 for item in items))

    def set_links(self, run: Run, links: Mapping[UUID, Sequence[UUID]]) -> None:
        """Write which items of a run name which others; before the run is visible."""
        with self._database.change() as connection:
            connection.executemany(
                "UPDATE items SET links=? WHERE point_id=?",
                [(_to_links(ids), str(point_id(item, run.id))) for item, ids in links.items()],
            )

    def links_of(self, workspace: str, item: UUID) -> list[Item]:
        """The visible items that an item names or is named by, in document order."""
        rows = self._database.rows(
            f"SELECT i.* FROM items i JOIN runs r ON r.id = i.run WHERE r.workspace = ?1"
            f" AND {VISIBLE} AND i.item_id IN (SELECT l.value FROM items o, json_each(o.links) l"
            " WHERE o.item_id = ?2 AND o.run = i.run) ORDER BY i.ord",
            (workspace, str(item)),
        )
        return [_to_item(row) for row in rows]

    def beside(
        self, workspace: str, item: Item, count: int
    ) -> tuple[list[FoundItem], list[FoundItem]]:
        """The visible items of its kind before and after an item, the nearest first."""
        sql = (
            "SELECT i.*, d.name AS document_name, p.width, p.height FROM items i"
            " JOIN runs r ON r.id = i.run JOIN documents d ON d.run = i.run"
            " LEFT JOIN pages p ON p.run = i.run"
            "   AND p.page_number = json_extract(i.regions, '$[0][0]')"
            f" WHERE d.id = ? AND r.workspace = ? AND {VISIBLE} AND i.kind = ?"
        )
        key = (str(item.document_id), workspace, item.kind, item.order, count)
        before = self._database.rows(f"{sql} AND i.ord < ? ORDER BY i.ord DESC LIMIT ?", key)
        after = self._database.rows(f"{sql} AND i.ord > ? ORDER BY i.ord LIMIT ?", key)
        return [_to_found(row) for row in before], [_to_found(row) for row in after]

    def of_run(self, run: Run, kinds: Sequence[Kind]) -> list[Item]:
        """Items of a run, visible or not, in document order."""
        rows = self._database.rows(
            f"SELECT * FROM items WHERE run=? AND kind IN ({marks(len(kinds))}) ORDER BY ord",
            (str(run.id), *kinds),
        )
        return [_to_item(row) for row in rows]

    def contents(self, document_id: UUID) -> tuple[set[str], set[str]]:
        """What was embedded of a document: texts, and SHA-256 of pictures."""
        rows = self._database.rows(
            "SELECT search_text, image_sha256 FROM items WHERE document_id = ?",
            (str(document_id),),
        )
        pictures = {row["image_sha256"] for row in rows if row["image_sha256"]}
        return {row["search_text"] for row in rows}, pictures

    def texts_of(self, document_id: UUID) -> list[str]:
        """What can be found of a document, in words, in its order."""
        rows = self._database.rows(
            "SELECT i.search_text FROM items i JOIN runs r ON r.id = i.run"
            f" WHERE i.document_id = ? AND {VISIBLE} ORDER BY i.ord",
            (str(document_id),),
        )
        return [row["search_text"] for row in rows]

    def lookup(self, workspace: str, points: Sequence[UUID]) -> dict[UUID, FoundItem]:
        """The visible items behind points; a point without a visible row is left out."""
        asked = {str(point): point for point in points}
        rows = self._database.rows(
            "SELECT i.*, d.name AS document_name, p.width, p.height FROM items i"
            " JOIN runs r ON r.id = i.run JOIN documents d ON d.id = i.document_id"
            " LEFT JOIN pages p ON p.run = i.run"
            "   AND p.page_number = json_extract(i.regions, '$[0][0]')"
            " WHERE r.workspace = ?"
            f" AND {VISIBLE}"
            " AND i.point_id IN (SELECT value FROM json_each(?))",
            (workspace, json.dumps(list(asked))),
        )
        return {asked[row["point_id"]]: _to_found(row) for row in rows}

    def tables_among(self, points: Sequence[UUID]) -> set[UUID]:
        """Which points are tables, visible or not."""
        rows = self._database.rows(
            "SELECT point_id FROM items WHERE kind = 'table'"
            " AND point_id IN (SELECT value FROM json_each(?))",
            (json.dumps([str(point) for point in points]),),
        )
        return {UUID(row["point_id"]) for row in rows}

    def labelled(
        self,
        workspace: str,
        documents: Sequence[UUID],
        *,
        containing: str = "",
        page_number: int | None = None,
    ) -> list[Labelled]:
        """Visible tables, figures and pages, in document order.

        Args:
            workspace: Whose.
            documents: To look in.
            containing: Only those with this in their own label, such as "3"; lower-case ASCII.
            page_number: Only those that stand on this page.
        """
        rows = self._database.rows(
            "SELECT i.point_id, i.document_id, i.kind, i.number, i.regions FROM items i"
            f" JOIN runs r ON r.id = i.run WHERE r.workspace = ?1 AND {VISIBLE}"
            " AND i.document_id IN (SELECT value FROM json_each(?2)) AND i.kind != 'text'"
            " AND (?3 = '' OR instr(lower(i.number), ?3))"
            " AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(i.regions) g"
            "   WHERE json_extract(g.value, '$[0]') = ?4))"
            " ORDER BY i.rowid",
            (workspace, json.dumps([str(id_) for id_ in documents]), containing, page_number),
        )
        return [
            Labelled(
                point_id=UUID(row["point_id"]),
                document_id=UUID(row["document_id"]),
                kind=row["kind"],
                label=row["number"],
                pages=tuple(int(region[0]) for region in json.loads(row["regions"])),
            )
            for row in rows
        ]

    def is_empty(self, workspace: str) -> bool:
        """Whether nothing is visible; stops at the first item, unlike a count."""
        return not self._database.rows(
            "SELECT 1 FROM items i JOIN runs r ON r.id = i.run"
            f" WHERE r.workspace = ? AND {VISIBLE} LIMIT 1",
            (workspace,),
        )

    def group_sizes(self, workspace: str, documents: Sequence[UUID] = ()) -> tuple[int, int]:
        """How many visible words and pictures there are in scope."""
        sizes = self._sizes_by_document(workspace)
        some = [sizes[id_] for id_ in set(documents) if id_ in sizes]
        counted = some if documents else sizes.values()
        return sum(words for words, _ in counted), sum(pictures for _, pictures in counted)

    def _sizes_by_document(self, workspace: str) -> dict[UUID, tuple[int, int]]:
        """Words and pictures of each document; counted again when what is visible has changed."""
        # Asked for with each question: counting takes 34 ms at 100,000 items.
        generation = self._database.generation()
        known = self._sizes.get(workspace)
        if known is None or known[0] != generation:
            known = (generation, self._count_by_document(workspace))
            self._sizes[workspace] = known
        return known[1]

    def _count_by_document(self, workspace: str) -> dict[UUID, tuple[int, int]]:
        rows = self._database.rows(
            "SELECT i.document_id, COUNT(*) AS n,"
            f" SUM(i.kind IN ({marks(len(PICTURES))})) AS pictures"
            f" FROM items i JOIN runs r ON r.id = i.run WHERE r.workspace = ? AND {VISIBLE}"
            " GROUP BY i.document_id",
            (*PICTURES, workspace),
        )
        return {
            UUID(row["document_id"]): (row["n"] - row["pictures"], row["pictures"]) for row in rows
        }


def refer_pictures(connection: sqlite3.Connection, run: Run, sha256s: Iterable[str | None]) -> None:
    """Note that a run needs these pictures."""
    connection.executemany(
        "INSERT OR IGNORE INTO file_refs VALUES (?,?,?)",
        [(sha, str(run.document_id), str(run.id)) for sha in sha256s if sha],
    )


def _to_item(row: sqlite3.Row) -> Item:
    return Item(
        id=UUID(row["item_id"]),
        document_id=UUID(row["document_id"]),
        kind=row["kind"],
        order=row["ord"],
        text=row["text"],
        search_text=row["search_text"],
        caption=row["caption"],
        number=row["number"],
        heading=tuple(json.loads(row["heading"])),
        regions=tuple(
            Region(page_number=int(page), bbox=(x0, y0, x1, y1))
            for page, x0, y0, x1, y1 in json.loads(row["regions"])
        ),
        anchor=row["anchor"],
        image_sha256=row["image_sha256"],
        links=tuple(UUID(id_) for id_ in json.loads(row["links"])),
    )


_to_uuid = lru_cache(maxsize=4_096)(UUID)  # of documents, the same ones again and again


def _to_links(ids: Iterable[UUID]) -> str:
    return json.dumps([str(id_) for id_ in ids])


def _to_found(row: sqlite3.Row) -> FoundItem:
    has_size = row["width"] is not None
    return FoundItem(
        item=row,
        document_name=row["document_name"],
        page_size=(row["width"], row["height"]) if has_size else None,
    )
