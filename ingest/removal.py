"""Taking documents and runs out again: points, rows, files, kept vectors. Knows no parsing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.library.documents import READABLE
from rag.store import Filter

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from rag.embed.cache import VectorCache
    from rag.files import FileStore
    from rag.library import Library
    from rag.library.documents import Run


class Removal:
    """Undoes what the pipeline did."""

    def __init__(
        self,
        *,
        library: Library,
        files: FileStore,
        purge: Callable[[Filter], int],
        cache: VectorCache,
        workspace: str,
    ) -> None:
        """Wire it up.

        Args:
            library: Rows.
            files: Originals and pictures.
            purge: Deletes points from every collection there is; says how many are left.
            cache: Vectors by content, of any document.
            workspace: Whose documents.
        """
        self._library = library
        self._files = files
        self._purge = purge
        self._cache = cache
        self._workspace = workspace

    def undo(self, run: Run, *, forget: bool = False) -> None:
        """Remove points, rows and files of a run; the document and its original stay.

        Args:
            run: Visible or not.
            forget: Drop its vectors from the cache too; else reading the file again costs
                no model time.
        """
        if forget:
            self._cache.forget(*self._library.items.contents(run.document_id))
        self._purge(Filter(workspace=run.workspace, runs=(run.id,)))
        self._files.delete(self._library.documents.drop_run(run))

    def delete(self, document_id: UUID) -> tuple[int, int, int]:
        """Remove a document for good, invisible from the first moment.

        Returns:
            Points, rows and files that are left of it; all zero when it is gone.
        """
        run = self._library.documents.run_of(document_id)
        self._library.documents.hide(document_id)
        return self._remove(document_id, is_whole=run is not None and run.stage >= READABLE)

    def finish_deletes(self) -> None:
        """Go on with what a kill cut off."""
        for document_id in self._library.documents.deleting():
            self._remove(document_id, is_whole=False)

    def _remove(self, document_id: UUID, *, is_whole: bool) -> tuple[int, int, int]:
        points_left = self._purge(Filter(workspace=self._workspace, documents=(document_id,)))
        if is_whole:
            self._cache.forget(*self._library.items.contents(document_id))
        orphans = self._library.documents.delete(document_id)
        self._files.delete(orphans)
        if not is_whole:
            self._forget_unlisted()
        return (
            points_left,
            self._library.documents.rows_left(document_id),
            sum(self._files.exists(digest) for digest in orphans),
        )

    def _forget_unlisted(self) -> None:
        """Forget vectors of what no document holds: an undone run left no rows to tell."""
        texts: set[str] = set()
        pictures: set[str] = set()
        for document in self._library.documents.all(self._workspace):
            more_texts, more_pictures = self._library.items.contents(document.id)
            texts |= more_texts
            pictures |= more_pictures
        self._cache.keep_only(texts, pictures)
