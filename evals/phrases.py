"""Text to fragments that read well, and which word would give a source away. Pure.

Knows characters and counts of words. What a word is worth comes from the library itself,
so that languages without a list of function words work as well.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.folding import fold_for_search
from rag.keywords import content_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

MAX_WORDS = 5  # of a fragment: more in a row would quote the source
MAX_CHARS = 6  # the same for scripts without spaces
# A word in so many passages of a document says nothing of one passage; fewer passages than
# MIN_PASSAGES tell nothing about words.
COMMON_SHARE, MIN_PASSAGES = 0.25, 8
SHORT_LETTERS = 3  # "der", "les", "na": what is this short is rarely what a text is about

# Words on which a fragment should not begin or end; those of keyword search are fewer.
_LOOSE_WORDS = """
    across against along already although always among another around away back became become
    behind beside besides beyond come comes either else enough even ever every first give given
    gives goes however instead last later least less like made make makes many may mean means
    might much must neither never next none nothing often one onto others per perhaps rather
    said say says second shall since still take taken takes toward towards two three unless
    upon use used uses using via way well went whether whose within without yet
"""
_LOOSE = frozenset(_LOOSE_WORDS.split())
_WORD = re.compile(r"[^\W_]+(?:['’.,/-][^\W_]+)*")
_GAP = re.compile(r"[ \t\n\u00a0]+")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
# Particles and the like, between which the words of a sentence without spaces stand.
_JOINTS = re.compile(
    r"[\u3041-\u3096]+|[的了是在和与及或為为以對对于於将有中等这那其之也都并从被把個个]"
)
_NUMBERING = re.compile(r"^\s*(?:[§#]?\s*\d+(?:[.)-]\d+)*[.):]?|[IVXLC]+[.):]|[A-Z][.)])\s+")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    clause: int  # words of one clause have nothing but spaces between them
    is_telling: bool


@dataclass(frozen=True, slots=True)
class _Fragment:
    text: str
    first: int  # places of its words
    last: int
    worth: float


def common_words(texts: Sequence[str]) -> set[str]:
    """Words, casefolded, that stand in a quarter of the passages of one document."""
    if len(texts) < MIN_PASSAGES:
        return set()
    counts = Counter(word for text in texts for word in set(_plain_words(text)))
    return {word for word, count in counts.items() if count > COMMON_SHARE * len(texts)}


def rarest_term(text: str, counts: Mapping[str, int]) -> str:
    """The search term of a text that the fewest places hold; "" without one.

    Args:
        text: A sentence or caption.
        counts: In how many places of the library each term stands.
    """
    # Of equally rare terms the longest: a name rather than a number.
    return min(content_words(text), key=lambda term: (counts.get(term, 0), -len(term)), default="")


def fragments_of(
    text: str,
    *,
    common: Collection[str],
    counts: Mapping[str, int],
    most: int,
    without: Collection[str] = (),
) -> list[str]:
    """One or two short pieces of a text that say most about it, apart from each other.

    Args:
        text: One sentence or a few.
        common: Words, casefolded, that say nothing here.
        counts: In how many places of the library each term stands.
        most: 1 or 2.
        without: Search terms that none of them may hold.
    """
    if _UNSPACED.search(text):
        parts = _unspaced_parts(text)
        return [part for part in parts if not _holds(part, without)][:most]
    found = _windows(text, _words(text, common), counts, without)
    pairs = [(a, b) for a in found for b in found if a.last + 1 < b.first] if most > 1 else []
    if pairs:
        return [one.text for one in max(pairs, key=lambda pair: pair[0].worth + pair[1].worth)]
    return [max(found, key=lambda one: one.worth).text] if found else []


def without_term(text: str, term: str, common: Collection[str] = ()) -> str:
    """A text without one search term and the small words that lead to it ("by the crews").

    Scripts without spaces give their parts instead, as there is no word to take out.
    """
    if _UNSPACED.search(text):
        return " ".join(p for p in _unspaced_parts(text) if term not in content_words(p))
    words = _words(text, common)
    gone = [place for place, word in enumerate(words) if term in content_words(word.text)]
    for place in reversed(gone):
        first = place
        while first > 0 and words[first - 1].clause == words[place].clause:
            if words[first - 1].is_telling:
                break
            first -= 1
        text = text[: words[first].start] + text[words[place].end :]
    return re.sub(r"\s+([,;.:)])", r"\1", " ".join(text.split())).strip(" ,;:–—-")


def without_numbering(heading: str) -> str:
    """A heading without "3.2", "IV." or "A)" before it."""
    return _NUMBERING.sub("", heading).strip()


def longest_run(question: str, source: str) -> int:
    """How many words of a question stand in a row in its source."""
    asked, there = _plain_words(question), _plain_words(source)
    best = 0
    lengths = [0] * (len(there) + 1)
    for word in asked:
        before = 0
        for place, other in enumerate(there, 1):
            before, lengths[place] = lengths[place], before + 1 if word == other else 0
            best = max(best, lengths[place])
    return best


def _windows(
    text: str, words: Sequence[_Word], counts: Mapping[str, int], without: Collection[str]
) -> list[_Fragment]:
    """Every run of two to five words of one clause between two telling ones."""
    found = []
    for first, word in enumerate(words):
        for last in range(first + 1, min(first + MAX_WORDS, len(words))):
            end = words[last]
            if end.clause != word.clause:
                break
            if not (_begins(words, first) and _ends(words, last)):
                continue
            piece = text[word.start : end.end]
            terms = content_words(piece)
            if not set(without) & set(terms):
                worth = sum(1 / (1 + counts.get(term, 0)) for term in terms)
                found.append(_Fragment(piece, first, last, worth))
    return found


def _begins(words: Sequence[_Word], place: int) -> bool:
    """Whether a fragment may begin here: not in the middle of "export cable"."""
    word, before = words[place], words[place - 1] if place else None
    is_inside = before is not None and before.clause == word.clause and before.is_telling
    return word.is_telling and not is_inside


def _ends(words: Sequence[_Word], place: int) -> bool:
    word, after = words[place], words[place + 1] if place + 1 < len(words) else None
    is_inside = after is not None and after.clause == word.clause and after.is_telling
    return word.is_telling and not is_inside


def _holds(text: str, terms: Collection[str]) -> bool:
    return bool(set(terms) & set(content_words(text)))


def _words(text: str, common: Collection[str]) -> list[_Word]:
    words: list[_Word] = []
    clause = end = 0
    for match in _WORD.finditer(text):
        clause += not _GAP.fullmatch(text[end : match.start()])
        end = match.end()
        telling = not _says_nothing(match[0], common)
        words.append(_Word(match[0], match.start(), end, clause, telling))
    return words


def _says_nothing(word: str, common: Collection[str]) -> bool:
    folded = word.casefold()
    if folded in _LOOSE or folded in common or not any(map(str.isalpha, word)):
        return True
    if not content_words(word):  # a function word of English
        return True
    is_name = len(word) > 1 and (word.isupper() or any(map(str.isdigit, word)))  # NATO, M36
    return len(word) <= SHORT_LETTERS and not is_name


def _plain_words(text: str) -> list[str]:
    return [match[0] for match in _WORD.finditer(fold_for_search(text).casefold())]


def _unspaced_parts(text: str) -> list[str]:
    parts = [part for run in _UNSPACED.findall(text) for part in _JOINTS.split(run)]
    return list(dict.fromkeys(part[-MAX_CHARS:] for part in parts if len(part) > 1))
