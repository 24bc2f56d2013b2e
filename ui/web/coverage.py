"""What was seen in one document, drawn: numbers, pages with boxes, what was left out, figures.

Knows the report (`ui.coverage`) and Streamlit, nothing of how either is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import boxes
from ui.coverage import ranges
from ui.web import figures, passwords, pieces, polling, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import BBox, Document
    from ui.coverage import Coverage, PageSeen
    from ui.services import Services
    from ui.thumbnails import Sheet

PAGES_AT_A_TIME = 15  # three rows of five
MAX_REASONS = 20
POLL_S = 0.7
_LETTERS = {"figure": "F", "table": "T", "page": "P"}


def show(services: Services, document: Document) -> None:
    """The report of a document that can be searched."""
    report = services.reports.of(document)
    st.html(pieces.strip(_numbers(report)))
    if document.state != "ready":
        st.html(pieces.note("info", "Figures are still being read.", "Then they can be found."))
    elif report.reach:
        st.html(pieces.note("info", report.reach[0], " ".join(report.reach[1:])))
    if report.pages:
        left, right = st.columns([0.74, 0.26], gap="large")
        with left:
            _pages(services, document, report)
        with right:
            _left_out(report)
            _remarks(document)
    else:
        _left_out(report)
        _remarks(document)
    figures.show(services, document, report)


@st.cache_data(max_entries=128, show_spinner=False)
def marked(
    png: bytes,
    found: tuple[boxes.Mark, ...],
    size: tuple[float, float],
    left_out: tuple[BBox, ...],
) -> bytes:
    """A small page with its boxes drawn."""
    return boxes.mark_thumbnail(png, found, size, left_out)


def forget_pictures() -> None:
    """Drop small pages from memory, such as those of a deleted document."""
    marked.clear()


def _numbers(report: Coverage) -> list[tuple[str, str, str]]:
    kept = len(report.figures)
    return [
        ("Figures found", f"{report.found:,}", ""),
        ("Searchable", f"{report.searchable:,}", _share(report.searchable, report.found)),
        ("With a caption", f"{report.captioned:,}", _share(report.captioned, kept)),
        ("Tables", f"{report.tables:,}", ""),
        (
            "Pages without text",
            f"{len(report.pages_as_picture):,}" if report.pages else "–",
            "read as picture" if report.pages_as_picture else "",
        ),
    ]


def _share(part: int, whole: int) -> str:
    return f"of {whole:,}" if whole else ""


def _remarks(document: Document) -> None:
    if document.warnings:
        st.html(pieces.section("Remarks") + pieces.bullets(document.warnings))


def _pages(services: Services, document: Document, report: Coverage) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="pages-head", gap="medium"):
        st.html(pieces.section("Pages with what was found"))
        every = st.toggle("All pages", key=f"all-pages-{document.id}")
        with_left_out = st.toggle("Show what was left out", key=f"show-left-out-{document.id}")
    st.html(pieces.legend(left_out=with_left_out))
    listed = report.pages if every or not report.notable_pages else report.notable_pages
    if len(listed) < len(report.pages):
        said = f"{wording.count(len(listed), 'page')} of {len(report.pages):,} with more than text."
        st.html(pieces.meta(said))
    if report.pages_as_picture:
        st.html(pieces.meta(_without_text(report)))
    place = f"pages-{document.id}-{int(every)}"
    shown = _slice(listed, PAGES_AT_A_TIME, place)
    _sheet(services, document, shown, with_left_out=with_left_out)


def _without_text(report: Coverage) -> str:
    one = len(report.pages_as_picture) == 1
    return (
        f"{'Page' if one else 'Pages'} {ranges(report.pages_as_picture)} {'has' if one else 'have'}"
        " no text layer that can be used; what is on it is kept as a picture."
    )


def _slice(pages: Sequence[PageSeen], most: int, place: str) -> Sequence[PageSeen]:
    if len(pages) <= most:
        return pages
    last = -(-len(pages) // most)
    number = st.pagination(last, key=f"leaf-{place}")
    return pages[(number - 1) * most : number * most]


def _sheet(
    services: Services, document: Document, shown: Sequence[PageSeen], *, with_left_out: bool
) -> None:
    """The small pages; redrawn while some are missing."""
    sizes = {page.number: page.size for page in shown}
    there = services.reports.sheet(document, sizes)
    if not there.is_waiting:
        _grid(document, shown, there, with_left_out=with_left_out)
        return

    def is_over() -> bool:
        nonlocal there
        there = services.reports.sheet(document, sizes)
        return not there.is_waiting

    polling.until(
        is_over,
        lambda: _grid(document, shown, there, with_left_out=with_left_out),
        every_s=POLL_S,
    )


def _grid(
    document: Document, shown: Sequence[PageSeen], there: Sheet, *, with_left_out: bool
) -> None:
    if there.needs_password:
        passwords.ask_for_page(document.id, shown[0].number)
    with st.container(key="thumbs"):
        for page in shown:
            with st.container(key=f"thumb-{page.number}", gap="xxsmall"):
                _thumbnail(document, page, there, with_left_out=with_left_out)


def _thumbnail(document: Document, page: PageSeen, there: Sheet, *, with_left_out: bool) -> None:
    png = there.pictures.get(page.number)
    if png is None:
        words = "Being drawn" if there.is_waiting else "No picture"
        st.html(pieces.blank_page(page.size, words))
    else:
        left_out = page.left_out if with_left_out else ()
        picture = marked(png, _marks(page), page.size, left_out)
        name = wording.cut_name(document.name)
        alt = f"Page {page.number} of {name}: {page.words}"
        st.image(picture, output_format="PNG", width="stretch", alt=alt)
    st.html(pieces.page_words(f"Page {page.number:,}", page.words))


def _marks(page: PageSeen) -> tuple[boxes.Mark, ...]:
    return tuple(
        boxes.Mark(kind=kind, box=box, tag=_LETTERS.get(kind, "")) for kind, box in page.captured
    )


def _left_out(report: Coverage) -> None:
    with st.container(key="left-out-report"):
        st.html(pieces.section("Left out"))
        if not report.left_out:
            st.html(pieces.meta("Nothing was left out."))
            return
        has_pages = any(one.pages for one in report.left_out)
        rows = [
            (one.pages or "–", _reason(one.reason, one.count))
            if has_pages
            else (_reason(one.reason, one.count),)
            for one in report.left_out[:MAX_REASONS]
        ]
        st.html(pieces.table(("Page", "Reason") if has_pages else ("Reason",), rows))
        if report.by_words:
            said = wording.count(report.by_words, "picture")
            st.html(pieces.meta(f"The caption of {said} is kept and can be found."))
        more = len(report.left_out) - MAX_REASONS
        if more > 0:
            st.html(pieces.meta(f"{wording.count(more, 'more reason')} not shown."))


def _reason(reason: str, count: int) -> str:
    return reason if count == 1 else f"{reason} ({count:,} pictures)"
