"""A run as files: `run.json`, `per_query.jsonl`, `report.html`. Knows their fields, no measure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.jsonl import read_objects, read_text
from evals.report import render
from evals.summary import Summary, summarise, unit_of
from rag.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evals.ranking import Found, RankedHit
    from evals.run import Measured, Run

Json = dict[str, Any]
RUN, LINES, REPORT = "run.json", "per_query.jsonl", "report.html"


def write_run(folder: Path, run: Run, settings: Mapping[str, str]) -> Json:
    """Write the three files of a run into an existing folder.

    Args:
        folder: Emptied of nothing; files of these names are replaced.
        run: What was measured.
        settings: What the numbers depend on and where they were made: name -> words.

    Returns:
        What `run.json` holds; `per_query` is a name beside it, so the folder can be moved.

    Raises:
        ConfigError: It cannot be written.
    """
    summary = summarise(run)
    result = run_json(run, summary, settings)
    lines = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in query_lines(run))
    try:
        (folder / LINES).write_text(lines, encoding="utf-8")
        (folder / REPORT).write_text(render(run, summary, settings), encoding="utf-8")
        # The last one: a folder with it is whole.
        (folder / RUN).write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written to: {error.strerror}.") from error
    return result


def run_json(run: Run, summary: Summary, settings: Mapping[str, str]) -> Json:
    """The contract's keys first, then what a reader of the numbers has to know."""
    return {
        "set": run.labelled.name,
        "kind": run.labelled.kind,
        "embedder": run.embedder,
        "metrics": _rounded(summary.metrics),
        "by_kind": {kind: _rounded(values) for kind, values in summary.by_kind.items()},
        "intervals": _rounded(summary.intervals),
        "by_kind_intervals": {k: _rounded(v) for k, v in summary.by_kind_intervals.items()},
        "per_query": LINES,
        "report": REPORT,
        "questions": len(run.measured),
        "questions_by_kind": summary.kind_counts,
        "documents": run.document_count,
        "missing": list(run.labelled.missing),
        "failed": dict(run.failed),
        "notes": list(run.labelled.notes),
        "settings": dict(settings),
    }


def query_lines(run: Run) -> Iterator[Json]:
    """One object a question, with all that its values were computed from."""
    for each in run.measured:
        yield _line(each, unit_of(each.question.id, each.question.document, run.labelled.kind))


def _line(each: Measured, unit: str) -> Json:
    question = each.question
    line: Json = {
        "id": question.id,
        "question": question.text,
        "kind": question.kind,
        "document": question.document,
        "unit": unit,
        "relevant": dict(question.relevant),
        "regions": [{"page": r.page_number, "bbox": list(r.bbox)} for r in question.regions],
        **_found(each.found),
        "values": _rounded(each.values),
        "box_count": each.box_count,
    }
    if each.found_all is not None:
        line["all"] = _found(each.found_all)
    return line


def _found(found: Found) -> Json:
    return {
        "has_evidence": found.has_evidence,
        "shown": found.shown,
        "timings_ms": dict(found.timings_ms),
        "hits": [_hit(rank, hit) for rank, hit in enumerate(found.hits, 1)],
    }


def _hit(rank: int, hit: RankedHit) -> Json:
    row: Json = {
        "rank": rank,
        "document": hit.document,
        "page": hit.pages[0] if hit.regions else None,
        "regions": [
            {"page": r.page_number, "bbox": [round(n, 2) for n in r.bbox]} for r in hit.regions
        ],
        "kind": hit.kind,
    }
    if not hit.regions:
        row |= {"anchor": hit.anchor, "has_answer": hit.has_answer}
    return row


def read_run(path: Path) -> tuple[Json, list[Json]]:
    """The result and the lines of a run.

    Args:
        path: The folder of a run, or its `run.json`.

    Raises:
        ConfigError: It holds no run, or one that is damaged.
    """
    file = path / RUN if path.is_dir() else path
    if not file.is_file():
        raise ConfigError(f"{path} holds no run of `folio eval`: there is no {file.name}.")
    try:
        result = json.loads(read_text(file))
        lines = file.parent / str(result["per_query"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"{file} was not written by `folio eval`, or is damaged.") from error
    rows = [row for _, row in read_objects(lines)]
    if not all(isinstance(r.get("values"), dict) and "id" in r and "unit" in r for r in rows):
        raise ConfigError(f"{lines} was not written by `folio eval`, or is damaged.")
    return result, rows


def _rounded(values: Mapping[str, Any]) -> Json:
    """Six digits: enough to compute with, and the same on every machine."""
    return {key: _round(value) for key, value in values.items()}


def _round(value: Any) -> Any:  # noqa: ANN401 - a number, a pair of numbers or None
    if isinstance(value, tuple):
        return [round(part, 6) for part in value]
    return value if value is None else round(value, 6)
