"""Parsers side by side on the same files: speed, memory, tables, reading order, figures.

Run: python bench/parsing.py [--full] [--rounds 1] [--memory]
Reads the corpus and mmlongbench_dev of the folder that FOLIO_SHARED names, or ../shared
beside the checkout; without it, the sample documents, for speed alone. Each parser runs in
a process of its own, in turns, OCR off in all. The ratios are to `to_markdown`. Speed
leaves out what a parser takes to start, which stands in a column of its own; memory is the
peak of the process and its children together, pages that they share counted twice.
`--full` reads every page and counts figures and captions; `--memory` also reads generated
files of 300 and 1,000 pages.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ceiling
import psutil
import pymupdf
from parsers import PARSERS
from parsing_truth import ORDERS, PAGES, ROWS

if TYPE_CHECKING:
    from rag.types import BBox

ROOT = Path(__file__).resolve().parent.parent
BASELINE = "to_markdown, 1 thread"
SAMPLE_S = 0.05
MEMORY_PAGES = (300, 1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One parser, once over all files."""

    wall_s: float
    cpu_s: float
    start_s: float
    peak_mb: float
    pages: dict[str, list[dict[str, Any]]]

    @property
    def page_count(self) -> int:
        return sum(len(pages) for pages in self.pages.values())


def run(parser: str, paths: list[Path]) -> Run:
    """In a fresh process, watched from outside for its memory."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "read.json"
        command = [sys.executable, str(ROOT / "bench" / "parsers.py"), parser, str(out)]
        process = subprocess.Popen(
            [*command, *map(str, paths)],
            env={**psutil.Process().environ(), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _resident_mb(process.pid))
            time.sleep(SAMPLE_S)
        if process.returncode:
            sys.exit(f"{parser} ended with {process.returncode}")
        return Run(**json.loads(out.read_text("utf-8")), peak_mb=peak)


def _resident_mb(pid: int) -> float:
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:  # it ended between two looks
        pass
    return total / 1e6


def pick_files(folder: Path, *, is_full: bool) -> tuple[list[Path], dict[str, tuple[int, ...]]]:
    """Files to read, and which page of the original each of their pages is."""
    if not ceiling.PAPERS.is_dir():
        return _whole(sorted((ROOT / "sample_data").rglob("*.pdf")))
    if is_full:
        corpus = sorted((ceiling.SHARED / "corpus" / "pdf").glob("*.pdf"))
        return _whole([p for p in corpus + sorted(ceiling.PAPERS.glob("*.pdf")) if _opens(p)])
    paths = []
    for name, numbers in PAGES.items():
        with pymupdf.open(ceiling.find_file(name)) as document:
            document.select([number - 1 for number in numbers])
            paths.append(folder / name)
            document.save(paths[-1], garbage=3)
    return paths, PAGES


def _whole(paths: list[Path]) -> tuple[list[Path], dict[str, tuple[int, ...]]]:
    numbers = {}
    for path in paths:
        with pymupdf.open(path) as document:
            numbers[path.name] = tuple(range(1, len(document) + 1))
    return paths, numbers


def _opens(path: Path) -> bool:
    with pymupdf.open(path) as document:
        return not document.needs_pass and "fuzzed" not in path.name


def print_speed(runs: dict[str, list[Run]]) -> None:
    """Medians over the rounds, and ratios of pages a second to the baseline."""
    print(f"{'':22}pages a s   x wall   CPU s a page   x CPU   start s   peak MB")
    base_wall, base_cpu = _seconds_a_page(runs[BASELINE])
    for name, some in runs.items():
        wall, cpu = _seconds_a_page(some)
        start = statistics.median(each.start_s for each in some)
        peak = max(each.peak_mb for each in some)
        print(
            f"{name:22}{1 / wall:9.2f}{base_wall / wall:9.2f}{cpu:15.3f}{base_cpu / cpu:8.2f}"
            f"{start:10.1f}{peak:10.0f}"
        )


def _seconds_a_page(runs: list[Run]) -> tuple[float, float]:
    wall = statistics.median(each.wall_s / each.page_count for each in runs)
    return wall, statistics.median(each.cpu_s / each.page_count for each in runs)


def print_words(runs: dict[str, list[Run]], numbers: dict[str, tuple[int, ...]]) -> None:
    """Cells in their place, probes found, and neighbouring probes in order."""
    cells = sum(len(row.cells) for row in ROWS)
    probes = sum(len(order.probes) for order in ORDERS)
    print(f"\n{'':22}cells of {cells}   probes of {probes}   in order of {probes - len(ORDERS)}")
    for name, some in runs.items():
        pages = some[0].pages
        right = sum(
            _right_cells(row.cells, _page(pages, numbers, row.doc, row.page)) for row in ROWS
        )
        found = ordered = 0
        for order in ORDERS:
            texts = [_page(pages, numbers, order.doc, n)["text"] for n in order.pages]
            places = [_folded(" ".join(texts)).find(_folded(probe)) for probe in order.probes]
            found += sum(place >= 0 for place in places)
            ordered += sum(0 <= one < other for one, other in pairwise(places))
        print(f"{name:22}{right:11}{found:13}{ordered:15}")


def _page(
    pages: dict[str, list[dict[str, Any]]], numbers: dict[str, tuple[int, ...]], doc: str, page: int
) -> dict[str, Any]:
    return pages[doc][numbers[doc].index(page)]


def _right_cells(wanted: tuple[str, ...], page: dict[str, Any]) -> int:
    """Of the row that holds the first cell, wherever its table begins, the best."""
    best = 0
    folded = [_folded(cell) for cell in wanted]
    for row in page["rows"]:
        cells = [_folded(cell or "") for cell in row]
        for at, cell in enumerate(cells):
            if cell == folded[0]:
                same = sum(a == b for a, b in zip(folded, cells[at:], strict=False))
                best = max(best, same)
    return best


def _folded(text: str) -> str:
    """Without Markdown's marks and the kinds of white space."""
    text = re.sub(r"<br\s*/?>|\\(?=\W)|[*`_]", " ", unicodedata.normalize("NFKC", text))
    return re.sub(r"\s", "", text.replace("\u00ad", ""))


