"""Rankings and labels to numbers, one a question and measure. Pure; no library, no statistics.

A measure that says nothing about a question (figure hits of a question about text) has no
value there, so that the mean of what is left is the measure of the set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.ranking import places_of, ranked_places
from evals.sets import UNANSWERABLE
from ingest.boxes import area, overlap
from rag.types import PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evals.ranking import Found, RankedHit
    from evals.sets import Question, SetKind
    from rag.types import Region

RANK_KEYS = ("ndcg@10", "recall@1", "recall@3", "recall@5", "recall@10", "mrr")
PICTURE_KEYS = ("figure_hit_rate@5", "figure_intrusion@8", "picture_share", "text_loss")
REFUSAL_KEYS = ("refusal_precision", "refusal_recall")
CEILING = "extraction_ceiling"
LATENCY = "latency_ms_p95"
LATENCY_WITH_MODEL = "latency_with_model_ms_p95"
ALL = "_all"  # suffix of what was measured over the whole collection

BOXED_KINDS = ("figure", "table", "mixed")
# A table is one item, words and crop: its crop is the picture a table question wants.
SEEN_KINDS = (*PICTURES, "table")
MIN_OVERLAP = 0.5
FIGURE_DEPTH = 5
INTRUSION_DEPTH = 8

Values = dict[str, float | None]


def rank_values(
    rankings: Mapping[str, Sequence[str]], relevant: Mapping[str, Mapping[str, int]]
) -> dict[str, Values]:
    """Recall, nDCG with linear gains and the reciprocal rank, by question.

    Args:
        rankings: Question -> distinct places, best first.
        relevant: Question -> place -> grade; what is not named has grade 0.
    """
    from ir_measures import RR, R, iter_calc, nDCG

    measures = {nDCG @ 10: "ndcg@10", RR: "mrr"} | {R @ k: f"recall@{k}" for k in (1, 3, 5, 10)}
    values: dict[str, Values] = {id_: dict.fromkeys(RANK_KEYS, 0.0) for id_ in relevant}
    if not relevant:
        return values
    labels = {id_: dict(grades) for id_, grades in relevant.items()}
    scores = {
        id_: {name: float(len(places) - i) for i, name in enumerate(places)}
        for id_, places in rankings.items()
        if id_ in relevant
    }
    for found in iter_calc(list(measures), labels, scores):
        values[found.query_id][measures[found.measure]] = float(found.value)
    return values


def ranking_values(
    found: Mapping[str, Found], questions: Iterable[Question], kind: SetKind
) -> dict[str, Values]:
    """`rank_values` of the questions whose place is known, from what was found for each."""
    ranked = [question for question in questions if question.is_ranked and question.id in found]
    return rank_values(
        {q.id: ranked_places(found[q.id].hits, kind) for q in ranked},
        {q.id: q.relevant for q in ranked},
    )


def figure_hit(question: Question, hits: Sequence[RankedHit]) -> float | None:
    """Whether a picture among the first 5 hits overlaps a gold box."""
    if question.kind not in BOXED_KINDS or not question.regions:
        return None
    seen = [
        region
        for hit in hits[:FIGURE_DEPTH]
        if hit.kind in SEEN_KINDS and hit.document == question.document
        for region in hit.regions
    ]
    return float(any(overlaps(gold, region) for gold in question.regions for region in seen))


def figure_intrusion(question: Question, hits: Sequence[RankedHit]) -> float | None:
    """Whether a picture off the gold pages stands among the first 8 hits of a text question."""
    if question.kind != "text" or not question.is_ranked:
        return None
    gold = {name for name, grade in question.relevant.items() if grade > 0}
    pictures = [hit for hit in hits[:INTRUSION_DEPTH] if hit.kind in PICTURES]
    return float(any(gold.isdisjoint(places_of(hit, "pages")) for hit in pictures))


def picture_share(found: Found) -> float | None:
    """The share of pictures in what is shown."""
    shown = found.hits[: found.shown]
    return sum(hit.kind in PICTURES for hit in shown) / len(shown) if shown else None


def ceiling(question: Question, parts: Sequence[RankedHit]) -> tuple[float | None, int]:
    """The share of gold boxes that any picture of the document overlaps, and their number.

    Args:
        question: Its boxes; none, no value.
        parts: All that was made of the question's document.
    """
    if question.kind not in BOXED_KINDS or not question.regions:
        return None, 0
    cut = [region for part in parts if part.kind in SEEN_KINDS for region in part.regions]
    boxes = question.regions
    reached = sum(any(overlaps(box, region) for region in cut) for box in boxes)
    return reached / len(boxes), len(boxes)


def refusal_values(question: Question, found: Found) -> Values:
    """Precision counts questions that were refused, recall those that had to be."""
    has_no_answer = question.kind == UNANSWERABLE
    refused = not found.has_evidence
    return {
        "refusal_precision": float(has_no_answer) if refused else None,
        "refusal_recall": float(refused) if has_no_answer else None,
    }


def overlaps(first: Region, second: Region) -> bool:
    """Same page, and at least half of the smaller box lies inside the other."""
    if first.page_number != second.page_number:
        return False
    shared = overlap(first.bbox, second.bbox)
    smaller = min(area(first.bbox), area(second.bbox))
    return shared > 0 and shared >= MIN_OVERLAP * smaller


def p95(values: Sequence[float]) -> float | None:
    """The 95th percentile; None without values."""
    import numpy as np

    return float(np.percentile(values, 95)) if values else None
