"""A library with a modality gap, made of real text vectors (the recipe of evaluation 4b).

A share of the documents is declared pictures; their vectors become
normalise(strength * v + noise * random + shift * u). Everything that orders is the
product's own. Knows Cranfield's files and measures; nothing of pytest.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.background import SAMPLE_SIZE, blend, built_in_sentences
from rag.embed.lanes import Array, Embedder
from rag.files import FileStore
from rag.keywords import document_weights
from rag.legs import LEG_LIMIT
from rag.library import Database, Library
from rag.library.documents import READY
from rag.library.items import item_id, point_id
from rag.merge import MIN_SAMPLE, Candidate, heights, merge
from rag.retrieve import Retriever
from rag.settings import StoreSettings
from rag.store import Point, Schema, open_store
from rag.types import Group, Item, LegName, LegScore

if TYPE_CHECKING:
    from PIL import Image

    from rag.embed import TextLane

DISCOUNTS = 1 / np.log2(np.arange(2, 12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Texts, questions and grades, with their vectors. Grades: one mapping a question."""

    texts: Sequence[str]
    questions: Sequence[str]
    grades: Sequence[Mapping[int, int]]
    documents: Array  # float32 (n, dim), unit rows
    queries: Array
    built_in: Array  # float32 (64, dim): built-in sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How weak and how far off the picture tower is, and how many documents are pictures."""

    strength: float = 0.8
    noise: float = 0.8
    shift: float = 0.8
    share: float = 0.5


