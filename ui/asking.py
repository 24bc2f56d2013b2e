"""One question from its words to its answer: stand alone, search, answer. Wiring, no pages."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.answer import answer_stream
from rag.context import look_around
from rag.embed.turns import hurried
from rag.shown import used_tokens
from rag.standalone import stand_alone
from rag.types import Done, Rewritten, Scope

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from uuid import UUID

    from PIL import Image

    from rag.embed.lanes import TextLane
    from rag.types import Answer, AnswerEvent
    from ui.services import Services

# What a picture without words asks.
ABOUT_PICTURE = "What do the documents say about this picture?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question and what it comes with."""

    question: str
    documents: tuple[UUID, ...] = ()
    history: Sequence[tuple[str, str]] = ()
    stop: threading.Event | None = None
    top_k: int | None = None
    use_llm: bool = True
    picture: Image.Image | None = None


def answer_events(
    services: Services, asked: Asked, lane: Callable[[], TextLane | None]
) -> Iterator[AnswerEvent]:
    """Events of one answer, the last one `Done`."""
    scope = Scope(workspace=services.workspace, documents=asked.documents)
    ready = services.answering.ready(use_llm=asked.use_llm)
    started = time.perf_counter()
    question = asked.question
    if asked.picture is None:  # with one, "this" is the picture, nothing that was said before
        question = stand_alone(question, asked.history, ready.settings, asked.stop)
    rewrite_ms = round(1000 * (time.perf_counter() - started), 1)
    is_rewritten = question != asked.question
    if is_rewritten:
        yield Rewritten(question)
    # Sentences are compared with the question too, and a document may be read meanwhile.
    with hurried():
        found = services.search(question, top_k=asked.top_k, scope=scope, picture=asked.picture)
        if asked.picture is not None and not question.strip():
            question = f"{ABOUT_PICTURE} {found.words}".strip()
        around = (
            look_around(services.library.items, services.workspace, found.hits)
            if ready.settings.model
            else {}
        )
        before = {"rewrite": rewrite_ms} if is_rewritten else {}
        events = answer_stream(
            question,
            found.hits,
            abstain=not found.has_evidence,
            text_lane=lane(),
            settings=ready.settings,
            use_llm=asked.use_llm,
            history=asked.history,
            stop=asked.stop,
            timings_ms={**before, **found.timings_ms},
            notes=found.notes,
            around=around,
            named_figures=found.named_figures,
            picture=asked.picture,
        )
        for event in ready.told(events):
            yield _completed(event, services, asked.question, question if is_rewritten else "")


def _completed(event: AnswerEvent, services: Services, asked: str, searched: str) -> AnswerEvent:
    """The finished answer with what only the wiring knows."""
    if not isinstance(event, Done):
        return event
    answer = replace(
        event.answer,
        embedder=services.status().embedder,
        dollars=_cost(services, event.answer),
    )
    if searched:
        answer = replace(answer, question=asked, searched_for=searched)
    return Done(answer)


def _cost(services: Services, answer: Answer) -> float | None:
    """Dollars of a model's answer, as estimated; None for quotes and when no price is known."""
    facts = services.answering.facts() if answer.mode == "llm" else None
    if facts is None:
        return None
    prompt_tokens, answer_tokens, _ = used_tokens(answer)
    return facts.cost(prompt_tokens, answer_tokens)
