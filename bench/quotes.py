"""Answers without a model: is the fact in the quotes, is the figure shown, is it word for word.

Run: python bench/quotes.py [LIBRARY]
Reads `evaldata/figures_dev` and the PDFs of `evaldata/mmlongbench_dev` in the folder that
FOLIO_SHARED names, or in ../shared beside the checkout, and `sample_data`. LIBRARY is a data
folder that holds the PDFs already. Prints, with the built-in embedder, inside the document and
over all documents of the set: for how many questions the fact stands in the quotes or the
figure is shown, how many without an answer are refused, and what an answer costs.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
import tempfile
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.extractive import Extract
from rag.sentences import fold_spaces
from rag.settings import EmbedSettings, Settings, StoreSettings
from rag.types import PICTURES, Answer, Hit
from ui.intake import sample_paths
from ui.services import Services, build

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared"))
_MARK = re.compile(r" ?\[(\d+)\]")
# Words between the lines of a figure's own text that no document holds.
_OURS = re.compile(r"Figure(?: on page \d+)?|Your picture looks like this one, .*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A question with what its answer must hold or show."""

    id: str
    text: str
    document: str
    answers: tuple[tuple[str, ...], ...]  # any of these is right; each is words that all occur
    pages: tuple[int, ...]
    boxes: tuple[tuple[int, tuple[float, ...]], ...]  # (page, box)
    is_answerable: bool
    needs_figure: bool  # the fact stands in no text
    may_show: bool  # its figure is as good as the fact


def read_figures_dev(folder: Path) -> list[Labelled]:
    """The questions of `figures_dev`: by its text layer where that holds the answer."""
    return [
        Labelled(
            id=row["id"],
            text=row["question"],
            document=row["doc"],
            answers=tuple((words,) for words in (row["answer"] or "", *row["answer_aliases"])),
            pages=(row["page"],) if row["page"] else (),
            boxes=((row["page"], tuple(row["region"])),) if row["region"] else (),
            is_answerable=row["kind"] != "unanswerable",
            needs_figure=row["answer_in_page_text_layer"] is False,
            may_show=False,
        )
        for row in _rows(folder / "questions.jsonl")
    ]


def read_sample(folder: Path) -> list[Labelled]:
    """The questions of the sample, each to be answered by a quote or by its figure."""
    return [
        Labelled(
            id=row["id"],
            text=row["question"],
            document=row["doc"],
            answers=(_words_of_answer(row),),
            pages=tuple(row["pages"]),
            boxes=tuple((r["page"], tuple(r["bbox"])) for r in row["regions"]),
            is_answerable=row["kind"] != "unanswerable",
            needs_figure=False,
            may_show=row["kind"] in ("figure", "mixed"),
        )
        for row in _rows(folder / "questions.jsonl")
    ]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _words_of_answer(row: dict[str, Any]) -> tuple[str, ...]:
    if row["answer_format"] == "List":
        return tuple(json.loads(row["answer"]))
    return (row["answer"],)


def holds_fact(text: str, question: Labelled) -> bool:
    """Whether all words of one right answer occur, as whole words and numbers."""
    plain = plain_words(text)
    return any(
        all(plain_words(part).strip() and plain_words(part) in plain for part in parts)
        for parts in question.answers
    )


