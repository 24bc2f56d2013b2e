"""The annual report: cover, figures of the year, map, money, people."""

from __future__ import annotations

from functools import partial

import pymupdf

from sample_data.press import charts, drawings, scenes
from sample_data.press.book import Book
from sample_data.press.faces import CORAL, DEEP, MUTED, PAPER, SAND, SLATE, TEAL, Look, mix
from sample_data.press.pen import box, line, write


def annual_report() -> Book:
    """Six pages after the cover; places: output, fleet, rows, income, costs, result, board."""
    book = Book("Annual Report 2024", "Annual Report 2024", Look(accent=DEEP))
    _cover(book)
    _letter(book)
    _generation(book)
    _fleet(book)
    _money(book)
    _people(book)
    return book


def _cover(book: Book) -> None:
    book.new_page(is_plain=True)
    page = book.page
    picture = scenes.sound_at_dusk(1190, 1000, 7)
    drawings.photo(page, pymupdf.Rect(0, 0, 595, 500), scenes.to_jpeg(picture, 78))
    box(page, (0, 500, 595, 842), fill=DEEP)
    write(page, (56, 585), "Annual Report", font="sans-bold", size=40, colour=PAPER)
    write(page, (56, 632), "2024", font="sans", size=40, colour=mix(SAND, 0.9))
    line(page, [(56, 662), (140, 662)], SAND, 2)
    write(page, (56, 692), "Power from the turning of the tide", size=14, colour=PAPER)
    write(page, (56, 790), "Veyra Tidal", font="sans-bold", size=13, colour=PAPER)
    note = "Port Ansel and Ollen Island"
    write(page, (539, 790), note, size=10, colour=mix(PAPER, 1.0), align="right")


def _letter(book: Book) -> None:
    book.new_page()
    book.heading("A steady year in a restless sea")
    for text in _LETTER:
        book.para(text)
    _key_numbers(book)
    for text in _LETTER_END:
        book.para(text)


def _key_numbers(book: Book) -> None:
    book.skip(6)
    numbers = [
        ("71.4 GWh", "sent ashore"),
        ("93.1 %", "availability"),
        ("18", "machines"),
        ("0", "lost-time injuries"),
    ]
    step = book.width / 4
    page, y = book.page, book.y
    for index, (number, words) in enumerate(numbers):
        x = book.left + index * step
        box(page, (x, y, x + step - 8, y + 58), fill=mix(TEAL, 0.1))
        write(page, (x + 12, y + 28), number, font="sans-bold", size=17, colour=DEEP)
        write(page, (x + 12, y + 45), words, size=8.6, colour=MUTED)
    book.skip(74)


def _generation(book: Book) -> None:
    book.heading("Generation")
    book.para(_GENERATION[0])
    series = {
        "2023": (SLATE, [17.6, 15.4, 14.9, 18.3]),
        "2024": (TEAL, [19.2, 16.8, 15.9, 19.5]),
    }
    draw = partial(
        _bars,
        series=series,
        groups=["January–March", "April–June", "July–September", "October–December"],
    )
    book.figure(
        "output", 190, draw, "Figure 1. Electricity sent ashore by quarter, in gigawatt hours."
    )
    for text in _GENERATION[1:]:
        book.para(text)


def _bars(
    page: pymupdf.Page,
    bbox: pymupdf.Rect,
    series: dict[str, tuple[tuple[float, float, float], list[float]]],
    groups: list[str],
) -> None:
    charts.bars(page, bbox, groups, series, [0, 5, 10, 15, 20, 25], "GWh")


def _fleet(book: Book) -> None:
    book.heading("The fleet")
    book.para(_FLEET[0])
    book.figure(
        "fleet",
        285,
        drawings.fleet_map,
        "Figure 2. Where the turbines stand between the island and the mainland.",
    )
    book.para(_FLEET[1])
    rows = [
        ("Row", "Machines", "In service since", "Depth, m", "Output 2024, GWh", "Availability"),
        ("A", "6", "May 2017", "34", "22.3", "90.4 %"),
        ("B", "6", "August 2019", "41", "24.6", "94.2 %"),
        ("C", "6", "June 2022", "38", "24.5", "94.8 %"),
    ]
    book.table(
        "rows",
        rows,
        [0.6, 1, 1.5, 1, 1.5, 1.2],
        "Table 1. The three rows of the fleet.",
        right_from=3,
    )
    book.para(_FLEET[2])


