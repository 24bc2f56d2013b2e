"""What one run of a document leaves behind: rows, pictures and points, in the order of arrival.

Knows items, files and the store. Nothing of parsing, stages or what undoes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.language import detect_language
from ingest.rewriting import including, is_settling, rewrite_runs
from rag.library.items import item_id
from rag.library.pages import Block, Note, Page
from rag.points import make_points
from rag.types import PICTURES, WORDS, Item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.drafts import Draft
    from ingest.parts import ParsedPage
    from rag.embed.lanes import Embedder
    from rag.files import FileStore
    from rag.library import Library
    from rag.library.documents import Run
    from rag.store import Store


class RunWriter:
    """Writes one run. The language of its words is guessed from the first of them."""

    def __init__(
        self, run: Run, *, library: Library, files: FileStore, store: Store, embedder: Embedder
    ) -> None:
        self._run = run
        self._library = library
        self._files = files
        self._store = store
        self._embedder = embedder
        self._language: str | None = None  # not known before the first words
        self._batch_count = 0

    def keep_page(self, page: ParsedPage) -> None:
        """Write a page, or the blocks of a page-less document, and what was noted about it."""
        pages, run = self._library.pages, self._run
        if page.page_number is not None and page.size is not None:
            row = Page(page_number=page.page_number, size=page.size, page_class=page.page_class)
            pages.add(run, [row])
        else:
            pages.add_blocks(run, self._blocks(page))
        notes = [
            Note(kind="warning", page_number=page.page_number, bbox=None, text=text)
            for text in page.warnings
        ] + [
            Note(kind="skipped", page_number=s.page_number, bbox=s.bbox, text=s.reason)
            for s in page.skipped
        ]
        if notes:
            pages.add_notes(run, notes)

    def _blocks(self, page: ParsedPage) -> list[Block]:
        return [
            Block(
                anchor=part.anchor or str(number),
                kind=part.kind,
                level=part.level,
                text=part.text,
                caption=part.caption,
                image_sha256=self._files.put_picture(part.image_png) if part.image_png else None,
            )
            for number, part in enumerate(page.parts, 1)
        ]

    def write(self, drafts: Sequence[Draft]) -> None:
        """Write items with their pictures, and points of those that are words."""
        items = [self._to_item(draft) for draft in drafts]
        self._library.items.add(self._run, items)
        words = [item for item in items if item.kind in WORDS]
        if words:
            if self._language is None:
                # Keywords of a batch need a language before the last page has been read.
                self._set_language(detect_language(item.text for item in words))
            self._batch_count += 1
            self.index(words, with_pixels=False)

    def index(self, items: Sequence[Item], *, with_pixels: bool) -> None:
        """Write the points of items."""
        if self._language is None:
            self._language = self._library.documents.language_of(self._run.document_id)
        was_settling = is_settling(self._library.indexes.active())
        average = including(self._library, items, self._language)
        points = make_points(
            items,
            run=self._run,
            embedder=self._embedder,
            average_words=average,
            picture_path=self._files.picture_path if with_pixels else None,
            language=self._language,
        )
        self._store.upsert(points)
        if was_settling and not is_settling(self._library.indexes.active()):
            # A few hundred points, written while the mean length was still a running one.
            runs = [*self._library.indexes.visible_runs(), self._run]
            rewrite_runs(self._library, self._store, runs, average)

    def end_words(self, items: Sequence[Item]) -> None:
        """After the last page: the language of all words, where it is not that of the first.

        Args:
            items: All of the run.
        """
        if self._batch_count == 1:
            return  # the first words were all there are
        language = detect_language(item.text for item in items if item.kind in WORDS)
        if language == self._language:
            return
        self._set_language(language)
        average = including(self._library, (), language)
        rewrite_runs(self._library, self._store, [self._run], average)

    def _set_language(self, language: str) -> None:
        self._language = language
        self._library.documents.set_language(self._run.document_id, language)

    def _to_item(self, draft: Draft) -> Item:
        digest = self._files.put_picture(draft.image_png) if draft.image_png else None
        content = digest if digest and draft.kind in PICTURES else draft.text
        return Item(
            id=item_id(self._run.document_id, draft.kind, draft.order, content),
            document_id=self._run.document_id,
            kind=draft.kind,
            order=draft.order,
            text=draft.text,
            search_text=draft.search_text,
            regions=draft.regions,
            heading=draft.heading,
            caption=draft.caption,
            number=draft.number,
            anchor=draft.anchor,
            image_sha256=digest,
        )
