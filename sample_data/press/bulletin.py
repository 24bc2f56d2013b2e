"""The safety bulletin, one of whose pages is a scan without a text layer."""

from __future__ import annotations

import pymupdf
from PIL import Image

from sample_data.press import charts, drawings, scenes
from sample_data.press.book import Book
from sample_data.press.faces import CORAL, HAIRLINE, INK, MUTED, Look
from sample_data.press.pen import box, line, write

_ACCENT = (0.66, 0.24, 0.16)
_PEN = (0.10, 0.16, 0.45)


def bulletin() -> Book:
    """Places: tree, misses, sheet (the scanned page), actions."""
    book = Book("Safety Bulletin 07/2024", "Safety Bulletin 07/2024", Look(accent=_ACCENT))
    _what_happened(book)
    _sheet(book)
    _what_changes(book)
    return book


def _what_happened(book: Book) -> None:
    book.new_page()
    page = book.page
    write(page, (72, 104), "SAFETY BULLETIN 07/2024", font="sans-bold", size=10, colour=_ACCENT)
    write(page, (72, 134), "Hook opened during a lift at C2", font="sans-bold", size=22)
    note = "Issued 2 September 2024  ·  For all crews  ·  Read it aloud before the next lift"
    write(page, (72, 154), note, size=9, colour=MUTED)
    book.skip(80)
    book.para(_EVENT[0])
    book.callout("From today", _NOW)
    book.heading("What happened", 2)
    for text in _EVENT[1:]:
        book.para(text)
    book.heading("Why it could happen", 2)
    for text in _CAUSES:
        book.para(text)
    book.heading("When to break off", 2)
    book.para(_TREE)
    book.figure(
        "tree", 232, drawings.stop_tree, "Figure 1. Three checks before anything leaves the water."
    )
    book.heading("The wider picture", 2)
    book.para(_MISSES[0])
    book.figure("misses", 130, _near_misses, "Figure 2. Near misses told by crews since 2019.")
    book.para(_MISSES[1])


def _near_misses(page: pymupdf.Page, bbox: pymupdf.Rect) -> None:
    counts = {
        "Slips on wet decks": 19.0,
        "Lifting gear": 14.0,
        "Small boats alongside": 9.0,
        "Electrical work": 4.0,
        "Diving": 2.0,
    }
    charts.rows(page, bbox, counts, CORAL, label_width=110)


def _sheet(book: Book) -> None:
    clean = pymupdf.open()
    page = clean.new_page(width=595, height=842)
    _draw_sheet(page)
    pixmap = page.get_pixmap(dpi=110)
    picture = Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
    book.new_page(is_plain=True)
    book.page.insert_image(book.page.rect, stream=scenes.scanned(picture, 11))
    book.note_place("sheet", book.page.rect)


def _draw_sheet(page: pymupdf.Page) -> None:
    write(page, (60, 90), "LIFTING GEAR INSPECTION SHEET", font="sans-bold", size=15)
    write(page, (60, 108), "Form LG-3. Fill in by hand, one sheet for each hook.", size=9)
    box(page, (430, 66, 535, 112), edge=INK)
    write(page, (438, 82), "Sheet no.", size=8)
    write(page, (452, 103), "0418", font="serif-italic", size=17, colour=_PEN)
    fields = [
        ("Hook", "H-7, work barge"),
        ("Rated load", "40 tonnes"),
        ("Date", "29 August 2024"),
        ("Inspector", "L. Marchetti-Voss"),
    ]
    for index, (name, value) in enumerate(fields):
        y = 150 + index * 30
        write(page, (60, y), name, size=10)
        line(page, [(150, y + 3), (535, y + 3)], MUTED, 0.5)
        write(page, (158, y - 1), value, font="serif-italic", size=15, colour=_PEN)
    _draw_checks(page)
    write(page, (60, 590), "Remarks", font="sans-bold", size=10)
    for index, text in enumerate(_REMARKS):
        y = 616 + index * 26
        line(page, [(60, y + 4), (535, y + 4)], HAIRLINE, 0.5)
        write(page, (66, y), text, font="serif-italic", size=14.5, colour=_PEN)
    write(page, (60, 770), "Signature", size=9)
    stroke = [(130, 768), (142, 742), (150, 772), (162, 750), (176, 770), (190, 756), (240, 764)]
    page.draw_squiggle((120, 774), (260, 774), breadth=1.2, color=_PEN, width=0.6)
    line(page, stroke, _PEN, 1.4)


def _draw_checks(page: pymupdf.Page) -> None:
    columns = [60, 330, 400, 470, 535]
    for x, name in zip(columns, ("Part", "Good", "Worn", "Reject"), strict=False):
        write(page, (x + 8, 296), name, font="sans-bold", size=9.5)
    for index in range(len(_CHECKS) + 2):
        y = 280 + index * 26
        line(page, [(60, y), (535, y)], INK, 0.7)
    for x in columns:
        line(page, [(x, 280), (x, 280 + 26 * (len(_CHECKS) + 1))], INK, 0.7)
    for index, (part, state) in enumerate(_CHECKS):
        y = 323 + index * 26
        write(page, (68, y), part, size=10)
        x = columns[1 + state] + 30
        line(page, [(x - 6, y - 8), (x + 6, y + 3)], _PEN, 1.6)
        line(page, [(x + 6, y - 9), (x - 5, y + 3)], _PEN, 1.6)


