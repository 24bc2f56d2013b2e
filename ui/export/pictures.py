"""The pictures of an export: crops, and pages with all cited places and words, each once.

Knows Pillow and where pictures come from, no HTML. Pictures are made smaller; what would make
the file too large, or cannot be drawn any more, is counted and told.
"""

from __future__ import annotations

import base64
import io
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from rag.errors import RagError
from rag.types import PICTURES
from ui import boxes
from ui.cited import quoted_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from rag.types import BBox
    from ui.cited import Pages
    from ui.export.chat import ToldChat, ToldSource, ToldTurn

logger = logging.getLogger(__name__)

WIDTH_PX = 900
HEIGHT_PX = 1_400
QUALITY = 80  # of JPEG; at 70 small type in a scan begins to fray
MAX_BYTES = 12_000_000  # of all pictures; base64 makes 16 MB of it, which most mail takes
MAX_PAGES = 60  # drawn for one file
PAGES_A_SOURCE = 3
KINDS_WITH_CROP = (*PICTURES, "table")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture in the file."""

    uri: str  # data:
    width_px: int
    height_px: int


class PageKey(NamedTuple):
    """A page of a document."""

    document_id: UUID
    number: int


class Cited(NamedTuple):
    """Who cites a place."""

    turn: int
    marker: int


@dataclass(slots=True, kw_only=True)
class MarkedPage:
    """A page and all places on it that are cited."""

    key: PageKey
    name: str  # of the document
    size: tuple[float, float]
    places: dict[tuple[float, float, float, float], list[tuple[ToldSource, Cited]]] = field(
        default_factory=dict
    )
    picture: Picture | None = None

    def cited_by(self) -> list[tuple[ToldSource, Cited]]:
        """Each source once, in the order of the chat."""
        every = [one for cited in self.places.values() for one in cited]
        return sorted({who: (source, who) for source, who in every}.values(), key=lambda p: p[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """All pictures of a file; what there is no room for is counted."""

    asked: dict[int, Picture]  # by question
    crops: dict[Cited, Picture]  # where one is shown
    shown_at: dict[Cited, Cited]  # the same picture stands there already
    pages: tuple[MarkedPage, ...]  # those that have a picture
    drawn_on: dict[Cited, list[int]]  # places in `pages`
    left_out: tuple[str, ...]  # sentences


def collect(chat: ToldChat, services: Pages) -> Album:
    """Read, draw and shrink the pictures of a chat. Takes about half a second a page at first."""
    room = _Room(MAX_BYTES)
    asked = {t.number: p for t in chat.turns if (p := room.take_file(t.picture_path)) is not None}
    crops, shown_at, lost_crops = _crops(chat, room)
    pages = _places(chat)
    drawn: list[MarkedPage] = []
    unreadable = 0
    said: dict[Cited, Mapping[int, Sequence[BBox]]] = {}
    for page in pages[:MAX_PAGES]:
        if room.is_full:
            break
        try:
            png = services.page_picture(*page.key)
            words = _quoted(page, services, said)
        except RagError as error:  # deleted, encrypted, or no longer to be drawn
            logger.info("page is not exported page=%s error=%s", page.key, error)
            unreadable += 1
            continue
        page.picture = room.take(_mark(png, page, words, is_single=len(chat.turns) == 1))
        if page.picture is not None:
            drawn.append(page)
    left = len(pages) - len(drawn) - unreadable
    drawn_on: dict[Cited, list[int]] = {}
    for at, page in enumerate(drawn):
        for _, who in page.cited_by():
            drawn_on.setdefault(who, []).append(at)
    return Album(
        asked=asked,
        crops=crops,
        shown_at=shown_at,
        pages=tuple(drawn),
        drawn_on=drawn_on,
        left_out=tuple(_left_out(left, unreadable, lost_crops)),
    )


def shrink(image: Image.Image) -> tuple[str, bytes, int, int]:
    """A picture at most `WIDTH_PX` wide, as PNG or JPEG, whichever is smaller.

    Returns:
        Media type, bytes, width and height in pixels.
    """
    share = min(1.0, WIDTH_PX / image.width, HEIGHT_PX / image.height)
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    small = image.convert("RGB")
    if share < 1.0:
        small = small.resize(size, reducing_gap=2.0)
    lossless, lossy = io.BytesIO(), io.BytesIO()
    small.save(lossless, "PNG")
    small.save(lossy, "JPEG", quality=QUALITY)
    encoded = [("image/png", lossless.getvalue()), ("image/jpeg", lossy.getvalue())]
    return *min(encoded, key=lambda one: len(one[1])), *size


class _Room:
    """What may still be put into the file."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self.is_full = False

    def take(self, image: Image.Image) -> Picture | None:
        media_type, data, width, height = shrink(image)
        if len(data) > self._left:
            self.is_full = True
            return None
        self._left -= len(data)
        uri = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
        return Picture(uri=uri, width_px=width, height_px=height)

    def take_file(self, path: str | None) -> Picture | None:
        """A stored picture; None when there is none, or no room."""
        try:
            with Image.open(path or "", formats=("PNG",)) as opened:  # our own
                return self.take(opened)
        except OSError:  # deleted meanwhile, in another window
            return None


