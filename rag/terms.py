"""Text to search terms: words, parts of compounds, unaccented twins, pairs of characters.

Knows scripts, stems and stop words; nothing of weights. No term reaches over white space.

A word of letters becomes the stem of the document's language under that language's name
("de:haus"; English, and what has no stemmer, without one), so that a German stem never
meets an English one by chance. What holds a digit is the same term in every language.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from rag.folding import fold_for_search
from rag.stems import MAX_WORD, stem, stem_language
from rag.stopwords import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Bound what a question can cost: 10,000 characters are some 1,700 words, and each is looked
# for in every language of the library.
MAX_QUESTION_WORDS = 400
# So many function words of one language say that a question is in it.
MIN_SPOKEN = 2
# What a question's words weigh in languages other than its own: names and loan words are the
# same there, but rarer, and would lift the few documents of a small language over all others.
OTHER_LANGUAGE = 0.5


def _marks() -> str:
    """Signs that belong to the letter before them; a word character to Python is none of them."""
    codes = [*range(0x300, 0x1E00), *range(0x20D0, 0x2100), *range(0xA800, 0xAC00)]
    marks = [code for code in codes if unicodedata.category(chr(code))[0] == "M"]
    runs = [
        [code for _, code in run] for _, run in groupby(enumerate(marks), lambda p: p[1] - p[0])
    ]
    return "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs)


_LETTER = rf"(?:[^\W_][{_marks()}]*)"
# A word may hold -, . or / inside, so that v1.5, 2024/7 and STR-7 stay whole.
_WORD = re.compile(rf"{_LETTER}+(?:[-./]{_LETTER}+)*")
_PART = re.compile(rf"{_LETTER}+")
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HIRAGANA, _KATAKANA = "\u3041-\u309f", "\u30a1-\u30ff\u31f0-\u31ff"
# Thai, Lao, Burmese, Khmer, Hangul.
_OTHERS = ("\u0e00-\u0e7f", "\u0e80-\u0eff", "\u1000-\u109f", "\u1780-\u17ff", "\uac00-\ud7af")
# Scripts written without spaces, and Korean, where particles are glued on: a word pattern
# would take a whole sentence for one word. Each run is of one script, so that kanji and the
# kana of their endings part.
_UNSPACED = re.compile(
    "|".join(f"[{letters}]+" for letters in (_HAN, _HIRAGANA, _KATAKANA, *_OTHERS))
)
_LONE_HIRAGANA = re.compile(f"[{_HIRAGANA}]")
# Digits of other scripts, by the first of each ten: Arabic, Persian, Indic, Thai, Lao, Khmer.
_TENS = (
    0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0,
    0x1040, 0x17E0,
)  # fmt: skip
_LOWER = {first + digit: str(digit) for first in _TENS for digit in range(10)} | {0x130: "i"}
# Letters of their own by Unicode that people type as others.
_PLAIN = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
)
_VOICING, _VIRAMA = 8, 9  # canonical combining classes: not accents, but other letters


def tokenise(text: str, language: str = "") -> list[str]:
    """Search terms of a passage, in order.

    Args:
        text: Any.
        language: ISO 639-1 code of its document, "" when it is not known.
    """
    language = stem_language(language)
    return [term for word in words(text) for term in terms_of(word, language)]


def content_words(text: str) -> list[str]:
    """The distinct terms of a text that carry meaning, stop words out, in order."""
    return list(dict.fromkeys(tokenise(text)))


def question_terms(text: str, languages: Iterable[str] = ()) -> dict[str, float]:
    """Terms of a question in every language that its answer may be in, with their weights.

    Nobody says which language a question is in, so it is looked for in all: a passage
    holds the stems of its own language only, and each word meets at most one of them.
    Function words of the question's own language, where it shows one, are left out of the
    others too: in a French report "the" is a rare word.

    Args:
        text: Any; words after the 400th are not read.
        languages: ISO 639-1 codes of the documents; English is always among them.

    Returns:
        Weight by term: a word weighs 1, shared by its forms, in the question's own
        language, or in each when that is not clear. Empty for stop words only.
    """
    said = list(dict.fromkeys(words(text)))[:MAX_QUESTION_WORDS]
    stems = list(dict.fromkeys(["en", *sorted(map(stem_language, languages))]))
    spoken = _spoken(said, stems)
    silent = STOP_WORDS.get(spoken, frozenset())
    found: dict[str, float] = {}
    for language in stems:
        scale = 1.0 if spoken in ("", language) else OTHER_LANGUAGE
        for word in said:
            if word not in silent:
                for term, weight in _weighted(word, language):
                    # What is the same term in two languages is one question.
                    found[term] = max(found.get(term, 0.0), scale * weight)
    return found


def words(text: str) -> list[str]:
    """Case-folded words of a text, compounds whole, in order."""
    # İ folds to i and a dot of its own, which would be a second word.
    return _WORD.findall(fold_for_search(text).translate(_LOWER).casefold())


@lru_cache(maxsize=131_072)
def terms_of(word: str, language: str) -> tuple[str, ...]:
    """Terms of one case-folded word in a language of `rag.stems`; none for a stop word."""
    if _UNSPACED.search(word):
        return tuple(_pairs(word, language))
    if _is_stop(word, language):
        return ()
    parts = _PART.findall(word)
    if len(parts) == 1:
        return _forms(word, language)
    meant = [part for part in parts if not _is_stop(part, language)]
    return (word[:MAX_WORD], *(form for part in meant for form in _forms(part, language)))


def _weighted(word: str, language: str) -> Iterator[tuple[str, float]]:
    terms = terms_of(word, language)
    is_plain = len(terms) > 1 and _PART.fullmatch(word) and not _UNSPACED.search(word)
    yield from ((term, 1 / len(terms) if is_plain else 1.0) for term in terms)


def _spoken(said: Sequence[str], languages: Sequence[str]) -> str:
    """The language whose function words a question holds most of; "" when it holds few."""
    counts = {
        language: sum(word in STOP_WORDS.get(language, ()) for word in said)
        for language in languages
    }
    best = max(counts, key=lambda language: counts[language])  # the first of equals: English
    return best if counts[best] >= MIN_SPOKEN else ""


def _is_stop(word: str, language: str) -> bool:
    return word in STOP_WORDS.get(language, ())


def _forms(word: str, language: str) -> tuple[str, ...]:
    """The stem of a word and, where it differs, of the word without its accents."""
    plain = _without_accents(word)
    both = [_stem(form, language) for form in dict.fromkeys((word, plain))]
    return tuple(dict.fromkeys(both))


def _stem(word: str, language: str) -> str:
    if any(character.isdigit() for character in word):
        return word[:MAX_WORD]
    found = stem(word, language)
    return found if language == "en" else f"{language}:{found}"


def _pairs(word: str, language: str) -> Iterator[str]:
    """Pairs of neighbouring characters; what stands between such runs as words."""
    position = 0
    for run in _UNSPACED.finditer(word):
        yield from _between(word[position : run.start()], language)
        text = run.group()
        if len(text) > 1:
            yield from (text[i : i + 2] for i in range(len(text) - 1))
        elif not _LONE_HIRAGANA.match(text):  # a particle, or the ending of a verb
            yield text
        position = run.end()
    yield from _between(word[position:], language)


def _between(text: str, language: str) -> Iterator[str]:
    for part in _PART.findall(text):
        if not _is_stop(part, language):
            yield from _forms(part, language)


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    letters = (
        letter
        for letter in unicodedata.normalize("NFD", word)
        if unicodedata.combining(letter) in (0, _VOICING, _VIRAMA)
    )
    return unicodedata.normalize("NFC", "".join(letters)).translate(_PLAIN)
