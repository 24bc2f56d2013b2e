"""The keys of the session, `selection` aside, and the one shared object, the services. No drawing.

A reload of the page is a new session. What must outlive it is in the library: chats are kept
there and opened by `?chat=<id>`; the last turns of the open one are held here to be drawn.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, cast

import streamlit as st

from rag.turn import Turn as Turn  # what a conversation is made of
from ui.web import visitors
from ui.web.jobs import JobBoard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from streamlit.typing import ChatInputValue

    from rag.types import Retrieval, Source
    from ui.batch import Batch
    from ui.services import Services
    from ui.web.jobs import AnswerJob
    from ui.web.pieces import Tone

TURNS = "turns"
ASK = "ask"  # the chat box
PUT = "put_into_the_box"  # and not asked yet
DRAFT = "draft"
BOX_NOTICES = "box_notices"  # about what was put into the chat box; drawn above it
ASKED = "asked"
JOB = "job"
OPEN = "open_source"
NOTICES = "notices"
UPLOADS = "uploads_done"
CONFIRM = "confirm_delete"
LICENCE = "licence_shown"
HELLO = "language_model_hello"  # what was greeted, and what came of it
SEEN_STATES = "seen_states"
TOLD_LANGUAGES = "told_languages"
ANNOUNCED = "announced"
INSPECTED = "inspected"
INSPECT_QUESTION = "inspect_question"
INSPECT_KIND = "inspect_kind"
INSPECT_PLAIN = "inspect_plain"
INSPECT_TURN = 9_999  # what the drawer knows the Inspect page by; no conversation is so long
LOOSE = "loose_sources"
LOOSE_TURN = 9_998  # the same for the Test page
BATCHES = "batches"
NEWS = "news_told"
RESETTING = "reset_here"  # whether this visitor began the reset
CONFIRM_RESET = "confirm_reset"
HISTORY_TURNS = 4
CHAT = "chat_id"
CHAT_PARAMETER = "chat"  # in the address
CONFIRM_CHAT = "confirm_delete_chat"
ALL_CHATS = "all_chats"
SEEN = "seen_turn"
VISITOR = "visitor"
MAX_HELD = 30  # turns of a chat in memory; older ones are fetched again


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message that stays on the page until it is dismissed."""

    tone: Tone
    strong: str
    rest: str = ""
    document_id: UUID | None = None  # the one that failed, when it did
    show_id: UUID | None = None  # the one to look at
    lines: tuple[str, ...] = ()  # each file of many, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSource:
    """Which source the drawer shows, and how."""

    turn: int
    marker: int
    view: Literal["Page", "Crop"] | None = field(default=None)
    page: int | None = None  # turned to; None is the one the quote stands on
    earlier: int = 0  # blocks of the reader view that were asked for, before and after
    later: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """The last search of the Inspect page."""

    question: str
    of: object  # all that the results depend on
    found: Retrieval
    sources: tuple[Source, ...]  # all candidates, those shown first


