"""`folio eval` and `folio compare`: wiring, progress and words, no logic."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.errors import ConfigError
from rag.settings import load_settings
from ui.cli_options import AsJson, DataDir, Debug, remark, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from evals.compare import Comparison
    from evals.run import Run
    from rag.settings import Settings

FAILED = 1
WIDTH = 79
LOG_EVERY_S = 10.0
TERMINAL_EVERY_S = 0.2
MAX_NAMED = 5

SetFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder with labelled questions; see the docs.")
]
RunFolder = Annotated[Path, typer.Argument(help="Folder that `folio eval` wrote, or its run.json.")]


def evaluate(
    folder: SetFolder,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Where run.json, per_query.jsonl, report.html go."
        ),
    ] = None,
    pdfs: Annotated[
        Path | None,
        typer.Option("--pdfs", metavar="DIR", help="Where the documents lie, if not in DIR."),
    ] = None,
    embedder: Annotated[
        str | None, typer.Option(help="Embedder, TEXT or TEXT+PICTURES; else the one set.")
    ] = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Measure search on labelled questions, in a library of its own that is thrown away."""
    from evals.sets import read_set

    started = time.monotonic()
    settings = _settings(data_dir, embedder)
    labelled = read_set(folder, pdfs)
    target = _target(out, settings, labelled.name)
    for note in _notes(labelled.missing, labelled.notes):
        remark(note)
    line = StepLine(sys.stderr)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # it, too, cleans up
    try:
        run, used = _measured(labelled, settings, line.show)
        line.end()
        used["seconds"] = f"{time.monotonic() - started:.0f}"
        result = _written(run, used, target)
    except KeyboardInterrupt:
        line.end()
        remark("Stopped; nothing was kept.")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    for name, why in run.failed.items():
        remark(f"{name} could not be read, so its questions found nothing: {why}")
    if as_json:
        tell(result)
    else:
        for text in _result_lines(result):
            tell(text)
    if run.failed or labelled.missing:
        raise typer.Exit(FAILED)


