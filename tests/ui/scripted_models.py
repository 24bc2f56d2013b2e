"""Scripted `Models`: rows, jobs and an offer set by the test; what buttons did is recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.embed.catalogue import CATALOGUE, MINILM
from rag.errors import ConfigError
from ui.models import ModelRow

if TYPE_CHECKING:
    from ui.models import JobKind, ModelJob, Offer, RowState


def make_rows(**states: RowState) -> list[ModelRow]:
    """One row a model of the catalogue; minilm in use, the others absent unless said."""
    return [
        ModelRow(
            facts=facts,
            choice=facts.name if "text" in facts.lanes else f"minilm+{facts.name}",
            state=states.get(
                facts.name.replace("-", "_"), "in_use" if facts is MINILM else "absent"
            ),
            estimate_s=240.0,
        )
        for facts in CATALOGUE
    ]


@dataclass
class ScriptedModels:
    listed: list[ModelRow] = field(default_factory=make_rows)
    running: list[ModelJob] = field(default_factory=list)
    offered: Offer | None = None
    fixed: str = ""
    done: list[tuple[str, str]] = field(default_factory=list)
    refusal: str = ""

    def rows(self) -> list[ModelRow]:
        return self.listed

    def jobs(self) -> list[ModelJob]:
        return self.running

    def offer(self) -> Offer | None:
        return self.offered

    def estimate(self, name: str) -> float:
        return 240.0

    def fixed_by_settings(self) -> str:
        return self.fixed

    def accept_licence(self, name: str) -> None:
        self.done.append(("accept", name))

    def dismiss_offer(self) -> None:
        self.done.append(("dismiss", ""))
        self.offered = None

    def fetch(self, name: str) -> None:
        self.done.append(("fetch", name))

    def switch(self, name: str) -> None:
        if self.refusal:
            raise ConfigError(self.refusal)
        self.done.append(("switch", name))

    def stop(self, kind: JobKind) -> None:
        self.done.append(("stop", kind))
        self.running = []

    def forget_failures(self) -> None:
        self.running = []

    def at_start(self) -> None:
        """Nothing is unfinished."""

    def close(self) -> None:
        """Nothing runs."""
