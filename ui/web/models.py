"""The Models page and the offer on Ask: what embeds words and pictures, and switching it.

Knows widgets and words. What a button does is in `ui.models`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from ui.views import duration_words
from ui.web import language_models, notices, pieces, polling, state, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.embed.catalogue import ModelFacts
    from ui.models import JobKind, ModelJob, ModelRow
    from ui.services import Services
    from ui.web.pieces import Tone

COLUMNS = 3
REREADS_NOTHING = "Changing the model re-reads nothing."
REREADS_NOTHING_REST = (
    "Vectors are made again from what is stored; the old index serves until the new one is ready."
)


def show(services: Services) -> None:
    """Draw the page."""
    st.html(pieces.title("Models"))
    st.html(
        pieces.meta(
            "What turns words and pictures into vectors, who may use it for what, and what writes"
            " the answers."
        )
    )
    notices.show()
    st.html(pieces.note("info", REREADS_NOTHING, REREADS_NOTHING_REST))
    _fixed_note(services)
    jobs(services, key="main")
    rows = services.models.rows()
    for start in range(0, len(rows), COLUMNS):
        columns = st.columns(COLUMNS, gap="small")
        for column, row in zip(columns, rows[start : start + COLUMNS], strict=False):
            with column:
                _card(services, row)
    language_models.show(services)
    for row in rows:
        if row.facts.name == st.session_state.get(state.LICENCE):
            _licence(services, row.facts)


def offer(services: Services) -> None:
    """Above the conversation: a switch that would help, and how far one is."""
    jobs(services, key="ask", kinds=("switch",))
    found = services.models.offer()
    if found is None:
        return
    with st.container(key="offer", gap="small"):
        words = duration_words(services.models.estimate(found.name))
        st.html(pieces.note("info", found.strong, found.rest))
        with st.container(horizontal=True, horizontal_alignment="right", key="acts-offer"):
            if found.can_dismiss:
                st.button(
                    "Not now",
                    key="offer-dismiss",
                    type="tertiary",
                    on_click=services.models.dismiss_offer,
                )
            st.button(
                f"Index with {found.name}, {words}",
                key="offer-switch",
                type="tertiary",
                on_click=_switch,
                args=(services, found.name),
            )


def jobs(services: Services, *, key: str, kinds: Sequence[JobKind] = ("fetch", "switch")) -> None:
    """Fetches and switches, redrawn each second while there are any."""
    if not _of(services, kinds):
        return
    had_failed = any(job.is_over for job in _of(services, kinds))

    def is_over() -> bool:
        # One that has ended changes the cards, the offer and the sidebar.
        running = _of(services, kinds)
        return not running or any(job.is_over for job in running) != had_failed

    def draw() -> None:
        with st.container(key=f"panel-models-{key}"):
            for job in _of(services, kinds):
                _job(services, job, key)

    polling.until(is_over, draw)


def _of(services: Services, kinds: Sequence[JobKind]) -> list[ModelJob]:
    return [job for job in services.models.jobs() if job.kind in kinds]


def _job(services: Services, job: ModelJob, key: str) -> None:
    if job.is_over:
        what = "fetched" if job.kind == "fetch" else "prepared"
        st.html(pieces.note("warn", f"{job.name} was not {what}.", job.failure))
        st.button(
            "Dismiss",
            key=f"acts-forget-{key}-{job.kind}",
            type="tertiary",
            on_click=services.models.forget_failures,
        )
        return
    with st.container(
        horizontal=True, vertical_alignment="top", key=f"job-{key}-{job.kind}", gap="xsmall"
    ):
        share = job.done / job.total if job.total else 0.0
        st.html(pieces.job(*wording.model_job(job), share))
        st.button(
            "Stop",
            key=f"acts-stop-{key}-{job.kind}",
            type="tertiary",
            on_click=services.models.stop,
            args=(job.kind,),
        )


def _card(services: Services, row: ModelRow) -> None:
    facts = row.facts
    with st.container(key=f"model-{facts.name}", height="stretch"):
        tone, badge = _badge(row)
        st.html(
            pieces.model_head(facts.name, _what(row), tone, badge)
            + pieces.facts(_facts(services, row))
        )
        st.html(pieces.meta(_good_at(facts)))
        is_free = facts.commercial_use == "yes"
        st.html(pieces.licence(facts.licence, is_free=is_free, words=_allowed(facts)))
        if facts.notice and row.state == "in_use":
            st.html(pieces.meta(facts.notice))
        st.space("stretch")
        _button(services, row)


def _badge(row: ModelRow) -> tuple[Tone | None, str]:
    if row.state == "in_use":
        return "ok", "In use"
    if row.facts.is_built_in:
        return "info", "Built in"
    return None, ""


def _what(row: ModelRow) -> str:
    facts = row.facts
    if facts.joint:
        return "Text and pictures, one space"
    if "text" in facts.lanes:
        return "Text only; pictures by their words"
    beside = row.choice.partition("+")[0]
    return f"Pictures only, beside {beside} for text"


def _good_at(facts: ModelFacts) -> str:
    if "text" in facts.lanes:
        return facts.good_at
    return (
        f"{facts.good_at} It reads {facts.text_cap} tokens of a text, less than a passage: that is"
        " why a text model stands beside it."
    )


def _facts(services: Services, row: ModelRow) -> list[tuple[str, str]]:
    facts = row.facts
    dims = f"{facts.min_dims} to {facts.dims}" if facts.min_dims else str(facts.dims)
    pairs = [
        ("Dimensions", dims),
        ("Reads of a text", f"{facts.text_cap:,} tokens"),
        ("Languages", "English" if facts.languages == "en" else "Many"),
        ("Files", _files(row)),
    ]
    if row.estimate_s and row.state != "in_use":
        pairs.append(("This library", duration_words(row.estimate_s)))
    return pairs


def _files(row: ModelRow) -> str:
    facts = row.facts
    if facts.is_built_in:
        return "Come with Folio"
    if facts.is_remote:
        return "None; documents are sent away"
    size = wording.size(facts.size_bytes)
    is_here = row.state in ("in_use", "ready")
    return f"{size}, on this computer" if is_here else f"{size} to download"


def _allowed(facts: ModelFacts) -> str:
    return {
        "yes": "Commercial use allowed",
        "no": "Non-commercial use only",
        "check": "Check the terms first",
    }[facts.commercial_use]


def _button(services: Services, row: ModelRow) -> None:
    name = row.facts.name
    key = f"do-model-{name}"
    fixed = services.models.fixed_by_settings()
    if row.state == "in_use":
        st.button("In use", key=key, disabled=True, width="stretch")
    elif row.state == "licence":
        st.button(
            "Read and accept the licence",
            key=key,
            width="stretch",
            on_click=_show_licence,
            args=(name,),
        )
    elif row.state == "key":
        st.button("Needs JINA_API_KEY", key=key, disabled=True, width="stretch")
    elif row.state == "absent":
        st.button(
            "Download",
            key=key,
            icon=":material/download:",
            width="stretch",
            on_click=_fetch,
            args=(services, name),
        )
    else:
        st.button(
            f"Switch to {row.choice}",
            key=key,
            width="stretch",
            disabled=bool(fixed) and fixed != row.choice,
            on_click=_switch,
            args=(services, row.choice),
        )


def _show_licence(name: str) -> None:
    state.shut_source()  # only one dialog at a time
    st.session_state[state.LICENCE] = name


def _shut_licence() -> None:
    st.session_state[state.LICENCE] = None


@st.dialog("Licence", on_dismiss=_shut_licence)
def _licence(services: Services, facts: ModelFacts) -> None:
    st.html(pieces.lead(f"{facts.name}: {facts.licence}") + pieces.meta(facts.notice))
    st.markdown(f"[Read the licence]({facts.licence_url})")
    agreed = st.checkbox("I have read it, and use the model for nothing commercial", key="agree")
    if st.button("Accept", key="accept", disabled=not agreed):
        services.models.accept_licence(facts.name)
        _shut_licence()
        st.rerun()


def _fetch(services: Services, name: str) -> None:
    try:
        services.models.fetch(name)
    except RagError as error:
        state.tell(state.Notice(tone="warn", strong=f"{name} is not fetched.", rest=str(error)))


def _switch(services: Services, name: str) -> None:
    try:
        services.models.switch(name)
    except RagError as error:
        state.tell(state.Notice(tone="warn", strong=f"{name} is not used.", rest=str(error)))


def _fixed_note(services: Services) -> None:
    fixed = services.models.fixed_by_settings()
    if fixed:
        rest = "Take the setting out to choose here."
        st.html(pieces.note("info", f"FOLIO_EMBED__MODEL is set to {fixed}.", rest))
