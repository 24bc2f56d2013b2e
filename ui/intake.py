"""Taking documents in and letting them go: the queue, the reading, deletes. No Streamlit.

Knows files, rows and the thread that reads. Nothing of questions or answers. Two documents
of one name live side by side, the newer as "report (2).pdf", until somebody says otherwise:
so nothing is lost by a kill, and a search finds the old one until the new one is ready.
"""

from __future__ import annotations

import shutil
import threading
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.progress import Progress as Job
from rag.errors import ConfigError, NotFoundError, RagError
from rag.library.documents import document_id as id_of
from rag.types import DeleteReceipt
from ui.folder import keep_assets
from ui.news import NewsBoard
from ui.views import Added, Progress, SameName, needs_password, to_view
from ui.worker import IngestWorker, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from ingest.pipeline import Pipeline
    from rag.files import FileStore
    from rag.library import Library
    from rag.settings import Settings
    from rag.types import Document, DocumentState
    from ui.folder import Incoming
    from ui.indexing import Indexing
    from ui.news import NewsKind

MB = 1_000_000
UNREAD: tuple[DocumentState, ...] = ("queued", "working", "readable")
SAMPLE_DIR = Path(__file__).resolve().parent.parent / "sample_data"


class Intake:
    """The way of documents into one library, and out of it. Safe to share between threads."""

    def __init__(
        self,
        *,
        library: Library,
        files: FileStore,
        indexing: Indexing,
        settings: Settings,
        workspace: str,
        before_delete: Callable[[UUID], None],
        after_delete: Callable[[UUID], None],
    ) -> None:
        """Wire it up; the parser and the thread come with the first document.

        Args:
            library: Rows.
            files: Originals and pictures.
            indexing: Where vectors go.
            settings: The data folder, and limits against mistakes and hostile files.
            workspace: Whose documents.
            before_delete: Told of each document that is about to go.
            after_delete: Told of each that is gone.
        """
        self._library = library
        self._files = files
        self._indexing = indexing
        self._limits = settings.ingest
        self._asset_dir = settings.data_dir / "assets"
        self._workspace = workspace
        self._before_delete = before_delete
        self._after_delete = after_delete
        self._naming = threading.Lock()  # two files of one name must not take one free name
        self.news = NewsBoard()

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
        return IngestWorker(
            self.pipeline, on_end=self._ended, on_recovered=self._finish_what_was_cut_off
        )

    def progress(self) -> list[Progress]:
        """What is being read or waits for it."""
        jobs = self._worker.jobs() if "_worker" in self.__dict__ else []
        known = self.states() if jobs else {}
        views = []
        for ahead, job in enumerate(jobs):
            name, state = known.get(job.document_id, (job.name, "queued"))
            views.append(to_view(job, state, name=name, ahead=ahead))
        return views

    def series(self) -> Series | None:
        """How far all files are together, None when nothing is read."""
        return self._worker.series() if "_worker" in self.__dict__ else None

    def states(self) -> dict[UUID, tuple[str, DocumentState]]:
        """Name and state of every document, newest first; quick also with thousands."""
        return self._library.documents.states(self._workspace)

    # -- coming in -----------------------------------------------------------------------

    def add_file(self, name: str, data: bytes, *, asset_dir: Path | None = None) -> Added:
        """Admit a file and read it in the background.

        One whose name is taken by other content is kept as "name (2)"; `same_names` then
        asks which is to stay.

        Raises:
            RagError: It is refused; the message is one plain sentence.
        """
        self._indexing.check()
        with self._naming:
            names = self._library.replacements
            old_id = names.named(self._workspace, name)
            free = names.free_name(self._workspace, name) if old_id else None
            admitted = self.pipeline.admit(name, data, asset_dir=asset_dir, shown_as=free)
            document = admitted.document
            came_anew = not admitted.is_known and document.name == free
            if old_id and came_anew:
                names.ask(document.id, old_id, name)
        if not admitted.is_known:
            self._enqueue(document)
        return Added(
            document_id=document.id,
            name=document.name,
            duplicate_of=document.name if admitted.is_known else None,
            same_name_as=old_id if came_anew else None,
        )

    def add(self, file: Incoming) -> Added:
        """Admit a file of a drop, with the pictures that were saved beside it.

        Raises:
            RagError: As for `add_file`.
        """
        data = file.read()
        new_id = id_of(self._workspace, sha256(data).hexdigest())
        folder = self._asset_dir / str(new_id)
        if not file.assets or new_id in self.states():
            return self.add_file(file.name, data)
        most_bytes = self._limits.max_file_mb * MB
        has_any = keep_assets(file.assets, folder, most_bytes=most_bytes)
        try:
            return self.add_file(file.name, data, asset_dir=folder if has_any else None)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

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
        self._enqueue(document, password)

    def can_retry(self, document: Document) -> bool:
        """Whether reading a failed document once more may help: its file is kept for that."""
        may = document.state == "failed" and not needs_password(document)
        return may and self._files.exists(document.sha256)

    def retry(self, document_id: UUID) -> None:
        """Read a failed document once more.

        Raises:
            NotFoundError: The document or its file is gone.
        """
        self._indexing.check()
        document = self._library.documents.get(document_id)
        if document.state != "failed":  # tried again meanwhile, from another window
            return
        if not self.can_retry(document):
            raise NotFoundError(f"The file {document.name} is no longer kept. Add it again.")
        self._library.documents.requeue(document_id)
        self._enqueue(document)

    def read_again(self, document_id: UUID) -> None:
        """Read the kept file of a document anew; what is found of it stays until that is done.

        Raises:
            NotFoundError: The document or its file is gone.
            ConfigError: It is not ready yet.
        """
        self._indexing.check()
        document = self._library.documents.get(document_id)
        if document.state != "ready":
            raise ConfigError(f"{document.name} is not ready yet. Wait until it has been read.")
        if not self._files.exists(document.sha256):
            raise NotFoundError(f"The file {document.name} is no longer kept. Add it again.")
        if all(job.document_id != document_id for job in self._worker.jobs()):
            self._enqueue(document, is_again=True)

    def _enqueue(
        self, document: Document, password: str | None = None, *, is_again: bool = False
    ) -> None:
        job = Job(
            document_id=document.id,
            name=document.name,
            is_again=is_again,
            size_bytes=document.size_bytes,
        )
        self._worker.enqueue(job, password)

    # -- one name, two documents -----------------------------------------------------------

    def same_names(self) -> list[SameName]:
        """Newer documents that came under a taken name, oldest first."""
        found = []
        for pair in self._library.replacements.all():
            try:
                new = self._library.documents.get(pair.document_id)
                old = self._library.documents.get(pair.old_id)
            except NotFoundError:  # deleted this moment
                continue
            found.append(SameName(name=pair.name, new=new, old=old, is_wanted=pair.is_wanted))
        return found

    def keep_both(self, document_id: UUID) -> None:
        """The newer one keeps the name it has."""
        self._library.replacements.drop(document_id)

    def replace_old(self, document_id: UUID) -> None:
        """Let a newer document take the place and the name of the older, once it is ready.

        Raises:
            NotFoundError: One of them is gone.
        """
        self._library.replacements.want(document_id)
        document = self._library.documents.get(document_id)
        if document.state == "ready":
            self._take_place(document)
        elif document.state == "failed":
            self._give_up_place(document)

    def _take_place(self, document: Document) -> None:
        old_id = self._library.replacements.take_place(document.id)
        if old_id is None:
            return
        name = self._library.documents.get(document.id).name
        self.delete(old_id)
        self.news.put("replaced", name, document_id=document.id)

    def _give_up_place(self, document: Document) -> None:
        pair = self._library.replacements.get(document.id)
        if pair is not None and pair.is_wanted:
            self._library.replacements.drop(document.id)
            why = document.error.message if document.error else ""
            self.news.put("not_replaced", pair.name, why, document.id)

    # -- in the worker's thread --------------------------------------------------------------

    def _ended(self, job: Job, document: Document | None, error: RagError | None) -> None:
        if job.is_again:
            kind: NewsKind = "not_read_again" if error else "read_again"
            self.news.put(kind, job.name, str(error or ""), job.document_id)
            return
        if document is None:
            return
        pair = self._library.replacements.get(document.id)
        if pair is not None and pair.is_wanted:
            if document.state == "ready":
                self._take_place(document)
            else:
                self._give_up_place(document)

    def _finish_what_was_cut_off(self) -> None:
        for pair in self._library.replacements.all():
            document = self._library.documents.get(pair.document_id)
            if pair.is_wanted and document.state == "ready":
                self._take_place(document)
        self._sweep_assets()

    def _sweep_assets(self) -> None:
        known = {str(id_) for id_ in self.states()}
        for folder in self._asset_dir.glob("*"):
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def resume(self) -> None:
        """Go on with what a crash or a restart left unfinished."""
        unread = any(state in UNREAD for _, state in self.states().values())
        cut_off = any(pair.is_wanted for pair in self._library.replacements.all())
        if unread or cut_off or self._library.documents.unfinished():
            self._worker.resume()

    def cancel(self, document_id: UUID) -> None:
        """Stop reading a document and forget it; one that is read again stays as it was."""
        jobs = [job for job in self._worker.jobs() if job.document_id == document_id]
        is_again = any(job.is_again for job in jobs)
        if not self._worker.cancel(document_id) and not is_again:
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
        shutil.rmtree(self._asset_dir / str(document_id), ignore_errors=True)
        return DeleteReceipt(
            id=document_id, name=name, points_left=points, rows_left=rows, files_left=files
        )

    def stop_reading(self, document_ids: Sequence[UUID]) -> None:
        """Take documents out of the queue, so that none begins while others are deleted."""
        if "_worker" in self.__dict__:
            for document_id in document_ids:
                self._worker.cancel(document_id)

    def close(self) -> None:
        """Stop reading; what is cut off is gone on with at the next start."""
        if "_worker" in self.__dict__:
            self._worker.close()


def sample_paths() -> list[Path]:
    """The sample documents of this checkout, in reading order."""
    return sorted(p for p in SAMPLE_DIR.glob("*") if p.suffix in (".pdf", ".html"))
