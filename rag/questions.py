"""What a question asks for, told by its words. Pure; knows no hits."""

from __future__ import annotations

import re

_ASKS_PICTURE = re.compile(
    r"\b(?:(?:figures?|fig|charts?|graphs?|diagrams?|plots?|pictures?|images?|photos?|drawings?"
    r"|maps?|illustrat\w+|looks? like)\b|(?:abbildung|diagramm|bild|grafik)\w*)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(figure|fig\.?|table|chart|abb\.?|abbildung|tabelle)\s*(\d+(?:[.\-]\d+)*[a-z]?)",
    re.IGNORECASE,
)
_FIGURES = ("figure", "fig.", "fig", "chart", "abb.", "abbildung")
_TABLES = ("table", "tab.", "tabelle")


def asks_for_picture(question: str) -> bool:
    """Whether the question wants something to look at."""
    return _ASKS_PICTURE.search(question) is not None


def named_labels(question: str) -> list[str]:
    """The figure or table that is called by its number, as documents may label it, lower-case.

    "What is in Fig. 3?" gives figure 3, fig. 3, chart 3 and so on; [] when none is named.
    """
    match = _NAMED.search(question)
    if match is None:
        return []
    words = _TABLES if match[1].lower() in ("table", "tabelle") else _FIGURES
    return [f"{word} {match[2].lower()}" for word in words]
