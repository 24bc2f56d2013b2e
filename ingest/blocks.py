"""Parts to blocks (paragraphs joined over page breaks) and blocks to atoms.

Knows sentences and tokens, nothing of chunks.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.characters import SOFT_HYPHEN
from ingest.hyphens import joint
from ingest.paragraphs import words_of
from rag.embed.wordpiece import count_many, count_tokens, split_tokens
from rag.folding import fold_for_search
from rag.sentences import split_sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingest.parts import ParsedPage, Part
    from rag.types import Region

_LIST_ITEM = re.compile(r"\s*(?:[-*•–▪◦]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_SENTENCE_END = re.compile(r"[.!?…:;。！？][\"'”’»)\]\s]*$")
# No paragraph ends in one of these.
_WANTS_MORE = re.compile(
    r"(?:,|[(]|(?<!\w)(?:a|an|and|as|at|by|for|from|in|into|is|of|on|or|our|than|that|the|their"
    r"|these|this|to|was|were|which|with|fig\.|figs\.|figure|table|section|eq\.|et al\.|der|die"
    r"|das|und|von|mit|zu|le|la|les|des|et|de|du|el|los|las|il|di))$",
    re.IGNORECASE,
)
_END_CHARACTERS = 40
MIN_CASELESS = 20

# The tokenizer holds about 700 bytes a token: ten megabytes of brackets would be 7 GB.
SLAB_CHARACTERS = 50_000


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
    # What is longer than a slab is cut anyway, and never counted as a whole.
    counts = count_many([fold_for_search(one[:SLAB_CHARACTERS]) for one in sentences])
    for sentence, tokens in zip(sentences, counts, strict=True):
        slabs = _slabs(sentence)
        if len(slabs) == 1 and tokens <= max_tokens:
            yield slabs, at
        else:
            yield [piece for slab in slabs for piece in _cut_folded(slab, max_tokens)], at
        at += len(sentence)


def _slabs(sentence: str) -> list[str]:
    """The sentence, or slices of it, cut after a blank where there is one."""
    slabs: list[str] = []
    begin = 0
    while len(sentence) - begin > SLAB_CHARACTERS:
        end = begin + SLAB_CHARACTERS
        cut = sentence.rfind(" ", begin + SLAB_CHARACTERS // 2, end) + 1 or end
        slabs.append(sentence[begin:cut])
        begin = cut
    return [*slabs, sentence[begin:]]


def _cut_folded(sentence: str, max_tokens: int) -> list[str]:
    """Pieces that fit once they are folded: "㎏" and "…" become longer."""
    return [
        half
        for piece in split_tokens(sentence, max_tokens)
        for half in _halve_folded(piece, max_tokens)
    ]


def _halve_folded(piece: str, max_tokens: int) -> list[str]:
    if len(piece) < 2 or count_tokens(fold_for_search(piece)) <= max_tokens:
        return [piece]
    middle = len(piece) // 2
    return [
        *_halve_folded(piece[:middle], max_tokens),
        *_halve_folded(piece[middle:], max_tokens),
    ]


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
    known = words_of([part.text for part in block.parts]) if len(block.parts) > 1 else frozenset()
    for part in block.parts:
        more = part.text
        if text:
            text, more = text.rstrip(), more.lstrip()
            cut, glue = joint(text, more, known)
            text = text[: len(text) - cut] + glue
        starts.append(len(text))
        text += more
    return text.rstrip(SOFT_HYPHEN), starts


def _parts_under(block: Block, starts: list[int], begin: int, end: int) -> list[Part]:
    ends = [*starts[1:], end + 1]
    return [
        part
        for part, start, stop in zip(block.parts, starts, ends, strict=True)
        if start < end and begin < stop
    ]


def _join_columns(blocks: list[Block]) -> list[Block]:
    """Paragraphs that run on in the next column, or below a picture, made whole."""
    joined: list[Block] = []
    for block in blocks:
        last = _open_end(joined)
        if last is not None and _leaps(joined, last, block) and _runs_on(joined[last], block):
            joined[last] = Block((*joined[last].parts, *block.parts))
        else:
            joined.append(block)
    return joined


def _leaps(blocks: list[Block], last: int, after: Block) -> bool:
    """Whether the page sets something between two texts: a gutter, a picture, a note."""
    if not _can_run_on(after):
        return False
    here, there = blocks[last].parts[-1].regions, after.first.regions
    if not here or not there or here[-1].page_number != there[0].page_number:
        return False
    if last < len(blocks) - 1:
        return True
    a, b = here[-1].bbox, there[0].bbox
    return b[1] < a[1] and (b[0] >= a[2] or b[2] <= a[0])


def _can_run_on(block: Block) -> bool:
    """Whether a paragraph may go on in it; code has lines, paragraphs have none."""
    first = block.first
    return first.kind == "text" and not first.is_aside and "\n" not in first.text


def _open_end(blocks: list[Block]) -> int | None:
    """Index of the last text that may go on, unless a heading stands behind it."""
    for index in range(len(blocks) - 1, -1, -1):
        if blocks[index].first.kind == "heading":
            return None
        if _can_run_on(blocks[index]):
            return index
    return None


def _open_start(blocks: list[Block]) -> int | None:
    for index, block in enumerate(blocks):
        if block.first.kind == "heading":
            return None
        if _can_run_on(block):
            return index
    return None


def _runs_on(before: Block, after: Block) -> bool:
    """Whether a paragraph goes on after a break: no end mark, then no new beginning."""
    text, more = before.parts[-1].text.rstrip(), after.first.text.lstrip()
    if not text or not more or before.first.heading != after.first.heading:
        return False
    end = text[-_END_CHARACTERS:]
    if after.is_list_item:
        return False
    if _WANTS_MORE.search(end):
        return True
    if _SENTENCE_END.search(end):
        return False
    if more[0].islower():
        return True
    # Scripts without capitals: only a text long enough to be a paragraph goes on.
    return len(text) >= MIN_CASELESS and more[0].isalpha() and not more[0].isupper()
