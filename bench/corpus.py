"""Chunks and pictures of real documents, for the other measurements; prints what there is.

Run: python bench/corpus.py
Reads the corpus that FOLIO_SHARED names, or ../shared beside the checkout; without it,
the sample documents.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.child import parse_in_child
from ingest.chunk import chunk_parts
from ingest.detect import detect_media_type
from ingest.parts import DocumentHead, ParsedPage
from rag.embed.minilm import minilm_folder
from rag.embed.tokens import load_tokenizer
from rag.errors import DocumentError
from rag.settings import IngestSettings
from rag.types import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tokenizers import Tokenizer

    from ingest.chunk import Draft

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared"))
PLAIN_BATCH = 32
ENDINGS = frozenset({".pdf", ".html"})


def read_drafts() -> list[Draft]:
    """Every item of every document, in the order in which they arrive."""
    shared = SHARED / "corpus"
    folder = shared if shared.is_dir() else ROOT / "sample_data"
    return [draft for _, drafts in read_documents((folder,)) for draft in drafts]


def read_documents(
    folders: Sequence[Path], endings: Collection[str] = ENDINGS
) -> Iterator[tuple[Path, list[Draft]]]:
    """Each PDF and web page under some folders with its items; those that are absent aside."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in endings:
                yield path, list(_drafts(path))


def _drafts(path: Path) -> Iterator[Draft]:
    media_type = detect_media_type(path.read_bytes(), path.name)
    try:
        events = parse_in_child(path, media_type, name=path.name, limits=IngestSettings())
        head = next(events)
        title = head.title if isinstance(head, DocumentHead) else ""
        pages = (event for event in events if isinstance(event, ParsedPage))
        yield from chunk_parts(pages, title=title or path.stem)
    except DocumentError:
        return  # one is there to be refused


def pick_texts(drafts: list[Draft], count: int) -> list[str]:
    """Runs of 32 neighbours, spread over the corpus: arrival order is what is measured."""
    texts = [draft.search_text for draft in drafts if draft.kind in WORDS]
    runs = [texts[at : at + PLAIN_BATCH] for at in range(0, len(texts), PLAIN_BATCH)]
    runs = [run for run in runs if len(run) == PLAIN_BATCH] or [texts]
    wanted = max(1, min(count // PLAIN_BATCH, len(runs)))
    return [text for at in range(wanted) for text in runs[at * len(runs) // wanted]]


def pick_pictures(drafts: list[Draft], count: int) -> list[bytes]:
    """PNG files of figures and tables, spread over the corpus."""
    found = [draft.image_png for draft in drafts if draft.image_png]
    wanted = min(count, len(found))
    return [found[at * len(found) // wanted] for at in range(wanted)]


def bert_tokenizer(cap: int) -> Tokenizer:
    """The uncased WordPiece that MiniLM and Nomic text share."""
    return load_tokenizer(minilm_folder() / "tokenizer.json", cap=cap)


def main() -> None:
    drafts = read_drafts()
    texts = pick_texts(drafts, len(drafts))
    lengths = [len(each.ids) for each in bert_tokenizer(2048).encode_batch(texts)]
    marks = ", ".join(f"{mark:.0f}" for mark in statistics.quantiles(lengths, n=4))
    print(f"{len(drafts)} items; {len(texts)} texts, tokens at the quartiles: {marks}")


if __name__ == "__main__":
    main()
