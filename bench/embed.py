"""Chunks a CPU second with the built-in embedder, as ratios to one chunk at a time.

Run: python bench/embed.py [--chunks 96] [--threads 1]
The lane sorts what it is given, so "order given" hands over one batch at a time; the
lane's bound on tokens a batch holds in every row. CPU seconds, not wall time: on a
shared machine wall time measures the neighbours.
"""

from __future__ import annotations

import argparse
import random
import time
from typing import TYPE_CHECKING

from rag.embed import load_embedder
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rag.embed import TextLane

WORDS = ("revenue", "growth", "of", "the", "third", "quarter", "in", "every", "region")


def make_chunks(count: int) -> list[str]:
    """Texts of 10 to 220 tokens, most of them long, as chunking leaves them."""
    chance = random.Random(7)
    lengths = [round(chance.triangular(10, 220, 210)) for _ in range(count)]
    return [" ".join(chance.choices(WORDS, k=length)) for length in lengths]


def embed_as_given(lane: TextLane, chunks: Sequence[str], batch_size: int) -> None:
    for start in range(0, len(chunks), batch_size):
        lane.embed_documents(chunks[start : start + batch_size])


def chunks_per_cpu_s(work: Callable[[], object], count: int) -> float:
    started = time.process_time()
    work()
    return count / (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=96)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    chunks = make_chunks(options.chunks)
    rates: dict[str, float] = {}
    for batch_size in (1, 8, 32):
        lane = load_embedder(EmbedSettings(batch_size=batch_size, threads=options.threads)).text
        rates[f"batch {batch_size}, order given"] = chunks_per_cpu_s(
            lambda lane=lane, size=batch_size: embed_as_given(lane, chunks, size), len(chunks)
        )
        rates[f"batch {batch_size}, by length"] = chunks_per_cpu_s(
            lambda lane=lane: lane.embed_documents(chunks), len(chunks)
        )
    baseline = rates["batch 1, order given"]
    for name, rate in rates.items():
        print(f"{name:24} {rate:6.1f} chunks per CPU second  x{rate / baseline:.2f}")


if __name__ == "__main__":
    main()