def _money(book: Book) -> None:
    book.heading("Money")
    book.para(_MONEY[0])
    shares = {
        "Fixed-price power contracts": (DEEP, 61.0),
        "Spot market": (TEAL, 22.0),
        "Grid balancing services": (SAND, 12.0),
        "Research and visitors": (CORAL, 5.0),
    }
    draw = partial(charts.pie, shares=shares, middle_text=("12.8", "million euros"))
    book.figure("income", 165, draw, "Figure 3. Where the income of 2024 came from.")
    book.para(_MONEY[1])
    book.figure("costs", 185, _costs, "Figure 4. What it cost to run the site, in million euros.")
    rows = [
        ("Million euros", "2022", "2023", "2024"),
        ("Income", "10.4", "11.6", "12.8"),
        ("Running costs", "6.0", "6.3", "6.9"),
        ("Depreciation", "2.9", "3.1", "3.1"),
        ("Interest", "0.8", "0.7", "0.6"),
        ("Result before tax", "0.7", "1.5", "2.2"),
    ]
    book.table(
        "result", rows, [2.4, 1, 1, 1], "Table 2. Result of the last three years.", right_from=1
    )
    book.para(_MONEY[2])


def _costs(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    series = {
        "Staff": (DEEP, [2.3, 2.4, 2.6]),
        "Vessels": (TEAL, [1.9, 1.8, 1.7]),
        "Spare parts": (SAND, [1.0, 1.2, 1.7]),
        "Insurance": (SLATE, [0.8, 0.9, 0.9]),
    }
    charts.stacks(page, bbox, ["2022", "2023", "2024"], series, [0, 2, 4, 6, 8], "million euros")


def _people(book: Book) -> None:
    book.heading("People and board")
    for text in _PEOPLE[:2]:
        book.para(text)
    rows = [
        ("Name", "Seat", "On the board since"),
        ("Ingrid Solheim-Achebe", "Chair", "2016"),
        ("Tomas Verhoeven", "Managing director", "2018"),
        ("Maren Okafor", "Finance", "2020"),
        ("Petter Lindqvist-Rao", "Elected by the staff", "2021"),
        ("Sunniva Dahl", "Named by Ollen parish", "2023"),
    ]
    book.table(
        "board",
        rows,
        [2, 2, 1.2],
        "Table 3. Members of the board at the end of 2024.",
        is_ruled=False,
    )
    book.heading("Community fund", 2)
    book.para(_PEOPLE[2])
    book.items(_GRANTS)
    book.heading("Neighbours and nature", 2)
    for text in _NATURE:
        book.para(text)
    book.heading("Risks we watch", 2)
    book.items(_RISKS)
    book.heading("What comes next", 2)
    for text in _NEXT:
        book.para(text)


_LETTER = [
    (
        "The sea in front of Port Ansel turns four times a day, and has done so since long "
        "before anyone thought of selling the result. Our work is to be there when it does. "
        "In 2024 we were there more often than in any year before: the machines in Veyra "
        "Sound were ready to run for 93.1 per cent of all hours, and sent 71.4 gigawatt "
        "hours ashore. That is the yearly use of about 17,800 homes, or every home on this "
        "coast and on Ollen Island together."
    ),
    (
        "The year did not begin that way. A winter storm on 14 January broke the mooring of "
        "our work barge and kept the crew ashore for nineteen days, in the very weeks when "
        "Row A was waiting for new main bearings. That the quarter still ended above the one "
        "before is owed to the people who changed four bearings in five tides once the "
        "weather let them. The story of those bearings is told in the engineering handbook, "
        "and its price appears under spare parts later in this report."
    ),
]
_LETTER_END = [
    (
        "Three decisions of the board will be felt for years. We signed a ten-year power "
        "contract with the Ansel district hospital, which takes away most of the risk that a "
        "falling market price once held for us. We moved the season for lifting work from "
        "spring to early summer, because the survey of the sea floor showed us that the "
        "swell is lower then. And we agreed to plan a fourth row, of which more is said in "
        "the roadmap to 2030."
    ),
    (
        "To our neighbours, who lend us their harbour, their patience and a good deal of "
        "their knowledge of this water: thank you."
    ),
    "*Tomas Verhoeven, managing director*",
]
_GENERATION = [
    (
        "Tidal power is known years ahead; what is not known is whether a machine will be "
        "ready when the water comes. Output in each quarter of 2024 was above that of the "
        "year before, as Figure 1 shows. The gain is largest in the winter months, when "
        "spring tides and ready machines fell together for once."
    ),
    (
        "The capacity factor, which is the energy sent ashore over what the fleet would make "
        "at full power in every hour, rose from 26.2 to 28.2 per cent. Of the nine points "
        "that the industry likes to argue about, we lose four to slack water, which no "
        "engineer can change, three to limits on the cable at low voltage, and two to repair."
    ),
    (
        "Two events cost more than one gigawatt hour each. In March a fishing net wrapped "
        "itself around machine C4; it was cut free by divers after eleven days. In September "
        "the grid operator asked us to hold back for 60 hours while a line on the mainland "
        "was rebuilt. We were paid for the second event and not for the first."
    ),
]
_FLEET = [
    (
        "Eighteen Kittiwake 2 machines of 1.6 megawatts each stand in three rows across the "
        "narrows, 28.8 megawatts in all. They are joined by cables on the sea floor to a "
        "hub, from which one export cable of 2.4 kilometres runs to the landing at Port "
        "Ansel (see Figure 2). Ships of up to 9 metres draught may pass over the machines at "
        "any state of the tide."
    ),
    (
        "Row A, the oldest, has the shallowest site and the weakest year behind it. Table 1 "
        "gives the numbers. Rows B and C now do what the tender of 2018 promised, and a "
        "little more."
    ),
    (
        "Row A will have all of its bearings renewed by the end of 2025. After that we "
        "expect its availability to come within one point of the other two."
    ),
]
_MONEY = [
    (
        "Income grew by a tenth to 12.8 million euros. Most of it comes from contracts with "
        "a fixed price, which is why the fall of the market price in the summer is hard to "
        "find in the numbers. Figure 3 shows the parts."
    ),
    (
        "Running the site cost 6.9 million euros. Figure 4 shows that the work boats became "
        "cheaper for the second year, because we now share a vessel with the pilots of Port "
        "Ansel, while parts became dearer, because of the bearings of Row A."
    ),
    (
        "The board proposes to pay no dividend for 2024 and to put the whole result into the "
        "reserve for the fourth row. The reserve then stands at 5.3 million euros. Our "
        "auditor, whose report is published separately, had no remarks."
    ),
]
_PEOPLE = [
    (
        "At the end of the year 46 people worked for Veyra Tidal, 31 of them at sea or on "
        "the quay. Nobody lost a day to an injury, for the second year in a row. There were "
        "seven near misses, each of which was told openly and is listed in the safety "
        "bulletins. Two apprentices passed their examination as marine electricians, and "
        "both stayed."
    ),
    (
        "The members of the board are named in Table 3. It met eight times, once of them on "
        "the work barge, which everyone agreed was once too often in October."
    ),
    (
        "One cent of each kilowatt hour sold on the spot market goes to the community fund, "
        "which is run by the parishes on both shores. In 2024 it had 157,000 euros to give:"
    ),
]
_GRANTS = [
    "68,000 euros for a new engine in the Ollen lifeboat",
    "41,000 euros for heat pumps in the two schools",
    "30,000 euros for the seal and porpoise watch, told on our web pages",
    "18,000 euros for the choir, the football field and eleven smaller gifts",
]
_NATURE = [
    (
        "Six hydrophones listened around the clock. Porpoises passed the rows on 211 days of "
        "the year, most often at slack water, and no collision was seen or heard. Grey seals "
        "rest on the skerries below Brae Holm light as they did before the first machine was "
        "set. The full counts stand on the web page of the wildlife watch."
    ),
    (
        "Eleven complaints reached us, nine of them about the sound of the barge engine "
        "before six in the morning. Since August the barge leaves the harbour on batteries, "
        "which took away the cause and, by the autumn, the complaints."
    ),
]
_RISKS = [
    (
        "**One export cable.** Everything we sell runs through it. A fault in winter could "
        "cost four months of output; a spare length of 800 metres lies in the harbour hall."
    ),
    (
        "**Bearings.** A new main bearing takes 26 weeks to arrive. We keep two, and have "
        "ordered two more."
    ),
    (
        "**Interest.** A third of our loans follows the market rate. One point more costs "
        "84,000 euros a year."
    ),
    (
        "**People.** Four of our nine lift masters retire before 2029. Each of them now "
        "teaches one successor."
    ),
]
_NEXT = [
    (
        "In 2025 we will renew the bearings of Row A, replace the oil in all gearboxes with "
        "one that does no harm if it leaks, and hand in the application for Row D. We expect "
        "to send 73 to 75 gigawatt hours ashore."
    ),
    (
        "The application for Row D asks for eight machines on the bare rock north of Row B. "
        "If permits come when we expect them, the first of them could turn in the summer of "
        "2028. We will say so in this report if they do not."
    ),
]
