"""The blocks of one page to parts: captions found and matched, figures merged, words kept.

Pure: knows boxes and words, draws nothing. A piece that wants a picture names the box
to draw; `ingest.pdf` draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ingest.boxes import area, clipped, gap_x, gap_y, overlap, shares_column, union
from ingest.captions import (
    MAX_GAP_PT,
    CaptionKind,
    is_caption,
    lacks_text,
    match_captions,
    read_label,
)
from ingest.characters import symbol_share
from ingest.figures import (
    WHOLE_PAGE_SHARE,
    find_missed,
    grow_captioned,
    merge_overlapping,
    reason_to_skip,
    stacked_above,
)
from ingest.headings import heading_level
from ingest.mentions import find_mention
from ingest.pageblocks import PageBlock
from ingest.paragraphs import words_of
from ingest.parts import Part, PartKind, Skipped
from ingest.tables import holds_words, is_trusted, to_markdown
from rag.types import Region

if TYPE_CHECKING:
    from rag.types import BBox

MAX_HEADING_CHARACTERS = 300
# Words in a picture that are running text, not labels: this many, this many a line.
RUNNING_WORDS = 25
RUNNING_WORDS_PER_LINE = 4.0
BIG_PICTURE_SHARE = 0.3
MAX_SYMBOL_SHARE = 0.35
MIN_UNLABELLED_WORDS = 3  # less is a label of a part, as "Control" under a photo
_HEADINGS = ("title", "section-header")
_LISTING = ("list-item", "formula", "fallback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part, and the box to draw for it; `is_captioned` pictures are kept whatever they show."""

    part: Part
    crop: BBox | None = None
    is_captioned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """What arranging needs to know beside the blocks."""

    page_number: int
    size: tuple[float, float]  # points
    drawings: Callable[[], Sequence[BBox]] = field(default=lambda: ())  # only asked when needed
    texts_before: Sequence[str] = ()  # running text of the page before, for mentions
    distrusted: Sequence[BBox] = ()  # boxes of hidden words: no table grid may hold them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caption:
    bbox: BBox
    text: str
    kind: CaptionKind
    number: str
    members: tuple[int, ...]  # indices of the blocks it is made of


@dataclass(slots=True, kw_only=True)
class _Graphic:
    """A figure or table in the making."""

    kind: CaptionKind
    bbox: BBox
    members: list[int]
    caption: _Caption | None = None
    is_listing: bool = False  # its words are text parts as well


def arrange(blocks: Sequence[PageBlock], context: PageContext) -> tuple[list[Piece], list[Skipped]]:
    """The pieces of a page in reading order, and the pictures that are left out."""
    known = words_of([line.text for block in blocks for line in block.lines])
    captions = _find_captions(blocks, known)
    graphics = _graphics(blocks)
    captions = _match(captions, graphics)
    graphics, left = _find_missing(captions, graphics, blocks, context)
    graphics = _merge_parts(graphics, blocks)
    return _Emitter(blocks, graphics, left, known, context).emit()


def _graphics(blocks: Sequence[PageBlock]) -> list[_Graphic]:
    tables = [i for i, block in enumerate(blocks) if block.kind == "table"]
    pictures = [i for i, block in enumerate(blocks) if block.kind == "picture"]
    graphics = [_Graphic(kind="table", bbox=blocks[i].bbox, members=[i]) for i in tables]
    for box in merge_overlapping([blocks[i].bbox for i in pictures]):
        members = [i for i in pictures if overlap(blocks[i].bbox, box) > 0.9 * area(blocks[i].bbox)]
        graphics.append(_Graphic(kind="figure", bbox=box, members=members))
    return graphics


def _find_captions(blocks: Sequence[PageBlock], known: frozenset[str]) -> list[_Caption]:
    graphics = [block.bbox for block in blocks if block.kind in ("picture", "table")]
    captions: list[_Caption] = []
    taken: set[int] = set()
    for index, block in enumerate(blocks):
        if index in taken or not block.lines or block.kind in ("picture", "table"):
            continue
        text = block.text(known)
        is_classed = block.kind == "caption"
        beside = any(_is_beside(block.bbox, box) for box in graphics)
        labelled = is_caption(text, is_classed=is_classed, is_beside=beside)
        if not labelled and (not is_classed or len(text.split()) < MIN_UNLABELLED_WORDS):
            continue
        members = _with_followers(index, blocks, known) if labelled else [index]
        taken.update(members)
        captions.append(_caption(members, blocks, known, is_labelled=labelled))
    return captions


