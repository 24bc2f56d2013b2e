"""The layout of BEIR: `corpus.jsonl`, `queries.jsonl`, `qrels.tsv`. Knows files and labels."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from evals.jsonl import name_of, read_objects, read_text, words_of
from evals.sets import LabelledSet, Passage, Question
from rag.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ("query-id", "corpus-id", "score")


def read_beir(folder: Path) -> LabelledSet:
    """The set in `folder`; questions without a relevant document are left out, with a note.

    Raises:
        ConfigError: A file is missing, empty or broken.
    """
    passages = _passages(folder / "corpus.jsonl")
    texts = _texts(folder / "queries.jsonl")
    grades = _grades(_judgements(folder))
    notes = []
    if strangers := sorted(set(grades) - set(texts)):
        notes.append(
            f"qrels.tsv judges {len(strangers)} questions that queries.jsonl lacks, "
            f"such as {strangers[0]}."
        )
    known = {passage.id for passage in passages}
    judged = {id_ for some in grades.values() for id_, grade in some.items() if grade > 0}
    asked = (
        Question(
            id=id_,
            text=text,
            relevant={d: grade for d, grade in grades.get(id_, {}).items() if d in known},
        )
        for id_, text in texts.items()
    )
    questions = tuple(question for question in asked if question.is_ranked)
    if left_out := len(texts) - len(questions):
        notes.append(f"{left_out} questions have no relevant document and were left out.")
    return LabelledSet(
        name=folder.name,
        kind="beir",
        questions=questions,
        passages=tuple(passages),
        missing=tuple(sorted(judged - known)),
        notes=tuple(notes),
    )


def _passages(path: Path) -> list[Passage]:
    found: dict[str, Passage] = {}
    for where, row in read_objects(path):
        id_ = name_of(row, "_id", where)
        if id_ in found:
            raise ConfigError(f"{where} repeats the document {id_}. Ids must be unique.")
        found[id_] = Passage(id=id_, title=words_of(row, "title"), text=words_of(row, "text"))
    if not found:
        raise ConfigError(f"{path} holds no documents.")
    return list(found.values())


def _texts(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for where, row in read_objects(path):
        id_ = name_of(row, "_id", where)
        if id_ in found:
            raise ConfigError(f"{where} repeats the question {id_}. Ids must be unique.")
        found[id_] = name_of(row, "text", where)
    if not found:
        raise ConfigError(f"{path} holds no questions.")
    return found


def _judgements(folder: Path) -> Path:
    """`qrels.tsv`, else where BEIR's own archives have them."""
    own = folder / "qrels.tsv"
    published = folder / "qrels" / "test.tsv"
    return published if published.is_file() and not own.is_file() else own


def _grades(path: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for number, line in enumerate(read_text(path).split("\n"), 1):
        cells = tuple(cell.strip() for cell in line.rstrip("\r").split("\t"))
        if not any(cells) or cells == HEADER:
            continue
        try:
            question, document, score = cells
            grade = float(score)
        except ValueError as error:
            raise ConfigError(
                f"{path.name}, line {number} is not question, document and score with tabs between."
            ) from error
        if not grade.is_integer():
            raise ConfigError(f"{path.name}, line {number}: the score {score} is no whole number.")
        if document in grades[question]:
            raise ConfigError(
                f"{path.name}, line {number} judges document {document} for question {question} "
                "a second time."
            )
        grades[question][document] = int(grade)
    if not grades:
        raise ConfigError(f"{path} holds no judgements.")
    return dict(grades)
