"""One pass over a labelled set: take its documents in, ask its questions, measure each answer.

Knows the order of the steps and what is searched for which measure. How a mean and its
range are made is `evals.summary`, files are `evals.record`.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evals.metrics import (
    ALL,
    CEILING,
    ceiling,
    figure_hit,
    figure_intrusion,
    picture_share,
    ranking_values,
    refusal_values,
)
from evals.ranking import Found, RankedHit, found_by
from rag.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from evals.metrics import Values
    from evals.sets import LabelledSet, Question
    from evals.system import System
    from rag.types import Document, Group

WARM_UP = "warm up"  # loads the model and the samples, which the first question must not pay for


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One question: what was found where, and its value for each measure that has one."""

    question: Question
    found: Found  # inside its document in page sets, over the collection in beir sets
    found_all: Found | None  # over the whole collection; None in beir sets
    values: Values
    box_count: int = 0  # gold boxes behind `extraction_ceiling`


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that was measured on one set."""

    labelled: LabelledSet
    embedder: str
    measured: tuple[Measured, ...]
    document_count: int
    failed: Mapping[str, str]  # document -> why it could not be read


@dataclass(slots=True)
class _Library:
    """What the labels call the documents of the system, and those that it could not read."""

    ids: dict[str, UUID] = field(default_factory=dict)
    names: dict[UUID, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, document: Document) -> None:
        if document.error is not None:
            self.failed[name] = document.error.message
            return
        self.ids[name] = document.id
        self.names.setdefault(document.id, name)


def measure(
    labelled: LabelledSet,
    system: System,
    on_progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
) -> Run:
    """Run a set through a system that holds nothing yet.

    Args:
        labelled: The set.
        system: A throw-away library.
        on_progress: Told the step ("reading", "asking"), how much of it is done, of how much.

    Raises:
        RagError: Model, index or disk failed. A document that cannot be read does not end
            the run; its questions find nothing.
    """
    library = _take_in(labelled, system, on_progress)
    system.search(WARM_UP)
    found: dict[str, Found] = {}
    found_all: dict[str, Found] = {}
    words: dict[str, Found] = {}
    words_all: dict[str, Found] = {}
    is_pages = labelled.kind == "pages"
    for done, question in enumerate(labelled.questions):
        on_progress("asking", done, len(labelled.questions))
        ask = _Asking(system, library, question)
        found[question.id] = ask() if is_pages else ask.all()
        if is_pages:
            found_all[question.id] = ask.all()
        if is_pages and question.kind == "text":
            words[question.id] = ask("words")
            words_all[question.id] = ask.all("words")
    on_progress("asking", len(labelled.questions), len(labelled.questions))
    values = _values(labelled, found, words)
    if is_pages:
        _merge(values, _values(labelled, found_all, words_all), ALL)
    boxes = _ceilings(labelled, system, library)
    return Run(
        labelled=labelled,
        embedder=system.embedder,
        measured=tuple(
            Measured(
                question=question,
                found=found[question.id],
                found_all=found_all.get(question.id),
                values=values[question.id] | {CEILING: boxes[question.id][0]},
                box_count=boxes[question.id][1],
            )
            for question in labelled.questions
        ),
        document_count=len(library.ids),
        failed=library.failed,
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question, to be asked in several scopes."""

    system: System
    library: _Library
    question: Question

    def __call__(self, group: Group | None = None) -> Found:
        """Inside its document; over the collection when it names none."""
        if self.question.document is None:
            return self.all(group)
        id_ = self.library.ids.get(self.question.document)
        if id_ is None:  # it could not be read
            return Found()
        return self._search((id_,), group)

    def all(self, group: Group | None = None) -> Found:
        """Over the whole collection."""
        return self._search((), group)

    def _search(self, documents: Sequence[UUID], group: Group | None) -> Found:
        retrieval = self.system.search(self.question.text, documents=documents, group=group)
        return found_by(retrieval, self.question, self._names())

    def _names(self) -> Mapping[UUID, str]:
        """A file that lies there under two names is one document: the question's name counts."""
        asked = self.question.document
        id_ = self.library.ids.get(asked) if asked is not None else None
        if asked is None or id_ is None:
            return self.library.names
        return ChainMap({id_: asked}, self.library.names)


def _take_in(
    labelled: LabelledSet, system: System, on_progress: Callable[[str, int, int], None]
) -> _Library:
    library = _Library()
    total = len(labelled.files) + len(labelled.passages)
    for done, path in enumerate(labelled.files):
        on_progress("reading", done, total)
        try:
            library.add(path.name, system.add_file(path))
        except DocumentError as error:
            library.failed[path.name] = str(error)
    for done, passage in enumerate(labelled.passages):
        on_progress("reading", done, total)
        if not f"{passage.title}{passage.text}".strip():
            continue  # nothing can find it, and nothing is asked to
        library.add(passage.id, system.add_passage(passage.id, passage.title, passage.text))
    on_progress("reading", total, total)
    return library


def _values(
    labelled: LabelledSet, found: Mapping[str, Found], words: Mapping[str, Found]
) -> dict[str, Values]:
    """Every measure of one scope, by question."""
    values: dict[str, Values] = {question.id: {} for question in labelled.questions}
    _merge(values, ranking_values(found, labelled.questions, labelled.kind))
    without_pictures = ranking_values(words, labelled.questions, labelled.kind)
    for question in labelled.questions:
        mine, outcome = values[question.id], found[question.id]
        if labelled.kind == "beir":
            continue
        mine["figure_hit_rate@5"] = figure_hit(question, outcome.hits)
        mine["figure_intrusion@8"] = figure_intrusion(question, outcome.hits[: outcome.shown])
        mine["picture_share"] = picture_share(outcome)
        mine |= refusal_values(question, outcome)
        alone, both = without_pictures.get(question.id, {}).get("ndcg@10"), mine.get("ndcg@10")
        mine["text_loss"] = None if alone is None or both is None else alone - both
    return values


def _merge(values: Mapping[str, Values], others: Mapping[str, Values], suffix: str = "") -> None:
    for id_, more in others.items():
        values[id_].update({f"{key}{suffix}": value for key, value in more.items()})


def _ceilings(
    labelled: LabelledSet, system: System, library: _Library
) -> dict[str, tuple[float | None, int]]:
    parts: dict[str, list[RankedHit]] = {}
    reached: dict[str, tuple[float | None, int]] = {}
    for question in labelled.questions:
        name = question.document or ""
        if question.regions and name not in parts:
            id_ = library.ids.get(name)
            items = system.parts(id_) if id_ is not None else []
            parts[name] = [RankedHit(document=name, kind=i.kind, regions=i.regions) for i in items]
        reached[question.id] = ceiling(question, parts.get(name, []))
    return reached
