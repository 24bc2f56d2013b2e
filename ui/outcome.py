"""What a finished turn tells: sources, quotes, notes, badges. Pure; page and export share it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rag.answer import PICTURES_HIDDEN_TEXT
from rag.extractive import TITLE
from ui.quoted_words import fold
from ui.web import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.turn import Turn
    from rag.types import Answer, Source
    from ui.web.pieces import Tone

INTERRUPTED = "Folio ended before this answer did."
STOPPED = "You stopped this answer."
MODEL_DOWN = (
    "The language model did not answer.",
    "Here are the passages and figures that match.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A note about a turn: a bold first sentence, the rest, and a quiet line under it."""

    tone: Literal["info", "warn", "err"]
    strong: str
    rest: str = ""
    below: str = ""
    under: bool = False  # it stands under the words, where they break off


def shown_sources(turn: Turn) -> tuple[Source, ...]:
    """Those the answer cites, at the place of the quote; all of them when it cites none."""
    cited = {c.marker: c.hit for c in turn.answer.citations} if turn.answer else {}
    shown = (replace(s, hit=cited[s.marker]) for s in turn.sources if s.marker in cited)
    return tuple(shown) or turn.sources


def quote_of(answer: Answer | None, source: Source) -> str:
    """The words that carry the answer, else the start of the source's own words."""
    return quoted(answer, source) or source.hit.item.text or source.hit.item.caption


def quoted(answer: Answer | None, source: Source) -> str:
    """The words that carry the answer; "" when nothing is known to."""
    citations = answer.citations if answer else ()
    return next((c.quote for c in citations if c.marker == source.marker), "")


def table_rows(markdown: str) -> list[list[str]]:
    """Cells of a Markdown table, the head first, the rule left out."""
    lines = [line.strip() for line in markdown.splitlines() if line.strip().startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if not all(set(cell) <= set("-: ") for cell in row)]


def quoted_rows(table: str, quote: str) -> list[list[str]]:
    """The rows of a table that a quote holds, under its head; else the quote's own rows.

    A head alone says nothing: then the whole table.
    """
    rows = table_rows(table)
    words = fold(quote)
    body = [row for row in rows[1:] if (cells := fold(" ".join(row))) and cells in words]
    if body:
        return [rows[0], *body]
    own = table_rows(quote)
    return rows if own == rows[:1] else own


def heading_of(turn: Turn) -> str:
    """What stands above the sources."""
    answer = turn.answer
    if answer is not None and answer.abstained:
        return "Closest passages"
    if answer is not None and not answer.citations:
        return "Found, but not cited"
    return "Sources"


def badges_of(turn: Turn) -> list[tuple[Tone, str]]:
    """What to know about an answer, in a word or two each."""
    answer = turn.answer
    found: list[tuple[Tone, str]] = []
    if answer is None:
        return found
    if answer.abstained:
        found.append(("search", "No answer in these documents"))
    elif answer.mode == "extractive":
        found.append(("quote", TITLE))
    elif answer.unsupported:
        found += wording.doubt_badges(answer.unsupported)
    elif answer.citations and answer.finish == "stop":
        found.append(("ok", "Every sentence supported"))
    # Stopped, but not by the visitor: it was too long, or nobody came back to it.
    if answer.finish in ("length", "cut_off") or (answer.finish == "stopped" and not turn.stopped):
        found.append(("warn", "The answer was cut off"))
    if answer.mode == "llm":
        found += wording.blind_badges(answer, with_picture=turn.picture is not None)
    if turn.still_read:
        found.append(("warn", wording.still_read(turn.still_read)))
    return found


def notes_of(turn: Turn) -> Iterator[Told]:
    """What went wrong or was left out, above the answer; last, why it breaks off."""
    answer = turn.answer
    if turn.failure:
        yield Told(tone="err", strong=turn.failure)
    if answer is not None and answer.error is not None:
        strong, rest = MODEL_DOWN
        below = answer.error.message
        if answer.mode == "llm" and answer.error.kind == "cut_off":
            strong, rest, below = "The answer broke off.", "Try again for the whole of it.", ""
        elif answer.mode == "llm":
            strong, rest = "The language model did not answer to the end.", ""
        elif answer.abstained:
            rest = ""
        yield Told(tone="warn", strong=strong, rest=rest, below=below)
    for sentences in answer.notes if answer is not None else ():
        first, stop, rest = sentences.partition(". ")
        yield Told(tone="info", strong=first + stop.strip(), rest=rest)
    if turn.stopped or turn.interrupted:
        strong = INTERRUPTED if turn.interrupted else STOPPED
        yield Told(tone="info", strong=strong, rest=_what_is_left(turn), under=True)


def words_of(turn: Turn) -> str:
    """What was written; a badge says that pictures were not shown to the model."""
    return turn.text.removesuffix(PICTURES_HIDDEN_TEXT).rstrip()


def _what_is_left(turn: Turn) -> str:
    if turn.text:
        return "What was written so far is kept."
    found = " What was found is listed here." if turn.sources else ""
    return f"Nothing was written yet.{found}"


def cost(dollars: float | None) -> str:
    """Dollars of one answer, or that nobody knows."""
    if dollars is None:
        return "cost unknown"
    if dollars == 0:
        return "$0"
    return "under $0.0001" if dollars < 0.0001 else f"${dollars:,.4f}"