@st.cache_resource(show_spinner=False, on_release=lambda built: built.close())
def services() -> Services:
    """The services of this process, built once for all visitors.

    Raises:
        RagError: They cannot be built; nothing is kept, so the next call tries again.
    """
    from rag.settings import load_settings
    from ui import services as wiring

    return wiring.build(load_settings())


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Load model and index once, in the background, after the first page is drawn.

    Not earlier: importing torch beside the first paint would double its time.
    """
    threading.Thread(target=services().warm_up, name="warm-up", daemon=True).start()


def has_headers() -> bool:
    """Whether `ui.web.asgi` serves this page, so that the policy stands behind Markdown."""
    return os.environ.get("FOLIO_SERVE_CHILD") == "1"


def visitor() -> str:
    """Who looks: chats are listed for whoever began them. "" when started by hand: for all.

    A browser that keeps no cookies is somebody new with each session.
    """
    if not has_headers():
        return ""
    known = visitors.read(st.context.cookies)
    return known or cast("str", st.session_state.setdefault(VISITOR, visitors.new()))


def turns() -> list[Turn]:
    """The conversation so far, oldest first."""
    return cast("list[Turn]", st.session_state.setdefault(TURNS, []))


def turn(number: int) -> Turn | None:
    """A turn that is drawn, by its place in the chat."""
    return next((turn for turn in turns() if turn.number == number), None)


def next_number() -> int:
    """Place of the turn that comes next."""
    return turns()[-1].number + 1 if turns() else 0


def add_turn(turn: Turn) -> None:
    """Append to the conversation."""
    st.session_state[TURNS] = [*turns(), turn][-MAX_HELD:]


def set_turns(held: Sequence[Turn]) -> None:
    """Hold these, oldest first."""
    st.session_state[TURNS] = list(held)


def change_turn(changed: Turn) -> None:
    """Put a turn in the place of the one with its number."""
    set_turns([changed if turn.number == changed.number else turn for turn in turns()])


def history(before: int | None = None) -> list[tuple[str, str]]:
    """Earlier (question, answer) pairs for the model, oldest first; each stands alone.

    An answer that was tried again gives way to the one after it.
    """
    held = [turn for turn in turns() if turn.text and (before is None or turn.number < before)]
    told = [
        (_asked(turn), turn.text)
        for place, turn in enumerate(held, 1)
        if all(after.title != turn.title for after in held[place : place + 1])
    ]
    return told[-HISTORY_TURNS:]


def _asked(turn: Turn) -> str:
    searched = turn.answer.searched_for if turn.answer else ""
    return searched or turn.title


def box_notices() -> list[Notice]:
    """Messages above the chat box; they stay until something else is put into it."""
    return cast("list[Notice]", st.session_state.get(BOX_NOTICES, []))


def set_box_notices(told: list[Notice]) -> None:
    """Show these above the chat box."""
    st.session_state[BOX_NOTICES] = told


def hold_put(value: ChatInputValue | None) -> None:
    """Keep what was put into the chat box until it is taken, over runs that are left early."""
    st.session_state[PUT] = value


def take_put() -> ChatInputValue | None:
    """What was put into the chat box, once."""
    return cast("ChatInputValue | None", st.session_state.pop(PUT, None))


def set_draft(words: str) -> None:
    """Put words into the chat box at the next run, before it is drawn."""
    st.session_state[DRAFT] = words


def take_draft() -> str:
    """The words that wait for the chat box; they are given once."""
    return cast("str", st.session_state.pop(DRAFT, ""))


def chat_id() -> UUID | None:
    """The chat that is open, None before its first question."""
    return cast("UUID | None", st.session_state.get(CHAT))


def set_chat(chat_id: UUID | None) -> None:
    """Say which chat is open, in the address as well."""
    st.session_state[CHAT] = chat_id
    if chat_id is None:
        st.query_params.pop(CHAT_PARAMETER, None)
    else:
        st.query_params[CHAT_PARAMETER] = str(chat_id)


@st.cache_resource(show_spinner=False)
def board() -> JobBoard:
    """The answers being written in this process; has its own lock."""
    return JobBoard()


def start_over() -> None:
    """Leave the conversation; a running answer is stopped."""
    running = job()
    if running is not None:
        running.stop()
    leave_chat()
    set_chat(None)


def leave_chat() -> None:
    """Forget what is held of the open chat; an answer being written goes on."""
    for key in (TURNS, JOB, OPEN, SEEN, BOX_NOTICES):
        st.session_state.pop(key, None)


def asked() -> tuple[int, int]:
    """How many questions were asked in this session, and the place of the last in its chat."""
    return cast("tuple[int, int]", st.session_state.get(ASKED, (0, 0)))


def count_asked(number: int) -> None:
    """Note that a question was asked, at this place in its chat."""
    st.session_state[ASKED] = (asked()[0] + 1, number)


def job() -> AnswerJob | None:
    """The answer that is being written, if any."""
    return cast("AnswerJob | None", st.session_state.get(JOB))


def set_job(running: AnswerJob | None) -> None:
    """Start or end the drawing of an answer."""
    st.session_state[JOB] = running


def opened() -> OpenSource | None:
    """What the drawer shows, or None when it is shut."""
    return cast("OpenSource | None", st.session_state.get(OPEN))


def open_source(turn: int, marker: int) -> None:
    """Open the drawer at a source."""
    st.session_state[OPEN] = OpenSource(turn=turn, marker=marker)


def shut_source() -> None:
    """Close the drawer."""
    st.session_state[OPEN] = None


def turn_to(page: int | None) -> None:
    """Show another page of the source's document; None for the cited one."""
    shown = opened()
    if shown is not None:
        st.session_state[OPEN] = replace(shown, page=page)


def show_blocks(*, earlier: int = 0, later: int = 0) -> None:
    """Show more of the reader view."""
    shown = opened()
    if shown is not None:
        more = replace(shown, earlier=shown.earlier + earlier, later=shown.later + later)
        st.session_state[OPEN] = more


def show_view(view: Literal["Page", "Crop"]) -> None:
    """Choose between the whole page and the crop."""
    shown = opened()
    if shown is not None:
        st.session_state[OPEN] = replace(shown, view=view)


def inspected() -> Inspected | None:
    """The last search of the Inspect page."""
    return cast("Inspected | None", st.session_state.get(INSPECTED))


def set_inspected(search: Inspected) -> None:
    """Keep a search, so that its results can be opened."""
    st.session_state[INSPECTED] = search


def loose_sources() -> list[Source]:
    """What the Test page has listed."""
    return cast("list[Source]", st.session_state.get(LOOSE, []))


def set_loose_sources(sources: list[Source]) -> None:
    """Keep what is listed, so that it can be opened."""
    st.session_state[LOOSE] = sources


def notices() -> list[Notice]:
    """Messages not yet dismissed."""
    return cast("list[Notice]", st.session_state.setdefault(NOTICES, []))


def tell(notice: Notice) -> None:
    """Add a message."""
    st.session_state[NOTICES] = [*notices(), notice]


def forget_notices() -> None:
    """Dismiss all messages."""
    st.session_state[NOTICES] = []


def forget_notices_of(document_id: UUID) -> None:
    """Drop the messages about one document, which is tried again."""
    st.session_state[NOTICES] = [one for one in notices() if one.document_id != document_id]


def upload_key(place: str) -> str:
    """Key of an uploader; a new one after each batch empties the widget."""
    return f"{place}-{st.session_state.get(UPLOADS, 0)}"


def reset_uploaders() -> None:
    """Give uploaders new keys, so that the bytes they hold are dropped."""
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1


def batches() -> list[Batch]:
    """The drops of this visitor that are on their way into the library."""
    return cast("list[Batch]", st.session_state.setdefault(BATCHES, []))


def set_batches(batches: Sequence[Batch]) -> None:
    """Hold these drops."""
    st.session_state[BATCHES] = list(batches)
