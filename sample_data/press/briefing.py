"""Slides for stakeholders, in landscape: the roadmap to 2030."""

from __future__ import annotations

from collections.abc import Sequence

import pymupdf

from sample_data.press import charts, drawings, scenes
from sample_data.press.book import Book
from sample_data.press.faces import CORAL, DEEP, PAPER, SAND, SLATE, TEAL, Look, mix
from sample_data.press.flow import break_lines, draw_line, words_of
from sample_data.press.pen import area, line, write


def briefing() -> Book:
    """Six slides; places: view, growth, plan, budget, options, risks."""
    look = Look(
        size=(960.0, 540.0),
        margins=(56.0, 96.0, 56.0, 60.0),
        body="sans",
        body_size=14.0,
        table_size=12.0,
        is_justified=False,
    )
    book = Book("Roadmap to 2030", "Roadmap to 2030", look)
    _title(book)
    _growth(book)
    _plan(book)
    _budget(book)
    _options(book)
    _risks(book)
    return book


def _title(book: Book) -> None:
    book.new_page(is_plain=True)
    page = book.page
    jpeg = scenes.to_jpeg(scenes.satellite(1200, 675, 3), 80)
    drawings.photo(page, pymupdf.Rect(0, 0, 960, 540), jpeg)
    book.note_place("view", page.rect)
    page.draw_rect(pymupdf.Rect(0, 330, 960, 540), color=None, fill=DEEP, fill_opacity=0.86)
    write(page, (56, 405), "Roadmap to 2030", font="sans-bold", size=44, colour=PAPER)
    write(page, (56, 442), "A fourth row for Veyra Sound", size=22, colour=mix(SAND, 0.9))
    note = "Briefing for parishes, lenders and the grid operator, March 2025"
    write(page, (56, 500), note, size=13, colour=PAPER)


def _slide(book: Book, title: str, points: Sequence[str]) -> pymupdf.Rect:
    """Title, words at the left; gives the box for the figure at the right."""
    book.new_page()
    page = book.page
    y = 96.0
    write(page, (56, y), title, font="sans-bold", size=25, colour=DEEP)
    y += 34
    for text in points:
        page.draw_circle((62, y - 1), 3, color=None, fill=SAND)
        for row in break_lines(words_of(text, "sans", 14.0), 288):
            draw_line(page, row, (76, y + 4), width=288)
            y += 20
        y += 12
    return pymupdf.Rect(404, 120, 904, 428)


def _place(book: Book, name: str, bbox: pymupdf.Rect, caption: str) -> None:
    number, _, words = caption.partition(". ")
    text = f"**{number}.** {words}"
    for index, row in enumerate(break_lines(words_of(text, "sans", 11), bbox.width)):
        draw_line(book.page, row, (bbox.x0, bbox.y1 + 20 + index * 15), width=bbox.width)
    book.note_place(name, bbox)


def _growth(book: Book) -> None:
    bbox = _slide(book, "Every row so far has kept its promise", _GROWTH)
    page = book.page
    axes = charts.Axes(
        page,
        bbox,
        x_range=(2019, 2030),
        y_ticks=[0, 30, 60, 90, 120],
        y_title="GWh a year",
        size=11.5,
    )
    done = [(2019, 38.6), (2020, 44.1), (2021, 52.7), (2022, 58.9), (2023, 66.2), (2024, 71.4)]
    plan = [(2024, 71.4), (2025, 74), (2026, 76), (2027, 77), (2028, 84), (2029, 98), (2030, 104)]
    low = [axes.at(x, 0) for x in (2024, 2019)]
    area(page, [axes.at(*point) for point in done] + low, TEAL, 0.18)
    line(page, [axes.at(*point) for point in done], TEAL, 2.4)
    line(page, [axes.at(*point) for point in plan], CORAL, 2.0, "[5 3] 0")
    for year, value in ((2019, 38.6), (2024, 71.4), (2030, 104)):
        x, y = axes.at(year, value)
        page.draw_circle((x, y), 3.4, color=PAPER, fill=DEEP)
        side = "left" if year == 2019 else "right"
        write(
            page,
            (x + 8, y + 16) if year == 2019 else (x - 6, y - 9),
            f"{value:g}",
            font="sans-bold",
            size=12,
            align=side,
        )
    for year in range(2019, 2031):
        if year % 2:
            axes.tick(year, str(year))
    charts.legend(page, (axes.plot.x0, bbox.y0 + 12), {"measured": TEAL, "planned": CORAL}, 11.5)
    _place(book, "growth", bbox, "Figure 1. Energy sent ashore, and what Row D would add.")


