"""Questions to try, made from what is in the library: a text, a figure, a table, a picture.

Each is made from one item. Once the model is loaded, only those are offered whose search
finds that very item first; that is looked up beside the page, never by it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from evals.cells import cells_of
from evals.phrases import without_numbering
from rag.errors import RagError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from PIL import Image

    from rag.library import Library
    from rag.types import Document, Item, Retrieval

logger = logging.getLogger(__name__)

SuggestionKind = Literal["text", "figure", "table", "unanswerable", "picture"]
KINDS: tuple[SuggestionKind, ...] = ("text", "figure", "table", "unanswerable", "picture")
BY_PICTURE = "Which page is this picture from?"
MAX_DOCUMENTS = 5  # looked into, the newest first
MAX_TRIED = 6  # candidates of one kind whose search is tried
MAX_CAPTION, MAX_HEADING, MAX_CELL = 90, 70, 40  # characters
MIN_LETTERS, MIN_WORDS, MIN_PASSAGE = 8, 2, 120
# Sections of papers that say nothing about the paper.
_EMPTY_HEADINGS = frozenset(
    ["introduction", "references", "conclusion", "abstract", "contents", "acknowledgements"]
)
_NUMBER = re.compile(r"^\s*(?:figure|fig\.?|table|chart)\s*[\w.-]*\d[\w.-]*\s*[.:–—-]?\s*", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A question to try, and the item that it was made from."""

    kind: SuggestionKind
    question: str
    picture_sha256: str | None = None  # a stored picture that is asked about
    item_id: UUID | None = None  # None for those that were written for the sample


