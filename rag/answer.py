"""One question and its hits to one answer: by a model, by quotes, or by saying no.

Knows the order of things: prompt, model, fallback, citations. Retrieval comes before it,
showing after it. Whatever fails, the sources are known and the turn ends with `Done`.
"""

from __future__ import annotations

import logging
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.citations import resolve_citations, strip_marks
from rag.errors import LlmError
from rag.extractive import extract_answer
from rag.llm import End, stream_chat
from rag.llm_facts import sees_pictures
from rag.prompt import REFUSAL, SOURCE_SHARE, Prompt, build_prompt
from rag.sentences import fold_spaces
from rag.shown import read_messages
from rag.types import Answer, Done, Failure, Restart, Retrieved, Source, Token

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from PIL import Image

    from rag.citations import Resolved
    from rag.context import Surroundings
    from rag.embed.lanes import TextLane
    from rag.settings import LlmSettings
    from rag.types import AnswerEvent, Citation, Finish, Hit, Mode, PromptPart, Unsupported

logger = logging.getLogger(__name__)

ABSTAIN_TEXT = f"{REFUSAL} The closest passages are listed below."
PICTURES_HIDDEN_TEXT = (
    "The model was not shown the pictures among the sources, only their captions and words."
)


def answer(
    question: str,
    hits: Sequence[Hit],
    *,
    abstain: bool,
    text_lane: TextLane | None,
    settings: LlmSettings,
    use_llm: bool,
    history: Sequence[tuple[str, str]] = (),
    timings_ms: Mapping[str, float] | None = None,
) -> Answer:
    """The finished answer; see `answer_stream`."""
    events = answer_stream(
        question,
        hits,
        abstain=abstain,
        text_lane=text_lane,
        settings=settings,
        use_llm=use_llm,
        history=history,
        timings_ms=timings_ms,
    )
    return next(event.answer for event in events if isinstance(event, Done))


def answer_stream(
    question: str,
    hits: Sequence[Hit],
    *,
    abstain: bool,
    text_lane: TextLane | None,
    settings: LlmSettings,
    use_llm: bool,
    history: Sequence[tuple[str, str]] = (),
    stop: threading.Event | None = None,
    timings_ms: Mapping[str, float] | None = None,
    notes: tuple[str, ...] = (),
    around: Mapping[UUID, Surroundings] | None = None,
    named_figures: tuple[Hit, ...] = (),
    picture: Image.Image | None = None,
) -> Iterator[AnswerEvent]:
    """Retrieved, then tokens, then Done.

    When the model fails before its first word, Restart comes and then Retrieved again,
    because quotes have their own numbers. Retrieved also comes again when the model
    found the sources too many or took no pictures. The last Retrieved is the one that counts.

    Args:
        question: as asked.
        hits: best first; may be empty.
        abstain: retrieval found nothing that answers; no model is asked.
        text_lane: for the choice of quotes; without it, words alone decide.
        settings: the model, if there is one.
        use_llm: False asks for quotes even when a model is set.
        history: earlier turns as (question, answer), oldest first.
        stop: set by another thread to end the model's answer; what is there is kept.
        timings_ms: of the stages before this one; "first_token" and "total" are added,
            both counted from the start of the first stage.
        notes: what of the question retrieval did not read; handed on.
        around: what stands around the hits, for a model; quotes keep to the hits.
        named_figures: of the hits' texts, for quotes that name one.
        picture: of the question, for a model that sees pictures.
    """
    turn = _Turn(
        question=question,
        hits=tuple(hits),
        text_lane=text_lane,
        settings=settings,
        history=tuple(history),
        stop=stop,
        timings_ms=dict(timings_ms or {}),
        before_ms=sum((timings_ms or {}).values()),
        notes=notes,
        around=around or {},
        named_figures=named_figures,
        picture=picture,
    )
    if abstain or not hits:
        yield from _abstain(turn)
    elif use_llm and settings.model:
        yield from _by_model(turn)
    else:
        yield from _by_quotes(turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What a question comes with."""

    question: str
    hits: tuple[Hit, ...]
    text_lane: TextLane | None
    settings: LlmSettings
    history: tuple[tuple[str, str], ...]
    stop: threading.Event | None
    timings_ms: dict[str, float]
    before_ms: float
    notes: tuple[str, ...]
    around: Mapping[UUID, Surroundings]
    named_figures: tuple[Hit, ...]
    picture: Image.Image | None
    started: float = field(default_factory=time.perf_counter)

    def mark(self, name: str) -> None:
        """Note the time since the question under a name."""
        own_ms = 1000 * (time.perf_counter() - self.started)
        self.timings_ms[name] = round(self.before_ms + own_ms, 1)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the sources are put to the model; a refusal of one plan may lead to a smaller one."""

    with_pictures: bool
    source_share: float = SOURCE_SHARE


@dataclass(slots=True)
class _Reply:
    """What the model has said so far."""

    pieces: list[str] = field(default_factory=list)
    end: End = field(default_factory=lambda: End("stop"))
    error: LlmError | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces).strip()


