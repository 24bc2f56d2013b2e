"""Figures that belong to hits without being hits. Knows links and labels, no vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.asked import asks_for_scan
from rag.errors import NotFoundError
from rag.types import PICTURES, Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.files import FileStore
    from rag.library import Library
    from rag.types import Item, Scope

MAX_SCANS = 2  # pages without words; in a scanned document all are


class NamedFigures:
    """What else of a library a question or its hits speak of."""

    def __init__(self, library: Library, files: FileStore) -> None:
        self._library = library
        self._files = files

    def of(self, question: str, hits: Sequence[Hit], scope: Scope) -> list[Hit]:
        """Figures that passages name, and scans that the question means; no hits among them.

        Who speaks of a scan means the pages without words of the best hit's document, if
        these are few: what is on them, no words can find.

        Args:
            question: As asked.
            hits: Best first.
            scope: Workspace.
        """
        found: dict[object, Hit] = {hit.item.id: hit for hit in hits}
        for hit in self._candidates(question, hits, scope):
            found.setdefault(hit.item.id, hit)
        return list(found.values())[len(hits) :]

    def _candidates(self, question: str, hits: Sequence[Hit], scope: Scope) -> Iterator[Hit]:
        if hits and asks_for_scan(question):
            yield from self._scans(hits[0], scope)
        for hit in hits:
            if hit.item.kind == "text" and hit.item.links:
                linked = self._library.items.links_of(scope.workspace, hit.item.id)
                yield from (self._hit(item, hit) for item in linked if item.kind in PICTURES)

    def _scans(self, best: Hit, scope: Scope) -> list[Hit]:
        known = self._library.items.labelled(scope.workspace, [best.item.document_id])
        pages = [one.point_id for one in known if one.kind == "page"]
        if len(pages) > MAX_SCANS:
            return []
        rows = self._library.items.lookup(scope.workspace, pages)
        return [self._hit(rows[id_].item, best) for id_ in pages if id_ in rows]

    def _hit(self, item: Item, named_by: Hit) -> Hit:
        return Hit(
            item=item,
            document_name=named_by.document_name,
            rank=named_by.rank,
            height=named_by.height,
            image_path=self._picture_path(item),
            page_size=self._size_of(item),
        )

    def _size_of(self, item: Item) -> tuple[float, float] | None:
        if not item.regions:
            return None
        try:
            return self._library.pages.size(item.document_id, item.regions[0].page_number)
        except NotFoundError:  # its document is being deleted at this moment
            return None

    def _picture_path(self, item: Item) -> str | None:
        try:
            return str(self._files.picture_path(item.image_sha256)) if item.image_sha256 else None
        except NotFoundError:
            return None
