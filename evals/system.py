"""What evaluation needs of a running Folio. `ui` hands one in; nothing here is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from uuid import UUID

    from rag.types import Document, Group, Item, LegName, Retrieval


class System(Protocol):
    """A library of its own with one embedder, thrown away afterwards."""

    @property
    def embedder(self) -> str: ...

    def add_file(self, path: Path) -> Document:
        """Read a file to its end; a failed one says so in its state."""
        ...

    def add_passage(self, name: str, title: str, text: str) -> Document:
        """Take in a text that needs no parser, under a name that no other document has."""
        ...

    def parts(self, document: UUID) -> list[Item]:
        """Everything that was made of a document, in its order."""
        ...

    def search(
        self,
        question: str,
        *,
        documents: Sequence[UUID] = (),
        only: Sequence[LegName] = (),
        group: Group | None = None,
    ) -> Retrieval:
        """Explained hits; `only` leaves all other legs out, `group` all other items."""
        ...
