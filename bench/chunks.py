"""How large a chunk should be: recall of pages and of abstracts by budget, overlap and breadcrumb.

Run: python bench/chunks.py [--full] [--parts FILE]
Reads `evaldata` of the folder that FOLIO_SHARED names, or of ../shared beside the checkout.
Chunks, BM25, z-scores and merge are the product's own; only the engine is a matrix
product, and there is no quota and no top_k. Each way is printed as a ratio to the
first, with the 95 % range of the paired difference. Parsing takes most of the time, so
parsed pages are kept in FILE; without --full, Cranfield is cut to a fifth.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import pickle
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import UUID

import numpy as np

from ingest import chunk, drafts, packing, table_pieces
from ingest.child import parse_in_child
from ingest.parts import DocumentHead, ParsedPage, Part
from rag.embed import load_embedder
from rag.keywords import average_length, document_weights, query_weights
from rag.legs import LEG_LIMIT
from rag.merge import Candidate, heights, merge
from rag.settings import EmbedSettings, IngestSettings
from rag.types import WORDS, LegScore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rag.embed import TextLane
    from rag.embed.lanes import Array
    from rag.types import Group, LegName

    Pages = list[ParsedPage]
    Docs = Mapping[str, tuple[str, Pages]]  # by name: title and pages

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared")) / "evaldata"
SAMPLE = 256  # as in rag.background
ROUNDS = 4_000
CRUMBED = (packing, chunk, table_pieces)
SHARES = (
    (drafts, "CRUMB_TOKENS"), (drafts, "TITLE_TOKENS"), (packing, "SMALL_TOKENS"),
    (table_pieces, "CAPTION_TOKENS"), (table_pieces, "HEADER_TOKENS"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to cut; the first of a run is what the others are measured by."""

    budget: int = 220
    overlap: int = 40  # tokens, in whole sentences
    has_crumb: bool = True

    @property
    def name(self) -> str:
        crumb = "" if self.has_crumb else ", no breadcrumb"
        return f"{self.budget} tokens, overlap {self.overlap}{crumb}"


SHORT = (Way(), Way(budget=128), Way(overlap=0), Way(has_crumb=False))
FULL = (
    Way(), Way(budget=96), Way(budget=128), Way(budget=160), Way(overlap=0), Way(overlap=80),
    Way(budget=128, overlap=0), Way(has_crumb=False),
)  # fmt: skip


@contextmanager
def cut_as(way: Way) -> Iterator[None]:
    """Set the constants of the chunker for a while; shares of the budget keep their share."""
    kept = [(module, dict(vars(module))) for module in (*CRUMBED, drafts)]
    share = way.budget / drafts.BUDGET_TOKENS
    for module in (*CRUMBED, drafts):
        vars(module)["BUDGET_TOKENS"] = way.budget
    for module, name in SHARES:
        vars(module)[name] = round(share * vars(module)[name])
    vars(packing)["OVERLAP_TOKENS"] = way.overlap
    drafts.breadcrumb.cache_clear()
    if not way.has_crumb:
        for module in CRUMBED:
            vars(module)["breadcrumb"] = lambda _title, _path: drafts.Breadcrumb("", (), 0)
    try:
        yield
    finally:
        for module, names in kept:
            vars(module).update(names)
        drafts.breadcrumb.cache_clear()


@dataclass(frozen=True, slots=True)
class Piece:
    """One draft of one document."""

    document: str
    draft: drafts.Draft

    @property
    def group(self) -> Group:
        return "words" if self.draft.kind in WORDS else "pictures"

    @property
    def pages(self) -> list[int]:
        return list(dict.fromkeys(region.page_number for region in self.draft.regions))


