"""The figures of a document as cards, each to be hidden from search or shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import NotFoundError, RagError
from ui.web import pieces, state, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Document
    from ui.coverage import Coverage, FigureSeen
    from ui.services import Services

AT_A_TIME = 12


def show(services: Services, document: Document, report: Coverage) -> None:
    """All figures, the ones that nothing leads to named before."""
    if not report.figures:
        return
    hidden = sum(figure.is_hidden for figure in report.figures)
    second = f"{hidden:,} of {len(report.figures):,} hidden from search" if hidden else ""
    with st.container(key="figures"):
        st.html(pieces.section("Figures", second))
        listed: Sequence[FigureSeen] = report.figures
        if report.lost and len(report.lost) < len(report.figures):
            only = st.toggle(
                f"Only the {len(report.lost):,} without caption and words",
                key=f"only-lost-{document.id}",
            )
            listed = report.lost if only else report.figures
        if len(listed) > AT_A_TIME:
            last = -(-len(listed) // AT_A_TIME)
            number = st.pagination(last, key=f"leaf-figures-{document.id}-{len(listed)}")
            listed = listed[(number - 1) * AT_A_TIME : number * AT_A_TIME]
        with st.container(key="figure-cards"):
            for figure in listed:
                _card(services, document, figure)


def _card(services: Services, document: Document, figure: FigureSeen) -> None:
    kind = "hidden-figure" if figure.is_hidden else "figure"
    with st.container(key=f"{kind}-{figure.id}", gap="xsmall"):
        title = wording.cut(figure.title, wording.TITLE_CHARS)
        where = figure.place[:1].upper() + figure.place[1:]
        path = _path(services, figure)
        if path is None:
            st.html(pieces.blank_page((4, 3), "No picture"))
        else:
            name = wording.cut_name(document.name)
            alt = f"{title}, {name}" + (f", {figure.place}" if figure.place else "")
            st.image(path, width="stretch", alt=alt)
        st.html(pieces.figure_words(title, where, _state(figure)))
        st.button(
            "Show again" if figure.is_hidden else "Hide from search",
            key=f"hide-{figure.id}",
            type="tertiary",
            icon=":material/visibility:" if figure.is_hidden else ":material/visibility_off:",
            help=f"{'Let' if figure.is_hidden else 'Do not let'} questions find this figure.",
            on_click=_turn,
            args=(services, document, figure),
        )


def _path(services: Services, figure: FigureSeen) -> str | None:
    if figure.image_sha256 is None:
        return None
    try:
        return str(services.picture_path(figure.image_sha256))
    except NotFoundError:  # its document is being deleted at this moment
        return None


def _state(figure: FigureSeen) -> str:
    if figure.is_hidden:
        return "Hidden from search"
    return "No caption, no words" if figure.is_lost else ""


def _turn(services: Services, document: Document, figure: FigureSeen) -> None:
    """Hide it, or show it again; callback of its button."""
    try:
        if figure.is_hidden:
            services.reports.show(figure.id)
        else:
            services.reports.hide(document.id, figure.id)
    except RagError as error:  # a full disk
        state.tell(state.Notice(tone="warn", strong="Nothing was changed.", rest=str(error)))
        return
    said = "can be found again" if figure.is_hidden else "is hidden from search"
    st.session_state[state.ANNOUNCED] = f"{wording.cut(figure.title, wording.TITLE_CHARS)} {said}"
