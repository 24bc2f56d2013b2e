"""What evaluation needs of a running Folio. `ui` hands one in; nothing here is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from uuid import UUID

    from rag.types import Document, LegName, Retrieval


class System(Protocol):
    """A library of its own with one embedder, thrown away afterwards."""

    @property
    def embedder(self) -> str: ...

    def add_file(self, path: Path) -> Document:
        """Read a file to its end; a failed one says so in its state."""
        ...

    def search(
        self,
        question: str,
        *,
        documents: Sequence[UUID] = (),
        only: Sequence[LegName] = (),
    ) -> Retrieval:
        """Explained hits; `only` leaves all other legs out."""
        ...
