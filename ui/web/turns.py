"""One turn on the page: question, answer, plates, sources, badges. Knows answers, no services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from rag.imaging import encode_png, open_rgb
from rag.types import PICTURES
from ui import outcome
from ui.web import exports, markup, pieces, seen, state, thumbs, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.turn import AskedPicture
    from rag.types import Answer, Source, Unsupported

QUESTION_PICTURE = "Picture of the question"
MAX_PLATES = 2
PLATE_PX = 744
MAX_CARDS = 8
MAX_FOUND = 4  # before the first word


def show(number: int, turn: state.Turn, *, is_last: bool = False) -> bool:
    """Draw a finished turn; returns whether "Try again" was clicked."""
    with st.container(key=f"turn-{number}"):
        head(number, turn.title, turn.picture)
        searched_for(turn.answer.searched_for if turn.answer else "")
        _notes(turn)
        if turn.answer is not None and turn.answer.mode == "extractive":
            quotes(number, turn.answer)
        elif turn.text:
            doubted = turn.answer.unsupported if turn.answer is not None else ()
            words(number, outcome.words_of(turn), turn.sources, doubted)
            _checks(number, doubted)
        _notes(turn, under=True)
        shown = outcome.shown_sources(turn)
        plates(number, shown)
        _cards(number, turn, shown)
        again = _foot(number, turn, is_last=is_last)
        thumbs.ask_word(turn)
        seen.show(turn)
        return again


def head(number: int, title: str, picture: AskedPicture | None) -> None:
    """The question, with its picture under it."""
    st.html(pieces.question(title))
    if picture is not None and picture.path is not None and Path(picture.path).is_file():
        with st.container(key=f"asked-{number}"):
            st.image(small_picture(picture.path), output_format="PNG", alt=QUESTION_PICTURE)


def found(number: int, sources: Sequence[Source]) -> None:
    """What was found, while nothing or not all is written yet: pictures and first passages."""
    plates(number, sources)
    if sources:
        st.html(
            pieces.section("Found", wording.count(len(sources), "source"))
            + pieces.source_cards(card(number, source) for source in sources[:MAX_FOUND])
        )


def searched_for(question: str) -> None:
    """A follow-up question as it was searched, quietly."""
    if question:
        st.html(pieces.meta(f"Searched for: {question}"))


def words(
    number: int, text: str, known: Sequence[Source], doubted: Sequence[Unsupported] = ()
) -> None:
    """A model's words: Markdown made safe, or bare text where no policy stands behind it."""
    notes = [(one.sentence, wording.DOUBT_WORDS[one.doubt]) for one in doubted]
    with st.container(key=f"words-{number}"):
        if state.has_headers():
            st.markdown(markup.render_safe(text, {s.marker for s in known}, number, notes))
        else:
            st.text(text)


def quotes(number: int, answer: Answer) -> None:
    """Words of documents, exactly as they stand there: never read as Markdown."""
    known = {source.marker for source in answer.sources}
    draw = pieces.plain if answer.abstained else pieces.quotes
    st.html(draw(answer.text, known, number))


def plates(number: int, shown: Sequence[Source]) -> None:
    """At most two pictures among the sources, each one link to its source."""
    pictured = [s for s in shown if s.hit.item.kind in (*PICTURES, "table") and has_picture(s)]
    pictured = pictured[:MAX_PLATES]
    if not pictured:
        return
    for column, source in zip(st.columns(2, gap="small"), pictured, strict=False):
        with column, st.container(key=f"plate-{number}-{source.marker}"):
            small = small_picture(str(source.hit.image_path))
            st.image(
                small, width="stretch", output_format="PNG", alt=wording.picture_alt(source.hit)
            )
            st.html(pieces.plate_caption(card(number, source)))


# `st.image` makes a large picture smaller and encodes it anew at each drawing (1.67): nine
# tenths of the time of a page with ten turns, and again with each redraw of a fragment.
@st.cache_data(max_entries=200, show_spinner=False)
def small_picture(path: str) -> bytes:
    """A stored picture in twice the size of a plate, as PNG; cleared when one is deleted."""
    return encode_png(open_rgb(Path(path)), PLATE_PX)


def has_picture(source: Source) -> bool:
    """Whether the crop of a source is on disk; it goes when its document is deleted."""
    path = source.hit.image_path
    return path is not None and Path(path).is_file()


def card(number: int, source: Source) -> pieces.Card:
    """What the card of a source says."""
    return pieces.Card(
        marker=source.marker,
        target=f"{number}-{source.marker}",
        title=wording.source_title(source.hit),
        place=wording.source_place(source.hit),
        kind=source.hit.item.kind,
    )


def _notes(turn: state.Turn, *, under: bool = False) -> None:
    for told in outcome.notes_of(turn):
        if told.under != under:
            continue
        st.html(pieces.note(told.tone, told.strong, told.rest))
        if told.below:
            st.html(pieces.meta(told.below))


def _cards(number: int, turn: state.Turn, shown: Sequence[Source]) -> None:
    if not shown:
        return
    st.html(
        pieces.section(outcome.heading_of(turn), level=3)
        + pieces.source_cards(card(number, s) for s in shown[:MAX_CARDS])
    )


def _foot(number: int, turn: state.Turn, *, is_last: bool) -> bool:
    found = outcome.badges_of(turn)
    again = False
    with st.container(horizontal=True, vertical_alignment="center", key=f"acts-{number}"):
        if found:
            st.html(pieces.badges(found), width="content")
        st.space("stretch")
        if turn.text:
            with st.popover("Copy", type="tertiary", key=f"copy-{number}"):
                # The raw text: the one on the page holds invisible characters.
                st.code(turn.text, language=None, wrap_lines=True)
        if is_last:
            exports.button()
        if turn.answer is not None:
            seen.button(number)
            thumbs.show(turn)
        is_partial = turn.stopped or turn.interrupted or bool(turn.failure)
        if is_last or is_partial or (turn.answer is not None and turn.answer.error):
            again = st.button(
                "Try again", type="tertiary", key=f"again-{number}", icon=":material/refresh:"
            )
    return again


def _checks(number: int, doubted: Sequence[Unsupported]) -> None:
    """Under the answer: what its sources do not carry, and why."""
    if doubted:
        rows = [(one.sentence, one.reason, one.doubt) for one in doubted]
        st.html(pieces.section("What to check", level=3) + pieces.checks(rows, number))
