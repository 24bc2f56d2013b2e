"""Reports and small pages by hand, and how a test chooses a row of the table of documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from rag.library.coverage import SeenItem
from rag.library.pages import Note, Page
from rag.types import Region
from tests.builders import make_png
from ui.coverage import Coverage, make_coverage
from ui.thumbnails import Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamlit.testing.v1 import AppTest

    from rag.types import BBox, Document, Kind

SPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
SIZE = (595.0, 842.0)
BOX: BBox = (70.0, 90.0, 520.0, 190.0)


def seen(
    kind: Kind = "figure",
    page: int | None = 1,
    *,
    caption: str = "",
    number: str = "",
    has_words: bool | None = None,
    is_hidden: bool = False,
    picture: str | None = "f" * 64,
    bbox: BBox = BOX,
) -> SeenItem:
    return SeenItem(
        id=uuid5(SPACE, f"{kind}{page}{caption}{number}{bbox}"),
        kind=kind,
        regions=(Region(page_number=page, bbox=bbox),) if page else (),
        anchor=None if page else "1",
        caption=caption,
        number=number,
        has_words=bool(caption or number) if has_words is None else has_words,
        image_sha256=picture if kind != "text" else None,
        is_hidden=is_hidden,
    )


def page(number: int, page_class: str = "text") -> Page:
    return Page(page_number=number, size=SIZE, page_class=page_class)


def skipped(number: int | None, reason: str, bbox: BBox | None = BOX) -> Note:
    return Note(kind="skipped", page_number=number, bbox=bbox if number else None, text=reason)


def report(
    items: Sequence[SeenItem] = (),
    pages: Sequence[Page] = (),
    left_out: Sequence[Note] = (),
    *,
    sees_pixels: bool = False,
    is_ready: bool = True,
) -> Coverage:
    return make_coverage(
        items=items,
        pages=pages,
        left_out=left_out,
        embedder="nomic" if sees_pixels else "minilm",
        sees_pixels=sees_pixels,
        is_ready=is_ready,
    )


@dataclass
class ScriptedReports:
    """Promises `Reports`: one report for all, a white sheet for every page."""

    report: Coverage = field(default_factory=report)
    turned: list[tuple[str, UUID]] = field(default_factory=list)  # figures hidden, shown again
    missing: set[int] = field(default_factory=set)
    is_waiting: bool = False
    needs_password: bool = False
    asked: list[list[int]] = field(default_factory=list)

    def of(self, document: Document) -> Coverage:
        return self.report

    def sheet(self, document: Document, pages: Mapping[int, tuple[float, float]]) -> Sheet:
        self.asked.append(list(pages))
        there = {n: make_png((400, 566), (255, 255, 255)) for n in pages if n not in self.missing}
        return Sheet(pictures=there, is_waiting=self.is_waiting, needs_password=self.needs_password)

    def hide(self, document_id: UUID, item_id: UUID) -> None:
        self.turned.append(("hide", item_id))

    def show(self, item_id: UUID) -> None:
        self.turned.append(("show", item_id))


def choose(app: AppTest, row: int) -> AppTest:
    """Choose a row of the table of documents, as a click does."""
    app.session_state[app.dataframe[0].key] = {
        "selection": {"rows": [row], "columns": [], "cells": []}
    }
    return app.run()
