"""What a question asks for, told by its words: a picture, or one figure or table by name.

Pure; knows no hits. What figures and tables are called is `rag.caption_words`'s.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag.caption_words import FIGURE_WORDS, TABLE_WORDS, WEAK_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NamedKind = Literal["figure", "table"]

MAX_NAMED = 3
MAX_READ = 2_000  # characters of a question; a longer one is a pasted text, which names others
MAX_RANGE = 3  # "Figures 2-4"

_ASKS_PICTURE = re.compile(
    r"\b(?:(?:figures?|fig|charts?|graphs?|diagrams?|plots?|pictures?|images?|photos?|drawings?"
    r"|maps?|illustrat\w+|looks? like)\b|(?:abbildung|diagramm|bild|grafik)\w*)",
    re.IGNORECASE,
)
# Said of pictures in questions; no caption begins with them.
_SAID = "plot plots infographic infographics photograph photographs"
_PLURALS = "charts graphs maps images photos diagrams pictures drawings screenshots"
# Left out: a "box" or a "listing on page 5" is rarely a figure, "tab" and "op" are other things.
_NOT_ALONE = frozenset(("box", "panel", "listing", "algorithm", "plate", "scheme", "tab", "bagan"))
# Pictures that are counted apart from the figures of their document.
_OWN_FAMILIES = WEAK_WORDS | frozenset(
    ("scheme", "plate", "exhibit", "illustration", "listing", "схема")
)
# Words of scripts that put no space between words may stand inside a run of letters.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u2e80-\u9fff]")


def _pattern(words: Iterable[str]) -> str:
    """Any of these words as a whole word, longest first."""
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    spaced = "|".join(word for word in ordered if not _UNSPACED.match(word))
    packed = "|".join(word for word in ordered if _UNSPACED.match(word))
    return rf"(?:(?<![^\W_])(?:{spaced})(?![^\W\d_])|{packed or '(?!)'})"


def _words(table: dict[str, str]) -> list[str]:
    return [word for line in table.values() for word in line.split()]


_FIGURE = _pattern(_words(FIGURE_WORDS))
_TABLE = _pattern(_words(TABLE_WORDS))
_SAID_WORDS = [*_words(FIGURE_WORDS), *_SAID.split(), *_PLURALS.split()]
_SAID_TABLES = _words(TABLE_WORDS)
_THING = (
    rf"(?:(?P<figure>{_pattern(word for word in _SAID_WORDS if word not in _NOT_ALONE)})"
    rf"|(?P<table>{_pattern(word for word in _SAID_TABLES if word not in _NOT_ALONE)}))"
)
_NUMBER = (
    r"(?:[A-Z]{1,2}[.\-]?)?\d{1,4}(?:[.\-–]\d{1,3})*(?:[a-z](?![^\W_]))?"
    r"|(?-i:[IVXL]{1,6})(?![^\W_])"
)
_LABEL = re.compile(
    rf"(?:(?P<figure>{_FIGURE})|(?P<table>{_TABLE}))\.?\s*"
    rf"(?:(?:n[o°º.]+|nr\.?|№|第)\s*)?[(\[]?(?P<number>{_NUMBER})",
    re.IGNORECASE,
)
_MORE = re.compile(
    rf"\s*(?:and|&|und|et|y|e|en|och|og|и|和|と|、)\s*(?P<number>{_NUMBER})", re.IGNORECASE
)
_PAGE = re.compile(
    r"(?:\b(?:pages?|pg\.?|p\.|slides?|seite|folie|página|pagina|diapositiva|sida"
    r"|strona|strana|страниц\w{1,2}|стр\.)\s*(?P<after>\d{1,4})(?![\d.]*\d))"
    r"|(?:第\s*(?P<ordinal>\d{1,4})\s*[页頁])|(?:(?P<before>\d{1,4})\s*(?:ページ|[页頁]))",
    re.IGNORECASE,
)
_ORDINALS: dict[int, str] = {
    1: r"first|1st|erste[rnsm]?|premi(?:er|ère)|primer[oa]?|第一|第1",
    2: r"second|2nd|zweite[rnsm]?|deuxième|seconde?|segund[oa]|第二|第2",
    3: r"third|3rd|dritte[rnsm]?|troisième|tercer[oa]?|第三|第3",
    4: r"fourth|4th|vierte[rnsm]?|quatrième|cuart[oa]|第四|第4",
    5: r"fifth|5th|fünfte[rnsm]?|cinquième|quint[oa]|第五|第5",
    6: r"sixth|6th|sechste[rnsm]?|sixième|sext[oa]|第六|第6",
    7: r"seventh|7th|siebte[rnsm]?|septième|séptim[oa]|第七|第7",
    8: r"eighth|8th|achte[rnsm]?|huitième|octav[oa]|第八|第8",
    -1: r"last|final|letzte[rnsm]?|derni(?:er|ère)|últim[oa]|最后",
}
_NTH = re.compile(
    r"(?:\b(?:the|der|die|das|dem|den|la|le|el)\s+|(?=第|最))(?:"
    + "|".join(rf"(?P<n{abs(n)}{'l' if n < 0 else ''}>{words})" for n, words in _ORDINALS.items())
    # "the second bar chart"; "第二张图"
    + rf")(?:\s+(?:[^\W\d_]+\s+)?|[张張个個幅]?)(?:{_THING})",
    re.IGNORECASE,
)
# "the first image of a black hole" is an event, "the first image of the report" a place.
_OTHER_SENSE = re.compile(
    r"\s+(?:(?:taken|made|ever|published|sent|to|from|by|von|d[eu])\b"
    r"|of\s+(?!(?:the|this|that)\s+(?:document|report|paper|article|page|chapter|section|file|deck"
    r"|slides?|presentation|brochure|guide|manual|book)))",
    re.IGNORECASE,
)
_NEAR = 70  # characters between "chart" and "page 5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One figure or table as a question calls it: by label, by page, or by count."""

    kind: NamedKind
    word: str = ""  # of its label, casefolded: "fig"; "" when it has none
    number: str = ""  # of its label, casefolded: "2b"
    page_number: int | None = None
    place: int | None = None  # "the second figure" is 2, the last one -1

    @property
    def family(self) -> str:
        """Which count its number belongs to: charts are counted apart from figures."""
        word = self.word.removesuffix("s")
        return word if word in _OWN_FAMILIES else self.kind

    @property
    def page_alone(self) -> int | None:
        """The page, when it is all that the question says."""
        return None if self.number else self.page_number

    @property
    def digits(self) -> str:
        """A part of its label as any document writes it; "" when it has no label."""
        match = re.search(r"\d+|[ivxl]+", self.number)
        return match[0] if match else ""