class Index:
    """All pieces of a collection, ranked as `rag.retrieve` ranks them."""

    def __init__(self, pieces: Sequence[Piece], lane: CachedLane) -> None:
        self.pieces = pieces
        texts = [piece.draft.search_text for piece in pieces]
        self._vectors = lane.documents(texts)
        self._postings: dict[int, list[tuple[int, float]]] = defaultdict(list)
        average = average_length(texts)
        for row, text in enumerate(texts):
            weights = document_weights(text, average)
            for index, value in zip(weights.indices, weights.values, strict=True):
                self._postings[index].append((row, value))
        self._rows: dict[tuple[str, Group], list[int]] = defaultdict(list)
        for row, piece in enumerate(pieces):
            for name in (piece.document, ""):
                self._rows[name, piece.group].append(row)
        self._samples = {group: self._sample(group) for group in ("words", "pictures")}

    def search(self, question: str, vector: Array, document: str = "") -> list[Piece]:
        """Pieces in ranked order; inside one document where one is named."""
        cosines = self._vectors @ vector
        keywords = self._keywords(question)
        found = [
            candidate
            for group in ("words", "pictures")
            for candidate in self._candidates(group, document, cosines, keywords, vector)
        ]
        return [self.pieces[hit.candidate.id.int] for hit in merge(found)]

    def _candidates(
        self,
        group: Group,
        document: str,
        cosines: Array,
        keywords: Mapping[int, float],
        vector: Array,
    ) -> Iterator[Candidate]:
        rows = self._rows[document, group]
        if not rows:
            return
        levels = dict(zip(rows, heights(cosines[rows], self._samples[group] @ vector), strict=True))
        by_cosine = sorted(rows, key=lambda row: -cosines[row])[:LEG_LIMIT]
        with_words = [row for row in rows if row in keywords]
        by_words = sorted(with_words, key=lambda row: -keywords[row])[:LEG_LIMIT]
        dense: LegName = "text" if group == "words" else "caption"
        for row in dict.fromkeys([*by_cosine, *by_words]):
            legs = {dense: LegScore(rank=1, cosine=float(cosines[row]), z=float(levels[row]))}
            if row in by_words:
                legs["keywords"] = LegScore(rank=1, weight=keywords[row])
            yield Candidate(id=UUID(int=row), group=group, legs=legs)

    def _keywords(self, question: str) -> dict[int, float]:
        """Scores by row, with Qdrant's IDF over the whole collection."""
        scores: dict[int, float] = defaultdict(float)
        for index in query_weights(question).indices:
            found = self._postings.get(index, [])
            idf = math.log(1 + (len(self.pieces) - len(found) + 0.5) / (len(found) + 0.5))
            for row, value in found:
                scores[row] += idf * value
        return scores

    def _sample(self, group: Group) -> Array:
        rows = self._rows["", group]
        if len(rows) < SAMPLE:  # docs/decisions/0003: captions are calibrated among texts
            rows = rows + self._rows["", "words"]
        chosen = np.random.default_rng(7).permutation(len(rows))[:SAMPLE]
        sample: Array = self._vectors[np.asarray(rows)[chosen]]
        return sample


class CachedLane:
    """A text lane that reads each text once in a run, whichever way made it."""

    def __init__(self, lane: TextLane) -> None:
        self._lane = lane
        self._known: dict[str, Array] = {}

    def documents(self, texts: Sequence[str]) -> Array:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._lane.embed_documents(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def queries(self, texts: Sequence[str]) -> Array:
        """Vectors of questions, row by row."""
        return self._lane.embed_queries(texts)


# ---------------------------------------------------------------- the two sets


def read_pdfs(kept: Path) -> Docs:
    """Parsed pages of the PDF set without their pictures, from a file where there is one."""
    if kept.is_file():
        return cast("Docs", pickle.loads(kept.read_bytes()))
    found = {}
    for path in sorted((SHARED / "mmlongbench_dev" / "pdfs").glob("*.pdf")):
        events = list(parse_in_child(path, "pdf", name=path.name, limits=IngestSettings()))
        pages = [_without_pictures(event) for event in events if isinstance(event, ParsedPage)]
        heads = [event.title for event in events if isinstance(event, DocumentHead)]
        found[path.name] = (heads[0] or path.stem, pages)
    kept.write_bytes(pickle.dumps(found))
    return found


def default_file() -> Path:
    """Where parsed pages are kept; its name changes when a part gets other fields."""
    shape = " ".join(field.name for kind in (ParsedPage, Part) for field in fields(kind))
    digest = hashlib.sha256(shape.encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"folio-bench-parts-{digest}.pickle"


def _without_pictures(page: ParsedPage) -> ParsedPage:
    return replace(page, parts=tuple(replace(part, image_png=None) for part in page.parts))


def read_cranfield(step: int) -> tuple[Docs, dict[str, str], dict[str, dict[str, int]]]:
    """Documents, queries and grades; every `step`-th query and what it and chance need."""
    folder = SHARED / "cranfield"
    queries = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")[::step]}
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if query in queries:
            grades[query][document] = int(grade)
    wanted = {document for judged in grades.values() for document in judged}
    docs = {
        row["_id"]: (row["title"], [_abstract(row["text"])])
        for number, row in enumerate(_lines(folder / "corpus.jsonl"))
        if row["_id"] in wanted or number % step == 0
    }
    return docs, queries, grades


def _abstract(text: str) -> ParsedPage:
    """A page of one part. All is lower case there, so a full stop alone must end a line."""
    part = Part(kind="text", text=text.replace(" . ", " .\n"))
    return ParsedPage(page_number=None, size=None, page_class="text", parts=(part,))


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def cut(docs: Docs, way: Way) -> list[Piece]:
    with cut_as(way):
        return [
            Piece(name, draft)
            for name, (title, pages) in docs.items()
            for draft in chunk.chunk_parts(pages, title=title)
        ]


# ---------------------------------------------------------------- measures


def page_recalls(
    index: Index, questions: Sequence[Mapping[str, object]], vectors: Array
) -> dict[str, Array]:
    """Share of the right pages among the first 1 and 5 distinct pages, by question."""
    rows: dict[str, list[float]] = defaultdict(list)
    for row, vector in zip(questions, vectors, strict=True):
        hits = index.search(str(row["question"]), vector, str(row["doc"]))
        pages = list(dict.fromkeys(page for hit in hits for page in hit.pages))
        gold = set(row["pages"])  # type: ignore[call-overload]
        for k in (1, 5):
            share = len(gold & set(pages[:k])) / len(gold)
            rows[f"all R@{k}"].append(share)
            if row["kind"] == "text":
                rows[f"text R@{k}"].append(share)
    return {name: np.asarray(values) for name, values in rows.items()}


def ndcg(
    index: Index,
    queries: Mapping[str, str],
    vectors: Array,
    grades: Mapping[str, Mapping[str, int]],
) -> Array:
    """nDCG@10 with linear gains, by query."""
    values = []
    for (query, text), vector in zip(queries.items(), vectors, strict=True):
        names = list(dict.fromkeys(hit.document for hit in index.search(text, vector)))[:10]
        best = sorted(grades[query].values(), reverse=True)[:10]
        values.append(_gain([grades[query].get(name, 0) for name in names]) / _gain(best))
    return np.asarray(values)


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 2) for rank, grade in enumerate(grades))


