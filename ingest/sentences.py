"""Sentences of a text, and the one that mentions a figure. Knows no document and no tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A full stop ends a sentence when white space and something that can start one follow;
# Chinese and Japanese marks end one without a space.
_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*(?=\s+[\"'“‘«(\[]*[^\Wa-z_])|[。！？]+[”’」』）]*)\s*")
_SHORT = re.compile(
    r"(?:\b(?:fig|figs|eq|eqs|sec|no|vol|pp?|e\.g|i\.e|cf|vs|al|etc|dr|mr|mrs|ms|prof|st|jr|ca|"
    r"approx|inc|ltd|abb|bzw|nr|ed|eds|ch|[A-Z])\.)\s*$",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?P<kind>fig(?:ure|s|ures)?|table|tab|abbildung|abb|tabelle|chart|scheme|plate|exhibit)\b"
    r"\.?[\s\u00a0]*(?P<number>[A-Z]?\d+(?:[.\-–]\d+)*[a-z]?)",
    re.IGNORECASE,
)
_SAME_KIND = {"fig": "figure", "figs": "figure", "figures": "figure", "tab": "table"}


def split_sentences(text: str) -> list[str]:
    """The sentences with the white space after them: joined, they are the text."""
    sentences, begin = [], 0
    for match in _END.finditer(text):
        if _SHORT.search(text[max(begin, match.end() - 12) : match.end()]):
            continue
        sentences.append(text[begin : match.end()])
        begin = match.end()
    if begin < len(text):
        sentences.append(text[begin:])
    return sentences


def figure_number(caption: str) -> str:
    """The document's own label at the start of a caption ("Figure 3", "Table 2-1"), or ""."""
    match = _LABEL.match(caption.lstrip())
    return match.group().strip() if match else ""


def find_mention(number: str, texts: Iterable[str]) -> str:
    """The first sentence that refers to a figure by its label, or "".

    "Fig. 3", "Figure 3" and "figs 3" are one label; "Figure 31" is another.
    """
    wanted = _label_key(number)
    if wanted is None:
        return ""
    for text in texts:
        if wanted[1] not in text:
            continue
        for sentence in split_sentences(text):
            if any(_key(match) == wanted for match in _LABEL.finditer(sentence)):
                return sentence.strip()
    return ""


def _label_key(number: str) -> tuple[str, str] | None:
    match = _LABEL.match(number)
    return _key(match) if match else None


def _key(match: re.Match[str]) -> tuple[str, str]:
    kind = match["kind"].lower()
    return _SAME_KIND.get(kind, kind), match["number"]
