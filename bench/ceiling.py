"""Extraction ceiling: the share of figures and tables that some extracted picture shows.

Run: python bench/ceiling.py [--all]
Reads evaldata and corpus of the folder that FOLIO_SHARED names, or ../shared beside the
checkout. What is not extracted can never be found, so this bounds every figure question.
Below it, pages counted by hand: figures found as one, captions, and what was taken for a
figure and is none; `--all` names each fault. Boxes in hand_counted.jsonl were taken by eye
from the drawn pages. Those in counted_figures.jsonl (figures of eight papers and reports)
were drawn from what Folio found, looked at and put right where wrong: there the counts are
a measurement, the overlap is not.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxscore import Box, Counted, Found, Tally, count_page, fits, is_large, shows

from ingest.boxes import area
from ingest.pdf import PdfReader, parse_pages
from rag.settings import IngestSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared"))
PAPERS = SHARED / "evaldata" / "mmlongbench_dev" / "pdfs"
COUNTED = Path(__file__).with_name("hand_counted.jsonl")  # figures and tables
COUNTED_FIGURES = Path(__file__).with_name("counted_figures.jsonl")
WHOLE_PAGE_SHARE = 0.85
PICTURES = ("figure", "table", "page")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """A labelled box; one that two questions ask about counts twice."""

    doc: str
    page: int
    bbox: Box


def read_gold(kind: str) -> dict[str, list[Gold]]:
    """The boxes of questions of one kind, whole-page ones left out, by set."""
    mmlongbench = [
        Gold(doc=row["doc"], page=region["page"], bbox=tuple(region["bbox"]))
        for row in _rows(SHARED / "evaldata" / "mmlongbench_dev" / "questions.jsonl")
        if row["kind"] == kind
        for region in row["regions"]
        if area(tuple(region["bbox"]))
        < WHOLE_PAGE_SHARE * region["page_size"][0] * region["page_size"][1]
    ]
    own = [
        Gold(doc=row["doc"], page=row["page"], bbox=tuple(row["region"]))
        for row in _rows(SHARED / "evaldata" / "figures_dev" / "questions.jsonl")
        if row["kind"] == kind
    ]
    return {"mmlongbench_dev": mmlongbench, "figures_dev": own, "pooled": [*mmlongbench, *own]}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, path.read_text("utf-8").splitlines())


@cache
def raster(doc: str, page: int) -> list[Box]:
    """Images placed on the page, as `get_image_info` has them."""
    import pymupdf

    with pymupdf.open(PAPERS / doc) as document:
        return [tuple(info["bbox"]) for info in document[page - 1].get_image_info()]


@cache
def drawn(doc: str, page: int) -> list[Box]:
    """Clusters of vector drawings."""
    import pymupdf

    with pymupdf.open(PAPERS / doc) as document:
        return [tuple(box) for box in document[page - 1].cluster_drawings()]


def both(doc: str, page: int) -> list[Box]:
    """The library's two calls."""
    return [*raster(doc, page), *drawn(doc, page)]


@cache
def folio(doc: str, page: int) -> list[Box]:
    """What Folio keeps with a picture."""
    with closing(PdfReader(PAPERS / doc, name=doc, limits=IngestSettings())) as reader:
        parsed = list(reader.stages(page, plain=False))[-1]
    return [part.regions[0].bbox for part in parsed.parts if part.image_png and part.regions]


WAYS: dict[str, Callable[[str, int], list[Box]]] = {
    "raster images only": raster,
    "drawing clusters only": drawn,
    "both": both,
    "Folio": folio,
}


def print_ceiling(kind: str) -> None:
    """One line a way: loose, and in brackets strict."""
    golds = read_gold(kind)
    print(f"{kind} boxes" + "".join(f"  {name} ({len(some)})" for name, some in golds.items()))
    for name, way in WAYS.items():
        cells = [_cell(way, some) for some in golds.values()]
        boxes = len({(g.doc, g.page) for g in golds["pooled"]})
        made = sum(
            len([b for b in way(*at) if is_large(b)])
            for at in {(g.doc, g.page) for g in golds["pooled"]}
        )
        shares = "".join(f"  {cell:>20}" for cell in cells)
        print(f"  {name:22}{shares}  {made / boxes:.1f} boxes a page")


