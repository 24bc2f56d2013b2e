"""What was seen in a document and what was not, as values to be drawn. Pure: no disk, no widgets.

Answers "did it see my chart?" before the first question: every page with its boxes, every
picture that was left out and why, and what the embedder in use can find of it all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.types import PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from rag.library.coverage import SeenItem
    from rag.library.pages import Note, Page
    from rag.types import BBox, Kind

MAX_TITLE = 90
_ALONE = {"blank": "blank", "failed": "could not be read"}
_AS_PICTURE = {"picture": "read as picture", "garbled": "read as picture, its text is not readable"}


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a page that was captured, or left out when it has no kind."""

    kind: Kind | None
    bbox: BBox
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSeen:
    """One page: what was found on it, in words and in boxes."""

    number: int
    size: tuple[float, float]  # points
    words: str
    boxes: tuple[Box, ...]  # those that were left out as well
    is_notable: bool  # there is more to say of it than "text only"

    @property
    def captured(self) -> list[tuple[Kind, BBox]]:
        """What can be found on it, by kind and place."""
        return [
            (box.kind, box.bbox) for box in self.boxes if box.kind is not None and not box.is_hidden
        ]

    @property
    def left_out(self) -> tuple[BBox, ...]:
        """Where something was left out, or hidden by a reader."""
        return tuple(box.bbox for box in self.boxes if box.kind is None or box.is_hidden)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Pictures that were left out for one reason."""

    pages: str  # "1, 3–7"; "" for page-less formats
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureSeen:
    """A figure, or a page that is kept as a picture."""

    id: UUID
    kind: Kind
    title: str
    place: str  # "page 12"; "" for page-less formats
    image_sha256: str | None
    is_hidden: bool
    is_lost: bool  # neither pixels nor words of its own lead to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The report of one document."""

    figures: tuple[FigureSeen, ...]
    tables: int
    captioned: int  # figures
    searchable: int  # figures
    pages: tuple[PageSeen, ...]
    pages_as_picture: tuple[int, ...]  # without a text layer that can be used
    left_out: tuple[LeftOut, ...]
    left_out_count: int
    reach: tuple[str, ...]  # which figures cannot be found by their pixels, in sentences

    @property
    def found(self) -> int:
        """Figures seen: kept or left out."""
        return len(self.figures) + max(0, self.left_out_count - self.by_words)

    @property
    def by_words(self) -> int:
        """Pictures that are not beside their web page, of which the caption is kept as a figure."""
        return sum(figure.image_sha256 is None for figure in self.figures)

    @property
    def lost(self) -> list[FigureSeen]:
        """Figures that nothing of their own leads to."""
        return [figure for figure in self.figures if figure.is_lost]

    @property
    def notable_pages(self) -> tuple[PageSeen, ...]:
        """Pages that have more than text on them."""
        return tuple(page for page in self.pages if page.is_notable)


def make_coverage(
    *,
    items: Sequence[SeenItem],
    pages: Sequence[Page],
    left_out: Sequence[Note],
    embedder: str,
    sees_pixels: bool,
    is_ready: bool,
) -> Coverage:
    """The report.

    Args:
        items: Of one document, in its order.
        pages: Likewise; empty for page-less formats.
        left_out: Pictures that were not kept.
        embedder: What it is called.
        sees_pixels: Whether it finds pictures by their pixels.
        is_ready: Whether figures can be found already.
    """
    pictures = [item for item in items if item.kind in PICTURES]
    figures = tuple(
        _figure(item, place, sees_pixels=sees_pixels) for place, item in enumerate(pictures, 1)
    )
    searchable = [f for f in figures if is_ready and not f.is_hidden and not f.is_lost]
    return Coverage(
        figures=figures,
        tables=len({(i.anchor, i.regions) for i in items if i.kind == "table"}),
        captioned=sum(bool(item.caption or item.number) for item in pictures),
        searchable=len(searchable),
        pages=_pages(pages, items, left_out),
        pages_as_picture=tuple(p.page_number for p in pages if p.page_class in _AS_PICTURE),
        left_out=_grouped(left_out),
        left_out_count=len(left_out),
        reach=_reach(figures, embedder, sees_pixels=sees_pixels),
    )


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in short: "1, 3–7"."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("–".join(map(str, run)) for run in runs)


