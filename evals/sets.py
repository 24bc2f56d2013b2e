"""A folder of labelled questions to a set that can be measured. Knows both layouts, no library.

beir: `corpus.jsonl`, `queries.jsonl`, `qrels.tsv`; the answer is a document.
pages: `questions.jsonl` over PDFs and web pages; the answer is a page (or, where a format
has no pages, the passage that holds given words).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rag.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rag.types import Region

SetKind = Literal["beir", "pages"]
UNANSWERABLE = "unanswerable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One labelled question."""

    id: str
    text: str
    kind: str = ""  # text, table, figure, mixed, unanswerable, …; "" in a beir set
    document: str | None = None  # file name; None: asked of the whole collection
    relevant: Mapping[str, int] = field(default_factory=dict)  # place -> grade; see `place`
    regions: tuple[Region, ...] = ()  # gold boxes
    words: str = ""  # of the answer's passage, where the format has no pages

    @property
    def is_answerable(self) -> bool:
        return self.kind != UNANSWERABLE

    @property
    def is_ranked(self) -> bool:
        """Whether there is a place to look for, so that recall and the like are defined."""
        return self.is_answerable and any(grade > 0 for grade in self.relevant.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One document of a beir set."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSet:
    """Questions and what they are asked of."""

    name: str
    kind: SetKind
    questions: tuple[Question, ...]
    passages: tuple[Passage, ...] = ()  # beir
    files: tuple[Path, ...] = ()  # pages
    missing: tuple[str, ...] = ()  # documents that questions name and that are not there
    notes: tuple[str, ...] = ()  # what could not be used, one sentence each


def place(document: str, page_number: int | None) -> str:
    """The name of a page, as relevance labels and rankings write it."""
    return document if page_number is None else f"{document}#{page_number}"


ANSWER_WORDS = "answer"  # the place of any passage that holds the words of the answer


def read_set(folder: Path, documents: Path | None = None) -> LabelledSet:
    """The labelled set in a folder.

    Args:
        folder: In one of the two layouts.
        documents: Where the files of a pages set lie, when not in `pdfs/` or beside
            `questions.jsonl`.

    Raises:
        ConfigError: It is no such folder, or the labels are broken; one sentence.
    """
    from evals.sets_beir import read_beir
    from evals.sets_pages import read_pages

    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder}.")
    if (folder / "questions.jsonl").is_file():
        return _checked(read_pages(folder, documents), folder / "questions.jsonl")
    if documents is not None:
        raise ConfigError("--pdfs is for sets with a questions.jsonl; this folder has none.")
    if (folder / "corpus.jsonl").is_file():
        return _checked(read_beir(folder), folder / "qrels.tsv")
    raise ConfigError(
        f"{folder} is no labelled set: it holds neither questions.jsonl (questions over PDFs) "
        "nor corpus.jsonl, queries.jsonl and qrels.tsv."
    )


def _checked(found: LabelledSet, labels: Path) -> LabelledSet:
    if not any(question.is_ranked for question in found.questions):
        if found.missing:
            names = ", ".join(found.missing[:3])
            raise ConfigError(
                f"None of the documents that {labels.name} asks about is there (such as {names}). "
                "Put them into pdfs/ beside it, or name their folder with --pdfs."
            )
        raise ConfigError(f"{labels} holds no question with a known answer, so nothing to measure.")
    return found
