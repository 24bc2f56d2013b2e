"""Small real files for tests, made when needed: PDFs, pictures, web pages."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

A4 = (595.0, 842.0)
MARGIN = 72.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpec:
    """One page to build: lines are (y, size, text) or plain strings set one under the other."""

    lines: Sequence[str | tuple[float, float, str]] = ()
    pictures: Sequence[tuple[Box, bytes]] = ()  # box in points, encoded picture
    drawings: Sequence[Box] = ()  # a small line chart in each box
    tables: Sequence[tuple[float, Sequence[Sequence[str]]]] = ()  # top, rows: a ruled grid
    white_lines: Sequence[tuple[float, str]] = ()  # (y, text) in white on the white page
    rotation: int = 0
    size: tuple[float, float] = A4


def make_png(
    size: tuple[int, int] = (400, 300),
    colour: tuple[int, int, int] = (200, 40, 40),
    *,
    pattern: bool = True,
) -> bytes:
    """A picture of one colour, with stripes and a disc unless `pattern` is off; RGB PNG."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", size, colour)
    if pattern:
        draw = ImageDraw.Draw(picture)
        for x in range(0, size[0], 40):
            draw.line([(x, 0), (size[0] - x, size[1])], fill=(20, 20, 60), width=3)
        draw.ellipse([size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2], fill=(250, 220, 30))
    stream = io.BytesIO()
    picture.save(stream, format="PNG")
    return stream.getvalue()


def make_picture(
    file_format: str = "PNG",
    size: tuple[int, int] = (400, 300),
    *,
    pages: int = 1,
    dpi: tuple[float, float] | None = None,
    description: str = "",
) -> bytes:
    """A picture file of `pages` frames, each of another colour, EXIF description included."""
    from PIL import Image

    frames = [
        Image.open(io.BytesIO(make_png(size, (200, 40 + 30 * number, 40))))
        for number in range(pages)
    ]
    exif = Image.Exif()
    if description:
        exif[0x010E] = description.encode()  # as cameras do, whatever the standard says
    options: dict[str, object] = {"exif": exif} if description else {}
    if dpi is not None:
        options["dpi"] = dpi
    if pages > 1:
        options |= {"save_all": True, "append_images": frames[1:]}
    stream = io.BytesIO()
    frames[0].save(stream, file_format, **options)
    return stream.getvalue()


def make_pdf(
    pages: Iterable[PageSpec | str | Sequence[str]] = ("One page of text.",),
    *,
    title: str = "",
    password: str | None = None,
) -> bytes:
    """A PDF with one page for each entry; a string or a list of lines is a plain page.

    A string is set as a paragraph that wraps at the margins; lines stay as they are.
    """
    import pymupdf

    document = pymupdf.open()
    for entry in pages:
        _add_page(document, _as_spec(entry))
    document.set_metadata({"title": title})
    options: dict[str, object] = {"garbage": 1, "deflate": True}
    if password is not None:
        options |= {
            "encryption": pymupdf.PDF_ENCRYPT_AES_256,
            "user_pw": password,
            "owner_pw": password + "-owner",
        }
    data: bytes = document.tobytes(**options)
    document.close()
    return data


def make_endless_pdf(pages: Sequence[str], endless_page: int) -> bytes:
    """A small PDF with one page (1-based) that no reader finishes: forms in forms, 10^10 draws."""
    import pymupdf

    document = pymupdf.open(stream=make_pdf(pages))
    inner = "<< /Type /XObject /Subtype /Form /BBox [0 0 600 700] %s >>"
    below = _add_stream(document, inner % "", b"0 0 500 600 re f")
    for _ in range(10):
        resources = f"/Resources << /XObject << /X {below} 0 R >> >>"
        below = _add_stream(document, inner % resources, b"/X Do " * 10)
    page = document[endless_page - 1]
    resources_xref = int(document.xref_get_key(page.xref, "Resources")[1].split()[0])
    document.xref_set_key(resources_xref, "XObject", f"<< /X {below} 0 R >>")
    content = document.xref_stream(page.get_contents()[0])
    drawing = _add_stream(document, "<<>>", content + b" /X Do")
    document.xref_set_key(page.xref, "Contents", f"{drawing} 0 R")
    data: bytes = document.tobytes()
    document.close()
    return data


