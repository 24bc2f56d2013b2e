"""Answer text to citations: marks repaired, moved, resolved, and each sentence checked.

Knows sentences and sources, nothing of models or stores. It never adds a mark and never
rewrites words: what a source does not carry is reported, not removed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.claims import (
    NO_SOURCE,
    NUMBER_MISSING,
    ONLY_A_PICTURE,
    Evidence,
    carries_figures,
    claims_something,
    figures_missing,
    find_doubt,
    overlap,
)
from rag.marks import change_mark, markers_in, repair_marks, strip_marks, without_code
from rag.quoting import quote_source
from rag.sentences import split_sentences
from rag.types import Citation, Source, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "NO_SOURCE",
    "NUMBER_MISSING",
    "ONLY_A_PICTURE",
    "Resolved",
    "resolve_citations",
    "strip_marks",
]

logger = logging.getLogger(__name__)

# Less than claims.WEAK: with several marks each source carries a part of the sentence only.
MIN_OVERLAP = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A finished answer text and what its marks stand for."""

    text: str
    citations: tuple[Citation, ...]  # one a marker, in order of first use
    unsupported: tuple[Unsupported, ...]  # in order of the text


def resolve_citations(text: str, sources: Sequence[Source], question: str = "") -> Resolved:
    """Repair and move the marks of an answer, resolve them, and check each sentence.

    Args:
        text: as the model wrote it.
        sources: numbered from 1, those the model was given.
        question: as asked; a name of it is no claim of the answer.
    """
    known = {source.marker: Evidence(source) for source in sources}
    settled = _move_marks(repair_marks(text, len(sources)), known)
    sentences = _sentences(settled)
    return Resolved(
        text=settled,
        citations=_citations(sentences, known),
        unsupported=tuple(_unsupported(sentences, known, question)),
    )


def _sentences(text: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(s, markers_in(s)) for s in split_sentences(without_code(text))]


def _move_marks(text: str, known: Mapping[int, Evidence]) -> str:
    """The text with a mark moved where a number stands in another source than the one cited."""
    pieces: list[str] = []
    moved, end = 0, 0
    for sentence, markers in _sentences(text):
        start = text.find(sentence, end)
        if start < 0:  # code stood inside it
            continue
        changed = _moved(sentence, [m for m in markers if m in known], known)
        moved += changed != sentence
        pieces += [text[end:start], changed]
        end = start + len(sentence)
    if moved:
        logger.info("moved marks count=%d sources=%d", moved, len(known))
    return "".join([*pieces, text[end:]])


def _moved(sentence: str, markers: Sequence[int], known: Mapping[int, Evidence]) -> str:
    """The sentence with one mark changed, when that alone gives all its numbers a source.

    A number may stand in another source by chance: it must share the sentence's words too,
    and no fewer of them than the source that was cited.
    """
    cited = [known[marker] for marker in markers]
    if not cited or any(one.is_picture for one in cited) or not figures_missing(sentence, cited):
        return sentence
    others = [marker for marker in known if marker not in markers]
    ways = [
        (overlap(sentence, [known[new]]), -new, old)
        for old in markers
        for new in others
        if _may_replace(sentence, known[old], known[new])
        and carries_figures(sentence, [known[m] for m in markers if m != old] + [known[new]])
    ]
    if not ways:
        return sentence
    _, new, old = max(ways)
    return change_mark(sentence, old, -new)


def _may_replace(sentence: str, old: Evidence, new: Evidence) -> bool:
    return overlap(sentence, [new]) >= max(MIN_OVERLAP, overlap(sentence, [old]))


def _citations(
    sentences: Sequence[tuple[str, tuple[int, ...]]], known: Mapping[int, Evidence]
) -> tuple[Citation, ...]:
    said: dict[int, list[str]] = {}
    for sentence, markers in sentences:
        for marker in markers:
            if marker in known:
                said.setdefault(marker, []).append(sentence)
    return tuple(quote_source(known[marker].source, texts) for marker, texts in said.items())


def _unsupported(
    sentences: Sequence[tuple[str, tuple[int, ...]]],
    known: Mapping[int, Evidence],
    question: str,
) -> Iterator[Unsupported]:
    for sentence, markers in sentences:
        if not claims_something(sentence):
            continue
        cited = [known[marker] for marker in markers if marker in known]
        found = find_doubt(sentence, cited, question)
        if found:
            doubt, reason = found
            yield Unsupported(sentence=sentence, markers=markers, reason=reason, doubt=doubt)
