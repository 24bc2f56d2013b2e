"""The engineering handbook of the machine: drawings, curves, intervals, fault codes."""

from __future__ import annotations

import math

import pymupdf

from sample_data.press import charts, drawings
from sample_data.press.book import Book
from sample_data.press.faces import CORAL, DEEP, INK, MUTED, TEAL, Look
from sample_data.press.pen import area, line, write

_ACCENT = (0.10, 0.36, 0.44)


def handbook() -> Book:
    """Places: train, data, curve, bearing, intervals, side, faults."""
    look = Look(accent=_ACCENT, body_size=10.0)
    book = Book("Kittiwake 2 Engineering Handbook", "Handbook KW2-E, revision 5", look)
    _front(book)
    _overview(book)
    _limits(book)
    _care(book)
    _retrieval(book)
    _faults(book)
    return book


def _front(book: Book) -> None:
    book.new_page()
    page = book.page
    write(page, (72, 150), "Kittiwake 2", font="sans-bold", size=34, colour=_ACCENT)
    write(page, (72, 182), "Engineering Handbook", size=20)
    line(page, [(72, 202), (523, 202)], _ACCENT, 1.5)
    write(
        page, (72, 222), "Document KW2-E  ·  Revision 5  ·  November 2024", size=9.5, colour=MUTED
    )
    book.skip(165)
    book.heading("About this handbook", 2)
    for text in _ABOUT:
        book.para(text)
    book.heading("What changed in revision 5", 2)
    book.items(_CHANGES)
    book.heading("Words used here", 2)
    book.para(_WORDS)


def _overview(book: Book) -> None:
    book.new_page()
    book.heading("1  The machine")
    book.para(_OVERVIEW[0])
    book.figure("train", 200, drawings.drive_train, "Figure 1. Drive train and flow of heat.")
    for text in _OVERVIEW[1:]:
        book.para(text)
    rows = [
        ("Quantity", "Value", "Note"),
        ("Rotor diameter", "18.5 m", "fixed pitch, three blades"),
        ("Hub height", "14 m", "above the sea floor"),
        ("Rated power", "1,600 kW", "at 2.6 m/s"),
        ("Rotor speed", "6 to 15 turns a minute", "held by the converter"),
        ("Mass of the nacelle", "31 t", "in air, with oil"),
        ("Design life", "25 years", "bearings 8 years"),
    ]
    book.table("data", rows, [1.5, 1.6, 2], "Table 1. Principal data.", is_ruled=False)


def _limits(book: Book) -> None:
    book.heading("2  Operating limits")
    book.para(_LIMITS[0])
    book.figure(
        "curve", 215, _power_curve, "Figure 2. Electrical output against the speed of the water."
    )
    for text in _LIMITS[1:]:
        book.para(text)
    book.callout("Never run the rotor with the brake pin in place", _BRAKE)