def _what_changes(book: Book) -> None:
    book.new_page()
    book.heading("What changes")
    book.para(_ACTIONS[0])
    rows = [
        ("Action", "Who", "By", "State"),
        (
            "Replace hooks H-5 to H-9 by hooks with a pinned latch",
            "Workshop",
            "30 September",
            "ordered",
        ),
        (
            "Add the latch check to the lift sequence in the handbook",
            "Engineering",
            "1 November",
            "in review",
        ),
        ("Second camera on the crane boom", "Barge crew", "15 October", "done"),
        (
            "Practise a broken-off lift, each crew once",
            "Lift masters",
            "20 December",
            "two of three",
        ),
        ("Inspect all slings bought before 2020", "Workshop", "31 October", "started"),
    ]
    book.table("actions", rows, [2.8, 1.1, 1.1, 1], "Table 1. Actions agreed on 30 August.")
    book.heading("How to tell us", 2)
    for text in _ACTIONS[1:]:
        book.para(text)
    book.items(_QUESTIONS)
    book.para("*Ragnhild Osei, head of safety*")


_EVENT = [
    (
        "On 28 August at 05:40 a hook opened while the nacelle of machine C2 was being "
        "lifted. The load dropped 40 centimetres and was caught by the second sling. Nobody "
        "was hurt. It could have been otherwise: two people stood within six metres of the "
        "line of fall."
    ),
    (
        "The work barge had been on station since 04:50. Slack water began at 05:22 with a "
        "swell of 1.1 metres, just inside the limit. The frame went down at the first try, "
        "the four locking pins opened in the usual order, and the cable was parted and "
        "capped in 70 seconds. The lift began eleven minutes ahead of plan."
    ),
    (
        "At three metres above the tripod the lift master called a stop to look with the "
        "camera, as the handbook asks. When the crane took up the load again, the latch of "
        "the hook was seen to swing free on the picture, and a moment later the sling left "
        "the hook. The second sling held. The nacelle was set back on its tripod at 05:58, "
        "ten minutes before the current would have made that impossible."
    ),
]
_NOW = [
    "No lift with hooks H-5 to H-9 until they have a pinned latch.",
    "Two people look at the latch, one of them says its number aloud, the other repeats it.",
    "Nobody stands within 12 metres of the line of fall. The old distance was 6 metres.",
]
_CAUSES = [
    (
        "The spring of the latch was weak. It had been found worn at the inspection in "
        "February, and the sheet says so, but the sheet went into a folder and not to the "
        "workshop. After the event the hook was inspected once more; that sheet is shown on "
        "the page after the figures, as it was filled in on the quay."
    ),
    (
        "The second cause is time. A crew that is ahead of plan feels that it has something "
        "to lose. The lift master could have waited eleven minutes for calmer water and did "
        "not, because the barge was wanted at the pilots' pier by eight."
    ),
]
_TREE = (
    "Figure 1 is the rule for every lift from now on. One *no* is enough, and anyone may "
    "say it. Nobody will be asked to explain why they said it on the day; we talk about "
    "it ashore."
)
_MISSES = [
    (
        "A hook is rare; a wet deck is not. Figure 2 counts what crews have told us in five "
        "and a half years, 48 events in all."
    ),
    (
        "The count has grown since the card box in the mess room was replaced by a message "
        "to the duty phone. We take that as a good sign: it is the telling that has grown, "
        "not the danger."
    ),
]
_CHECKS = [
    ("Hook body, cracks", 0),
    ("Hook body, opening measured", 0),
    ("Swivel turns freely", 0),
    ("Latch spring", 2),
    ("Latch pin hole", 1),
    ("Marking readable", 0),
    ("Thread and nut", 0),
    ("Shackle and pin", 1),
]
_REMARKS = [
    "Spring holds 9 newtons, new ones hold 35.",
    "Taken out of use. Red tag tied on at 14:10.",
    "Look at H-5, H-6 and H-9: same delivery, May 2018.",
]
_ACTIONS = [
    (
        "Five actions were agreed with the crews two days after the event. Table 1 shows "
        "where they stood when this bulletin was printed; the list in the mess room is newer."
    ),
    (
        "Every near miss that is told is looked at within three working days, and the one "
        "who told it hears what was done. Ring the duty phone on 4417, or tell any lift "
        "master. You need not give your name. Please say:"
    ),
]
_QUESTIONS = [
    "what you saw, in the order in which you saw it;",
    "what you think would have happened next;",
    "what made the day different from other days.",
]
