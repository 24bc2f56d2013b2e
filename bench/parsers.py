"""One parser over some files, in this process: what it read, how fast, for `parsing.py`.

Run by `parsing.py` as: python bench/parsers.py PARSER FILE.json FILE.pdf...
Every parser runs at the niceness that Folio's child gives itself. Text of each page and
rows of each table go to FILE.json, with the seconds until the first document was open,
and the wall and CPU seconds of reading from there.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    import pymupdf

NICENESS = 5
Page = dict[str, Any]  # text: str, rows: list of rows of cells
Read = dict[str, list[Page]]


class Clock:
    """Wall and CPU seconds of reading, children of this process included, starting left out."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0

    def time(self, pages: Iterator[Page]) -> list[Page]:
        """All pages of a document that is open."""
        wall, before = time.perf_counter(), _cpu_s()
        after: dict[int, float] = {}
        found = []
        for page in pages:
            found.append(page)
            after |= _cpu_s()  # page by page: a child that ends takes its count with it
        self.cpu_s += sum(after.values()) - sum(before.values())
        self.wall_s += time.perf_counter() - wall
        return found


def _cpu_s() -> dict[int, float]:
    """CPU seconds of this process and its children, by process id."""
    import psutil

    own = psutil.Process()
    spent = {}
    for process in (own, *own.children()):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent[process.pid] = times.user + times.system
    return spent


def plain(paths: list[Path], clock: Clock) -> Read:
    """`get_text` of PyMuPDF, and nothing else."""
    import pymupdf

    read = {}
    for path in paths:
        with pymupdf.open(path) as document:
            pages = ({"text": page.get_text(), "rows": []} for page in document)
            read[path.name] = clock.time(pages)
    return read


def to_markdown_alone(paths: list[Path], clock: Clock) -> Read:
    """The same on one processor, as Folio's CPU seconds are to be compared."""
    import onnxruntime

    class OneThread(onnxruntime.SessionOptions):
        """By itself it takes a thread for every processor, past affinity."""

        def __init__(self) -> None:
            super().__init__()
            self.intra_op_num_threads = 1

    onnxruntime.SessionOptions = OneThread
    return to_markdown(paths, clock)


def to_markdown(paths: list[Path], clock: Clock) -> Read:
    """`pymupdf4llm.to_markdown` with its defaults, OCR off."""
    import pymupdf
    import pymupdf4llm

    read = {}
    for path in paths:
        with pymupdf.open(path) as document:
            read[path.name] = clock.time(_markdown_pages(pymupdf4llm, document))
    return read


def _markdown_pages(library: ModuleType, document: pymupdf.Document) -> Iterator[Page]:
    for chunk in library.to_markdown(document, use_ocr=False, page_chunks=True):
        yield _from_markdown(chunk["text"])


def pdfplumber_text(paths: list[Path], clock: Clock) -> Read:
    """Text and tables as pdfplumber finds them by default."""
    import pdfplumber

    read = {}
    for path in paths:
        with pdfplumber.open(path) as document:
            pages = (
                {
                    "text": page.extract_text(),
                    "rows": [row for table in page.extract_tables() for row in table],
                }
                for page in document.pages
            )
            read[path.name] = clock.time(pages)
    return read


def folio(paths: list[Path], clock: Clock, processes: int) -> Read:
    """The way of `folio add`: a child that draws every figure and table as well."""
    from ingest.child import parse_in_child
    from rag.settings import IngestSettings

    read = {}
    limits = IngestSettings(processes=processes)
    for path in paths:
        events = parse_in_child(path, "pdf", name=path.name, limits=limits)
        next(events)  # the child has started and opened the file
        read[path.name] = clock.time(
            _from_markdown("\n\n".join(part.text for part in page.parts)) for page in events
        )
    return read


def _from_markdown(text: str) -> Page:
    rows = [line for line in text.splitlines() if line.strip().startswith("|")]
    return {"text": text, "rows": [row.strip().strip("|").split("|") for row in rows]}


PARSERS: dict[str, Callable[[list[Path], Clock], Read]] = {
    "to_markdown, 1 thread": to_markdown_alone,
    "to_markdown": to_markdown,
    "get_text": plain,
    "pdfplumber": pdfplumber_text,
    "Folio, 1 process": lambda paths, clock: folio(paths, clock, 1),
    "Folio, 2 processes": lambda paths, clock: folio(paths, clock, 2),
}


def main() -> None:
    if len(sys.argv) == 1:
        return  # `make bench` runs every file; this one is started by parsing.py
    name, out, *paths = sys.argv[1:]
    if hasattr(os, "nice") and not name.startswith("Folio"):
        os.nice(NICENESS)
    clock = Clock()
    begin = time.perf_counter()
    pages = PARSERS[name]([Path(path) for path in paths], clock)
    result = {
        "wall_s": clock.wall_s,
        "cpu_s": clock.cpu_s,
        "start_s": time.perf_counter() - begin - clock.wall_s,
        "pages": pages,
    }
    Path(out).write_text(json.dumps(result), "utf-8")


if __name__ == "__main__":
    main()
