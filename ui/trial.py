"""The trial of embedders for the app: one background job, what it found, what it would try.

A plain object, never Streamlit. Knows the services; the work itself is in `evals`.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal

from evals.questions import make_questions
from evals.trial import Bench, TrialStopped, run_trial, sweep
from evals.trial_record import Head, TrialRecord, export
from evals.trial_report import report_of
from ingest.reindex import remaining_s
from rag.embed.choice import chosen_name, parse_choice
from rag.embed.load import identity_of
from rag.errors import ConfigError, EmbedError, RagError
from rag.library.items import point_id
from rag.types import Hit, Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from evals.outcome import Outcome
    from evals.questions import MadeQuestion
    from evals.trial import Stage
    from evals.trial_record import Found
    from evals.trial_report import Report
    from rag.embed.cache import VectorCache
    from rag.embed.turns import Turns
    from rag.library import FoundItem
    from ui.services import Services

logger = logging.getLogger(__name__)

FOLDER = "trial"
STOP_WAIT_S = 60.0
CHANGED = "The library changed while it was tested. Run the test again."

State = Literal["idle", "running", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialView:
    """How far the test is. `failure` is one plain sentence."""

    state: State = "idle"
    stage: Stage = "questions"
    embedder: str = ""
    place: int = 0  # of the embedder, from 1
    of: int = 0
    done: int = 0
    total: int = 0
    remaining_s: float | None = None  # of the whole test; None: not known yet
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which embedders a test would run, and which it leaves out, with the reason."""

    names: tuple[str, ...]
    left_out: dict[str, str]
    remaining_s: float  # for what has not been tried yet; a guess from the catalogue


