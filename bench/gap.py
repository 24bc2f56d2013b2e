"""The modality gap, simulated: ways to order texts and pictures in one list, side by side.

Run: python bench/gap.py
Reads `evaldata/cranfield` of the folder that FOLIO_SHARED names, or of ../shared beside the
checkout. A random share of the abstracts is declared pictures, and a simulated tower blurs
and shifts their MiniLM vectors; the recipe is in `tests/gap_simulation.py`. "Ours" is the
product's own legs, heights and merge, without keywords and quota. Vectors are kept in the
temp folder: the first run takes a minute or two.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rag.embed import load_embedder
from rag.embed.lanes import Array
from rag.settings import EmbedSettings
from tests.gap_simulation import (
    NO_GAP,
    RARE,
    SHIFTED,
    WEAK,
    Judged,
    Method,
    World,
    calibrated,
    measure,
    ndcg,
    plain_cosine,
    read_cranfield,
    simulate,
)

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared"))
SEEDS = range(4)
SETTINGS = {
    "no gap, 50 % pictures": NO_GAP,
    "shifted, 50 %": SHIFTED,
    "weak and shifted, 50 %": WEAK,
    "weak and shifted, 5 %": RARE,
}


def z_on_all(world: World, query: Array) -> Sequence[int]:
    """Mean and deviation of all documents of a modality: what a sample stands in for."""
    cosines = world.vectors @ query
    levels = np.empty_like(cosines)
    for modality in (False, True):
        rows = world.is_picture == modality
        if rows.any():
            spread = max(float(cosines[rows].std()), 0.001)
            levels[rows] = (cosines[rows] - cosines[rows].mean()) / spread
    return _best(levels)


def interleaved(world: World, query: Array) -> Sequence[int]:
    """One text, one picture: reciprocal rank fusion of lists that share nothing."""
    texts, pictures = _by_modality(world, query)
    pairs = zip(texts, pictures, strict=False)
    return [number for pair in pairs for number in pair][:10] or [*texts, *pictures][:10]


def seven_and_three(world: World, query: Array) -> Sequence[int]:
    """A fixed quota."""
    texts, pictures = _by_modality(world, query)
    return [*texts[:7], *pictures[:3]]


def _by_modality(world: World, query: Array) -> tuple[list[int], list[int]]:
    order = np.argsort(-(world.vectors @ query), kind="stable")
    pictures = world.is_picture[order]
    return order[~pictures][:10].tolist(), order[pictures][:10].tolist()


def _best(levels: Array) -> list[int]:
    found: list[int] = np.argsort(-levels, kind="stable")[:10].tolist()
    return found


METHODS: dict[str, Method] = {
    "plain cosine": plain_cosine,
    "ours": calibrated,
    "z on all documents": z_on_all,
    "interleaved, as rank fusion": interleaved,
    "fixed quota, 7 + 3": seven_and_three,
}


def print_settings(judged: Judged) -> None:
    """Each way in each setting, and the worst draw beside plain cosine."""
    print("nDCG@10 / picture share / balanced recall; worst draw of nDCG@10 beside plain cosine")
    for name, setting in SETTINGS.items():
        worlds = [simulate(judged, setting, seed) for seed in SEEDS]
        base = [measure(world, plain_cosine) for world in worlds]
        for method_name, method in METHODS.items():
            found = [measure(world, method) for world in worlds]
            worst = min(ours.ndcg - plain.ndcg for ours, plain in zip(found, base, strict=True))
            means = (
                float(np.mean([getattr(score, key) for score in found]))
                for key in ("ndcg", "share", "balanced")
            )
            figures = " / ".join(f"{mean:.3f}" for mean in means)
            print(f"  {name:24} {method_name:28} {figures}  {worst:+.3f}", flush=True)


def print_small(judged: Judged) -> None:
    """Few pictures beside many texts, none of them right for the question."""
    print("few pictures, none right: text nDCG@10 lost / pictures in the first eight")
    for count in (1, 3, 6, 12, 30):
        losses, strangers = [], []
        for seed in SEEDS:
            setting = replace(WEAK, share=count / len(judged.texts))
            world = simulate(judged, setting, seed)
            for query, grades in zip(judged.queries, judged.grades, strict=True):
                if any(world.is_picture[number] for number in grades):
                    continue
                order = list(calibrated(world, query))
                texts = [number for number in order if not world.is_picture[number]]
                losses.append(ndcg(texts[:10], grades) - ndcg(order[:10], grades))
                strangers.append(float(world.is_picture[order[:8]].sum()))
        print(
            f"  {count:3} pictures  {np.mean(losses):+.4f} / {np.mean(strangers):.2f}", flush=True
        )


def main() -> None:
    folder = SHARED / "evaldata" / "cranfield"
    if not folder.is_dir():
        sys.exit(
            f"There is no Cranfield in {folder}. Set FOLIO_SHARED to the folder that holds it."
        )
    embedder = load_embedder(EmbedSettings(model="minilm"))
    kept = Path(tempfile.gettempdir()) / "folio-bench-gap"
    kept.mkdir(exist_ok=True)
    judged = read_cranfield(folder, embedder.text, embedder.text_identity, kept, 1)
    print(f"{len(judged.texts)} documents, {len(judged.questions)} questions, {len(SEEDS)} draws")
    print_settings(judged)
    print_small(judged)


if __name__ == "__main__":
    main()
