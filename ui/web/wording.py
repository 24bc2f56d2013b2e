"""Values as short plain words: places, counts, states, times. Pure."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ui.views import duration_words, needs_password

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Answer, Document, DocumentState, Doubt, Hit, Unsupported
    from ui.models import ModelJob
    from ui.views import Progress
    from ui.web.pieces import Tone
    from ui.worker import Series

TITLE_CHARS = 90
LABEL_CHARS = 12  # of a page's own name
NAME_CHARS = 120
KINDS_SHORT = {"text": "Text", "table": "Table", "figure": "Figure", "page": "Page"}


# The word after a doubted sentence. Ours alone: it is drawn unescaped.
DOUBT_WORDS: dict[Doubt, str] = {
    "unsourced": "no source",
    "missing": "check",
    "weak": "weakly supported",
    "figure": "see figure",
}


def cut(text: str, limit: int) -> str:
    """The text, or its start up to a word, with an ellipsis."""
    folded = " ".join(text.split())
    if len(folded) <= limit:
        return folded
    return folded[:limit].rsplit(" ", 1)[0] + "…"


def cut_name(name: str) -> str:
    """A file name, a long one shortened in its middle so that its end stays readable."""
    if len(name) <= NAME_CHARS:
        return name
    return f"{name[:80]}…{name[-38:]}"


def reason(name: str, message: str) -> str:
    """Why a file was refused, said after its name: "It is damaged."."""
    start = f"{name} "
    return f"It {message.removeprefix(start)}" if message.startswith(start) else message


def short_name(name: str) -> str:
    """A file name for a narrow column: two lines at most."""
    return name if len(name) <= 48 else f"{name[:30]}…{name[-16:]}"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its word: 1 page, 2 pages."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def source_title(hit: Hit) -> str:
    """What a source is called: its caption or number, its heading, or its first words."""
    item = hit.item
    if item.kind in ("figure", "table"):
        words = item.caption or item.number or (item.heading[-1] if item.heading else "")
        return cut(words, TITLE_CHARS) or KINDS_SHORT[item.kind]
    if item.kind == "page":
        return f"Page {hit.page_number}" if hit.page_number else "Page"
    return cut(item.heading[-1] if item.heading else item.text, TITLE_CHARS) or "Text"


def source_place(hit: Hit) -> str:
    """File and page, "report.pdf, p. 12"."""
    name = cut_name(hit.document_name)
    return f"{name}, p. {hit.page_number}" if hit.page_number else name


def source_place_long(hit: Hit, page_count: int | None = None, label: str = "") -> str:
    """File and all its pages, "report.pdf, pages 12 and 13 of 48"; other places after them.

    Args:
        hit: The source.
        page_count: Of the document, where it is known.
        label: What the first page calls itself; said where it is another number.
    """
    pages = sorted({region.page_number for region in hit.item.regions})
    where = cut_name(hit.document_name)
    if len(pages) == 1:
        where += f", page {pages[0]}"
    elif pages:
        where += f", pages {', '.join(map(str, pages[:-1]))} and {pages[-1]}"
    if pages and page_count:
        where += f" of {page_count:,}"
    if pages and label not in ("", str(hit.page_number)):
        where += f", printed as page {cut(label, LABEL_CHARS)}"
    if hit.also_in:
        where += f"; also in {count(len(hit.also_in), 'other place')}"
    return where


def picture_alt(hit: Hit) -> str:
    """Words in place of a picture."""
    return f"{source_title(hit)}, {source_place(hit)}"


def contents(document: Document) -> str:
    """What is in a document, "48 pages, 31 figures"; passages where there are no pages."""
    pages = document.page_count
    parts = [count(pages, "page") if pages else count(document.text_count, "passage")]
    if document.figure_count:
        parts.append(count(document.figure_count, "figure"))
    elif document.table_count:
        parts.append(count(document.table_count, "table"))
    return ", ".join(parts)


def library_line(document: Document) -> str:
    """Second line of a row in the sidebar."""
    match document.state:
        case "ready":
            return contents(document)
        case "readable":
            coming = document.figures_pending
            return f"Text ready, {count(coming, 'figure') if coming else 'figures'} to come"
        case "failed":
            if needs_password(document):
                return "Needs its password. See Documents."
            return "Not read. See Documents."
        case "queued":
            return "Waiting"
    return "Being read"


STATE_WORDS: dict[DocumentState, str] = {
    "queued": "Waiting",
    "working": "Reading text",
    "readable": "Reading figures",
    "ready": "Ready",
    "failed": "Not read",
}


def progress_line(progress: Progress) -> str:
    """How far a file is, "Text 31 of 58 pages", "Text is ready. 14 of 37 figures"."""
    if progress.ahead:
        return f"Waits behind {count(progress.ahead, 'file')}"
    if progress.state == "queued":
        return "Waiting"
    again = "Reading again. " if progress.is_again else ""
    return again + _stage_line(progress) + time_left(progress.remaining_s)


def _stage_line(progress: Progress) -> str:
    if progress.state == "readable" or progress.figures_done:
        if progress.figures_total:
            total = count(progress.figures_total, "figure")
            return f"Text is ready. {progress.figures_done} of {total}"
        return "Text is ready. Looking for figures"
    if progress.pages_total:
        return f"Text {progress.pages_done} of {count(progress.pages_total, 'page')}"
    return progress.message.rstrip(".") or "Reading text"


def time_left(seconds: float | None) -> str:
    """The end of a line, ", about 40 s left"; in steps, so that it does not flicker."""
    if seconds is None:
        return ""
    step = 5 if seconds < 60 else 15 if seconds < 300 else 60
    return f", {duration_words(step * max(1, math.ceil(seconds / step)))} left"


def series_line(series: Series) -> str:
    """How far several files are together, "3 of 12 files, about 4 min left"."""
    return f"{series.done:,} of {count(series.total, 'file')}{time_left(series.remaining_s)}"


def left_out(suffixes: Sequence[str]) -> str:
    """Files of a folder that are of no type that is read, "3 left out: .xlsx, .zip"."""
    kinds = [kind or "no type" for kind, _ in Counter(suffixes).most_common()]
    named = ", ".join(cut(kind, 12) for kind in kinds[:6])
    return f"{len(suffixes):,} left out: {named}{' and others' if len(kinds) > 6 else ''}"


def progress_share(progress: Progress) -> float:
    """How far the whole file is, 0 to 1: text is the first half, figures the second."""
    text = progress.pages_done / progress.pages_total if progress.pages_total else 0.0
    if progress.state == "readable":
        text = 1.0
    figures = progress.figures_done / progress.figures_total if progress.figures_total else 0.0
    return min(1.0, 0.5 * min(text, 1.0) + 0.5 * min(figures, 1.0))


def reading_note(progress: Sequence[Progress]) -> tuple[str, str]:
    """Bold start and rest of the note on Ask while files are read."""
    if len(progress) > 1:
        ready = sum(job.state == "readable" for job in progress)
        rest = f" The text of {ready} can be searched now." if ready else ""
        return f"{len(progress)} documents are being read.", rest.strip()
    name = cut_name(progress[0].name)
    if progress[0].state != "readable":
        return f"{name} is being read.", "You can ask about it as soon as its text is ready."
    total, done = progress[0].figures_total, progress[0].figures_done
    rest = f"{done} of {total} figures are ready." if total else "Figures follow."
    return f"{name} is being read.", f"Its text can be searched now; {rest[0].lower()}{rest[1:]}"


def figures_line(progress: Sequence[Progress]) -> str:
    """How many figures of texts that can be searched are ready; "" when none are made."""
    readable = [job for job in progress if job.state == "readable"]
    if not readable:
        return ""
    total = sum(job.figures_total for job in readable)
    if not total:
        return "Text ready, figures to come"
    done = sum(job.figures_done for job in readable)
    return f"Text ready, {done} of {count(total, 'figure')}"


def still_read(names: Sequence[str]) -> str:
    """Which documents were only partly there when an answer was made."""
    if len(names) == 1:
        return f"Answered while {cut_name(names[0])} was still being read"
    return f"Answered while {count(len(names), 'document')} were still being read"


def blind_badges(answer: Answer, *, with_picture: bool) -> list[tuple[Tone, str]]:
    """What a model without eyes was not shown: the picture of the question, or of sources."""
    was_sent = any(part.picture is not None and part.marker is None for part in answer.prompt)
    was_hidden = with_picture and bool(answer.prompt) and not was_sent
    if was_hidden and answer.images_sent:  # it has eyes: only this one did not fit
        return [("warn", "Your picture was not sent to the model.")]
    if not was_hidden and not answer.unseen_pictures:
        return []
    used = "Captions were used." if answer.unseen_pictures else "Yours was searched with."
    return [("warn", f"This model cannot see pictures. {used}")]


def scope_line(ticked: int, searchable: int, reading: int, figures: str = "") -> str:
    """The line under the chat box."""
    if not searchable:
        return (
            "You can ask as soon as the first text is ready"
            if reading
            else "Add a document to start asking"
        )
    if not ticked:
        return "No document is ticked. Tick one in the library to search it"
    line = (
        f"Searching {count(searchable, 'document')}"
        if ticked == searchable
        else f"Searching {ticked} of {count(searchable, 'document')}"
    )
    if reading:
        line = f"{line}, {reading} still being read"
    return f"{line}. {figures}" if figures else line


def doubt_badges(unsupported: Sequence[Unsupported]) -> list[tuple[Tone, str]]:
    """What is to be looked at in an answer: wrong first, weak and pictures more quietly."""
    counts = Counter(one.doubt for one in unsupported)
    found: list[tuple[Tone, str]] = []
    to_check = counts["missing"] + counts["unsourced"]
    if to_check:
        found.append(("warn", f"{count(to_check, 'sentence')} to check"))
    if counts["weak"]:
        found.append(("plain", f"{count(counts['weak'], 'sentence')} weakly supported"))
    if counts["figure"]:
        found.append(("plain", "Read from a picture: see the figure"))
    return found


def size(size_bytes: int) -> str:
    """Bytes as kB, or as MB or GB with one decimal."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1_000))} kB"
    if size_bytes < 1_000_000_000:
        return f"{size_bytes / 1_000_000:.1f} MB"
    return f"{size_bytes / 1_000_000_000:.1f} GB"


def model_job(job: ModelJob) -> tuple[str, str]:
    """Name and progress of a fetch or a switch, "412 of 1,230 vectors, about 4 min left"."""
    rest = "" if job.remaining_s is None else f", {duration_words(job.remaining_s)} left"
    if job.kind == "fetch":
        done = f"{size(job.done)} of {size(job.total)}{rest}" if job.total else "Asking the hub"
        return f"Fetching {job.name}", done
    if not job.total:
        return f"Preparing {job.name}", "Loading the model"
    done = f"{job.done:,} of {count(job.total, 'vector')}{rest}"
    return f"Preparing {job.name}", f"{done}. Questions are answered with the old index meanwhile"


def when(added_at: str, now: datetime | None = None) -> str:
    """A UTC time as "Today 09:41", "Yesterday 17:05" or "2026-11-03", all in UTC."""
    try:
        moment = datetime.fromisoformat(added_at)
    except ValueError:
        return added_at
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC)
    days = ((now or datetime.now(UTC)).date() - moment.date()).days
    if days in (0, 1):
        return f"{('Today', 'Yesterday')[days]} {moment:%H:%M} UTC"
    return f"{moment:%Y-%m-%d}"
