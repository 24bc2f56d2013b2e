"""Taking documents in and letting them go: the queue, the reading, deletes. No Streamlit.

Knows files, rows and the thread that reads. Nothing of questions or answers.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import NotFoundError
from rag.types import DeleteReceipt
from ui.views import Added, Progress, needs_password, to_view
from ui.worker import IngestWorker

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from ingest.pipeline import Pipeline
    from rag.files import FileStore
    from rag.library import Library
    from rag.settings import IngestSettings
    from ui.indexing import Indexing

SAMPLE_DIR = Path(__file__).resolve().parent.parent / "sample_data"


class Intake:
    """The way of documents into one library, and out of it. Safe to share between threads."""

    def __init__(
        self,
        *,
        library: Library,
        files: FileStore,
        indexing: Indexing,
        limits: IngestSettings,
        workspace: str,
        before_delete: Callable[[UUID], None],
        after_delete: Callable[[UUID], None],
    ) -> None:
        """Wire it up; the parser and the thread come with the first document.

        Args:
            library: Rows.
            files: Originals and pictures.
            indexing: Where vectors go.
            limits: Against mistakes and hostile files.
            workspace: Whose documents.
            before_delete: Told of each document that is about to go.
            after_delete: Told of each that is gone.
        """
        self._library = library
        self._files = files
        self._indexing = indexing
        self._limits = limits
        self._workspace = workspace
        self._before_delete = before_delete
        self._after_delete = after_delete

    @cached_property
    def pipeline(self) -> Pipeline:
        """Reads one document at a time."""
        from ingest.pipeline import Pipeline

        return Pipeline(
            library=self._library,
            files=self._files,
            store=self._indexing.store,
            embedder=self._indexing.embedder,
            purge=self._indexing.purge,
            cache=self._indexing.cache,
            turns=self._indexing.document_turns,
            limits=self._limits,
            workspace=self._workspace,
        )

    @cached_property
    def _worker(self) -> IngestWorker:
        return IngestWorker(self.pipeline)

    def progress(self) -> list[Progress]:
        """What is being read or waits for it."""
        jobs = self._worker.jobs() if "_worker" in self.__dict__ else []
        states = {d.id: d.state for d in self._library.documents.all(self._workspace)}
        return [to_view(job, states.get(job.document_id, "queued")) for job in jobs]

    def add_file(self, name: str, data: bytes, *, asset_dir: Path | None = None) -> Added:
        """Admit a file and read it in the background.

        Raises:
            RagError: It is refused; the message is one plain sentence.
        """
        self._indexing.check()
        admitted = self.pipeline.admit(name, data, asset_dir=asset_dir)
        document = admitted.document
        if not admitted.is_known:
            self._worker.enqueue(document.id, document.name)
        return Added(
            document_id=document.id,
            name=document.name,
            duplicate_of=document.name if admitted.is_known else None,
        )

    def add_sample(self) -> int:
        """Queue the sample documents; returns how many are new."""
        paths = sample_paths()
        if not paths:
            raise NotFoundError("The sample documents are not part of this installation.")
        added = [self.add_file(p.name, p.read_bytes(), asset_dir=p.parent) for p in paths]
        return sum(entry.duplicate_of is None for entry in added)

    def unlock(self, document_id: UUID, password: str) -> None:
        """Read an encrypted document with its password, which stays in memory only.

        A wrong one shows as the document's failure again.

        Raises:
            NotFoundError: The document or its file is gone.
        """
        self._indexing.check()
        document = self._library.documents.get(document_id)
        if not needs_password(document):  # read meanwhile, from another window
            return
        if not self._files.exists(document.sha256):
            raise NotFoundError(f"The file {document.name} is no longer kept. Add it again.")
        self._library.documents.requeue(document_id)
        self._worker.enqueue(document_id, document.name, password)

    def resume(self) -> None:
        """Go on with what a crash or a restart left unfinished."""
        documents = self._library.documents.all(self._workspace)
        if any(d.state in ("queued", "working", "readable") for d in documents):
            self._worker.resume()

    def cancel(self, document_id: UUID) -> None:
        """Stop reading a document and forget it."""
        if not self._worker.cancel(document_id):
            self.delete(document_id)

    def delete(self, document_id: UUID) -> DeleteReceipt:
        """Remove a document for good."""
        name = self._library.documents.get(document_id).name
        self._before_delete(document_id)
        if "_worker" in self.__dict__:
            self._worker.cancel(document_id, wait=True)
        try:
            points, rows, files = self.pipeline.delete(document_id)
        except NotFoundError:  # the worker has just removed it
            points = rows = files = 0
        self._after_delete(document_id)
        return DeleteReceipt(
            id=document_id, name=name, points_left=points, rows_left=rows, files_left=files
        )

    def close(self) -> None:
        """Stop reading; what is cut off is gone on with at the next start."""
        if "_worker" in self.__dict__:
            self._worker.close()


def sample_paths() -> list[Path]:
    """The sample documents of this checkout, in reading order."""
    return sorted(p for p in SAMPLE_DIR.glob("*") if p.suffix in (".pdf", ".html"))
