"""The Test page: questions made from the reader's own documents, and which model finds them.

Knows widgets and words. The job and its results are in `ui.trial`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from evals.outcome import TOP, is_right
from rag.embed.choice import parse_choice
from rag.errors import RagError
from ui.views import duration_words
from ui.web import notices, pieces, plots, polling, selection, state, trial_pieces, wording
from ui.web.plots import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.trial_report import Report, Share, Standing
    from rag.types import Kind
    from ui.services import Services
    from ui.trial import Plan, TrialView

MAX_LOOKED_AT = 30
KIND_NAMES: dict[Kind, str] = {"text": "Text", "table": "Table", "figure": "Figure"}
HOW = (
    "Questions are made from headings, captions, sentences and table cells of your documents, "
    "without a language model. Each has one known place, and every search model on this "
    "computer has to find it."
)
CAVEAT = (
    "The questions use your documents' own words, one of the rarest left out. People ask in "
    "other words, so keywords look better here than they are in use."
)
EXPORT_HELP = "Lines that `folio eval` reads, with the documents beside them in a folder pdfs/"


def show(services: Services) -> None:
    """Draw the page."""
    trial = services.trial
    view = trial.view()
    # What was found before belongs to other questions than those that are being asked.
    is_running = view.state == "running"
    report = trial.report() if services.documents() and not is_running else None
    _head(services, view, report)
    notices.show()
    if not selection.searchable(services.documents()):
        rest = "Add one on Documents; as soon as its text is read, it can be tested."
        st.html(pieces.note("info", "There is no document to test.", rest))
        return
    _failure(services, view)
    _progress(services, view)
    if report is None or not report.standings:
        _before(services, view)
        return
    _results(services, report)


def _head(services: Services, view: TrialView, report: Report | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="test-head"):
        with st.container(width="stretch", gap="xxsmall"):
            st.html(pieces.title("Test my documents") + pieces.meta(_subtitle(report)))
        if report is not None and report.questions:
            st.download_button(
                "Export",
                data=services.trial.export(),
                file_name="questions.jsonl",
                mime="application/x-ndjson",
                icon=":material/download:",
                help=EXPORT_HELP,
                on_click="ignore",
                key="test-export",
            )
        if view.state == "running":
            st.button("Cancel", key="test-cancel", on_click=services.trial.cancel)
        elif selection.searchable(services.documents()):
            word, again = _run_word(services, report)
            st.button(
                word,
                key="test-run",
                type="primary",
                icon=":material/play_arrow:",
                on_click=_start,
                args=(services, again),
            )


def _subtitle(report: Report | None) -> str:
    if report is None or not report.questions:
        return "Which search model finds what in your own documents."
    documents = len({question.document_id for question in report.questions})
    return (
        f"{wording.count(len(report.questions), 'question')} with known answers, made from "
        f"{wording.count(documents, 'document')}."
    )


def _run_word(services: Services, report: Report | None) -> tuple[str, bool]:
    if report is None:
        return "Run", False
    return ("Run again", True) if services.trial.is_complete() else ("Go on", False)


def _start(services: Services, again: bool) -> None:
    try:
        services.trial.start(again=again)
    except RagError as error:
        state.tell(state.Notice(tone="warn", strong="The test was not started.", rest=str(error)))


def _failure(services: Services, view: TrialView) -> None:
    if view.state != "failed":
        return
    st.html(pieces.note("warn", "The test was not finished.", view.failure))
    st.button("Dismiss", key="acts-test-dismiss", type="tertiary", on_click=services.trial.dismiss)


def _progress(services: Services, view: TrialView) -> None:
    if view.state != "running":
        return

    def draw() -> None:
        now = services.trial.view()
        with st.container(key="panel-test"):
            share = now.done / now.total if now.total else 0.0
            st.html(pieces.job(*_stage_words(now), share))

    polling.until(lambda: services.trial.view().state != "running", draw)


def _stage_words(view: TrialView) -> tuple[str, str]:
    rest = "" if view.remaining_s is None else f", {duration_words(view.remaining_s)} left in all"
    name = f"{view.embedder}, {view.place} of {view.of}" if view.of > 1 else view.embedder
    match view.stage:
        case "loading" if view.embedder:
            return name, "Loading the model and measuring its speed"
        case "embedding":
            return name, f"{view.done:,} of {wording.count(view.total, 'item')} embedded{rest}"
        case "asking":
            return name, f"{view.done} of {wording.count(view.total, 'question')} asked{rest}"
    return "Making questions", "From headings, captions, sentences and tables"


def _before(services: Services, view: TrialView) -> None:
    if view.state == "running":
        st.html(pieces.lead(HOW))
        return
    if services.trial.is_stale():
        rest = "What was found before says nothing of it as it is now."
        st.html(pieces.note("info", "The library has changed since the last test.", rest))
    plan = services.trial.plan()
    st.html(pieces.lead(HOW))
    names = ", ".join(plan.names) or "none"
    line = f"To be tested: {names}. {_time_words(plan)} Questions you ask meanwhile go first."
    st.html(pieces.meta(line))
    _left_out(plan.left_out)


def _time_words(plan: Plan) -> str:
    if not plan.remaining_s:
        return ""
    return f"At most {duration_words(plan.remaining_s)}; what is embedded already costs nothing."


def _left_out(reasons: dict[str, str]) -> None:
    if reasons:
        st.html(pieces.section("Not tested"))
        st.html(pieces.bullets(f"{name}: {why}" for name, why in reasons.items()))


# -- results --------------------------------------------------------------------------------


def _results(services: Services, report: Report) -> None:
    if report.advice:
        st.html(pieces.note("info", *_split(report.advice)))
    shown = _chosen(services, report)
    st.html(pieces.strip(_numbers(shown)))
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        st.html(
            pieces.section(f"Right page in first {TOP}, by kind of question")
            + pieces.meta("Filled: Folio, with 95 % interval. Open: keywords alone.")
        )
        rows = _dots(shown)
        st.image(plots.dots(rows, _scheme()), alt=plots.dots_words(rows))
    with right:
        st.html(pieces.section("Rank of the right page") + pieces.meta("Number of questions"))
        pairs = _ranks(shown)
        st.image(plots.bars(pairs, _scheme(), quiet=2), alt=plots.bars_words(pairs))
    st.html(pieces.meta(CAVEAT))
    st.html(pieces.section("Search models side by side"))
    st.html(trial_pieces.side_by_side(_HEAD, map(_row, report.standings)))
    _to_look_at(services, report, shown)
    _left_out({**services.trial.plan().left_out, **report.left_out})


def _split(advice: str) -> tuple[str, str]:
    """A bold first part and the rest."""
    strong, sign, rest = advice.partition(": ")
    return (strong + ".", rest[:1].upper() + rest[1:]) if sign else (advice, "")


def _chosen(services: Services, report: Report) -> Standing:
    by_name = {standing.name: standing for standing in report.standings}
    used = services.status().embedder
    first = used if used in by_name else report.standings[0].name
    if len(by_name) == 1:
        return by_name[first]
    picked = st.segmented_control(
        "Results of", list(by_name), default=first, required=True, key="test-embedder"
    )
    return by_name.get(str(picked), by_name[first])


def _numbers(shown: Standing) -> list[tuple[str, str, str]]:
    cells = [(f"Right page in first {TOP}", percent(shown.right.value), _range(shown.right))]
    figures = shown.by_kind.get("figure")
    if figures is not None:
        cells.append(("Figure questions", percent(figures.value), _range(figures)))
    cells.append(("Keywords alone", percent(shown.keywords.value), _range(shown.keywords)))
    if shown.stray_pictures is not None:
        cells.append(("Unneeded pictures", f"{shown.stray_pictures:.1f}", "in 8 results"))
    cells.append(("Slowest 5 %", f"{shown.p95_ms:,.0f} ms", ""))
    return cells


def _range(share: Share) -> str:
    low, high = share.interval
    return f"{round(100 * low)} to {round(100 * high)}"


def _dots(shown: Standing) -> list[plots.Dot]:
    kinds = [
        (KIND_NAMES[k], share, shown.keywords_by_kind[k]) for k, share in shown.by_kind.items()
    ]
    everything = [("All", shown.right, shown.keywords)]
    return [
        plots.Dot(
            name=name,
            value=share.value,
            low=share.interval[0],
            high=share.interval[1],
            other=other.value,
        )
        for name, share, other in [*kinds, *(everything if len(kinds) > 1 else [])]
    ]


def _ranks(shown: Standing) -> list[tuple[str, int]]:
    first = [(str(rank), shown.ranks.get(rank, 0)) for rank in range(1, TOP + 1)]
    later = sum(count for rank, count in shown.ranks.items() if rank > TOP)
    missed = shown.right.count - sum(shown.ranks.values())
    return [*first, (f"{TOP + 1} to 10", later), ("not found", missed)]


_HEAD = (
    "Model",
    "Right page first",
    f"In first {TOP}",
    "Text",
    "Table",
    "Figure",
    "Plain cosine order",
    "100 items",
    "Memory",
    "Files",
    "Licence",
)


def _row(standing: Standing) -> list[str]:
    models = parse_choice(standing.name).models
    cost = standing.cost
    kinds = [standing.by_kind.get(kind) for kind in ("text", "table", "figure")]
    seconds = cost.seconds_per_100 if cost else None
    size = sum(0 if facts.is_built_in else facts.size_bytes for facts in models)
    return [
        standing.name,
        f"{percent(standing.first.value)} ({_range(standing.first)})",
        f"{percent(standing.right.value)} ({_range(standing.right)})",
        *(f"{share.hits} of {share.count}" if share else "–" for share in kinds),
        percent(standing.plain.value),
        "–" if seconds is None else f"{seconds:.1f} s",
        wording.size(cost.memory_bytes) if cost else "–",
        wording.size(size) if size else "Built in",
        ", ".join(dict.fromkeys(facts.licence for facts in models)),
    ]


def _scheme() -> plots.Scheme:
    return "dark" if st.context.theme.type == "dark" else "light"


def _to_look_at(services: Services, report: Report, shown: Standing) -> None:
    outcomes = report.outcomes[shown.name]
    missed = [q for q in report.questions if not is_right(outcomes[q.id].rank)]
    total = len(report.questions)
    st.html(pieces.section("Questions to look at", f"{len(missed)} of {total}"))
    if not missed:
        st.html(pieces.meta(f"Every right page was among the first {TOP}."))
        return
    listed = missed[:MAX_LOOKED_AT]
    sources = services.trial.sources(listed)
    state.set_loose_sources([source for source in sources if source is not None])
    markers = {i: s.marker for i, s in enumerate(sources) if s is not None}
    rows = [
        trial_pieces.Missed(
            question=question.text,
            target=f"{state.LOOSE_TURN}-{markers[i]}" if i in markers else "",
            kind=question.kind,
            expected=_place(question.document_name, question.pages),
            found=_place(outcomes[question.id].first_document, (outcomes[question.id].first_page,)),
            rank=outcomes[question.id].rank,
        )
        for i, question in enumerate(listed)
    ]
    st.html(trial_pieces.missed(rows))


def _place(document: str, pages: Sequence[int | None]) -> str:
    if not document:
        return "nothing"
    known = [str(page) for page in pages if page]
    name = wording.cut_name(document)
    return f"{name}, p. {' and '.join(known[:2])}" if known else name
