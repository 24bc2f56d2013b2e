"""The pages that a question calls by number or place. Pure; knows no documents.

"page 5" may be the fifth of the file or the one with 5 printed on it; which of both, only
the document can tell (`rag.library.items.ItemTable.pages_called`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_READ = 2_000  # characters of a question; a longer one is a pasted text, which names others
MAX_PAGES = 3  # of one question, and of one range

_WORD = (
    r"(?:pages?|pg\.?|pp?\.|slides?|sheets?|seiten?|folien?|páginas?|paginas?|pagin[ae]"
    r"|diapositivas?|sidan?|side|strony?|stran[ay]|sayfa|страниц\w{0,2}|стр\.|صفحه|صفحة)"
)
_COUNT = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
    "eins": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8,
    "neun": 9, "zehn": 10,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5,
}  # fmt: skip
_FIRST = (
    "first", "erste", "ersten", "erster", "première", "primera", "primeira", "prima", "первая",
    "первой",
)  # fmt: skip
_LAST = (
    "last", "final", "letzte", "letzten", "letzter", "dernière", "última", "ultima", "последняя",
    "последней",
)  # fmt: skip
_NUMBER = r"(?P<number>\d{1,5})(?:\s*(?:-|–|to|bis|and|und|,)\s*(?P<last>\d{1,5}))?"
_BY_NUMBER = re.compile(
    rf"(?<![^\W_]){_WORD}\s*(?:n[o°º.]+\s*|#\s*)?[(\[]?{_NUMBER}(?![\d.,]*\d|\s*%)"
    r"|第\s*(?P<ordinal>\d{1,5})\s*[页頁]|(?P<before>\d{1,5})\s*(?:ページ|[页頁]|쪽|페이지)",
    re.IGNORECASE,
)
_BY_WORD = re.compile(
    rf"(?<![^\W_]){_WORD}\s+(?P<count>{'|'.join(_COUNT)})(?![^\W_])"
    rf"|(?<![^\W_])(?:(?P<first>{'|'.join(_FIRST)})|(?P<final>{'|'.join(_LAST)}))\s+{_WORD}"
    r"(?![^\W_])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PageName:
    """A page as a question calls it."""

    number: int  # from 1; -1 is the last one
    is_place: bool = False  # "the first page": counted, whatever is printed on it


def named_pages(question: str) -> tuple[PageName, ...]:
    """The pages a question points to, in order, at most three.

    "page 5", "pages 3-4", "page two", "the last page", "Seite 7", "第3页".
    """
    text = unicodedata.normalize("NFKC", question[:MAX_READ])
    return tuple(dict.fromkeys([*_by_number(text), *_by_word(text)]))[:MAX_PAGES]


def _by_number(text: str) -> Iterator[PageName]:
    for match in _BY_NUMBER.finditer(text):
        first = int(match["number"] or match["ordinal"] or match["before"])
        last = int(match["last"]) if match["last"] else first
        if not 0 <= last - first < MAX_PAGES:
            last = first
        yield from (PageName(number) for number in range(first, last + 1) if number)


def _by_word(text: str) -> Iterator[PageName]:
    for match in _BY_WORD.finditer(text):
        if match["count"]:
            yield PageName(_COUNT[match["count"].lower()])
        else:
            yield PageName(1 if match["first"] else -1, is_place=True)
