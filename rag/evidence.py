"""Whether hits are evidence enough to answer, or Folio should say no. Pure.

Two tests: does any hit stand out from the usual, and does the best hit hold the rare
words of the question. A hit that stands out may do with fewer words, but not with next
to none: in a small library the best of nothing stands out too (measured: 4.4 for a cake
recipe among 19 technical files). Inside one document only the words count, because
everything there is about the same thing.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from typing import TYPE_CHECKING

from rag.keywords import content_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.types import Hit

# Share of the question's words, weighted by rarity, that the best hit must hold.
# 2026-11-25, 43 answerable sample questions: lowest 0.42; to be learnt on the dev
# questions by the issue on answers (docs/decisions/0003).
MIN_COVERAGE = 0.4
MIN_COVERAGE_ABOVE_BAR = 0.3
MAX_PIECES = 100_000  # about 15 MB
# Words of questions, not of subjects: they say how to answer, not what about.
_ASKING = frozenset(
    content_words(
        "figure table chart graph picture image show shows shown many much tell explain describe "
        "give list name find page document report according"
    )
)


def question_terms(question: str) -> tuple[str, ...]:
    """The terms of a question that its answer should hold."""
    terms = content_words(question)
    return tuple(term for term in terms if term not in _ASKING) or tuple(terms)


def is_bare(question: str) -> bool:
    """Whether a question says how to answer, and nothing of what about."""
    return set(content_words(question)) <= _ASKING


def is_answered(
    terms: Sequence[str],
    hits: Sequence[Hit],
    *,
    others: Sequence[str],
    clears_bar: bool,
    is_scoped: bool,
) -> bool:
    """Whether the hits carry an answer.

    Args:
        terms: Of the question.
        hits: Kept for the answer.
        others: Search texts of all candidates; how rare a word is among them stands
            in for its rarity in the collection.
        clears_bar: Whether a kept hit stands out.
        is_scoped: Whether one document is searched.
    """
    if not hits:
        return False
    if not terms:
        return clears_bar
    enough = MIN_COVERAGE_ABOVE_BAR if clears_bar and not is_scoped else MIN_COVERAGE
    return coverage(terms, hits, others) >= enough


def coverage(terms: Sequence[str], hits: Sequence[Hit], others: Sequence[str]) -> float:
    """Rarity-weighted share of the terms in the best single hit, 0 to 1."""
    found = _CARRIERS.terms_in([hit.item.search_text for hit in hits], terms)
    if not any(found):
        return 0.0
    if any(held.issuperset(terms) for held in found):
        return 1.0
    counts = Counter(term for held in _CARRIERS.terms_in(others, terms) for term in held)
    weights = {term: math.log(1 + (len(others) + 1) / (1 + counts[term])) for term in terms}
    return max(sum(weights[term] for term in held) for held in found) / sum(weights.values())


class _Carriers:
    """Which pieces of text, between two spaces, hold which terms. Learns each piece once.

    Terms never reach over white space (see `rag.folding`), and most pieces of 200 passages
    have been met before: to read every passage whole took 27 ms a question.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._met: set[str] = set()
        self._by_term: dict[str, set[str]] = {}

    def terms_in(self, texts: Sequence[str], terms: Iterable[str]) -> list[set[str]]:
        """Which of the terms stand in each text."""
        split = [text.split() for text in texts]
        telling: dict[str, set[str]] = {}
        with self._lock:
            self._learn(split)
            for term in terms:
                for piece in self._by_term.get(term, ()):
                    telling.setdefault(piece, set()).add(term)
        pieces = frozenset(telling)
        return [
            set().union(*(telling[piece] for piece in pieces.intersection(each))) for each in split
        ]

    def _learn(self, split: Iterable[list[str]]) -> None:
        if len(self._met) > MAX_PIECES:
            self._met, self._by_term = set(), {}
        for pieces in split:
            if self._met.issuperset(pieces):
                continue
            for piece in set(pieces) - self._met:
                for term in content_words(piece):
                    self._by_term.setdefault(term, set()).add(piece)
                self._met.add(piece)


_CARRIERS = _Carriers()
