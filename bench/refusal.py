"""Refusal: whether Folio says no where the documents do not answer, and only there.

Run: python bench/refusal.py [LIBRARY]
Reads `evaldata/mmlongbench_dev` and `evaldata/figures_dev` in the folder that FOLIO_SHARED
names, or in ../shared beside the checkout, and `sample_data`. LIBRARY is a data folder that
holds the PDFs already. Prints precision, recall and F1 of refusals with 95 % ranges by documents,
beside always answering and a threshold on the best BM25 weight; what is learnt, is learnt on
the other documents. Then the paired tests, and how questions fare in the wrong library.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import rag.evidence
import rag.retrieve
from bench.quotes import SHARED, open_library
from evals.statistics import randomisation_p
from rag.types import Retrieval, Scope
from ui.intake import sample_paths
from ui.services import Services

ROOT = Path(__file__).resolve().parent.parent
FLOORS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
DRAWS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question and what came of it."""

    id: str
    document: str
    is_answerable: bool
    refused: bool
    refused_at: tuple[bool, ...]  # by floor of the coverage
    bm25: float  # best weight of a keyword hit


def ask(services: Services, rows: Sequence[dict[str, Any]], *, inside: bool) -> list[Asked]:
    """Search for every question; what decides is recorded and tried with other floors."""
    ids = {document.name: document.id for document in services.documents()}
    names = {row["doc"] for row in rows}
    found = []
    for row in rows:
        documents = (ids[row["doc"]],) if inside else tuple(ids[name] for name in sorted(names))
        verdict, retrieval = _recorded(services, row["question"], Scope(documents=documents))
        found.append(
            Asked(
                id=row["id"],
                document=row["doc"],
                is_answerable=row["kind"] != "unanswerable",
                refused=not retrieval.has_evidence,
                refused_at=tuple(not verdict(floor) for floor in FLOORS),
                bm25=max(
                    (
                        h.legs["keywords"].weight or 0.0
                        for h in retrieval.hits
                        if "keywords" in h.legs
                    ),
                    default=0.0,
                ),
            )
        )
    return found


def _best_weight(retrieval: Retrieval) -> float:
    legs = [hit.legs["keywords"] for hit in retrieval.hits if "keywords" in hit.legs]
    return max((leg.weight or 0.0 for leg in legs), default=0.0)


def _recorded(
    services: Services, question: str, scope: Scope
) -> tuple[Callable[[float], bool], Retrieval]:
    """The retrieval, and a way to decide again with another floor."""
    calls: list[tuple[Any, Any]] = []
    real = rag.retrieve.is_answered

    def recorder(*args: object, **named: object) -> bool:
        calls.append((args, named))
        return real(*args, **named)  # type: ignore[arg-type]  # passed through as given

    rag.retrieve.is_answered = recorder
    try:
        retrieval = services.search(question, scope=scope)
    finally:
        rag.retrieve.is_answered = real

    def verdict(floor: float) -> bool:
        kept = {name: getattr(rag.evidence, name) for name in dir(rag.evidence) if "COVER" in name}
        for name in kept:
            setattr(rag.evidence, name, floor)
        try:
            return all(real(*args, **named) for args, named in calls)
        finally:
            for name, value in kept.items():
                setattr(rag.evidence, name, value)

    return verdict, retrieval


def scores(refused: Sequence[bool], asked: Sequence[Asked]) -> tuple[float, float, float]:
    """Precision, recall and F1 of refusals; nan where nothing was refused."""
    right = sum(r and not a.is_answerable for r, a in zip(refused, asked, strict=True))
    said_no, had_to = sum(refused), sum(not a.is_answerable for a in asked)
    precision = right / said_no if said_no else float("nan")
    recall = right / had_to if had_to else float("nan")
    return precision, recall, 2 * right / (said_no + had_to) if said_no + had_to else float("nan")


def leave_one_out(
    asked: Sequence[Asked], choices: Sequence[Any], decide: Callable[[Asked, Any], bool]
) -> list[bool]:
    """Refusals of each document by what did best (F1) on the others."""
    refused = []
    for one in asked:
        others = [other for other in asked if other.document != one.document]
        best = max(choices, key=lambda c: scores([decide(o, c) for o in others], others)[2])
        refused.append(decide(one, best))
    return refused


