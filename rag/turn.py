"""A turn of a conversation, and what is left of it when a document is deleted. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from rag.types import Answer, Hit, PromptPart, Source

GONE_QUOTE = "This quote was deleted with its document."
GONE_PROMPT = "(deleted with its document)"
_MARK_AT_END = re.compile(r"\[(\d{1,3})\]\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPicture:
    """The picture of a question. It belongs to its chat, to no document."""

    name: str  # of the file it came from
    sha256: str
    path: str | None = None  # PNG on disk; None when it is not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question and what came of it; `text` is what was written, finished or not."""

    question: str  # "" for a picture alone
    text: str = ""
    sources: tuple[Source, ...] = ()
    answer: Answer | None = None
    stopped: bool = False
    failure: str = ""  # one plain sentence, when there is no answer
    still_read: tuple[str, ...] = ()  # names of documents that were being read meanwhile
    interrupted: bool = False  # Folio ended while it was written
    number: int = 0  # place in its chat, 0-based
    rating: int = 0  # 1 up, -1 down
    remark: str = ""  # with the rating
    picture: AskedPicture | None = None
    documents: tuple[UUID, ...] = ()  # that were searched; empty: all

    @property
    def title(self) -> str:
        """What the question is called: its words, or the name of its picture."""
        return titled(self.question, self.picture)


def titled(question: str, picture: AskedPicture | None) -> str:
    """A question in words, also one that is a picture alone."""
    return question if question.strip() or picture is None else f"Picture: {picture.name}"


def documents_in(turn: Turn) -> set[UUID]:
    """The documents that a turn holds words or pictures of."""
    return {hit.item.document_id for hit in _hits(turn)}


def pictures_in(turn: Turn) -> set[tuple[str, UUID]]:
    """SHA-256 and document of each picture among what was found."""
    items = [hit.item for hit in _hits(turn)]
    return {(item.image_sha256, item.document_id) for item in items if item.image_sha256}


def without_document(turn: Turn, document_id: UUID) -> Turn:
    """The turn with marker, name and page of a document; its words and pictures are gone.

    A model's own words stay. Quotes of the document are replaced by a sentence, as are the
    passages of the prompt, and earlier turns in it, which may have quoted the document.
    """
    sources = tuple(_bare_source(source, document_id) for source in turn.sources)
    answer = turn.answer
    if answer is None:
        return replace(turn, sources=sources)
    gone = {s.marker for s in answer.sources if s.hit.item.document_id == document_id}
    # A quote can stand in the item beside its source, never in another document.
    text = _without_quotes(answer.text, gone) if answer.mode == "extractive" else turn.text
    answer = replace(
        answer,
        text=text if answer.mode == "extractive" else answer.text,
        sources=tuple(_bare_source(source, document_id) for source in answer.sources),
        citations=tuple(
            replace(c, hit=_bare_hit(c.hit, document_id), quote="") if c.marker in gone else c
            for c in answer.citations
        ),
        not_used=tuple(_bare_hit(hit, document_id) for hit in answer.not_used),
        prompt=tuple(_bare_part(part, gone) for part in answer.prompt),
    )
    return replace(turn, text=text, sources=sources, answer=answer)


def without_history(turn: Turn) -> Turn:
    """The turn without the earlier answers in its prompt, which may quote a deleted document."""
    if turn.answer is None:
        return turn
    prompt = tuple(
        replace(part, text=GONE_PROMPT) if part.role == "assistant" else part
        for part in turn.answer.prompt
    )
    return replace(turn, answer=replace(turn.answer, prompt=prompt))


def _hits(turn: Turn) -> Iterator[Hit]:
    yield from (source.hit for source in turn.sources)
    if turn.answer is not None:
        yield from (source.hit for source in turn.answer.sources)
        yield from (citation.hit for citation in turn.answer.citations)
        yield from turn.answer.not_used


def _bare_source(source: Source, document_id: UUID) -> Source:
    if source.hit.item.document_id != document_id:
        return source
    return replace(source, hit=_bare_hit(source.hit, document_id), around=())


def _bare_hit(hit: Hit, document_id: UUID) -> Hit:
    if hit.item.document_id != document_id:
        return hit
    item = replace(
        hit.item, text="", search_text="", heading=(), caption="", number="", image_sha256=None
    )
    return replace(hit, item=item, image_path=None)


def _bare_part(part: PromptPart, gone: set[int]) -> PromptPart:
    if part.role == "assistant":
        return replace(part, text=GONE_PROMPT)
    if part.marker not in gone:
        return part
    picture = replace(part.picture, sha256=None) if part.picture else None
    return replace(part, text=GONE_PROMPT if part.text else "", picture=picture)


def _without_quotes(text: str, gone: set[int]) -> str:
    """An answer of quotes; a quote ends with its mark, and may hold empty lines itself."""
    kept: list[str] = []
    quote: list[str] = []
    for paragraph in text.split("\n\n"):
        quote.append(paragraph)
        mark = _MARK_AT_END.search(paragraph)
        if mark is None:
            continue
        is_gone = int(mark[1]) in gone
        kept.extend([f"{GONE_QUOTE} [{mark[1]}]"] if is_gone else quote)
        quote = []
    return "\n\n".join([*kept, *quote])
