"""Small frozen views that pages draw. Knows words, not widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed.choice import parse_choice
from rag.embed.languages import language_note

if TYPE_CHECKING:
    from uuid import UUID

    from ingest.progress import Progress as Job
    from rag.types import Document, DocumentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Which models are at work, and whether anything leaves this computer."""

    embedder: str
    model: str | None
    sees_pictures: bool
    local_only: bool
    reason: str = ""  # why this model, or why none: "found OPENAI_API_KEY"
    is_looking: bool = False  # a model is being looked for: who answers may change by itself
    sent_to: str = ""  # host that a hosted embedder sends texts and pictures to


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of an upload; `duplicate_of` names the document that was there before."""

    document_id: UUID
    name: str
    duplicate_of: str | None
    same_name_as: UUID | None = None  # other content that is called so already


@dataclass(frozen=True, slots=True, kw_only=True)
class SameName:
    """Two documents of one name; somebody has to say whether the older is to stay."""

    name: str  # the newer one is shown under another until then
    new: Document
    old: Document
    is_wanted: bool  # the newer one takes its place as soon as it is ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a document is; `pages_total` is None while unknown and for web pages."""

    document_id: UUID
    name: str
    state: DocumentState
    pages_done: int
    pages_total: int | None
    figures_done: int
    figures_total: int
    message: str
    ahead: int = 0  # files that come first; 0 when it is being read
    remaining_s: float | None = None  # of this stage; None while too little is known
    is_again: bool = False  # what is in the library of it stays until this is done


def note_on_language(document: Document, embedder: str) -> str:
    """What to expect of a document in its language with this embedder; "" for nothing."""
    return language_note(document.language, parse_choice(embedder).text)


def needs_password(document: Document) -> bool:
    """Whether it was not read only because nobody entered the right password yet."""
    failure = document.error
    return document.state == "failed" and failure is not None and failure.kind == "encrypted"


def to_view(job: Job, state: DocumentState, *, name: str = "", ahead: int = 0) -> Progress:
    """A frozen copy of a job, with its sentence."""
    return Progress(
        document_id=job.document_id,
        name=name or job.name,
        state=state,
        pages_done=job.pages_done,
        pages_total=job.pages_total,
        figures_done=job.figures_done,
        figures_total=job.figures_total,
        message=_sentence(job),
        ahead=ahead,
        remaining_s=job.remaining_s(),
        is_again=job.is_again,
    )


def _sentence(job: Job) -> str:
    if job.stage == "waiting":
        return "Waiting."
    if job.stage == "pictures":
        return f"Text is ready. {job.figures_done} of {job.figures_total} figures are ready."
    if job.pages_total:
        return f"Reading page {min(job.pages_done + 1, job.pages_total)} of {job.pages_total}."
    return "Reading."


def duration_words(seconds: float) -> str:
    """A time as a person says it: "about 40 s", "about 12 min", "about 3 h"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {round(seconds / 3600)} h"
