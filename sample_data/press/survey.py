"""The survey report in two columns: sea floor, currents, animals."""

from __future__ import annotations

import math
from functools import partial

import pymupdf

from sample_data.press import charts, drawings, scenes
from sample_data.press.book import Book
from sample_data.press.faces import CORAL, DEEP, INK, MUTED, PAPER, TEAL, Look
from sample_data.press.flow import break_lines, draw_line, words_of
from sample_data.press.pen import box, line, write

_ACCENT = (0.13, 0.30, 0.47)


def survey() -> Book:
    """Places: relief, stations, tide, sonar, animals."""
    look = Look(
        accent=_ACCENT,
        margins=(56.0, 78.0, 56.0, 70.0),
        columns=2,
        body_size=9.4,
        leading=1.42,
        is_justified=True,
    )
    title = "Sea Floor and Currents of Veyra Sound"
    book = Book(title, "Survey report 2023-4", look)
    _head(book, title)
    _method(book)
    _results(book)
    return book


def _head(book: Book, title: str) -> None:
    book.new_page()
    page, width = book.page, 483.0
    write(page, (56, 116), title, font="sans-bold", size=22, colour=_ACCENT)
    names = "Hanne Brattli, Idris Falk and Noor van der Meer"
    write(page, (56, 138), names, font="serif-italic", size=11)
    place = "Coastal research group, Veyra Tidal, Port Ansel. Field work May to September 2023."
    write(page, (56, 153), place, size=8.4, colour=MUTED)
    y = 176.0
    lines = break_lines(words_of(_ABSTRACT, "serif", 9.2), width - 28)
    box(page, (56, y, 56 + width, y + 14 + len(lines) * 13.2 + 6), fill=(0.94, 0.96, 0.98))
    y += 6
    for row in lines:
        y += 13.2
        draw_line(page, row, (70, y), width=width - 28, is_justified=True)
    book.start_columns(y + 24)


def _method(book: Book) -> None:
    picture = scenes.seabed_relief(1160, 600, 3)[0]
    draw = partial(_relief, jpeg=scenes.to_jpeg(picture, 80))
    book.banner(
        "relief",
        250,
        draw,
        (
            "Figure 1. Shaded relief of the strait, lit from the north-west. Contours every ten "
            "metres."
        ),
    )
    book.heading("1. Why we measured again")
    for text in _WHY:
        book.para(text)
    book.heading("2. How we measured")
    for text in _HOW:
        book.para(text)
    rows = [
        ("Station", "Depth, m", "Bottom", "Peak, m/s"),
        ("S1 Ansel Bank", "19", "sand", "1.7"),
        ("S2 Row A", "34", "gravel", "3.1"),
        ("S3 Row B", "41", "bare rock", "3.6"),
        ("S4 Row C", "38", "bare rock", "3.4"),
        ("S5 Ollen Deep", "67", "clay", "1.2"),
        ("S6 Brae Sill", "27", "boulders", "3.9"),
    ]
    book.table("stations", rows, [1.6, 1, 1.1, 1.1], "Table 1. The six current meters.")
    book.para(_HOW_END)


def _relief(page: pymupdf.Page, bbox: pymupdf.Rect, jpeg: bytes) -> None:
    drawings.photo(page, bbox, jpeg)
    names = {
        "Ollen Island": (0.62, 0.09, INK),
        "Port Ansel": (0.36, 0.93, INK),
        "Ollen Deep": (0.36, 0.43, PAPER),
        "Brae Sill": (0.175, 0.40, PAPER),
        "Ansel Bank": (0.60, 0.77, INK),
    }
    for name, (x, y, colour) in names.items():
        at = (bbox.x0 + x * bbox.width, bbox.y0 + y * bbox.height)
        write(page, at, name, font="sans-bold", size=8.6, colour=colour, align="centre")


