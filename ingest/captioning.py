"""Captions of a page from its blocks, and which graphic each belongs to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.boxes import gap_x, gap_y, shares_column, union
from ingest.captions import MAX_GAP_PT, is_caption, lacks_text, match_captions, read_label
from ingest.graphic_types import Caption
from ingest.titles import is_note

if TYPE_CHECKING:
    from ingest.graphic_types import Graphic
    from ingest.pageblocks import PageBlock
    from rag.types import BBox

MIN_UNLABELLED_WORDS = 3  # less is a label of a part, as "Control" under a photo


def find_captions(blocks: Sequence[PageBlock], known: frozenset[str]) -> list[Caption]:
    """Blocks that are captions by their class or their words, split ones joined."""
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


def give_captions(captions: Sequence[Caption], graphics: Sequence[Graphic]) -> list[Caption]:
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


def _is_beside(box: BBox, other: BBox) -> bool:
    return gap_x(box, other) <= MAX_GAP_PT / 2 and gap_y(box, other) <= MAX_GAP_PT
