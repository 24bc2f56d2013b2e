"""Writes the sample documents and their questions; the same bytes on every run.

Run `python -m sample_data.make [FOLDER]` from the root of the repository.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from sample_data.press.annual_report import annual_report
from sample_data.press.book import Book
from sample_data.press.briefing import briefing
from sample_data.press.bulletin import bulletin
from sample_data.press.handbook import handbook
from sample_data.press.questions import question_lines
from sample_data.press.survey import survey
from sample_data.press.web_pages import visitor_centre, wildlife_watch

BOOKS: dict[str, Callable[[], Book]] = {
    "annual-report-2024.pdf": annual_report,
    "turbine-handbook.pdf": handbook,
    "seabed-survey-2023.pdf": survey,
    "safety-bulletin-07.pdf": bulletin,
    "roadmap-2030.pdf": briefing,
}


def build(folder: Path) -> list[Path]:
    """Write all files into the folder; returns their paths in the order written."""
    books = {name: make() for name, make in BOOKS.items()}
    pdfs = {name: book.to_bytes() for name, book in books.items()}
    files = pdfs | visitor_centre() | wildlife_watch()
    files["questions.jsonl"] = question_lines(books, pdfs).encode()
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
