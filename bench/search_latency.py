"""Time of a search without the model: every leg, the rows, the order and the evidence.

Run: python bench/search_latency.py [--points 10000 100000] [--questions 120] [--no-memory]
The library is made up: real words at the frequencies of a language, vectors that gather
around their document, 50 points a document (70 % texts, 10 % tables, 20 % figures with
caption and picture). Bar: p95 20 ms at 10,000 points, 50 ms at 100,000. Beside it the
same search on qdrant-client's in-memory engine, at the smallest size.
CPU time is printed as well, because others may use the machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from qdrant_client import QdrantClient

from rag.embed.lanes import Embedder
from rag.embed.minilm import minilm_folder
from rag.files import FileStore
from rag.keywords import K1, B, query_weights
from rag.library import Database, Library, Page
from rag.library.documents import READY
from rag.library.items import item_id, point_id
from rag.retrieve import Retriever
from rag.store.base import Point, Schema, Sparse
from rag.store.edge import EdgeStore
from rag.store.server import ServerStore
from rag.types import LOCAL_WORKSPACE, Item, Kind, Region, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.embed.lanes import Array
    from rag.library.documents import Run
    from rag.store.base import DenseName, Store

DIM = 768
PER_DOCUMENT = 50
KINDS: tuple[Kind, ...] = ("text",) * 35 + ("table",) * 5 + ("figure",) * 10
BAR_MS = {10_000: 20.0, 100_000: 50.0}
WORDS_A_PASSAGE = 150  # about 900 characters
WORDS_A_CAPTION = 25
UPSERT = 500
MEMORY_QUESTIONS = 20  # the in-memory engine takes about half a second a question


class PreparedLane:
    """Vectors that were made beforehand, by question."""

    dim = DIM
    text_cap = 512

    def __init__(self, vectors: dict[str, Array]) -> None:
        self._vectors = vectors

    def embed_queries(self, texts: Sequence[str]) -> Array:
        return np.stack([self._vectors[text] for text in texts])

    def embed_documents(self, texts: Sequence[str]) -> Array:
        raise NotImplementedError("the library is large enough to be its own background")

    def embed_images(self, images: Sequence[object]) -> Array:
        raise NotImplementedError("the library is large enough to be its own background")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Real words, the commonest first, and the keyword indices of each."""

    words: list[str]
    terms: list[tuple[int, ...]]
    shares: Array  # of each word in running text

    def draw(self, chance: np.random.Generator, count: int) -> Array:
        return chance.choice(len(self.words), size=count, p=self.shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A made-up document: its run, items and points."""

    run: Run
    items: list[Item]
    points: list[Point]


def read_vocabulary() -> Vocabulary:
    """Whole words of the built-in vocabulary, which lists them by how common they are."""
    lines = (minilm_folder() / "vocab.txt").read_text("utf-8").split("\n")
    words = [word for word in lines if len(word) > 1 and word.isascii() and word.isalpha()]
    shares = 1 / (np.arange(len(words)) + 2.7)  # Zipf's law with Mandelbrot's shift
    return Vocabulary(
        words=words,
        terms=[query_weights(word).indices for word in words],
        shares=shares / shares.sum(),
    )


def make_documents(
    library: Library, words: Vocabulary, count: int, chance: np.random.Generator
) -> Iterator[Document]:
    """Documents with rows in the library; their points are for the caller to store."""
    centre = _unit(chance.standard_normal(DIM))
    gap = _unit(chance.standard_normal(DIM))  # pictures lie apart from texts in a joint space
    for number in range(count):
        row = library.documents.add(
            workspace=LOCAL_WORKSPACE,
            name=f"document-{number}.pdf",
            sha256=f"{number:064x}",
            media_type="pdf",
            size_bytes=1,
            asset_dir=None,
        )
        run = library.documents.start_run(row.id)
        subject = words.draw(chance, 40)  # words that this document uses more than others do
        drawn = [_draw_words(words, subject, kind, chance) for kind in KINDS]
        items = [_item(run, kind, i, words, drawn[i]) for i, kind in enumerate(KINDS)]
        library.items.add(run, items)
        pages = [Page(page_number=p, size=(612.0, 792.0), page_class="text") for p in range(1, 11)]
        library.pages.add(run, pages)
        library.documents.publish(run, READY)
        base = centre + 1.2 * _unit(chance.standard_normal(DIM))
        dense = _unit(base + 1.5 * _units(chance, PER_DOCUMENT))
        pictures = _unit(dense + 0.8 * gap + 0.8 * _units(chance, PER_DOCUMENT))
        points = [
            _point(run, item, dense[i], pictures[i], _weights(words, drawn[i]))
            for i, item in enumerate(items)
        ]
        yield Document(run=run, items=items, points=points)


def _draw_words(
    words: Vocabulary, subject: Array, kind: Kind, chance: np.random.Generator
) -> Array:
    count = WORDS_A_CAPTION if kind == "figure" else WORDS_A_PASSAGE
    common = words.draw(chance, count)
    return np.where(chance.random(count) < 0.3, chance.choice(subject, count), common)


def _item(run: Run, kind: Kind, order: int, words: Vocabulary, drawn: Array) -> Item:
    text = " ".join(words.words[i] for i in drawn)
    page = 1 + order % 10
    return Item(
        id=item_id(run.document_id, kind, order, text),
        document_id=run.document_id,
        kind=kind,
        order=order,
        text=text,
        search_text=f"Report > Part {page}\n{text}",
        regions=(Region(page_number=page, bbox=(72.0, 72.0, 540.0, 300.0)),),
        heading=("Report", f"Part {page}"),
        caption=text if kind == "figure" else "",
        number=f"Figure {order}" if kind == "figure" else "",
        image_sha256=None if kind == "text" else sha256(text.encode()).hexdigest(),
    )


def _weights(words: Vocabulary, drawn: Array) -> Sparse:
    """As `rag.keywords.document_weights`, without reading the words again."""
    counts: dict[int, int] = defaultdict(int)
    for i in drawn:
        for term in words.terms[i]:
            counts[term] += 1
    scale = K1 * (1 - B + B * sum(counts.values()) / 90)
    ordered = sorted(counts.items())
    return Sparse(
        tuple(term for term, _ in ordered),
        tuple(count * (K1 + 1) / (count + scale) for _, count in ordered),
    )


def _point(run: Run, item: Item, dense: Array, picture: Array, keywords: Sparse) -> Point:
    vectors: dict[DenseName, Array] = {"caption" if item.kind == "figure" else "text": dense}
    if item.kind != "text":
        vectors["image"] = picture
    return Point(
        id=point_id(item.id, run.id),
        workspace=run.workspace,
        document_id=item.document_id,
        run=run.id,
        kind=item.kind,
        page_number=item.regions[0].page_number,
        order=item.order,
        dense=vectors,
        keywords=keywords,
    )


def _units(chance: np.random.Generator, count: int) -> Array:
    return _unit(chance.standard_normal((count, DIM)))


def _unit(vectors: Array) -> Array:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Some words of an item, and a vector near the item's own."""

    text: str
    vector: Array
    document_id: UUID


def make_question(document: Document, chance: np.random.Generator) -> Question:
    """8 words of one item, two of them often common ones."""
    at = int(chance.integers(PER_DOCUMENT))
    item, point = document.items[at], document.points[at]
    own = point.dense.get("text", point.dense.get("caption"))
    picked = chance.choice(item.text.split(), 8)
    return Question(
        text="What is " + " ".join(picked),
        vector=_unit(own + 0.9 * _unit(chance.standard_normal(DIM))),
        document_id=item.document_id,
    )


def build(
    folder: Path, stores: Sequence[Store], points: int, questions: int
) -> tuple[Library, list[Question]]:
    """A library of made-up documents in SQLite and in each store."""
    chance = np.random.default_rng(7)
    words = read_vocabulary()
    database = Database(folder / "library.sqlite")
    database.rows("PRAGMA synchronous=OFF")  # it is thrown away; 5 syncs a document are minutes
    library = Library(database)
    for store in stores:
        store.ensure(Schema(text_dim=DIM, image_dim=DIM))
    count = points // PER_DOCUMENT
    asked = set(chance.choice(count, questions, replace=questions > count).tolist())
    made, waiting = [], []
    for number, document in enumerate(make_documents(library, words, count, chance)):
        _touch_pictures(folder / "files", document)
        waiting += document.points
        if number in asked:
            made.append(make_question(document, chance))
        if len(waiting) >= UPSERT or number == count - 1:
            for store in stores:
                store.upsert(waiting)
            waiting = []
    return library, made


def _touch_pictures(folder: Path, document: Document) -> None:
    """Empty files in place of pictures: a hit looks whether its picture is there."""
    for item in document.items:
        if item.image_sha256:
            path = folder / item.image_sha256[:2] / f"{item.image_sha256}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Milliseconds of each question: by the clock, of CPU, and by stage."""

    wall: Array
    cpu: Array
    stages: dict[str, Array]

    def line(self) -> str:
        stages = "  ".join(
            f"{name} {np.median(each):.1f}/{np.percentile(each, 95):.1f}"
            for name, each in self.stages.items()
            if name != "embed"
        )
        return (
            f"p50 {np.median(self.wall):6.1f} p95 {np.percentile(self.wall, 95):6.1f} ms"
            f"  CPU {np.median(self.cpu):6.1f}/{np.percentile(self.cpu, 95):6.1f}  {stages}"
        )


def measure(retriever: Retriever, questions: Sequence[Question], *, scoped: bool = False) -> Times:
    """Each question once, after the first five were asked to warm up."""
    wall, cpu = [], []
    stages: dict[str, list[float]] = defaultdict(list)
    for number, question in enumerate([*questions[:5], *questions]):
        scope = Scope(documents=(question.document_id,) if scoped else ())
        started, used = time.perf_counter(), time.process_time()
        found = retriever.retrieve(question.text, top_k=8, scope=scope)
        if number >= 5:
            wall.append(1000 * (time.perf_counter() - started))
            cpu.append(1000 * (time.process_time() - used))
            for name, taken in found.timings_ms.items():
                stages[name].append(taken)
        if not found.hits:
            raise SystemExit(f"nothing found for {question.text!r}")
    return Times(
        wall=np.array(wall),
        cpu=np.array(cpu),
        stages={name: np.array(each) for name, each in stages.items()},
    )


def run(points: int, question_count: int, *, beside_memory: bool) -> None:
    """Build, measure and print one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        edge = EdgeStore(folder / "index")
        memory = ServerStore(QdrantClient(":memory:"), "bench") if beside_memory else None
        started = time.perf_counter()
        stores: list[Store] = [edge] if memory is None else [edge, memory]
        library, questions = build(folder, stores, points, question_count)
        print(
            f"{points} points, {points // PER_DOCUMENT} documents, "
            f"{len(questions)} questions; made in {time.perf_counter() - started:.0f} s"
        )
        lane = PreparedLane({question.text: question.vector for question in questions})
        embedder = Embedder(
            name="prepared", text_identity="prepared", text=lane, pictures=lane, joint=True
        )
        files = FileStore(folder / "files")

        def retriever(store: Store) -> Retriever:
            return Retriever(library=library, files=files, store=store, embedder=embedder)

        ours = measure(retriever(edge), questions)
        print(f"  edge, all documents      {ours.line()}")
        print(
            f"  edge, one document       {measure(retriever(edge), questions, scoped=True).line()}"
        )
        if memory is not None:
            theirs = measure(retriever(memory), questions[:MEMORY_QUESTIONS])
            ratio = np.median(theirs.wall) / np.median(ours.wall)
            search = np.median(theirs.stages["search"]) / np.median(ours.stages["search"])
            print(f"  qdrant-client in memory  {theirs.line()}")
            print(
                f"  in memory takes x{ratio:.0f} the time of edge, x{search:.0f} for the legs alone"
            )
        if points in BAR_MS:
            p95, bar = float(np.percentile(ours.wall, 95)), BAR_MS[points]
            print(f"  bar: p95 {bar:.0f} ms, found {p95:.1f}: {'held' if p95 <= bar else 'MISSED'}")
        library.close()
        edge.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--no-memory", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Payload indexes have no effect")
    for number, points in enumerate(options.points):
        print(f"load {os.getloadavg()[0]:.1f}", end="; ")
        run(points, options.questions, beside_memory=number == 0 and not options.no_memory)


if __name__ == "__main__":
    main()
