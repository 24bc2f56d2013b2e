"""Thumbs up and down under an answer, with an optional word. Knows a turn and where it is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from rag.library import Place
from ui.web import state

if TYPE_CHECKING:
    from uuid import UUID

MAX_REMARK = 300  # characters
_VALUES = {0: None, 1: 1, -1: 0}  # what Streamlit calls up and down


def show(turn: state.Turn) -> None:
    """The two thumbs; nothing for a turn that is not kept, or has no answer."""
    chat_id = state.chat_id()
    if chat_id is None or turn.answer is None:
        return
    key = f"rate-{chat_id}-{turn.number}"
    if key not in st.session_state:
        st.session_state[key] = _VALUES[turn.rating]
    value = st.feedback("thumbs", key=key)
    rating = {None: 0, 0: -1, 1: 1}[value]
    if rating != turn.rating:
        _keep(chat_id, replace(turn, rating=rating, remark=turn.remark if rating else ""))


def ask_word(turn: state.Turn) -> None:
    """A line for a word about it, once there is a thumb."""
    chat_id = state.chat_id()
    current = state.turn(turn.number)
    if chat_id is None or current is None or not current.rating:
        return
    with st.container(key=f"remark-{turn.number}"):
        remark = st.text_input(
            "What was good or wrong? (optional)",
            value=current.remark,
            key=f"remark-{chat_id}-{turn.number}",
            max_chars=MAX_REMARK,
            placeholder="What was good or wrong? (optional)",
            label_visibility="collapsed",
        )
    if remark != current.remark:
        _keep(chat_id, replace(current, remark=remark))


def _keep(chat_id: UUID, turn: state.Turn) -> None:
    try:
        place = Place(chat_id=chat_id, number=turn.number)
        state.services().chats.rate(place, turn.rating, turn.remark)
    except RagError as error:  # a full disk
        strong = "The rating is not kept."
        state.tell(state.Notice(tone="warn", strong=strong, rest=str(error)))
        return
    state.change_turn(turn)