def compare(
    run_a: RunFolder,
    run_b: RunFolder,
    measure: Annotated[
        list[str] | None, typer.Option("--measure", metavar="KEY", help="Compare only this.")
    ] = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare two runs on the same questions: differences, ranges and significance."""
    from evals.compare import compare as compare_runs

    found = compare_runs(run_a, run_b, measure or ())
    if found.only_a or found.only_b:
        remark(
            f"The runs share {found.shared} questions, and only those are compared; "
            f"{found.only_a} are only in A, {found.only_b} only in B."
        )
    if as_json:
        tell(_comparison_json(found))
        return
    for text in _comparison_lines(found):
        tell(text)


def _settings(data_dir: Path | None, embedder: str | None) -> Settings:
    settings = load_settings(data_dir=data_dir)
    if embedder is None:
        return settings
    embed = settings.embed.model_copy(update={"model": embedder})
    return settings.model_copy(update={"embed": embed})


def _measured(
    labelled: Any,  # noqa: ANN401 - a LabelledSet, imported when called
    settings: Settings,
    on_progress: Callable[[str, int, int], None],
) -> tuple[Run, dict[str, str]]:
    from evals.run import measure
    from rag.embed.load import licence_notice
    from ui.evaluation import settings_in_words, throw_away_library

    with throw_away_library(settings) as library:
        if notice := licence_notice(library.embed_settings):
            remark(notice)
        run = measure(labelled, library, on_progress)
        return run, settings_in_words(library, settings)


def _target(out: Path | None, settings: Settings, name: str) -> Path:
    """The folder for the results; not made yet, but it can be.

    Raises:
        ConfigError: It cannot be written to, which is better known before than after.
    """
    if out is None:
        stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
        out = settings.data_dir / "evaluations" / f"{name}-{stamp}"
    target = out.expanduser().absolute()
    nearest = next(p for p in (target, *target.parents) if p.exists())
    if not nearest.is_dir():
        raise ConfigError(f"{nearest} is a file, so no folder {target} can be made.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"{nearest} cannot be written to. Choose another folder with --out.")
    return target


def _written(run: Run, used: dict[str, str], target: Path) -> dict[str, Any]:
    """The files of the run in its folder: made elsewhere, then moved, so never half of them."""
    from evals.record import LINES, REPORT, RUN, write_run

    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".folio-eval-", dir=target) as name:
            result = write_run(Path(name), run, used)
            for file in (LINES, REPORT, RUN):
                shutil.move(Path(name) / file, target / file)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written to: {error.strerror}.") from error
    finally:
        if target.is_dir() and not any(target.iterdir()):  # cut off, or the disk is full
            target.rmdir()
    return {**result, "per_query": str(target / LINES), "report": str(target / REPORT)}


def _notes(missing: tuple[str, ...], notes: tuple[str, ...]) -> Iterator[str]:
    if missing:
        names = ", ".join(missing[:MAX_NAMED])
        more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
        yield (
            f"{len(missing)} documents with questions are missing, the rest is measured: "
            f"{names}{more}."
        )
    yield from notes


def _result_lines(result: dict[str, Any]) -> Iterator[str]:
    from evals.measure_words import name_of_measure

    yield (
        f"{result['set']}, {result['embedder']}: {result['questions']} questions, "
        f"{result['documents']} documents"
    )
    for key, value in result["metrics"].items():
        if value is None:
            continue
        interval = result["intervals"].get(key)
        words = f"  ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
        number = f"{value:9.1f}" if "latency" in key else f"{value:9.3f}"
        yield f"{name_of_measure(key):44}{number}{words}"
    for kind, values in result["by_kind"].items():
        recall = values.get("recall@5")
        if recall is not None:
            interval = result["by_kind_intervals"][kind]["recall@5"]
            words = f"  ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
            label = f"Recall@5, {kind} ({result['questions_by_kind'][kind]})"
            yield f"{label:44}{recall:9.3f}{words}"
    yield f"Report: {result['report']}"


def _comparison_json(found: Comparison) -> dict[str, Any]:
    return {
        "a": found.a,
        "b": found.b,
        "questions": found.shared,
        "only_a": found.only_a,
        "only_b": found.only_b,
        "measures": {
            each.measure: {
                "a": round(each.a, 6),
                "b": round(each.b, 6),
                "difference": round(each.difference, 6),
                "interval": each.interval and [round(end, 6) for end in each.interval],
                "p": round(each.p, 6),
                "p_holm": round(each.p_holm, 6),
                "questions": each.questions,
            }
            for each in found.differences
        },
    }


def _comparison_lines(found: Comparison) -> Iterator[str]:
    from evals.measure_words import name_of_measure

    yield f"A: {found.a}, B: {found.b}, {found.shared} questions. B minus A, 95 % range, p by Holm."
    for each in found.differences:
        span = f"({each.interval[0]:+.3f} to {each.interval[1]:+.3f})" if each.interval else ""
        yield (
            f"{name_of_measure(each.measure):24} {each.a:7.3f} {each.b:7.3f} "
            f"{each.difference:+7.3f} {span:20} p {each.p:.4f}  Holm {each.p_holm:.4f}"
        )


class StepLine:
    """How far a run is: one line of a terminal that is written anew, or lines of a log."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._every_s = TERMINAL_EVERY_S if self._is_terminal else LOG_EVERY_S
        self._next = 0.0
        self._was_shown = False

    def show(self, step: str, done: int, total: int) -> None:
        """Draw where it is now, if it is time to."""
        now = self._clock()
        if now < self._next and done < total:
            return
        self._next = now + self._every_s
        what = {"reading": "documents read", "asking": "questions asked"}.get(step, step)
        line = f"{done} of {total} {what}"
        self._stream.write("\r" + line[:WIDTH].ljust(WIDTH) if self._is_terminal else line + "\n")
        self._stream.flush()
        self._was_shown = True

    def end(self) -> None:
        """Leave the line, so that what follows starts on its own."""
        if self._is_terminal and self._was_shown:
            self._stream.write("\n")
            self._stream.flush()
