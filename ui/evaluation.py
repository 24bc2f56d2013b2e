"""A library for one evaluation: built in a temporary folder, gone afterwards. No command line.

Vectors of passages and pictures are kept beside the user's library, in a file of their own,
so that a second run embeds nothing: the library's own cache belongs to its documents and is
purged with them. The file is copied in and, after a whole run, back in one step; two runs
at a time or a cut-off one can at worst make it older.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.parts import DocumentHead, ParsedPage, Part
from rag.errors import CorruptFileError, DiskReserveError, DocumentError, StoreError
from rag.store.disk import check_reserve
from rag.types import PICTURES, WORDS, Scope
from ui.services import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from rag.settings import EmbedSettings, Settings
    from rag.types import Document, Group, Item, LegName, Retrieval
    from ui.services import Services

logger = logging.getLogger(__name__)
VECTORS = "evaluation-vectors.sqlite"
MAX_VECTORS_MB = 500  # begun anew when larger: 300,000 vectors of 384 numbers
MB = 1_000_000


class ThrowAwayLibrary:
    """`evals.system.System` over the wiring of the app."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def embedder(self) -> str:
        return self._services.status().embedder

    @property
    def embed_settings(self) -> EmbedSettings:
        """Which embedder it uses, with all that its vectors depend on."""
        return self._services.embed_settings()

    def add_file(self, path: Path) -> Document:
        pipeline = self._services.pipeline
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CorruptFileError(f"{path.name} cannot be read: {error.strerror}.") from error
        admitted = pipeline.admit(path.name, data, asset_dir=path.parent)
        if admitted.is_known:
            return admitted.document
        return _taken_in(pipeline.run(admitted.document.id))

    def add_passage(self, name: str, title: str, text: str) -> Document:
        pipeline = self._services.pipeline
        # The pipeline of every file, so that what is measured is what a user has; only the
        # child that parses is left out, whose start costs more than embedding an abstract.
        # The name makes the content its own: two passages may have the same words.
        admitted = pipeline.admit(f"{name}.txt", f"{name}\n\n{title}\n\n{text}".encode())
        return _taken_in(pipeline.run(admitted.document.id, parsed=_parsed(title, text)))

    def parts(self, document: UUID) -> list[Item]:
        library = self._services.library
        run = library.documents.run_of(document)
        return library.items.of_run(run, (*WORDS, *PICTURES)) if run else []

    def search(
        self,
        question: str,
        *,
        documents: Sequence[UUID] = (),
        only: Sequence[LegName] = (),
        group: Group | None = None,
    ) -> Retrieval:
        scope = Scope(workspace=self._services.workspace, documents=tuple(documents), group=group)
        return self._services.search(question, scope=scope, only=only, explain=True)


@contextmanager
def throw_away_library(settings: Settings) -> Iterator[ThrowAwayLibrary]:
    """An empty library with the embedder that is set, deleted when the body is left.

    Raises:
        RagError: The embedder is unknown or cannot be used here.
    """
    with tempfile.TemporaryDirectory(prefix="folio-eval-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _bring_vectors(settings, folder)
        # Never on the user's server: a kill would leave a collection there.
        store = settings.store.model_copy(update={"url": None})
        services = build(settings.model_copy(update={"data_dir": folder, "store": store}))
        try:
            services.embedder()  # one that cannot be loaded ends the run, not each document
            yield ThrowAwayLibrary(services)
        finally:
            services.close()
        _keep_vectors(settings, folder)


def _taken_in(document: Document) -> Document:
    """The document, be its file readable or not; a full disk is not the file's fault.

    Raises:
        StoreError: Something else than the file failed.
    """
    at_fault = {DocumentError.kind, *(error.kind for error in DocumentError.__subclasses__())}
    if document.error is not None and document.error.kind not in at_fault:
        raise StoreError(document.error.message)
    return document


def settings_in_words(library: ThrowAwayLibrary, settings: Settings) -> dict[str, str]:
    """What the numbers of a run depend on, for its record."""
    from rag.embed import identity_of

    packages = ("folio-rag", "qdrant-edge-py", "pymupdf", "torch", "transformers", "ir-measures")
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "embedder": library.embedder,
        "embedder identity": identity_of(library.embed_settings),
        "hits shown": str(settings.retrieve.top_k),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        **{package: _version(package) for package in packages},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _parsed(title: str, text: str) -> list[DocumentHead | ParsedPage]:
    bodies = [words for words in (title, text) if words.strip()]
    parts = tuple(
        Part(kind="text", text=words, anchor=str(number)) for number, words in enumerate(bodies, 1)
    )
    page = ParsedPage(page_number=None, size=None, page_class="text", parts=parts)
    return [DocumentHead(media_type="text", page_count=None, title=title.strip()), page]


def _bring_vectors(settings: Settings, folder: Path) -> None:
    kept = settings.data_dir / VECTORS
    try:
        if kept.stat().st_size <= MAX_VECTORS_MB * MB:
            shutil.copyfile(kept, folder / "cache.sqlite")
    except FileNotFoundError:
        return
    except OSError as error:
        logger.warning("vectors of earlier evaluations not used: %s", error)


def _keep_vectors(settings: Settings, folder: Path) -> None:
    made, kept = folder / "cache.sqlite", settings.data_dir / VECTORS
    part = kept.with_name(f"{VECTORS}.{os.getpid()}.part")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        check_reserve(kept.parent, settings.store.reserve_mb)
        shutil.copyfile(made, part)
        part.replace(kept)
    except (OSError, DiskReserveError) as error:
        logger.warning("vectors of this evaluation not kept: %s", error)
    finally:
        part.unlink(missing_ok=True)
