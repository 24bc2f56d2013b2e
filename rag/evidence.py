"""Whether hits are evidence enough to answer, or Folio should say no. Pure.

Three tests, each by what the documents hold: a name or a year of the question that stands
nowhere in them; an amount that is asked for and stands beside nothing that is asked about; and
the rare words of the question in the best hit. What is in doubt is answered: a question that
is refused wrongly is worse than quotes that miss. All numbers are in `rag.thresholds`.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from typing import TYPE_CHECKING

from rag.asked import (
    asks_for_money,
    joint_names_in,
    names_in,
    without_money,
)
from rag.asked import question_terms as question_terms  # by rag.followup too
from rag.keywords import content_words
from rag.quotable import label_groups, pieces_of
from rag.thresholds import (
    MIN_COVERAGE,
    MIN_COVERAGE_ABOVE_BAR,
    MIN_COVERAGE_IN_DOCUMENT,
    MIN_FORGIVEN,
    MIN_SHARE_BESIDE,
)
from rag.types import PICTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rag.types import Hit

MAX_PIECES = 100_000  # about 15 MB
_AMOUNT = re.compile(
    r"[$€£¥]|\b(?:euros?|dollars?|pounds?|cents?|usd|eur|gbp|chf|crowns?|francs?|yen|million|"
    r"billion|millionen|milliarden)\b",
    re.IGNORECASE,
)


def is_answered(
    question: str,
    hits: Sequence[Hit],
    *,
    others: Sequence[str],
    everything: Callable[[], Sequence[str]],
    clears_bar: bool,
    is_scoped: bool,
) -> bool:
    """Whether the hits carry an answer.

    Args:
        question: As asked.
        hits: Kept for the answer.
        others: Search texts of all candidates; how rare a word is among them stands
            in for its rarity in the collection.
        everything: Gives all texts of the documents that the hits are from; asked for only
            when a name seems to be missing.
        clears_bar: Whether a kept hit stands out.
        is_scoped: Whether one document is searched.
    """
    if not hits:
        return False
    terms = question_terms(question)
    if not terms:
        return clears_bar
    if absent_names(question, others) and absent_names(question, everything()):
        return False
    # What is called by name is there, whatever it holds.
    if any(hit.why == "named" for hit in hits):
        return True
    if asks_for_money(question) and not _holds_money(without_money(terms), hits):
        return False
    if is_scoped:
        enough = MIN_COVERAGE_IN_DOCUMENT
    else:
        enough = MIN_COVERAGE_ABOVE_BAR if clears_bar else MIN_COVERAGE
    return coverage(terms, hits, others) >= enough


def absent_names(question: str, texts: Sequence[str]) -> list[str]:
    """Names, codes and years of a question that stand nowhere in the texts.

    One wrong letter in a name is forgiven, and a short form may stand for its words. Names
    of several words must stand in one text.
    """
    missing = []
    for name in names_in(question):
        terms = _telling_terms(name)
        held: set[str] = set().union(*_CARRIERS.terms_in(texts, terms))
        if any(term not in held and not _is_meant(name, term, texts) for term in terms):
            missing.append(name)
    for words in joint_names_in(question):
        parts = [set(_telling_terms(word)) or {word.casefold()} for word in words]
        if not any(_stand_together(words, parts, text) for text in texts):
            missing.append(" ".join(words))
    return missing


def _telling_terms(name: str) -> list[str]:
    """The terms of a name without a compound as a whole and the bare numbers in it."""
    terms = content_words(name)
    parts = terms[1:] if len(terms) > 1 else terms
    return [part for part in parts if len(part) > 1 and (not part.isdigit() or part == name)]


def _is_meant(name: str, term: str, texts: Sequence[str]) -> bool:
    """Whether the texts say the same in another spelling."""
    if any(map(str.isdigit, term)):
        return False
    if name.isupper() and any(name in _initials(text) for text in texts):
        return True
    return len(term) >= MIN_FORGIVEN and _CARRIERS.holds_like(texts, term)


def _initials(text: str) -> str:
    return "".join(word[0] for word in re.findall(r"\w+", text) if word[0].isupper())


def _differs_by_one(one: str, other: str) -> bool:
    """Whether one letter was changed, left out or added."""
    short, long = sorted((one, other), key=len)
    same = 0
    while same < len(short) and short[same] == long[same]:
        same += 1
    return short[same + (len(short) == len(long)) :] == long[same + 1 :]


def _stand_together(words: Sequence[str], parts: Sequence[set[str]], text: str) -> bool:
    # "May" is a stop word: by its letters.
    held = _CARRIERS.terms_in([text], [term for part in parts for term in part])[0]
    return all(part <= held or word in text for word, part in zip(words, parts, strict=True))


def _holds_money(terms: Sequence[str], hits: Sequence[Hit]) -> bool:
    """Whether an amount stands beside what is asked about; what has no words may hold it."""
    if hits[0].item.kind in PICTURES and not label_groups(hits[0].item):
        return True
    return any(
        _AMOUNT.search(around) and _share(terms, said) >= MIN_SHARE_BESIDE
        for hit in hits
        for said, around in _statements(hit)
        if any(map(str.isdigit, said))
    )


def _statements(hit: Hit) -> Iterator[tuple[str, str]]:
    """Sentences, rows and words of figures, each with where its unit may stand."""
    item = hit.item
    if item.kind in PICTURES:
        for group in label_groups(item):
            yield f"{item.caption} {group}", f"{item.caption} {group}"
        yield item.caption, item.caption
        return
    for piece in pieces_of(hit):
        is_row = item.kind == "table"
        yield piece.meaning, f"{item.caption} {item.text}" if is_row else piece.meaning


def _share(terms: Sequence[str], text: str) -> float:
    held = set(content_words(text))
    return sum(term in held for term in terms) / len(terms) if terms else 1.0


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

    def holds_like(self, texts: Sequence[str], term: str) -> bool:
        """Whether a term that differs by one letter stands in the texts."""
        pieces = {piece for text in texts for piece in text.split()}
        with self._lock:
            self._learn([list(pieces)])
            return any(
                not carriers.isdisjoint(pieces)
                for other, carriers in self._by_term.items()
                if abs(len(term) - len(other)) < 2 and _differs_by_one(term, other)
            )

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
