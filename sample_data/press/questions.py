"""Questions with known answers. Knows where the press put each figure, table and sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pymupdf

from sample_data.press.book import Book

Kind = Literal["text", "table", "figure", "mixed", "unanswerable"]
Format = Literal["Str", "Int", "Float", "List", "None"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `where` names a figure or table of the book, or quotes a sentence."""

    doc: str
    question: str
    answer: str
    kind: Kind
    where: str = ""
    answer_format: Format = "Str"


def question_lines(books: Mapping[str, Book], pdfs: Mapping[str, bytes]) -> str:
    """All questions as JSON lines, with pages and boxes as printed.

    Raises:
        ValueError: A quoted sentence is not on exactly one page.
    """
    rows = [_record(f"s{n:02}", item, books, pdfs) for n, item in enumerate(QUESTIONS, 1)]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _record(
    name: str, item: Question, books: Mapping[str, Book], pdfs: Mapping[str, bytes]
) -> dict[str, object]:
    row: dict[str, object] = {
        "id": name,
        "doc": item.doc,
        "question": item.question,
        "answer": item.answer,
        "answer_format": item.answer_format,
        "pages": [],
        "kind": item.kind,
        "regions": [],
    }
    if item.kind == "unanswerable":
        return row
    if item.doc not in books:
        return row | {"anchor_text": item.where}
    place = books[item.doc].places.get(item.where)
    if place is None:
        return row | {"pages": [_page_of(item.where, pdfs[item.doc])]}
    region = {"page": place.page, "bbox": list(place.bbox)}
    return row | {"pages": [place.page], "regions": [region]}


def _page_of(sentence: str, pdf: bytes) -> int:
    with pymupdf.open(stream=pdf) as document:
        pages = [n for n, page in enumerate(document, 1) if sentence in _plain(page.get_text())]
    if len(pages) != 1:
        message = f"Quote a sentence that stands on one page: {sentence!r} is on {pages}."
        raise ValueError(message)
    return pages[0]


def _plain(text: str) -> str:
    return " ".join(text.split())


_REPORT = "annual-report-2024.pdf"
_BOOK = "turbine-handbook.pdf"
_SURVEY = "seabed-survey-2023.pdf"
_BULLETIN = "safety-bulletin-07.pdf"
_SLIDES = "roadmap-2030.pdf"
_VISIT = "visitor-centre.html"
_WILD = "wildlife-watch.html"