def plain_words(text: str) -> str:
    """Lower case, between single spaces, numbers whole: "73%" is " 73 ", "2,015" is " 2015 "."""
    folded = unicodedata.normalize("NFKC", _MARK.sub(" ", text)).casefold()
    joined = re.sub(r"(?<=\d),(?=\d{3}\b)", "", folded)
    return " " + " ".join(re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+", joined)) + " "


def shows_figure(hits: Sequence[Hit], question: Labelled) -> bool:
    """Whether one picture covers half of the right box or lies at least half inside it."""
    return any(_shows(hit, question) for hit in hits if hit.item.kind in (*PICTURES, "table"))


def _shows(hit: Hit, question: Labelled) -> bool:
    if hit.document_name != question.document:
        return False
    if not hit.item.regions:  # a web page
        return hit.item.kind in PICTURES and not question.pages
    return any(
        region.page_number == page and _overlap(region.bbox, box) >= 0.5
        for region in hit.item.regions
        for page, box in question.boxes
    )


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return max(0.0, width) * max(0.0, height) / min(areas) if width > 0 else 0.0


def strays(extract: Extract | Answer) -> list[str]:
    """What is said under a marker and does not stand in its source, white space folded."""
    pieces = _MARK.split(extract.text)
    said = zip(pieces[::2], pieces[1::2], strict=False)
    by_marker = {source.marker: source.hit.item for source in extract.sources}
    return [
        words
        for words, marker in ((fold_spaces(piece), int(number)) for piece, number in said)
        if words not in fold_spaces(by_marker[int(marker)].text)
        and words not in fold_spaces(by_marker[int(marker)].caption)
        and not _OURS.fullmatch(words)
    ]


@dataclass(slots=True)
class Count:
    """Of one set, inside the document or over all."""

    fact: int = 0
    of_fact: int = 0
    figure: int = 0
    of_figure: int = 0
    refused: int = 0
    of_refused: int = 0
    wrongly_refused: int = 0
    stray: int = 0
    unequal: int = 0

    def line(self) -> str:
        """All of it."""
        return (
            f"fact {self.fact}/{self.of_fact}  figure {self.figure}/{self.of_figure}  "
            f"refused {self.refused}/{self.of_refused}  wrongly refused {self.wrongly_refused}  "
            f"not word for word {self.stray}  not the same twice {self.unequal}"
        )


def count(
    services: Services, questions: Sequence[Labelled], *, inside: bool, is_verbose: bool
) -> Count:
    """Ask every question and count what came."""
    found = Count()
    names = {question.document for question in questions}
    ids = {d.name: d.id for d in services.documents() if d.name in names}
    for question in questions:
        documents = (ids[question.document],) if inside else tuple(ids.values())
        answer = services.answer(question.text, documents=documents, use_llm=False)
        again = services.answer(question.text, documents=documents, use_llm=False)
        found.unequal += answer.text != again.text or answer.citations != again.citations
        found.stray += len(strays(answer)) if not answer.abstained else 0
        verdict = _add(found, question, answer)
        if is_verbose and not verdict:
            sys.stdout.write(f"    {question.id} {question.text}\n      {answer.text!r}\n")
    return found


def _add(found: Count, question: Labelled, answer: Answer) -> bool:
    if not question.is_answerable:
        found.of_refused += 1
        found.refused += answer.abstained
        return answer.abstained
    found.wrongly_refused += answer.abstained
    shown = not answer.abstained and shows_figure([s.hit for s in answer.sources], question)
    if question.needs_figure:
        found.of_figure += 1
        found.figure += shown
        return shown
    held = not answer.abstained and holds_fact(answer.text, question)
    is_right = held or (question.may_show and shown)
    found.of_fact += 1
    found.fact += is_right
    return is_right


def print_times(services: Services, questions: Sequence[Labelled]) -> None:
    """Milliseconds of an answer, search included, each question asked once."""
    taken = []
    for question in questions:
        started = time.perf_counter()
        services.answer(question.text, use_llm=False)
        taken.append(1000 * (time.perf_counter() - started))
    taken.sort()
    sys.stdout.write(
        f"  milliseconds an answer: median {statistics.median(taken):.0f}, "
        f"p95 {taken[round(0.95 * (len(taken) - 1))]:.0f}, longest {taken[-1]:.0f}\n"
    )


def open_library(folder: Path, files: Sequence[Path]) -> Services:
    """A library with these files, read where they are missing."""
    services = build(
        Settings(
            data_dir=folder,
            embed=EmbedSettings(model="minilm"),
            store=StoreSettings(reserve_mb=0),
        )
    )
    known = {document.name for document in services.documents()}
    for path in files:
        if path.name not in known:
            data, beside = path.read_bytes(), path.parent
            admitted = services.pipeline.admit(path.name, data, asset_dir=beside)
            services.pipeline.run(admitted.document.id)
    services.warm_up()
    return services


def report(name: str, services: Services, questions: Sequence[Labelled]) -> None:
    """Print one set; with FOLIO_BENCH_VERBOSE set, what went wrong too."""
    sys.stdout.write(f"{name}\n")
    for inside, where in ((True, "in the document"), (False, "over all")):
        found = count(
            services, questions, inside=inside, is_verbose="FOLIO_BENCH_VERBOSE" in os.environ
        )
        sys.stdout.write(f"  {where:16} {found.line()}\n")
    print_times(services, questions)


def main() -> None:
    """Both sets."""
    with tempfile.TemporaryDirectory() as scratch:
        labelled = SHARED / "evaldata" / "figures_dev"
        if labelled.is_dir():
            folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch) / "pdfs"
            questions = read_figures_dev(labelled)
            pdfs = SHARED / "evaldata" / "mmlongbench_dev" / "pdfs"
            files = [pdfs / name for name in sorted({q.document for q in questions})]
            services = open_library(folder, files)
            try:
                report("figures_dev", services, questions)
            finally:
                services.close()
        services = open_library(Path(scratch) / "sample", sample_paths())
        try:
            report("sample_data", services, read_sample(ROOT / "sample_data"))
        finally:
            services.close()


if __name__ == "__main__":
    main()