class Suggestions:
    """Questions for the library as it is, kept until that changes. Safe between threads.

    Args:
        library: What there is.
        workspace: Whose.
        sample_dir: Where the questions of the sample stand.
        search: Finds hits for a question and a picture.
        picture: Opens a stored picture.
        is_warm: Whether searching is quick by now.
    """

    def __init__(
        self,
        library: Library,
        workspace: str,
        sample_dir: Path,
        *,
        search: Callable[..., Retrieval],
        picture: Callable[[str], Image.Image],
        is_warm: Callable[[], bool],
    ) -> None:
        self._library = library
        self._workspace = workspace
        self._sample_dir = sample_dir
        self._search = search
        self._picture = picture
        self._is_warm = is_warm
        self._lock = threading.Lock()
        self._known: tuple[int, bool, list[Suggestion]] | None = None
        self._thread: threading.Thread | None = None

    def get(self) -> list[Suggestion]:
        """Up to one of each kind; unchecked ones until checked ones are there."""
        now = self._library.database.generation()
        known = self._known
        if known is not None and known[0] == now and (known[1] or not self._is_warm()):
            return known[2]
        quick = suggest(self._library, self._workspace, self._sample_dir)
        self._known = (now, False, quick)
        if self._is_warm():
            self._start(now)
        return quick

    def first_hit(self, made: Suggestion) -> UUID | None:
        """The item that a search for a suggestion finds first."""
        picture = self._picture(made.picture_sha256) if made.picture_sha256 else None
        hits = self._search(made.question, top_k=1, picture=picture).hits
        return hits[0].item.id if hits else None

    def wait(self, timeout_s: float) -> None:
        """Until those under way are checked, or so long."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _start(self, generation: int) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = threading.Thread(
                target=self._check, args=(generation,), name="suggestions", daemon=True
            )
            self._thread.start()

    def _check(self, generation: int) -> None:
        try:
            found = suggest(
                self._library, self._workspace, self._sample_dir, is_found=self._is_found
            )
        except RagError as error:  # the index is closed or refused: nothing is lost
            logger.info("suggestions not checked: %s", error)
            return
        self._known = (generation, True, found)

    def _is_found(self, made: Suggestion) -> bool:
        return self.first_hit(made) == made.item_id


def suggest(
    library: Library,
    workspace: str,
    sample_dir: Path,
    is_found: Callable[[Suggestion], bool] = lambda _made: True,
) -> list[Suggestion]:
    """One question of each kind: about what somebody added, else of the sample set.

    Args:
        library: What there is.
        workspace: Whose.
        sample_dir: Where the questions of the sample stand.
        is_found: Whether a search for it finds the item it was made from.
    """
    ready = [d for d in library.documents.all(workspace) if d.state == "ready"]
    sample = _sample_questions(sample_dir / "questions.jsonl", {d.name for d in ready})
    of_sample = {path.name for path in sample_dir.glob("*")} if sample else set()
    own = [d for d in ready if d.name not in of_sample]
    chosen: dict[SuggestionKind, Suggestion] = {}
    for documents in (own, ready if not sample else ()):
        for kind, made in _made(library, documents, is_found).items():
            chosen.setdefault(kind, made)
    for kind, made in sample.items():
        chosen.setdefault(kind, made)
    if "picture" not in chosen:
        chosen |= _made(library, ready, is_found, ("picture",))
    return [chosen[kind] for kind in KINDS if kind in chosen]


def _sample_questions(path: Path, names: set[str]) -> dict[SuggestionKind, Suggestion]:
    if not path.exists():
        return {}
    first: dict[SuggestionKind, Suggestion] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line) if line else {}
        if row.get("doc") in names and row["kind"] in KINDS:
            first.setdefault(row["kind"], Suggestion(kind=row["kind"], question=row["question"]))
    return first


def _made(
    library: Library,
    documents: Sequence[Document],
    is_found: Callable[[Suggestion], bool],
    kinds: Sequence[SuggestionKind] = ("text", "figure", "table", "picture"),
) -> dict[SuggestionKind, Suggestion]:
    """The first question of each kind that leads to its item."""
    tried: dict[SuggestionKind, int] = dict.fromkeys(kinds, 0)
    chosen: dict[SuggestionKind, Suggestion] = {}
    for document in documents[:MAX_DOCUMENTS]:
        for made in _candidates(document, _items(library, document)):
            kind = made.kind
            if kind not in tried or kind in chosen or tried[kind] >= MAX_TRIED:
                continue
            tried[kind] += 1
            if is_found(made):
                chosen[kind] = made
        if len(chosen) == len(tried):
            break
    return chosen


def _items(library: Library, document: Document) -> list[Item]:
    run = library.documents.run_of(document.id)
    if run is None:
        return []
    hidden = library.hidden.of_document(document.id)
    return [i for i in library.items.of_run(run, ("text", "table", "figure")) if i.id not in hidden]


def _candidates(document: Document, items: Sequence[Item]) -> Iterator[Suggestion]:
    makers: Mapping[str, Callable[[Document, Item], Iterator[Suggestion]]] = {
        "text": _about_text,
        "figure": _about_figure,
        "table": _about_table,
    }
    for item in items:
        yield from makers[item.kind](document, item)


def _about_text(document: Document, item: Item) -> Iterator[Suggestion]:
    heading = without_numbering(item.heading[-1]).strip(" .:#¶") if item.heading else ""
    says_enough = len(heading.split()) >= MIN_WORDS and len(heading) <= MAX_HEADING
    is_title = heading.casefold() == document.title.casefold()
    is_empty = heading.casefold() in _EMPTY_HEADINGS
    if says_enough and not is_title and not is_empty and len(item.text) >= MIN_PASSAGE:
        question = f"What is said about “{heading}”?"
        yield Suggestion(kind="text", question=question, item_id=item.id)


def _about_figure(_document: Document, item: Item) -> Iterator[Suggestion]:
    caption = " ".join(_NUMBER.sub("", item.caption).split()).rstrip(".")
    letters = sum(map(str.isalpha, caption))
    if letters >= MIN_LETTERS and len(caption) <= MAX_CAPTION:
        question = f"What is shown in “{caption}”?"
        yield Suggestion(kind="figure", question=question, item_id=item.id)
    if item.image_sha256 and item.caption:
        yield Suggestion(
            kind="picture",
            question=BY_PICTURE,
            picture_sha256=item.image_sha256,
            item_id=item.id,
        )


def _about_table(_document: Document, item: Item) -> Iterator[Suggestion]:
    for cell in cells_of(item.text)[:3]:
        names = (cell.row, cell.column)
        if all(2 < len(name) <= MAX_CELL and any(map(str.isalpha, name)) for name in names):
            question = f"What is given for {cell.row} under “{cell.column}”?"
            yield Suggestion(kind="table", question=question, item_id=item.id)
            return
