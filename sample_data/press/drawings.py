"""Maps, diagrams and technical drawings as vectors. Knows the strait and the machine."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pymupdf

from sample_data.press.faces import (
    CORAL,
    DEEP,
    HAIRLINE,
    INK,
    MIST,
    MUTED,
    PAPER,
    SAND,
    SLATE,
    TEAL,
    Colour,
    mix,
)
from sample_data.press.pen import Point, area, arrow, box, line, node, write

LAND: Colour = (0.90, 0.89, 0.81)
SEA: Colour = (0.84, 0.92, 0.95)


def photo(page: pymupdf.Page, bbox: pymupdf.Rect, jpeg: bytes) -> None:
    """A picture that fills its box; its sides must have the box's ratio."""
    page.insert_image(bbox, stream=jpeg, keep_proportion=False)


def fleet_map(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    """Chart of the strait: coasts, three rows of turbines, cable, landing point, scale, north."""
    box(page, bbox, fill=SEA)
    _coasts(page, bbox)
    rows = {"Row A": (0.24, TEAL), "Row B": (0.42, DEEP), "Row C": (0.60, CORAL)}
    for name, (left, colour) in rows.items():
        for index in range(6):
            x = left + 0.028 * (index % 3) * 1.1 + (0.014 if index > 2 else 0)
            y = 0.45 + 0.075 * (index // 3) + 0.018 * (index % 3)
            page.draw_circle(_at(bbox, x, y), 3.1, color=PAPER, fill=colour, width=0.6)
        write(page, _at(bbox, left + 0.03, 0.40), name, font="sans-bold", align="centre")
    _cables(page, bbox)
    names = {"Port Ansel": (0.55, 0.905), "Ollen Island": (0.30, 0.11), "Veyra Sound": (0.86, 0.55)}
    for name, (x, y) in names.items():
        font = "sans-italic" if name == "Veyra Sound" else "sans-bold"
        write(page, _at(bbox, x, y), name, font=font, size=9, align="centre")
    write(page, _at(bbox, 0.735, 0.092), "Brae Holm light", size=7.5)
    page.draw_circle(_at(bbox, 0.72, 0.082), 2.4, color=None, fill=CORAL)
    _scale_and_north(page, bbox)
    box(page, bbox, edge=HAIRLINE)


def drive_train(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    """Boxes and arrows: from the rotor to the shore, with the cooling loop below."""
    names: list[tuple[Sequence[str], Colour]] = [
        (("Rotor", "3 blades"), TEAL),
        (("Gearbox", "1 : 42"), DEEP),
        (("Generator", "690 V"), DEEP),
        (("Converter", "full scale"), DEEP),
        (("Transformer", "11 kV"), TEAL),
    ]
    width, gap, top = 74.0, (bbox.width - 5 * 74.0) / 4, bbox.y0 + 40
    for index, (lines, fill) in enumerate(names):
        x = bbox.x0 + index * (width + gap)
        node(page, (x, top, x + width, top + 44), lines, fill)
        if index:
            arrow(page, (x - gap + 2, top + 22), (x - 2, top + 22))
    links = ("main shaft", "high-speed shaft", "power", "power")
    for index, text in enumerate(links):
        x = bbox.x0 + width + index * (width + gap) + gap / 2
        write(page, (x, top - 6), text, size=6.8, colour=MUTED, align="centre")
    _cooling(page, bbox, top, width, gap)
    frame = (
        bbox.x0 + width + gap - 12,
        bbox.y0 + 8,
        bbox.x0 + 4 * (width + gap) - gap + 12,
        bbox.y1,
    )
    page.draw_rect(pymupdf.Rect(*frame), color=SLATE, width=0.8, dashes="[3 2] 0")
    write(page, (frame[0] + 6, frame[1] + 11), "Sealed nacelle", font="sans-bold", size=7.6)


def side_view(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    """The machine on its tripod from the side, with callouts and heights."""
    box(page, bbox, fill=SEA)
    area(page, _wavy(bbox, 0.90, 1.0), (0.80, 0.74, 0.60))
    line(page, _wave_line(bbox, 0.08), TEAL, 1.2)
    hub = pymupdf.Point(*_at(bbox, 0.44, 0.58))
    foot_y = bbox.y0 + bbox.height * 0.90
    for foot in (-74, 8, 82):
        line(page, [(hub.x + 40, hub.y + 34), (hub.x + 40 + foot, foot_y)], DEEP, 6)
        box(page, (hub.x + 28 + foot, foot_y - 5, hub.x + 52 + foot, foot_y + 5), fill=INK)
    line(page, [(hub.x + 40, hub.y), (hub.x + 40, hub.y + 36)], DEEP, 11)
    area(page, _nacelle(hub), SAND)
    for side in (-1, 1):
        blade = [(-3, 6), (-7, 24), (-4, 52), (0, 55), (4, 26), (3, 6)]
        area(page, [(hub.x + x - 6, hub.y + side * y) for x, y in blade], CORAL)
    page.draw_circle((hub.x - 6, hub.y), 9, color=None, fill=INK)
    cable = [(hub.x + 44, hub.y + 14), (hub.x + 66, hub.y + 52), (hub.x + 150, foot_y - 4)]
    line(page, [*cable, (bbox.x1, foot_y - 2)], INK, 1.6)
    _callouts(page, bbox, hub, foot_y)
    box(page, bbox, edge=HAIRLINE)


def stop_tree(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    """Decision tree before a lift: three questions, stop or go."""
    middle = (bbox.x0 + bbox.x1) / 2 - 70
    questions = [
        ("Swell below 1.2 m?", "look at the buoy reading"),
        ("Hook latch closed and pinned?", "two people look and say so"),
        ("Tag lines clear of the rotor?", "camera on the crane boom"),
    ]
    for index, lines in enumerate(questions):
        y = bbox.y0 + 6 + index * 62
        node(page, (middle - 92, y, middle + 92, y + 38), lines, DEEP)
        arrow(page, (middle, y + 38), (middle, y + 61))
        write(page, (middle + 5, y + 52), "yes", font="sans-bold", colour=TEAL)
        arrow(page, (middle + 92, y + 19), (middle + 190, y + 19), CORAL)
        write(page, (middle + 138, y + 15), "no", font="sans-bold", colour=CORAL, align="centre")
    y = bbox.y0 + 6 + 3 * 62
    node(page, (middle - 92, y, middle + 92, y + 32), ("Lift",), TEAL)
    stop = (middle + 192, bbox.y0 + 6, middle + 262, y - 24)
    node(page, stop, ("Stop", "tell the", "lift master"), CORAL)


def timeline(
    page: pymupdf.Page, bbox: pymupdf.Rect, bars: Sequence[tuple[str, float, float, Colour]]
) -> None:
    """Bars over the years 2025 to 2030; each (name, start, end, colour) in years."""
    left, right = bbox.x0 + 150, bbox.x1 - 12
    scale = (right - left) / 6
    for year in range(7):
        x = left + year * scale
        line(page, [(x, bbox.y0 + 18), (x, bbox.y1)], HAIRLINE, 0.6)
        if year < 6:
            at = (x + scale / 2, bbox.y0 + 11)
            write(page, at, str(2025 + year), font="sans-bold", size=10, align="centre")
    step = (bbox.height - 26) / len(bars)
    for index, (name, start, end, colour) in enumerate(bars):
        y = bbox.y0 + 24 + index * step
        write(page, (left - 10, y + step / 2 + 3.5), name, size=10.5, align="right")
        x0, x1 = left + (start - 2025) * scale, left + (end - 2025) * scale
        box(page, (x0, y + step * 0.18, x1, y + step * 0.82), fill=colour, radius=0.2)


def risk_matrix(
    page: pymupdf.Page, bbox: pymupdf.Rect, cells: dict[tuple[int, int], Sequence[str]]
) -> None:
    """Three by three fields: likelihood to the right, harm upwards, risks written inside."""
    left, bottom = bbox.x0 + 70, bbox.y1 - 30
    width, height = (bbox.x1 - left) / 3, (bottom - bbox.y0) / 3
    shades = [mix(TEAL, 0.22), mix(SAND, 0.34), mix(CORAL, 0.42)]
    for column in range(3):
        for row in range(3):
            x, y = left + column * width, bottom - (row + 1) * height
            shade = shades[min(2, max(0, column + row - 1))]
            box(page, (x + 1.5, y + 1.5, x + width - 1.5, y + height - 1.5), fill=shade)
            for index, text in enumerate(cells.get((column, row), ())):
                write(page, (x + 10, y + 19 + index * 15), text, size=10.5)
    for index, text in enumerate(("rare", "possible", "likely")):
        at = (left + (index + 0.5) * width, bottom + 15)
        write(page, at, text, font="sans-bold", size=10.5, align="centre")
    for index, text in enumerate(("minor", "serious", "severe")):
        at = (left - 9, bottom - (index + 0.5) * height + 4)
        write(page, at, text, font="sans-bold", size=10.5, align="right")


def _at(bbox: pymupdf.Rect, x: float, y: float) -> Point:
    return bbox.x0 + x * bbox.width, bbox.y0 + y * bbox.height


def _coasts(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    steps = [index / 60 for index in range(61)]
    north = [(x, 0.20 + 0.07 * math.sin(x * 7) + 0.025 * math.sin(x * 31)) for x in steps]
    south = [(x, 0.79 + 0.06 * math.sin(x * 7 + 0.5) + 0.02 * math.sin(x * 27)) for x in steps]
    for coast, edge in ((north, 0.0), (south, 1.0)):
        shape = [_at(bbox, 0, edge), *(_at(bbox, x, y) for x, y in coast), _at(bbox, 1, edge)]
        area(page, shape, LAND)
        line(page, [_at(bbox, x, y) for x, y in coast], (0.55, 0.53, 0.44), 0.9)
    for offset in (0.055, 0.105):
        for coast, sign in ((north, 1), (south, -1)):
            line(page, [_at(bbox, x, y + sign * offset) for x, y in coast], mix(TEAL, 0.35), 0.4)


def _cables(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    hub = _at(bbox, 0.55, 0.655)
    for left in (0.27, 0.45, 0.63):
        line(page, [_at(bbox, left, 0.565), hub], INK, 0.9, "[3 2] 0")
    shore = _at(bbox, 0.55, 0.842)
    line(page, [hub, shore], INK, 1.6)
    x, y = hub
    box(page, (x - 4, y - 4, x + 4, y + 4), fill=INK)
    write(page, (x + 9, y + 3), "Subsea hub", size=7.5)
    box(page, (shore[0] - 5, shore[1] - 3, shore[0] + 5, shore[1] + 6), fill=CORAL)
    write(page, (shore[0] + 9, shore[1] + 5), "Cable landing", size=7.5)


def _scale_and_north(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    x, y = _at(bbox, 0.035, 0.945)
    box(page, (x, y - 3, x + 40, y), fill=INK)
    box(page, (x + 40, y - 3, x + 80, y), fill=PAPER, edge=INK)
    write(page, (x, y - 7), "0", size=7)
    write(page, (x + 80, y - 7), "1 km", size=7, align="centre")
    x, y = _at(bbox, 0.955, 0.07)
    area(page, [(x, y - 8), (x + 5, y + 8), (x, y + 4), (x - 5, y + 8)], INK)
    write(page, (x, y + 18), "N", font="sans-bold", align="centre")


def _cooling(page: pymupdf.Page, bbox: pymupdf.Rect, top: float, width: float, gap: float) -> None:
    y = bbox.y1 - 46
    x = bbox.x0 + 2 * (width + gap)
    node(
        page, (x - 20, y, x + width + 20, y + 34), ("Seawater cooler", "plates, no pump"), MIST, INK
    )
    for index in (1, 2, 3):
        centre = bbox.x0 + index * (width + gap) + width / 2
        end = (centre if index == 2 else centre + (2 - index) * 40, y)
        start = (centre, top + 46)
        corner = [start] if index == 2 else [start, (centre, y + 17)]
        if index == 2:
            arrow(page, start, end, TEAL)
        else:
            line(page, corner, TEAL, 1.0)
            edge = x - 20 if index == 1 else x + width + 20
            arrow(page, (centre, y + 17), (edge, y + 17), TEAL)
    at = (bbox.x0 + width + gap + width / 2 + 5, y - 12)
    write(page, at, "heat", font="sans-italic", colour=TEAL)


def _wave_line(bbox: pymupdf.Rect, y: float) -> list[Point]:
    return [_at(bbox, i / 120, y + 0.008 * math.sin(i * 0.7)) for i in range(121)]


def _wavy(bbox: pymupdf.Rect, top: float, bottom: float) -> list[Point]:
    edge = [_at(bbox, i / 60, top + 0.006 * math.sin(i * 0.9)) for i in range(61)]
    return [*edge, _at(bbox, 1, bottom), _at(bbox, 0, bottom)]


def _nacelle(hub: pymupdf.Point) -> list[Point]:
    outline = [
        (0, -9),
        (16, -14),
        (70, -14),
        (96, -6),
        (104, 0),
        (96, 6),
        (70, 14),
        (16, 14),
        (0, 9),
    ]
    return [(hub.x + x, hub.y + y) for x, y in outline]


def _callouts(page: pymupdf.Page, bbox: pymupdf.Rect, hub: pymupdf.Point, foot_y: float) -> None:
    x = bbox.x1 - 120
    marks = [
        ("Nacelle, 31 t", (hub.x + 84, hub.y - 9), (x, hub.y - 46)),
        ("Locking pins, 4", (hub.x + 46, hub.y + 26), (x, hub.y + 4)),
        ("Wet-mate connector", (hub.x + 55, hub.y + 44), (x, hub.y + 50)),
        ("Blade, carbon and glass", (hub.x - 12, hub.y - 34), (bbox.x0 + 14, hub.y - 62)),
        ("Tripod, 118 t", (hub.x + 2, foot_y - 26), (bbox.x0 + 14, foot_y - 44)),
    ]
    for text, spot, at in marks:
        is_left = at[0] < hub.x
        end = (at[0] + len(text) * 4.0 + 4, at[1] - 3) if is_left else (at[0] - 4, at[1] - 3)
        line(page, [spot, end], MUTED, 0.6)
        page.draw_circle(spot, 1.6, color=None, fill=INK)
        write(page, at, text, size=8)
    top = bbox.y0 + bbox.height * 0.08
    x = hub.x + 40
    arrow(page, (x, hub.y - 40), (x, top + 2))
    arrow(page, (x, top + 40), (x, hub.y - 15))
    write(page, (x + 6, (top + hub.y) / 2), "22 m to the surface", font="sans-bold", size=8)
    x = hub.x - 44
    arrow(page, (x, foot_y - 40), (x, hub.y + 1))
    arrow(page, (x, hub.y + 40), (x, foot_y - 1))
    line(page, [(x - 6, hub.y), (hub.x - 16, hub.y)], MUTED, 0.5, "[2 2] 0")
    write(page, (x - 5, (hub.y + foot_y) / 2), "14 m", font="sans-bold", size=8, align="right")
