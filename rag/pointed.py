"""Items that a question points to: figures and tables by name, pages by number.

Knows rows and ranks, no vectors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.arrange import pick_named
from rag.merge import Candidate, Ranked
from rag.page_names import named_pages
from rag.questions import named_things
from rag.types import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from rag.library import FoundItem, Library, PageTable
    from rag.questions import Named
    from rag.types import Group, Scope

# Of one page; the rest of the answer stays with what the question is about.
MAX_A_PAGE = 3


def named_hits(
    question: str,
    ranked: Sequence[Ranked],
    found: Mapping[UUID, FoundItem],
    library: Library,
    scope: Scope,
) -> tuple[list[Ranked], dict[UUID, FoundItem]]:
    """What the question calls by name, of the documents in scope or those it found.

    Args:
        question: As asked.
        ranked: Its hits, best first.
        found: Their rows.
        library: Holds the others.
        scope: Where to look.

    Returns:
        Figures and tables in the order they are called, then what stands on pages that are
        called; and the rows of all hits and of these.
    """
    ids = list(
        scope.documents or dict.fromkeys(found[hit.candidate.id].document_id for hit in ranked)
    )
    hits: dict[UUID, Ranked] = {}
    for one in _readings(question, ids, library):
        if one.place is not None and len(ids) > 1:
            continue  # "the second figure" of which document?
        known = library.items.labelled(
            scope.workspace, ids, containing=one.digits, page_number=one.page_alone
        )
        hit = pick_named(one, known, ranked, found)
        if hit is not None:
            hits[hit.candidate.id] = hit
    rows = _with_rows(hits, found, library, scope)
    # "Figure 2 on page 3": the page of the document that has that figure.
    best = [hit for id_, hit in hits.items() if id_ in rows] + list(ranked)
    for hit in on_named_pages(question, best, rows, library.pages, scope):
        hits.setdefault(hit.candidate.id, hit)
    rows = _with_rows(hits, rows, library, scope)
    return [hit for id_, hit in hits.items() if id_ in rows], rows


def _with_rows(
    ids: Iterable[UUID], found: Mapping[UUID, FoundItem], library: Library, scope: Scope
) -> dict[UUID, FoundItem]:
    missing = [id_ for id_ in ids if id_ not in found]
    return {**found, **(library.items.lookup(scope.workspace, missing) if missing else {})}


def _readings(question: str, documents: Sequence[UUID], library: Library) -> Iterator[Named]:
    """The figures and tables called by name; "on page 5" as it is printed, then as counted."""
    for one in named_things(question):
        if one.page_number is None or len(documents) != 1:
            yield one
            continue
        for page_number in library.pages.called(documents[0], one.page_number):
            yield replace(one, page_number=page_number)


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
