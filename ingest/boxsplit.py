"""Picture boxes of the layout model that hold more than a picture, cut into the pictures in them.

On some pages the model draws one box over two figures, their captions and the prose
between. Pure: knows boxes, words and clusters of drawings. Knows nothing of PDF files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ingest.boxes import area, centre, contains, gap_x, gap_y, overlap, union
from ingest.boxwords import HeldWords, body_size, find_prose, is_heading, is_label, words_in
from ingest.layout import LayoutBox
from ingest.pageblocks import BOX_SLACK_PT

if TYPE_CHECKING:
    from ingest.spans import Span
    from rag.types import BBox

MIN_BOX_SHARE = 0.2  # of the page; a smaller box has no room for two figures and prose
EDGE_PT = 12.0  # a caption so near the edge of the box belongs to the one picture in it
MIN_SHARE, MIN_SIDE_PT = 0.03, 64.0  # of the page; less is no figure of its own
TOUCH_PT, LABEL_GAP_PT = 6.0, 18.0
WHOLE_SHARE = 0.85  # of the old box; a cut that leaves so much in one piece is none
DRAWN_SHARE = 0.6  # of all that is drawn must be in the new boxes, else the box is a collage
MAX_ITEMS = 400  # joining is quadratic


def split_pictures(
    boxes: Sequence[LayoutBox],
    spans: Sequence[Span],
    drawings: Callable[[], Sequence[BBox]],
    page_size: tuple[float, float],
) -> list[LayoutBox]:
    """The boxes, those of pictures that swallowed prose or inner captions cut into pictures.

    Words outside the new boxes are left to `fill_boxes`, which puts them where they
    stand; headings get a box so that they keep their class.

    Args:
        boxes: of one page in reading order.
        spans: the words of the page.
        drawings: clusters of drawings and rectangles of images; asked only when needed.
        page_size: points.
    """
    body = body_size(spans)
    found: list[LayoutBox] = []
    for box in boxes:
        is_big = area(box.bbox) >= MIN_BOX_SHARE * page_size[0] * page_size[1]
        others = [other.bbox for other in boxes if area(other.bbox) < area(box.bbox)]
        words = words_in(box.bbox, spans, others) if is_big and box.kind == "picture" else []
        found.extend(_split(box, words, body, drawings, page_size) if words else [box])
    return found


def _split(
    box: LayoutBox,
    words: Sequence[HeldWords],
    body: float,
    drawings: Callable[[], Sequence[BBox]],
    page_size: tuple[float, float],
) -> list[LayoutBox]:
    """The boxes to put in the place of `box`: itself, when it is one picture."""
    strange = _strange(box.bbox, words, body)
    if not strange:
        return [box]
    drawn = [item for item in drawings() if contains(box.bbox, centre(item), slack=BOX_SLACK_PT)]
    # Words on a drawing are part of it: a flow chart, a poster over a photo.
    is_cut = any(_is_apart(held.bbox, drawn) for held in strange)
    figures = _figures(box.bbox, words, body, drawn, page_size) if is_cut else []
    if not figures:
        return [box]
    heads = [held.bbox for held in words if is_heading(held, body)]
    heads = [head for head in heads if not any(contains(f, centre(head)) for f in figures)]
    placed = [("picture", item) for item in figures] + [("section-header", item) for item in heads]
    placed.sort(key=lambda pair: (pair[1][1], pair[1][0]))
    return [LayoutBox(kind=kind, bbox=item) for kind, item in placed]


def _strange(box: BBox, words: Sequence[HeldWords], body: float) -> list[HeldWords]:
    """Words that no picture holds: prose, and captions away from its edges."""
    prose = find_prose(words, body)
    return [
        held for held in words if held in prose or (held.is_caption and _is_within(held.bbox, box))
    ]


def _figures(
    box: BBox,
    words: Sequence[HeldWords],
    body: float,
    drawn: Sequence[BBox],
    page_size: tuple[float, float],
) -> list[BBox]:
    """The pictures in the box; none when they do not make up most of what is drawn."""
    prose = find_prose(words, body)
    runs = [(run, held in prose or held.is_caption) for held in words for run in held.runs]
    if len(drawn) + len(runs) > MAX_ITEMS:
        return []
    labels = [run.bbox for run, is_wall in runs if not is_wall and is_label(run, body)]
    walls = [run.bbox for run, is_wall in runs if is_wall or not is_label(run, body)]
    grown = _join(drawn, labels, [wall for wall in walls if _is_apart(wall, drawn)])
    figures = [item for item in grown if _is_figure(item, page_size)]
    is_whole = any(area(item) >= WHOLE_SHARE * area(box) for item in figures)
    is_collage = sum(map(area, figures)) < DRAWN_SHARE * sum(map(area, grown))
    return [] if is_whole or is_collage else figures


def _join(drawn: Sequence[BBox], labels: Sequence[BBox], walls: Sequence[BBox]) -> list[BBox]:
    """Drawings that touch, with the labels next to them; nothing grows over a wall."""
    pending = [(item, True) for item in sorted(drawn, key=area, reverse=True)]
    pending += [(item, False) for item in labels]
    done: list[tuple[BBox, bool]] = []
    while pending:
        box, is_drawn = pending.pop(0)
        others = [*done, *pending]
        near = next((other for other in others if _joins(box, other[0], walls)), None)
        if near is None:
            done.append((box, is_drawn))
            continue
        (done if near in done else pending).remove(near)
        pending.insert(0, (union([box, near[0]]), is_drawn or near[1]))
    return [box for box, is_drawn in done if is_drawn]


def _joins(one: BBox, other: BBox, walls: Sequence[BBox]) -> bool:
    is_small = min(_short_side(one), _short_side(other)) < MIN_SIDE_PT
    reach = LABEL_GAP_PT if is_small else TOUCH_PT
    if gap_x(one, other) > reach or gap_y(one, other) > reach:
        return False
    wider = union([one, other])
    return not any(overlap(wider, wall) > 0.3 * area(wall) for wall in walls)


def _is_within(box: BBox, outer: BBox) -> bool:
    return box[1] - outer[1] > EDGE_PT and outer[3] - box[3] > EDGE_PT


def _is_apart(box: BBox, drawn: Sequence[BBox]) -> bool:
    return not any(overlap(box, item) > 0.3 * area(box) for item in drawn)


def _is_figure(box: BBox, page_size: tuple[float, float]) -> bool:
    is_wide = _short_side(box) >= MIN_SIDE_PT
    return is_wide or area(box) >= MIN_SHARE * page_size[0] * page_size[1]


def _short_side(box: BBox) -> float:
    return min(box[2] - box[0], box[3] - box[1])
