"""What a trial found, kept as lines of JSON, so that it can be stopped, killed and gone on with.

`questions.jsonl` has the fields that `folio eval` reads. Knows files, nothing of embedders.
"""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from evals.outcome import Outcome
from evals.questions import MadeQuestion
from evals.trial import Cost
from rag.store.disk import check_reserve
from rag.types import Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)

# Another number makes old files count for nothing: raised when ranks or questions change.
VERSION = 1
HEAD, QUESTIONS, RESULTS = "trial.json", "questions.jsonl", "results.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Which library the questions were made from, and by which draw."""

    library: str
    seed: int = 0
    version: int = VERSION


@dataclass(slots=True, kw_only=True)
class Found:
    """All that is kept."""

    head: Head
    questions: list[MadeQuestion]
    outcomes: list[Outcome] = field(default_factory=list)
    costs: dict[str, Cost] = field(default_factory=dict)  # by embedder
    left_out: dict[str, str] = field(default_factory=dict)  # embedder -> why, in a sentence

    def asked(self, embedder: str) -> set[str]:
        """Ids of the questions it has had."""
        return {one.question for one in self.outcomes if one.embedder == embedder}


class TrialRecord:
    """The files of one library's trial. One writer at a time."""

    def __init__(self, folder: Path, *, reserve_mb: int) -> None:
        self._folder = folder
        self._reserve_mb = reserve_mb

    def read(self) -> Found | None:
        """What is kept; None when there is nothing that can be used."""
        try:
            head = Head(**json.loads((self._folder / HEAD).read_text(encoding="utf-8")))
            questions = [to_question(line) for line in _lines(self._folder / QUESTIONS)]
        except (OSError, ValueError, TypeError, KeyError, IndexError):
            return None
        if head.version != VERSION:
            return None
        found = Found(head=head, questions=questions)
        for line in _lines(self._folder / RESULTS):
            _take(found, line)
        return found

    def begin(self, head: Head, questions: Sequence[MadeQuestion]) -> Found:
        """Forget what there was, and keep these questions.

        Raises:
            DiskReserveError: The disk is nearly full.
        """
        check_reserve(self._folder.parent, self._reserve_mb)
        self.forget()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write(QUESTIONS, export(questions))
        self._write(HEAD, json.dumps(asdict(head)))  # last: without it there is no trial
        return Found(head=head, questions=list(questions))

    def repair(self) -> None:
        """Take off half a line that a kill left at the end."""
        path = self._folder / RESULTS
        if path.exists():
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if whole != data:
                path.write_bytes(whole)

    def add(self, kept: Outcome | Cost) -> None:
        """Append a result; it is on the disk when this returns.

        Raises:
            DiskReserveError: The disk is nearly full.
        """
        check_reserve(self._folder, self._reserve_mb)
        what = "outcome" if isinstance(kept, Outcome) else "cost"
        with (self._folder / RESULTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, **asdict(kept)}, ensure_ascii=False) + "\n")

    def leave_out(self, embedder: str, why: str) -> None:
        """Write down why an embedder could not be tried."""
        check_reserve(self._folder, self._reserve_mb)
        line = {"what": "left_out", "embedder": embedder, "why": why}
        with (self._folder / RESULTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def forget(self) -> None:
        """Remove every file."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, name: str, text: str) -> None:
        half = self._folder / f"{name}.part"
        half.write_text(text, encoding="utf-8")
        half.replace(self._folder / name)


def export(questions: Sequence[MadeQuestion]) -> str:
    """Questions as lines for `folio eval`; the documents belong beside them, in `pdfs/`."""
    return "".join(json.dumps(to_line(one), ensure_ascii=False) + "\n" for one in questions)


def to_line(question: MadeQuestion) -> dict[str, Any]:
    """The fields of a "pages" set; where there are no pages, words of the passage."""
    line: dict[str, Any] = {
        "id": question.id,
        "doc": question.document_name,
        "question": question.text,
        "answer": question.answer,
        "answer_format": "Str",
        "pages": list(question.pages),
        "kind": question.kind,
        "regions": [
            {"page": region.page_number, "bbox": list(region.bbox)} for region in question.regions
        ],
        "made_from": question.way,
        "document_id": str(question.document_id),
        "item_id": str(question.item_id),
    }
    if not question.pages:
        line["anchor_text"] = question.words
    return line


def to_question(line: dict[str, Any]) -> MadeQuestion:
    """The opposite of `to_line`.

    Raises:
        KeyError, TypeError, ValueError: The line was not written by `to_line`.
    """
    return MadeQuestion(
        id=line["id"],
        text=line["question"],
        kind=line["kind"],
        way=line["made_from"],
        document_id=UUID(line["document_id"]),
        document_name=line["doc"],
        item_id=UUID(line["item_id"]),
        regions=tuple(_to_region(region) for region in line["regions"]),
        answer=line["answer"],
        words=line.get("anchor_text", ""),
    )


def _to_region(line: dict[str, Any]) -> Region:
    x0, y0, x1, y1 = line["bbox"]
    return Region(page_number=line["page"], bbox=(x0, y0, x1, y1))


def _take(found: Found, line: dict[str, Any]) -> None:
    what = line.pop("what", "")
    try:
        if what == "outcome":
            found.outcomes.append(Outcome(**line))
        elif what == "cost":
            found.costs[line["embedder"]] = Cost(**line)
        elif what == "left_out":
            found.left_out[line["embedder"]] = line["why"]
    except (TypeError, KeyError):
        logger.warning("a line of an old trial is not understood")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines only: the last one may have been cut off by a kill."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value
