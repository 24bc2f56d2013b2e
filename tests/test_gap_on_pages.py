"""S7: real PDFs end to end, with a simulated picture tower.

A picture's vector is MiniLM of its caption and words, blurred and shifted. All figures are
of a simulation: they say what ordering does to figures, not how well a real tower sees.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rag.background import built_in_sentences
from rag.embed import load_embedder
from rag.embed.lanes import Array, Embedder, TextLane
from rag.imaging import FILE_KEY
from rag.settings import EmbedSettings
from rag.types import PICTURES, Hit, LegName, Scope
from tests.gap_simulation import WEAK, unit
from tests.test_sample_answers import overlap
from tests.towns import settings_for
from ui.services import Services, build

if TYPE_CHECKING:
    from PIL import Image

WITHOUT_PIXELS: tuple[LegName, ...] = ("text", "caption", "keywords")


class WordsThroughATower:
    """A picture lane that reads a picture's words, then blurs and shifts them, the same each time.

    Promises unit rows and row order. Built-in pictures count as built-in sentences.
    """

    text_cap = 256

    def __init__(self, lane: TextLane) -> None:
        self._lane = lane
        self.dim = lane.dim
        self.words_of: Callable[[str], str] = lambda _: ""
        self._away = unit(np.random.default_rng(1).normal(size=lane.dim))

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        names = [str(image.info[FILE_KEY]) for image in images]
        words = [
            built_in_sentences()[i % 64] if name == "built-in" else self.words_of(name)
            for i, name in enumerate(names)
        ]
        blur = [
            np.random.default_rng(sum(map(ord, name)) + i).normal(size=self.dim)
            for i, name in enumerate(names)
        ]
        seen = WEAK.strength * self._lane.embed_documents(words)
        return unit(seen + WEAK.noise * unit(np.stack(blur)) + WEAK.shift * self._away)

    def embed_queries(self, texts: Sequence[str]) -> Array:
        return self._lane.embed_queries(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._lane.count_tokens(texts)


@pytest.fixture(scope="module")
def services(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    minilm = load_embedder(EmbedSettings(model="minilm"))
    tower = WordsThroughATower(minilm.text)
    simulated = Embedder(
        name="minilm",
        text_identity=minilm.text_identity,
        text=minilm.text,
        picture_identity="simulated",
        pictures=tower,
        joint=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ui.embedding.load_embedder", lambda *_: simulated)
        patch.setattr("ui.embedding.identity_of", lambda _: simulated.identity)
        patch.setattr("ui.indexing.identity_of", lambda _: simulated.identity)
        folder = shared / "evaldata" / "mmlongbench_dev" / "pdfs"
        with closing(
            build(settings_for(tmp_path_factory.mktemp("pages"), model="minilm"))
        ) as opened:
            tower.words_of = lambda digest: words_of(opened, digest)
            for name in sorted({row["doc"] for row in questions(shared, "figures_dev", "figure")}):
                document = opened.pipeline.admit(name, (folder / name).read_bytes()).document
                assert opened.pipeline.run(document.id).state == "ready"
            yield opened


def words_of(services: Services, digest: str) -> str:
    rows = services.library.database.rows(
        "SELECT search_text FROM items WHERE image_sha256 = ? LIMIT 1", (digest,)
    )
    return str(rows[0]["search_text"]) if rows else ""


def questions(shared: Path, name: str, kind: str) -> list[dict[str, Any]]:
    path = shared / "evaldata" / name / "questions.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind]


def search(
    services: Services, question: dict[str, Any], only: tuple[LegName, ...] = ()
) -> tuple[Hit, ...]:
    document = services.find(question["doc"])[0]
    scope = Scope(documents=(document.id,))
    return services.search(question["question"], top_k=8, scope=scope, only=only).hits


def shows(hits: Sequence[Hit], question: dict[str, Any]) -> bool:
    return any(
        region.page_number == question["page"] and overlap(region.bbox, question["region"]) >= 0.5
        for hit in hits
        if hit.item.kind in (*PICTURES, "table")
        for region in hit.item.regions
    )


def page_recall(hits: Sequence[Hit], question: dict[str, Any]) -> float:
    pages = list(dict.fromkeys(r.page_number for hit in hits for r in hit.item.regions))[:5]
    return len(set(pages) & set(question["pages"])) / len(question["pages"])


@pytest.mark.soak
def test_pixels_bring_figures_up_and_hardly_cost_texts(services: Services, shared: Path) -> None:
    figures = questions(shared, "figures_dev", "figure")
    taken_in = {document.name for document in services.documents()}
    texts = [q for q in questions(shared, "mmlongbench_dev", "text") if q["doc"] in taken_in]
    hit = np.mean([shows(search(services, q)[:5], q) for q in figures])
    hit_without = np.mean([shows(search(services, q, WITHOUT_PIXELS)[:5], q) for q in figures])
    strange = [
        any(
            h.item.kind in PICTURES and h.page_number not in q["pages"] for h in search(services, q)
        )
        for q in texts
    ]
    loss = np.mean(
        [
            page_recall(search(services, q, WITHOUT_PIXELS), q)
            - page_recall(search(services, q), q)
            for q in texts
        ]
    )
    figures_found = (
        f"simulated: figure hit rate@5 {hit:.3f} of {len(figures)} ({hit_without:.3f} without "
        f"pixels), intrusion@8 {np.mean(strange):.3f} and page R@5 lost {loss:+.3f} of {len(texts)}"
    )
    assert hit >= hit_without, figures_found
    assert loss * len(texts) <= 1, figures_found
