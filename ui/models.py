"""Embedders for the app: which there are, fetching one, switching to one, what to offer.

Knows the services and two background threads. No Streamlit, no torch.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ingest.reindex import ReindexStopped, estimate_s, remaining_s
from rag.embed.catalogue import CATALOGUE, MINILM, NOMIC
from rag.embed.choice import chosen_name, parse_choice
from rag.embed.load import identity_of, is_cached, refuse_unaccepted
from rag.errors import ConfigError, RagError
from ui.embedding import accepted_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rag.embed.catalogue import ModelFacts
    from rag.embed.hub import PullProgress
    from rag.settings import EmbedSettings
    from ui.services import Services

logger = logging.getLogger(__name__)

DEFAULT = NOMIC.name  # what design.md calls the default; minilm only bridges the first minutes
IDLE_POLL_S = 1.0
RETRY_S = 15 * 60.0  # between tries to reach a hub that did not answer
DISMISSED, CHOSEN, NOT_FETCHED = "offer_dismissed", "embedder", "default_not_wanted"

RowState = Literal["in_use", "ready", "absent", "licence", "key"]
JobKind = Literal["fetch", "switch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model as the Models page shows it."""

    facts: ModelFacts
    choice: str  # what a switch to it would set: itself, or beside the text model in use
    state: RowState
    estimate_s: float  # to embed this library with it, on this computer; 0 when it is empty


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelJob:
    """How far a fetch (bytes) or a switch (points) is; `failure` is one plain sentence."""

    kind: JobKind
    name: str
    done: int = 0
    total: int = 0
    remaining_s: float | None = None
    failure: str = ""
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A switch that would help, and why. Nothing switches without a click."""

    name: str
    strong: str
    rest: str
    can_dismiss: bool


class Models:
    """The embedders of one library. Safe to call from any thread."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._jobs: dict[JobKind, _Job] = {}
        self._closing = threading.Event()

    # -- what the page shows -------------------------------------------------------------

    def rows(self) -> list[ModelRow]:
        """Every model of the catalogue, the one in use first."""
        settings = self._services.embed_settings()
        used = parse_choice(chosen_name(settings))
        rows = [self._row(facts, settings) for facts in CATALOGUE]
        return sorted(rows, key=lambda row: row.facts not in used.models)

    def jobs(self) -> list[ModelJob]:
        """Fetches and switches that run, or have just failed."""
        with self._lock:
            return [job.view for job in self._jobs.values()]

    def offer(self) -> Offer | None:
        """What to propose above the conversation, if anything."""
        services = self._services
        if any(job.kind == "switch" and not job.is_over for job in self.jobs()):
            return None
        wanted = chosen_name(services.embed_settings())
        if sentence := services.mismatch():
            return Offer(
                name=wanted,
                strong="The index must be made again.",
                rest=sentence,
                can_dismiss=False,
            )
        if not self._could_offer_default() or services.library.choices.get(DISMISSED):
            return None
        return Offer(
            name=DEFAULT,
            strong=f"{DEFAULT} is ready: it finds pictures by what they show.",
            rest="Your documents are embedded again, nothing is read again, and you can go on"
            " asking meanwhile.",
            can_dismiss=True,
        )

    def estimate(self, name: str) -> float:
        """Seconds to embed this library with an embedder, from figures of the catalogue."""
        texts, pictures = self._services.library.indexes.embed_counts(self._services.workspace)
        threads = self._services.settings.embed.threads
        return estimate_s(parse_choice(name), texts, pictures, threads)

    def fixed_by_settings(self) -> str:
        """The embedder that the settings name; "" when the page may choose."""
        return self._services.settings.embed.model or ""

    # -- what its buttons do -------------------------------------------------------------

    def accept_licence(self, name: str) -> None:
        """Remember that the licence of a model was read and accepted."""
        self._services.library.choices.set(accepted_key(name), datetime.now(UTC).isoformat())

    def dismiss_offer(self) -> None:
        """Do not offer the default embedder again."""
        self._services.library.choices.set(DISMISSED, DEFAULT)

    def fetch(self, name: str) -> None:
        """Fetch the files of an embedder in the background.

        Raises:
            ConfigError: Its licence is not accepted, or another fetch runs.
        """
        choice = parse_choice(name)
        settings = self._services.embed_settings(name)
        for facts in choice.models:
            refuse_unaccepted(facts, settings)
        self._start("fetch", name, lambda job: self._fetch(choice.models, job))

    def switch(self, name: str) -> None:
        """Embed the library with another embedder in the background, then answer with it.

        Raises:
            RagError: It cannot be used here; nothing was started.
        """
        fixed = self.fixed_by_settings()
        if fixed and fixed != name:
            raise ConfigError(
                f"FOLIO_EMBED__MODEL={fixed} is set. Take it out to choose the model here."
            )
        embed = self._services.embed_settings(name)
        identity_of(embed)
        self._services.library.choices.set(CHOSEN, name)
        self._start("switch", name, lambda job: self._switch(embed, job))

    def stop(self, kind: JobKind) -> None:
        """Stop a fetch or a switch; what is done is kept for the next time."""
        with self._lock:
            job = self._jobs.get(kind)
        if job is None:
            return
        job.cancelled.set()
        if kind == "fetch" and job.view.name == DEFAULT:
            self._services.library.choices.set(NOT_FETCHED, "1")

    def forget_failures(self) -> None:
        """Dismiss the sentences of what failed."""
        with self._lock:
            self._jobs = {kind: job for kind, job in self._jobs.items() if not job.view.is_over}

    def close(self) -> None:
        """Stop both threads, and wait for the switch: it writes to the library."""
        self._closing.set()
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancelled.set()
        for job in jobs:
            if job.view.kind == "switch":
                job.thread.join(timeout=30)

    # -- by itself -----------------------------------------------------------------------

    def at_start(self) -> None:
        """Go on with a switch that a restart cut off; fetch or use the default embedder."""
        unfinished = self._services.library.indexes.unfinished()
        if unfinished is not None and self.fixed_by_settings() in ("", unfinished.embedder):
            self._try_switch(unfinished.embedder)
        elif self._may_fetch_default():
            threading.Thread(target=self._fetch_default, name="default", daemon=True).start()
        else:
            threading.Thread(target=self._default_when_idle, name="default", daemon=True).start()

    def _may_fetch_default(self) -> bool:
        embed = self._services.settings.embed
        is_wanted = embed.fetch_default and embed.model is None and embed.model_dir is None
        is_offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON")
        refused = self._services.library.choices.get(NOT_FETCHED)
        return is_wanted and not is_offline and not refused and not is_cached(NOMIC, embed)

    def _fetch_default(self) -> None:
        from rag.embed.hub import hub_answers

        while not self._closing.is_set() and self._may_fetch_default():
            if hub_answers(NOMIC):
                try:
                    self.fetch(DEFAULT)
                except ConfigError:  # somebody fetches already
                    return
                return
            self._closing.wait(RETRY_S)

    def _default_when_idle(self) -> None:
        """The sample may still be being read, by the embedder that is in use."""
        while self._services.progress() and not self._closing.wait(IDLE_POLL_S):
            pass
        if not self._closing.is_set():
            self._use_default_for_sample()

    def _use_default_for_sample(self) -> None:
        """A library that holds only the sample moves to the default embedder by itself."""
        if self._could_offer_default() and self._holds_only_sample():
            self._try_switch(DEFAULT)

    def _could_offer_default(self) -> bool:
        services = self._services
        index = services.library.indexes.active()
        return (
            services.settings.embed.model is None
            and index is not None
            and index.embedder == MINILM.name
            and not services.library.choices.get(CHOSEN)
            and not services.library.items.is_empty(services.workspace)
            and is_cached(NOMIC, services.settings.embed)
        )

    def _holds_only_sample(self) -> bool:
        return {d.sha256 for d in self._services.documents()} <= self._sample_digests

    @cached_property
    def _sample_digests(self) -> frozenset[str]:
        from ui.intake import sample_paths

        def digest(path: Path) -> str:
            return hashlib.sha256(path.read_bytes()).hexdigest()

        return frozenset(map(digest, sample_paths()))

    def _try_switch(self, name: str) -> None:
        embed = self._services.embed_settings(name)
        try:
            identity_of(embed)
            self._start("switch", name, lambda job: self._switch(embed, job))
        except RagError as error:
            logger.warning("not switched embedder=%s: %s", name, error)

    # -- the two jobs --------------------------------------------------------------------

    def _fetch(self, models: Sequence[ModelFacts], job: _Job) -> None:
        from rag.embed.hub import pull

        for facts in models:
            settings = self._services.embed_settings(facts.name)
            if facts.is_built_in or facts.is_remote:
                continue
            pull(
                facts,
                settings,
                on_progress=job.count_bytes,
                is_cancelled=job.cancelled.is_set,
                reserve_mb=self._services.settings.store.reserve_mb,
            )
        if job.view.name == DEFAULT and not job.cancelled.is_set():
            self._default_when_idle()

    def _switch(self, embed: EmbedSettings, job: _Job) -> None:
        self._services.reindex(
            embed, on_progress=job.count_points, is_cancelled=job.cancelled.is_set
        )

    def _start(self, kind: JobKind, name: str, work: Callable[[_Job], None]) -> None:
        with self._lock:
            running = self._jobs.get(kind)
            if running is not None and not running.view.is_over:
                what = "fetched" if kind == "fetch" else "prepared"
                raise ConfigError(f"{running.view.name} is being {what}. Wait, or stop that first.")
            job = self._jobs[kind] = _Job(kind, name, work, done=self._forget)
        job.thread.start()

    def _forget(self, kind: JobKind) -> None:
        with self._lock:
            self._jobs.pop(kind, None)

    def _row(self, facts: ModelFacts, settings: EmbedSettings) -> ModelRow:
        used = parse_choice(chosen_name(settings))
        name = facts.name if "text" in facts.lanes else f"{used.text.name}+{facts.name}"
        is_used = chosen_name(settings) == name or facts in used.models
        return ModelRow(
            facts=facts,
            choice=name,
            state="in_use" if is_used else self._state(facts),
            estimate_s=self.estimate(name),
        )

    def _state(self, facts: ModelFacts) -> RowState:
        settings = self._services.embed_settings(facts.name)
        try:
            refuse_unaccepted(facts, settings)
        except ConfigError:
            return "licence"
        if is_cached(facts, settings):
            return "ready"
        return "key" if facts.is_remote else "absent"


