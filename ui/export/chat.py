"""A chat as both formats tell it: frozen, cleaned, without a look at the disk once it is made.

Knows turns and documents, no format. What was taken out with a deleted document stays out.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from rag.errors import NotFoundError
from rag.marks import without_marks
from rag.sentences import fold_spaces
from rag.shown import used_tokens
from rag.types import PICTURES
from ui import outcome
from ui.export.licences import Licence, licences_of
from ui.version import version
from ui.web import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from rag.turn import Turn
    from rag.types import Answer, Document, Doubt, Hit, Kind, Source
    from ui.outcome import Told
    from ui.services import Services
    from ui.web.pieces import Tone

Format = Literal["html", "md"]
Body = Literal["written", "quoted", "own"]

MAX_TURNS = 10_000
MAX_SOURCES = 8  # of a turn, as on the page
QUOTE_CHARS = 900
NAME_CHARS = 48  # of a file's name
GONE = "This document was deleted. Its words and pictures were taken out of this conversation."
# Controls, the signs that turn the direction of what follows, and tags that nobody sees.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSource:
    """A source under its marker."""

    marker: int
    title: str
    place: str
    kind: Kind
    quote: str  # words of the document; "" where the answer or the picture has them
    said: str  # its words that carry the answer, to be marked on its page
    rows: tuple[tuple[str, ...], ...] = ()  # of a table, all of it, the head first
    language: str = ""  # of its document
    note: str = ""  # why there is no more of it
    hit: Hit  # for its pictures
    alt: str  # words in place of its picture
    document: str  # its name


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCheck:
    """A sentence that its sources do not carry."""

    sentence: str
    reason: str
    doubt: Doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTurn:
    """One question and what came of it."""

    number: int  # 1-based
    question: str  # its words, or the name of its picture
    picture_path: str | None  # of the question's picture
    searched_for: str
    body: Body  # Markdown of a model, quotes of documents, or a sentence of Folio
    text: str
    notes: tuple[Told, ...]
    badges: tuple[tuple[Tone, str], ...]
    checks: tuple[ToldCheck, ...]
    heading: str  # above the sources
    sources: tuple[ToldSource, ...]
    is_cited: bool
    facts: tuple[str, ...]  # what made the answer, in short


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChat:
    """A whole chat."""

    name: str
    title: str
    turns: tuple[ToldTurn, ...]
    made_at: datetime  # UTC
    version: str
    library_count: int
    licences: tuple[Licence, ...]
    answered_by: tuple[str, ...]
    searched_with: tuple[str, ...]


def file_name(chat_name: str, form: Format, now: datetime | None = None) -> str:
    """Safe on every system, from the chat's name and the day."""
    plain = unicodedata.normalize("NFKD", chat_name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower())[:NAME_CHARS].strip("-")
    return f"folio-{slug or 'conversation'}-{now or datetime.now(UTC):%Y-%m-%d}.{form}"


def gather(services: Services, chat_id: UUID, now: datetime | None = None) -> ToldChat:
    """All turns of a chat.

    Raises:
        NotFoundError: It was deleted.
    """
    chat = services.chats.get(chat_id)
    if chat is None:
        raise NotFoundError("That conversation is no longer kept, so there is nothing to export.")
    documents = {document.id: document for document in services.documents()}
    turns = services.chats.open(chat_id, last=MAX_TURNS)
    answers = [turn.answer for turn in turns if turn.answer is not None]
    told = tuple(_turn(turn, documents) for turn in turns)
    embedders = tuple(dict.fromkeys(clean(a.embedder) for a in answers if a.embedder))
    return ToldChat(
        name=clean(chat.name) or "Untitled",
        title=_title(told),
        turns=told,
        made_at=now or datetime.now(UTC),
        version=version(),
        library_count=len(documents),
        licences=tuple(licences_of(embedders)),
        answered_by=tuple(dict.fromkeys(_writer(answer) for answer in answers)),
        searched_with=embedders,
    )


