"""How well abstracts are found: hybrid, vectors alone and keywords alone, by nDCG@10 on Cranfield.

Run: python bench/cranfield.py
Reads `evaldata/cranfield` of the folder that FOLIO_SHARED names, or of ../shared beside the
checkout. One item an abstract in a throw-away library, MiniLM, the embedded engine, and the
product's own retriever. Vectors are kept in the temp folder: the first run takes two minutes,
the next ones seconds. Each way is printed with its 95 % range, its bar, and its paired
difference to rank fusion measured elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.reindex import new_index, schema_of
from rag.embed import load_embedder
from rag.embed.cache import VectorCache
from rag.embed.cached import with_cache
from rag.files import FileStore
from rag.keywords import average_length
from rag.library import Database, Library
from rag.library.documents import READY
from rag.library.items import item_id
from rag.points import make_points
from rag.retrieve import Retriever
from rag.settings import EmbedSettings, StoreSettings
from rag.store import open_store
from rag.types import LOCAL_WORKSPACE, Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rag.embed.lanes import Embedder
    from rag.library.documents import Run
    from rag.types import LegName

ROOT = Path(__file__).resolve().parent.parent
CRANFIELD = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared")) / "evaldata" / "cranfield"
Array = NDArray[np.float64]
ROUNDS = 10_000
TOP_K = 10
WAYS: Mapping[str, tuple[LegName, ...]] = {
    "hybrid": (),
    "vectors": ("text",),
    "keywords": ("keywords",),
}
BARS = {"hybrid": 0.545, "vectors": 0.495, "keywords": 0.515}

Grades = dict[str, dict[str, int]]


def read_rows(name: str) -> list[dict[str, str]]:
    """Lines of `corpus` or `queries`."""
    lines = (CRANFIELD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def read_grades() -> Grades:
    """Grade by document, by query."""
    grades: Grades = defaultdict(dict)
    for line in (CRANFIELD / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        grades[query][document] = int(grade)
    return grades


def search_text(row: Mapping[str, str]) -> str:
    """Title as the heading of its abstract."""
    return f"{row['title']}\n{row['text']}".strip()


@contextmanager
def minilm() -> Iterator[Embedder]:
    """The built-in embedder; what it has embedded once is kept in the temp folder."""
    cache = VectorCache(Path(tempfile.gettempdir()) / "folio-bench-vectors.sqlite")
    try:
        yield with_cache(load_embedder(EmbedSettings(model="minilm")), cache)
    finally:
        cache.close()


@contextmanager
def library_of(rows: Sequence[Mapping[str, str]], embedder: Embedder) -> Iterator[Retriever]:
    """A retriever over a throw-away library with one document of one item a row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = Library(Database(folder / "library.sqlite"))
        rows = [row for row in rows if search_text(row)]
        index = new_index(embedder, average_length(map(search_text, rows)))
        library.indexes.switch(index)
        store = open_store(StoreSettings(reserve_mb=0), folder / "index", index.name)
        store.ensure(schema_of(index))
        embedder.text.embed_documents([search_text(row) for row in rows])  # in sorted batches
        for row in rows:
            run, item = _add(library, row)
            average = index.average_words or 1.0
            store.upsert(
                make_points(
                    [item],
                    run=run,
                    embedder=embedder,
                    average_words=average,
                    picture_path=None,
                    language=row.get("language", "en"),
                )
            )
        yield Retriever(
            library=library, files=FileStore(folder / "files"), store=store, embedder=embedder
        )
        store.close()
        library.close()


def _add(library: Library, row: Mapping[str, str]) -> tuple[Run, Item]:
    text = search_text(row)
    document = library.documents.add(
        workspace=LOCAL_WORKSPACE,
        name=row["_id"],
        sha256=sha256(row["_id"].encode()).hexdigest(),
        media_type="text",
        size_bytes=len(text),
        asset_dir=None,
    )
    run = library.documents.start_run(document.id)
    item = Item(
        id=item_id(document.id, "text", 0, text),
        document_id=document.id,
        kind="text",
        order=0,
        # Several abstracts are there twice under other numbers, and each has its own grades.
        text=f"{row['_id']}\n{text}",
        search_text=text,
        regions=(),
        heading=(row["title"],),
    )
    library.items.add(run, [item])
    library.documents.set_language(document.id, row.get("language", "en"))
    library.documents.publish(run, READY)
    return run, item


def rank(retriever: Retriever, text: str, only: Sequence[LegName] = ()) -> dict[str, float]:
    """Documents of the first hits, best first, with falling scores."""
    hits = retriever.retrieve(text, top_k=TOP_K, only=only).hits
    return {hit.document_name: 1.0 / hit.rank for hit in hits}


def ndcg(run: Mapping[str, Mapping[str, float]], grades: Grades) -> Array:
    """float64 (queries,): nDCG@10 with linear gains, in the order of the grades."""
    import ir_measures

    scored = ir_measures.iter_calc(
        [ir_measures.parse_measure("nDCG@10")], grades, {name: dict(run[name]) for name in grades}
    )
    values = {metric.query_id: metric.value for metric in scored}
    return np.asarray([values[name] for name in grades])


def spread(values: Array) -> tuple[float, float]:
    """95 % range of the mean by percentile bootstrap over queries."""
    draws = np.random.default_rng(11).integers(0, len(values), (ROUNDS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def chance(values: Array, base: Array) -> float:
    """P of the paired difference by randomisation: each sign turned with even odds."""
    gaps = values - base
    signs = np.random.default_rng(13).choice([-1.0, 1.0], (ROUNDS, len(gaps)))
    return float((np.abs((signs * gaps).mean(axis=1)) >= abs(gaps.mean()) - 1e-12).mean())


def told(values: Array) -> str:
    low, high = spread(values)
    return f"{values.mean():.4f} [{low:.3f} {high:.3f}]"


def compared(values: Array, base: Array) -> str:
    low, high = spread(values - base)
    gap = (values - base).mean()
    return f"{gap:+.4f} [{low:+.3f} {high:+.3f}] p={chance(values, base):.4f}"


def main() -> None:
    if not CRANFIELD.is_dir():
        print("skipped: no evaldata/cranfield here; set FOLIO_SHARED")
        return
    queries, grades = {row["_id"]: row["text"] for row in read_rows("queries")}, read_grades()
    found: dict[str, Array] = {}
    with minilm() as embedder, library_of(read_rows("corpus"), embedder) as retriever:
        for name, only in WAYS.items():
            started = time.perf_counter()
            run = {query: rank(retriever, text, only) for query, text in queries.items()}
            found[name] = ndcg(run, grades)
            ms = 1000 * (time.perf_counter() - started) / len(queries)
            print(f"{name:9} nDCG@10 {told(found[name])}  bar {BARS[name]}  {ms:.0f} ms a query")
    for name in ("vectors", "keywords"):
        print(f"hybrid - {name:9} {compared(found['hybrid'], found[name])}")
    if any(found[name].mean() < bar for name, bar in BARS.items()):
        sys.exit("below its bar")


if __name__ == "__main__":
    main()
