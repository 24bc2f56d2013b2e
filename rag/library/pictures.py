"""What is kept of the looks of stored pictures, by their SHA-256. Knows SQL, no bits.

Rows go with the last reference to their file, in the same transaction (`documents`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

from rag.library.items import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.library.database import Database
    from rag.library.documents import Run


class PictureTable:
    """Hashes of figures, pages and the pictures of tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unhashed(self, method: int, run: Run | None = None) -> list[str]:
        """SHA-256 of pictures without hashes of this method: of a run, or of all items."""
        rows = self._database.rows(
            "SELECT DISTINCT i.image_sha256 AS sha FROM items i LEFT JOIN picture_hashes h"
            " ON h.sha256 = i.image_sha256 AND h.method = ?1"
            " WHERE i.image_sha256 IS NOT NULL AND h.sha256 IS NULL AND (?2 = '' OR i.run = ?2)",
            (method, str(run.id) if run else ""),
        )
        return [row["sha"] for row in rows]

    def put(self, method: int, hashes: Mapping[str, bytes]) -> None:
        """Keep hashes; of a picture that nothing refers to any more, none."""
        with self._database.change() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO picture_hashes SELECT ?1, ?2, ?3"
                " WHERE EXISTS (SELECT 1 FROM file_refs WHERE sha256 = ?1)",
                [(sha, method, data) for sha, data in hashes.items()],
            )

    def hashes(self, method: int) -> dict[str, bytes]:
        """All hashes of a method by SHA-256; empty bytes for a picture that shows nothing."""
        rows = self._database.rows(
            "SELECT sha256, hashes FROM picture_hashes WHERE method = ?", (method,)
        )
        return {row["sha256"]: row["hashes"] for row in rows}

    def speaking_of(self, workspace: str, point: UUID, limit: int) -> list[UUID]:
        """Visible passages about an item, nearest first: those that name it, or are named by it.

        Without such, those of its page; in a page-less document, of its section.
        """
        rows = self._database.rows(
            "SELECT i.point_id, i.item_id IN (SELECT value FROM json_each(o.links)) AS is_linked"
            " FROM items o JOIN items i ON i.run = o.run JOIN runs r ON r.id = i.run"
            f" WHERE r.workspace = ?1 AND {VISIBLE} AND o.point_id = ?2 AND i.kind = 'text'"
            " AND (is_linked OR CASE WHEN o.regions = '[]' THEN i.heading = o.heading ELSE"
            "   json_extract(i.regions, '$[0][0]') = json_extract(o.regions, '$[0][0]') END)"
            " ORDER BY is_linked DESC, abs(i.ord - o.ord), i.ord LIMIT ?3",
            (workspace, str(point), limit),
        )
        linked = [row for row in rows if row["is_linked"]]
        return [UUID(row["point_id"]) for row in linked or rows]

    def points(
        self, workspace: str, sha256s: Iterable[str], documents: Sequence[UUID] = ()
    ) -> list[tuple[UUID, str]]:
        """Visible items with one of these pictures: point and SHA-256, in order of arrival."""
        rows = self._database.rows(
            "SELECT i.point_id, i.image_sha256 FROM items i JOIN runs r ON r.id = i.run"
            f" WHERE r.workspace = ?1 AND {VISIBLE}"
            " AND i.image_sha256 IN (SELECT value FROM json_each(?2))"
            " AND (?3 = '[]' OR i.document_id IN (SELECT value FROM json_each(?3)))"
            " ORDER BY i.rowid",
            (
                workspace,
                json.dumps(list(sha256s)),
                json.dumps([str(id_) for id_ in documents]),
            ),
        )
        return [(UUID(row["point_id"]), row["image_sha256"]) for row in rows]
