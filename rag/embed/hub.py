"""Fetching a model's files into the hub's cache: from the hub, a mirror or a folder.

Knows the catalogue and what is missing; HTTP is in `hub_transfer`, the layout in `hub_cache`.
"""

from __future__ import annotations

import errno
import logging
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.embed.checkpoints import folders_by_kind, snapshot_folder
from rag.embed.hub_cache import (
    Wanted,
    copy_in,
    free_bytes,
    is_digest_of,
    is_whole,
    publish,
    size_of,
)
from rag.embed.hub_transfer import ask, download
from rag.embed.load import is_cached, refuse_unaccepted
from rag.errors import ConfigError, EmbedError, HubError, PullCancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rag.embed.catalogue import Checkpoint, ModelFacts
    from rag.embed.hub_transfer import RemoteFile
    from rag.settings import EmbedSettings

logger = logging.getLogger(__name__)
MB = 1_000_000
RESERVE_MB = 1024  # default of FOLIO_STORE__RESERVE_MB


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """How far a pull is, over all files of the model; `done_bytes` counts what was there."""

    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What a pull did."""

    name: str
    fetched_bytes: int
    folders: tuple[Path, ...]  # where the files are read from; none for what has no files
    note: str = ""  # why nothing was fetched, in one sentence


def files_of(checkpoint: Checkpoint, settings: EmbedSettings) -> tuple[str, ...]:
    """The files of a checkpoint that will be read with these settings."""
    if checkpoint.kind != "jina":
        return checkpoint.files
    rest = tuple(name for name in checkpoint.files if not name.startswith("onnx/"))
    if settings.precision == "int8":
        return (*rest, "onnx/model_int8.onnx")
    return (*rest, "onnx/model.onnx", "onnx/model.onnx_data")


def hub_answers(facts: ModelFacts, timeout_s: float = 5.0, *, endpoint: str | None = None) -> bool:
    """Whether the hub would hand out this model now; one short question, never an error."""
    checkpoint = facts.checkpoints[0]
    if facts.is_built_in or facts.is_remote:
        return False
    try:
        ask(checkpoint, checkpoint.files[0], endpoint=endpoint, deadline_s=timeout_s)
    except HubError as error:
        logger.info("no hub for %s: %s", facts.name, error)
        return False
    return True


def pull(
    facts: ModelFacts,
    settings: EmbedSettings,
    *,
    on_progress: Callable[[PullProgress], object] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
    source: Path | None = None,
    hub_cache: Path | None = None,
    endpoint: str | None = None,
    reserve_mb: int = RESERVE_MB,
) -> Pulled:
    """Bring every file of a model to this machine, at its pinned revision.

    Files that are whole stay; a damaged one is fetched anew; a broken transfer goes on where it
    stopped, also in a later call.

    Args:
        facts: The model.
        settings: Its precision, licence acceptance and folder.
        on_progress: Called in this thread, at most ten times a second and after each file.
        is_cancelled: Asked as often; what has arrived is kept.
        source: A folder that holds the files, or a copy of a hub cache; no network then.
        hub_cache: Where to put them; None is the place that huggingface_hub uses.
        endpoint: The hub to ask; None is HF_ENDPOINT or huggingface.co.
        reserve_mb: Disk that must stay free.

    Raises:
        ConfigError: The licence is not accepted, or `source` does not hold the model.
        HubError: The hub does not answer or refuses, is not to be asked (HF_HUB_OFFLINE),
            or sent something else than it states.
        PullCancelledError: `is_cancelled` said so.
        EmbedError: The disk is full, or a file of `source` is damaged.
    """
    if done := _nothing_to_fetch(facts, settings, source):
        return done
    refuse_unaccepted(facts, settings)
    cache = hub_cache or _default_cache()
    job = _Pull(facts, cache, on_progress, is_cancelled, reserve_mb)
    started = time.monotonic()
    files = [
        Wanted(checkpoint=checkpoint, name=name, hub_cache=cache)
        for checkpoint in facts.checkpoints
        for name in files_of(checkpoint, settings)
    ]
    with _disk_errors(facts, cache):
        missing = [each for each in files if not is_whole(each, job.check)]
        job.done = sum(size_of(each.path) for each in files if each not in missing)
        if source is not None:
            job.copy(missing, source.expanduser())
        else:
            job.fetch(missing, endpoint)
    elapsed_ms = round(1000 * (time.monotonic() - started))
    logger.info("pulled name=%s bytes=%d ms=%d", facts.name, job.fetched, elapsed_ms)
    return Pulled(
        name=facts.name,
        fetched_bytes=job.fetched,
        folders=tuple(snapshot_folder(each, cache) for each in facts.checkpoints),
        note=_note(facts, settings, missing),
    )


class _Pull:
    """One call of `pull`: what is counted, and the two ways to get a file."""

    def __init__(
        self,
        facts: ModelFacts,
        cache: Path,
        on_progress: Callable[[PullProgress], object],
        is_cancelled: Callable[[], bool],
        reserve_mb: int,
    ) -> None:
        self.done = 0  # bytes of whole files
        self.total = 0
        self.fetched = 0
        self._facts = facts
        self._cache = cache
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled
        self._reserve_mb = reserve_mb

    def check(self) -> None:
        """Stop here when somebody wants it."""
        if self._is_cancelled():
            raise PullCancelledError(
                f"Fetching {self._facts.name} was stopped. What has arrived is kept; the next "
                "time it goes on from there."
            )

    def fetch(self, missing: Sequence[Wanted], endpoint: str | None) -> None:
        """Every missing file from the hub."""
        if not missing:
            return
        self._refuse_offline(missing)
        stated = []
        for wanted in missing:
            self.check()
            remote = ask(wanted.checkpoint, wanted.name, endpoint=endpoint)
            stated.append((wanted, remote))
        self.total = self.done + sum(remote.size_bytes for _, remote in stated)
        here = sum(size_of(wanted.partial(remote.digest)) for wanted, remote in stated)
        self._demand_space(self.total - self.done - here)
        for wanted, remote in stated:
            self._fetch_one(wanted, remote, endpoint)

    def copy(self, missing: Sequence[Wanted], source: Path) -> None:
        """Every missing file from a folder."""
        found = [(wanted, _source_of(wanted, source)) for wanted in missing]
        for _, path in found:
            _refuse_damaged(path)
        self.total = self.done + sum(size_of(path) for _, path in found)
        self._demand_space(self.total - self.done)
        for wanted, path in found:
            copy_in(wanted, path, self._watch(wanted))
            self._finish(size_of(path), size_of(path))

    def _fetch_one(self, wanted: Wanted, remote: RemoteFile, endpoint: str | None) -> None:
        watch = self._watch(wanted)
        blob, partial = wanted.blob(remote.digest), wanted.partial(remote.digest)
        partial.parent.mkdir(parents=True, exist_ok=True)
        before = 0
        with self._alone(wanted.lock(remote.digest)):
            if not blob.is_file():  # another process, or another model, may have brought it
                before = size_of(partial)
                download(remote, partial, endpoint=endpoint, watch=watch)
                self._demand_content(partial, remote)
                before = 0 if before > size_of(partial) else before
                fetched = size_of(partial) - before
            else:
                partial, fetched = blob, 0
            publish(wanted, remote.digest, partial)
        self._finish(size_of(wanted.path), fetched)

    @contextmanager
    def _alone(self, lock: Path) -> Iterator[None]:
        """One process at a time; waiting for another one can be cancelled as well."""
        # It is public, but exported in a way that type checkers do not see.
        from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

        lock.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            while True:
                self.check()
                with suppress(TimeoutError):
                    held.enter_context(WeakFileLock(lock, timeout=0.5))
                    break
            yield

    def _watch(self, wanted: Wanted) -> Callable[[int], None]:
        def watch(here: int) -> None:
            self.check()
            self._tell(wanted.name, self.done + here)

        return watch

    def _finish(self, size: int, fetched: int) -> None:
        self.done += size
        self.fetched += fetched

    def _tell(self, file: str, done: int) -> None:
        total = max(self.total, done)  # a hub need not state sizes
        self._on_progress(PullProgress(file=file, done_bytes=done, total_bytes=total))

    def _demand_content(self, partial: Path, remote: RemoteFile) -> None:
        has_size = remote.size_bytes in (0, size_of(partial))
        if has_size and is_digest_of(partial, remote.digest, self.check):
            return
        partial.unlink()
        raise HubError(
            f"{remote.name} of {remote.checkpoint.id} arrived with other content than the hub "
            "states (its checksum is wrong) and was deleted. Try again; if it happens again, use "
            "another network or mirror."
        )

    def _demand_space(self, wanted_bytes: int) -> None:
        free = free_bytes(self._cache)
        lacking = wanted_bytes + self._reserve_mb * MB - free
        if lacking <= 0:
            return
        raise EmbedError(
            f"{self._facts.name} needs {wanted_bytes} bytes more in {self._cache}, and of "
            f"{free // MB} MB free there Folio keeps {self._reserve_mb} MB in reserve. Free at "
            f"least {lacking // MB + 1} MB, or set HF_HOME to a folder on a larger disk."
        )

    def _refuse_offline(self, missing: Sequence[Wanted]) -> None:
        from huggingface_hub import constants

        if not constants.is_offline_mode():
            return
        folders: dict[Path, list[str]] = {}
        for wanted in missing:
            folders.setdefault(wanted.snapshot, []).append(wanted.name)
        places = "; ".join(f"{', '.join(names)} into {path}" for path, names in folders.items())
        raise HubError(
            f"HF_HUB_OFFLINE is set, so nothing is fetched: put {places}; or use `folio models "
            f"pull {self._facts.name} --from DIR`.",
            retryable=False,
        )


def _nothing_to_fetch(
    facts: ModelFacts, settings: EmbedSettings, source: Path | None
) -> Pulled | None:
    """Why there is nothing to do, or None when there is."""
    folder, note = settings.model_dir, ""
    if facts.is_built_in:
        note = f"{facts.name} comes with Folio; there is nothing to fetch."
    elif facts.is_remote:
        note = f"{facts.name} runs at its provider; there is nothing to fetch."
    elif source is None and folder is not None and is_cached(facts, settings):
        note = f"{facts.name} is read from {folder}; nothing was fetched."
        return Pulled(name=facts.name, fetched_bytes=0, folders=(folder,), note=note)
    return Pulled(name=facts.name, fetched_bytes=0, folders=(), note=note) if note else None


def _note(facts: ModelFacts, settings: EmbedSettings, missing: Sequence[Wanted]) -> str:
    if settings.model_dir is not None:
        return (
            f"FOLIO_EMBED__MODEL_DIR is set, so {facts.name} is looked for in "
            f"{settings.model_dir} only. Take it out to use what was fetched."
        )
    return "" if missing else f"All files of {facts.name} are here already."


def _source_of(wanted: Wanted, source: Path) -> Path:
    """A file in a folder of one's own, which may be a copied hub cache."""
    if not source.is_dir():
        raise ConfigError(f"There is no folder {source}. Correct --from.")
    folder = snapshot_folder(wanted.checkpoint, source)
    if not folder.is_dir():
        folders = folders_by_kind(source)
        if wanted.checkpoint.kind not in folders:
            raise ConfigError(
                f"{source} does not hold {wanted.checkpoint.id}. It must be there, itself or in "
                f"a subfolder, with {', '.join(wanted.checkpoint.files)}."
            )
        folder = folders[wanted.checkpoint.kind]
    path = folder / wanted.name
    if not path.is_file():
        raise ConfigError(f"{folder} lacks {wanted.name} of {wanted.checkpoint.id}. Copy it there.")
    return path


def _refuse_damaged(path: Path) -> None:
    """Weights that were cut short on their way to the folder are seen by their header."""
    if path.suffix != ".safetensors":
        return
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy"):
            pass
    except (OSError, SafetensorError) as error:
        raise EmbedError(f"{path} is damaged ({error}). Copy it again.") from error


@contextmanager
def _disk_errors(facts: ModelFacts, cache: Path) -> Iterator[None]:
    """Failures of the disk as sentences."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise EmbedError(
                f"The disk became full while {facts.name} was put into {cache}. Free some space "
                "and try again; what has arrived is kept."
            ) from error
        raise EmbedError(
            f"{facts.name} cannot be put into {cache} ({error.strerror or error}). Check the "
            "folder, or set HF_HOME to another one."
        ) from error


def _default_cache() -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)