def _results(book: Book) -> None:
    book.heading("3. The shape of the floor")
    for text in _FLOOR:
        book.para(text)
    jpeg = scenes.to_jpeg(scenes.sonar_strip(480, 330, 5), 66)
    draw = partial(drawings.photo, jpeg=jpeg)
    book.figure(
        "sonar",
        158,
        draw,
        "Figure 2. Side-scan record over Ansel Bank: ripples, stones and their shadows.",
    )
    book.para(_FLOOR_END)
    book.heading("4. Currents")
    book.para(_CURRENTS[0])
    book.figure("tide", 170, _tide, "Figure 3. One tidal day at station S3.")
    for text in _CURRENTS[1:]:
        book.para(text)
    book.heading("5. Life on the bottom")
    book.para(_LIFE[0])
    book.figure(
        "animals",
        132,
        _animals,
        "Figure 4. Animals counted in each square metre, by kind of ground.",
    )
    for text in _LIFE[1:]:
        book.para(text)
    book.heading("6. What we do not know")
    for text in _GAPS:
        book.para(text)
    rows = [
        ("Question", "Needs", "Days at sea"),
        ("Extent of the mussel reef", "towed camera", "9"),
        ("Travel of Ansel Bank", "sounder, once a year", "2"),
        ("Cod under the tripods", "baited camera", "4"),
        ("Current at the east mouth", "one more meter", "1"),
    ]
    book.table(
        "gaps",
        rows,
        [1.6, 1.5, 0.9],
        "Table 2. Open questions and what they would cost in ship time.",
    )
    book.heading("7. What follows")
    book.items(_ADVICE, is_numbered=True)
    book.heading("Thanks")
    book.para(_THANKS)


