"""What becomes of merged hits: collapse of the same, the cap of a document, a figure by name.

Pure: knows candidates and the rows behind them. Where they came from is `rag.legs`,
their order `rag.merge`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rag.merge import Candidate, Ranked
from rag.types import PICTURES, WORDS, OtherPlace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from rag.library import FoundItem
    from rag.types import Group

MAX_PER_DOCUMENT = 3  # search poisoning by stuffing; only without a scope
MIN_DOCUMENTS_FOR_CAP = 3


def collapse(
    ranked: Sequence[Ranked], found: Mapping[UUID, FoundItem]
) -> tuple[list[Ranked], dict[UUID, tuple[OtherPlace, ...]]]:
    """Same picture or same text: the best stays, the others become `also_in`."""
    first: dict[tuple[str, str], UUID] = {}
    places: dict[UUID, tuple[OtherPlace, ...]] = {}
    kept = []
    for hit in ranked:
        row = found[hit.candidate.id]
        winner = first.setdefault(_sameness(row), hit.candidate.id)
        if winner == hit.candidate.id:
            kept.append(hit)
            continue
        regions = row.item.regions
        place = OtherPlace(
            document_name=row.document_name,
            page_number=regions[0].page_number if regions else None,
        )
        places[winner] = (*places.get(winner, ()), place)
    return kept, places


def _sameness(row: FoundItem) -> tuple[str, str]:
    if row.item.kind in PICTURES and row.item.image_sha256:
        return ("picture", row.item.image_sha256)
    return ("words", " ".join(row.item.text.casefold().split()) or str(row.item.id))


def cap_documents(
    ranked: list[Ranked], found: Mapping[UUID, FoundItem], bars: Mapping[Group, float]
) -> tuple[list[Ranked], set[UUID]]:
    """At most 3 items of a document at the front, once 3 documents clear their bar.

    Returns:
        All hits in their new order, and the ids that were moved back.
    """

    def document(hit: Ranked) -> UUID:
        return found[hit.candidate.id].item.document_id

    strong = [hit for hit in ranked if hit.height >= bars[hit.candidate.group]]
    if len({document(hit) for hit in strong}) < MIN_DOCUMENTS_FOR_CAP:
        return ranked, set()
    seen: dict[UUID, int] = defaultdict(int)
    front: list[Ranked] = []
    moved: set[UUID] = set()
    for hit in strong:
        seen[document(hit)] += 1
        if seen[document(hit)] <= MAX_PER_DOCUMENT:
            front.append(hit)
        else:
            moved.add(hit.candidate.id)
    ahead = {hit.candidate.id for hit in front}
    return [*front, *(hit for hit in ranked if hit.candidate.id not in ahead)], moved


def pick_named(
    points: Sequence[UUID],
    ranked: Sequence[Ranked],
    found: Mapping[UUID, FoundItem],
) -> Ranked | None:
    """Of the figures or tables under a name, the one that is meant.

    Several documents have a Figure 3: the best ranked one wins, else the one of the
    best ranked document.

    Args:
        points: Visible items that carry the name.
        ranked: Hits of the question, best first.
        found: Rows of the hits and of the points.
    """
    for hit in ranked:
        if hit.candidate.id in points:
            return hit
    for hit in ranked:
        document = found[hit.candidate.id].item.document_id
        for point in points:
            if point in found and found[point].item.document_id == document:
                group: Group = "words" if found[point].item.kind in WORDS else "pictures"
                return Ranked(candidate=Candidate(id=point, group=group), height=hit.height)
    return None
