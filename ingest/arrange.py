"""The blocks of one page to parts, in reading order, each word kept once.

Pure: knows boxes and words, draws nothing. A piece that wants a picture names the box
to draw; `ingest.pdf` draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest.boxes import area, clipped, overlap
from ingest.characters import symbol_share
from ingest.contents import is_contents
from ingest.figures import WHOLE_PAGE_SHARE, reason_to_skip
from ingest.graphics import find_graphics
from ingest.headings import heading_level
from ingest.mentions import find_mention
from ingest.paragraphs import words_of
from ingest.parts import Part, PartKind, Skipped
from ingest.photos import is_filling
from ingest.tables import holds_words, is_trusted, to_markdown
from rag.types import Region

if TYPE_CHECKING:
    from ingest.graphic_types import Caption, Graphic, PageContext
    from ingest.pageblocks import PageBlock
    from rag.types import BBox

MAX_HEADING_CHARACTERS = 300
# Words in a picture that are running text, not labels: this many, this many a line.
RUNNING_WORDS = 25
RUNNING_WORDS_PER_LINE = 4.0
BIG_PICTURE_SHARE = 0.3
MAX_SYMBOL_SHARE = 0.35
_HEADINGS = ("title", "section-header")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part, and the box to draw for it; `is_captioned` pictures are kept whatever they show."""

    part: Part
    crop: BBox | None = None
    is_captioned: bool = False


def arrange(blocks: Sequence[PageBlock], context: PageContext) -> tuple[list[Piece], list[Skipped]]:
    """The pieces of a page in reading order, and the pictures that are left out."""
    known = words_of([line.text for block in blocks for line in block.lines])
    graphics, left = find_graphics(blocks, context, known)
    return _Emitter(blocks, graphics, left, known, context).emit()


class _Emitter:
    """Walks the blocks in reading order and makes each into its part once."""

    def __init__(
        self,
        blocks: Sequence[PageBlock],
        graphics: Sequence[Graphic],
        left_captions: Sequence[Caption],
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
            and block.kind not in _HEADINGS  # the title of a figure stays a heading
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
            self._add(Part(kind="text", text=paragraph, is_aside=block.is_aside), box)

    def _is_heading(self, block: PageBlock, text: str) -> bool:
        """A heading by its class, unless it is a whole sentence in the font of the text."""
        if block.kind not in _HEADINGS or not 0 < len(text) <= MAX_HEADING_CHARACTERS:
            return False
        is_plain = block.size <= 1.05 * self._body_size and not all(
            line.is_bold for line in block.lines
        )
        return not (is_plain and text.endswith((".", "。", ",", ";")))

    def _emit_loose(self, caption: Caption) -> None:
        if id(caption) not in self._done:
            self._done.add(id(caption))
            self._add(Part(kind="text", text=caption.text), caption.bbox)

    def _emit_graphic(self, graphic: Graphic) -> None:
        if id(graphic) in self._done:
            return
        self._done.add(id(graphic))
        if graphic.kind == "table":
            self._emit_table(graphic)
        else:
            self._emit_figure(graphic)

    def _emit_table(self, graphic: Graphic) -> None:
        block = self._blocks[graphic.members[0]]
        lines = [line.text for i in graphic.members for line in self._blocks[i].lines]
        words = "\n".join(lines)
        if self._is_contents(graphic, lines):
            self._add(Part(kind="text", text=words), graphic.bbox)
            return
        is_clean = not any(overlap(box, graphic.bbox) > 0 for box in self._context.distrusted)
        trusted = is_clean and is_trusted(block.grid) and holds_words(block.grid, words)
        is_figure = graphic.caption is not None and graphic.caption.kind == "figure"
        text = to_markdown(block.grid) if trusted else words
        # "Figure 9" over cells that cannot be read as a table is a figure to everyone.
        if not text.strip() or (is_figure and not trusted):
            self._emit_figure(graphic)
            return
        self._add_graphic(Part(kind="table", text=text), graphic)

    def _is_contents(self, graphic: Graphic, lines: Sequence[str]) -> bool:
        """Whether a table without a label lists chapters with their pages."""
        if graphic.caption is not None and graphic.caption.kind != "other":
            return False
        headings = [p.part.text for p in self._pieces if p.part.kind == "heading"]
        return is_contents(lines, headings[-1] if headings else "")

    def _emit_figure(self, graphic: Graphic) -> None:
        held = [self._blocks[i] for i in graphic.members]
        inside = [self._blocks[i] for i, g in self._inside.items() if g is graphic]
        words = "\n".join(line.text for block in (*held, *inside) for line in block.lines)
        if not graphic.is_listing and symbol_share(words) > MAX_SYMBOL_SHARE:
            words = ""  # a font without a map to Unicode; the picture still shows it
        reason = reason_to_skip(graphic.bbox, self._context.size)
        if not reason and not words and is_filling(graphic.bbox, self._context):
            reason = "an area of colour or letters drawn as a shape"
        if graphic.caption is None and reason:
            self._skip(graphic.bbox, reason)
            self._keep_words([*held, *inside])
            return
        share = area(graphic.bbox) / (self._context.size[0] * self._context.size[1])
        kind: PartKind = (
            "page" if share >= WHOLE_PAGE_SHARE and graphic.caption is None else "figure"
        )
        held_words = words if graphic.is_listing or not words else self._labels([*held, *inside])
        self._add_graphic(Part(kind=kind, text=held_words), graphic)
        if graphic.is_listing:
            self._add(Part(kind="text", text=words), graphic.bbox)
        elif _is_running_text(words, share):
            self._keep_words(held, min_words=1 if share >= BIG_PICTURE_SHARE else 4)
        self._keep_words([block for block in inside if _is_running_text(block.text(), 0.0)])

    def _labels(self, blocks: Sequence[PageBlock]) -> str:
        """Words inside a figure, a label a line: "QA" over "Model" is one."""
        return "\n".join(text for block in blocks for text, _ in block.paragraphs(self._known))

    def _keep_words(self, blocks: Sequence[PageBlock], *, min_words: int = 1) -> None:
        for block in blocks:
            for paragraph, box in block.paragraphs(self._known):
                if len(paragraph.split()) >= min_words:
                    self._add(Part(kind="text", text=paragraph), box)

    def _add_graphic(self, part: Part, graphic: Graphic) -> None:
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
