"""Words marked in the drawer: how many quotes are found, and is it the quote that is marked.

Run: python bench/marked_words.py [PDF ...]
Reads `sample_data` and the PDFs of `corpus/pdf` in the folder that FOLIO_SHARED names, or in
../shared beside the checkout. Every sentence of every passage, and every row of every table,
is looked for as a quote would be. What is marked is read back from the page by its boxes
alone and compared with the quote; the baseline is the framed region without marks.
"""

from __future__ import annotations

import difflib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.child import Session, Task, parse_in_child
from ingest.chunk import Draft, chunk_parts
from ingest.pagewords import PageWord
from ingest.parts import ParsedPage
from rag.errors import DocumentError
from rag.sentences import split_sentences
from rag.settings import IngestSettings
from rag.types import BBox
from ui.quoted_words import find_on_pages, fold

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared"))
SKIPPED = ("password-example.pdf",)
MIN_LETTERS = 12  # of a quote
MAX_PAGES = 40


@dataclass(slots=True)
class Counts:
    """Of one document or kind."""

    quotes: int = 0
    marked: int = 0
    whole: int = 0
    milliseconds: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)  # share of the marked letters in the quote
    framed: list[float] = field(default_factory=list)  # the same of the framed region
    misses: list[str] = field(default_factory=list)


def measure(path: Path, counts: dict[str, Counts]) -> None:
    """Look for every quote of a document."""
    limits = IngestSettings()
    events = parse_in_child(path, "pdf", name=path.name, limits=limits)
    pages = [event for event in events if isinstance(event, ParsedPage)][:MAX_PAGES]
    task = Task(path=path, media_type="pdf", name=path.name, limits=limits, purpose="draw")
    words: dict[int, list[PageWord]] = {}
    with Session(task) as session:
        for page in pages:
            if page.page_number is not None:
                words[page.page_number] = session.words(page.page_number)
    for draft in chunk_parts(pages, title=""):
        if draft.kind in ("text", "table"):
            for quote in _quotes(draft):
                _look(quote, draft, words, counts[draft.kind])


def _quotes(draft: Draft) -> Iterator[str]:
    for quote in split_sentences(draft.text):
        if len(fold(quote)) >= MIN_LETTERS:
            yield quote


def _look(quote: str, draft: Draft, words: dict[int, list[PageWord]], counts: Counts) -> None:
    pages = {region.page_number: words.get(region.page_number, []) for region in draft.regions}
    start = time.perf_counter()
    found = find_on_pages(quote, pages, draft.regions)
    counts.milliseconds.append((time.perf_counter() - start) * 1000)
    counts.quotes += 1
    framed = [(region.page_number, region.bbox) for region in draft.regions]
    counts.framed.append(_share(quote, _read_back(words, framed)))
    if not found.boxes:
        counts.misses.append(quote)
        return
    counts.marked += 1
    counts.whole += found.share == 1.0
    boxes = [(number, box) for number, boxes in found.boxes.items() for box in boxes]
    counts.right.append(_share(quote, _read_back(words, boxes)))


def _read_back(words: dict[int, list[PageWord]], boxes: list[tuple[int, BBox]]) -> str:
    """Words whose middle lies in a box, box by box."""
    return fold(
        " ".join(
            text
            for number, (x0, y0, x1, y1) in boxes
            for text, box in words.get(number, [])
            if x0 <= (box[0] + box[2]) / 2 <= x1 and y0 <= (box[1] + box[3]) / 2 <= y1
        )
    )


def _share(quote: str, seen: str) -> float:
    """Share of the letters seen that are the quote's, in its order."""
    blocks = difflib.SequenceMatcher(None, fold(quote), seen, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size > 1) / max(1, len(seen))


def main() -> None:
    """Print a line a document and kind."""
    given = [Path(name) for name in sys.argv[1:]]
    corpus = sorted((SHARED / "corpus" / "pdf").glob("*.pdf"))
    total = {"text": Counts(), "table": Counts()}
    for path in given or [*sorted((ROOT / "sample_data").glob("*.pdf")), *corpus]:
        if path.name in SKIPPED:
            continue
        counts = {"text": Counts(), "table": Counts()}
        try:
            measure(path, counts)
        except DocumentError as error:
            sys.stdout.write(f"{path.name}: {error}\n")
            continue
        for kind, found in counts.items():
            _print(f"{path.name} {kind}", found)
            for name in ("quotes", "marked", "whole"):
                setattr(total[kind], name, getattr(total[kind], name) + getattr(found, name))
            for name in ("milliseconds", "right", "framed"):
                getattr(total[kind], name).extend(getattr(found, name))
    for kind, found in total.items():
        _print(f"all {kind}", found)


def _print(name: str, counts: Counts) -> None:
    if not counts.quotes:
        return
    right = sum(counts.right) / max(1, len(counts.right))
    framed = sum(counts.framed) / len(counts.framed)
    exact = sum(share > 0.995 for share in counts.right) / max(1, len(counts.right))
    slowest = max(counts.milliseconds)
    sys.stdout.write(
        f"{name}: {counts.quotes} quotes, marked {counts.marked / counts.quotes:.3f}, "
        f"whole {counts.whole / counts.quotes:.3f}; of the marked letters {right:.3f} are the "
        f"quote's (all of them in {exact:.3f}), of the framed {framed:.3f}; "
        f"slowest {slowest:.0f} ms\n"
    )
    if "-v" in os.environ.get("MARKED_WORDS", ""):
        for quote in counts.misses:
            sys.stdout.write(f"   - {quote[:160]!r}\n")


if __name__ == "__main__":
    main()
