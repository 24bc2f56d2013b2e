"""The Ask page: conversation and the answer being written. Knows no retrieval."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui import cited, outcome
from ui.question_picture import new_picture, picture_again
from ui.web import (
    composer,
    faults,
    markup,
    models,
    notices,
    pieces,
    polling,
    recent,
    selection,
    state,
    turns,
    uploads,
    wording,
)
from ui.web.jobs import AnswerJob, Asking

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from uuid import UUID

    from rag.library import Place
    from rag.turn import AskedPicture
    from rag.types import AnswerEvent, Document
    from ui.question_picture import NewPicture
    from ui.services import Services
    from ui.suggestions import Suggestion
    from ui.web.jobs import JobView

POLL_S = 0.3
MAX_SUGGESTIONS = 5
PROMISES = (
    ("search", "One search for words and pictures", "Charts and tables are found beside text."),
    ("page", "Every sentence has its source", "Click a number to see the page, the place marked."),
    ("lock", "Works offline", "No key, no account. Answers are quotes until a model writes them."),
)

WITHOUT_CLOUD = (
    "To have answers written without a cloud, install Ollama and fetch a model that sees pictures:"
    " gemma3:4b (3.3 GB) on a computer with 8 GB of memory, qwen2.5vl:7b (6.0 GB) with 16 GB. The"
    " Models page takes keys and other servers."
)


def show(services: Services, documents: Sequence[Document]) -> None:
    """Draw the page."""
    with st.container(key="column"):
        notices.show()
        if documents:
            models.offer(services)
        if not documents and not state.turns():
            _empty(services)
        else:
            _conversation(services, documents)
    asked = composer.show(services, documents)
    if asked is not None:
        ask(services, documents, asked.question, picture=asked.picture)
        st.rerun()


def ask(
    services: Services,
    documents: Sequence[Document],
    question: str,
    *,
    picture: NewPicture | None = None,
    again: state.Turn | None = None,
) -> None:
    """Start the answer to a question in the background.

    Args:
        services: Who answers.
        documents: Those of the library.
        question: "" for a picture alone.
        picture: What comes with it.
        again: The turn that is tried again: of the same documents, without itself as history.
    """
    question = question.strip()
    if (not question and picture is None) or state.job() is not None:
        return
    wanted = _wanted(documents, again)
    history = state.history(before=again.number if again else None)
    place = _place(services, question, wanted, picture)

    def start(stop: threading.Event) -> Iterator[AnswerEvent]:
        return services.ask(
            question,
            documents=wanted,
            history=history,
            stop=stop,
            picture=picture.pixels if picture else None,
        )

    job = AnswerJob(
        Asking(
            question=question,
            picture=_kept(services, picture),
            documents=wanted,
            document_count=len(wanted or selection.searchable(documents)),
            still_read=tuple(
                d.name for d in documents if d.state in ("queued", "working", "readable")
            ),
        ),
        start,
        describe=lambda error: faults.sentence(faults.log(error)),
        place=place,
        keep=_keeper(services, place) if place else lambda _job, _view: None,
    )
    state.set_job(job)
    state.count_asked(place.number if place else state.next_number())
    state.board().put(job)
    st.session_state[state.ANNOUNCED] = "Answering"
    job.start()


def ask_again(services: Services, documents: Sequence[Document], turn: state.Turn) -> None:
    """Ask the question of a turn once more, with its picture and of its documents.

    The new answer stands after the old one: nothing that was read, rated or linked is lost.
    """
    picture = None
    if turn.picture is not None:
        try:
            picture = picture_again(turn.picture, services.settings.ingest)
        except RagError as error:
            composer.tell(
                state.Notice(tone="warn", strong="It was not tried again.", rest=str(error))
            )
            return
    ask(services, documents, turn.question, picture=picture, again=turn)


def _wanted(documents: Sequence[Document], again: state.Turn | None) -> tuple[UUID, ...]:
    """The documents to search, none for all; those of an earlier question as far as they live."""
    searchable, ticked = selection.searchable(documents), selection.scope(documents)
    if again is not None:
        left = tuple(d.id for d in searchable if d.id in again.documents)
        if left or not again.documents:
            return left
    return tuple(d.id for d in ticked) if len(ticked) < len(searchable) else ()


def _kept(services: Services, picture: NewPicture | None) -> AskedPicture | None:
    if picture is None:
        return None
    return replace(picture.asked, path=services.chats.picture_path(picture.asked.sha256))


def _place(
    services: Services, question: str, wanted: Sequence[UUID], picture: NewPicture | None
) -> Place | None:
    """Where the answer is kept; None when the disk is full, which must not cost the answer."""
    try:
        place = services.chats.begin(
            state.chat_id(),
            question,
            documents=wanted,
            picture=picture,
            visitor=state.visitor(),
        )
    except RagError as error:
        strong = "This answer is not kept."
        composer.tell(state.Notice(tone="warn", strong=strong, rest=str(error)))
        return None
    if place.chat_id != state.chat_id():
        if state.chat_id() is not None:
            state.set_turns([])
            strong = "This conversation was deleted in another window."
            rest = "Your question begins a new one."
            composer.tell(state.Notice(tone="info", strong=strong, rest=rest))
        state.set_chat(place.chat_id)
    return place


def _keeper(services: Services, place: Place) -> Callable[[AnswerJob, JobView], None]:
    keeper = services.chats.keeper(place)
    return lambda job, view: keeper.keep(_to_turn(job, view), is_done=view.is_done)


def _to_turn(job: AnswerJob, view: JobView) -> state.Turn:
    answer = view.answer
    asking = job.asking
    return state.Turn(
        question=asking.question,
        picture=asking.picture,
        documents=asking.documents,
        text=view.text,
        sources=view.sources,
        answer=answer,
        stopped=job.is_stopped and (answer is None or answer.finish == "stopped"),
        failure=view.failure,
        still_read=asking.still_read,
        number=job.place.number if job.place else state.next_number(),
    )


def finish(services: Services, job: AnswerJob) -> None:
    """Turn a job that has ended into a turn of the conversation."""
    turn = _to_turn(job, job.look())
    if turn.number > state.next_number():  # another window has asked in this chat too
        chat_id = state.chat_id()
        held = services.chats.open(chat_id, last=recent.SHOWN_TURNS) if chat_id else []
        state.set_turns([one for one in held if one.number < turn.number])
    state.add_turn(turn)
    state.set_job(None)
    st.session_state[state.ANNOUNCED] = _spoken(turn)
    cited.draw_ahead(services, (source.hit for source in outcome.shown_sources(turn)))


def _spoken(turn: state.Turn) -> str:
    if turn.failure:
        return turn.failure
    if turn.stopped:
        return outcome.STOPPED
    count = wording.count(len(outcome.shown_sources(turn)), "source")
    answer = turn.answer
    if answer is not None and answer.abstained:
        return f"No answer in these documents, {count} nearby"
    if answer is not None and answer.error is not None:
        return f"{outcome.MODEL_DOWN[0]} {count} found"
    return f"Answer ready, {count}"


def _empty(services: Services) -> None:
    st.html(
        pieces.title("Ask your documents", big=True)
        + pieces.lead(
            "Folio reads PDF, HTML, Markdown, text and picture files, finds the passages, tables"
            " and figures that answer your question, and shows where each one stands on the page."
        )
    )
    with st.container(key="drop"):
        uploads.drop_zone("drop")
    with st.container(horizontal=True, vertical_alignment="center", key="sample"):
        st.button(
            "Use the sample documents",
            type="primary",
            icon=":material/menu_book:",
            key="add-sample",
            on_click=uploads.add_sample,
        )
        local = " Nothing leaves this computer." if services.status().local_only else ""
        st.html(pieces.meta(f"A few short files.{local}"), width="content")
    st.html(pieces.promises(PROMISES))
    if not services.status().model:
        st.html(pieces.meta(WITHOUT_CLOUD))


def _conversation(services: Services, documents: Sequence[Document]) -> None:
    _reading_note(services)
    told = state.turns()
    if not told and state.job() is None:
        _suggestions(services, documents)
    else:
        st.html(pieces.hidden_title("Ask your documents"))
    recent.show_earlier(services)
    for turn in told:
        if turns.show(turn.number, turn, is_last=turn is told[-1] and state.job() is None):
            ask_again(services, documents, turn)
            st.rerun()
    if state.job() is not None:
        _live(services)


def _reading_note(services: Services) -> None:
    if not services.progress():
        return

    @st.fragment(run_every=polling.POLL_S)
    def redraw() -> None:
        running = services.progress()
        if running:
            st.html(pieces.note("info", *wording.reading_note(running)))

    redraw()


def _suggestions(services: Services, documents: Sequence[Document]) -> None:
    st.html(pieces.title("Ask your documents", big=True))
    if not selection.scope(documents):
        return
    suggested = services.suggestions()[:MAX_SUGGESTIONS]
    if not suggested:
        return
    st.html(pieces.section("Questions to try"))
    with st.container(key="suggestions", gap="xsmall"):
        for place, made in enumerate(suggested):
            label = markup.label(made.question)
            icon = ":material/image:" if made.picture_sha256 else None
            if st.button(label, key=f"suggest-{place}", width="stretch", icon=icon):
                _ask_suggested(services, documents, made)
                st.rerun()


def _ask_suggested(services: Services, documents: Sequence[Document], made: Suggestion) -> None:
    picture = None
    if made.picture_sha256:
        try:
            data = services.picture_path(made.picture_sha256).read_bytes()
            picture = new_picture(data, "A picture of your documents", services.settings.ingest)
        except (OSError, RagError):  # deleted since the page was drawn
            return
    ask(services, documents, made.question, picture=picture)


@st.fragment(run_every=POLL_S)
def _live(services: Services) -> None:
    """The answer being written. Ends by handing it over and drawing the page anew.

    Its parts stand in the order of a finished turn, so that nothing jumps when it ends.
    """
    job = state.job()
    if job is None:
        return
    view = job.look()
    if view.is_done:
        finish(services, job)
        st.rerun()
    number = job.place.number if job.place else state.next_number()
    with st.container(key=f"turn-{number}"):
        turns.head(number, job.asking.title, job.asking.picture)
        turns.searched_for(view.searched_for)
        if view.restarted:
            st.html(pieces.note("warn", *outcome.MODEL_DOWN) + pieces.meta(view.restarted))
        if view.text:
            turns.words(number, view.text, view.sources)
        else:
            st.html(pieces.waiting(_waiting_words(job.asking.document_count, view)))
        turns.found(number, view.sources)
        with st.container(horizontal=True, key="acts-live"):
            st.button("Stop", key="stop", icon=":material/stop:", on_click=job.stop)


def _waiting_words(document_count: int, view: JobView) -> str:
    if not view.sources:
        return f"Searching {wording.count(document_count, 'document')}"
    return f"Found {wording.count(len(view.sources), 'source')}. Writing the answer"
