"""The Test page, run without a browser; and the advice it gives."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest
from streamlit.util import calc_hash

from evals.advice import FEW
from evals.trial_report import Share, report_of
from rag.types import Source
from tests.ui.conftest import page_html
from tests.ui.scripted import make_document, make_hit
from tests.ui.scripted_trial import ScriptedTrial, TriedServices, make_found, make_question
from ui.trial import TrialView
from ui.web import plots, state

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from tests.ui.conftest import Open

KINDS: Any = ("text", "table", "figure")


def open_test(open_app: Open, trial: ScriptedTrial, *, empty: bool = False) -> AppTest:
    library = [] if empty else [make_document("report.pdf")]
    app = open_app(TriedServices(library=library, trial=trial))
    app._page_hash = calc_hash("test")
    return app.run()


def test_an_empty_library_says_what_to_do_and_offers_no_run(open_app: Open) -> None:
    app = open_test(open_app, ScriptedTrial(), empty=True)

    assert "There is no document to test." in page_html(app)
    assert "test-run" not in [button.key for button in app.button]


def test_before_the_first_run_it_says_what_will_be_tested_and_how_long(open_app: Open) -> None:
    trial = ScriptedTrial(left_out={"jina": "Its licence has not been accepted."})
    app = open_test(open_app, trial)

    html = page_html(app)
    assert "To be tested: minilm, nomic. At most about 4 min" in html
    assert "jina: Its licence has not been accepted." in html
    app.button(key="test-run").click().run()
    assert trial.done == ["start"]


def test_results_show_shares_with_ranges_models_side_by_side_and_what_was_missed(
    open_app: Open,
) -> None:
    found = make_found({"minilm": [1] * 20 + [7, None], "nomic": [2] * 22}, kinds=KINDS)
    html = page_html(open_test(open_app, ScriptedTrial(found=found)))

    assert "22 questions with known answers, made from 1 document." in html
    assert "91 % <small>72 to 97</small>" in html
    assert "7.2 s" in html
    assert "120.0 MB" in html
    assert "Rank 7" in html
    assert "Not found" in html
    assert "report.pdf, p. 22" in html
    assert "2 of 22" in html


def test_a_click_on_a_missed_question_opens_its_source(open_app: Open) -> None:
    document = make_document("report.pdf")
    trial = ScriptedTrial(
        found=make_found({"minilm": [None]}), opened=[Source(marker=1, hit=make_hit(document))]
    )
    app = open_test(open_app, trial)

    assert 'href="#cite-9998-1"' in page_html(app)
    app.session_state[state.OPEN] = state.OpenSource(turn=state.LOOSE_TURN, marker=1)
    assert "Output rose 42 per cent" in page_html(app.run())


def test_run_again_and_go_on_are_told_apart(open_app: Open) -> None:
    trial = ScriptedTrial(found=make_found({"minilm": [1]}))
    open_test(open_app, trial).button(key="test-run").click().run()
    trial.complete = False
    app = open_test(open_app, trial)
    assert app.button(key="test-run").label == "Go on"
    app.button(key="test-run").click().run()

    assert trial.done == ["again", "start"]


def test_a_running_test_shows_how_far_it_is_and_can_be_cancelled(open_app: Open) -> None:
    view = TrialView(
        state="running", stage="embedding", embedder="nomic", place=2, of=3, done=40, total=99,
        remaining_s=130.0,
    )  # fmt: skip
    trial = ScriptedTrial(shown=view)
    app = open_test(open_app, trial)

    assert "nomic, 2 of 3" in page_html(app)
    assert "40 of 99 items embedded, about 2 min left in all" in page_html(app)
    app.button(key="test-cancel").click().run()
    assert trial.done == ["cancel"]


def test_what_failed_or_is_refused_is_one_sentence(open_app: Open) -> None:
    trial = ScriptedTrial(
        shown=TrialView(state="failed", failure="The disk is nearly full."), refusal="Wait."
    )
    app = open_test(open_app, trial)
    assert "The disk is nearly full." in page_html(app)
    app.button(key="acts-test-dismiss").click().run()
    assert "The disk is nearly full." not in page_html(app)

    app.button(key="test-run").click().run()

    assert "The test was not started." in page_html(app)


def test_stale_results_are_not_shown(open_app: Open) -> None:
    html = page_html(open_test(open_app, ScriptedTrial(stale=True)))

    assert "The library has changed since the last test." in html


def test_one_question_of_text_only_divides_nothing_by_zero(open_app: Open) -> None:
    html = page_html(open_test(open_app, ScriptedTrial(found=make_found({"minilm": [1]}))))

    assert "100 % <small>21 to 100</small>" in html
    assert "Every right page was among the first 5." in html


def test_hostile_words_of_a_document_show_as_words(open_app: Open) -> None:
    found = make_found({"minilm": [None]})
    found.questions[0] = make_question(0, text="<img src=x onerror=alert(1)>")
    html = page_html(open_test(open_app, ScriptedTrial(found=found)))

    assert "<img" not in html
    assert "&lt;img src=x" in html


# -- numbers and advice -----------------------------------------------------------------------


def advice(**ranks: list[int | None]) -> str:
    return report_of(make_found(dict(ranks)), in_use="minilm").advice  # type: ignore[arg-type] # lists are sequences


def test_few_questions_choose_no_model() -> None:
    assert "too few to choose" in advice(minilm=[1] * (FEW - 1), nomic=[None] * (FEW - 1))


def test_one_model_alone_is_said_to_be_alone() -> None:
    assert advice(minilm=[1] * 40).startswith("Only minilm was tested")


def test_a_small_difference_is_called_what_it_is() -> None:
    said = advice(minilm=[1] * 50 + [None] * 10, nomic=[1] * 52 + [None] * 8)

    assert said.startswith("Nothing here speaks for another model than minilm")
    assert "their ranges overlap" in said


def test_a_large_difference_is_recommended_with_its_p() -> None:
    said = advice(minilm=[1] * 20 + [None] * 40, nomic=[1] * 58 + [None] * 2)

    assert said.startswith("nomic suits these documents better than minilm")
    assert "their ranges are apart" in said
    assert "(p = 0.001)" in said


def test_the_best_in_use_is_kept() -> None:
    apart = advice(minilm=[1] * 58 + [None] * 2, nomic=[1] * 20 + [None] * 40)
    even = advice(minilm=[1] * 58 + [None] * 2, nomic=[1] * 57 + [None] * 3)

    assert apart.startswith("Stay with minilm")
    assert "no range of another model reaches its own" in apart
    assert "cannot tell minilm from nomic" in even


def test_a_model_with_half_of_its_answers_has_no_standing() -> None:
    found = make_found({"minilm": [1] * 30, "nomic": [1] * 30})
    found.outcomes.pop()

    assert [one.name for one in report_of(found, in_use="minilm").standings] == ["minilm"]


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)],
)
def test_ranges_of_shares_are_wilsons(hits: int, count: int, low: float, high: float) -> None:
    found_low, found_high = Share(hits=hits, count=count).interval

    assert found_low == pytest.approx(low, abs=1e-4)
    assert found_high == pytest.approx(high, abs=1e-4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_plots_are_well_formed_whatever_a_name_holds(scheme: plots.Scheme) -> None:
    row = plots.Dot(name="<a> & b", value=1.0, low=0.0, high=1.0, other=0.5)

    for drawn in (
        plots.dots([row], scheme),
        plots.dots([], scheme),
        plots.bars([("<1>", 3), ("2", 0)], scheme),
        plots.bars([], scheme),
    ):
        assert ET.fromstring(drawn).tag.endswith("svg")


def test_plots_say_in_words_what_they_show() -> None:
    row = plots.Dot(name="Text", value=0.94, low=0.8, high=1.0, other=0.5)

    assert plots.dots_words([row]) == "Text: 94 %, range 80 % to 100 %, keywords alone 50 %"
    assert plots.bars_words([("1", 3), ("not found", 0)]) == "1: 3; not found: 0"
