"""A source as the drawer shows it: pages, frames, the words of its quote. No Streamlit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ui import boxes
from ui.quoted_words import find_on_pages, find_once, fold

if TYPE_CHECKING:
    from uuid import UUID

    from ingest.pagewords import PageWord
    from rag.library import Page
    from rag.types import BBox, Hit, Kind, Region

logger = logging.getLogger(__name__)

MAX_QUOTED_PAGES = 3  # a quote over more is looked for on the first ones
MAX_AHEAD = 3  # pages that are drawn before anybody asks for them


class Pages(Protocol):
    """What of the services is used here."""

    def page(self, document_id: UUID, page_number: int) -> Page: ...
    def page_picture(self, document_id: UUID, page_number: int) -> bytes: ...
    def page_part(self, document_id: UUID, page_number: int, box: BBox) -> bytes: ...
    def page_words(self, document_id: UUID, page_number: int) -> Sequence[PageWord]: ...


def pages_of(regions: Sequence[Region]) -> list[int]:
    """The pages of a source, that of the quote first."""
    return list(dict.fromkeys(region.page_number for region in regions))


def draw_ahead(services: Pages, hits: Iterable[Hit]) -> threading.Thread:
    """Draw the first pages of an answer's sources in the background: a click finds them drawn."""
    places = [(hit.item.document_id, hit.page_number) for hit in hits if hit.page_number]
    wanted = list(dict.fromkeys(places))[:MAX_AHEAD]

    def draw() -> None:
        for document_id, number in wanted:
            try:
                services.page_picture(document_id, number)
            except Exception as error:  # noqa: BLE001 - the drawer will say it, if it is opened
                logger.info("page not drawn ahead page=%d error=%s", number, type(error).__name__)

    thread = threading.Thread(target=draw, name="draw-ahead", daemon=True)
    thread.start()
    return thread


def quoted_words(
    services: Pages, document_id: UUID, regions: Sequence[Region], quote: str, caption: str = ""
) -> Mapping[int, Sequence[BBox]]:
    """Boxes of the words of a quote by page; none when they are not found for the most part.

    A caption stands beside its figure, so one that is quoted is looked for on the whole page.

    The first region is the one the quote is taken to stand in. Its page alone is read when
    all of the quote is on it: reading another means drawing it.
    """
    if not quote or not regions:
        return {}
    numbers = pages_of(regions)[:MAX_QUOTED_PAGES]
    read = {numbers[0]: services.page_words(document_id, numbers[0])}
    found = find_on_pages(quote, read, regions, regions[0])
    if found.share < 1.0 and len(numbers) > 1:
        read |= {number: services.page_words(document_id, number) for number in numbers[1:]}
        found = find_on_pages(quote, read, regions, regions[0])
    if not found.boxes and caption and fold(quote).startswith(fold(caption)):
        found = find_once(caption, numbers[0], read[numbers[0]])
    return found.boxes


def draw_page(
    services: Pages,
    document_id: UUID,
    number: int,
    *,
    regions: Sequence[Region],
    quote: str,
    kind: Kind,
    tag: str,
    caption: str = "",
) -> bytes:
    """A page with what is cited on it framed and the quote marked; a page beside it as it is.

    Raises:
        RagError: It cannot be drawn, or is no longer there.
    """
    png = services.page_picture(document_id, number)
    framed = [region.bbox for region in regions if region.page_number == number]
    if not framed:
        return png
    words = quoted_words(services, document_id, regions, quote, caption).get(number, ())
    size = services.page(document_id, number).size
    return boxes.mark_page(png, framed, size, kind=kind, tag=tag, words=words)


def draw_crop(services: Pages, hit: Hit, quote: str) -> bytes | str:
    """The cited part alone: the stored picture of a figure, else cut from the page.

    Raises:
        RagError: The page cannot be drawn, or is no longer there.
    """
    if hit.image_path and hit.item.kind != "table":
        return hit.image_path
    document_id, region = hit.item.document_id, hit.item.regions[0]
    words = quoted_words(services, document_id, hit.item.regions, quote)
    on_page = words.get(region.page_number, ())
    if hit.image_path and not on_page:
        return hit.image_path
    size = services.page(document_id, region.page_number).size
    if boxes.is_large(size):
        part = boxes.window(region.bbox, on_page[0] if on_page else region.bbox, size)
        png = services.page_part(document_id, region.page_number, part)
        return boxes.mark_part(png, part, on_page)
    png = services.page_picture(document_id, region.page_number)
    return boxes.crop_page(png, region.bbox, size, on_page)


def opens_as_crop(hit: Hit) -> bool:
    """Whether the whole page would not show the place: too far down, or too small to read."""
    size, regions = hit.page_size, hit.item.regions
    if size is None or not regions:
        return False
    return boxes.is_large(size) or boxes.is_low(regions[0].bbox, size)
