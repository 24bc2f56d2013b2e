"""Parts to blocks (paragraphs joined over page breaks) and blocks to atoms.

Knows sentences and tokens, nothing of chunks.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed.wordpiece import count_many, count_tokens, split_tokens
from rag.folding import fold_for_search
from rag.sentences import split_sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingest.parts import ParsedPage, Part
    from rag.types import Region

_LIST_ITEM = re.compile(r"\s*(?:[-*•–▪◦]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_SENTENCE_END = re.compile(r"[.!?…:;。！？][\"'”’»)\]\s]*$")
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])[-\u00ad]$")


@dataclass(frozen=True, slots=True)
class Block:
    """One part, or the two halves of a paragraph that runs over a page break."""

    parts: tuple[Part, ...]

    @property
    def first(self) -> Part:
        return self.parts[0]

    @property
    def is_list_item(self) -> bool:
        return _LIST_ITEM.match(self.first.text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """The least that is moved between chunks: a sentence or line, or a piece of one too long."""

    glue: str  # white space between it and the atom before
    text: str  # as the document writes it, for quotes
    searched: str  # folded, for the index; the one that is counted
    tokens: int
    is_whole: bool  # False for a piece of a longer sentence
    regions: tuple[Region, ...]
    anchor: str | None


def read_blocks(pages: Iterable[ParsedPage]) -> Iterator[Block]:
    """All parts of all pages in reading order; holds no more than one page back."""
    held: list[Block] = []
    for page in pages:
        blocks = _join_columns([Block((part,)) for part in page.parts])
        tail, head = _open_end(held), _open_start(blocks)
        if tail is not None and head is not None and _runs_on(held[tail], blocks[head]):
            held[tail] = Block((*held[tail].parts, *blocks.pop(head).parts))
        yield from held
        held = blocks
    yield from held


def cut_atoms(block: Block, max_tokens: int, glue: str) -> list[Atom]:
    """A block as atoms of at most `max_tokens`: lines, else sentences, else words, else letters."""
    text, starts = _join(block)
    pieces = [
        (piece, at, len(run) == 1)
        for run, at in _runs(text, max_tokens)
        for piece, at in _offsets(run, at)
    ]
    atoms: list[Atom] = []
    between = glue
    folded = [fold_for_search(piece) for piece, _, _ in pieces]
    counts = count_many(folded)
    for (piece, at, is_whole), searched, tokens in zip(pieces, folded, counts, strict=True):
        body = piece.strip()
        if not body:
            between += piece
            continue
        lead = piece[: len(piece) - len(piece.lstrip())]
        parts = _parts_under(block, starts, at + len(lead), at + len(lead) + len(body))
        atoms.append(
            Atom(
                glue=between + lead,
                text=body,
                searched=searched.strip(),
                tokens=tokens,
                is_whole=is_whole,
                regions=tuple(region for part in parts for region in part.regions),
                anchor=parts[0].anchor,
            )
        )
        between = piece[len(piece.rstrip()) :]
    return atoms


def _runs(text: str, max_tokens: int) -> Iterator[tuple[list[str], int]]:
    """Each sentence as the list of its pieces (one where it fits), with its offset."""
    at = 0
    sentences = [one for line in text.splitlines(keepends=True) for one in _with_spaces(line)]
    counts = count_many([fold_for_search(sentence) for sentence in sentences])
    for sentence, tokens in zip(sentences, counts, strict=True):
        yield ([sentence] if tokens <= max_tokens else _cut_folded(sentence, max_tokens)), at
        at += len(sentence)


def _cut_folded(sentence: str, max_tokens: int) -> list[str]:
    """Pieces that fit once they are folded: "㎏" and "…" become longer."""
    pieces: list[str] = []
    for piece in split_tokens(sentence, max_tokens):
        if count_tokens(fold_for_search(piece)) <= max_tokens or len(piece) < 2:
            pieces.append(piece)
        else:
            pieces += _cut_folded(piece, max(1, count_tokens(piece) // 2))
    return pieces


def _with_spaces(line: str) -> list[str]:
    """The sentences of a line with the white space around them: joined, they are the line."""
    begins, at = [], 0
    for sentence in split_sentences(line):
        begins.append(line.find(sentence, at))
        at = begins[-1] + len(sentence)
    bounds = [0, *begins[1:], len(line)]
    return [line[begin:end] for begin, end in itertools.pairwise(bounds)]


def _offsets(pieces: list[str], at: int) -> Iterator[tuple[str, int]]:
    for piece in pieces:
        yield piece, at
        at += len(piece)


def _join(block: Block) -> tuple[str, list[int]]:
    """The block's text and where each of its parts starts in it."""
    text, starts = "", []
    for part in block.parts:
        if text:
            text, broken = _BROKEN_WORD.subn("", text.rstrip())
            text += "" if broken else " "
        starts.append(len(text))
        text += part.text if not text else part.text.lstrip()
    return text, starts


def _parts_under(block: Block, starts: list[int], begin: int, end: int) -> list[Part]:
    ends = [*starts[1:], end + 1]
    return [
        part
        for part, start, stop in zip(block.parts, starts, ends, strict=True)
        if start < end and begin < stop
    ]


def _join_columns(blocks: list[Block]) -> list[Block]:
    """Paragraphs that run from the foot of one column to the head of the next, made whole."""
    joined: list[Block] = []
    for block in blocks:
        before = joined[-1] if joined else None
        if before is not None and _jumps_up(before, block) and _runs_on(before, block):
            joined[-1] = Block((*before.parts, *block.parts))
        else:
            joined.append(block)
    return joined


def _jumps_up(before: Block, after: Block) -> bool:
    """Whether two texts follow one another from the end of a column to the next one's start."""
    if before.first.kind != "text" or after.first.kind != "text":
        return False
    here, there = before.parts[-1].regions, after.first.regions
    if not here or not there or here[-1].page_number != there[0].page_number:
        return False
    return there[0].bbox[1] < here[-1].bbox[1] and there[0].bbox[0] >= here[-1].bbox[2]


def _open_end(blocks: list[Block]) -> int | None:
    """Index of the last text, unless a heading stands behind it."""
    for index in range(len(blocks) - 1, -1, -1):
        if blocks[index].first.kind in ("text", "heading"):
            return index if blocks[index].first.kind == "text" else None
    return None


def _open_start(blocks: list[Block]) -> int | None:
    for index, block in enumerate(blocks):
        if block.first.kind in ("text", "heading"):
            return index if block.first.kind == "text" else None
    return None


def _runs_on(before: Block, after: Block) -> bool:
    """Whether a paragraph goes on after a page break: no end mark, then a small letter."""
    text, more = before.parts[-1].text.rstrip(), after.first.text.lstrip()
    if not text or not more or before.first.heading != after.first.heading:
        return False
    return more[0].islower() and not _SENTENCE_END.search(text) and not after.is_list_item
