"""Names in a sentence that stand in no form in what it cites. Knows words, nothing of sources.

A name is a capitalised word inside a sentence, or a word of letters and digits such as
C4. What begins a sentence may be any word, and German nouns are capitalised: there only
capitals inside a word and two such words in a row count.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from rag.dates import month_names
from rag.folding import fold_for_search
from rag.stopwords import STOP_WORDS
from rag.terms import content_words, tokenise, words
from rag.units import is_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_LATIN = 0.5  # share of letters: names in other scripts cannot be compared
_TOKEN = re.compile(r"[^\W_]+(?:['’.&-][^\W_]+)*")
# After these a word may be capitalised for its place alone.
_STARTS = re.compile(r"(?:^|[.!?:;…\"“”„«»‘(\[|>#]|\*\*|[-–—•*]\s)\s*$")
_NO_NAMES = (
    "figure fig table tab page section source sources chapter appendix document part note"
    " abbildung abb tabelle seite abschnitt kapitel anhang quelle teil mr mrs ms dr prof sir"
    " i ii iii iv v vi internet yes no q a pdf html url am pm ok english german french euro euros"
)
_TITLES = frozenset(_NO_NAMES.split())
# What a name ends with when it is used as another part of speech: Norway's, Germans, Danish.
_ENDINGS = ("s", "es", "n", "en", "er", "ers", "in", "innen", "e", "isch", "ische", "ischen")
_PEOPLES = ("an", "ans", "ian", "ians", "ean", "ish", "ese", "ic")
_LEAD_IN = re.compile(r"^\W{0,4}\*\*[^*\n]{1,80}(?::\*\*|\*\*:)")
_GERMANIC_NOUNS = frozenset({"de"})
_MIN_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of a text in the forms in which a name may meet them."""

    forms: frozenset[str]  # words and their stems, case-folded
    capitals: frozenset[str]  # initials of words in a row, two to six of them
    codes: frozenset[str]  # words of letters and digits without gaps: covid19 of "COVID 19"
    language: str
    is_latin: bool


def language_of(text: str) -> str:
    """The language whose function words a text holds most of; "" for fewer than two."""
    counts: Counter[str] = Counter()
    owners = _owners()
    for word in words(text)[:400]:
        counts.update(owners.get(word, ()))
    if not counts:
        return ""
    best = max(counts, key=lambda language: (counts[language], language == "en"))
    return best if counts[best] > 1 else ""


def spoken(text: str) -> Spoken:
    """All that a source says, ready to look names up in."""
    folded = fold_for_search(text)
    language = language_of(folded)
    said = words(folded)
    initials = "".join(word[0] for word in said)
    letters = [character for character in folded[:4000] if character.isalpha()]
    latin = sum(character < "\u0250" for character in letters)
    return Spoken(
        forms=frozenset(said)
        | frozenset(part for word in said for part in re.split(r"[-./]", word))
        | frozenset(tokenise(folded, language))
        | frozenset(content_words(folded)),
        capitals=frozenset(
            initials[at : at + size] for size in range(2, 7) for at in range(len(initials))
        ),
        codes=frozenset(_codes(folded)),
        language=language,
        is_latin=not letters or latin >= MIN_LATIN * len(letters),
    )


def missing_names(sentence: str, source: Spoken, question: str = "") -> list[str]:
    """Names of a sentence that the source holds in no form, as written, in order.

    Args:
        sentence: without marks.
        source: of all that the sentence cites.
        question: its words are excused: they are the reader's own.
    """
    language = language_of(sentence)
    is_translated = bool(language and source.language and language != source.language)
    if not source.is_latin:
        return []
    asked = spoken(question)
    names = dict.fromkeys(_names(fold_for_search(sentence), language))
    return [
        name
        for name in names
        # Munich is München elsewhere; machine C4 is C4.
        if (_has_digit(name) or not is_translated)
        and not _stands_in(name, source)
        and not _stands_in(name, asked)
    ]


def _names(sentence: str, language: str) -> Iterator[str]:
    sentence = _LEAD_IN.sub("", sentence)
    tokens = list(_TOKEN.finditer(sentence))
    if _is_title(tokens) and not sentence.rstrip("*_ ").endswith((".", "!", "?")):
        return
    for place, token in enumerate(tokens):
        name = re.sub(r"['’]s?$", "", token.group())
        if not _may_be_name(name):
            continue
        starts = bool(_STARTS.search(sentence[max(0, token.start() - 8) : token.start()]))
        if _has_digit(name) or _is_mixed(name):
            yield name
        elif starts and not _goes_on(tokens, place, sentence):
            continue
        elif language not in _GERMANIC_NOUNS or _is_pair(tokens, place, sentence):
            yield name