def _plan(book: Book) -> None:
    bbox = _slide(book, "Six years, five steps", _PLAN)
    bars = [
        ("Surveys and reef map", 2025.0, 2026.0, TEAL),
        ("Permits", 2025.5, 2027.0, SAND),
        ("Cable and hub", 2026.5, 2028.0, DEEP),
        ("Building tripods", 2027.0, 2028.5, SLATE),
        ("Setting machines", 2028.25, 2029.5, CORAL),
    ]
    drawings.timeline(book.page, bbox, bars)
    _place(book, "plan", bbox, "Figure 2. When each step begins and ends.")


def _budget(book: Book) -> None:
    bbox = _slide(book, "Forty-two million euros, paid in three parts", _BUDGET)
    series = {
        "Loan": (DEEP, [5.0, 9.5, 7.0]),
        "Own reserve": (TEAL, [3.0, 3.5, 1.5]),
        "Regional grant": (SAND, [2.5, 6.0, 4.0]),
    }
    groups = ["2026", "2027", "2028"]
    charts.stacks(book.page, bbox, groups, series, [0, 5, 10, 15, 20], "million euros", 11.5)
    _place(book, "budget", bbox, "Figure 3. Who pays, and when.")


def _options(book: Book) -> None:
    book.new_page()
    write(book.page, (56, 96), "Three sites were compared", font="sans-bold", size=25, colour=DEEP)
    book.skip(26)
    rows = [
        ("Site", "Power of the water", "Floor", "Cable to the hub", "Finding"),
        (
            "North of Row B",
            "3.9 kW/m²",
            "bare rock",
            "1.1 km",
            "chosen: fast water, little life to disturb",
        ),
        ("Brae Sill", "4.8 kW/m²", "boulders, mussel reef", "2.7 km", "set aside: protected reef"),
        ("East mouth", "2.2 kW/m²", "sand", "3.4 km", "set aside: moving floor, long cable"),
    ]
    book.table(
        "options",
        rows,
        [1.3, 1.3, 1.6, 1.1, 2.4],
        "Table 1. The sites and why two of them were set aside.",
    )
    for text in _OPTIONS:
        book.para(text)


def _risks(book: Book) -> None:
    bbox = _slide(book, "What could go wrong", _RISKS)
    cells = {
        (2, 0): ("Lifting season", "cut short"),
        (1, 1): ("Permit one", "year late"),
        (2, 1): ("Steel price", "up a fifth"),
        (0, 2): ("Export cable", "fails"),
        (1, 2): ("Reef larger", "than thought"),
        (0, 0): ("Noise complaints",),
    }
    drawings.risk_matrix(book.page, bbox, cells)
    _place(book, "risks", bbox, "Figure 4. Likelihood from left to right, harm from bottom to top.")


_GROWTH = [
    "Eighteen machines sent 71.4 gigawatt hours ashore in 2024.",
    "Without a fourth row we reach a ceiling of about 77, because the water gives no more.",
    (
        "Row D has eight machines of the same type and lifts the yearly output above 100 for "
        "the first time."
    ),
    "No new harbour and no new road are needed.",
]
_PLAN = [
    "Permits start only when the map of the mussel reef is on the table.",
    "The cable is laid before the tripods, so that each machine can run on the day it is set.",
    "Work at sea is kept to June and July, as the survey advises.",
]
_BUDGET = [
    "The whole project costs 42 million euros.",
    "Half of it is a loan from the coastal savings banks over 18 years.",
    "The regional grant is tied to 12 permanent jobs on Ollen Island.",
    "Our own part comes from the results of 2023 to 2027.",
]
_OPTIONS = [
    (
        "The fastest water of the strait runs over Brae Sill. It was set aside all the same: "
        "the survey of 2023 met a reef of horse mussels there, and a reef of that kind would "
        "not come back within the life of a turbine."
    ),
    (
        "The site north of Row B has four fifths of that power, stands on rock that the "
        "current keeps bare, and needs the shortest cable of the three."
    ),
]
_RISKS = [
    "Steel is bought in two lots, half of it at a fixed price.",
    "One spare length of 800 metres of export cable is kept in Port Ansel.",
    "If the reef reaches the chosen site, Row D shrinks to six machines.",
    "Next talk with the parishes: 12 June 2025, Ollen school.",
]