def _abstain(turn: _Turn, error: LlmError | None = None) -> Iterator[AnswerEvent]:
    sources = _number(turn.hits)
    yield Retrieved(sources)
    text = ABSTAIN_TEXT if sources else REFUSAL
    turn.mark("first_token")
    yield Token(text)
    yield _done(turn, text=text, sources=sources, abstained=True, error=_to_failure(error))


def _by_quotes(turn: _Turn, error: LlmError | None = None) -> Iterator[AnswerEvent]:
    extract = extract_answer(turn.question, turn.hits, turn.text_lane, turn.named_figures)
    if not extract.sources:
        yield from _abstain(turn, error)
        return
    yield Retrieved(extract.sources)
    turn.mark("first_token")
    yield Token(extract.text)
    yield _done(
        turn,
        text=extract.text,
        sources=extract.sources,
        citations=extract.citations,
        error=_to_failure(error),
    )


def _by_model(turn: _Turn) -> Iterator[AnswerEvent]:
    plan: _Plan | None = _Plan(with_pictures=sees_pictures(turn.settings))
    error: LlmError | None = None
    while plan is not None:
        prompt = _prompt(turn, plan)
        if not prompt.sources:  # pictures without words, for a model without eyes
            break
        yield Retrieved(prompt.sources)
        reply = _Reply()
        yield from _speak(turn, prompt, reply)
        error = reply.error
        if error is None or reply.text:
            yield from _finish(turn, plan, prompt, reply)
            return
        plan = _cure(plan, prompt, error)
    if error is not None:
        yield Restart(str(error))
    yield from _by_quotes(turn, error)


def _cure(plan: _Plan, prompt: Prompt, error: LlmError) -> _Plan | None:
    """A plan that the same model may accept, or None. Each cure works once, so this ends."""
    logger.info("model refused kind=%s sources=%d", error.kind, len(prompt.sources))
    if error.kind == "no_images" and prompt.images_sent:
        return replace(plan, with_pictures=False)
    if error.kind == "too_long" and plan.source_share == SOURCE_SHARE:
        return replace(plan, source_share=SOURCE_SHARE / 2)
    return None


def _prompt(turn: _Turn, plan: _Plan) -> Prompt:
    return build_prompt(
        turn.question,
        turn.hits,
        turn.settings,
        with_pictures=plan.with_pictures,
        history=turn.history,
        source_share=plan.source_share,
        around=turn.around,
        picture=turn.picture,
    )


