"""What parsers hand over: pages of parts, in reading order, before chunking. Knows no library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.types import BBox, MediaType, Region

PartKind = Literal["heading", "text", "table", "figure", "page"]
PageClass = Literal["text", "picture", "garbled", "blank", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a document as parsed.

    heading: a heading line, `level` 1-6.
    text: a paragraph, list item, code block or quote; never split further by the parser.
    table: `text` is Markdown (header row first), `image_png` the crop where there is a page.
    figure: `text` holds the words inside the picture, `caption` the document's words about it.
    page: a page without usable text, as a picture.
    """

    kind: PartKind
    text: str = ""
    regions: tuple[Region, ...] = ()  # empty for page-less formats
    anchor: str | None = None  # block number in the reader view of page-less formats, from "1"
    heading: tuple[str, ...] = ()  # path of headings above, outermost first
    level: int = 0  # headings only
    caption: str = ""
    alt: str = ""  # HTML alt text
    number: str = ""  # "Figure 3", "Table 2-1", as the document writes it
    mention: str = ""  # the sentence of the text that refers to this figure or table
    is_aside: bool = False  # texts: a note or running line, in which no paragraph goes on
    image_png: bytes | None = None  # RGB PNG, at most 1,600 px on the long side


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A picture that was left out, and why, in words for the reader."""

    page_number: int | None
    bbox: BBox | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedPage:
    """One page; page-less formats come as a single one with `page_number` None."""

    page_number: int | None
    size: tuple[float, float] | None  # points, as displayed
    page_class: PageClass
    parts: tuple[Part, ...]
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()  # one plain sentence each
    label: str = ""  # what the file calls the page, such as "iv"
    margin_numbers: tuple[int, ...] = ()  # one of them may be the page number as printed


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentHead:
    """Known before the first page."""

    media_type: MediaType
    page_count: int | None
    title: str = ""