def _may_be_name(name: str) -> bool:
    folded = name.casefold()
    if not name[0].isupper() or folded in _TITLES or folded.rstrip(".") in month_names():
        return False
    if is_unit(name):
        return False
    return len(name) > 1 and not any(folded in listed for listed in STOP_WORDS.values())


def _has_digit(name: str) -> bool:
    return any(character.isdigit() for character in name)


def _is_mixed(name: str) -> bool:
    """NATO, iPhone, McKay; but no word that is only shouted among others."""
    return len(name) > 1 and any(character.isupper() for character in name[1:])


def _goes_on(tokens: list[re.Match[str]], place: int, sentence: str) -> bool:
    """Whether a first word is the start of a longer name: "Ida Falk built it"."""
    if place + 1 >= len(tokens):
        return False
    following = tokens[place + 1]
    between = sentence[tokens[place].end() : following.start()]
    return between == " " and _may_be_name(following.group()) and len(tokens[place].group()) > 2


def _is_pair(tokens: list[re.Match[str]], place: int, sentence: str) -> bool:
    """Whether a capitalised word stands right beside another one."""
    return any(
        0 <= other < len(tokens)
        and _may_be_name(tokens[other].group())
        and not _STARTS.search(sentence[: tokens[min(place, other)].start()][-8:])
        and sentence[tokens[min(place, other)].end() : tokens[max(place, other)].start()] == " "
        for other in (place - 1, place + 1)
    )


def _is_title(tokens: list[re.Match[str]]) -> bool:
    """A Heading in Which Most Words Are Capitalised."""
    long_ones = [token.group() for token in tokens if len(token.group()) > 3]
    capitals = sum(token[0].isupper() for token in long_ones)
    return len(long_ones) > 2 and capitals > 0.7 * len(long_ones)


def _stands_in(name: str, text: Spoken) -> bool:
    folded = name.casefold()
    if folded in text.forms or _squeezed(folded) in text.codes:
        return True
    if _has_digit(name):
        return _is_shortening(name, text)
    parts = [part for part in re.split(r"['’.&-]", folded) if part]
    return all(_stands(part, text) for part in parts) or _is_shortening(name, text)


def _codes(folded: str) -> Iterator[str]:
    tokens = list(_TOKEN.finditer(folded.casefold()))
    for place, token in enumerate(tokens):
        yield _squeezed(token.group())
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if following and following.start() == token.end() + 1 and _has_digit(following.group()):
            yield _squeezed(token.group() + following.group())


def _squeezed(folded: str) -> str:
    return "".join(character for character in folded if character.isalnum())


def _stands(folded: str, text: Spoken) -> bool:
    if folded in text.forms or any(term in text.forms for term in content_words(folded)):
        return True
    if len(folded) < _MIN_PREFIX:
        return False
    roots = {folded[: -len(end)] for end in _ENDINGS if folded.endswith(end)}
    near = {root + end for root in roots if len(root) >= _MIN_PREFIX for end in ("", *_ENDINGS)}
    near |= {folded + end for end in (*_ENDINGS, *_PEOPLES)}
    near |= {folded.rstrip("aeyo") + end for end in _PEOPLES}
    return bool(near & text.forms) or _is_of_place(folded, text)


def _is_of_place(folded: str, text: Spoken) -> bool:
    """Norwegian of Norway, Italian of Italy."""
    ending = max((end for end in _PEOPLES if folded.endswith(end)), key=len, default="")
    root = folded[: max(_MIN_PREFIX, len(folded) - len(ending) - 2)]
    return bool(ending) and any(form.startswith(root) for form in text.forms)


def _is_shortening(name: str, text: Spoken) -> bool:
    """EU of "European Union"; Q3 of "third quarter"; FY2024 of "fiscal year 2024"."""
    letters = re.sub(r"\d", "", name).casefold()
    if not name[: len(letters)].isupper():
        return False
    if _has_digit(name):
        return (
            len(letters) < 3
            and any(word.startswith(letters) for word in text.forms)
            and (letters in ("q", "fy", "h"))
        )
    return letters.rstrip("s") in text.capitals


@cache
def _owners() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for language, listed in STOP_WORDS.items():
        for word in listed:
            found.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in found.items()}
