"""Answer text to citations: marks repaired, resolved, and held against their sources.

Knows sentences and sources, nothing of models or stores. It never adds a mark and never
rewrites words: what a source does not carry is reported, not removed.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.keywords import content_words
from rag.marks import markers_in, repair_marks, strip_marks, without_code, without_marks
from rag.numbers import has_number, missing_numbers, source_numbers
from rag.sentences import split_sentences, words_of
from rag.types import PICTURES, Citation, Source, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Resolved", "resolve_citations", "strip_marks"]

NO_SOURCE = "no source given"
NUMBER_MISSING = "number not found in its sources"
ONLY_A_PICTURE = "rests on a picture, which cannot be checked by its words"

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
    sentences = [(s, markers_in(s)) for s in split_sentences(without_code(repaired))]
    return Resolved(
        text=repaired,
        citations=_citations(sentences, by_marker),
        unsupported=tuple(_unsupported(sentences, by_marker)),
    )


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
    return set(content_words(without_marks(text)))


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
    bare = without_marks(sentence)
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
    bare = _LIST_NUMBER.sub("", without_marks(sentence), count=1)
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
