"""What each measure is called and means, for readers. Words only."""

from __future__ import annotations

from evals.metrics import ALL

NAMES = {
    "ndcg@10": "nDCG@10",
    "recall@1": "Recall@1",
    "recall@3": "Recall@3",
    "recall@5": "Recall@5",
    "recall@10": "Recall@10",
    "mrr": "MRR",
    "figure_hit_rate@5": "Figure hit rate@5",
    "figure_intrusion@8": "Figure intrusion@8",
    "text_loss": "Text loss",
    "picture_share": "Picture share",
    "refusal_precision": "Refusal precision",
    "refusal_recall": "Refusal recall",
    "extraction_ceiling": "Extraction ceiling",
    "latency_ms_p95": "Latency, 95th percentile, ms",
    "latency_with_model_ms_p95": "The same with the model, ms",
}
MEANINGS = {
    "recall@k": "Share of the right pages (documents) among the first k distinct ones found.",
    "ndcg@10": "Order of the first 10, linear gains: 1 when the best stand first.",
    "mrr": "One divided by the rank of the first right page or document.",
    "figure_hit_rate@5": "Share of figure, table and mixed questions with boxes for which a "
    "figure, page or table among the first 5 hits overlaps one (at least half of the smaller).",
    "figure_intrusion@8": "Share of text questions that show a picture from a wrong page.",
    "text_loss": "nDCG@10 of text questions without pictures in the search, minus with them.",
    "picture_share": "Mean share of pictures in what is shown.",
    "refusal_precision": "Share of refused questions that have no answer.",
    "refusal_recall": "Share of questions without an answer that are refused.",
    "extraction_ceiling": "Share of gold boxes that any part cut from the document overlaps.",
    "latency_ms_p95": "Time of a search without that of the embedder.",
}


def name_of_measure(key: str) -> str:
    """The name of a measure, with its scope where it is the whole collection."""
    base = key.removesuffix(ALL)
    return NAMES.get(base, base) + (", whole collection" if key.endswith(ALL) else "")