def count_words(counts: Counter[Kind]) -> str:
    """What is on a page, "1 figure, 2 tables"; "text only" where there is nothing to count."""
    kinds: tuple[Kind, ...] = ("figure", "table")
    said = [f"{n} {kind}{'' if n == 1 else 's'}" for kind in kinds if (n := counts[kind])]
    return ", ".join(said) or ("text only" if counts["text"] else "nothing found")


def _figure(item: SeenItem, place: int, *, sees_pixels: bool) -> FigureSeen:
    pages = ranges(region.page_number for region in item.regions)
    first = item.caption or item.number
    if item.number and item.caption and not item.caption.startswith(item.number):
        first = f"{item.number} {item.caption}"
    bare = "Page kept as a picture" if item.kind == "page" else f"Figure {place}, without a caption"
    return FigureSeen(
        id=item.id,
        kind=item.kind,
        title=" ".join(first.split())[: 4 * MAX_TITLE] or bare,
        place=f"page {pages}" if pages else "",
        image_sha256=item.image_sha256,
        is_hidden=item.is_hidden,
        is_lost=not item.has_words and not (sees_pixels and item.image_sha256),
    )


def _pages(
    pages: Sequence[Page], items: Sequence[SeenItem], left_out: Sequence[Note]
) -> tuple[PageSeen, ...]:
    boxes: dict[int, dict[Box, None]] = defaultdict(dict)  # pieces of a table share one
    counts: dict[int, Counter[Kind]] = defaultdict(Counter)
    for item in items:
        for region in item.regions:
            boxes[region.page_number][Box(item.kind, region.bbox, item.is_hidden)] = None
    for number, found in boxes.items():
        counts[number].update(box.kind for box in found if box.kind is not None)
    for note in left_out:
        if note.page_number is not None and note.bbox is not None:
            boxes[note.page_number][Box(None, note.bbox)] = None
    return tuple(
        _page(page, list(boxes[page.page_number]), counts[page.page_number]) for page in pages
    )


def _page(page: Page, boxes: Sequence[Box], counts: Counter[Kind]) -> PageSeen:
    words = _ALONE.get(page.page_class) or _AS_PICTURE.get(page.page_class) or count_words(counts)
    return PageSeen(
        number=page.page_number,
        size=page.size,
        words=words,
        boxes=tuple(boxes),
        is_notable=words != "text only" or any(box.kind is None for box in boxes),
    )


def _grouped(left_out: Sequence[Note]) -> tuple[LeftOut, ...]:
    """One row a reason, in order of first sight."""
    by_reason: dict[str, list[Note]] = defaultdict(list)
    for note in left_out:
        by_reason[note.text].append(note)
    return tuple(
        LeftOut(
            pages=ranges(n.page_number for n in notes if n.page_number is not None),
            reason=f"{reason[:1].upper()}{reason[1:]}",
            count=len(notes),
        )
        for reason, notes in by_reason.items()
    )


def _reach(figures: Sequence[FigureSeen], embedder: str, *, sees_pixels: bool) -> tuple[str, ...]:
    said = []
    lost = sum(figure.is_lost for figure in figures)
    if figures and not sees_pixels:
        said.append(f"The embedder {embedder} does not see pictures.")
    if len(figures) > lost and not sees_pixels:
        which = "this figure" if len(figures) == 1 else f"these {len(figures):,} figures"
        said.append(f"It finds {which} only by caption and words.")
    if lost:
        they = "it" if lost == 1 else "them"
        which = (
            f"{lost:,} of them"
            if lost < len(figures)
            else f"The {'figure' if lost == 1 else f'{lost:,} figures'}"
        )
        said.append(
            f"{which} {'has' if lost == 1 else 'have'} no caption and no words: only the heading"
            f" above or the number of the page leads to {they}."
        )
    return tuple(said)
