"""Boxes and table grids of a page from pymupdf's layout model. Knows pymupdf4llm's JSON only here.

Checked with pymupdf 2.0: `to_json(doc, use_ocr=False, pages=[n])` removes the page's
rotation in memory, so its boxes are those of the page as displayed.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.characters import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pymupdf

    from rag.types import BBox

Grid = tuple[tuple[str, ...], ...]
Cells = tuple[tuple["BBox | None", ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutBox:
    """A box the model saw; `kind` is its class: title, section-header, text, picture, ..."""

    kind: str
    bbox: BBox  # points
    grid: Grid = ()  # tables: rows of cells, as extracted
    cells: Cells = ()  # their boxes


def load_layout_model() -> None:
    """Import the model; about half a second, and once a process.

    onnxruntime starts a thread for every processor it may use and ignores
    OMP_NUM_THREADS, so the process is held to one processor while the model loads.
    """
    with _one_processor():
        import pymupdf4llm  # noqa: F401


def read_layout(document: pymupdf.Document, page_index: int) -> list[LayoutBox]:
    """The boxes of one page in reading order; `page_index` counts from 0."""
    import pymupdf4llm

    # use_ocr defaults to True and takes any engine it finds.
    found = json.loads(pymupdf4llm.to_json(document, use_ocr=False, pages=[page_index]))
    return [_box(raw) for raw in found["pages"][0]["boxes"]]


def _box(raw: dict[str, Any]) -> LayoutBox:
    table = raw.get("table") or {}
    grid, cells = table.get("extract") or (), table.get("cells") or ()
    return LayoutBox(
        kind=raw["boxclass"],
        bbox=(float(raw["x0"]), float(raw["y0"]), float(raw["x1"]), float(raw["y1"])),
        grid=tuple(tuple(clean_text(cell or "") for cell in row) for row in grid),
        cells=tuple(tuple(tuple(cell) if cell else None for cell in row) for row in cells),
    )


@contextlib.contextmanager
def _one_processor() -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):  # macOS, Windows
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
