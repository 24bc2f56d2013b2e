"""Items of the page that a question points to. Knows rows of pages and ranks, no vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.merge import Candidate, Ranked
from rag.page_names import named_pages
from rag.types import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from rag.library import FoundItem, PageTable
    from rag.types import Group, Scope

# Of one page; the rest of the answer stays with what the question is about.
MAX_A_PAGE = 3


def on_named_pages(
    question: str,
    ranked: Sequence[Ranked],
    found: Mapping[UUID, FoundItem],
    pages: PageTable,
    scope: Scope,
) -> list[Ranked]:
    """What stands on the pages that the question calls, the best ranked of each page first.

    Without a document in scope it is a page of the best hit's document. A number is the
    one printed on a page, where a page has it; the page of that count comes after it.
    """
    names = named_pages(question) if ranked else ()
    if not names:
        return []
    document = found[ranked[0].candidate.id].item.document_id
    places = {hit.candidate.id: place for place, hit in enumerate(ranked)}
    known = {hit.candidate.id: hit for hit in ranked}
    picked: dict[UUID, Ranked] = {}
    for name in names:
        for page_number in pages.called(document, name.number, is_place=name.is_place):
            here = pages.on_page(scope.workspace, document, page_number)
            best = sorted(here, key=lambda id_: places.get(id_, len(places)))[:MAX_A_PAGE]
            for id_ in best:
                group: Group = "words" if here[id_] in WORDS else "pictures"
                blind = Ranked(candidate=Candidate(id=id_, group=group), height=ranked[0].height)
                picked.setdefault(id_, known.get(id_, blind))
    return list(picked.values())
