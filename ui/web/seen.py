"""What the model saw: sources and pictures as sent, what was left out and why, cost and time.

Knows a finished turn. Text of documents and models is shown as plain text only.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import streamlit as st

from rag.shown import used_tokens
from rag.types import PICTURES
from ui import outcome
from ui.web import pieces, state, wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.types import Answer, Hit, PromptPart, SentPicture, Source

TITLE = "What the model saw"
MAX_PROMPT = 400_000  # characters drawn


def button(number: int) -> None:
    """Opens and shuts the panel of a turn; drawn only when it is open."""
    st.button(
        TITLE,
        key=f"seen-button-{number}",
        type="tertiary",
        icon=":material/visibility:",
        on_click=_toggle,
        args=(number,),
    )


def show(turn: state.Turn) -> None:
    """The panel, when it is open for this turn."""
    answer = turn.answer
    if answer is None or st.session_state.get(state.SEEN) != turn.number:
        return
    with st.container(key=f"panel-seen-{turn.number}"):
        st.html(pieces.section(TITLE, level=3))
        if answer.mode == "extractive":
            st.html(pieces.note("info", *no_model(answer)))
        st.html(pieces.facts(facts(answer)))
        _asked_picture(turn)
        _sources(turn.number, answer)
        _left_out(answer)
        _prompt(answer)


def no_model(answer: Answer) -> tuple[str, str]:
    """Why there is no answer of a model, in two sentences."""
    if answer.error is not None:
        return "No answer of a model is shown.", answer.error.message
    if answer.abstained:
        return "No model was asked.", "Nothing that was found is near enough to the question."
    return "No model was asked.", "These are passages of your documents, word for word."


def facts(answer: Answer) -> list[tuple[str, str]]:
    """Labels and values of one answer."""
    found = [("Searched with", answer.embedder)] if answer.embedder else []
    if answer.searched_for:
        found.append(("Searched for", answer.searched_for))
    if answer.mode == "llm":
        sent, said, is_estimated = used_tokens(answer)
        told = "estimated" if is_estimated else "as the model's server counted"
        found += [
            ("Model", answer.model or ""),
            ("Sources given", f"{len(answer.sources)}"),
            ("Pictures sent", f"{answer.images_sent}"),
            ("Tokens", f"{sent:,} in, {said:,} out, {told}"),
            ("Estimated cost", outcome.cost(answer.dollars)),
        ]
    timings = answer.timings_ms
    for label, key in (
        ("Rewriting the question", "rewrite"),
        ("Time to the first word", "first_token"),
        ("Total time", "total"),
    ):
        if key in timings:
            found.append((label, duration(timings[key])))
    return found


def duration(ms: float) -> str:
    """Milliseconds under a second, else seconds."""
    return f"{ms:,.0f} ms" if ms < 1000 else f"{ms / 1000:,.1f} s"


def why_not(hit: Hit, answer: Answer) -> str:
    """Why something that was found was not given to the model."""
    if answer.mode == "extractive":
        return "not needed for the quotes"
    if hit.item.kind in PICTURES and not (hit.item.text.strip() or hit.item.caption.strip()):
        return "a picture without words, and no further picture could be sent"
    return "did not fit into the model's window"


def prompt_text(parts: Sequence[PromptPart]) -> str:
    """The prompt as it was sent, a line in place of each picture."""
    blocks = []
    role = ""
    for part in parts:
        if part.role != role:
            role = part.role
            blocks.append(f"--- {role} ---")
        blocks.append(part.text if part.picture is None else f"({picture_words(part.picture)})")
    return "\n".join(blocks)


def picture_words(picture: SentPicture) -> str:
    """Size and form of a picture as it was sent."""
    form = picture.media_type.removeprefix("image/").upper()
    size = wording.size(picture.size_bytes)
    return f"picture, {picture.width_px} × {picture.height_px} px, {form}, {size}"


def _asked_picture(turn: state.Turn) -> None:
    """The picture of the question, as it was sent or why it was not."""
    answer, asked = turn.answer, turn.picture
    if asked is None or answer is None or not answer.prompt:
        return
    sent = next((p.picture for p in answer.prompt if p.picture and p.marker is None), None)
    words = picture_words(sent) if sent else "not sent, it was only searched with"
    st.html(pieces.section("Picture of the question") + pieces.bullets([f"{asked.name} · {words}"]))
    if sent is not None:
        _picture(f"{turn.number}-asked", asked.path, sent, "Picture of the question")


def _sources(number: int, answer: Answer) -> None:
    if not answer.prompt:
        return
    st.html(pieces.section("Sources, in the order they were given", level=3))
    pictures = {part.marker: part.picture for part in answer.prompt if part.picture is not None}
    for source in answer.sources:
        picture = pictures.get(source.marker)
        st.html(pieces.bullets([_line(source, picture)]))
        if picture is not None:
            path = source.hit.image_path if picture.sha256 is not None else None
            alt = wording.picture_alt(source.hit)
            _picture(f"{number}-{source.marker}", path, picture, alt)


def _line(source: Source, picture: SentPicture | None) -> str:
    hit = source.hit
    words = [f"[{source.marker}] {wording.source_title(hit)}", wording.source_place(hit)]
    words.append(pieces.KIND_WORDS[hit.item.kind])
    if source.around:
        words.append(f"with {wording.count(len(source.around), 'neighbouring passage')}")
    if picture is not None:
        words.append(picture_words(picture))
    elif hit.item.kind in PICTURES:
        words.append("its words only, the picture was not sent")
    return " · ".join(words)


def _picture(key: str, path: str | None, picture: SentPicture, alt: str) -> None:
    if path is None:
        return
    try:
        small = _as_sent(path, picture.width_px, picture.height_px)
    except OSError:  # deleted in another window
        return
    with st.container(key=f"sent-{key}"):
        st.image(small, width=picture.width_px, alt=alt)


@st.cache_data(max_entries=16, show_spinner=False)
def _as_sent(path: str, width_px: int, height_px: int) -> bytes:
    """The stored picture in the size it was sent."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(path) as image:  # our own PNG
        image.convert("RGB").resize((width_px, height_px)).save(out, "PNG")
    return out.getvalue()


def _left_out(answer: Answer) -> None:
    if answer.not_used:
        st.html(
            pieces.section("Found, but not used", level=3) + pieces.bullets(_left_lines(answer))
        )


def _left_lines(answer: Answer) -> Iterator[str]:
    for hit in answer.not_used:
        title, place = wording.source_title(hit), wording.source_place(hit)
        yield f"{title} · {place} · {why_not(hit, answer)}"


def _prompt(answer: Answer) -> None:
    if not answer.prompt:
        return
    with st.expander("The exact prompt", type="compact"):
        # Plain text: nothing in it is read as Markdown. Keys are no part of a prompt.
        st.code(prompt_text(answer.prompt)[:MAX_PROMPT], language=None, wrap_lines=True)


def _toggle(number: int) -> None:
    is_open = st.session_state.get(state.SEEN) == number
    st.session_state[state.SEEN] = None if is_open else number
