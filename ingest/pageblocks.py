"""Layout boxes filled with the words that stand in them; words outside all boxes are not lost.

Pure. A `PageBlock` is one box of a page with its lines, in reading order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest.boxes import area, centre, contains, gap_y, shares_column, union
from ingest.captions import is_caption
from ingest.characters import SOFT_HYPHEN
from ingest.layout import Grid, LayoutBox
from ingest.paragraphs import Line, join_lines, join_paragraph, split_items, to_lines

if TYPE_CHECKING:
    from ingest.spans import Span
    from rag.types import BBox

GRAPHIC_KINDS = ("picture", "table")
BOX_SLACK_PT = 2.0
_HEADING_NUMBER = re.compile(r"(?:\d{1,2}|[IVX]{1,5}|[A-Z])[.)]?(?:\d{1,2}\.?)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBlock:
    """A box and its words; `kind` is the class of the layout model."""

    kind: str
    bbox: BBox
    spans: tuple[Span, ...]
    lines: tuple[Line, ...]
    grid: Grid = ()
    is_aside: bool = False  # a note or running line: no paragraph goes on in it

    @property
    def is_code(self) -> bool:
        return bool(self.lines) and all(line.is_mono for line in self.lines)

    @property
    def size(self) -> float:
        """Font size of the longest line, in points; 0 without lines."""
        return max(self.lines, key=lambda line: len(line.text)).size if self.lines else 0.0

    def text(self, known_words: frozenset[str] = frozenset()) -> str:
        """The words as one paragraph; code keeps its lines."""
        if self.is_code:
            return "\n".join(line.text for line in self.lines)
        return join_paragraph(self.lines, known_words).rstrip(SOFT_HYPHEN)

    def paragraphs(self, known_words: frozenset[str]) -> list[tuple[str, BBox]]:
        """(text, box) of each paragraph or list item in the block.

        A soft hyphen at the end of a text says that its last word goes on elsewhere.
        """
        if self.kind == "picture":
            groups = [to_lines(list(group)) for group in file_blocks(self.spans)]
        elif self.kind == "list-item" and not self.is_code:
            groups = split_items(self.lines)
        else:
            if self.is_code or not self.lines:
                return [(self.text(known_words), self.bbox)] if self.lines else []
            return [(join_paragraph(self.lines, known_words), self.bbox)]
        return [
            (
                join_paragraph(lines, known_words).rstrip(SOFT_HYPHEN),
                union(line.bbox for line in lines),
            )
            for lines in groups
            if lines
        ]


def join_numbers(blocks: Sequence[PageBlock]) -> list[PageBlock]:
    """Headings whose number the layout set apart ("2" beside "Method") as one block."""
    joined: list[PageBlock] = []
    for block in blocks:
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.kind == block.kind == "section-header"
            and _stand_on_one_line(before, block)
            and any(_HEADING_NUMBER.fullmatch(b.text()) for b in (before, block))
        ):
            spans = (*before.spans, *block.spans)
            lines = tuple(to_lines(spans))
            joined[-1] = replace(
                before, spans=spans, lines=lines, bbox=union(line.bbox for line in lines)
            )
        else:
            joined.append(block)
    return joined


def _stand_on_one_line(one: PageBlock, other: PageBlock) -> bool:
    heights = min(one.bbox[3] - one.bbox[1], other.bbox[3] - other.bbox[1])
    return -gap_y(one.bbox, other.bbox) > 0.6 * heights


def fill_boxes(boxes: Sequence[LayoutBox], spans: Sequence[Span]) -> list[PageBlock]:
    """Blocks in the order of `boxes`, words outside all boxes put in where they stand.

    A run of text belongs to the smallest box around its middle.
    """
    inside: list[list[Span]] = [[] for _ in boxes]
    outside: list[Span] = []
    by_area = sorted(range(len(boxes)), key=lambda i: area(boxes[i].bbox))
    for span in spans:
        middle = centre(span.bbox)
        home = next(
            (i for i in by_area if contains(boxes[i].bbox, middle, slack=BOX_SLACK_PT)), None
        )
        (outside if home is None else inside[home]).append(span)
    blocks: list[PageBlock] = []
    for box, held in zip(boxes, inside, strict=True):
        captions, rest = _captions_inside(held) if box.kind == "picture" else ([], held)
        if _is_kept(box, held):
            blocks.append(_block(box.kind, rest, box))
        blocks.extend(_block("caption", caption, None) for caption in captions)
    for held in file_blocks(outside):
        _insert(blocks, _block("text", held, None))
    return join_numbers(blocks)


def plain_blocks(spans: Sequence[Span]) -> list[PageBlock]:
    """Blocks as the file groups its text, without a layout model."""
    return [_block("text", held, None) for held in file_blocks(spans)]


def _captions_inside(held: Sequence[Span]) -> tuple[list[list[Span]], list[Span]]:
    """Captions that the picture box swallowed, and the other words of the box."""
    captions: list[list[Span]] = []
    rest: list[Span] = []
    for group in file_blocks(held):
        text = join_lines([line.text for line in to_lines(group)], frozenset())
        if is_caption(text, is_classed=False, is_beside=False):
            captions.append(group)
        else:
            rest.extend(group)
    return captions, rest


def _is_kept(box: LayoutBox, held: Sequence[Span]) -> bool:
    return bool(held) or box.kind in GRAPHIC_KINDS


def _block(kind: str, held: Sequence[Span], box: LayoutBox | None) -> PageBlock:
    lines = tuple(to_lines(held))
    is_graphic = box is not None and kind in GRAPHIC_KINDS
    bbox = box.bbox if box is not None and is_graphic else union(line.bbox for line in lines)
    grid = box.grid if box is not None else ()
    return PageBlock(kind=kind, bbox=bbox, spans=tuple(held), lines=lines, grid=grid)


def file_blocks(spans: Sequence[Span]) -> list[list[Span]]:
    """Runs of spans whose line numbers follow one another: the text blocks of the file."""
    ordered = sorted(enumerate(spans), key=lambda pair: (pair[1].line, pair[0]))
    groups: list[list[Span]] = []
    for _, span in ordered:
        if groups and span.line - groups[-1][-1].line <= 1:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _insert(blocks: list[PageBlock], block: PageBlock) -> None:
    """Before the first block of its column that stands lower, else at the end."""
    place = next(
        (
            index
            for index, other in enumerate(blocks)
            if other.bbox[1] >= block.bbox[1] and shares_column(other.bbox, block.bbox)
        ),
        len(blocks),
    )
    blocks.insert(place, block)
