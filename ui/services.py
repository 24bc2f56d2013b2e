"""The wiring: one object that the command line and the web app both use. No Streamlit, no logic.

Heavy parts (model, engine, parser) are made when they are first needed.
"""

from __future__ import annotations

import logging
import threading
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rag.embed.choice import chosen_name, parse_choice
from rag.errors import RagError
from rag.files import FileStore
from rag.library import Database, Library
from rag.library.lock import FolderLock
from rag.look_alikes import LookAlikes
from rag.settings import Settings
from rag.types import LOCAL_WORKSPACE, Done, Retrieval, Scope
from ui.answering import Answering
from ui.asking import Asked, answer_events
from ui.chats import Chats
from ui.indexing import Indexing
from ui.intake import SAMPLE_DIR, Intake
from ui.pictures import PagePictures
from ui.reports import Reports
from ui.suggestions import Suggestions
from ui.views import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from PIL import Image

    from ingest.pagewords import PageWord
    from ingest.pipeline import Pipeline
    from rag.embed import Embedder
    from rag.library import Block, Page
    from rag.settings import EmbedSettings
    from rag.store import Store
    from rag.types import Answer, AnswerEvent, BBox, DeleteReceipt, Document, LegName
    from ui.models import Models
    from ui.reset import Reset
    from ui.suggestions import Suggestion
    from ui.trial import Trial
    from ui.views import Added, Progress

logger = logging.getLogger(__name__)


