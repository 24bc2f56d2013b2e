"""Lists of contents, which the layout model takes for tables. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

MIN_ENTRIES = 4
MIN_ENTRY_SHARE = 0.5  # of the lines end with a page number
MIN_ASCENDING_SHARE = 0.9
_ENTRY = re.compile(r"(?P<name>.*[^\W\d].*?)(?P<leader>\s*(?:…|\.{3,})\s*|\s+)(?P<page>\d{1,4})$")
_TITLE = re.compile(
    r"(?:table\s+of\s+)?contents|list\s+of\s+(?:figures|tables)|inhalt(?:sverzeichnis)?|sommaire|"
    r"table\s+des\s+matières|índice|contenido|sumário|indice|sommario|inhoud(?:sopgave)?|"
    r"innehåll|indhold|innhold|sisällys|spis\s+treści|obsah|tartalom(?:jegyzék)?|cuprins|"
    r"содержание|оглавление|зміст|περιεχόμενα|içindekiler|daftar\s+isi|mục\s+lục|"
    r"目次|目录|目錄|차례|목차|المحتويات|فهرست|תוכן(?:\s+העניינים)?|विषय\s*सूची|สารบัญ",
    re.IGNORECASE,
)


def is_contents(lines: Sequence[str], heading: str) -> bool:
    """Whether the lines of a "table" are chapters with their pages.

    Args:
        lines: of the table, from top to bottom.
        heading: that stands above it, or "".
    """
    entries = [match for match in map(_ENTRY.match, lines) if match]
    if len(entries) < max(MIN_ENTRIES, MIN_ENTRY_SHARE * len(lines)):
        return False
    pages = [int(match["page"]) for match in entries]
    ascending = sum(a <= b for a, b in pairwise(pages))
    if ascending < MIN_ASCENDING_SHARE * (len(pages) - 1):
        return False
    dotted = sum(bool(match["leader"].strip()) for match in entries)
    return dotted >= len(entries) / 2 or bool(_TITLE.fullmatch(heading.strip()))
