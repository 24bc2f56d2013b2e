"""Scripted `Trial`: view, results and plan set by the test; what buttons did is recorded."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evals.outcome import Outcome
from evals.questions import MadeQuestion
from evals.trial import Cost
from evals.trial_record import Found, Head, export
from evals.trial_report import report_of
from rag.errors import ConfigError
from rag.types import Region
from tests.ui.scripted import ScriptedServices
from ui.trial import Plan, TrialView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.questions import QuestionKind
    from evals.trial_report import Report
    from rag.types import Source

REPORT = uuid.uuid5(uuid.NAMESPACE_URL, "report.pdf")
BOX = (70.0, 90.0, 520.0, 190.0)


def make_question(number: int, kind: QuestionKind = "text", text: str = "") -> MadeQuestion:
    return MadeQuestion(
        id=f"q{number}",
        text=text or f"Harbour cranes, ferry {number}",
        kind=kind,
        way="sentence",
        document_id=REPORT,
        document_name="report.pdf",
        item_id=uuid.uuid5(REPORT, str(number)),
        regions=(Region(page_number=number + 1, bbox=BOX),),
        answer="The harbour has cranes.",
        words="",
    )


def make_found(
    ranks: dict[str, Sequence[int | None]], *, kinds: Sequence[QuestionKind] = ("text",)
) -> Found:
    """One outcome for each rank of each embedder; kinds come by turns."""
    count = max(map(len, ranks.values()), default=0)
    questions = [make_question(number, kinds[number % len(kinds)]) for number in range(count)]
    outcomes = [
        Outcome(
            embedder=name,
            question=f"q{number}",
            rank=rank,
            plain=rank,
            keywords=1,
            has_source=rank == 1,
            stray_pictures=0,
            ms=12.0,
            first_document="report.pdf",
            first_page=9,
        )
        for name, own in ranks.items()
        for number, rank in enumerate(own)
    ]
    costs = {
        name: Cost(
            embedder=name,
            identity=name,
            items=99,
            seconds_per_100=7.25,
            memory_bytes=120_000_000,
        )
        for name in ranks
    }
    return Found(head=Head(library="x"), questions=questions, outcomes=outcomes, costs=costs)


@dataclass
class ScriptedTrial:
    found: Found | None = None
    shown: TrialView = field(default_factory=TrialView)
    stale: bool = False
    complete: bool = True
    left_out: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    opened: list[Source | None] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def view(self) -> TrialView:
        return self.shown

    def report(self) -> Report | None:
        return report_of(self.found, in_use="minilm") if self.found else None

    def is_stale(self) -> bool:
        return self.stale

    def is_complete(self) -> bool:
        return self.complete

    def plan(self) -> Plan:
        return Plan(names=("minilm", "nomic"), left_out=self.left_out, remaining_s=240.0)

    def export(self) -> str:
        return export(self.found.questions) if self.found else ""

    def sources(self, questions: Sequence[MadeQuestion]) -> list[Source | None]:
        return self.opened or [None] * len(questions)

    def start(self, *, again: bool = False) -> None:
        if self.refusal:
            raise ConfigError(self.refusal)
        self.done.append("again" if again else "start")

    def cancel(self) -> None:
        self.done.append("cancel")

    def dismiss(self) -> None:
        self.done.append("dismiss")
        self.shown = TrialView()


@dataclass
class TriedServices(ScriptedServices):
    trial: ScriptedTrial = field(default_factory=ScriptedTrial)
