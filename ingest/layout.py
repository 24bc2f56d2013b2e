"""Boxes and table grids of a page from pymupdf's layout model. Knows pymupdf4llm only here.

Checked with pymupdf 2.0: `parse_document(doc, use_ocr=False, pages=[n])` removes the
page's rotation in memory, so its boxes are those of the page as displayed.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from ingest.characters import clean_text
from rag.types import BBox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pymupdf

Grid = tuple[tuple[str, ...], ...]
Cells = tuple[tuple[BBox | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutBox:
    """A box the model saw; `kind` is its class: title, section-header, text, picture, ..."""

    kind: str
    bbox: BBox  # points
    grid: Grid = ()  # tables: rows of cells, as extracted
    cells: Cells = ()  # their boxes


_BOXES: TypeAdapter[list[LayoutBox]] = TypeAdapter(list[LayoutBox])


def load_layout_model(threads: int) -> None:
    """Import the model; about half a second, once, in a process that does nothing else.

    Before pymupdf, which brings the model along with its own idea of threads and memory. Two
    threads take a seventh less time than one and find the same boxes, to the bit.
    """
    with _own_session_options(threads):
        import pymupdf4llm.helpers.document_layout as library

    # The lines of each box, which `read_layout` does not ask for: 5 % of the time.
    library.get_raw_lines = _no_lines


def _no_lines(*_: object, **__: object) -> list[object]:
    return []


def read_layout(document: pymupdf.Document, page_index: int) -> list[LayoutBox]:
    """The boxes of one page in reading order; `page_index` counts from 0."""
    from pymupdf4llm.helpers.document_layout import parse_document

    # What to_json does, without writing every word of the page to JSON and reading it back
    # (4 % of the time). use_ocr defaults to True and takes any engine it finds.
    found = parse_document(document, use_ocr=False, pages=[page_index])
    return [_box(vars(raw)) for raw in found.pages[0].boxes]


def boxes_to_wire(boxes: Sequence[LayoutBox]) -> list[dict[str, Any]]:
    """Boxes as JSON, to be handed to another reader of the same document."""
    return [asdict(box) for box in boxes]


def boxes_from_wire(raw: object) -> list[LayoutBox]:
    """The reverse of `boxes_to_wire`, checked.

    Raises:
        pydantic.ValidationError: A field is missing or of another type.
    """
    return _BOXES.validate_python(raw)


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
def _own_session_options(threads: int) -> Iterator[None]:
    """Sessions of few threads that keep their buffers, whatever the library asks for.

    onnxruntime 1.32 takes a thread for every processor, past OMP_NUM_THREADS and affinity,
    binds it there and lets it spin, so that two children wait for one another. The library
    gives buffers back after each page: 130 MB to map and zero, a sixth of the time. Kept,
    they are 0.15 GB more from the second page on, and no more after 36.
    """
    import onnxruntime

    class Options(onnxruntime.SessionOptions):  # type: ignore[misc]  # no type information
        def __init__(self) -> None:
            super().__init__()
            self.intra_op_num_threads = threads
            self.add_session_config_entry("session.intra_op.allow_spinning", "0")

        def __setattr__(self, name: str, value: object) -> None:
            if name != "enable_cpu_mem_arena":
                super().__setattr__(name, value)

    usual = onnxruntime.SessionOptions
    onnxruntime.SessionOptions = Options
    try:
        yield
    finally:
        onnxruntime.SessionOptions = usual