def _power_curve(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    axes = charts.Axes(
        page,
        bbox,
        x_range=(0, 5),
        y_ticks=[0, 400, 800, 1200, 1600, 2000],
        y_title="Power, kW",
        x_title="Current at hub height, m/s",
    )
    for tick in range(6):
        axes.tick(tick, str(tick))
    points = [(v / 50, _power(v / 50)) for v in range(0, 251)]
    drawn = [axes.at(x, y) for x, y in points]
    area(page, [axes.at(0, 0), *drawn, axes.at(5, 0)], TEAL, opacity=0.12)
    line(page, drawn, TEAL, 1.8)
    marks = {0.8: "cut-in 0.8", 2.6: "rated 2.6", 4.2: "cut-out 4.2"}
    for speed, text in marks.items():
        line(page, [axes.at(speed, 0), axes.at(speed, 1780)], CORAL, 0.7, "[2 2] 0")
        at = axes.at(speed, 1850)
        write(page, at, text, font="sans-bold", size=7.8, colour=CORAL, align="centre")


def _power(speed: float) -> float:
    if speed < 0.8 or speed > 4.2:
        return 0.0
    return min(1600.0, 1600.0 * (speed**3 - 0.8**3) / (2.6**3 - 0.8**3))


def _care(book: Book) -> None:
    book.heading("3  Care and inspection")
    book.para(_CARE[0])
    rows = [
        ("Part", "Every 6 months", "Every 2 years", "Every 8 years"),
        ("Blades", "camera from the vessel", "coating repaired ashore", "load test"),
        ("Main bearing", "grease sample", "play measured", "replaced"),
        ("Gearbox", "oil sample", "oil changed", "gears inspected"),
        ("Shaft seal", "leak counter read", "replaced", "replaced"),
        ("Anodes", "camera from the vessel", "weighed", "replaced"),
        ("Wet-mate connector", "insulation test", "cleaned", "replaced"),
    ]
    book.table("intervals", rows, [1.3, 1.5, 1.5, 1.2], "Table 2. What is done when.")
    book.heading("3.1  Watching the main bearing", 2)
    book.para(_CARE[1])
    book.figure(
        "bearing", 205, _bearing, "Figure 3. Warning signs before the failure on machine A2."
    )
    book.para(_CARE[2])


def _bearing(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    axes = charts.Axes(
        page,
        bbox,
        x_range=(0, 60),
        y_ticks=[20, 30, 40, 50, 60, 70],
        y_title="Temperature, °C",
        x_title="Days since the last grease sample",
    )
    for tick in range(0, 61, 10):
        axes.tick(tick, str(tick))
    days = range(61)
    sick = [
        34 + 1.3 * math.sin(d * 1.7) + 0.9 * math.sin(d * 0.6) + max(0, d - 26) ** 1.7 / 9.2
        for d in days
    ]
    well = [33 + 1.2 * math.sin(d * 1.7 + 0.4) + 0.8 * math.sin(d * 0.5) for d in days]
    line(page, [axes.at(d, well[d]) for d in days], DEEP, 1.3)
    line(page, [axes.at(d, min(sick[d], 69)) for d in days if sick[d] < 69], CORAL, 1.6)
    for level, text in ((45.0, "warning at 45 °C"), (60.0, "shutdown at 60 °C")):
        line(page, [axes.at(0, level), axes.at(60, level)], INK, 0.8, "[4 2] 0")
        x, y = axes.at(0.8, level)
        write(page, (x, y - 4), text, font="sans-bold", size=7.8)
    for day, value, text, colour in ((47, 55.4, "A2", CORAL), (56, 35.6, "A3, healthy", DEEP)):
        x, y = axes.at(day, value)
        write(page, (x - 4, y - 3), text, font="sans-bold", colour=colour, align="right")


def _retrieval(book: Book) -> None:
    book.heading("4  Bringing a nacelle to the surface")
    book.para(_RETRIEVAL[0])
    book.figure(
        "side", 260, drawings.side_view, "Figure 4. Side view with the parts that a lift touches."
    )
    book.items(_STEPS, is_numbered=True)
    book.para(_RETRIEVAL[1])


def _faults(book: Book) -> None:
    book.heading("5  Fault codes")
    book.para(_FAULTS[0])
    rows = [
        ("Code", "What the controller saw", "What it does", "What you do"),
        (
            "E11",
            "Oil pressure below 1.4 bar",
            "Stops at next slack water",
            "Take an oil sample; look for a leak",
        ),
        (
            "E14",
            "Water in the nacelle, first sensor",
            "Stops at once",
            "Do not restart; plan a lift within 7 days",
        ),
        (
            "E15",
            "Water in the nacelle, both sensors",
            "Stops and opens the breaker",
            "Lift at the next neap tide",
        ),
        (
            "E23",
            "Main bearing above 45 °C",
            "Cuts power to 60 %",
            "Compare with the neighbour machine",
        ),
        ("E24", "Main bearing above 60 °C", "Stops at once", "Replace the bearing"),
        ("E31", "Rotor turns while braked", "Opens the breaker", "Check the pin with a camera"),
        (
            "E42",
            "Grid voltage outside 10.2 to 11.8 kV",
            "Waits 15 minutes",
            "Ring the control room of the grid",
        ),
        (
            "E57",
            "No message from shore for 90 s",
            "Goes on; stops after 6 hours",
            "Switch to the radio link",
        ),
    ]
    book.table(
        "faults",
        rows,
        [0.5, 1.7, 1.5, 1.9],
        "Table 3. Codes shown on the panel in the control room.",
    )
    for text in _FAULTS[1:]:
        book.para(text)


_ABOUT = [
    (
        "This handbook is for the crew that keeps the Kittiwake 2 running: engineers in the "
        "control room at Port Ansel, technicians on the work barge, and anyone who has to "
        "decide at four in the morning whether a machine may start. It says what the machine "
        "is, what it may do, how it is cared for and what its messages mean."
    ),
    (
        "It is not a training course. Work under water, work with lifting gear and work "
        "above 1,000 volts ask for the certificates named in the site rules, and nothing in "
        "here takes their place."
    ),
]
_CHANGES = [
    (
        "The warning level of the main bearing is now 45 °C. It was 50 °C, which left too "
        "little time (section 3.1)."
    ),
    (
        "The lift sequence has a new step: the hook latch is pinned and two people confirm "
        "it (section 4)."
    ),
    (
        "Fault code E57 no longer stops the machine at once when the link to shore is lost "
        "(section 5)."
    ),
    "Gearbox oil is the degradable grade BG-320. The old mineral grade must not be mixed with it.",
]
_WORDS = (
    "*Slack water* is the half hour around the turn of the tide in which the current "
    "stays below 0.3 m/s. *Neap* is the week with the weakest tides. A *lift* is any "
    "work in which a nacelle leaves its tripod. *Ashore* means the workshop hall on the "
    "north quay of Port Ansel."
)
_OVERVIEW = [
    (
        "A Kittiwake 2 is a nacelle on a tripod. The tripod stays on the sea floor for 25 "
        "years; the nacelle, with everything that wears, can be lifted off in one tide. "
        "Figure 1 shows what is inside and how the power leaves it. The rotor turns the main "
        "shaft; a gearbox makes 42 turns of each one; the generator, the converter and the "
        "transformer do the rest."
    ),
    (
        "Heat from gearbox, generator and converter goes through plates in the hull into the "
        "sea. There is no cooling pump, because a pump was the part that failed most on the "
        "first Kittiwake. The price is that the machine must not run at full power for more "
        "than ten minutes while it hangs in air on the test stand."
    ),
    (
        "The blades do not turn about their own axis. Above rated speed the converter lets "
        "the rotor run slower, so that the blades stall by themselves and the power stays "
        "level."
    ),
]
_LIMITS = [
    (
        "The machine starts by itself when the water is fast enough and stops when it is too "
        "fast, as Figure 2 shows. Between these limits it needs nobody. Power grows with the "
        "third power of the speed of the water: a tenth more speed is a third more power."
    ),
    (
        "The rotor may start at most twelve times a day. More starts mean that a sensor is "
        "dirty or that the limit for slack water is set too low; in both cases the "
        "controller asks for help with a yellow line on the panel."
    ),
    (
        "The export cable takes 30 megawatts, slightly more than the whole fleet can give. "
        "When the voltage ashore falls below 10.6 kilovolts the controllers of Row C reduce "
        "first, then Row B, then Row A."
    ),
    (
        "Ice is no danger here; the water of the sound has never been measured below 3 °C. "
        "Weed is. From June to August the camera inspection of the blades is done every "
        "month and not twice a year."
    ),
]
_BRAKE = [
    (
        "The pin holds 40 kN m, the rotor gives 610. A start against the pin bends the main "
        "shaft, and a bent shaft means a new nacelle."
    ),
    (
        "The panel shows a white padlock while the pin is in. If the padlock flickers, treat "
        "the pin as in place."
    ),
]
_CARE = [
    (
        "Most care is done from the vessel, with cameras and samples, twice a year. Each "
        "machine comes ashore every second year, always at neap tide. Table 2 says what is "
        "done at which visit."
    ),
    (
        "The main bearing is the part whose failure costs most. It is greased for life and "
        "cannot be greased again under water, so all that can be done is to watch it. In "
        "November 2023 the bearing of machine A2 seized. Its temperature had left that of "
        "its neighbour three weeks before, as Figure 3 shows, and nobody had looked, because "
        "the warning level then in force was not yet reached."
    ),
    (
        "Since then the controller compares each machine with its neighbour in the same row. "
        "A gap of more than 6 degrees for two days raises code E23 even when the level "
        "itself is not reached."
    ),
]
_RETRIEVAL = [
    (
        "A lift takes 55 minutes when all goes well, and the sea gives about 70. Figure 4 "
        "names the parts that are touched. The lift master reads each step aloud; nobody "
        "does two steps at once."
    ),
    (
        "If step 5 is not finished 40 minutes after slack water began, the lift is broken "
        "off: the hook is opened, the cable stays connected, and the next neap tide is used."
    ),
]
_STEPS = [
    "Stop the machine from ashore, put the brake pin in, and wait for the white padlock.",
    "Confirm a swell below 1.2 metres on the wave buoy at Brae Holm.",
    "Lower the lifting frame; close the hook latch, pin it, and let two people confirm it.",
    "Open the four locking pins by remote tool, in the order 1, 3, 2, 4.",
    "Part the wet-mate connector; cap both halves within 90 seconds.",
    "Lift to 3 metres above the tripod, stop, look with the camera, then lift to the surface.",
]
_FAULTS = [
    (
        "Codes from E10 to E19 come from oil and water, E20 to E29 from bearings, E30 to E39 "
        "from the rotor, E40 and above from cables and messages. Table 3 lists those that "
        "the crew has met."
    ),
    (
        "A code that clears itself within a minute is written to the log and shown in grey. "
        "Three grey codes of one kind in a day count as one real code."
    ),
    (
        "Spare parts for codes E11 to E24 are kept on the north quay: two main bearings, "
        "four seal sets, one full set of oil filters for each row. A new main bearing from "
        "the maker takes 26 weeks."
    ),
]
