"""The figures and tables of one page with their captions, from its blocks. Pure.

Captions are told by class and by words, matched to boxes, and where the layout model
saw no picture one is looked for: drawings near the caption, a listing above it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.boxes import area, gap_x, gap_y, overlap, shares_column, union
from ingest.captions import (
    MAX_GAP_PT,
    CaptionKind,
    is_caption,
    lacks_text,
    match_captions,
    read_label,
)
from ingest.figures import find_missed, grow_captioned, merge_overlapping, stacked_above
from ingest.titles import find_surroundings, is_note

if TYPE_CHECKING:
    from ingest.pageblocks import PageBlock
    from rag.types import BBox

MIN_UNLABELLED_WORDS = 3  # less is a label of a part, as "Control" under a photo
_LISTING = ("list-item", "formula", "fallback")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What arranging needs to know beside the blocks."""

    page_number: int
    size: tuple[float, float]  # points
    drawings: Callable[[], Sequence[BBox]] = field(default=lambda: ())  # only asked when needed
    texts_before: Sequence[str] = ()  # running text of the page before, for mentions
    distrusted: Sequence[BBox] = ()  # boxes of hidden words: no table grid may hold them


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A caption block, or several joined; `kind` "other" has no label."""

    bbox: BBox
    text: str
    kind: CaptionKind
    number: str
    members: tuple[int, ...]  # indices of the blocks it is made of


@dataclass(slots=True, kw_only=True)
class Graphic:
    """A figure or table in the making; `members` are indices of its blocks."""

    kind: CaptionKind
    bbox: BBox
    members: list[int]
    caption: Caption | None = None
    is_listing: bool = False  # its words are text parts as well


def find_graphics(
    blocks: Sequence[PageBlock], context: PageContext, known_words: frozenset[str]
) -> tuple[list[Graphic], list[Caption]]:
    """The graphics of a page, captions matched, and the captions that belong to none."""
    captions = _find_captions(blocks, known_words)
    graphics = _boxed(blocks)
    unmatched = _match(captions, graphics)
    graphics, left = _find_missing(unmatched, graphics, blocks, context)
    graphics = _merge_parts(graphics, blocks)
    _give_titles(graphics, blocks, left)
    return graphics, left


def _boxed(blocks: Sequence[PageBlock]) -> list[Graphic]:
    tables = [i for i, block in enumerate(blocks) if block.kind == "table"]
    pictures = [i for i, block in enumerate(blocks) if block.kind == "picture"]
    graphics = [Graphic(kind="table", bbox=blocks[i].bbox, members=[i]) for i in tables]
    for box in merge_overlapping([blocks[i].bbox for i in pictures]):
        members = [i for i in pictures if overlap(blocks[i].bbox, box) > 0.9 * area(blocks[i].bbox)]
        graphics.append(Graphic(kind="figure", bbox=box, members=members))
    return graphics


def _find_captions(blocks: Sequence[PageBlock], known: frozenset[str]) -> list[Caption]:
    graphics = [block.bbox for block in blocks if block.kind in ("picture", "table")]
    captions: list[Caption] = []
    taken: set[int] = set()
    for index, block in enumerate(blocks):
        if index in taken or not block.lines or block.kind in ("picture", "table"):
            continue
        text = block.text(known)
        is_classed = block.kind == "caption"
        beside = any(_is_beside(block.bbox, box) for box in graphics)
        labelled = is_caption(text, is_classed=is_classed, is_beside=beside)
        is_words = len(text.split()) >= MIN_UNLABELLED_WORDS and not is_note(text)
        if not labelled and not (is_classed and is_words):
            continue
        members = _with_followers(index, blocks, known) if labelled else [index]
        taken.update(members)
        captions.append(_caption(members, blocks, known, is_labelled=labelled))
    return captions


def _caption(
    members: list[int], blocks: Sequence[PageBlock], known: frozenset[str], *, is_labelled: bool
) -> Caption:
    text = " ".join(blocks[i].text(known) for i in members)
    label = read_label(text) if is_labelled else None
    return Caption(
        bbox=union(blocks[i].bbox for i in members),
        text=" ".join(text.split()),
        kind=label.kind if label else "other",
        number=label.number if label else "",
        members=tuple(members),
    )


def _with_followers(index: int, blocks: Sequence[PageBlock], known: frozenset[str]) -> list[int]:
    """The caption block and those that go on with it: the layout splits "Table 1" from its text."""
    members = [index]
    for follower in range(index + 1, min(index + 3, len(blocks))):
        last, block = blocks[members[-1]], blocks[follower]
        lines = last.bbox[3] - last.bbox[1] if len(last.lines) == 1 else last.size
        down = block.bbox[1] - last.bbox[3]
        near = -2 <= down <= 1.3 * max(lines, last.size) and shares_column(last.bbox, block.bbox)
        goes_on = block.kind == "caption" or (
            lacks_text(last.text(known)) and block.kind in ("text", "list-item", "section-header")
        )
        if not (near and goes_on) or read_label(block.text(known)) is not None:
            break
        members.append(follower)
    return members


def _match(captions: list[Caption], graphics: list[Graphic]) -> list[Caption]:
    """Give each graphic its caption, labelled ones first; returns the captions that are left."""
    left: list[Caption] = []
    for is_labelled in (True, False):
        group = [c for c in captions if (c.kind != "other") == is_labelled]
        free = [g for g in graphics if g.caption is None]
        found = match_captions([(c.bbox, c.kind) for c in group], [(g.bbox, g.kind) for g in free])
        for index, caption in enumerate(group):
            if index in found:
                free[found[index]].caption = caption
            else:
                left.append(caption)
    return left


def _find_missing(
    captions: list[Caption],
    graphics: list[Graphic],
    blocks: Sequence[PageBlock],
    context: PageContext,
) -> tuple[list[Graphic], list[Caption]]:
    """Graphics for figure captions that have none: drawings near by, or the listing above."""
    graphics, left = list(graphics), []
    for caption in captions:
        found = None
        if caption.kind == "figure":
            found = _from_drawings(caption, graphics, captions, context)
            found = found or _from_listing(caption, blocks, graphics)
        if found is None:
            left.append(caption)
        else:
            graphics.append(found)
    return graphics, left


def _from_drawings(
    caption: Caption,
    graphics: Sequence[Graphic],
    captions: Sequence[Caption],
    context: PageContext,
) -> Graphic | None:
    taken = [graphic.bbox for graphic in graphics] + [c.bbox for c in captions]
    box = find_missed(caption.bbox, context.drawings(), taken, context.size)
    if box is None:
        return None
    return Graphic(kind="figure", bbox=box, members=[], caption=caption)


def _from_listing(
    caption: Caption, blocks: Sequence[PageBlock], graphics: Sequence[Graphic]
) -> Graphic | None:
    used = {i for graphic in graphics for i in graphic.members}
    lines = [
        i
        for i, block in enumerate(blocks)
        if i not in used and i not in caption.members and (block.kind in _LISTING or block.is_code)
    ]
    members = [lines[i] for i in stacked_above(caption.bbox, [blocks[i].bbox for i in lines])]
    if not members:
        return None
    box = union(blocks[i].bbox for i in members)
    return Graphic(kind="figure", bbox=box, members=members, caption=caption, is_listing=True)


def _merge_parts(graphics: list[Graphic], blocks: Sequence[PageBlock]) -> list[Graphic]:
    """Pictures without a caption join the captioned one they touch: (a), (b), (c) of one figure."""
    owned = {i: g.bbox for i, g in enumerate(graphics) if g.kind == "figure" and g.caption}
    free = [i for i, g in enumerate(graphics) if g.kind == "figure" and not g.caption]
    in_graphics = {i for g in graphics for i in g.members}
    walls = [
        block.bbox
        for i, block in enumerate(blocks)
        if i not in in_graphics and (block.kind != "text" or len(block.lines) > 1)
    ]
    walls += [g.bbox for g in graphics if g.kind == "table"]
    joined = grow_captioned(owned, [graphics[i].bbox for i in free], walls)
    gone: set[int] = set()
    for index, candidates in joined.items():
        for candidate in candidates:
            other = graphics[free[candidate]]
            graphics[index].bbox = union([graphics[index].bbox, other.bbox])
            graphics[index].members += other.members
            gone.add(free[candidate])
    return [graphic for i, graphic in enumerate(graphics) if i not in gone]


def _give_titles(
    graphics: Sequence[Graphic], blocks: Sequence[PageBlock], captions: Sequence[Caption]
) -> None:
    """Figures without any caption take the title above them and the notes below as one."""
    used = {i for graphic in graphics for i in graphic.members}
    used |= {i for caption in captions for i in caption.members}
    used |= {i for g in graphics if g.caption is not None for i in g.caption.members}
    for graphic in graphics:
        if graphic.kind != "figure" or graphic.caption is not None:
            continue
        free = [i for i in range(len(blocks)) if i not in used]
        found = find_surroundings(graphic.bbox, blocks, free)
        if found is None:
            continue
        used.update((found.heading, *found.others))
        texts = [blocks[i].text() for i in (found.heading, *found.others)]
        graphic.bbox = union([graphic.bbox, found.bbox])
        graphic.caption = Caption(
            bbox=found.bbox,
            text=" ".join(" ".join(texts).split()),
            kind="other",
            number="",
            members=found.others,
        )


def _is_beside(box: BBox, other: BBox) -> bool:
    return gap_x(box, other) <= MAX_GAP_PT / 2 and gap_y(box, other) <= MAX_GAP_PT