QUESTIONS = (
    # Text
    Question(
        _REPORT,
        "When did a winter storm break the mooring of the work barge?",
        "14 January",
        "text",
        "A winter storm on 14 January broke the mooring",
    ),
    Question(
        _REPORT,
        "How much did the community fund give for the Ollen lifeboat?",
        "68,000 euros",
        "text",
        "68,000 euros for a new engine in the Ollen lifeboat",
    ),
    Question(
        _REPORT,
        "What wrapped itself around machine C4 in March?",
        "a fishing net",
        "text",
        "In March a fishing net wrapped itself",
    ),
    Question(
        _REPORT,
        "How many people worked for Veyra Tidal at the end of 2024?",
        "46",
        "text",
        "At the end of the year 46 people worked",
        "Int",
    ),
    Question(
        _BOOK,
        "How long does a new main bearing take to arrive from the maker?",
        "26 weeks",
        "text",
        "A new main bearing from the maker takes 26 weeks",
    ),
    Question(
        _BOOK,
        "In which order are the four locking pins opened?",
        '["1", "3", "2", "4"]',
        "text",
        "in the order 1, 3, 2, 4",
        "List",
    ),
    Question(
        _BOOK,
        "Which part was left out of the cooling system because it failed most?",
        "pump",
        "text",
        "There is no cooling pump",
    ),
    Question(
        _SURVEY,
        "How far had the sand ripples moved between the two crossings?",
        "9 metres",
        "text",
        "they had moved 9 metres to the east",
    ),
    Question(
        _SURVEY,
        "In how many hours of June and July was the swell below the lifting limit?",
        "81 per cent",
        "text",
        "81 per cent of all hours in June and July",
    ),
    Question(
        _SURVEY,
        "How accurate are the soundings on flat ground?",
        "8 centimetres",
        "text",
        "8 centimetres on flat ground",
    ),
    Question(
        _BULLETIN,
        "How far did the load drop when the hook opened?",
        "40 centimetres",
        "text",
        "The load dropped 40 centimetres",
    ),
    Question(
        _BULLETIN,
        "Which number do I ring to tell about a near miss?",
        "4417",
        "text",
        "Ring the duty phone on 4417",
        "Int",
    ),
    Question(
        _SLIDES,
        "What is the regional grant tied to?",
        "12 permanent jobs",
        "text",
        "tied to 12 permanent jobs",
    ),
    Question(
        _VISIT,
        "Which bus goes from the station to the visitor centre?",
        "12",
        "text",
        "From the railway station take bus 12 to the stop North Quay",
        "Int",
    ),
    Question(
        _WILD,
        "How close do porpoises come to a turning rotor?",
        "60 metres",
        "text",
        "keep a distance of some 60 metres from a turning rotor",
    ),
    # Tables
    Question(_REPORT, "What was the availability of Row A in 2024?", "90.4 %", "table", "rows"),
    Question(
        _REPORT,
        "What was the result before tax in 2023, in million euros?",
        "1.5",
        "table",
        "result",
        "Float",
    ),
    Question(
        _REPORT, "Since when has Maren Okafor been on the board?", "2020", "table", "board", "Int"
    ),
    Question(
        _BOOK,
        "What must the crew do when the panel shows E15?",
        "Lift at the next neap tide",
        "table",
        "faults",
    ),
    Question(_BOOK, "What is the rotor diameter of a Kittiwake 2?", "18.5 m", "table", "data"),
    Question(
        _SURVEY,
        "What kind of bottom is under the current meter in Ollen Deep?",
        "clay",
        "table",
        "stations",
    ),
    Question(
        _BULLETIN,
        "By when was a second camera to be fitted to the crane boom?",
        "15 October",
        "table",
        "actions",
    ),
    Question(
        _SLIDES,
        "How long would the cable from the east mouth to the hub be?",
        "3.4 km",
        "table",
        "options",
    ),
    Question(
        _WILD,
        "How many pairs of Arctic tern bred on Brae Holm in 2024?",
        "88",
        "table",
        "Breeding pairs on Brae Holm",
        "Int",
    ),
    # Figures
    Question(
        _REPORT,
        "How many GWh did the fleet make from July to September 2023?",
        "14.9",
        "figure",
        "output",
        "Float",
    ),
    Question(_REPORT, "Which row lies nearest to Brae Holm light?", "Row C", "figure", "fleet"),
    Question(_REPORT, "What share of the revenue is spot market?", "22 %", "figure", "income"),
    Question(
        _REPORT,
        "How much did spare parts cost in 2024, in million euros?",
        "1.7",
        "figure",
        "costs",
        "Float",
    ),
    Question(_BOOK, "What voltage does the transformer give?", "11 kV", "figure", "train"),
    Question(
        _BOOK, "At which current does a Kittiwake 2 cut out?", "4.2", "figure", "curve", "Float"
    ),
    Question(
        _BOOK,
        "Which neighbour stayed healthy while the temperature of A2 rose?",
        "A3",
        "figure",
        "bearing",
    ),
    Question(_BOOK, "How heavy is the tripod of a Kittiwake 2?", "118 t", "figure", "side"),
    Question(_SURVEY, "Which bank lies closest to Port Ansel?", "Ansel Bank", "figure", "relief"),
    Question(
        _SURVEY,
        "How fast is the current at its peak during neap tide?",
        "1.9 m/s",
        "figure",
        "tide",
    ),
    Question(_SURVEY, "How many animals were counted on gravel?", "96", "figure", "animals", "Int"),
    Question(
        _BULLETIN, "How many slips on wet decks have there been?", "19", "figure", "misses", "Int"
    ),
    Question(
        _BULLETIN,
        "What has to be clear of the rotor before a lift goes on?",
        "Tag lines",
        "figure",
        "tree",
    ),
    Question(
        _SLIDES, "What output is planned for 2030, in GWh a year?", "104", "figure", "growth", "Int"
    ),
    Question(
        _SLIDES,
        "How large is the regional grant in 2027, in million euros?",
        "6.0",
        "figure",
        "budget",
        "Float",
    ),
    Question(
        _SLIDES,
        "Which risk is judged both likely and serious?",
        "Steel price up a fifth",
        "figure",
        "risks",
    ),
    Question(
        _VISIT,
        "Which room of the visitor centre has anemones and crabs?",
        "Touch tank",
        "figure",
        "Rooms on the ground floor; all doors are wide enough for wheelchairs.",
    ),
    Question(
        _WILD,
        "In which month were most grey seals on the skerries?",
        "October",
        "figure",
        "Animals hauled out below the light in 2024, highest count in red.",
    ),
    Question(
        _BULLETIN,
        "What does the scanned inspection sheet say about the latch spring of hook H-7?",
        "Reject",
        "mixed",
        "sheet",
    ),
    # Not in the documents
    Question(
        _REPORT,
        "What does the managing director earn?",
        "Not answerable",
        "unanswerable",
        "",
        "None",
    ),
    Question(
        _BOOK, "Which company makes the main bearing?", "Not answerable", "unanswerable", "", "None"
    ),
    Question(
        _REPORT,
        "Which price per kilowatt hour was agreed with the hospital?",
        "Not answerable",
        "unanswerable",
        "",
        "None",
    ),
    Question(
        _VISIT,
        "What does a ticket for the visitor centre cost?",
        "Not answerable",
        "unanswerable",
        "",
        "None",
    ),
)