class Services:
    """Everything Folio can do with one data folder. Safe to share between threads."""

    def __init__(self, settings: Settings, lock: FolderLock) -> None:
        self.settings = settings
        self.workspace = LOCAL_WORKSPACE
        self._lock = lock
        reserve = settings.store.reserve_mb
        self.is_new = not (settings.data_dir / "library.sqlite").exists()
        self.library = Library(Database(settings.data_dir / "library.sqlite", reserve_mb=reserve))
        self.files = FileStore(settings.data_dir / "files", reserve_mb=reserve)
        self.chats = Chats(self.library, self.files, self.workspace)
        self._indexing = Indexing(settings, self.library, self.files, self.workspace)
        self.answering = Answering(
            lambda: self.settings.llm, settings.providers, self.library, settings.data_dir
        )

    # -- parts made on first use ---------------------------------------------------------

    def embed_settings(self, name: str | None = None) -> EmbedSettings:
        """Which embedder is wanted: the one named, else the one set, else the library's."""
        return self._indexing.embed_settings(name)

    def embedder(self) -> Embedder:
        """The model in use, loaded once."""
        return self._indexing.embedder()

    def store(self) -> Store:
        """The active collection; see `Indexing.store`."""
        return self._indexing.store()

    @cached_property
    def intake(self) -> Intake:
        """Takes documents in and lets them go."""
        return Intake(
            library=self.library,
            files=self.files,
            indexing=self._indexing,
            settings=self.settings,
            workspace=self.workspace,
            before_delete=lambda document_id: self.trial.forget(document_id),
            after_delete=self._forget_pictures,
        )

    @cached_property
    def reset(self) -> Reset:
        """Back to the sample alone."""
        from ui.reset import Reset

        return Reset(self.intake, self.chats)

    @property
    def pipeline(self) -> Pipeline:
        """Reads one document at a time, for callers that wait for it."""
        return self.intake.pipeline

    @cached_property
    def models(self) -> Models:
        """Which embedders there are, fetching one and switching to one in the background."""
        from ui.models import Models

        return Models(self)

    @cached_property
    def trial(self) -> Trial:
        """The test of the embedders that are here on the documents that are here."""
        from ui.trial import Trial

        return Trial(self, cache=self._indexing.cache, turns=self._indexing.model_turns)

    @cached_property
    def _suggestions(self) -> Suggestions:
        from ui.question_picture import read_picture

        return Suggestions(
            self.library,
            self.workspace,
            SAMPLE_DIR,
            search=self.search,
            picture=lambda sha256: read_picture(self.picture_path(sha256), self.settings.ingest),
            is_warm=lambda: self._indexing.answering_lane() is not None,
        )

    @cached_property
    def _pictures(self) -> PagePictures:
        return PagePictures(self.settings, self.files)

    @cached_property
    def reports(self) -> Reports:
        """What was seen in each document, and what is hidden of it."""
        return Reports(
            self.settings,
            self.library,
            self.files,
            embedder=lambda: parse_choice(chosen_name(self.embed_settings())),
            password_of=self._pictures.password_of,
        )

    def _forget_pictures(self, document_id: UUID) -> None:
        self._pictures.forget(document_id)
        self.reports.forget(document_id)

    # -- what pages and commands call ----------------------------------------------------

    def status(self) -> Status:
        """Which models search and answer."""
        answers, embed = self.answering.choice(), self.embed_settings()
        choice = parse_choice(chosen_name(embed))
        is_remote = any(facts.is_remote for facts in choice.models)
        sent_to = urlsplit(embed.api_base).netloc if is_remote else ""
        return Status(
            embedder=choice.name,
            model=answers.model,
            sees_pictures=self.answering.sees_pictures(),
            local_only=answers.is_local and not self.settings.store.url and not sent_to,
            reason=answers.reason,
            is_looking=self.answering.is_looking(),
            sent_to=sent_to,
        )

    def documents(self) -> list[Document]:
        """Every document, newest first."""
        return self.library.documents.all(self.workspace)

    def progress(self) -> list[Progress]:
        """What is being read or waits for it."""
        return self.intake.progress()

    def add_file(self, name: str, data: bytes, *, asset_dir: Path | None = None) -> Added:
        """Admit a file and read it in the background; see `Intake.add_file`."""
        return self.intake.add_file(name, data, asset_dir=asset_dir)

    def add_sample(self) -> int:
        """Queue the sample documents; returns how many are new."""
        return self.intake.add_sample()

    def unlock(self, document_id: UUID, password: str) -> None:
        """Read an encrypted document with its password; see `Intake.unlock`."""
        self.intake.unlock(document_id, password)

    def read_again(self, document_id: UUID) -> None:
        """Read the kept file of a document anew; see `Intake.read_again`."""
        self.intake.read_again(document_id)

    def resume(self) -> None:
        """Go on with what a crash or a restart left unfinished."""
        self.intake.resume()

    def cancel(self, document_id: UUID) -> None:
        """Stop reading a document and forget it."""
        self.intake.cancel(document_id)

    def delete(self, document_id: UUID) -> DeleteReceipt:
        """Remove a document for good."""
        return self.intake.delete(document_id)

    def search(
        self,
        question: str,
        *,
        top_k: int | None = None,
        scope: Scope | None = None,
        only: Sequence[LegName] = (),
        explain: bool = False,
        picture: Image.Image | None = None,
    ) -> Retrieval:
        """Ranked hits for words, a picture or both; none from an empty library, without a model."""
        scope = scope or Scope(workspace=self.workspace)
        is_empty = not question.strip() and picture is None
        if is_empty or self.library.items.is_empty(self.workspace):
            return Retrieval(hits=(), has_evidence=False)
        with self._indexing.answering() as retriever:
            return retriever.retrieve(
                question,
                top_k=top_k or self.settings.retrieve.top_k,
                scope=scope,
                only=only,
                explain=explain,
                picture=picture,
            )

    def ask(
        self,
        question: str,
        *,
        documents: Sequence[UUID] = (),
        history: Sequence[tuple[str, str]] = (),
        stop: threading.Event | None = None,
        top_k: int | None = None,
        use_llm: bool = True,
        picture: Image.Image | None = None,
    ) -> Iterator[AnswerEvent]:
        """Events of one answer, the last one `Done`; the question may be a picture alone."""
        asked = Asked(
            question=question,
            documents=tuple(documents),
            history=history,
            stop=stop,
            top_k=top_k,
            use_llm=use_llm,
            picture=picture,
        )
        return answer_events(self, asked, self._indexing.answering_lane)

    def answer(self, question: str, **options: object) -> Answer:
        """The finished answer; options as for `ask`."""
        events = self.ask(question, **options)  # type: ignore[arg-type]  # passed through as given
        return next(event.answer for event in events if isinstance(event, Done))

    def page_picture(
        self, document_id: UUID, page_number: int, password: str | None = None
    ) -> bytes:
        """A page as PNG, drawn in a killable child and kept.

        Raises:
            EncryptedFileError: The password is needed again, or it is wrong.
        """
        document = self.library.documents.get(document_id)
        self.library.pages.size(document_id, page_number)
        return self._pictures.page(document, page_number, password)

    def page_part(self, document_id: UUID, page_number: int, box: BBox) -> bytes:
        """A part of a page as PNG, as sharp as a whole one; for pages too large to be read.

        Raises:
            EncryptedFileError: The password is needed again.
        """
        return self._pictures.part(self.library.documents.get(document_id), page_number, box)

    def page_words(self, document_id: UUID, page_number: int) -> Sequence[PageWord]:
        """The words of a page and where they stand; none of a scan.

        Raises:
            EncryptedFileError: The password is needed again.
        """
        return self._pictures.words(self.library.documents.get(document_id), page_number)

    def page(self, document_id: UUID, page_number: int) -> Page:
        """Size of a page, and what it calls itself."""
        return self.library.pages.get(document_id, page_number)

    def document(self, document_id: UUID) -> Document:
        """A document of the library.

        Raises:
            NotFoundError: It is not there, or no longer.
        """
        return self.library.documents.get(document_id)

    def picture_path(self, sha256: str) -> Path:
        """Where a stored picture lies."""
        return self.files.picture_path(sha256)

    def blocks(self, document_id: UUID) -> list[Block]:
        """The reader view of a page-less document."""
        return self.library.pages.blocks(document_id)

    def suggestions(self) -> list[Suggestion]:
        """Up to four questions to try."""
        return self._suggestions.get()

    def find(self, name_or_id: str) -> list[Document]:
        """Documents with this id or name."""
        return self.library.documents.matching(self.workspace, name_or_id)

    def tell_address(self, address: str) -> None:
        """Let processes that find the folder taken know where this one can be reached."""
        self._lock.tell(address)

    def warm_up(self) -> None:
        """Load model and index, so that the first question does not wait for them."""
        try:
            self.embedder()
            if self.documents():
                self._indexing.warm_up()
                # A library from before has pictures whose looks are not known yet.
                LookAlikes(self.library, self.files).fill()
            self.answering.choice(wait=True)
            self.answering.learn()  # imports litellm, which takes seconds
        except RagError as error:
            logger.warning("warm-up failed: %s", error)

    def reindex(
        self,
        embed: EmbedSettings,
        *,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[str, str, int]:
        """Embed everything anew beside the index in use, then switch.

        See `Indexing.rebuild`; without a model in the settings, the one the library has.
        """
        return self._indexing.rebuild(embed, on_progress=on_progress, is_cancelled=is_cancelled)

    def drop_unfinished_index(self) -> None:
        """Give up an index that was not finished."""
        self._indexing.drop_unfinished()

    def check_index(self) -> None:
        """Refuse an index of another embedder, before anything is written or loaded.

        Raises:
            IndexMismatchError: With the way out.
        """
        self._indexing.check()

    def mismatch(self) -> str:
        """Why the index cannot be used with what is set, in one sentence; "" when it can."""
        try:
            self.check_index()
        except RagError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Stop the worker and release the folder."""
        self._indexing.stop()
        if "reports" in self.__dict__:
            self.reports.close()
        if "trial" in self.__dict__:
            self.trial.close()
        if "models" in self.__dict__:
            self.models.close()
        if "intake" in self.__dict__:
            self.intake.close()
        self._indexing.close()
        self.library.close()
        self._lock.release()


def build(settings: Settings) -> Services:
    """Open the data folder for this process.

    Raises:
        LibraryInUseError: Another process has it.
        StoreError: It cannot be opened.
        ConfigError: The embedder is unknown.
    """
    parse_choice(chosen_name(settings.embed))
    lock = FolderLock(settings.data_dir)
    try:
        return Services(settings, lock)
    except BaseException:
        lock.release()
        raise
