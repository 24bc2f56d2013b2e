"""Answer text to citations: marks repaired, resolved, and held against their sources.

Knows sentences and sources, nothing of models or stores. It never adds a mark and never
rewrites words: what a source does not carry is reported, not removed.
"""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.keywords import content_words
from rag.numbers import has_number, missing_numbers, source_numbers
from rag.sentences import split_sentences, words_of
from rag.types import PICTURES, Citation, Source, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

logger = logging.getLogger(__name__)

NO_SOURCE = "no source given"
NUMBER_MISSING = "number not found in its sources"
ONLY_A_PICTURE = "rests on a picture, which cannot be checked by its words"

# Fenced code first, then spans. A fence that never closes runs to the end.
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,500}`", re.DOTALL)
_MARK = re.compile(
    r"(?P<space>[ \t]?)"
    r"(?:\[\^?(?:sources?|quelle)?[ ]?(?P<square>\d{1,3}(?:[ ]?[,;–-][ ]?\^?\d{1,3}){0,20})\]"
    r"|【(?P<lens>\d{1,3})[^】\n]{0,40}】)",
    re.IGNORECASE,
)
_FINAL_MARK = re.compile(r"\[(\d{1,3})\]")
_PART = re.compile(r"(\d{1,3})(?:[ ]?[–-][ ]?(\d{1,3}))?")
_LIST_NUMBER = re.compile(r"\s*(?:#{1,6}\s*)?\d{1,3}[.)]\s")
_MIN_WORDS = 3  # "Yes." and "In short" need no mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A finished answer text and what its marks stand for."""

    text: str
    citations: tuple[Citation, ...]  # one a marker, in order of first use
    unsupported: tuple[Unsupported, ...]  # in order of the text


def resolve_citations(text: str, sources: Sequence[Source]) -> Resolved:
    """Repair the marks of an answer, resolve them, and check each sentence.

    Args:
        text: as the model wrote it.
        sources: numbered from 1, those the model was given.
    """
    repaired = repair_marks(text, len(sources))
    by_marker = {source.marker: source for source in sources}
    sentences = [(s, markers_in(s)) for s in split_sentences(_without_code(repaired))]
    return Resolved(
        text=repaired,
        citations=_citations(sentences, by_marker),
        unsupported=tuple(_unsupported(sentences, by_marker)),
    )


def repair_marks(text: str, source_count: int) -> str:
    """The text with every mark as [n], 1 <= n <= source_count, all others dropped.

    Understands [1], [1][2], [1, 2], [1-3], [^1], [source 1] and 【1】. Code is left alone,
    and so is [0], which is an index and never a mark.
    """
    pieces: list[str] = []
    dropped, end = 0, 0
    for code in _CODE.finditer(text):
        prose, lost = _repair_prose(text[end : code.start()], source_count)
        pieces += [prose, code.group()]
        dropped, end = dropped + lost, code.end()
    prose, lost = _repair_prose(text[end:], source_count)
    if dropped + lost:
        logger.info("dropped marks count=%d sources=%d", dropped + lost, source_count)
    return "".join([*pieces, prose])


def strip_marks(text: str) -> str:
    """The text without marks, for a history in which old numbers mean nothing."""
    return repair_marks(text, 0)


def markers_in(text: str) -> tuple[int, ...]:
    """Markers of repaired text outside code, in order, each once."""
    found = (int(mark.group(1)) for mark in _FINAL_MARK.finditer(_without_code(text)))
    return tuple(dict.fromkeys(marker for marker in found if marker > 0))


def _without_code(text: str) -> str:
    return _CODE.sub(" ", text)


def _repair_prose(text: str, source_count: int) -> tuple[str, int]:
    """The repaired text and how many marks were dropped."""
    dropped = 0
    pieces: list[str] = []
    end = 0
    previous: tuple[int, ...] = ()
    for mark in _MARK.finditer(text):
        wanted = _numbers_of(mark.group("square") or mark.group("lens"), source_count)
        if wanted == [0]:
            continue
        kept = [n for n in wanted if 1 <= n <= source_count]
        dropped += len(kept) < len(wanted)
        between = text[end : mark.start()]
        # "[1][1]" says no more than "[1]".
        shown = [n for n in kept if between or n not in previous]
        previous = tuple(kept) if between else (*previous, *kept)
        pieces += [between, mark.group("space") if shown else "", *(f"[{n}]" for n in shown)]
        # "[1](http://...)" would be a link to a place that a document chose.
        pieces.append(" " if shown and text[mark.end() : mark.end() + 1] == "(" else "")
        end = mark.end()
    return "".join([*pieces, text[end:]]), dropped


def _numbers_of(inside: str, source_count: int) -> list[int]:
    numbers: list[int] = []
    for part in _PART.finditer(inside):
        first, last = int(part.group(1)), int(part.group(2) or part.group(1))
        inner = range(first + 1, min(last, source_count + 1))
        numbers += [first, *inner, last] if last != first else [first]
    return list(dict.fromkeys(numbers))


def _citations(
    sentences: Sequence[tuple[str, tuple[int, ...]]], by_marker: Mapping[int, Source]
) -> tuple[Citation, ...]:
    said: dict[int, list[str]] = {}
    for sentence, markers in sentences:
        for marker in markers:
            if marker in by_marker:
                said.setdefault(marker, []).append(sentence)
    return tuple(_citation(by_marker[marker], texts) for marker, texts in said.items())


def _citation(source: Source, said: Sequence[str]) -> Citation:
    """With the sentence that shares most words with what cites it, word for word.

    A passage that was given with its neighbours may be cited for what one of them says:
    then the citation names the neighbour, so that the page is the right one.
    """
    asked = [_bag(sentence) for sentence in said]
    hit = source.hit
    # What names a figure is about it, but what is cited is the figure.
    beside = [stretch for stretch in source.around if stretch.item.kind == hit.item.kind]
    pieces = [(hit, piece) for piece in split_sentences(hit.item.text)]
    for stretch in beside:
        there = replace(hit, item=stretch.item, page_size=stretch.page_size)
        pieces += [(there, piece) for piece in split_sentences(stretch.text)]
    cited, quote = max(
        pieces,
        key=lambda pair: max(_shared(bag, _bag(pair[1])) for bag in asked),
        default=(hit, ""),
    )
    return Citation(marker=source.marker, hit=cited, quote=quote)


def _bag(text: str) -> set[str]:
    return set(content_words(_FINAL_MARK.sub(" ", text)))


def _shared(bag: set[str], piece: set[str]) -> float:
    """Words in common, longer pieces held back: sqrt as in the cosine of two word sets."""
    return len(bag & piece) / math.sqrt(len(piece) + 1)


def _unsupported(
    sentences: Sequence[tuple[str, tuple[int, ...]]], by_marker: Mapping[int, Source]
) -> Iterable[Unsupported]:
    known: dict[int, frozenset[str]] = {}
    for sentence, markers in sentences:
        if not _claims_something(sentence):
            continue
        cited = [by_marker[marker] for marker in markers if marker in by_marker]
        for source in cited:
            known.setdefault(source.marker, source_numbers(_checkable_text(source)))
        reason = _problem(sentence, cited, known)
        if reason:
            yield Unsupported(sentence=sentence, markers=markers, reason=reason)


def _claims_something(sentence: str) -> bool:
    bare = _FINAL_MARK.sub("", sentence).strip()
    is_lead_in = bare.startswith("#") or bare.endswith(":")
    says_much = _is_statement(bare) or has_number(_LIST_NUMBER.sub("", bare))
    return says_much and not is_lead_in


def _is_statement(sentence: str) -> bool:
    # Scripts without spaces have one word a clause; their terms are pairs of characters.
    meant = content_words(sentence)
    return bool(meant) and max(len(words_of(sentence)), len(meant)) >= _MIN_WORDS


def _problem(
    sentence: str, cited: Sequence[Source], known: Mapping[int, frozenset[str]]
) -> str | None:
    if not cited:
        return NO_SOURCE
    in_sources = frozenset().union(*(known[source.marker] for source in cited))
    bare = _LIST_NUMBER.sub("", _FINAL_MARK.sub(" ", sentence), count=1)
    missing = missing_numbers(bare, in_sources)
    has_picture = any(source.hit.item.kind in PICTURES for source in cited)
    wordless = not any(
        source.hit.item.text or source.hit.item.caption or source.around for source in cited
    )
    if wordless or (missing and has_picture):
        return ONLY_A_PICTURE
    return NUMBER_MISSING if missing else None


def _checkable_text(source: Source) -> str:
    """All words a reader finds at the source: its text, caption, heading, name and page."""
    item = source.hit.item
    pages = [f"page {region.page_number}" for region in item.regions]
    around = [stretch.text for stretch in source.around]
    about = [item.caption, item.number, *item.heading, source.hit.document_name, *pages]
    return "\n".join([item.text, *around, *about])
