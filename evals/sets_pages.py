"""Questions over PDFs and web pages: `questions.jsonl` and the files it names."""

from __future__ import annotations

import math
from pathlib import Path, PurePath
from typing import Any

from evals.jsonl import name_of, read_objects, words_of
from evals.sets import ANSWER_WORDS, UNANSWERABLE, LabelledSet, Question, place
from rag.errors import ConfigError
from rag.types import BBox, Region

READ_SUFFIXES = (".pdf", ".html", ".htm")


def read_pages(folder: Path, documents: Path | None = None) -> LabelledSet:
    """The set in `folder`.

    Its collection is what the questions name and every PDF and web page beside those;
    questions about a document that is not there are left out and told of.

    Args:
        folder: Holds `questions.jsonl`.
        documents: Where the files lie; None: `pdfs/`, else `folder` itself.

    Raises:
        ConfigError: A line is broken, or the folder of the files is not there.
    """
    questions = _questions(folder / "questions.jsonl")
    where = _documents_folder(folder, documents)
    named = dict.fromkeys(q.document for q in questions if q.document is not None)
    missing = tuple(sorted(name for name in named if not (where / name).is_file()))
    beside = {path.name for path in where.iterdir() if _is_document(path)}
    names = sorted((set(named) | beside) - set(missing))
    asked = tuple(question for question in questions if question.document not in missing)
    placeless = sum(question.is_answerable and not question.is_ranked for question in asked)
    notes = []
    if placeless:
        notes.append(
            f"{placeless} questions name neither a page nor words of their passage "
            "(anchor_text), so their ranks cannot be measured."
        )
    return LabelledSet(
        name=folder.name,
        kind="pages",
        questions=asked,
        files=tuple(where / name for name in names),
        missing=missing,
        notes=tuple(notes),
    )


def _documents_folder(folder: Path, documents: Path | None) -> Path:
    if documents is None:
        own = folder / "pdfs"
        return own if own.is_dir() else folder
    documents = documents.expanduser().absolute()
    if not documents.is_dir():
        raise ConfigError(f"There is no folder {documents}.")
    return documents


def _is_document(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in READ_SUFFIXES


def _questions(path: Path) -> list[Question]:
    found: dict[str, Question] = {}
    for where, row in read_objects(path):
        question = _question(row, where)
        if question.id in found:
            raise ConfigError(f"{where} repeats the question {question.id}. Ids must be unique.")
        found[question.id] = question
    if not found:
        raise ConfigError(f"{path} holds no questions.")
    return list(found.values())


def _question(row: dict[str, Any], where: str) -> Question:
    document = _document(row, where)
    pages = _pages(row, where)
    words = words_of(row, "anchor_text")
    kind = words_of(row, "kind") or "unlabelled"
    relevant: dict[str, int] = {}
    if document is not None and kind != UNANSWERABLE:
        relevant = {place(document, page): 1 for page in pages}
        if not relevant and words.strip():
            relevant = {ANSWER_WORDS: 1}
    return Question(
        id=name_of(row, "id", where),
        text=name_of(row, "question", where),
        kind=kind,
        document=document,
        relevant=relevant,
        regions=_regions(row, pages, where),
        words=words,
    )


def _document(row: dict[str, Any], where: str) -> str | None:
    if row.get("doc") is None and row.get("kind") == UNANSWERABLE:
        return None
    name = name_of(row, "doc", where)
    if name != PurePath(name).name or "\\" in name or name in (".", ".."):
        raise ConfigError(f'{where}: "doc" must be the plain name of a file, not {name}.')
    return name


def _pages(row: dict[str, Any], where: str) -> list[int]:
    """From `pages`, a list, or `page`, one number."""
    value = row.get("pages")
    if value is None:
        value = [] if row.get("page") is None else [row["page"]]
    if not isinstance(value, list) or not all(_is_page(page) for page in value):
        raise ConfigError(f'{where}: "pages" must list page numbers, counted from 1.')
    return list(dict.fromkeys(value))


def _is_page(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _regions(row: dict[str, Any], pages: list[int], where: str) -> tuple[Region, ...]:
    """From `regions`, a list of page and box, or `region`, one box on the only page."""
    value = row.get("regions")
    if value is None:
        box = row.get("region")
        value = [] if box is None or not pages else [{"page": pages[0], "bbox": box}]
    if not isinstance(value, list):
        raise ConfigError(f'{where}: "regions" must be a list.')
    return tuple(_region(region, where) for region in value)


def _region(value: object, where: str) -> Region:
    if isinstance(value, dict) and _is_page(value.get("page")):
        box = value.get("bbox")
        if isinstance(box, list) and len(box) == 4 and all(_is_number(n) for n in box):
            return Region(page_number=value["page"], bbox=_upright(box))
    raise ConfigError(f"{where}: a region needs a page from 1 and a bbox of four numbers.")


def _upright(box: list[float]) -> BBox:
    left, right = sorted((float(box[0]), float(box[2])))
    top, bottom = sorted((float(box[1]), float(box[3])))
    return (left, top, right, bottom)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
