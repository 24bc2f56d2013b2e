"""What a page calls itself: the number printed on it, or the label the file gives it.

People ask for "page 12" by what they read on the page; front matter and journals shift
that against the count of pages. Pure; knows numbers, no PDF.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.parts import ParsedPage

NEAR = 2  # pages apart at most for one printed number to confirm another
MIN_SHIFTED = 3  # pages in a row that must agree before a shift is believed


class PageLabels:
    """Collects what pages say of themselves while a document is read."""

    def __init__(self) -> None:
        self._own: dict[int, str] = {}
        self._numbers: dict[int, tuple[int, ...]] = {}

    def add(self, page: ParsedPage) -> None:
        """Remember a page; one without a number is passed over."""
        if page.page_number is not None:
            self._own[page.page_number] = page.label
            self._numbers[page.page_number] = page.margin_numbers

    def found(self) -> dict[int, str]:
        """Labels by page: the number printed on it, else what the file calls it."""
        own = {number: label for number, label in self._own.items() if label}
        return {**own, **printed_labels(self._numbers)}


def printed_labels(numbers: Mapping[int, Sequence[int]]) -> dict[int, str]:
    """The printed number of each page where it is sure.

    A number in a margin may be a year or a version as well; a page number rises with the
    pages. So a shift between printed and counted pages is believed where at least three
    pages near each other have it, and pages between two of them have it too. Numbers in
    running text do that by chance as well (tracemonkey.pdf has none printed): where the labels
    do not rise with the pages, only a shift of at least half of the pages is believed.

    Args:
        numbers: Of each page, by its count from 1, the numbers in its margins.

    Returns:
        Labels by page; pages without a sure one are left out.
    """
    shifts = _pages_by_shift(numbers)
    found = _believed(shifts)
    if not _rises(found):
        found = _believed(
            {s: pages for s, pages in shifts.items() if 2 * len(pages) >= len(numbers)}
        )
    return {page: str(number) for page, number in found.items()}


def _believed(shifts: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Printed numbers by page, of shifts that enough pages near each other have."""
    found: dict[int, int] = {}
    for shift, pages in shifts.items():
        for run in _runs(pages):
            if len(run) < MIN_SHIFTED:
                continue
            for page in range(run[0], run[-1] + 1):
                found.setdefault(page, page + shift)
    return found


def _rises(found: Mapping[int, int]) -> bool:
    return all(found[one] < found[other] for one, other in pairwise(sorted(found)))


def _pages_by_shift(numbers: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """Pages in order by how far a number in their margin is from their count, most pages first."""
    shifts: dict[int, list[int]] = {}
    for page in sorted(numbers):
        for number in dict.fromkeys(numbers[page]):
            if number > 0:
                shifts.setdefault(number - page, []).append(page)
    return dict(sorted(shifts.items(), key=lambda entry: -len(entry[1])))


def _runs(pages: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for page in pages:
        if runs and page - runs[-1][-1] <= NEAR:
            runs[-1].append(page)
        else:
            runs.append([page])
    return runs
