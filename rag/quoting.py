"""The words of a source that carry a sentence, and the part of a page where they stand.

Knows items and their regions. Which region holds which words is not stored: it is told
from how much room each takes, and the page itself is asked where it is at hand.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.marks import without_marks
from rag.sentences import split_sentences
from rag.terms import content_words
from rag.types import Citation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Item, Region, Source


def quote_source(source: Source, said: Sequence[str]) -> Citation:
    """The sentence that shares most words with what cites it, word for word, and its place.

    A passage that was given with its neighbours may be cited for what one of them says:
    then the citation names the neighbour, so that the page is the right one.

    Args:
        source: what is cited.
        said: the sentences of the answer that cite it.
    """
    asked = [_bag(sentence) for sentence in said]
    hit = source.hit
    # What names a figure is about it, but what is cited is the figure.
    beside = [stretch for stretch in source.around if stretch.item.kind == hit.item.kind]
    pieces = [(hit, piece) for piece in split_sentences(hit.item.text)]
    for stretch in beside:
        there = replace(hit, item=stretch.item, page_size=stretch.page_size)
        pieces += [(there, piece) for piece in split_sentences(stretch.text)]
    cited, quote = max(
        pieces,
        key=lambda pair: max(_shared(bag, _bag(pair[1])) for bag in asked),
        default=(hit, ""),
    )
    place = region_of(cited.item, quote)
    item = replace(cited.item, regions=_first(place, cited.item.regions)) if place else cited.item
    hit = cited if item.regions == cited.item.regions else replace(cited, item=item)
    return Citation(marker=source.marker, hit=hit, quote=quote, region=place)


def region_of(item: Item, quote: str) -> Region | None:
    """The region in which words of an item stand; None for page-less formats.

    Text fills regions in reading order and about evenly, so the place of the words' middle
    in the text is their place in the sum of the regions' areas.
    """
    if not item.regions:
        return None
    start = max(0, item.text.find(quote))
    middle = (start + len(quote) / 2) / max(1, len(item.text))
    areas = [_area(region) for region in item.regions]
    wanted = middle * sum(areas)
    for region, area in zip(item.regions, areas, strict=True):
        wanted -= area
        if wanted < 0:
            return region
    return item.regions[-1]


def _first(place: Region, regions: Sequence[Region]) -> tuple[Region, ...]:
    """The regions with one of them in front: what opens, opens there."""
    return (place, *(region for region in regions if region != place))


def _area(region: Region) -> float:
    x0, y0, x1, y1 = region.bbox
    return max(1.0, abs((x1 - x0) * (y1 - y0)))


def _bag(text: str) -> set[str]:
    return set(content_words(without_marks(text)))


def _shared(bag: set[str], piece: set[str]) -> float:
    """Words in common, longer pieces held back: sqrt as in the cosine of two word sets."""
    return len(bag & piece) / math.sqrt(len(piece) + 1)