def _cell(way: Callable[[str, int], list[Box]], golds: list[Gold]) -> str:
    loose = strict = 0
    for gold in golds:
        boxes = [box for box in way(gold.doc, gold.page) if is_large(box)]
        loose += any(shows(box, gold.bbox) for box in boxes)
        strict += any(fits(box, gold.bbox) for box in boxes)
    return f"{loose / len(golds):.2f} ({strict / len(golds):.2f})"


def print_misses(kind: str) -> None:
    """Boxes that Folio misses by the strict measure."""
    for gold in read_gold(kind)["pooled"]:
        boxes = [box for box in folio(gold.doc, gold.page) if is_large(box)]
        if not any(fits(box, gold.bbox) for box in boxes):
            how = "loose only" if any(shows(box, gold.bbox) for box in boxes) else "missed"
            print(f"  {how}: {gold.doc} p{gold.page} {gold.bbox}")


def read_counted(path: Path) -> dict[str, dict[int, list[Counted]]]:
    """By file and page; pages counted without a find have an empty list."""
    counted: dict[str, dict[int, list[Counted]]] = {}
    for row in _rows(path):
        if "pages" in row:
            first, last = row["pages"]
            counted[row["doc"]] = {page: [] for page in range(first, last + 1)}
            continue
        doc, page = row.pop("doc"), row.pop("page")
        counted[doc][page].append(Counted(**(row | {"bbox": tuple(row["bbox"])})))
    return counted


def find_file(name: str) -> Path:
    """A file of the corpus or of the labelled set."""
    return next(p for p in (SHARED / "corpus" / "pdf" / name, PAPERS / name) if p.is_file())


def count_file(name: str, pages: dict[int, list[Counted]], kind: str) -> Tally:
    """Figures, or tables, of the counted pages of one file."""
    tally = Tally()
    for parsed in _parsed(name):
        if parsed.page_number not in pages:
            continue
        found = [
            Found(kind=p.kind, bbox=p.regions[0].bbox, number=p.number, caption=p.caption)
            for p in parsed.parts
            if p.kind in PICTURES and p.image_png
        ]
        true = pages[parsed.page_number]
        count_page(true, found, kind, tally, f"{name} p{parsed.page_number}")
    return tally


@cache
def _parsed(name: str) -> list[Any]:
    path = find_file(name)
    return list(parse_pages(path, name=name, limits=IngestSettings()))


def print_counted(*, is_long: bool) -> None:
    """Figures and tables of the counted pages, file by file."""
    print(
        f"\npages counted by hand\n  {'file':34} {'true':>5} {'as one':>7} {'parts each':>11} "
        f"{'captions':>9} {'right':>6} {'false':>6}"
    )
    counted = read_counted(COUNTED)
    for kind, files in (("figure", counted | read_counted(COUNTED_FIGURES)), ("table", counted)):
        total = Tally()
        for name, pages in files.items():
            tally = count_file(name, pages, kind)
            _print_tally(f"{name[:24]} {kind}s", tally)
            total.add(tally)
        _print_tally(f"all {kind}s", total)
        for miss in total.misses if is_long else ():
            print(f"    {miss}")


def _print_tally(name: str, tally: Tally) -> None:
    print(
        f"  {name:34} {tally.true:5} {tally.whole:7} {tally.parts / max(tally.found, 1):11.2f} "
        f"{tally.captions:9} {tally.right_captions:6} {tally.false:6}"
    )


def main() -> None:
    is_long = "--all" in sys.argv[1:]
    print("share of labelled boxes that an extracted picture shows; in brackets IoU >= 0.5")
    for kind in ("figure", "table"):
        print_ceiling(kind)
        if is_long:
            print_misses(kind)
    print_counted(is_long=is_long)


if __name__ == "__main__":
    main()
