"""Memory of a process that has embedded one Nomic text and one picture at real size.

Run: python bench/memory.py
Writes random weights to a temporary folder (919 MB) and reads them back in a fresh
process. The goal is under 1,600 MB resident; what is backed by a file can be given back
when memory is short, and is shared by all processes that map the same weights.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from random_checkpoint import write_text, write_vision

GOAL_MB = 1_600
PARTS = {"Rss": "resident", "Anonymous": "anonymous", "file": "backed by files"}


def resident() -> dict[str, float]:
    """MB of this process, by kind; Linux only."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    kilobytes["file"] = kilobytes["Rss"] - kilobytes["Anonymous"]
    return {words: kilobytes[key] / 1000 for key, words in PARTS.items()}


def report(stage: str) -> float:
    sizes = resident()
    print(f"  {stage:38}", *(f"{words} {size:6.0f} MB" for words, size in sizes.items()), sep="  ")
    return sizes["resident"]


def embed_both(folder: Path) -> None:
    """What the fresh process does."""
    import numpy as np
    from PIL import Image

    from rag.embed.load import load_embedder
    from rag.embed.runtime import start_torch
    from rag.settings import EmbedSettings

    start_torch(1)
    for name in ("nomic_text", "picture_tower"):
        importlib.import_module(f"rag.embed.{name}")
    report("libraries, before any weights")
    embedder = load_embedder(EmbedSettings(model="nomic", model_dir=folder))
    report("loaded and self-checked")
    assert embedder.pictures
    words = "Revenue of the third quarter grew in every region. " * 18  # 200 tokens
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1600, 3), dtype=np.uint8)
    vectors = embedder.text.embed_documents([words])
    vectors = np.vstack([vectors, embedder.pictures.embed_images([Image.fromarray(noise)])])
    assert np.isfinite(vectors).all()
    size = report("after one text and one picture")
    print(f"  {'under' if size < GOAL_MB else 'NOT under'} the goal of {GOAL_MB} MB")


def main() -> None:
    if len(sys.argv) == 2:
        embed_both(Path(sys.argv[1]))
        return
    if not Path("/proc/self/smaps_rollup").exists():
        print("needs Linux")
        return
    with tempfile.TemporaryDirectory() as folder:
        write_text(Path(folder) / "text")
        write_vision(Path(folder) / "vision")
        print("nomic at real size, float32, one thread")
        subprocess.run([sys.executable, __file__, folder], check=True, env=os.environ)


if __name__ == "__main__":
    main()