def difference(values: Array, base: Array) -> str:
    """Mean, ratio to the baseline, and the 95 % range of the paired difference."""
    gaps = values - base
    draws = np.random.default_rng(11).integers(0, len(gaps), (ROUNDS, len(gaps)))
    low, high = np.percentile(gaps[draws].mean(axis=1), [2.5, 97.5])
    return f"{values.mean():.3f} x{values.mean() / base.mean():.2f} [{low:+.3f} {high:+.3f}]"


def measure(
    way: Way,
    lane: CachedLane,
    pdfs: Docs,
    questions: Sequence[Mapping[str, object]],
    cranfield: tuple[Docs, dict[str, str], dict[str, dict[str, int]]],
) -> tuple[dict[str, Array], int]:
    """Values by question of each measure, and how many pieces there are."""
    pages = Index(cut(pdfs, way), lane)
    found = page_recalls(pages, questions, lane.queries([str(q["question"]) for q in questions]))
    docs, queries, grades = cranfield
    abstracts = Index(cut(docs, way), lane)
    found["Cranfield nDCG@10"] = ndcg(
        abstracts, queries, lane.queries(list(queries.values())), grades
    )
    return found, len(pages.pieces) + len(abstracts.pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="all ways, all of Cranfield")
    parser.add_argument("--parts", type=Path, default=default_file())
    options = parser.parse_args()
    lane = CachedLane(load_embedder(EmbedSettings(model="minilm")).text)
    pdfs = read_pdfs(options.parts)
    rows = _lines(SHARED / "mmlongbench_dev" / "questions.jsonl")
    questions = [row for row in rows if row["pages"] and row["kind"] != "unanswerable"]
    run = partial(
        measure,
        lane=lane,
        pdfs=pdfs,
        questions=questions,
        cranfield=read_cranfield(1 if options.full else 5),
    )
    base: tuple[dict[str, Array], int] | None = None
    for way in FULL if options.full else SHORT:
        started = time.process_time()
        found, count = run(way)
        base = base or (found, count)
        seconds = time.process_time() - started
        print(f"{way.name}: {count} pieces x{count / base[1]:.2f}, {seconds:.0f} CPU s", flush=True)
        for name, values in found.items():
            print(f"  {name:18} n={len(values):<4}{difference(values, base[0][name])}", flush=True)


if __name__ == "__main__":
    main()
