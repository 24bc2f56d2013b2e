"""Which text items name which figures and tables of their document, and back. Knows items only."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ingest.mentions import Key, label_key, read_mentions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from rag.types import Item

MAX_LINKS = 50  # of one item; a text that names more is a list of figures


def find_links(items: Sequence[Item]) -> dict[UUID, tuple[UUID, ...]]:
    """The links of a whole document, both ways; items without any are left out.

    A label that two figures share (an appendix counts anew) means the nearest one. All
    pieces of a table that was cut carry its label, and all are meant.

    Args:
        items: of one document, in its order, all kinds.
    """
    labelled: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        key = label_key(item.number) if item.number and item.kind != "text" else None
        if key is not None:
            labelled[key].append(item)
    links: dict[UUID, dict[UUID, None]] = defaultdict(dict)
    if labelled:
        for item in items:
            for named in _named_by(item, labelled):
                links[item.id][named.id] = None
                links[named.id][item.id] = None
    return {id_: tuple(linked)[:MAX_LINKS] for id_, linked in links.items()}


def _named_by(item: Item, labelled: dict[Key, list[Item]]) -> list[Item]:
    if item.kind != "text":
        return []
    named: dict[UUID, Item] = {}
    for mention in read_mentions(item.text):
        for key in mention.means(labelled):
            nearest = min(labelled[key], key=lambda other: abs(other.order - item.order))
            named |= {other.id: other for other in labelled[key] if _is_same(other, nearest)}
    return list(named.values())


def _is_same(one: Item, other: Item) -> bool:
    """Pieces of one table, or one figure."""
    return one.id == other.id or (
        one.kind == other.kind == "table" and one.caption == other.caption
    )