def _caption(
    members: list[int], blocks: Sequence[PageBlock], known: frozenset[str], *, is_labelled: bool
) -> _Caption:
    text = " ".join(blocks[i].text(known) for i in members)
    label = read_label(text) if is_labelled else None
    return _Caption(
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


def _match(captions: list[_Caption], graphics: list[_Graphic]) -> list[_Caption]:
    """Give each graphic its caption, labelled ones first; returns the captions that are left."""
    left: list[_Caption] = []
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
    captions: list[_Caption],
    graphics: list[_Graphic],
    blocks: Sequence[PageBlock],
    context: PageContext,
) -> tuple[list[_Graphic], list[_Caption]]:
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
    caption: _Caption,
    graphics: Sequence[_Graphic],
    captions: Sequence[_Caption],
    context: PageContext,
) -> _Graphic | None:
    taken = [graphic.bbox for graphic in graphics] + [c.bbox for c in captions]
    box = find_missed(caption.bbox, context.drawings(), taken, context.size)
    if box is None:
        return None
    return _Graphic(kind="figure", bbox=box, members=[], caption=caption)


def _from_listing(
    caption: _Caption, blocks: Sequence[PageBlock], graphics: Sequence[_Graphic]
) -> _Graphic | None:
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
    return _Graphic(kind="figure", bbox=box, members=members, caption=caption, is_listing=True)


def _merge_parts(graphics: list[_Graphic], blocks: Sequence[PageBlock]) -> list[_Graphic]:
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