def _add_stream(document: object, dictionary: str, stream: bytes) -> int:
    xref: int = document.get_new_xref()  # type: ignore[attr-defined]
    document.update_object(xref, dictionary)  # type: ignore[attr-defined]
    document.update_stream(xref, stream)  # type: ignore[attr-defined]
    return xref


def make_paper(*, figures: int = 1) -> bytes:
    """A one-page article: title, section heading, paragraphs, captioned charts and one table."""
    lines: list[str | tuple[float, float, str]] = [
        (80, 20, "Growth of Tomatoes under Red Light"),
        (118, 14, "1 Method"),
        *((138 + 13 * i, 10, line) for i, line in enumerate(_METHOD)),
    ]
    drawings: list[Box] = []
    y = 230.0
    for number in range(1, figures + 1):
        drawings.append((140, y, 440, y + 150))
        lines.append((y + 168, 9, f"Figure {number}. Height of plant {number} over ten days."))
        y += 200
    lines.append((y + 10, 9, "Table 1. Yield by lamp."))
    table = (y + 20, [["Lamp", "Yield"], ["Red", "42 kg"], ["Blue", "17 kg"]])
    return make_pdf([PageSpec(lines=lines, drawings=drawings, tables=[table])])


_METHOD = (
    "We grew twelve tomato plants under lamps of two colours for ten days and measured",
    "their height every morning at eight. Figure 1 shows that red light won by far.",
    "The harvest was weighed on the last day; Table 1 lists the yield of each lamp.",
)


def make_html(body: str, *, title: str = "A page", head: str = "") -> bytes:
    """A whole web page in UTF-8 around `body`."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"{head}</head><body>{body}</body></html>"
    ).encode()


def _as_spec(entry: PageSpec | str | Sequence[str]) -> PageSpec:
    if isinstance(entry, PageSpec):
        return entry
    return PageSpec(lines=_wrapped(entry) if isinstance(entry, str) else list(entry))


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 85)


def _add_page(document: object, spec: PageSpec) -> None:
    page = document.new_page(width=spec.size[0], height=spec.size[1])  # type: ignore[attr-defined]
    y = MARGIN * 2  # below the place of running headers, which are dropped when they repeat
    for line in spec.lines:
        if isinstance(line, str):
            page.insert_text((MARGIN, y), line, fontsize=11)
            y += 15
        else:
            page.insert_text((MARGIN, line[0]), line[2], fontsize=line[1])
    for y, text in spec.white_lines:
        page.insert_text((MARGIN, y), text, fontsize=11, color=(1, 1, 1))
    for box, picture in spec.pictures:
        page.insert_image(box, stream=picture, keep_proportion=False)
    for box in spec.drawings:
        _draw_chart(page, box)
    for top, rows in spec.tables:
        _draw_table(page, top, rows)
    page.set_rotation(spec.rotation)


def _draw_chart(page: object, box: Box) -> None:
    """Axes, eight bars with labels and a line: enough for the layout model to see a figure."""
    x0, y0, x1, y1 = box
    shape = page.new_shape()  # type: ignore[attr-defined]
    shape.draw_line((x0, y0), (x0, y1))
    shape.draw_line((x0, y1), (x1, y1))
    shape.finish(width=1)
    step = (x1 - x0) / 9
    tops = [(x0 + step * (i + 1), y1 - (y1 - y0) * (0.2 + 0.09 * i)) for i in range(8)]
    for x, top in tops:
        shape.draw_rect((x - step / 4, top, x + step / 4, y1))
    shape.finish(fill=(0.2, 0.4, 0.8), color=(0.1, 0.1, 0.3))
    shape.draw_polyline(tops)
    shape.finish(color=(0.8, 0.1, 0.1), width=2)
    shape.commit()
    for i, (x, _) in enumerate(tops):
        page.insert_text((x - 3, y1 + 9), str(i + 1), fontsize=7)  # type: ignore[attr-defined]


def _draw_table(page: object, top: float, rows: Sequence[Sequence[str]]) -> None:
    width, height = 110.0, 18.0
    for row_number, row in enumerate(rows):
        for column, cell in enumerate(row):
            x, y = MARGIN + 60 + column * width, top + row_number * height
            page.draw_rect((x, y, x + width, y + height))  # type: ignore[attr-defined]
            page.insert_text((x + 4, y + 12), cell, fontsize=9)  # type: ignore[attr-defined]