class _Job:
    """A thread and what it says of itself."""

    def __init__(
        self,
        kind: JobKind,
        name: str,
        work: Callable[[_Job], None],
        *,
        done: Callable[[JobKind], None],
    ) -> None:
        self.view = ModelJob(kind=kind, name=name)
        self.cancelled = threading.Event()
        self._work = work
        self._done = done
        self._started = time.monotonic()
        self._first: int | None = None
        self.thread = threading.Thread(target=self._run, name=kind, daemon=True)

    def count_bytes(self, progress: PullProgress) -> None:
        """Take in how far a fetch is."""
        self.count_points(progress.done_bytes, progress.total_bytes)

    def count_points(self, done: int, total: int) -> None:
        """Take in how far it is; what was done before this start tells nothing of its speed."""
        if self._first is None:
            self._first, self._started = done, time.monotonic()
        elapsed = time.monotonic() - self._started
        rest = remaining_s(done - self._first, total - self._first, elapsed)
        self.view = replace(self.view, done=done, total=total, remaining_s=rest)

    def _run(self) -> None:
        try:
            self._work(self)
        except ReindexStopped:  # what is done is kept, and nobody needs a sentence
            self._done(self.view.kind)
        except RagError as error:
            self._fail(str(error), error)
        except Exception as error:  # noqa: BLE001 - the rim of a background job
            self._fail("It stopped for an unknown reason. See the log, then try again.", error)
        else:
            self._done(self.view.kind)

    def _fail(self, sentence: str, error: Exception) -> None:
        if self.cancelled.is_set():  # by a person, who needs no sentence
            self._done(self.view.kind)
            return
        if isinstance(error, RagError):
            logger.warning("%s failed name=%s: %s", self.view.kind, self.view.name, error)
        else:
            logger.error("%s broke name=%s", self.view.kind, self.view.name, exc_info=error)
        self.view = replace(self.view, failure=sentence, is_over=True)