class Trial:
    """The test of one library. Safe to call from any thread."""

    def __init__(self, services: Services, *, cache: VectorCache, turns: Turns) -> None:
        settings = services.settings
        self._services = services
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self._view = TrialView()
        self._clock = _Clock()
        self._known: tuple[int, str] = (-1, "")  # generation, and the library's name then
        self._library_then = ""
        self._record = TrialRecord(settings.data_dir / FOLDER, reserve_mb=settings.store.reserve_mb)
        self._bench = Bench(
            library=services.library,
            files=services.files,
            cache=cache,
            # Not inside the folder of the record, which is removed as a whole.
            folder=settings.data_dir / "index" / FOLDER,
            reserve_mb=settings.store.reserve_mb,
            workspace=services.workspace,
            turns=turns,
            check=self._check,
            on_progress=self._progress,
        )

    # -- what the page shows ----------------------------------------------------------------

    def view(self) -> TrialView:
        """The state now."""
        return self._view

    def report(self) -> Report | None:
        """What was found on this library as it is now; None when nothing was."""
        found = self._found()
        if found is None:
            return None
        return report_of(found, in_use=chosen_name(self._services.embed_settings()))

    def is_stale(self) -> bool:
        """Whether there are results, but of the library as it was before."""
        found = self._record.read()
        return found is not None and found.head.library != self._library()

    def plan(self) -> Plan:
        """What the next run would try."""
        names, left_out = self._contenders()
        found = self._found()
        todo = [name for name in names if found is None or self._lacks(found, name)]
        rest = sum(self._services.models.estimate(name) for name in todo)
        return Plan(names=tuple(names), left_out=left_out, remaining_s=rest)

    def is_complete(self) -> bool:
        """Whether every embedder that can be tried has been."""
        found = self._found()
        names, _ = self._contenders()
        return found is not None and not any(self._lacks(found, name) for name in names)

    def export(self) -> str:
        """The questions as lines for `folio eval`; "" without any."""
        found = self._found()
        return export(found.questions) if found else ""

    def sources(self, questions: Sequence[MadeQuestion]) -> list[Source | None]:
        """The known source of each question, numbered; None when it is gone."""
        runs = {run.document_id: run.id for run in self._bench.runs()}
        points = {
            question.id: point_id(question.item_id, runs[question.document_id])
            for question in questions
            if question.document_id in runs
        }
        items = self._services.library.items
        rows = items.lookup(self._services.workspace, list(points.values()))
        found: list[Source | None] = []
        for marker, question in enumerate(questions, 1):
            row = rows.get(points[question.id]) if question.id in points else None
            found.append(Source(marker=marker, hit=self._hit(row)) if row else None)
        return found

    def _hit(self, row: FoundItem) -> Hit:
        digest = row.item.image_sha256
        return Hit(
            item=row.item,
            document_name=row.document_name,
            rank=0,
            height=0.0,
            page_size=row.page_size,
            image_path=str(self._services.picture_path(digest)) if digest else None,
        )

    # -- what its buttons do ------------------------------------------------------------------

    def start(self, *, again: bool = False) -> None:
        """Begin, or go on where it stopped; returns at once.

        Args:
            again: Forget what was found and ask other questions.

        Raises:
            ConfigError: It runs already, documents are being read, or there are none.
        """
        if self._services.progress():
            raise ConfigError("Documents are being read. Wait until that is done, then test them.")
        if self._services.library.items.is_empty(self._services.workspace):
            raise ConfigError("There is nothing to test yet. Add a document first.")
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise ConfigError("The test runs already.")
            self._cancelled.clear()
            self._view = TrialView(state="running")
            self._thread = threading.Thread(
                target=self._run, args=(again,), name="trial", daemon=True
            )
            self._thread.start()

    def cancel(self) -> None:
        """Stop soon; what is done is kept."""
        self._cancelled.set()

    def dismiss(self) -> None:
        """Forget the sentence of what failed."""
        with self._lock:
            if self._view.state == "failed":
                self._view = TrialView()

    def forget(self, document: UUID) -> None:
        """Before a document is deleted: no question may keep words of it."""
        found = self._record.read()
        self._stop_and_wait()
        if found is None:
            found = self._record.read()  # it had just begun
        if found and any(question.document_id == document for question in found.questions):
            self._record.forget()

    def at_start(self) -> None:
        """Remove the index of a test that was killed."""
        sweep(self._bench.folder)

    def close(self) -> None:
        """Stop and wait: it reads the library."""
        self._stop_and_wait()

    # -- the job ------------------------------------------------------------------------------

    def _run(self, again: bool) -> None:
        try:
            self._try_all(again=again)
        except TrialStopped:
            changed = not self._cancelled.is_set()
            self._end(CHANGED if changed else "")
        except RagError as error:
            logger.warning("trial failed: %s", error)
            self._end(str(error))
        except Exception:
            logger.exception("trial broke")
            self._end("The test stopped for an unknown reason. See the log, then run it again.")
        else:
            self._end("")

    def _try_all(self, *, again: bool) -> None:
        self._library_then = self._library()
        found = self._begin(again=again)
        names, _ = self._contenders()
        todo = [name for name in names if self._lacks(found, name)]
        self._clock = _Clock({name: self._services.models.estimate(name) for name in todo})
        for place, name in enumerate(todo, 1):
            self._show(embedder=name, place=place, of=len(todo), stage="loading", done=0, total=0)
            self._clock.begin(name)
            self._try(name, found)

    def _begin(self, *, again: bool) -> Found:
        found = None if again else self._found()
        if found is not None:
            self._record.repair()
            return found
        before = self._record.read()
        seed = before.head.seed + 1 if again and before is not None else 0
        questions = make_questions(self._bench.pool, seed=seed, check=self._check)
        if not questions:
            raise ConfigError(
                "No question could be made from these documents: they hold too few sentences, "
                "tables and captions. Add a document with more text."
            )
        return self._record.begin(Head(library=self._library_then, seed=seed), questions)

    def _try(self, name: str, found: Found) -> None:
        asked = found.asked(name)
        questions = [question for question in found.questions if question.id not in asked]
        settings = self._services.embed_settings(name)
        try:
            cost = run_trial(self._bench, settings, questions, self._keep)
        except (ConfigError, EmbedError) as error:
            # One model that cannot be loaded does not end the test of the others.
            logger.warning("not tested embedder=%s: %s", name, error)
            self._record.leave_out(name, str(error))
        else:
            self._record.add(cost)

    def _keep(self, outcome: Outcome) -> None:
        self._record.add(outcome)

    def _check(self) -> None:
        if self._cancelled.is_set() or self._library() != self._library_then:
            raise TrialStopped

    def _progress(self, stage: Stage, done: int, total: int) -> None:
        rest = self._clock.remaining(stage, done, total)
        self._show(stage=stage, done=done, total=total, remaining_s=rest)

    def _show(self, **fields: object) -> None:
        with self._lock:
            self._view = replace(self._view, **fields)  # type: ignore[arg-type] # our own names

    def _end(self, failure: str) -> None:
        with self._lock:
            self._view = TrialView(state="failed" if failure else "idle", failure=failure)

    def _stop_and_wait(self) -> None:
        with self._lock:
            thread = self._thread
        if thread is not None and thread.is_alive():
            self._cancelled.set()
            thread.join(timeout=STOP_WAIT_S)

    # -- what there is ------------------------------------------------------------------------

    def _found(self) -> Found | None:
        found = self._record.read()
        return found if found is not None and found.head.library == self._library() else None

    def _library(self) -> str:
        """A name for what is visible now: another one as soon as any document changes."""
        generation = self._services.library.database.generation()
        if self._known[0] != generation:
            runs = sorted(f"{run.id} {run.stage}" for run in self._bench.runs())
            name = blake2b("\n".join(runs).encode(), digest_size=16).hexdigest()
            self._known = (generation, name)
        return self._known[1]

    @staticmethod
    def _lacks(found: Found, name: str) -> bool:
        everything = {question.id for question in found.questions}
        return name not in found.left_out and not everything <= found.asked(name)

    def _contenders(self) -> tuple[list[str], dict[str, str]]:
        """Embedders that are here, the one in use first; and why others are left out."""
        used = chosen_name(self._services.embed_settings())
        names: list[str] = []
        left_out: dict[str, str] = {}
        choices = {used: "in_use"} | {
            row.choice: row.state for row in self._services.models.rows() if row.choice != used
        }
        for name, state in choices.items():
            if state == "absent":
                continue
            why = self._obstacle(name, state)
            if why:
                left_out[name] = why
            else:
                names.append(name)
        return names, left_out

    def _obstacle(self, name: str, state: str) -> str:
        choice = parse_choice(name)
        if any(facts.is_remote for facts in choice.models):
            return "Hosted: a test would send all documents away."
        if state == "licence":
            licences = " and ".join(f.licence for f in choice.models if f.commercial_use == "no")
            return f"Its licence, {licences}, has not been accepted."
        with suppress(RagError):
            identity_of(self._services.embed_settings(name))
            return ""
        return "It cannot be used with the settings of this Folio."


class _Clock:
    """Seconds that are left: of this embedder by its speed so far, of the others by a guess."""

    def __init__(self, estimates: dict[str, float] | None = None) -> None:
        self._estimates = dict(estimates or {})
        self._stage: Stage = "loading"
        self._started = time.monotonic()
        self._first = 0

    def begin(self, name: str) -> None:
        """An embedder's turn has come; the rest of the estimates are for those after it."""
        self._estimates.pop(name, None)

    def remaining(self, stage: Stage, done: int, total: int) -> float | None:
        """None while nothing tells how fast it goes."""
        if stage != self._stage:
            self._stage, self._started, self._first = stage, time.monotonic(), done
        elapsed = time.monotonic() - self._started
        own = remaining_s(done - self._first, total - self._first, elapsed)
        return None if own is None else own + sum(self._estimates.values())