def asks_for_picture(question: str) -> bool:
    """Whether the question wants something to look at."""
    return _ASKS_PICTURE.search(question) is not None


def named_things(question: str) -> list[Named]:
    """The figures and tables that are called by name, in order, at most three.

    "Figure 3", "Fig. 2b", "Abbildung 4" and "图3" by their label; "the chart on page 5" by its
    page; "the second figure" by its place in the document.
    """
    text = unicodedata.normalize("NFKC", question[:MAX_READ])
    page = _PAGE.search(text)
    page_number = int(next(filter(None, page.groups()))) if page else None
    found = list(_by_label(text, page_number)) or _by_page(text, page) or list(_by_place(text))
    return list(dict.fromkeys(found))[:MAX_NAMED]


def read_label(label: str) -> Named | None:
    """A document's own label ("Fig. 3"); None when it is none, or has more to it."""
    match = _LABEL.fullmatch(unicodedata.normalize("NFKC", label).strip().rstrip(".:)]"))
    return _named(match, match["number"]) if match else None


def _by_label(text: str, page_number: int | None) -> Iterator[Named]:
    for match in _LABEL.finditer(text):
        for number in _spread(match["number"]):
            yield _named(match, number, page_number)
        end = match.end()
        while more := _MORE.match(text, end):
            yield _named(match, more["number"], page_number)
            end = more.end()


def _named(match: re.Match[str], number: str, page_number: int | None = None) -> Named:
    word = match["figure"] or match["table"]
    return Named(
        kind="table" if match["table"] else "figure",
        word=word.casefold(),
        number=number.casefold().replace("–", "-"),
        page_number=page_number,
    )


def _spread(number: str) -> list[str]:
    """The number itself, and the numbers of a range that it may be: "2-4"."""
    first, _, last = number.replace("–", "-").partition("-")
    if first.isdecimal() and last.isdecimal() and 0 < int(last) - int(first) < MAX_RANGE:
        return [number, *map(str, range(int(first), int(last) + 1))]
    return [number]


def _by_page(text: str, page: re.Match[str] | None) -> list[Named]:
    """A word for it near the page: "the chart on page 5", "on page 5, the chart"."""
    if page is None:
        return []
    number = int(next(filter(None, page.groups())))
    near = text[max(0, page.start() - _NEAR) : page.end() + _NEAR]
    match = re.search(_THING, near, re.IGNORECASE)
    return [Named(kind=_kind(match), page_number=number)] if match else []


def _by_place(text: str) -> Iterator[Named]:
    for match in _NTH.finditer(text):
        if _OTHER_SENSE.match(text, match.end()):
            continue
        place = next(n for n in _ORDINALS if match[f"n{abs(n)}{'l' if n < 0 else ''}"])
        yield Named(kind=_kind(match), place=place)


def _kind(match: re.Match[str]) -> NamedKind:
    return "table" if match["table"] else "figure"