def _speak(turn: _Turn, prompt: Prompt, reply: _Reply) -> Iterator[Token]:
    """The model's pieces as tokens; all of them, the end and the error are kept in `reply`."""
    try:
        with closing(stream_chat(prompt.messages, turn.settings, turn.stop)) as events:
            for event in events:
                if isinstance(event, End):
                    reply.end = event
                    return
                if not reply.pieces:
                    turn.mark("first_token")
                reply.pieces.append(event.text)
                yield Token(event.text)
    except LlmError as error:
        reply.error = error


def _finish(turn: _Turn, plan: _Plan, prompt: Prompt, reply: _Reply) -> Iterator[AnswerEvent]:
    finish: Finish = "cut_off" if reply.error else reply.end.finish
    resolved = resolve_citations(reply.text, prompt.sources, turn.question)
    refused = _is_refusal(reply.text)
    text = ABSTAIN_TEXT if refused else resolved.text
    if prompt.hidden_pictures and not plan.with_pictures and not refused and finish != "stopped":
        text += f"\n\n{PICTURES_HIDDEN_TEXT}"
        yield Token(f"\n\n{PICTURES_HIDDEN_TEXT}")
    broke_off = finish != "stop"
    yield _done(
        turn,
        text=text,
        mode="llm",
        sources=prompt.sources,
        citations=() if refused else resolved.citations,
        unsupported=() if refused else _whole_ones(resolved, broke_off=broke_off),
        abstained=refused,
        finish=finish,
        images_sent=prompt.images_sent,
        unseen_pictures=0 if plan.with_pictures else prompt.hidden_pictures,
        usage=reply.end.usage,
        error=_to_failure(reply.error),
        shown=read_messages(prompt.messages, prompt.sources, shows_question=prompt.shows_question),
    )


def _whole_ones(resolved: Resolved, *, broke_off: bool) -> tuple[Unsupported, ...]:
    """What is unsupported, without the last sentence of an answer that ends inside it."""
    found = resolved.unsupported
    if broke_off and found and resolved.text.endswith(found[-1].sentence):
        return found[:-1]
    return found


def _is_refusal(text: str) -> bool:
    """Whether the model said the refusal and nothing else, give or take its dressing."""
    return fold_spaces(strip_marks(text)).strip("*_\"'. ").casefold() == REFUSAL[:-1].casefold()


def _number(hits: Sequence[Hit]) -> tuple[Source, ...]:
    return tuple(Source(marker=marker, hit=hit) for marker, hit in enumerate(hits, 1))


def _to_failure(error: LlmError | None) -> Failure | None:
    return Failure(kind=error.kind, message=str(error)) if error else None


def _done(
    turn: _Turn,
    *,
    text: str,
    sources: tuple[Source, ...],
    mode: Mode = "extractive",
    citations: tuple[Citation, ...] = (),
    unsupported: tuple[Unsupported, ...] = (),
    abstained: bool = False,
    finish: Finish = "stop",
    images_sent: int = 0,
    unseen_pictures: int = 0,
    usage: Mapping[str, int] | None = None,
    error: Failure | None = None,
    shown: tuple[PromptPart, ...] = (),
) -> Done:
    turn.mark("total")
    used = {source.hit.item.id for source in sources}
    logger.info(
        "answered mode=%s finish=%s abstained=%s sources=%d citations=%d unsupported=%d images=%d"
        " error=%s timings_ms=%s",
        *(mode, finish, abstained, len(sources), len(citations), len(unsupported), images_sent),
        error.kind if error else None,
        turn.timings_ms,
    )
    return Done(
        Answer(
            question=turn.question,
            text=text,
            mode=mode,
            model=turn.settings.model if mode == "llm" else None,
            abstained=abstained,
            finish=finish,
            citations=citations,
            sources=sources,
            not_used=tuple(hit for hit in turn.hits if hit.item.id not in used),
            unsupported=unsupported,
            notes=turn.notes,
            images_sent=images_sent,
            unseen_pictures=unseen_pictures,
            usage=dict(usage or {}),
            timings_ms=turn.timings_ms,
            error=error,
            prompt=shown,
        )
    )