def _tide(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    axes = charts.Axes(
        page,
        bbox,
        x_range=(0, 24),
        y_ticks=[0, 1, 2, 3, 4],
        y_title="Speed, m/s",
        x_title="Hours after midnight",
    )
    for tick in range(0, 25, 4):
        axes.tick(tick, str(tick))
    hours = [index / 5 for index in range(121)]
    for peak, colour in ((3.6, CORAL), (1.9, DEEP)):
        curve = [axes.at(h, peak * abs(math.sin((h - 1.2) * math.pi / 6.21)) ** 0.8) for h in hours]
        line(page, curve, colour, 1.4)
    peaks = ((4.3, 3.6, "spring, 3.6 m/s", CORAL), (16.7, 1.9, "neap, 1.9 m/s", DEEP))
    for hour, peak, text, colour in peaks:
        x, y = axes.at(hour, peak)
        box(page, (x - 30, y - 11, x + 30, y - 2), fill=PAPER)
        write(page, (x, y - 4), text, font="sans-bold", size=7.4, colour=colour, align="centre")
    names = {"Spring tide": CORAL, "Neap tide": DEEP}
    charts.legend(page, (axes.plot.x0, bbox.y0 + 8), names)


def _animals(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    counts = {"Boulders": 214.0, "Gravel": 96.0, "Clay": 71.0, "Sand": 38.0, "Bare rock": 22.0}
    charts.rows(page, bbox, counts, TEAL, label_width=62)


_ABSTRACT = (
    "**Abstract.** We mapped 21 square kilometres of Veyra Sound with a multibeam "
    "sounder and left six current meters on the floor for 118 days. The deepest point "
    "lies at 67 metres in Ollen Deep, eleven metres deeper than on the chart of 1968. "
    "The fastest water was met over Brae Sill, outside of the area that is leased today. "
    "Boulder ground holds ten times as many animals as bare rock. We advise against any "
    "work on Brae Sill before its reef of horse mussels has been mapped, and we advise "
    "moving the lifting season to June and July."
)
_WHY = [
    (
        "The turbines in Veyra Sound were placed with the help of a chart from 1968 and a "
        "current model that knew the strait as eleven boxes. Both have served well. But the "
        "machines of Row A meet water that the model does not know, and the board asked in "
        "2022 whether there is room for a fourth row. A question of that size deserves a "
        "better map."
    ),
    (
        "This report gives the map, the currents and a first count of the animals on the "
        "bottom. It says little about porpoises and seals, which are followed by another "
        "group, and nothing about the price of a cable, which is not ours to judge."
    ),
]
_HOW = [
    (
        "The survey vessel *Terna* crossed the sound along 164 lines, 60 metres apart, with "
        "a multibeam sounder of 400 kilohertz. Position came from a satellite receiver with "
        "a shore station at Brae Holm light; the error in depth is 8 centimetres on flat "
        "ground. Tides were taken off with the gauge in the harbour of Port Ansel."
    ),
    (
        "Six current meters stood on the floor from 11 May to 6 September. Table 1 lists "
        "them. Each measured the water above it every ten minutes in layers of one metre. "
        "The meter at S1 was overturned by a trawl after 71 days, and its last weeks are "
        "left out."
    ),
]
_HOW_END = (
    "Animals were counted on 340 photographs, each of one square metre, taken by a frame "
    "let down from the vessel at slack water. Two people counted each photograph without "
    "knowing where it was taken, and a third looked wherever they differed by more than "
    "a tenth."
)
_FLOOR = [
    (
        "A single channel runs through the strait from west to east (Figure 1). It is widest "
        "in Ollen Deep and is crossed by Brae Sill, a ridge of boulders left by the ice, "
        "over which all of the water has to climb. South of the channel lies Ansel Bank, a "
        "field of sand that moves."
    ),
    (
        "How fast it moves can be read from the side-scan record in Figure 2. The ripples "
        "are 1.4 metres long and lie across the ebb. Between two crossings, 26 days apart, "
        "they had moved 9 metres to the east. The export cable crosses the bank near its "
        "foot and was found bare along 35 metres."
    ),
]
_FLOOR_END = (
    "The stones on the record are up to two metres high. None lies within 100 metres of "
    "a machine. A straight line of 40 metres in the south-east turned out to be the "
    "chain of a lost mooring, and was lifted in August."
)
_CURRENTS = [
    (
        "Figure 3 compares two days at station S3 in the middle of Row B. At spring tide the "
        "water passes 2.6 metres in each second, at which a Kittiwake 2 gives full power, "
        "for about thirteen hours a day. At neap tide it never does."
    ),
    (
        "Ebb and flood are not alike. The ebb is 12 per cent faster at S3 and S4, and turns "
        "9 degrees more to the south. The machines of Row C stand square to the flood; "
        "turned by five degrees they would gain about 2 per cent over a year."
    ),
    (
        "Waves matter too. The swell at Brae Holm was below 1.2 metres in 81 per cent of all "
        "hours in June and July, but only in 54 per cent in April. Lifting work is planned "
        "for April, and should not be."
    ),
]
_LIFE = [
    (
        "We found 97 kinds of animals. The crowd is on boulder ground, as Figure 4 shows, "
        "where soft corals, sponges and horse mussels share every hand's breadth. On bare "
        "rock the current sweeps nearly everything away; what remains there are barnacles."
    ),
    (
        "The tripods themselves are ground as well. After six years those of Row A carry 160 "
        "animals in each square metre, most of them tube worms and anemones. Young cod were "
        "seen under eleven of twelve tripods."
    ),
    (
        "On Brae Sill the frame met a reef of horse mussels that was not known before. From "
        "nine photographs we cannot tell how large it is. Reefs of this kind are protected, "
        "and grow too slowly to come back within the life of a turbine."
    ),
]
_GAPS = [
    (
        "A summer is not a year. The meters were out of the water from September on, when "
        "the autumn gales come, and the peak speeds of Table 1 are therefore low rather than "
        "high. We would put the true peak at Brae Sill above 4 metres in each second."
    ),
    (
        "The count of animals says what lives on the ground, not what passes over it. Fish "
        "leave when a frame comes down. The photographs also miss all that lives within the "
        "sand, which on Ansel Bank is nearly everything: a single grab sample, taken by "
        "chance with the anchor of the *Terna,* held more worms than all photographs of the "
        "bank together."
    ),
    (
        "The ripples of the bank were crossed twice only. Whether they move at the same pace "
        "in winter, and whether the bank as a whole moves with them, can be told after three "
        "more crossings. Until then the burial of the export cable should be looked at each "
        "spring. Table 2 lists the open questions."
    ),
]
_ADVICE = [
    "Map the mussel reef on Brae Sill before anything is planned there.",
    "Look for Row D north of Row B, where the floor is bare rock and the water nearly as fast.",
    "Cover the bare part of the export cable before the winter.",
    "Move the lifting season from April to June and July.",
]
_THANKS = (
    "We thank the crew of the *Terna,* the harbour master of Port Ansel, who found us a "
    "berth in a full harbour, and the pupils of the Ollen school, who counted barnacles "
    "for a week and were right more often than we were."
)
