"""One sentence against what it cites: numbers, dates, units, names, and shared words.

Knows sentences and sources, nothing of marks in a text or of models. It compares words:
what a sentence makes of them may still be wrong, and a picture is never read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import chain
from operator import or_
from typing import TYPE_CHECKING

from rag.dates import Date, dates_in, is_told
from rag.folding import fold_for_search
from rag.marks import without_marks
from rag.names import Spoken, language_of, missing_names, spoken
from rag.numbers import Known, has_number, missing_numbers, source_numbers
from rag.sentences import split_lines, split_sentences, words_of
from rag.terms import content_words, tokenise
from rag.types import PICTURES, Doubt, Source
from rag.units import is_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_SOURCE = "no source given"
NUMBER_MISSING = "number not found in its sources"
DATE_MISSING = "date not found in its sources"
NAME_MISSING = "name not found in its sources"
FEW_WORDS = "shares few words with its sources"
ONLY_A_PICTURE = "rests on a picture, which cannot be checked by its words; see the figure"

WEAK = 0.5  # facts/reliability.md 2.3: under this share of words a sentence is weakly carried
WINDOW = 3  # sentences
MIN_TERMS = 4  # fewer words of its own say nothing about support
NUMBER_WEIGHT = 2  # words that a number with its unit counts for
_PREFIX = 5  # letters: operate, operation and operator begin alike
_MIN_WORDS = 3  # "Yes." and "In short" need no mark
_LIST_NUMBER = re.compile(r"^\s*(?:#{1,6}\s*)?\d{1,3}[.)]\s")
_DIGITS = re.compile(r"\d[\d.,]*")
_TABLE_RULE = re.compile(r"[|\s:-]+")


@dataclass(frozen=True)
class Evidence:
    """What a reader finds at a source, ready to hold sentences against. Made once an answer."""

    source: Source

    @cached_property
    def body(self) -> str:
        """The words of its item and of what was given with it."""
        item = self.source.hit.item
        around = [stretch.text for stretch in self.source.around]
        return "\n".join(part for part in [item.text, *around, item.caption] if part)

    @cached_property
    def about(self) -> str:
        """Where it stands: number, heading, file name and pages."""
        item, name = self.source.hit.item, self.source.hit.document_name
        pages = [f"page {region.page_number}" for region in item.regions]
        # What is searched is the passage after its way: title and headings.
        stands = item.text and item.text in item.search_text
        breadcrumb = item.search_text.partition(item.text)[0] if stands else ""
        return "\n".join([item.number, *item.heading, breadcrumb, name, *pages])

    @cached_property
    def numbers(self) -> Known:
        return source_numbers(self.body)

    @cached_property
    def all_numbers(self) -> Known:
        return self.numbers | source_numbers(self.about)

    @cached_property
    def dates(self) -> tuple[Date, ...]:
        found = dates_in(fold_for_search(f"{self.body}\n{self.about}"))
        return tuple(reading for dated in found for reading in dated.readings)

    @cached_property
    def spoken(self) -> Spoken:
        return spoken(f"{self.body}\n{self.about}")

    @cached_property
    def windows(self) -> tuple[frozenset[str], ...]:
        """Terms of each three sentences in a row, with those of heading and caption."""
        language = language_of(self.body)
        heads = _terms(f"{self.about}\n{self.source.hit.item.caption}", language)
        pieces = [_terms(piece, language) for piece in _pieces(self.body)]
        last = max(1, len(pieces) - WINDOW + 1)
        return tuple(heads.union(*pieces[start : start + WINDOW]) for start in range(last))

    @property
    def is_picture(self) -> bool:
        return self.source.hit.item.kind in PICTURES

    @property
    def is_wordless(self) -> bool:
        return not self.body.strip()


def claims_something(sentence: str) -> bool:
    """Whether a sentence, with or without marks, says anything that could be wrong."""
    bare = without_marks(sentence)
    is_lead_in = bare.startswith("#") or bare.endswith(":") or _TABLE_RULE.fullmatch(bare)
    says_much = _is_statement(bare) or has_number(_LIST_NUMBER.sub("", bare))
    return says_much and not is_lead_in


def find_doubt(
    sentence: str, cited: Sequence[Evidence], question: str = ""
) -> tuple[Doubt, str] | None:
    """What is wrong with a sentence and why, in plain words; None when its sources carry it.

    Args:
        sentence: one that claims something; its marks do not count.
        cited: what it cites; empty for a sentence without a mark.
        question: names of it are excused.
    """
    if not cited:
        return "unsourced", NO_SOURCE
    bare = _LIST_NUMBER.sub("", without_marks(sentence), count=1)
    missing = _missing(bare, cited, question)
    if all(one.is_wordless for one in cited) or (missing and any(one.is_picture for one in cited)):
        return "figure", ONLY_A_PICTURE
    if missing:
        return "missing", "; ".join(f"{reason}: {', '.join(said)}" for reason, said in missing)
    if support(bare, cited, question) < WEAK:
        only_pictures = all(one.is_picture for one in cited)
        return ("figure", ONLY_A_PICTURE) if only_pictures else ("weak", FEW_WORDS)
    return None


def figures_missing(sentence: str, cited: Sequence[Evidence]) -> list[str]:
    """Numbers and dates of a sentence that what it cites does not hold, as written."""
    bare = _LIST_NUMBER.sub("", without_marks(sentence), count=1)
    dates, numbers = _missing_figures(bare, cited, with_place=True)
    return [*dates, *numbers]


def carries_figures(sentence: str, cited: Sequence[Evidence]) -> bool:
    """Whether the words of sources, file names and pages aside, hold every number and date."""
    bare = _LIST_NUMBER.sub("", without_marks(sentence), count=1)
    return not any(_missing_figures(bare, cited, with_place=False))


def support(sentence: str, cited: Sequence[Evidence], question: str = "") -> float:
    """As `overlap`, words of the question left out; 1.0 where that can tell nothing.

    That is when too few words are left, or sentence and source are in different languages.
    """
    language = language_of(sentence)
    languages = {language, *(one.spoken.language for one in cited)} - {""}
    own = _terms(sentence, language) - _terms(question, language)
    if len(languages) > 1 or len(own) < MIN_TERMS:
        return 1.0
    # Its numbers have been found by now, and are rarer than words.
    numbers = NUMBER_WEIGHT * len(set(_DIGITS.findall(without_marks(sentence))))
    return (_share_of_best(own, cited) * len(own) + numbers) / (len(own) + numbers)


def overlap(sentence: str, cited: Sequence[Evidence]) -> float:
    """Share of the words of a sentence, numbers aside, in the best three sentences it cites."""
    own = _terms(sentence, language_of(sentence))
    return _share_of_best(own, cited) if own else 0.0


def _share_of_best(own: frozenset[str], cited: Sequence[Evidence]) -> float:
    return max((_share(own, window) for window in _best_windows(own, cited)), default=0.0)


def _best_windows(own: frozenset[str], cited: Sequence[Evidence]) -> list[frozenset[str]]:
    """The best stretch of each source, and all of these together."""
    best = [
        max(one.windows, key=lambda window: _share(own, window)) for one in cited if one.windows
    ]
    return [*best, frozenset(chain.from_iterable(best))]


def _share(own: frozenset[str], window: frozenset[str]) -> float:
    starts = {term[:_PREFIX] for term in window if len(term) >= _PREFIX}
    found = sum(term in window or term[:_PREFIX] in starts for term in own)
    return found / len(own)


def _terms(text: str, language: str) -> frozenset[str]:
    """Stems without numbers."""
    found = tokenise(without_marks(text), language)
    return frozenset(
        term for term in found if not any(sign.isdigit() for sign in term) and not is_unit(term)
    )


def _pieces(text: str) -> list[str]:
    return [piece for line in split_lines(text) for piece in split_sentences(line)]


def _missing(bare: str, cited: Sequence[Evidence], question: str) -> list[tuple[str, list[str]]]:
    """Reasons and the words they are about."""
    dates, numbers = _missing_figures(bare, cited, with_place=True)
    said = "\n".join(f"{one.body}\n{one.about}" for one in cited)
    together = cited[0].spoken if len(cited) == 1 else spoken(said)
    names = missing_names(bare, together, question)
    found = [(NUMBER_MISSING, numbers), (DATE_MISSING, dates), (NAME_MISSING, names)]
    return [(reason, words) for reason, words in found if words]


def _missing_figures(
    bare: str, cited: Sequence[Evidence], *, with_place: bool
) -> tuple[list[str], list[str]]:
    """Dates and numbers that none of the sources holds."""
    known = reduce(or_, (one.all_numbers if with_place else one.numbers for one in cited), Known())
    dates = [date for one in cited for date in one.dates]
    folded = fold_for_search(bare)
    lost = []
    rest = folded
    for dated in dates_in(folded):
        written = folded[dated.start : dated.end]
        rest = rest[: dated.start] + " " * len(written) + rest[dated.end :]
        if not is_told(dated, dates, known):
            lost.append(written)
    return list(dict.fromkeys(lost)), missing_numbers(rest, known)


def _is_statement(sentence: str) -> bool:
    # Scripts without spaces have one word a clause; their terms are pairs of characters.
    meant = content_words(sentence)
    return bool(meant) and max(len(words_of(sentence)), len(meant)) >= _MIN_WORDS
