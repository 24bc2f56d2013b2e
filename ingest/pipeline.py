"""One file from bytes to searchable items: admit, parse, chunk, embed, publish.

Knows the order of the stages and what undoes them. Nothing of a stage is visible
until all of it is (design.md 3); a kill falls back to the last whole stage.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from ingest.child import parse_in_child
from ingest.chunk import chunk_parts
from ingest.detect import detect_media_type
from ingest.links import find_links
from ingest.pagelabels import PageLabels
from ingest.parts import DocumentHead, ParsedPage
from ingest.progress import Cancelled as Cancelled
from ingest.progress import Progress as Progress
from ingest.removal import Removal
from ingest.run_writer import RunWriter
from rag.embed.caps import passages_note
from rag.errors import (
    DocumentError,
    EmptyFileError,
    EncryptedFileError,
    FileTooLargeError,
    RagError,
)
from rag.library.documents import READABLE, READY, shown_name
from rag.library.pages import Note
from rag.look_alikes import LookAlikes
from rag.types import LOCAL_WORKSPACE, PICTURES, WORDS, Document, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from rag.embed.cache import VectorCache
    from rag.embed.lanes import Embedder
    from rag.embed.turns import Turns
    from rag.files import FileStore
    from rag.library import Library
    from rag.library.documents import Run
    from rag.settings import IngestSettings
    from rag.store import Filter, Store

logger = logging.getLogger(__name__)

# Small enough that a question waits for one batch at most, large enough to sort by length.
EMBED_BATCH = 64
MB = 1_000_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What the gate said: the document, and whether it is already in the library."""

    document: Document
    is_known: bool


