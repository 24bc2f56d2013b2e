"""Figures, tables and pages that a question calls by name and its document does not have.

Knows labels, pages and texts of one document. What the parser may have missed is not denied:
a label that a text speaks of is there, a document without labels has them all, and who asks for
the chart on a page has seen one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.page_names import named_pages
from rag.questions import named_things, read_label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from rag.library import Library
    from rag.questions import Named


def not_there(question: str, library: Library, workspace: str, document_id: UUID) -> list[str]:
    """One sentence for each figure, table or page that is asked for in vain.

    Args:
        question: As asked.
        library: Knows the document.
        workspace: Whose.
        document_id: The only document in scope.
    """
    missing = list(_missing(question, library, workspace, document_id))
    if not missing:
        return []
    name = library.documents.get(document_id).name
    return [f"There is no {what} in {name}." for what in dict.fromkeys(missing)]


def _missing(question: str, library: Library, workspace: str, document_id: UUID) -> Iterator[str]:
    has_pages = bool(library.pages.called(document_id, 1, is_place=True))
    for page in named_pages(question):
        if has_pages and not library.pages.called(document_id, page.number, is_place=page.is_place):
            yield f"page {page.number}"
    for named in named_things(question):
        if named.number and not _has_label(named, library, workspace, document_id):
            yield f"{named.word.capitalize()} {named.number.upper()}"


def _has_label(named: Named, library: Library, workspace: str, document_id: UUID) -> bool:
    known = library.items.labelled(workspace, [document_id])
    labels = [label for one in known if (label := read_label(one.label)) is not None]
    of_kind = [label for label in labels if label.family == named.family]
    bare = named.number.rstrip("abcdefghijklmnopqrstuvwxyz") or named.number
    if not of_kind or any(label.number in (named.number, bare) for label in of_kind):
        return True
    # "Figures 2-4" and panels of a figure; a label in a text that belongs to no picture found.
    words = rf"(?:{re.escape(named.word)}|fig(?:ure)?s?|tab(?:le)?s?|abb(?:ildung)?)"
    spoken = re.compile(rf"\b{words}\.?\s*{re.escape(bare)}(?![\d])", re.IGNORECASE)
    texts, _ = library.items.contents(document_id)
    return any(spoken.search(text) for text in texts)
