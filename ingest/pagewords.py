"""The words of a page one by one, with their boxes. Knows MuPDF's words and glyphs, no layout.

What is told of them goes over a pipe from a child that reads hostile files, so there are
limits; `ingest.wire` checks them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingest.bidi import holds_leftward, is_leftward
from ingest.characters import clean_text
from ingest.leftward import read_rows
from ingest.spans import text_flags

if TYPE_CHECKING:
    import pymupdf

    from rag.types import BBox

MAX_WORDS = 20_000  # of a page; a broadsheet has 8,000
MAX_WORD_CHARACTERS = 200


class PageWord(NamedTuple):
    """A word where it stands, in points of the page as displayed."""

    text: str
    bbox: BBox


def read_words(page: pymupdf.Page) -> list[PageWord]:
    """The words of a page in content order, each as it is read; hidden ones included.

    Args:
        page: with its rotation removed.
    """
    found = page.get_text("words", flags=text_flags())[:MAX_WORDS]
    words = [
        PageWord(clean_text(text)[:MAX_WORD_CHARACTERS], (x0, y0, x1, y1))
        for x0, y0, x1, y1, text, *_ in found
    ]
    text = " ".join(word.text for word in words)
    if not holds_leftward(text):
        return words
    # MuPDF turns some lines and leaves others, and cuts words at ligatures.
    rows = read_rows(page.get_text("rawdict", flags=text_flags()), leftward=is_leftward(text))
    return [PageWord(clean_text(text)[:MAX_WORD_CHARACTERS], bbox) for text, bbox in rows][
        :MAX_WORDS
    ]