def _crops(chat: ToldChat, room: _Room) -> tuple[dict[Cited, Picture], dict[Cited, Cited], int]:
    crops: dict[Cited, Picture] = {}
    shown_at: dict[Cited, Cited] = {}
    first: dict[str, Cited] = {}
    lost = 0
    for turn, source in _sources(chat):
        path, who = source.hit.image_path, Cited(turn.number, source.marker)
        if path is None or source.kind not in KINDS_WITH_CROP or not Path(path).is_file():
            continue
        if path in first:
            shown_at[who] = first[path]
            continue
        picture = room.take_file(path)
        if picture is None:
            lost += 1
            continue
        crops[who], first[path] = picture, who
    return crops, shown_at, lost


def _places(chat: ToldChat) -> list[MarkedPage]:
    """The pages of all cited sources: documents in the order they are cited, pages in theirs."""
    pages: dict[PageKey, MarkedPage] = {}
    for turn, source in _sources(chat):
        hit = source.hit
        if not turn.is_cited or source.note or hit.page_size is None:
            continue
        wanted = sorted({region.page_number for region in hit.item.regions})[:PAGES_A_SOURCE]
        for region in hit.item.regions:
            if region.page_number not in wanted:
                continue
            key = PageKey(hit.item.document_id, region.page_number)
            page = pages.setdefault(
                key, MarkedPage(key=key, name=source.document, size=hit.page_size)
            )
            who = Cited(turn.number, source.marker)
            page.places.setdefault(region.bbox, []).append((source, who))
    documents = list(dict.fromkeys(key.document_id for key in pages))
    return sorted(
        pages.values(), key=lambda page: (documents.index(page.key.document_id), page.key.number)
    )


def _sources(chat: ToldChat) -> Iterator[tuple[ToldTurn, ToldSource]]:
    for turn in chat.turns:
        for source in turn.sources:
            yield turn, source


def _quoted(
    page: MarkedPage, services: Pages, known: dict[Cited, Mapping[int, Sequence[BBox]]]
) -> list[BBox]:
    """The words on the page that carry an answer, of all sources that stand on it.

    Those of a source are looked for once; they may stand on its other pages too.
    """
    found: list[BBox] = []
    for source, who in page.cited_by():
        if who not in known:
            item = source.hit.item
            known[who] = quoted_words(
                services, page.key.document_id, item.regions, source.said, item.caption
            )
        found.extend(known[who].get(page.key.number, ()))
    return found


def _mark(png: bytes, page: MarkedPage, words: Sequence[BBox], *, is_single: bool) -> Image.Image:
    marks = []
    tagged: set[Cited] = set()
    for box, cited in page.places.items():
        fresh = [who for _, who in cited if who not in tagged]  # a text may have many boxes
        tagged.update(fresh)
        marks.append(boxes.Mark(cited[0][0].kind, box, _tag(fresh, is_single=is_single)))
    return boxes.mark_sources(png, marks, page.size, words)


def _tag(cited: Sequence[Cited], *, is_single: bool) -> str:
    if is_single:
        return ", ".join(f"Source {who.marker}" for who in cited)
    return ", ".join(f"Q{who.turn} source {who.marker}" for who in cited)


def _left_out(pages: int, unreadable: int, crops: int) -> Iterator[str]:
    if pages:
        what = "1 page picture is" if pages == 1 else f"{pages} page pictures are"
        yield f"{what} left out to keep this file small."
    if crops:
        what = "1 figure is" if crops == 1 else f"{crops} figures are"
        yield f"{what} left out to keep this file small."
    if unreadable:
        what = "1 page" if unreadable == 1 else f"{unreadable} pages"
        yield f"{what} could not be drawn: the document needs its password, or is gone."