def ranges(refused: Sequence[bool], asked: Sequence[Asked]) -> list[tuple[float, float]]:
    """95 % ranges of precision, recall and F1: bootstrap over documents."""
    generator = np.random.default_rng(20_240_607)
    names = sorted({one.document for one in asked})
    rows = {n: [i for i, one in enumerate(asked) if one.document == n] for n in names}
    drawn = []
    for _ in range(DRAWS):
        picked = [i for n in generator.choice(names, len(names)) for i in rows[n]]
        drawn.append(scores([refused[i] for i in picked], [asked[i] for i in picked]))
    return [_range(column) for column in np.array(drawn).T]


def _range(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def right(refused: Sequence[bool], asked: Sequence[Asked]) -> np.ndarray[Any, Any]:
    """Of each question whether the decision was right; each of both classes weighs one half."""
    share = np.mean([one.is_answerable for one in asked])
    weights = [0.5 / (share if one.is_answerable else 1 - share) for one in asked]
    return np.array(weights) * _decisions(refused, asked)


def _decisions(refused: Sequence[bool], asked: Sequence[Asked]) -> np.ndarray[Any, Any]:
    return np.array([r == (not one.is_answerable) for r, one in zip(refused, asked, strict=True)])


def report(name: str, asked: Sequence[Asked]) -> None:
    """All ways on one set."""
    weights = sorted({round(one.bm25, 1) for one in asked})
    ways = {
        "Folio": [one.refused for one in asked],
        "Folio, floor learnt": leave_one_out(
            asked, range(len(FLOORS)), lambda one, at: one.refused_at[at]
        ),
        "BM25 threshold": leave_one_out(asked, weights, lambda one, at: one.bm25 < at),
        "always answering": [False] * len(asked),
    }
    unanswerable = sum(not one.is_answerable for one in asked)
    sys.stdout.write(f"{name}: {len(asked)} questions, {unanswerable} without an answer\n")
    for way, refused in ways.items():
        figures = zip(scores(refused, asked), ranges(refused, asked), strict=True)
        cells = "  ".join(f"{v:.3f} [{low:.2f}, {high:.2f}]" for v, (low, high) in figures)
        wrong = sum(r and one.is_answerable for r, one in zip(refused, asked, strict=True))
        plain = np.mean(_decisions(refused, asked))
        sys.stdout.write(
            f"  {way:20} P, R, F1: {cells}  wrongly refused {wrong}"
            f"  right {plain:.3f}, balanced {right(refused, asked).mean():.3f}\n"
        )
    for other in ("BM25 threshold", "always answering"):
        _print_test(ways["Folio"], ways[other], other, asked)


def _print_test(
    ours: Sequence[bool], theirs: Sequence[bool], name: str, asked: Sequence[Asked]
) -> None:
    balanced = right(ours, asked) - right(theirs, asked)
    plain = _decisions(ours, asked) * 1.0 - _decisions(theirs, asked)
    documents, ids = [one.document for one in asked], [one.id for one in asked]
    p_values = [
        randomisation_p(values, units) for values in (plain, balanced) for units in (documents, ids)
    ]
    shown = ", ".join(f"{p:.4f}" for p in p_values if p is not None)
    sys.stdout.write(
        f"  Folio against {name}: right {plain.mean():+.3f}, balanced {balanced.mean():+.3f}; "
        f"p by documents, by questions, then balanced: {shown}\n"
    )


def print_strangers(name: str, services: Services, questions: Sequence[str]) -> None:
    """How many questions about other documents are refused."""
    refused = sum(not services.search(question).has_evidence for question in questions)
    sys.stdout.write(f"{name}: refused {refused} of {len(questions)}\n")


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of a set."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def main() -> None:
    """All sets."""
    evaldata = SHARED / "evaldata"
    sets = {
        name: read(evaldata / name / "questions.jsonl")
        for name in ("mmlongbench_dev", "figures_dev")
    }
    sample = read(ROOT / "sample_data" / "questions.jsonl")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch) / "pdfs"
        pdfs = sorted((evaldata / "mmlongbench_dev" / "pdfs").glob("*.pdf"))
        services = open_library(folder, pdfs)
        try:
            for name, rows in sets.items():
                report(f"{name}, in the document", ask(services, rows, inside=True))
                report(f"{name}, over all", ask(services, rows, inside=False))
            print_strangers(
                "sample questions asked of the PDFs", services, [row["question"] for row in sample]
            )
        finally:
            services.close()
        services = open_library(Path(scratch) / "sample", sample_paths())
        try:
            report("sample_data, in the document", ask(services, sample, inside=True))
            report("sample_data, over all", ask(services, sample, inside=False))
            strangers = [row["question"] for rows in sets.values() for row in rows]
            print_strangers("questions on the PDFs asked of the sample", services, strangers)
        finally:
            services.close()


if __name__ == "__main__":
    main()