class Pipeline:
    """Takes files into one library. One document at a time; call it from one thread."""

    def __init__(
        self,
        *,
        library: Library,
        files: FileStore,
        store: Callable[[], Store],
        embedder: Callable[[], Embedder],
        purge: Callable[[Filter], int],
        cache: VectorCache,
        turns: Turns,
        limits: IngestSettings,
        workspace: str = LOCAL_WORKSPACE,
    ) -> None:
        """Wire it up.

        Args:
            library: Rows.
            files: Originals and pictures.
            store: The collection to write to.
            embedder: Makes its vectors.
            purge: As for `Removal`.
            cache: As for `Removal`.
            turns: Held for one whole document; a switch to another collection comes between.
            limits: Against mistakes and hostile files.
            workspace: Whose documents.
        """
        self._library = library
        self._files = files
        self._store = store
        self._embedder = embedder
        self._turns = turns
        self._limits = limits
        self._workspace = workspace
        self._look_alikes = LookAlikes(library, files)
        self._removal = Removal(
            library=library, files=files, purge=purge, cache=cache, workspace=workspace
        )

    def admit(
        self,
        name: str,
        data: bytes,
        *,
        asset_dir: Path | None = None,
        shown_as: str | None = None,
    ) -> Admitted:
        """Check a file, keep its bytes and queue it. Cheap: nothing is parsed.

        Args:
            name: As it was given; messages call it so.
            data: All of it.
            asset_dir: Where pictures beside a web page lie.
            shown_as: What it is called in the library, when that is not its name.

        Raises:
            DocumentError: Empty, too large, or not a type that Folio reads.
            DiskReserveError: Too little disk is left.
        """
        name = shown_name(name)  # messages are one line, whatever a file is called
        if len(data) > self._limits.max_file_mb * MB:
            raise FileTooLargeError(
                f"{name} has {len(data) / MB:.0f} MB and the limit is {self._limits.max_file_mb} "
                "MB. Split it, or raise FOLIO_INGEST__MAX_FILE_MB."
            )
        media_type = detect_media_type(data, name)
        digest = self._files.put_original(data)
        known = self._library.documents.find(self._workspace, digest)
        if known is not None:
            if known.state == "failed":
                self._library.documents.requeue(known.id)
            return Admitted(document=known, is_known=known.state != "failed")
        document = self._library.documents.add(
            workspace=self._workspace,
            name=shown_as or name,
            sha256=digest,
            media_type=media_type,
            size_bytes=len(data),
            asset_dir=asset_dir,
        )
        return Admitted(document=document, is_known=False)

    def run(
        self,
        document_id: UUID,
        progress: Progress | None = None,
        passwords: Sequence[str] = (),
        keep_if_cancelled: Callable[[], bool] = lambda: False,
        parsed: Iterable[DocumentHead | ParsedPage] | None = None,
    ) -> Document:
        """Take an admitted document all the way to ready; a failure becomes its state.

        Args:
            document_id: Of a document that was admitted.
            progress: Written to while it runs.
            passwords: As for `resume`.
            keep_if_cancelled: As for `resume`.
            parsed: Head and pages, when the caller has them: no child reads the file then.
                Only for what Folio's own code made, such as the passages of a labelled set.

        Raises:
            Cancelled: It was cancelled; the document is gone.
        """
        with self._turns.take(question=False):
            return self._run(document_id, progress, passwords, keep_if_cancelled, parsed)

    def _run(
        self,
        document_id: UUID,
        progress: Progress | None,
        passwords: Sequence[str],
        keep_if_cancelled: Callable[[], bool],
        parsed: Iterable[DocumentHead | ParsedPage] | None = None,
    ) -> Document:
        document = self._library.documents.get(document_id)
        progress = progress or Progress(document_id=document_id, name=document.name)
        started = time.monotonic()
        run = self._library.documents.start_run(document_id)
        try:
            events = self._parse(document, progress, passwords) if parsed is None else iter(parsed)
            self._read(document, run, progress, events)
            self._library.documents.publish(run, READABLE)
            self._add_pictures(run, progress)
            self._library.documents.publish(run, READY)
        except Cancelled:
            self._give_up(document_id, keep=keep_if_cancelled())
            raise
        except RagError as error:
            self._removal.undo(run, forget=isinstance(error, DocumentError))
            # A password, or a quieter computer, may help: the file is kept for that.
            may_be_read_later = error.retryable or isinstance(error, EncryptedFileError)
            if isinstance(error, DocumentError) and not may_be_read_later:
                # The file is at fault: nothing of it is kept but its name and the reason.
                self._files.delete(self._library.documents.release_original(document_id))
            failure = Failure(kind=error.kind, message=str(error))
            self._library.documents.set_state(document_id, "failed", failure)
            logger.warning("ingest failed document_id=%s kind=%s", document_id, error.kind)
        except BaseException:
            self._removal.undo(run)
            self._library.documents.set_state(document_id, "queued")
            raise
        done = self._library.documents.get(document_id)
        logger.info(
            "ingested document_id=%s state=%s texts=%d tables=%d figures=%d ms=%d",
            document_id,
            done.state,
            done.text_count,
            done.table_count,
            done.figure_count,
            1000 * (time.monotonic() - started),
        )
        return done

    def read_again(self, document_id: UUID, progress: Progress) -> Document:
        """Read the kept original anew, beside what is visible; switch when all of it is there.

        Raises:
            Cancelled: It was cancelled; what was visible before stays.
            RagError: It failed; the same.
        """
        with self._turns.take(question=False):
            documents = self._library.documents
            document, before = documents.get(document_id), documents.run_of(document_id)
            progress.name = document.name
            run = self._library.rereads.begin(document_id, document.workspace)
            try:
                self._read(document, run, progress, self._parse(document, progress, ()))
                self._add_pictures(run, progress)
                self._library.rereads.switch(run)
            except BaseException:
                self._removal.undo(run)
                raise
            if before is not None:
                self._removal.undo(before)
            return documents.get(document_id)

    def delete(self, document_id: UUID) -> tuple[int, int, int]:
        """Remove a document for good, invisible from the first moment.

        Returns:
            Points, rows and files that are left of it; all zero when it is gone.
        """
        return self._removal.delete(document_id)

    def _give_up(self, document_id: UUID, *, keep: bool) -> None:
        """A cancelled document goes; one that only has to wait keeps its last whole stage."""
        run = self._library.documents.run_of(document_id)
        if not keep:
            self.delete(document_id)
        elif run is not None and run.stage < READABLE:
            self._removal.undo(run)
            self._library.documents.set_state(document_id, "queued")

    def recover(self) -> list[UUID]:
        """After a crash: undo what was not visible; say which documents to go on with."""
        self._removal.finish_deletes()
        for run in self._library.documents.unfinished():
            if self._library.rereads.is_second(run):
                self._removal.undo(run)  # of a document that was being read again
            elif run.stage < READABLE:
                self._removal.undo(run)
                self._library.documents.set_state(run.document_id, "queued")
        documents = reversed(self._library.documents.all(self._workspace))
        return [d.id for d in documents if d.state in ("queued", "working", "readable")]

    def resume(
        self,
        document_id: UUID,
        progress: Progress,
        keep_if_cancelled: Callable[[], bool] = lambda: False,
        passwords: Sequence[str] = (),
    ) -> Document:
        """Take a queued document on from its last whole stage.

        Args:
            document_id: Of a document that was admitted.
            progress: Its name is filled in.
            keep_if_cancelled: Whether a cancel means "later" (the app is closing).
            passwords: For an encrypted PDF, tried in order; used and forgotten.

        Raises:
            Cancelled: It was cancelled; gone, or queued again.
        """
        with self._turns.take(question=False):
            progress.name = self._library.documents.get(document_id).name
            run = self._library.documents.run_of(document_id)
            if run is None or run.stage < READABLE:
                return self._run(document_id, progress, passwords, keep_if_cancelled)
            try:
                self._add_pictures(run, progress)
                self._library.documents.publish(run, READY)
            except Cancelled:
                self._give_up(document_id, keep=keep_if_cancelled())
                raise
            return self._library.documents.get(document_id)

    def _add_pictures(self, run: Run, progress: Progress) -> None:
        """The second stage: figures and pages, and the pixels of tables."""
        progress.stage = "pictures"
        items = self._library.items.of_run(run, PICTURES)
        if self._embedder().pictures is not None:
            # The table points are written again, now with their pixels as well.
            items += [i for i in self._library.items.of_run(run, ("table",)) if i.image_sha256]
        progress.figures_total = len(items)
        writer = self._writer(run)
        for batch in _batches(items, EMBED_BATCH):
            writer.index(batch, with_pixels=True)
            progress.count_figures(len(batch))
            progress.stop_if_cancelled()
        # For questions that bring a picture.
        self._look_alikes.fill(run, after_batch=progress.stop_if_cancelled)

    def _parse(
        self, document: Document, progress: Progress, passwords: Sequence[str]
    ) -> Iterator[DocumentHead | ParsedPage]:
        return parse_in_child(
            self._files.original_path(document.sha256),
            document.media_type,
            name=document.name,
            limits=self._limits,
            passwords=passwords,
            asset_dir=self._library.documents.asset_dir(document.id),
            cancelled=progress.cancelled.is_set,
        )

    def _read(
        self,
        document: Document,
        run: Run,
        progress: Progress,
        events: Iterator[DocumentHead | ParsedPage],
    ) -> None:
        progress.stage = "reading"
        self._embedder()  # a model that cannot be loaded fails before minutes of parsing
        head = next(events, None)
        progress.stop_if_cancelled()
        if not isinstance(head, DocumentHead):
            raise EmptyFileError(f"{document.name} holds nothing to read.")
        self._library.documents.set_head(document.id, page_count=head.page_count, title=head.title)
        progress.pages_total = head.page_count
        labels = PageLabels()
        writer = self._writer(run)
        pages = self._pages(writer, events, progress, labels)
        title = head.title or document.name.rsplit(".", 1)[0]
        for drafts in _batches(chunk_parts(pages, title=title), EMBED_BATCH):
            writer.write(drafts)
            progress.stop_if_cancelled()
        items = self._library.items.of_run(run, (*WORDS, *PICTURES))
        if not items:
            raise EmptyFileError(
                f"{document.name} holds no text and no pictures that Folio can read."
            )
        self._library.items.set_links(run, find_links(items))
        self._library.pages.set_labels(run, labels.found())
        cut = passages_note(self._embedder(), [item.search_text for item in items])
        if cut:
            note = Note(kind="warning", page_number=None, bbox=None, text=cut)
            self._library.pages.add_notes(run, [note])
        writer.end_words(items)

    def _pages(
        self,
        writer: RunWriter,
        events: Iterator[DocumentHead | ParsedPage],
        progress: Progress,
        labels: PageLabels,
    ) -> Iterator[ParsedPage]:
        for page in events:
            if not isinstance(page, ParsedPage):
                continue
            writer.keep_page(page)
            labels.add(page)
            progress.count_page()
            yield page
        progress.stop_if_cancelled()

    def _writer(self, run: Run) -> RunWriter:
        return RunWriter(
            run,
            library=self._library,
            files=self._files,
            store=self._store(),
            embedder=self._embedder(),
        )


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