@cache
def library_boxes(doc: str, page: int) -> list[BBox]:
    """Boxes that the library behind `to_markdown` takes for a picture or a table."""
    import pymupdf4llm

    with pymupdf.open(ceiling.PAPERS / doc) as document:
        found = json.loads(pymupdf4llm.to_json(document, use_ocr=False, pages=[page - 1]))
    boxes = found["pages"][0]["boxes"]
    kept = [box for box in boxes if box["boxclass"] in ("picture", "table")]
    return [(box["x0"], box["y0"], box["x1"], box["y1"]) for box in kept]


@cache
def plumber_boxes(doc: str, page: int) -> list[BBox]:
    """Images and tables of pdfplumber."""
    import pdfplumber

    with pdfplumber.open(ceiling.PAPERS / doc, pages=[page]) as document:
        (found,) = document.pages
        images = [(i["x0"], i["top"], i["x1"], i["bottom"]) for i in found.images]
        return [*images, *(table.bbox for table in found.find_tables())]


def print_figures(*, is_full: bool) -> None:
    """What can be found at all; in full also the pages counted by hand, minutes of work."""
    ceiling.WAYS |= {"pdfplumber": plumber_boxes, "to_markdown's boxes": library_boxes}
    print("\nshare of labelled boxes that an extracted picture shows; in brackets IoU >= 0.5")
    for kind in ("figure", "table") if is_full else ("figure",):
        ceiling.print_ceiling(kind)
    if is_full:
        ceiling.print_counted(is_long=False)


def print_memory() -> None:
    """Peak memory of one process over files that differ only in their number of pages."""
    print()
    peaks = []
    for count in MEMORY_PAGES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{count}.pdf"
            _write_pages(path, count)
            done = run("Folio, 1 process", [path])
        peaks.append(done.peak_mb)
        print(
            f"{count:5} pages: peak {done.peak_mb:.0f} MB, {count / done.wall_s:.1f} pages a second"
        )
    print(f"growth from {MEMORY_PAGES[0]} to {MEMORY_PAGES[-1]} pages: x{peaks[-1] / peaks[0]:.2f}")


def _write_pages(path: Path, count: int) -> None:
    words = "The station measured rain and wind on every day of the year. " * 12
    with pymupdf.open() as document:
        for number in range(1, count + 1):
            page = document.new_page()
            page.insert_text((72, 90), f"Section {number}", fontsize=18)
            page.insert_textbox((72, 110, 520, 400), words, fontsize=11)
            page.draw_rect((100, 430, 100 + number % 300 + 60, 600), fill=(0.2, 0.4, 0.7))
            page.draw_rect((80, 420, 500, 620), color=(0, 0, 0))
            page.insert_text((100, 640), f"Figure {number}: Rain in year {number}.", fontsize=10)
        document.save(path)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--full", action="store_true")
    options.add_argument("--memory", action="store_true")
    options.add_argument("--rounds", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths, numbers = pick_files(Path(folder), is_full=chosen.full)
        runs: dict[str, list[Run]] = {name: [] for name in PARSERS}
        for _ in range(chosen.rounds):
            for name, some in runs.items():
                some.append(run(name, paths))
    print(f"{runs[BASELINE][0].page_count} pages of {len(paths)} files, {chosen.rounds} rounds")
    print_speed(runs)
    if ceiling.PAPERS.is_dir():
        print_words(runs, numbers)
    if chosen.memory or chosen.full:
        print_memory()
    if ceiling.PAPERS.is_dir():
        print_figures(is_full=chosen.full)


if __name__ == "__main__":
    main()
