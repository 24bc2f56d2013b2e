"""Whether the right page comes up inside a document, beside BM25 and MiniLM on page text.

Run: python bench/pages.py [FOLDER]
FOLDER is a set of questions over PDFs as `folio eval` reads it; without it, mmlongbench_dev of
the folder that FOLIO_SHARED names, or of ../shared beside the checkout. The baselines read
each page's plain text in windows of 180 words, a page being as good as its best window (the
measuring notes' recipe): BM25 is bm25s with English stop words and Snowball stems, MiniLM the
built-in embedder. Ranges and tests draw whole documents.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import defaultdict
from functools import cache
from pathlib import Path

import bm25s
import numpy as np
import pymupdf
import Stemmer

from evals.ranking import found_by, ranked_places
from evals.sets import Question, place, read_set
from evals.statistics import intervals, mean, randomisation_p
from rag.embed import load_embedder
from rag.embed.lanes import Embedder
from rag.settings import EmbedSettings, StoreSettings, load_settings
from ui.evaluation import throw_away_library

ROOT = Path(__file__).resolve().parent.parent
SETS = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared")) / "evaldata"
WINDOW_WORDS = 180
DEPTHS = (1, 3, 5, 10)
BASELINE = "BM25 on page text"

Ranking = list[str]


@cache
def windows(path: Path) -> tuple[list[str], list[int]]:
    """Pieces of page text, and the page of each."""
    texts, pages = [], []
    with pymupdf.open(path) as document:
        for number, page in enumerate(document, 1):
            words = page.get_text().split() or [""]
            for start in range(0, len(words), WINDOW_WORDS):
                texts.append(" ".join(words[start : start + WINDOW_WORDS]))
                pages.append(number)
    return texts, pages


def by_best_window(path: Path, scores: np.ndarray) -> Ranking:
    """Pages by their best window; ties by page."""
    best: dict[int, float] = defaultdict(lambda: -np.inf)
    for page, score in zip(windows(path)[1], scores, strict=True):
        best[page] = max(best[page], float(score))
    return [place(path.name, page) for page in sorted(best, key=lambda p: (-best[p], p))]


@cache
def index_of(path: Path) -> bm25s.BM25:
    """BM25 over the windows of one document."""
    found = bm25s.BM25(k1=1.5, b=0.75)
    found.index(tokens_of(windows(path)[0]), show_progress=False)
    return found


def tokens_of(texts: list[str]) -> list[list[str]]:
    stemmer = Stemmer.Stemmer("english")
    tokens: list[list[str]] = bm25s.tokenize(
        texts, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
    )
    return tokens


def rank_by_words(path: Path, question: Question) -> Ranking:
    (asked,) = tokens_of([question.text])
    return by_best_window(path, index_of(path).get_scores(asked))


@cache
def vectors_of(path: Path, embedder: Embedder) -> np.ndarray:
    return embedder.text.embed_documents(windows(path)[0])


def rank_by_meaning(path: Path, question: Question, embedder: Embedder) -> Ranking:
    asked = embedder.text.embed_queries([question.text])[0]
    return by_best_window(path, vectors_of(path, embedder) @ asked)


def rank_all(folder: Path, data: Path) -> tuple[list[Question], dict[str, list[Ranking]]]:
    """Rankings of each way, one a question that has a right page."""
    labelled = read_set(folder)
    files = {path.name: path for path in labelled.files}
    questions = [q for q in labelled.questions if q.is_ranked and q.document in files]
    settings = load_settings(data_dir=data).model_copy(
        update={"embed": EmbedSettings(model="minilm"), "store": StoreSettings(reserve_mb=64)}
    )
    embedder = load_embedder(settings.embed)
    ways: dict[str, list[Ranking]] = {
        BASELINE: [rank_by_words(files[str(q.document)], q) for q in questions],
        "MiniLM on page text": [
            rank_by_meaning(files[str(q.document)], q, embedder) for q in questions
        ],
    }
    with throw_away_library(settings) as system:
        ids = {}
        for number, path in enumerate(labelled.files, 1):
            print(f"reading {number} of {len(labelled.files)}", file=sys.stderr)
            ids[path.name] = system.add_file(path).id
        names = {id_: name for name, id_ in ids.items()}
        ways["Folio, minilm"] = [
            ranked_places(
                found_by(system.search(q.text, documents=[ids[str(q.document)]]), q, names).hits,
                "pages",
            )
            for q in questions
        ]
    return questions, ways


def recall(question: Question, ranking: Ranking, depth: int) -> float:
    right = {name for name, grade in question.relevant.items() if grade > 0}
    return len(right & set(ranking[:depth])) / len(right)


def print_table(questions: list[Question], ways: dict[str, list[Ranking]]) -> None:
    """R@k over all, then R@5 by kind, then the paired difference to BM25."""
    units = [str(q.document) for q in questions]
    kinds = sorted({q.kind for q in questions})
    values = {
        way: np.array(
            [[recall(q, r, k) for k in DEPTHS] for q, r in zip(questions, ranked, strict=True)]
        )
        for way, ranked in ways.items()
    }
    print(f"{len(questions)} questions, {len(set(units))} documents; 95 % ranges by document")
    for way, found in values.items():
        ranges = intervals(found, units)
        cells = [
            f"R@{k} {found[:, i].mean():.3f}" + (f" ({r[0]:.3f}-{r[1]:.3f})" if r else "")
            for i, (k, r) in enumerate(zip(DEPTHS, ranges, strict=True))
        ]
        print(f"  {way:22}" + "  ".join(cells))
    at_five = DEPTHS.index(5)
    for kind in kinds:
        rows = np.array([q.kind == kind for q in questions])
        cells = [f"{way} {mean(found[rows, at_five]):.3f}" for way, found in values.items()]
        print(f"  R@5, {kind} ({rows.sum()}): " + ", ".join(cells))
    for way in list(values)[1:]:
        difference = values[way][:, at_five] - values[BASELINE][:, at_five]
        (low_high,) = intervals(difference[:, None], units)
        span = f" ({low_high[0]:+.3f} to {low_high[1]:+.3f})" if low_high else ""
        p = randomisation_p(difference, units)
        print(f"  R@5, {way} - {BASELINE}: {difference.mean():+.3f}{span}, p {p:.3f}")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SETS / "mmlongbench_dev"
    if not folder.is_dir():
        print("no labelled pages beside this checkout")
        return
    with tempfile.TemporaryDirectory() as data:
        print_table(*rank_all(folder, Path(data)))


if __name__ == "__main__":
    main()
