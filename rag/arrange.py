"""What becomes of merged hits: collapse of the same, the cap of a document, a figure by name.

Pure: knows candidates and the rows behind them. Where they came from is `rag.legs`,
their order `rag.merge`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.merge import Candidate, Ranked
from rag.questions import read_label
from rag.types import PICTURES, WORDS, OtherPlace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from rag.library import FoundItem, Labelled
    from rag.questions import Named
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
    # To compare 200 texts whole takes 1 ms a question, and hardly two of them begin alike.
    starts = {hit.candidate.id: _start(found[hit.candidate.id].text) for hit in ranked}
    shared = Counter(starts.values())
    for hit in ranked:
        row = found[hit.candidate.id]
        start = starts[hit.candidate.id]
        is_alone = shared[start] == 1 and not row.image_sha256
        same = ("alone", str(hit.candidate.id)) if is_alone else _sameness(row)
        winner = first.setdefault(same, hit.candidate.id)
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


def _start(text: str) -> str:
    """The first letters; the same for texts that are the same but for case and white space."""
    start = "".join(text[:64].casefold().split())
    return start[:24] if len(start) >= 24 else "".join(text.casefold().split())[:24]


def _sameness(row: FoundItem) -> tuple[str, str]:
    if row.kind in PICTURES and row.image_sha256:
        return ("picture", row.image_sha256)
    return ("words", " ".join(row.text.casefold().split()) or str(row.item.id))


def reorder(ranked: Sequence[Ranked], scores: Mapping[UUID, float]) -> list[Ranked]:
    """Hits with a score among themselves by it; each place keeps its height.

    So a reranker says which of them comes first, and never how far up they stand.
    """
    places = [i for i, hit in enumerate(ranked) if hit.candidate.id in scores]
    best_first = sorted((ranked[i] for i in places), key=lambda hit: -scores[hit.candidate.id])
    new = list(ranked)
    for place, hit in zip(places, best_first, strict=True):
        new[place] = replace(hit, height=ranked[place].height)
    return new


def cap_documents(
    ranked: list[Ranked], found: Mapping[UUID, FoundItem], bars: Mapping[Group, float]
) -> tuple[list[Ranked], set[UUID]]:
    """At most 3 items of a document at the front, once 3 documents clear their bar.

    Returns:
        All hits in their new order, and the ids that were moved back.
    """

    def document(hit: Ranked) -> UUID:
        return found[hit.candidate.id].document_id

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
    named: Named,
    known: Sequence[Labelled],
    ranked: Sequence[Ranked],
    found: Mapping[UUID, FoundItem],
) -> Ranked | None:
    """Of the figures and tables, the one that a question calls by name.

    Several documents have a Figure 3: the best ranked one wins, else the one of the
    best ranked document.

    Args:
        named: What the question calls it.
        known: Tables, figures and pages of the documents in question, in document order.
        ranked: Hits of the question, best first.
        found: Rows of the hits.
    """
    meant = {one.point_id: one for one in _meant(named, known)}
    for hit in ranked:
        if hit.candidate.id in meant:
            return hit
    for hit in ranked:
        document = found[hit.candidate.id].document_id
        for one in meant.values():
            if one.document_id == document:
                group: Group = "words" if one.kind in WORDS else "pictures"
                return Ranked(candidate=Candidate(id=one.point_id, group=group), height=hit.height)
    return None


def _meant(named: Named, known: Sequence[Labelled]) -> list[Labelled]:
    """All that a name fits, by the narrowest reading of it that fits any."""
    if named.number:
        return _under_label(named, known)
    kinds = ("table",) if named.kind == "table" else ("figure",)
    if named.page_number is not None:
        here = [one for one in known if named.page_number in one.pages]
        # A scanned page holds its charts and tables in its own picture.
        return [o for o in here if o.kind in kinds] or [o for o in here if o.kind == "page"]
    alike = [one for one in known if one.kind in kinds]
    place = (named.place or 0) - (1 if (named.place or 0) > 0 else 0)
    return [alike[place]] if named.place and -len(alike) <= place < len(alike) else []


def _under_label(named: Named, known: Sequence[Labelled]) -> list[Labelled]:
    labels = [(one, label) for one in known if (label := read_label(one.label)) is not None]
    labels = [(one, label) for one, label in labels if label.kind == named.kind]
    bare = named.number.rstrip("abcdefghijklmnopqrstuvwxyz") or named.number
    for number in dict.fromkeys((named.number, bare)):  # a panel "2b" is a part of figure 2
        same = [(one, label) for one, label in labels if label.number == number]
        here = [pair for pair in same if named.page_number in pair[0].pages]
        same = here or same
        # "Chart 3" is counted apart from "Figure 3" where a document has both.
        own = [one for one, label in same if label.family == named.family]
        if same:
            return own or [one for one, _ in same]
    return []