SHIFTED = Setting(strength=1.0, noise=0.0)
WEAK = Setting()
RARE = Setting(share=0.05)
NO_GAP = Setting(strength=1.0, noise=0.0, shift=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One draw of a setting."""

    judged: Judged
    vectors: Array
    is_picture: np.ndarray  # bool (n,)
    samples: Mapping[Group, Array]
    built_in_pictures: Array = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Means over questions of the first ten."""

    ndcg: float
    share: float  # of pictures
    balanced: float  # recall, mean over both modalities


Method = Callable[[World, Array], Sequence[int]]


# ---------------------------------------------------------------- reading


def read_cranfield(folder: Path, lane: TextLane, identity: str, kept: Path, step: int) -> Judged:
    """Every `step`-th question, all its judged documents, and every `step`-th other one.

    Args:
        folder: In BEIR layout.
        lane: Makes the vectors, unless they are kept already.
        identity: What decides the vectors; names the file.
        kept: Folder for the vectors.
        step: 1 for all of it.
    """
    asked = _lines(folder / "queries.jsonl")[::step]
    wanted = {row["_id"] for row in asked}
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (folder / "qrels.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if query in wanted:
            judged[query][document] = int(grade)
    needed = {document for grades in judged.values() for document in grades}
    rows = [
        row
        for number, row in enumerate(_lines(folder / "corpus.jsonl"))
        if row["_id"] in needed or number % step == 0
    ]
    place = {row["_id"]: number for number, row in enumerate(rows)}
    texts = [f"{row['title']} {row['text']}".strip() or "untitled" for row in rows]
    questions = [row["text"] for row in asked]
    documents, queries, built_in = _vectors(texts, questions, lane, identity, kept)
    return Judged(
        texts=texts,
        questions=questions,
        grades=[{place[d]: g for d, g in judged[row["_id"]].items()} for row in asked],
        documents=documents,
        queries=queries,
        built_in=built_in,
    )


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _vectors(
    texts: Sequence[str], questions: Sequence[str], lane: TextLane, identity: str, kept: Path
) -> tuple[Array, Array, Array]:
    content = json.dumps([identity, texts, questions, built_in_sentences()])
    path = kept / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.npz"
    if not path.exists():
        made = {
            "documents": lane.embed_documents(texts),
            "queries": lane.embed_queries(questions),
            "built_in": lane.embed_documents(built_in_sentences()),
        }
        partial = path.with_suffix(".part.npz")
        np.savez(partial, **made)
        partial.replace(path)
    with np.load(path) as found:
        return found["documents"], found["queries"], found["built_in"]


# ---------------------------------------------------------------- the gap


def unit(rows: np.ndarray) -> Array:
    """The same directions, of length one."""
    found: Array = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return found


class Tower:
    """A simulated picture tower: shifts all it sees the same way, and blurs it."""

    def __init__(self, setting: Setting, dim: int, rng: np.random.Generator) -> None:
        self._setting = setting
        self._rng = rng
        self._away = unit(rng.normal(size=dim))

    def __call__(self, rows: Array) -> Array:
        blur = unit(self._rng.normal(size=rows.shape))
        s = self._setting
        return unit(s.strength * rows + s.noise * blur + s.shift * self._away)


def simulate(judged: Judged, setting: Setting, seed: int) -> World:
    """Declare a random share of the documents pictures and send them through the tower."""
    rng = np.random.default_rng(seed)
    count = len(judged.documents)
    is_picture = np.zeros(count, dtype=bool)
    is_picture[rng.permutation(count)[: round(setting.share * count)]] = True
    tower = Tower(setting, judged.documents.shape[1], rng)
    vectors = judged.documents.copy()
    if is_picture.any():
        vectors[is_picture] = tower(judged.documents[is_picture])
    drawn = tower(judged.built_in[rng.permutation(len(judged.built_in))])
    return World(
        judged=judged,
        vectors=vectors,
        is_picture=is_picture,
        samples={
            "words": _sample(vectors[~is_picture], judged.built_in, rng),
            "pictures": _sample(vectors[is_picture], drawn, rng),
        },
        built_in_pictures=drawn,
    )


def _sample(rows: Array, built_in: Array, rng: np.random.Generator) -> Array:
    """As `rag.background` draws it."""
    chosen = rows[rng.permutation(len(rows))[:SAMPLE_SIZE]]
    return chosen if len(chosen) >= MIN_SAMPLE else blend(list(chosen), built_in)


# ---------------------------------------------------------------- ways to order


def plain_cosine(world: World, query: Array) -> Sequence[int]:
    """What a vector database does by itself."""
    order: list[int] = np.argsort(-(world.vectors @ query), kind="stable")[:LEG_LIMIT].tolist()
    return order


def calibrated(world: World, query: Array) -> Sequence[int]:
    """Legs of 50, heights and merge as in the product; no keywords and no quota."""
    cosines = world.vectors @ query
    found = [
        Candidate(
            id=uuid.UUID(int=int(row)),
            group=group,
            legs={leg: LegScore(rank=rank, cosine=float(cosines[row]), z=float(z))},
        )
        for group, leg, rows in _groups(world)
        for rank, (row, z) in enumerate(_leg(cosines, rows, world.samples[group] @ query), 1)
    ]
    return [hit.candidate.id.int for hit in merge(found)]


def _groups(world: World) -> list[tuple[Group, LegName, np.ndarray]]:
    return [
        ("words", "text", np.flatnonzero(~world.is_picture)),
        ("pictures", "image", np.flatnonzero(world.is_picture)),
    ]


def _leg(cosines: Array, rows: np.ndarray, sample: Array) -> list[tuple[int, float]]:
    best = rows[np.argsort(-cosines[rows], kind="stable")[:LEG_LIMIT]]
    return list(zip(best, heights(cosines[best], sample), strict=True))


# ---------------------------------------------------------------- measures


def measure(world: World, method: Method) -> Score:
    """nDCG@10, share of pictures and balanced recall of one way to order."""
    gains, shares = [], []
    recalls: dict[bool, list[float]] = {False: [], True: []}
    for query, grades in zip(world.judged.queries, world.judged.grades, strict=True):
        first = list(method(world, query))[:10]
        gains.append(ndcg(first, grades))
        shares.append(float(np.mean(world.is_picture[first])))
        for modality, values in recalls.items():
            right = {d for d in grades if world.is_picture[d] == modality}
            if right:
                values.append(len(right & set(first)) / min(10, len(right)))
    return Score(
        ndcg=float(np.mean(gains)),
        share=float(np.mean(shares)),
        balanced=float(np.mean([np.mean(values) for values in recalls.values() if values])),
    )


def ndcg(first: Sequence[int], grades: Mapping[int, int]) -> float:
    """nDCG@10 with linear gains; 0 where nothing is right."""
    best = sorted(grades.values(), reverse=True)[:10]
    ideal = float(np.dot(best, DISCOUNTS[: len(best)]))
    gains = [grades.get(number, 0) for number in first[:10]]
    return float(np.dot(gains, DISCOUNTS[: len(gains)])) / ideal if ideal else 0.0


def mean_score(judged: Judged, setting: Setting, seeds: Sequence[int], method: Method) -> Score:
    """Mean over draws of a setting."""
    found = [measure(simulate(judged, setting, seed), method) for seed in seeds]
    return Score(
        ndcg=float(np.mean([score.ndcg for score in found])),
        share=float(np.mean([score.share for score in found])),
        balanced=float(np.mean([score.balanced for score in found])),
    )


# ---------------------------------------------------------------- the real retriever


class KnownTexts:
    """A text lane that knows the vectors of its texts. Promises unit rows and row order."""

    text_cap = 512

    def __init__(self, known: Mapping[str, Array], dim: int) -> None:
        self._known = known
        self.dim = dim

    def embed_queries(self, texts: Sequence[str]) -> Array:
        return np.stack([self._known[text] for text in texts])

    embed_documents = embed_queries

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


class DrawnPictures:
    """A picture lane that has seen the built-in pictures, and nothing else."""

    text_cap = 512

    def __init__(self, vectors: Array) -> None:
        self._vectors = vectors
        self.dim = vectors.shape[1]

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        return self._vectors[: len(images)]

    def embed_queries(self, texts: Sequence[str]) -> Array:
        raise AssertionError("in a joint space the text lane embeds questions")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


@dataclass(slots=True)
class Shelf:
    """A real library of a world: rows in SQLite, points in the edge engine, the retriever."""

    retriever: Retriever
    numbers: Mapping[uuid.UUID, int]  # item id -> document of the world
    library: Library
    close: Callable[[], None]

    def first(self, question: str, top_k: int = 10) -> list[int]:
        """Documents in the order shown."""
        hits = self.retriever.retrieve(question, top_k=top_k).hits
        return [self.numbers[hit.item.id] for hit in hits]


def shelve(world: World, folder: Path, only: Sequence[int] | None = None) -> Shelf:
    """Put documents of a world on a shelf: texts with keywords, pictures without a word.

    Args:
        world: What to put there.
        folder: An empty one.
        only: Documents by number; all when None.
    """
    judged = world.judged
    library = Library(Database(folder / "library.sqlite", reserve_mb=0))
    store = open_store(StoreSettings(reserve_mb=0), folder / "index", "gap")
    dim = judged.documents.shape[1]
    store.ensure(Schema(text_dim=dim, image_dim=dim))
    document = library.documents.add(
        workspace="local", name="shelf.txt", sha256="0" * 64, media_type="text", size_bytes=1,
        asset_dir=None,
    )  # fmt: skip
    run = library.documents.start_run(document.id)
    numbers, items, points = {}, [], []
    for number in range(len(judged.texts)) if only is None else only:
        item = _item(document.id, number, world)
        numbers[item.id] = number
        items.append(item)
        points.append(_point(item, run, world.vectors[number]))
    library.items.add(run, items)
    for start in range(0, len(points), 500):
        store.upsert(points[start : start + 500])
    library.documents.publish(run, READY)
    known = dict(zip(judged.questions, judged.queries, strict=True))
    known |= dict(zip(built_in_sentences(), judged.built_in, strict=True))
    embedder = Embedder(
        name="simulated",
        text_identity="simulated",
        text=KnownTexts(known, dim),
        picture_identity="simulated",
        pictures=DrawnPictures(world.built_in_pictures),
        joint=True,
    )
    files = FileStore(folder / "files", reserve_mb=0)

    def close() -> None:
        store.close()
        library.database.close()

    return Shelf(
        retriever=Retriever(library=library, files=files, store=store, embedder=embedder),
        numbers=numbers,
        library=library,
        close=close,
    )


def _item(document: uuid.UUID, number: int, world: World) -> Item:
    kind = "figure" if world.is_picture[number] else "text"
    text = "" if kind == "figure" else world.judged.texts[number]
    return Item(
        id=item_id(document, kind, number, str(number)),
        document_id=document,
        kind=kind,
        order=number,
        text=text,
        search_text=text,
        regions=(),
    )


def _point(item: Item, run, vector: Array) -> Point:  # noqa: ANN001
    return Point(
        id=point_id(item.id, run.id),
        workspace=run.workspace,
        document_id=item.document_id,
        run=run.id,
        kind=item.kind,
        page_number=None,
        order=item.order,
        dense={"image" if item.kind == "figure" else "text": vector},
        keywords=document_weights(item.search_text) if item.search_text else None,
    )
