"""The chats that are kept: which one is open, the list at the left, deleting. Knows no answers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import streamlit as st

from rag.errors import RagError
from ui.web import markup, pieces, state, turns, wording

if TYPE_CHECKING:
    from rag.library import Chat
    from ui.services import Services

SHOWN_TURNS = 10  # drawn at once; each is a page of its own
LISTED, LISTED_ALL = 6, 200
NAME_CHARS = 60  # the rest of a line is cut by its width
FEEDBACK_FILE = "folio-ratings.jsonl"


def follow_address(services: Services) -> None:
    """Open the chat that the address names, after a reload or a step back."""
    named = st.query_params.get(state.CHAT_PARAMETER)
    current = state.chat_id()
    if named == (str(current) if current else None):
        return
    if named is None:  # back from another page
        state.set_chat(current)
        return
    try:
        open_chat(services, UUID(named))
    except ValueError:
        _missing()


def open_chat(services: Services, chat_id: UUID) -> None:
    """Show a chat from its end; an answer that is still being written goes on."""
    chat = services.chats.get(chat_id)
    if chat is None:
        _missing()
        return
    state.leave_chat()
    state.set_chat(chat.id)
    held = services.chats.open(chat.id, last=SHOWN_TURNS)
    running = state.board().get(chat.id)
    if running is not None and running.place is not None:
        place = running.place
        held = [turn for turn in held if turn.number < place.number]
        state.set_job(running)
    state.set_turns(held)


def refresh(services: Services) -> None:
    """Read the turns that are held again: a document of theirs was deleted."""
    chat_id, held = state.chat_id(), state.turns()
    if chat_id is not None and held:
        after = held[-1].number + 1
        state.set_turns(services.chats.open(chat_id, last=len(held), before=after))


def show_earlier(services: Services) -> None:
    """A button for the turns before those that are drawn."""
    chat_id, held = state.chat_id(), state.turns()
    if chat_id is None or not held or held[0].number == 0:
        return
    with st.container(horizontal=True, horizontal_alignment="center", key="acts-earlier"):
        words = f"Show earlier, {wording.count(held[0].number, 'question')}"
        if st.button(words, key="earlier", type="tertiary", icon=":material/expand_less:"):
            first = held[0].number
            earlier = services.chats.open(chat_id, last=SHOWN_TURNS, before=first)
            state.set_turns([*earlier, *held])
            st.rerun()


def show(services: Services) -> UUID | None:
    """The list at the left; returns the chat that was clicked."""
    visitor = state.visitor()
    count = services.chats.count(visitor=visitor)
    if not count:
        return None
    st.html(pieces.section("Recent"))
    every = bool(st.session_state.get(state.ALL_CHATS))
    clicked = None
    with st.container(key="recent", gap=None):
        for chat in services.chats.recent(LISTED_ALL if every else LISTED, visitor=visitor):
            if _row(chat, is_open=chat.id == state.chat_id()):
                clicked = chat.id
        if count > LISTED:
            words = "Show fewer" if every else f"Show all {count:,}"
            st.button(words, key="all-chats", type="tertiary", on_click=_toggle_all)
    _export(services)
    return clicked


def confirm(services: Services) -> bool:
    """Ask before a chat is deleted; returns whether it is asked."""
    wanted = st.session_state.get(state.CONFIRM_CHAT)
    chat = services.chats.get(wanted) if wanted is not None else None
    if chat is None:
        return False
    st.dialog("Delete this conversation?", on_dismiss=_keep)(_ask_delete)(services, chat)
    return True


def _row(chat: Chat, *, is_open: bool) -> bool:
    name = wording.cut(chat.name, NAME_CHARS) or "Untitled"
    key = f"chat-{'open' if is_open else 'row'}-{chat.id}"
    with st.container(horizontal=True, vertical_alignment="center", key=key, gap=None):
        clicked = st.button(
            markup.label(name), key=f"recent-{chat.id}", type="tertiary", width="stretch"
        )
        st.button(
            f"Delete {markup.label(name)}",  # seen as an icon, read as words
            key=f"forget-{chat.id}",
            type="tertiary",
            icon=":material/delete:",
            on_click=_ask,
            args=(chat.id,),
        )
    return clicked


def _ask_delete(services: Services, chat: Chat) -> None:
    st.html(pieces.row(wording.cut_name(chat.name), wording.count(chat.turn_count, "question")))
    st.html(
        pieces.meta(
            "Its questions, answers and ratings are removed from this computer for good."
            " The documents stay."
        )
    )
    with st.container(horizontal=True, horizontal_alignment="right", key="acts-confirm"):
        if st.button("Keep", key="keep-chat"):
            _keep()
            st.rerun()
        if st.button("Delete", key="delete-chat", type="primary"):
            _delete(services, chat)
            st.rerun()


def _delete(services: Services, chat: Chat) -> None:
    _keep()
    if chat.id == state.chat_id():
        state.start_over()
    try:
        services.chats.delete(chat.id)
        turns.small_picture.clear()  # that of a question may still lie in memory
    except RagError as error:
        strong = "The conversation was not deleted."
        state.tell(state.Notice(tone="err", strong=strong, rest=str(error)))


def _export(services: Services) -> None:
    visitor = state.visitor()
    count = services.chats.rated_count(visitor=visitor)
    if not count:
        return
    with st.container(key="acts-export"):
        st.download_button(
            f"Export {wording.count(count, 'rating')}",
            lambda: services.chats.feedback(visitor=visitor),
            file_name=FEEDBACK_FILE,
            mime="application/jsonl",
            key="export-ratings",
            type="tertiary",
            icon=":material/download:",
            on_click="ignore",
            help="JSON lines, one for each rated answer; folio eval reads them",
        )


def _ask(chat_id: UUID) -> None:
    st.session_state[state.CONFIRM_CHAT] = chat_id


def _keep() -> None:
    st.session_state[state.CONFIRM_CHAT] = None


def _toggle_all() -> None:
    st.session_state[state.ALL_CHATS] = not st.session_state.get(state.ALL_CHATS)


def _missing() -> None:
    state.set_chat(None)
    state.leave_chat()
    strong = "That conversation is no longer kept."
    state.tell(state.Notice(tone="info", strong=strong, rest="It may have been deleted."))
