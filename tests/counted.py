"""Real PDFs whose figures and tables were counted by hand; each is parsed once for all workers.

The counts are in bench/hand_counted.jsonl, boxes taken by eye from the drawn pages.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.parts import ParsedPage
from ingest.pdf import parse_pages
from rag.settings import IngestSettings

ROWS: list[dict[str, Any]] = [
    json.loads(row)
    for row in (Path(__file__).resolve().parent.parent / "bench" / "hand_counted.jsonl")
    .read_text("utf-8")
    .splitlines()
]
FILES = {row["doc"]: row["pages"] for row in ROWS if "pages" in row}

CountedPages = Callable[[str], dict[int, ParsedPage]]  # by name of the file, then by number


def parse_counted(path: Path, target: Path) -> None:
    """Parse the counted pages of a file and keep them at `target`."""
    first, last = FILES[path.name]
    pages = parse_pages(path, first, name=path.name, limits=IngestSettings())
    by_number = {first + at: page for at, page in zip(range(last - first + 1), pages, strict=False)}
    target.write_bytes(pickle.dumps(by_number))


def read_counted(target: Path) -> dict[int, ParsedPage]:
    """What `parse_counted` kept; our own file of the same run."""
    pages: dict[int, ParsedPage] = pickle.loads(target.read_bytes())
    return pages
