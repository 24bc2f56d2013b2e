"""What was seen in each document of one library: its report, its pages in small, what is hidden.

Joins rows, small pages and the embedder in use. No Streamlit; what a report says is made in
`ui.coverage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.coverage import make_coverage
from ui.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from rag.embed.choice import Choice
    from rag.files import FileStore
    from rag.library import Library
    from rag.settings import Settings
    from rag.types import Document
    from ui.coverage import Coverage
    from ui.thumbnails import Sheet


class Reports:
    """Reports of one library. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        library: Library,
        files: FileStore,
        *,
        embedder: Callable[[], Choice],
        password_of: Callable[[UUID], str | None],
    ) -> None:
        """Wire it up.

        Args:
            settings: Folder and limits.
            library: Rows.
            files: Originals.
            embedder: The one in use, as a name; nothing is loaded for it.
            password_of: What opens the pages of a document, as long as it is known.
        """
        self._library = library
        self._embedder = embedder
        self._thumbnails = Thumbnails(settings, files, password_of)

    def of(self, document: Document) -> Coverage:
        """What was seen in a document, what was left out, and what can be found of it."""
        seen, embedder = self._library.coverage, self._embedder()
        return make_coverage(
            items=seen.items(document.id),
            pages=seen.pages(document.id),
            left_out=seen.left_out(document.id),
            embedder=embedder.name,
            sees_pixels=embedder.pictures is not None,
            is_ready=document.state == "ready",
        )

    def sheet(self, document: Document, pages: Mapping[int, tuple[float, float]]) -> Sheet:
        """Its small pages; see `Thumbnails.sheet`."""
        return self._thumbnails.sheet(document, pages)

    def hide(self, document_id: UUID, item_id: UUID) -> None:
        """Leave a figure out of every search, until it is shown again; it outlasts a re-read."""
        self._library.hidden.hide(document_id, item_id)

    def show(self, item_id: UUID) -> None:
        """Let a hidden figure be found again."""
        self._library.hidden.show(item_id)

    def forget(self, document_id: UUID) -> None:
        """Drop the small pages of a deleted document."""
        self._thumbnails.forget(document_id)

    def close(self) -> None:
        """Stop drawing."""
        self._thumbnails.close()
