"""A document under the press: flow of headings, text and figures over pages, in places known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pymupdf

from sample_data.press.faces import HAIRLINE, INK, MUTED, Colour, Look, mix
from sample_data.press.flow import Line, break_lines, draw_line, words_of
from sample_data.press.pen import area, box, line, write

Draw = Callable[[pymupdf.Page, pymupdf.Rect], None]

# A fixed moment, so that each run gives the same bytes.
_STAMP = "D:20250303090000Z"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was drawn: page from 1, box in points, origin top left."""

    page: int
    bbox: tuple[float, float, float, float]


class Book:
    """Sets one PDF from top to bottom; figures and tables are remembered under their names."""

    def __init__(self, title: str, running: str, look: Look | None = None) -> None:
        self.title = title
        self.running = running
        self.look = look or Look()
        self.pdf = pymupdf.open()
        self.places: dict[str, Place] = {}
        self.plain_pages: set[int] = set()  # covers and scans: no header, no footer
        self._column = 0
        self._y = 0.0
        self._top = 0.0
        self._waiting: list[tuple[float, Callable[[], None]]] = []
        self._heads: list[tuple[str, float, Draw, str]] = []

    @property
    def page(self) -> pymupdf.Page:
        """The page in work."""
        return self.pdf[-1]

    @property
    def width(self) -> float:
        """Measure of a column in points."""
        left, _, right, _ = self.look.margins
        gaps = self.look.gutter * (self.look.columns - 1)
        return (self.look.size[0] - left - right - gaps) / self.look.columns

    @property
    def left(self) -> float:
        """Left edge of the column in work."""
        return self.look.margins[0] + self._column * (self.width + self.look.gutter)

    @property
    def y(self) -> float:
        """Where the next thing starts."""
        return self._y

    @property
    def bottom(self) -> float:
        """Lower edge of the type area."""
        return self.look.size[1] - self.look.margins[3]

    def new_page(self, *, is_plain: bool = False) -> None:
        """Begin a page; a plain one gets neither header nor footer."""
        self.pdf.new_page(width=self.look.size[0], height=self.look.size[1])
        if is_plain:
            self.plain_pages.add(len(self.pdf))
        self._column = 0
        self._y = self._top = self.look.margins[1]
        heads, self._heads = self._heads, []
        for head in heads:
            self._draw_banner(*head)

    def start_columns(self, y: float) -> None:
        """Let all columns of the page in work begin at y."""
        self._top = self._y = y

    def skip(self, points: float) -> None:
        """Leave white space."""
        self._y += points

    def next_column(self) -> None:
        """Go on in the next column, or on a new page."""
        if self._column + 1 < self.look.columns:
            self._column += 1
            self._y = self._top
        else:
            self.new_page()
        waiting, self._waiting = self._waiting, []
        for height, draw in waiting:
            self._float(height, draw)

    def settle(self) -> None:
        """Draw all that still waits for room."""
        while self._waiting:
            self.next_column()

    def _float(self, height: float, draw: Callable[[], None]) -> None:
        # What does not fit waits for the next column, and the text goes on without a gap.
        if self._waiting or self._y + height > self.bottom:
            self._waiting.append((height, draw))
        else:
            draw()

    def need(self, height: float) -> None:
        """Make sure that so many points are left in the column."""
        if self._y + height > self.bottom:
            self.next_column()

    def heading(self, text: str, level: int = 1) -> None:
        """A heading of level 1 to 3; kept with at least four lines of what follows."""
        size = {1: 17.0, 2: 12.5, 3: 10.5}[level]
        if self.look.columns > 1:
            size = {1: 13.0, 2: 10.8, 3: 10.0}[level]
        self.need(size * 1.2 + 70)
        if self._y > self._top:
            self._y += size * (0.9 if level > 1 else 1.1)
        colour = self.look.accent if level < 3 else INK
        lines = break_lines(words_of(text, "sans-bold", size), self.width)
        for row in lines:
            self._y += size * 1.22
            draw_line(self.page, row, (self.left, self._y), width=self.width, colour=colour)
        self._y += size * 0.55

    def para(self, text: str, *, size: float | None = None, colour: Colour = INK) -> None:
        """A paragraph; may run over columns and pages, never leaving one line alone."""
        size = size or self.look.body_size
        lines = break_lines(words_of(text, self.look.body, size), self.width)
        self._set(lines, size, 0.0, colour)
        self._y += size * 0.62

    def items(self, texts: Sequence[str], *, is_numbered: bool = False) -> None:
        """A list; each entry hangs behind its bullet or number."""
        size, indent = self.look.body_size, 17.0
        for number, text in enumerate(texts, 1):
            lines = break_lines(words_of(text, self.look.body, size), self.width - indent)
            self.need(min(len(lines), 2) * size * self.look.leading)
            sign = f"{number}." if is_numbered else "•"
            at = (self.left + indent - 7, self._y + size * 1.12)
            font, colour = self.look.body, self.look.accent
            write(self.page, at, sign, font=font, size=size, colour=colour, align="right")
            self._set(lines, size, indent, INK)
            self._y += size * 0.22
        self._y += size * 0.5

    def figure(self, name: str, height: float, draw: Draw, caption: str) -> None:
        """A drawing over the column's width, its caption below; here or in the next column."""
        lines = self._caption_lines(caption)
        room = height + len(lines) * 11.5 + 16
        self._float(room, lambda: self._draw_figure(name, height, draw, lines))

    def _draw_figure(self, name: str, height: float, draw: Draw, lines: Sequence[Line]) -> None:
        self._y += 6
        bbox = pymupdf.Rect(self.left, self._y, self.left + self.width, self._y + height)
        draw(self.page, bbox)
        self.note_place(name, bbox)
        self._y += height + 3
        self._draw_caption(lines)
        self._y += 12

    def banner(self, name: str, height: float, draw: Draw, caption: str) -> None:
        """A figure across all columns, at the head of the next page."""
        self._heads.append((name, height, draw, caption))

    def table(
        self,
        name: str,
        rows: Sequence[Sequence[str]],
        shares: Sequence[float],
        caption: str = "",
        *,
        is_ruled: bool = True,
        right_from: int = 99,
    ) -> None:
        """A table with a header row; columns from `right_from` on are set to the right."""
        size = self.look.table_size
        caption_lines = self._caption_lines(caption) if caption else []
        widths = [share / sum(shares) * self.width for share in shares]
        cells = [
            _cells(row, widths, "sans-bold" if index == 0 else "sans", size)
            for index, row in enumerate(rows)
        ]
        heights = [max(map(len, row)) * size * 1.33 + size * 0.88 for row in cells]
        room = sum(heights) + len(caption_lines) * 11.5 + 14

        def draw() -> None:
            self._draw_caption(caption_lines)
            self._draw_table(name, cells, heights, widths, is_ruled, right_from)

        self._float(room, draw)

    def _draw_table(
        self,
        name: str,
        cells: Sequence[Sequence[Sequence[Line]]],
        heights: Sequence[float],
        widths: Sequence[float],
        is_ruled: bool,
        right_from: int,
    ) -> None:
        top = self._y = self._y + 4
        for index, (row, height) in enumerate(zip(cells, heights, strict=True)):
            if is_ruled and index == 0:
                right = self.left + self.width
                fill = mix(self.look.accent, 0.14)
                box(self.page, (self.left, top, right, top + height), fill=fill)
            self._draw_row(row, widths, right_from)
            self._y += height
        if is_ruled:
            self._rule(top, heights, widths)
        self.note_place(name, pymupdf.Rect(self.left, top, self.left + self.width, self._y))
        self._y += 14

    def callout(self, title: str, texts: Sequence[str]) -> None:
        """A tinted box with a bold first line, kept in one piece."""
        size = self.look.body_size - 0.4
        inner = self.width - 30
        lines = [break_lines(words_of(text, "sans", size), inner) for text in texts]
        height = 28 + sum(len(part) * size * 1.42 + 4 for part in lines) + 6
        self.need(height + 10)
        self._y += 6
        left, top = self.left, self._y
        box(
            self.page, (left, top, left + self.width, top + height), fill=mix(self.look.accent, 0.1)
        )
        bar = [(left, top), (left + 3, top), (left + 3, top + height), (left, top + height)]
        area(self.page, bar, self.look.accent)
        head = (left + 16, top + 19)
        colour = self.look.accent
        write(self.page, head, title, font="sans-bold", size=size + 0.8, colour=colour)
        y = top + 26
        for part in lines:
            for row in part:
                y += size * 1.42
                draw_line(self.page, row, (left + 16, y), width=inner)
            y += 4
        self._y += height + 12

    def _draw_banner(self, name: str, height: float, draw: Draw, caption: str) -> None:
        look = self.look
        self.look = Look(size=look.size, margins=look.margins, accent=look.accent)
        self._draw_figure(name, height, draw, self._caption_lines(caption))
        self.look = look
        self.start_columns(self._y + 4)

    def note_place(self, name: str, bbox: pymupdf.Rect) -> None:
        """Remember a box of the page in work under a name."""
        x0, y0, x1, y1 = (round(value, 1) for value in bbox)
        self.places[name] = Place(len(self.pdf), (x0, y0, x1, y1))

    def to_bytes(self) -> bytes:
        """The finished PDF; the same bytes on every run."""
        self.settle()
        for page in self.pdf:
            if page.number + 1 not in self.plain_pages:
                self._furniture(page)
        self.pdf.subset_fonts()
        fields = {"title": self.title, "author": "Veyra Tidal", "producer": "", "creator": ""}
        self.pdf.set_metadata(fields | {"creationDate": _STAMP, "modDate": _STAMP})
        return self.pdf.tobytes(garbage=4, deflate=True, no_new_id=True)

    def _set(self, lines: list[Line], size: float, indent: float, colour: Colour) -> None:
        step = size * self.look.leading
        for index, row in enumerate(lines):
            rest = len(lines) - index
            # Two lines stay together at the foot and at the head of a column.
            self.need(step * (2 if (index == 0 and rest > 1) or rest == 2 else 1))
            self._y += step
            at = (self.left + indent, self._y - (step - size) * 0.6)
            width = self.width - indent
            justified = self.look.is_justified
            draw_line(self.page, row, at, width=width, is_justified=justified, colour=colour)

    def _caption_lines(self, caption: str) -> list[Line]:
        number, _, words = caption.partition(". ")
        text = f"**{number}.** {words}"
        return break_lines(words_of(text, "sans", self.look.table_size - 0.1), self.width)

    def _draw_caption(self, lines: Sequence[Line]) -> None:
        for row in lines:
            self._y += 11.5
            draw_line(self.page, row, (self.left, self._y), width=self.width, colour=INK)

    def _draw_row(
        self, row: Sequence[Sequence[Line]], widths: Sequence[float], right_from: int
    ) -> None:
        x, size = self.left, self.look.table_size
        for column, (lines, width) in enumerate(zip(row, widths, strict=True)):
            for number, text in enumerate(lines):
                indent = width - 12 - text.width if column >= right_from else 0.0
                at = (x + 6 + indent, self._y + size * (1.45 + number * 1.33))
                draw_line(self.page, text, at, width=width)
            x += width

    def _rule(self, top: float, heights: Sequence[float], widths: Sequence[float]) -> None:
        right = self.left + self.width
        y = top
        for height in [0.0, *heights]:
            y += height
            line(self.page, [(self.left, y), (right, y)], HAIRLINE, 0.6)
        x = self.left
        for width in [0.0, *widths]:
            x += width
            line(self.page, [(x, top), (x, y)], HAIRLINE, 0.6)

    def _furniture(self, page: pymupdf.Page) -> None:
        left, _, right, _ = self.look.margins
        far, low = self.look.size[0] - right, self.look.size[1] - 40
        write(page, (left, 48), self.running, size=7.8, colour=MUTED)
        write(
            page,
            (far, 48),
            "Veyra Tidal",
            font="sans-bold",
            size=7.8,
            colour=self.look.accent,
            align="right",
        )
        line(page, [(left, 55), (far, 55)], HAIRLINE, 0.5)
        write(page, (far, low), str(page.number + 1), size=8.2, colour=MUTED, align="right")
        write(page, (left, low), self.title, size=7.8, colour=MUTED)


def _cells(row: Sequence[str], widths: Sequence[float], font: str, size: float) -> list[list[Line]]:
    return [
        break_lines(words_of(text, font, size), width - 12)
        for text, width in zip(row, widths, strict=True)
    ]