def clean(text: str) -> str:
    """Text without signs that are not seen but change what is."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _turn(turn: Turn, documents: Mapping[UUID, Document]) -> ToldTurn:
    answer = turn.answer
    doubted = answer.unsupported if answer is not None else ()
    sources = outcome.shown_sources(turn)
    return ToldTurn(
        number=turn.number + 1,
        question=clean(turn.title),
        picture_path=turn.picture.path if turn.picture else None,
        searched_for=clean(answer.searched_for) if answer is not None else "",
        body=_body(answer),
        text=clean(outcome.words_of(turn)),
        notes=tuple(_clean_note(told) for told in outcome.notes_of(turn)),
        badges=tuple((tone, clean(words)) for tone, words in outcome.badges_of(turn)),
        checks=tuple(
            ToldCheck(sentence=clean(one.sentence), reason=clean(one.reason), doubt=one.doubt)
            for one in doubted
        ),
        heading=outcome.heading_of(turn),
        sources=tuple(_source(s, answer, documents) for s in sources[:MAX_SOURCES]),
        is_cited=bool(answer and answer.citations),
        facts=tuple(_facts(turn)),
    )


def _clean_note(told: Told) -> Told:
    return replace(told, strong=clean(told.strong), rest=clean(told.rest), below=clean(told.below))


def _body(answer: Answer | None) -> Body:
    if answer is None or answer.mode == "llm":
        return "written"
    return "own" if answer.abstained else "quoted"


def _source(
    source: Source, answer: Answer | None, documents: Mapping[UUID, Document]
) -> ToldSource:
    hit = source.hit
    document = documents.get(hit.item.document_id)
    rows = outcome.table_rows(clean(hit.item.text)) if hit.item.kind == "table" else []
    return ToldSource(
        marker=source.marker,
        title=clean(wording.source_title(hit)),
        place=clean(wording.source_place_long(hit)),
        kind=hit.item.kind,
        quote=_quote(source, answer),
        said=outcome.quoted(answer, source),
        rows=tuple(tuple(row) for row in rows),
        language=document.language if document is not None else "",
        note="" if document is not None else GONE,
        hit=hit,
        alt=clean(wording.picture_alt(hit)),
        document=clean(hit.document_name),
    )


def _quote(source: Source, answer: Answer | None) -> str:
    """What carries the answer, unless it stands in its text, or in the title or table below."""
    item = source.hit.item
    quote = clean(outcome.quote_of(answer, source)).strip()
    folded = fold_spaces(quote)
    if item.kind in PICTURES:  # the words in a chart: a column of numbers, each on its line
        quote = folded.removeprefix(fold_spaces(clean(item.caption))).strip()
    elif item.kind == "table" and quote.startswith("|"):
        quote = ""
    if _body(answer) == "quoted" and answer is not None:
        said = fold_spaces(without_marks(clean(answer.text)))
        quote = "" if folded in said else quote
    return f"{quote[:QUOTE_CHARS].rsplit(' ', 1)[0]}…" if len(quote) > QUOTE_CHARS else quote


def _facts(turn: Turn) -> Iterator[str]:
    answer = turn.answer
    if answer is None:
        return
    yield _writer(answer)
    where = f" in {wording.count(len(turn.documents), 'chosen document')}" if turn.documents else ""
    if answer.embedder:
        yield f"searched with {clean(answer.embedder)}{where}"
    if answer.mode == "llm":
        sent, said, is_estimated = used_tokens(answer)
        about = "about " if is_estimated else ""
        yield f"{about}{sent:,} tokens in, {said:,} out"
        if answer.images_sent:
            yield f"{wording.count(answer.images_sent, 'picture')} sent"
        if answer.dollars is not None:
            yield f"{outcome.cost(answer.dollars)}, estimated"


def _writer(answer: Answer) -> str:
    if answer.mode == "llm":
        return f"Answered by {clean(answer.model or 'an unnamed model')}"
    return "Quoted word for word, no language model"


def _title(turns: Sequence[ToldTurn]) -> str:
    named = [clean(wording.cut_name(s.hit.document_name)) for t in turns for s in t.sources]
    names = list(dict.fromkeys(name for name in named if name))
    if not names:
        return "Questions and answers"
    if len(names) == 1:
        return f"Answers from {names[0]}"
    return f"Answers from {names[0]} and {wording.count(len(names) - 1, 'more document')}"
