"""Where a text refers to figures and tables by their labels. Knows text only.

A label has a family ("figure", "table", "chart", ...) and a number; "Fig. 3",
"Figure 3" and "Abb. 3" are one label. Which words are labels is `ingest.captions`'s.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.captions import read_label
from rag.caption_words import WEAK_WORDS
from rag.sentences import fold_spaces, split_sentences

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

Key = tuple[str, str]  # family, number

_NUMBER = r"(?:[A-Za-z]{1,2}[.\-]?)?\d{1,4}(?:[.\-–]\d{1,3})*[a-z]?"
_LABEL_NUMBER = re.compile(rf"(?:{_NUMBER}|[IVXL]{{1,6}}|[一二三四五六七八九十]{{1,3}})(?=\W*$)")
_FIRST_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})*")
_WORD_START = re.compile(r"(?<![^\W_])[^\W\d_]+")
_NUMBER_FIRST = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3})?\.?\s+(?=[^\W\d_])")
_NUMBER_NEAR = re.compile(r"[^\n]{0,40}?(?:\d|\b[IVXL]+\b|[一二三四五六七八九十])")
_MORE = re.compile(
    r"\s*(?P<join>,\s*and|,|and|&|und|et|y|e|и|ve|og|och|en|to|bis|through|[及和与與、]|[–—-])\s*"
    rf"(?P<number>{_NUMBER})(?![^\W_])",
    re.IGNORECASE,
)
_LIST_GOES_ON = re.compile(r"\s*(?:,|and\b|&|und\b|et\b|[);.、和]|$)")
_RANGE = frozenset({"–", "—", "-", "to", "bis", "through"})
_PLAIN_RANGE = re.compile(r"(\d{1,3})[–-](\d{1,3})")
MAX_RANGE = 20
MAX_LIST = 12
MAX_SEARCHED = 50_000  # characters of one paragraph; no honest one is longer
WINDOW = 120  # characters: a label and the numbers listed after it
# Pictures that are counted apart from the figures of their document.
_OWN_FAMILIES = WEAK_WORDS | frozenset(
    ("chart", "graph", "scheme", "plate", "exhibit", "illustration", "listing", "схема")
)
_PREFIXES = ("supp", "extended", "online", "append", "annex")
# Case forms of running text that no caption begins with.
_FORMS = (
    (re.compile(r"(?i)рисунк\w{1,3}"), "рисунок"),
    (re.compile(r"(?i)таблиц\w{1,3}"), "таблица"),
    (re.compile(r"(?i)abbildungen"), "abbildung"),
    (re.compile(r"(?i)tabellen"), "tabelle"),
    (re.compile(r"(?i)(?:obrázk|tabulc|tabulk)\w{1,2}"), "obrázek"),
)


@dataclass(frozen=True, slots=True)
class Mention:
    """One label in a text: what it says, and what it can mean when that is no label."""

    exact: Key
    others: tuple[Key, ...] = ()  # "3" for "3a", and 6, 7, 8 for "6-8"

    def means(self, known: Collection[Key]) -> list[Key]:
        """The labels among `known` that are meant."""
        if self.exact in known:
            return [self.exact]
        return [key for key in self.others if key in known]


def find_mention(number: str, texts: Iterable[str]) -> str:
    """The first sentence that refers to a figure by its label, or ""."""
    wanted = label_key(number)
    if wanted is None:
        return ""
    for whole in texts:
        text = whole[:MAX_SEARCHED]
        if not any(mention.means((wanted,)) for mention in read_mentions(text)):
            continue
        for sentence in split_sentences(text):
            if any(mention.means((wanted,)) for mention in read_mentions(sentence)):
                return fold_spaces(sentence)
    return ""


def label_key(label: str) -> Key | None:
    """What a label is known by: ("figure", "3") for "Fig. 3"; None when it is none."""
    found = read_label(_as_caption(label))
    if found is None:
        return None
    text = found.number.strip()
    number = _LABEL_NUMBER.search(text) or _FIRST_NUMBER.match(text)
    if number is None:
        return None
    words = (text[: number.start()] + text[number.end() :]).strip(" .:()[]").casefold().split()
    family = str(found.kind)
    word = words[-1] if words else ""
    if _OWN_FAMILIES & {word, word.removesuffix("s")}:
        family = word.removesuffix("s")
    if len(words) > 1 and words[0].startswith(_PREFIXES):
        family = f"supplement {family}"
    return family, _number_key(number[0])


def read_mentions(text: str) -> Iterator[Mention]:
    """All labels that a text names, in order."""
    done = 0
    for start in _starts(text):
        if start < done:
            continue
        window = _as_caption(text[start : start + WINDOW])
        label = read_label(window)
        key = label_key(label.number) if label is not None else None
        if label is None or key is None:
            continue
        rest = label.rest
        yield _mention(*key)
        family, last, join = key[0], key[1], ""
        for _ in range(MAX_LIST):
            more = _MORE.match(rest)
            if more is None:
                break
            join, number = more["join"].casefold(), _number_key(more["number"])
            rest = rest[more.end() :]
            if join == "," and not _LIST_GOES_ON.match(rest):
                break  # "Figure 3, 20 plants": a comma of the sentence
            if join in _RANGE:
                yield from (Mention((family, n)) for n in _between(last, number))
            yield _mention(family, number)
            last = number
        done = start + 1


def _starts(text: str) -> list[int]:
    """Where a label may begin: words with a number near; inside a run of an unspaced script."""
    starts: set[int] = set()
    for word in _WORD_START.finditer(text):
        if _NUMBER_NEAR.match(text, word.start()):
            starts.add(word.start())
            if not word[0].isascii():
                starts.update(range(max(word.start(), word.end() - 6), word.end()))
    starts.update(match.start() for match in _NUMBER_FIRST.finditer(text))
    return sorted(starts)


def _mention(family: str, number: str) -> Mention:
    others = []
    if number[-1:].isalpha() and number[:-1] and number[-2].isdigit():
        others.append((family, number[:-1]))
    plain = _PLAIN_RANGE.fullmatch(number)
    if plain:
        ends = (plain[1], plain[2])
        others += [(family, n) for n in (ends[0], *_between(*ends), ends[1])]
    return Mention((family, number), tuple(others))


def _between(first: str, last: str) -> list[str]:
    """The whole numbers between two, without them; none for a range that is no list."""
    if not (first.isdecimal() and last.isdecimal()) or not 0 < int(last) - int(first) <= MAX_RANGE:
        return []
    return [str(number) for number in range(int(first) + 1, int(last))]


def _number_key(number: str) -> str:
    folded = unicodedata.normalize("NFKC", number).replace("–", "-")
    return folded.casefold().strip(" .()[]")


def _as_caption(text: str) -> str:
    """Words of a sentence in the form that captions use."""
    for form, word in _FORMS:
        match = form.match(text)
        if match:
            return word + text[match.end() :]
    return text
