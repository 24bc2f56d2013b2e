"""The sentences that refer to figures and tables by their labels. Knows text only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.sentences import fold_spaces, split_sentences

if TYPE_CHECKING:
    from collections.abc import Iterable

_LABEL = re.compile(
    r"\b(?P<kind>fig(?:ure|s|ures)?|table|tab|abbildung|abb|tabelle|chart|scheme|plate|exhibit)\b"
    r"\.?[\s\u00a0]*(?P<number>[A-Z]?\d+(?:[.\-–]\d+)*[a-z]?)",
    re.IGNORECASE,
)
_SAME_KIND = {"fig": "figure", "figs": "figure", "figures": "figure", "tab": "table"}


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
                return fold_spaces(sentence)
    return ""


def _label_key(number: str) -> tuple[str, str] | None:
    match = _LABEL.match(number)
    return _key(match) if match else None


def _key(match: re.Match[str]) -> tuple[str, str]:
    kind = match["kind"].lower()
    return _SAME_KIND.get(kind, kind), match["number"]
