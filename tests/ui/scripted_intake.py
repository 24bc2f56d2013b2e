"""A scripted `Intake`: what came under a taken name, what may be tried again; records choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ui.news import NewsBoard
from ui.reset import ResetState

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from rag.types import Document, DocumentState
    from ui.folder import Incoming
    from ui.views import Added, SameName
    from ui.worker import Series


@dataclass
class ScriptedIntake:
    library: Callable[[], list[Document]]
    add_file: Callable[[str, bytes], Added]
    news: NewsBoard = field(default_factory=NewsBoard)
    pairs: list[SameName] = field(default_factory=list)
    retriable: set[UUID] = field(default_factory=set)
    together: Series | None = None
    calls: list[tuple[str, UUID]] = field(default_factory=list)

    def states(self) -> dict[UUID, tuple[str, DocumentState]]:
        return {d.id: (d.name, d.state) for d in self.library()}

    def series(self) -> Series | None:
        return self.together

    def add(self, file: Incoming) -> Added:
        return self.add_file(file.name, file.read())

    def same_names(self) -> list[SameName]:
        return self.pairs

    def can_retry(self, document: Document) -> bool:
        return document.id in self.retriable

    def retry(self, document_id: UUID) -> None:
        self.calls.append(("retry", document_id))

    def keep_both(self, document_id: UUID) -> None:
        self._choose("keep", document_id)

    def replace_old(self, document_id: UUID) -> None:
        self._choose("replace", document_id)

    def _choose(self, what: str, document_id: UUID) -> None:
        self.calls.append((what, document_id))
        self.pairs = [pair for pair in self.pairs if pair.new.id != document_id]


@dataclass
class ScriptedReset:
    counted: Callable[[], tuple[int, int]]
    empty: Callable[[], None]
    state: ResetState | None = None

    def counts(self) -> tuple[int, int]:
        return self.counted()

    def start(self) -> None:
        self.empty()
