"""Blocks of text to chunks within the budget. Knows one open chunk, nothing of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.blocks import Atom, Block, cut_atoms
from ingest.drafts import BUDGET_TOKENS, Draft, breadcrumb, is_same, merge_regions
from rag.folding import fold_for_search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ingest.parts import Part

OVERLAP_TOKENS = 40
# A chunk shorter than this is filled with the start of a block that does not fit whole:
# a line such as "The steps are:" says nothing alone.
SMALL_TOKENS = 60
SECTION_LEVEL = 2  # headings up to this level always start a new chunk


class TextPacker:
    """Packs whole blocks into one open chunk after the other, in order.

    A block that does not fit opens the next chunk; one that fits no chunk is split
    between sentences. Where a section is split, the next chunk repeats the last whole
    sentences, about 40 tokens, but never from another page.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._crumb = breadcrumb(title, ())
        self._heading: tuple[str, ...] = ()
        self._atoms: list[Atom] = []
        self._repeated = 0  # leading atoms that the chunk before holds as well
        self._headings: list[Part] = []  # seen, and not yet in any chunk
        self._last_block: Block | None = None

    @property
    def is_open(self) -> bool:
        """Whether words wait for their chunk to be finished."""
        return len(self._atoms) > self._repeated

    def add_heading(self, part: Part) -> list[Draft]:
        """Remember a heading; one of level 1 or 2 finishes the open chunk."""
        self._headings.append(part)
        return self.finish() if part.level <= SECTION_LEVEL else []

    def cover_headings(self, drafts: Iterable[Draft]) -> None:
        """Forget headings that can be found through these drafts."""
        found = [draft.search_text for draft in drafts]
        self._headings = [
            part
            for part in self._headings
            if not any(fold_for_search(part.text) in text for text in found)
        ]

    def add_text(self, block: Block) -> list[Draft]:
        """Place a block; the chunks that became full, in order."""
        path = block.first.heading
        atoms = self._cut([block], path)
        pending, self._headings = self._headings, []
        lines = self._cut([Block((part,)) for part in pending], path)
        done: list[Draft] = []
        if not self._has_room([*lines, *atoms], path):
            is_same_section = not pending and path == self._heading
            done += self._close(atoms[0] if atoms and is_same_section else None)
        if not self.is_open:
            self._begin(path)
            named = self._crumb.names
            orphans = [part for part in pending if not _is_named(part, named, self._title)]
            lines = self._cut([Block((part,)) for part in orphans], path)
        for atom in [*lines, *atoms]:
            done += self._append(atom, path)
        self._last_block = block
        return done

    def finish(self) -> list[Draft]:
        """Close the open chunk without a repeat."""
        return self._close(None)

    def end(self) -> list[Draft]:
        """Close the open chunk; headings that nothing followed stand alone."""
        done = self.finish()
        orphans, self._headings = self._headings, []
        if orphans:
            path = orphans[0].heading
            self._begin(path)
            for atom in self._cut([Block((part,)) for part in orphans], path):
                done += self._append(atom, path)
        return done + self.finish()

    def _cut(self, blocks: Sequence[Block], path: tuple[str, ...]) -> list[Atom]:
        room = BUDGET_TOKENS - breadcrumb(self._title, path).tokens
        atoms: list[Atom] = []
        for block in blocks:
            in_list = block.is_list_item and self._last_block and self._last_block.is_list_item
            atoms += cut_atoms(block, room, "\n" if in_list else "\n\n")
        return atoms

    def _has_room(self, atoms: Sequence[Atom], path: tuple[str, ...]) -> bool:
        """Whether to go on with the open chunk: all fits, or it is too small to stand alone."""
        if not self.is_open:
            return False
        tokens = [atom.tokens for atom in atoms]
        if sum(tokens) <= self._room:
            return True
        return self._used < SMALL_TOKENS and path == self._heading and tokens[0] <= self._room

    @property
    def _used(self) -> int:
        return sum(atom.tokens for atom in self._atoms)

    @property
    def _room(self) -> int:
        return BUDGET_TOKENS - self._crumb.tokens - self._used

    def _begin(self, path: tuple[str, ...]) -> None:
        self._heading = path
        self._crumb = breadcrumb(self._title, path)

    def _append(self, atom: Atom, path: tuple[str, ...]) -> list[Draft]:
        done: list[Draft] = []
        if self.is_open and atom.tokens > self._room:
            done = self._close(atom)
            self._begin(path)
        while self._repeated and atom.tokens > self._room:
            del self._atoms[0]
            self._repeated -= 1
        self._atoms.append(atom)
        return done

    def _close(self, following: Atom | None) -> list[Draft]:
        """The open chunk as a draft; its last sentences stay when `following` goes on with them."""
        atoms, repeated = self._atoms, self._repeated
        tail = _overlap(atoms[repeated:], following) if following else []
        self._atoms, self._repeated = tail, len(tail)
        if len(atoms) == repeated:
            return []
        return [
            Draft(
                kind="text",
                text=_joined(atoms, [atom.text for atom in atoms]),
                search_text=self._crumb.before(_joined(atoms, [atom.searched for atom in atoms])),
                regions=merge_regions(region for atom in atoms for region in atom.regions),
                heading=self._heading,
                anchor=atoms[repeated].anchor,
            )
        ]


def _overlap(atoms: Sequence[Atom], following: Atom) -> list[Atom]:
    tail: list[Atom] = []
    room = OVERLAP_TOKENS
    # The first atom of a chunk is never repeated: the next chunk would hold all of this one.
    for atom in reversed(atoms[1:]):
        room -= atom.tokens
        if room < 0 or not atom.is_whole or _page(atom) != _page(following):
            break
        tail.insert(0, atom)
    return tail


def _page(atom: Atom) -> int | None:
    return atom.regions[-1].page_number if atom.regions else None


def _joined(atoms: Sequence[Atom], texts: Sequence[str]) -> str:
    indent = atoms[0].glue.rpartition("\n")[2] if "\n" in atoms[0].glue else ""
    glued = (atom.glue + text for atom, text in zip(atoms[1:], texts[1:], strict=True))
    return indent + texts[0] + "".join(glued)


def _is_named(part: Part, names: Iterable[str], title: str) -> bool:
    return is_same(part.text, title) or any(is_same(part.text, name) for name in names)
