"""What stands around a hit, for the answer only: the hit stays the unit that is ranked and cited.

Knows items and their order, and how many tokens a stretch may take. Nothing of
prompts; how much room there is, is said by `rag.prompt`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.embed.wordpiece import count_tokens
from rag.library import FoundItem
from rag.sentences import fold_spaces, split_lines, split_sentences
from rag.types import PICTURES, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from rag.library import ItemTable
    from rag.types import Hit, Item, Side

# A chunk has at most 220 tokens; half of one on each side finishes what was cut off.
MAX_TOKENS = 240
MAX_HITS = 4  # the best ones; a local model reads some hundred tokens a second
NEIGHBOURS = 2  # on each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Items around one hit that are no hits themselves; the nearest first on each side."""

    before: tuple[FoundItem, ...] = ()
    after: tuple[FoundItem, ...] = ()
    naming: tuple[FoundItem, ...] = ()  # texts that name a figure or table


def look_around(items: ItemTable, workspace: str, hits: Sequence[Hit]) -> dict[UUID, Surroundings]:
    """What stands around the best hits, by the id of their item.

    A passage has the passages of its section beside it, a piece of a table the other
    pieces of it; a figure or table also has the passage that names it. What is a hit
    itself stands around none.
    """
    taken = {hit.item.id for hit in hits}
    found: dict[UUID, Surroundings] = {}
    for hit in hits[:MAX_HITS]:
        around = Surroundings()
        if hit.item.kind not in PICTURES:
            sides = items.beside(workspace, hit.item, NEIGHBOURS)
            before, after = (tuple(_joined(hit.item, side, taken)) for side in sides)
            around = Surroundings(before=before, after=after)
        if hit.item.kind != "text":
            linked = (i for i in items.links_of(workspace, hit.item.id) if i.kind == "text")
            naming = (_found(hit, item) for item in linked if item.id not in taken)
            around = replace(around, naming=tuple(naming)[:1])
        taken |= {row.item.id for row in (*around.before, *around.after, *around.naming)}
        found[hit.item.id] = around
    return found


def widen(hit: Hit, around: Mapping[UUID, Surroundings], room_tokens: int) -> tuple[Stretch, ...]:
    """Whole sentences and rows around a hit, in reading order, within a number of tokens.

    Half of it is for each side; what one side leaves, the other may use. What naming
    passages say comes after both.

    Args:
        hit: Its own words are repeated nowhere.
        around: From `look_around`.
        room_tokens: Most tokens to use, beside `MAX_TOKENS`.
    """
    beside = around.get(hit.item.id, Surroundings())
    room = min(MAX_TOKENS, room_tokens)
    said = {fold_spaces(piece) for piece in _pieces(hit.item)}
    after = _take(beside.after, "after", room // 2, said)
    before = _take(beside.before, "before", room - _cost(after), said)
    if beside.before and _cost(before) < room // 2:  # little stood before it: more after it
        after = _take(beside.after, "after", room - _cost(before), said)
    naming = _take(beside.naming, "names", room - _cost(before) - _cost(after), said)
    return (*reversed(before), *after, *naming)


def _found(hit: Hit, item: Item) -> FoundItem:
    return FoundItem(item=item, document_name=hit.document_name, page_size=None)


def _joined(item: Item, side: Sequence[FoundItem], taken: set[UUID]) -> Iterator[FoundItem]:
    """The neighbours up to the first that belongs elsewhere or is given anyway."""
    for row in side:
        if row.item.id in taken or not _belongs(item, row.item):
            return
        yield row


def _belongs(item: Item, other: Item) -> bool:
    if item.kind == "table":
        head, other_head = split_lines(item.text)[:2], split_lines(other.text)[:2]
        return bool(head) and (item.caption, head) == (other.caption, other_head)
    return item.heading == other.heading


def _take(rows: Sequence[FoundItem], side: Side, room: int, said: set[str]) -> list[Stretch]:
    """From the nearest item on, as many whole pieces as fit; nearest item first."""
    found: list[Stretch] = []
    said = set(said)
    for row in rows:
        # Passages overlap by a sentence: what the hit says is not said twice.
        pieces = [piece for piece in _pieces(row.item) if fold_spaces(piece) not in said]
        fitting = _fitting(pieces, side, room)
        if fitting:
            text = _between(row.item.text, fitting)
            found.append(Stretch(item=row.item, side=side, text=text, page_size=row.page_size))
            room -= count_tokens(text)
            said |= {fold_spaces(piece) for piece in fitting}
        if len(fitting) < len(pieces):
            break
    return found


def _fitting(pieces: list[str], side: Side, room: int) -> list[str]:
    kept: list[str] = []
    for piece in reversed(pieces) if side == "before" else pieces:
        room -= count_tokens(piece)
        if room < 0:
            break
        kept.append(piece)
    return kept[::-1] if side == "before" else kept


def _pieces(item: Item) -> list[str]:
    """Sentences of a text; rows of a table without its header, which the hit has."""
    if item.kind == "table":
        rows = split_lines(item.text)
        return rows[2:] if len(rows) > 1 and rows[0].startswith("|") else rows
    return split_sentences(item.text)


def _between(text: str, pieces: Sequence[str]) -> str:
    """The text from the first to the last of its pieces, exactly as it stands there."""
    start = text.find(pieces[0])
    return text[start : text.find(pieces[-1], start) + len(pieces[-1])]


def _cost(stretches: Sequence[Stretch]) -> int:
    return sum(count_tokens(stretch.text) for stretch in stretches)
