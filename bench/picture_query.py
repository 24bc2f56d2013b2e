"""Query by picture: figures of real documents, edited, against the library they stand in.

Run: python bench/picture_query.py [LIBRARY]
Reads the corpus that FOLIO_SHARED names, or ../shared beside the checkout; without it,
the sample documents. LIBRARY is a data folder that holds them already. Prints, with the
built-in embedder: how often the figure is the first hit by edit; how many bits the same
and different pictures are apart; milliseconds of a search among 10,000 pictures.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from rag.imaging import open_rgb
from rag.look_alikes import MOST_BITS
from rag.picture_hash import METHOD, WORDS, distances, hash_question, hash_stored
from rag.settings import load_settings
from rag.types import Scope
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rag.types import Hit

ROOT = Path(__file__).resolve().parent.parent
MANY, HASHES_EACH = 10_000, 40
MARGIN, CROP = 0.05, 0.1
FAR = 64  # compares all to the end


def main() -> None:
    """Print all of it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        os.environ["FOLIO_EMBED__MODEL"] = "minilm"
        services = build(load_settings(data_dir=folder))
        try:
            if not services.documents():
                _ingest(services)
            figures = _figures(services)
            _print_first_hits(services, figures)
            _print_distances(services)
        finally:
            services.close()
    _print_speed()


def edits(picture: Image.Image) -> dict[str, Image.Image]:
    """What people do to a figure before they ask with it."""
    width, height = picture.size
    x, y = round(CROP * width), round(CROP * height)
    half = (max(1, width // 2), max(1, height // 2))
    return {
        "as it is": picture,
        "JPEG, quality 60": _as_jpeg(picture),
        "half size": picture.resize(half),
        "white margin of 5 %": _with_margin(picture, "white"),
        "dark margin of 5 %": _with_margin(picture, "#202024"),
        "cropped by 10 %, left": picture.crop((x, 0, width, height)),
        "cropped by 10 %, right": picture.crop((0, 0, width - x, height)),
        "cropped by 10 %, top": picture.crop((0, y, width, height)),
        "cropped by 10 %, bottom": picture.crop((0, 0, width, height - y)),
        "cropped by 10 %, each side": picture.crop((x, y, width - x, height - y)),
        "cropped by 10 %, centred": picture.crop((x // 2, y // 2, width - x // 2, height - y // 2)),
        "cropped by 7 %, top": picture.crop((0, round(0.07 * height), width, height)),
        "cropped by 20 %, each side": picture.crop((2 * x, 2 * y, width - 2 * x, height - 2 * y)),
        "half, margin and JPEG": _as_jpeg(_with_margin(picture.resize(half), "white")),
        "on a page": _on_page(picture),
    }


def _as_jpeg(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=60)
    return Image.open(buffer).convert("RGB")


def _with_margin(picture: Image.Image, colour: str) -> Image.Image:
    x, y = round(MARGIN * picture.width), round(MARGIN * picture.height)
    framed = Image.new("RGB", (picture.width + 2 * x, picture.height + 2 * y), colour)
    framed.paste(picture, (x, y))
    return framed


def _on_page(picture: Image.Image) -> Image.Image:
    """A screenshot with lines of text above and below, as of a part of a page."""
    width, height = picture.size
    page = Image.new("RGB", (width, 2 * height), "white")
    pixels = np.asarray(page).copy()
    for top in (
        *range(10, height // 2 - 20, 16),
        *range(height * 3 // 2 + 20, 2 * height - 10, 16),
    ):
        pixels[top : top + 6, 20 : width - 20 : 3] = 40
    page = Image.fromarray(pixels)
    page.paste(picture, (0, height // 2))
    return page


def _ingest(services: Services) -> None:
    shared = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared")) / "corpus"
    folder = shared if shared.is_dir() else ROOT / "sample_data"
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".pdf", ".html"}):
        admitted = services.pipeline.admit(path.name, path.read_bytes(), asset_dir=path.parent)
        services.pipeline.run(admitted.document.id)


def _figures(services: Services) -> dict[str, str]:
    """SHA-256 of the figures of PDFs, with their documents."""
    names = {d.id: d.name for d in services.documents() if d.name.endswith(".pdf")}
    runs = [services.library.documents.run_of(id_) for id_ in names]
    items = [i for run in runs if run for i in services.library.items.of_run(run, ("figure",))]
    return {i.image_sha256: names[i.document_id] for i in items if i.image_sha256}


def _print_first_hits(services: Services, figures: Mapping[str, str]) -> None:
    scope = Scope(workspace=services.workspace)
    first: dict[str, list[bool]] = {}
    times: list[float] = []
    for sha256 in figures:
        picture = open_rgb(services.picture_path(sha256))
        for name, edited in edits(picture).items():
            started = time.perf_counter()
            hits = services.search("", picture=edited, scope=scope).hits
            times.append(1000 * (time.perf_counter() - started))
            first.setdefault(name, []).append(_is_first(hits, sha256))
    print(f"{len(figures)} figures of {len(set(figures.values()))} PDFs; first hit, by edit:")
    for name, found in first.items():
        print(f"  {name:28} {sum(found)}/{len(found)}")
    print(f"  a whole question: median {statistics.median(times):.0f} ms")


def _is_first(hits: tuple[Hit, ...], sha256: str) -> bool:
    return bool(hits) and hits[0].item.image_sha256 == sha256


def _print_distances(services: Services) -> None:
    pictures = services.library.pictures.points(
        services.workspace, services.library.pictures.hashes(METHOD)
    )
    names = sorted({sha256 for _, sha256 in pictures})
    opened = [open_rgb(services.picture_path(name)) for name in names]
    stored = [hash_stored(picture) for picture in opened]
    nearest, all_bits = [], []
    for i, picture in enumerate(opened):
        asked = hash_question(picture)
        bits = [
            int(distances(asked, other, first_most=FAR).min())
            for j, other in enumerate(stored)
            if j != i and len(asked) and len(other)
        ]
        all_bits += bits
        nearest.append(min(bits))
    print(f"{len(names)} pictures, bits of 255 between different ones:")
    print(f"  mean {np.mean(all_bits):.1f}, deviation {np.std(all_bits):.1f}")
    shares = {share: np.percentile(nearest, share) for share in (0, 1, 5, 25, 50)}
    print("  nearest other, percentiles:", {k: round(float(v)) for k, v in shares.items()})
    print(f"  pictures with another within {MOST_BITS}: {sum(n <= MOST_BITS for n in nearest)}")


def _print_speed() -> None:
    rng = np.random.default_rng(7)
    rows = MANY * HASHES_EACH
    stored = np.asfortranarray(rng.integers(0, 2**64, (rows, WORDS), dtype=np.uint64))
    for count in (1, 2, 3):
        asked = rng.integers(0, 2**64, (count, WORDS), dtype=np.uint64)
        times = []
        for _ in range(50):
            started = time.perf_counter()
            distances(asked, stored)
            times.append(1000 * (time.perf_counter() - started))
        print(
            f"{MANY} pictures, {rows} hashes, {count} asked: median {statistics.median(times):.1f} "
            f"ms, best {min(times):.1f} ms"
        )


if __name__ == "__main__":
    main()
