"""A scripted `Services`: promises the real interface, no disk, no model, no engine.

Documents, progress and answers are set by the test; questions, files and deletes are
recorded. A page picture is a white sheet with grey lines; crops are files it wrote.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from rag.errors import EncryptedFileError, NotFoundError
from rag.library import Page
from rag.settings import Settings
from rag.types import (
    Answer,
    Citation,
    DeleteReceipt,
    Document,
    Done,
    Failure,
    Hit,
    Item,
    OtherPlace,
    Region,
    Retrieval,
    Retrieved,
    Scope,
    Source,
    Token,
    Unsupported,
)
from tests.ui.scripted_answering import make_answering
from tests.ui.scripted_chats import ScriptedChats
from tests.ui.scripted_coverage import ScriptedReports
from tests.ui.scripted_intake import ScriptedIntake, ScriptedReset
from tests.ui.scripted_models import ScriptedModels
from ui.suggestions import Suggestion
from ui.views import Added, Progress, Status

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL import Image

    from ingest.pagewords import PageWord
    from rag.library import Block
    from rag.types import AnswerEvent, BBox, DocumentState, Kind
    from ui.answering import Answering

SPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
PAGE = (595.0, 842.0)


def make_status(
    *, model: str | None = None, sees_pictures: bool = False, local_only: bool = True
) -> Status:
    return Status(
        embedder="minilm", model=model, sees_pictures=sees_pictures, local_only=local_only
    )


def make_progress(
    document: Document,
    *,
    pages: tuple[int, int | None] = (0, None),
    figures: tuple[int, int] = (0, 0),
) -> Progress:
    return Progress(
        document_id=document.id,
        name=document.name,
        state=document.state,
        pages_done=pages[0],
        pages_total=pages[1],
        figures_done=figures[0],
        figures_total=figures[1],
        message="Reading.",
    )


def make_document(
    name: str = "report.pdf",
    state: DocumentState = "ready",
    *,
    pages: int | None = 12,
    figures: int = 4,
    pending: int = 0,
    warnings: tuple[str, ...] = (),
    error: Failure | None = None,
    language: str = "",
) -> Document:
    return Document(
        id=uuid5(SPACE, name),
        workspace="local",
        name=name,
        sha256="0" * 64,
        state=state,
        page_count=pages,
        text_count=40,
        table_count=2,
        figure_count=figures,
        figures_pending=pending,
        size_bytes=2_100_000,
        added_at="2026-11-25T09:41:00+00:00",
        media_type="pdf" if name.endswith("pdf") else "html",
        language=language,
        warnings=warnings,
        error=error,
    )


def make_hit(
    document: Document,
    kind: Kind = "text",
    text: str = "Output rose 42 per cent to 6.8 TWh.",
    *,
    rank: int = 1,
    page: int | None = 3,
    bbox: BBox = (70, 90, 520, 190),
    heading: tuple[str, ...] = ("3.2 Generation",),
    caption: str = "",
    number: str = "",
    anchor: str | None = None,
    image_path: Path | None = None,
) -> Hit:
    regions = (Region(page_number=page, bbox=bbox),) if page else ()
    item = Item(
        id=uuid5(SPACE, f"{document.name}{kind}{text}{rank}"),
        document_id=document.id,
        kind=kind,
        order=rank,
        text=text,
        search_text=text,
        regions=regions,
        heading=heading,
        caption=caption,
        number=number,
        anchor=anchor,
    )
    return Hit(
        item=item,
        document_name=document.name,
        rank=rank,
        height=2.5,
        page_size=PAGE if page else None,
        image_path=str(image_path) if image_path else None,
        also_in=(OtherPlace(document_name="copy.pdf", page_number=4),) if rank == 9 else (),
    )


def make_answer(
    question: str,
    text: str,
    hits: Sequence[Hit],
    *,
    cited: Sequence[int] | None = None,
    mode: str = "llm",
    abstained: bool = False,
    finish: str = "stop",
    unsupported: tuple[Unsupported, ...] = (),
    error: Failure | None = None,
) -> Answer:
    sources = tuple(Source(marker=n, hit=hit) for n, hit in enumerate(hits, 1))
    wanted = range(1, len(hits) + 1) if cited is None else cited
    return Answer(
        question=question,
        text=text,
        mode=mode,  # type: ignore[arg-type]
        model="openai/test" if mode == "llm" else None,
        abstained=abstained,
        finish=finish,  # type: ignore[arg-type]
        citations=tuple(
            Citation(marker=n, hit=hits[n - 1], quote=hits[n - 1].item.text[:80]) for n in wanted
        ),
        sources=sources,
        unsupported=unsupported,
        error=error,
    )


@dataclass
class ScriptedServices:
    library: list[Document] = field(default_factory=list)
    running: list[Progress] = field(default_factory=list)
    answers: list[Answer | Exception] = field(default_factory=list)
    state: Status = field(default_factory=make_status)
    settings: Settings = field(default_factory=Settings)
    pause_s: float = 0.0
    hold_search: threading.Event | None = None  # until it is set nothing is found
    hold: threading.Event | None = None  # until it is set nothing is written
    models: ScriptedModels = field(default_factory=ScriptedModels)
    chats: ScriptedChats = field(default_factory=ScriptedChats)
    answering: Answering = field(default_factory=make_answering)
    reports: ScriptedReports = field(default_factory=ScriptedReports)
    reader: list[Block] = field(default_factory=list)
    words: list[PageWord] = field(default_factory=list)  # of every page
    labels: dict[int, str] = field(default_factory=dict)  # what pages call themselves
    tries: list[str] = field(default_factory=list)
    asked: list[tuple[str, list[UUID], list[tuple[str, str]]]] = field(default_factory=list)
    pictures: list[Image.Image | None] = field(default_factory=list)  # of the questions
    files: list[str] = field(default_factory=list)
    passwords: list[tuple[UUID, str]] = field(default_factory=list)
    page_password: str = ""  # of an encrypted document, asked for before a page is drawn
    cancelled: list[UUID] = field(default_factory=list)
    is_closed: bool = False
    is_new: bool = False
    address: str = ""
    workspace: str = "local"
    found: Retrieval | Exception = field(
        default_factory=lambda: Retrieval(hits=(), has_evidence=False)
    )
    searched: list[tuple[str, Scope | None]] = field(default_factory=list)
    refusal: str = ""  # why the index cannot be used

    def __post_init__(self) -> None:
        self.intake = ScriptedIntake(library=self.documents, add_file=self.add_file)
        self.reset = ScriptedReset(
            counted=lambda: (len(self.library), self.chats.count()), empty=self._empty
        )

    def _empty(self) -> None:
        self.library = [make_document("sample.pdf")]
        self.intake.news.put("reset", message="0 vectors, 0 entries and 0 files of it are left.")

    def status(self) -> Status:
        return self.state

    def documents(self) -> list[Document]:
        return list(self.library)

    def progress(self) -> list[Progress]:
        return list(self.running)

    def add_file(self, name: str, data: bytes) -> Added:
        self.files.append(name)
        if b"secret" in data:
            message = "It is protected by a password. Remove the password and add it again."
            raise EncryptedFileError(message)
        if b"bug" in data:
            message = "boom inside"
            raise RuntimeError(message)
        document = make_document(name)
        known = next((d for d in self.library if data.endswith(b"same")), None)
        if known:
            return Added(document_id=known.id, name=name, duplicate_of=known.name)
        self.library.insert(0, document)
        return Added(document_id=document.id, name=name, duplicate_of=None)

    def add_sample(self) -> int:
        self.library.append(make_document("sample.pdf"))
        return 1

    def cancel(self, document_id: UUID) -> None:
        self.cancelled.append(document_id)
        self.running = [job for job in self.running if job.document_id != document_id]

    def delete(self, document_id: UUID) -> DeleteReceipt:
        gone = next((d for d in self.library if d.id == document_id), None)
        if gone is None:
            message = "This document is no longer in the library."
            raise NotFoundError(message)
        self.library.remove(gone)
        return DeleteReceipt(id=gone.id, name=gone.name, points_left=0, rows_left=0, files_left=0)

    def ask(
        self,
        question: str,
        *,
        documents: Sequence[UUID] = (),
        history: Sequence[tuple[str, str]] = (),
        stop: threading.Event | None = None,
        picture: Image.Image | None = None,
    ) -> Iterator[AnswerEvent]:
        self.asked.append((question, list(documents), list(history)))
        self.pictures.append(picture)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if self.hold_search is not None:
            self.hold_search.wait(20)
        yield Retrieved(answer.sources)
        if self.hold is not None:
            self.hold.wait(20)
        for word in answer.text.split(" "):
            if stop is not None and stop.is_set():
                yield Done(replace(answer, finish="stopped"))
                return
            time.sleep(self.pause_s)
            yield Token(word + " ")
        yield Done(answer)

    def search(
        self, question: str, *, scope: Scope | None = None, explain: bool = False
    ) -> Retrieval:
        self.searched.append((question, scope))
        if isinstance(self.found, Exception):
            raise self.found
        return self.found if explain else replace(self.found, explanation=None)

    def mismatch(self) -> str:
        return self.refusal

    def unlock(self, document_id: UUID, password: str) -> None:
        self.passwords.append((document_id, password))
        place = next(i for i, d in enumerate(self.library) if d.id == document_id)
        self.library[place] = replace(self.library[place], state="queued", error=None)

    def page_picture(
        self, document_id: UUID, page_number: int, password: str | None = None
    ) -> bytes:
        from PIL import Image, ImageDraw

        self.document(document_id)
        if self.page_password not in ("", password):
            message = "The password is needed."
            raise EncryptedFileError(message)
        self.page_password = ""

        sheet = Image.new("RGB", (892, 1263), "white")
        ink = ImageDraw.Draw(sheet)
        for line in range(40):
            ink.rectangle((105, 120 + 26 * line, 760, 128 + 26 * line), fill=(190, 195, 198))
        ink.text((105, 60), f"Page {page_number}", fill="black")
        out = io.BytesIO()
        sheet.save(out, "PNG")
        return out.getvalue()

    def page_part(self, document_id: UUID, page_number: int, box: BBox) -> bytes:
        return self.page_picture(document_id, page_number)

    def page_words(self, document_id: UUID, page_number: int) -> list[PageWord]:
        return self.words

    def page(self, document_id: UUID, page_number: int) -> Page:
        return Page(
            page_number=page_number,
            size=PAGE,
            page_class="text",
            label=self.labels.get(page_number, ""),
        )

    def document(self, document_id: UUID) -> Document:
        known = next((d for d in self.library if d.id == document_id), None)
        if known is None:
            message = "That document is no longer in the library."
            raise NotFoundError(message)
        return known

    def read_again(self, document_id: UUID) -> None:
        self.intake.calls.append(("read again", document_id))

    def picture_path(self, sha256: str) -> Path:
        message = f"No picture {sha256[:8]} is stored."
        raise NotFoundError(message)

    def blocks(self, document_id: UUID) -> list[Block]:
        return self.reader

    def suggestions(self) -> list[Suggestion]:
        return [Suggestion(kind="text", question=question) for question in self.tries]

    def warm_up(self) -> None:
        """Nothing to load."""

    def resume(self) -> None:
        """Nothing is unfinished."""

    def tell_address(self, address: str) -> None:
        self.address = address

    def close(self) -> None:
        self.is_closed = True