class _Emitter:
    """Walks the blocks in reading order and makes each into its part once."""

    def __init__(
        self,
        blocks: Sequence[PageBlock],
        graphics: Sequence[_Graphic],
        left_captions: Sequence[_Caption],
        known: frozenset[str],
        context: PageContext,
    ) -> None:
        self._blocks = blocks
        self._graphics = graphics
        self._known = known
        self._context = context
        self._loose = {i: c for c in left_captions for i in c.members}
        self._of_caption = {
            i: g for g in graphics if g.caption is not None for i in g.caption.members
        }
        self._of_member = {i: g for g in graphics for i in g.members}
        # Words that came to lie inside a figure that grew or was found from drawings.
        self._inside = {
            i: g
            for i, block in enumerate(blocks)
            for g in graphics
            if g.kind == "figure"
            and i not in self._of_member
            and i not in self._of_caption
            and overlap(block.bbox, g.bbox) > 0.7 * max(area(block.bbox), 1.0)
        }
        self._body_size = _body_size(blocks)
        self._texts = [
            block.text(known)
            for i, block in enumerate(blocks)
            if block.lines and i not in self._of_caption and i not in self._of_member
        ]
        self._done: set[int] = set()
        self._pieces: list[Piece] = []
        self._skipped: list[Skipped] = []

    def emit(self) -> tuple[list[Piece], list[Skipped]]:
        for index, block in enumerate(self._blocks):
            graphic = (
                self._of_member.get(index) or self._of_caption.get(index) or self._inside.get(index)
            )
            if graphic is not None:
                self._emit_graphic(graphic)
            elif index in self._loose:
                self._emit_loose(self._loose[index])
            else:
                self._emit_words(block)
        for graphic in self._graphics:
            self._emit_graphic(graphic)
        return self._pieces, self._skipped

    def _emit_words(self, block: PageBlock) -> None:
        text = block.text(self._known)
        if self._is_heading(block, text):
            level = heading_level(
                text,
                is_title=block.kind == "title",
                size=max(line.size for line in block.lines),
                body_size=self._body_size,
            )
            self._add(Part(kind="heading", text=text, level=level), block.bbox)
            return
        for paragraph, box in block.paragraphs(self._known):
            self._add(Part(kind="text", text=paragraph), box)

    def _is_heading(self, block: PageBlock, text: str) -> bool:
        """A heading by its class, unless it is a whole sentence in the font of the text."""
        if block.kind not in _HEADINGS or not 0 < len(text) <= MAX_HEADING_CHARACTERS:
            return False
        is_plain = block.size <= 1.05 * self._body_size and not all(
            line.is_bold for line in block.lines
        )
        return not (is_plain and text.endswith((".", "。", ",", ";")))

    def _emit_loose(self, caption: _Caption) -> None:
        if id(caption) not in self._done:
            self._done.add(id(caption))
            self._add(Part(kind="text", text=caption.text), caption.bbox)

    def _emit_graphic(self, graphic: _Graphic) -> None:
        if id(graphic) in self._done:
            return
        self._done.add(id(graphic))
        if graphic.kind == "table":
            self._emit_table(graphic)
        else:
            self._emit_figure(graphic)

    def _emit_table(self, graphic: _Graphic) -> None:
        block = self._blocks[graphic.members[0]]
        words = "\n".join(line.text for line in block.lines)
        is_clean = not any(overlap(box, block.bbox) > 0 for box in self._context.distrusted)
        trusted = is_clean and is_trusted(block.grid) and holds_words(block.grid, words)
        text = to_markdown(block.grid) if trusted else words
        if not text.strip():
            self._emit_figure(graphic)
            return
        self._add_graphic(Part(kind="table", text=text), graphic)

    def _emit_figure(self, graphic: _Graphic) -> None:
        held = [self._blocks[i] for i in graphic.members]
        inside = [self._blocks[i] for i, g in self._inside.items() if g is graphic]
        words = "\n".join(line.text for block in (*held, *inside) for line in block.lines)
        if not graphic.is_listing and symbol_share(words) > MAX_SYMBOL_SHARE:
            words = ""  # a font without a map to Unicode; the picture still shows it
        reason = reason_to_skip(graphic.bbox, self._context.size)
        if graphic.caption is None and reason:
            self._skip(graphic.bbox, reason)
            self._keep_words([*held, *inside])
            return
        share = area(graphic.bbox) / (self._context.size[0] * self._context.size[1])
        kind: PartKind = (
            "page" if share >= WHOLE_PAGE_SHARE and graphic.caption is None else "figure"
        )
        self._add_graphic(Part(kind=kind, text=words), graphic)
        if graphic.is_listing:
            self._add(Part(kind="text", text=words), graphic.bbox)
        elif _is_running_text(words, share):
            self._keep_words(held)
        self._keep_words([block for block in inside if _is_running_text(block.text(), 0.0)])

    def _keep_words(self, blocks: Sequence[PageBlock]) -> None:
        for block in blocks:
            self._emit_words(block)

    def _add_graphic(self, part: Part, graphic: _Graphic) -> None:
        caption = graphic.caption
        if caption is not None:
            texts = [*self._texts, *self._context.texts_before]
            mention = find_mention(caption.number, texts) if caption.number else ""
            part = replace(part, caption=caption.text, number=caption.number, mention=mention)
        box = clipped(graphic.bbox, self._context.size)
        regions = (Region(page_number=self._context.page_number, bbox=box),)
        self._pieces.append(
            Piece(
                part=replace(part, regions=regions),
                crop=_widened(box, self._context.size),
                is_captioned=caption is not None,
            )
        )

    def _add(self, part: Part, box: BBox) -> None:
        region = Region(
            page_number=self._context.page_number, bbox=clipped(box, self._context.size)
        )
        if part.text.strip():
            self._pieces.append(Piece(part=replace(part, regions=(region,))))

    def _skip(self, box: BBox, reason: str) -> None:
        self._skipped.append(
            Skipped(page_number=self._context.page_number, bbox=box, reason=reason)
        )


def _is_running_text(words: str, share_of_page: float) -> bool:
    """Whether words inside a picture are text to read, not labels of an axis."""
    lines = [line for line in words.split("\n") if line.strip()]
    count = sum(len(line.split()) for line in lines)
    if count < RUNNING_WORDS:
        return False
    return share_of_page >= BIG_PICTURE_SHARE or count / len(lines) >= RUNNING_WORDS_PER_LINE


def _is_beside(box: BBox, other: BBox) -> bool:
    return gap_x(box, other) <= MAX_GAP_PT / 2 and gap_y(box, other) <= MAX_GAP_PT


def _body_size(blocks: Sequence[PageBlock]) -> float:
    """Font size of most characters of the running text, in points; 0 without any."""
    counts: dict[float, int] = {}
    for block in blocks:
        for line in block.lines if block.kind in ("text", "list-item") else ():
            size = round(line.size, 1)
            counts[size] = counts.get(size, 0) + len(line.text)
    return max(counts, key=lambda size: counts[size]) if counts else 0.0


def _widened(box: BBox, size: tuple[float, float]) -> BBox:
    """Three points more on each side: layout boxes cut the outer lines of a frame."""
    return clipped((box[0] - 3, box[1] - 3, box[2] + 3, box[3] + 3), size)
