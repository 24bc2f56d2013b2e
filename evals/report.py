"""One run as one HTML page: no script, nothing loaded, every text escaped. Knows no files."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from evals.measure_words import MEANINGS, NAMES
from evals.metrics import ALL, LATENCY, LATENCY_WITH_MODEL, RANK_KEYS
from evals.ranking import ranked_places
from evals.report_plots import Bar, Dot, bar_plot, dot_plot
from evals.report_style import STYLE
from evals.sets import ANSWER_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from evals.ranking import RankedHit
    from evals.run import Measured, Run
    from evals.sets import Question
    from evals.statistics import Interval
    from evals.summary import Summary

GOOD_RANK = 5  # what a reader looks through
MAX_LISTED = 200
MAX_QUESTION = 300
_KINDS = ("text", "table", "figure")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(run: Run, summary: Summary, settings: Mapping[str, str]) -> str:
    """The whole page."""
    labelled = run.labelled
    title = f"{labelled.name}, searched with {run.embedder}"
    asked = f"{len(run.measured)} labelled questions over {run.document_count} documents."
    body = [
        f'<header><h1>{escape(title)}</h1><p class="lead">{asked}</p></header>',
        _strip(run, summary),
        f'<section class="plots"><div>{_dots(run, summary)}</div>'
        f"<div>{_ranks(run)}</div></section>",
        _section("All measures", _how_drawn(run), _measures(run, summary)),
        _by_kind(summary),
        _to_look_at(run),
        _left_out(run),
        _section("What the measures mean", "", _terms(_meanings(summary))),
        _section("Settings and versions", "", _terms(settings.items())),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def first_rank(each: Measured, run: Run) -> int | None:
    """The place of the first right page or document, from 1; None when it was not found."""
    places = ranked_places(each.found.hits, run.labelled.kind)
    right = (i for i, name in enumerate(places, 1) if each.question.relevant.get(name, 0) > 0)
    return next(right, None)


# -- numbers ------------------------------------------------------------------------------


def _strip(run: Run, summary: Summary) -> str:
    is_pages = run.labelled.kind == "pages"
    keys = (
        ("recall@5", "ndcg@10", "figure_hit_rate@5", "figure_intrusion@8", "text_loss")
        if is_pages
        else ("ndcg@10", "recall@5", "recall@10", "mrr")
    )
    names = {"recall@5": "Right page in first 5"} if is_pages else {}
    cells = [
        (names.get(key, NAMES[key]), f"{value:.3f}", _span(summary.intervals.get(key), " to "))
        for key in keys
        if (value := summary.metrics.get(key)) is not None
    ]
    cells += _refusals(run)
    latency = summary.metrics.get(LATENCY)
    if latency is not None:
        cells.append(("Slowest 5 %", f"{latency:.0f} ms", "without the model"))
    inner = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{value} <small>{small}</small></dd></div>"
        for name, value, small in cells
    )
    return f'<dl class="strip">{inner}</dl>'


def _refusals(run: Run) -> list[tuple[str, str, str]]:
    asked = [each for each in run.measured if not each.question.is_answerable]
    if not asked:
        return []
    refused = sum(not each.found.has_evidence for each in asked)
    wrongly = sum(m.question.is_answerable and not m.found.has_evidence for m in run.measured)
    return [("Refused rightly", f"{refused} of {len(asked)}", f"and {wrongly} wrongly")]


def _dots(run: Run, summary: Summary) -> str:
    if run.labelled.kind == "beir":
        rows = [
            Dot(label=NAMES[key], value=value, interval=summary.intervals.get(key))
            for key in RANK_KEYS
            if (value := summary.metrics.get(key)) is not None
        ]
        head = "<h2>Measures over all questions</h2>"
        return f'{head}<p class="note">With 95 % ranges.</p>{dot_plot(rows, "Measures")}'
    rows = [
        Dot(
            label=f"{_capital(kind)} ({summary.kind_counts[kind]})",
            value=value,
            interval=summary.by_kind_intervals[kind].get("recall@5"),
            other=values.get(f"recall@5{ALL}"),
        )
        for kind, values in summary.by_kind.items()
        if (value := values.get("recall@5")) is not None
    ]
    head = "<h2>Right page in first 5, by kind of question</h2>"
    note = "Filled: inside the document, with 95 % range. Open: whole collection."
    return f'{head}<p class="note">{note}</p>{dot_plot(rows, "Recall of pages at 5 by kind")}'


def _ranks(run: Run) -> str:
    ranks = [first_rank(each, run) for each in run.measured if each.question.is_ranked]
    found = [rank for rank in ranks if rank is not None]
    bars = [Bar(label=str(rank), count=found.count(rank)) for rank in range(1, GOOD_RANK + 1)]
    bars += [
        Bar(label="6–10", count=sum(5 < rank <= 10 for rank in found), is_late=True),
        Bar(label="later", count=sum(rank > 10 for rank in found), is_late=True),
        Bar(label="none", count=ranks.count(None), is_late=True),
    ]
    what = "page" if run.labelled.kind == "pages" else "document"
    head = f'<h2>Rank of the first right {what}</h2><p class="note">Number of questions.</p>'
    return f"{head}{bar_plot(bars, f'Ranks of the first right {what}')}"


def _how_drawn(run: Run) -> str:
    unit = "questions" if run.labelled.kind == "beir" else "whole documents"
    return f"95 % ranges from 10,000 bootstrap samples of {unit}."


def _measures(run: Run, summary: Summary) -> str:
    scopes = [""] if run.labelled.kind == "beir" else ["", ALL]
    heads = ["All documents"] if len(scopes) == 1 else ["Inside the document", "Whole collection"]
    rows = []
    for key, name in NAMES.items():
        cells = [_measure_cell(f"{key}{scope}", summary) for scope in scopes]
        if any(cells):
            rows.append(f"<tr><td>{escape(name)}</td>{_cells(cells)}</tr>")
    return _table(["Measure", *heads], rows, numbers_from=1)


def _measure_cell(key: str, summary: Summary) -> str:
    value = summary.metrics.get(key)
    if value is None:
        return ""
    if key.startswith((LATENCY, LATENCY_WITH_MODEL)):
        return f"{value:.1f}"
    span = _span(summary.intervals.get(key), " to ")
    return f"{value:.3f} <small>{span}</small>" if span else f"{value:.3f}"


def _by_kind(summary: Summary) -> str:
    kinds = list(summary.by_kind)
    if not kinds:
        return ""
    rows = []
    for key, name in NAMES.items():
        if key == "refusal_precision":  # 0 or 1 by definition, once kinds are told apart
            continue
        cells = [
            _value_cell(summary.by_kind[k].get(key), summary.by_kind_intervals[k].get(key))
            for k in kinds
        ]
        if any(cells):
            rows.append(f"<tr><td>{escape(name)}</td>{_cells(cells)}</tr>")
    heads = ["Measure", *(f"{_capital(k)} ({summary.kind_counts[k]})" for k in kinds)]
    note = "Inside the document. A kind with questions on one document only has no range."
    return _section("By kind", note, _table(heads, rows, numbers_from=1))


def _value_cell(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return ""
    span = f"<br><small>{interval[0]:.2f} to {interval[1]:.2f}</small>" if interval else ""
    return f"{value:.2f}{span}"


# -- questions ----------------------------------------------------------------------------


def _to_look_at(run: Run) -> str:
    ranked = [each for each in run.measured if each.question.is_ranked]
    late = [(each, first_rank(each, run)) for each in ranked]
    late = [(each, rank) for each, rank in late if rank is None or rank > GOOD_RANK]
    if not late:
        return _section("Questions to look at", f"None of {len(ranked)}.", "")
    note = f"{len(late)} of {len(ranked)} have nothing right in the first {GOOD_RANK}."
    if len(late) > MAX_LISTED:
        note += f" The first {MAX_LISTED} are listed; per_query.jsonl has all."
    has_kinds = run.labelled.kind == "pages"
    rows = [_question_row(each, rank, has_kinds) for each, rank in late[:MAX_LISTED]]
    heads = ["Question", *(["Kind"] if has_kinds else []), "Expected", "Found first", "Result"]
    return _section("Questions to look at", note, _table(heads, rows))


def _question_row(each: Measured, rank: int | None, has_kinds: bool) -> str:
    question = each.question
    first = each.found.hits[0] if each.found.hits else None
    words = " ".join(question.text.split())
    if len(words) > MAX_QUESTION:
        words = words[:MAX_QUESTION].rstrip() + " …"
    result = (
        '<span class="badge err">Not found</span>'
        if rank is None
        else f'<span class="badge warn">Rank {int(rank)}</span>'
    )
    kind = f"<td>{_kind(question.kind)}</td>" if has_kinds else ""
    return (
        f'<tr><td class="q" dir="auto">{escape(words)}</td>{kind}'
        f"<td>{escape(_expected(question))}</td><td>{escape(_where(first))}</td>"
        f"<td>{result}</td></tr>"
    )


def _expected(question: Question) -> str:
    names = [name for name, grade in question.relevant.items() if grade > 0]
    if names == [ANSWER_WORDS]:
        return f"{question.document}, “{question.words}”"
    if question.document is not None:
        pages = [name.removeprefix(f"{question.document}#") for name in names]
        return f"{question.document}, p. {', '.join(pages)}"
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _where(hit: RankedHit | None) -> str:
    if hit is None:
        return "nothing"
    return f"{hit.document}, p. {hit.pages[0]}" if hit.regions else hit.document


def _left_out(run: Run) -> str:
    lines = [f"{name} is missing; its questions were left out." for name in run.labelled.missing]
    lines += [
        f"{name} could not be read, its questions count as not found: {why}"
        for name, why in run.failed.items()
    ]
    lines += run.labelled.notes
    if not lines:
        return ""
    rows = [f"<tr><td>{escape(line)}</td></tr>" for line in lines[:MAX_LISTED]]
    return _section("Left out", "", _table(["What and why"], rows))


# -- pieces -------------------------------------------------------------------------------


def _section(title: str, note: str, body: str) -> str:
    words = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{words}{body}</section>"


def _table(heads: Sequence[str], rows: Sequence[str], numbers_from: int | None = None) -> str:
    cells = "".join(
        f"<th{_number_class(numbers_from is not None and i >= numbers_from)}>{escape(head)}</th>"
        for i, head in enumerate(heads)
    )
    return (
        f'<div class="wide"><table><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cells(cells: Iterable[str]) -> str:
    return "".join(f'<td class="n">{cell}</td>' for cell in cells)


def _number_class(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _terms(rows: Iterable[tuple[str, str]]) -> str:
    inner = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in rows)
    return f'<dl class="terms">{inner}</dl>'


def _meanings(summary: Summary) -> list[tuple[str, str]]:
    return [
        (NAMES.get(key, "Recall@k"), words)
        for key, words in MEANINGS.items()
        if summary.metrics.get(key.replace("@k", "@5")) is not None
    ]


def _span(interval: Interval | None, between: str) -> str:
    return f"{interval[0]:.3f}{between}{interval[1]:.3f}" if interval is not None else ""


def _kind(kind: str) -> str:
    style = f"k-{kind}" if kind in _KINDS else "k-other"
    return f'<span class="kind {style}">{escape(_capital(kind))}</span>'


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
