"""An answer being written: what its events add up to, and how it ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from rag.errors import LlmError
from rag.library import Place
from rag.types import AnswerEvent, Done, Restart, Retrieved, Rewritten, Source, Token
from tests.ui.scripted import make_answer, make_document, make_hit
from ui.web import jobs
from ui.web.jobs import AnswerJob, JobBoard, JobView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HIT = make_hit(make_document())
SOURCE = Source(marker=1, hit=HIT)


def _run(ask: Callable[[threading.Event], Iterator[AnswerEvent]]) -> tuple[AnswerJob, JobView]:
    job = AnswerJob("q", ask, describe=lambda error: f"ref for {error}")
    job.start()
    for _ in range(500):
        if job.look().is_done:
            return job, job.look()
        threading.Event().wait(0.01)
    pytest.fail("the job never ended")


def test_tokens_add_up_and_the_finished_answer_replaces_them() -> None:
    answer = make_answer("q", "Rose. [1]", [HIT])

    def ask(_stop: threading.Event) -> Iterator[AnswerEvent]:
        yield Retrieved((SOURCE,))
        yield Token("Ro")
        yield Token("se. 【1】")
        yield Done(answer)

    _, view = _run(ask)

    assert view.text == "Rose. [1]"
    assert view.answer is answer
    assert view.sources == answer.sources


def test_a_restart_forgets_the_tokens_and_keeps_the_reason() -> None:
    def ask(_stop: threading.Event) -> Iterator[AnswerEvent]:
        yield Token("half a sen")
        yield Restart("The model does not answer.")
        yield Token("Quote.")

    _, view = _run(ask)

    assert view.text == "Quote."
    assert view.restarted == "The model does not answer."


def test_stop_reaches_the_answer_and_keeps_what_is_written() -> None:
    written = threading.Event()

    def ask(stop: threading.Event) -> Iterator[AnswerEvent]:
        yield Token("so far")
        written.set()
        stop.wait(5)

    job = AnswerJob("q", ask, describe=str)
    job.start()
    assert written.wait(5)
    job.stop()
    for _ in range(500):
        if job.look().is_done:
            break
        threading.Event().wait(0.01)

    assert job.is_stopped
    assert job.look().text == "so far"
    assert job.look().is_done


def test_an_expected_error_is_its_own_sentence() -> None:
    def ask(_stop: threading.Event) -> Iterator[AnswerEvent]:
        raise LlmError("key", "The key is refused. Check it.")
        yield

    assert _run(ask)[1].failure == "The key is refused. Check it."


def test_an_unforeseen_error_is_described_not_shown() -> None:
    def ask(_stop: threading.Event) -> Iterator[AnswerEvent]:
        raise ZeroDivisionError
        yield

    assert _run(ask)[1].failure.startswith("ref for")


def _run_unseen(minutes: float, ask: Callable[[threading.Event], Iterator[AnswerEvent]]) -> JobView:
    """An answer of which each clock reading is so many minutes after the last look."""
    times = iter([0.0])
    job = AnswerJob("q", ask, describe=str, clock=lambda: next(times, 60 * minutes))
    job.start()
    while not job.is_done:
        threading.Event().wait(0.01)
    return job.look()


def test_an_answer_goes_on_to_its_end_while_the_connection_is_lost_for_three_minutes() -> None:
    def ask(stop: threading.Event) -> Iterator[AnswerEvent]:
        for _ in range(20):
            if stop.is_set():
                return
            yield Token("x")
        yield Done(make_answer("q", "Rose. [1]", [HIT]))

    view = _run_unseen(3.5, ask)

    assert view.answer is not None
    assert view.text == "Rose. [1]"


def test_a_visitor_who_left_ends_the_answer_and_did_not_stop_it() -> None:
    def ask(stop: threading.Event) -> Iterator[AnswerEvent]:
        while not stop.is_set():
            yield Token("x")

    view = _run_unseen(11.0, ask)

    assert view.text.startswith("x")
    assert view.failure == ""


def test_an_endless_answer_stays_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_TEXT", 10)

    def ask(stop: threading.Event) -> Iterator[AnswerEvent]:
        while not stop.is_set():
            yield Token("x" * 4)

    job, view = _run(ask)

    assert view.text == "x" * 10
    assert not job.is_stopped, "nobody did"


def test_how_far_it_is_is_kept_after_each_event_and_whole_before_it_counts_as_done() -> None:
    kept: list[tuple[JobView, bool]] = []
    answer = make_answer("q", "Rose. [1]", [HIT])

    def ask(_stop: threading.Event) -> Iterator[AnswerEvent]:
        yield Rewritten("What rose?")
        yield Retrieved((SOURCE,))
        yield Token("Rose.")
        yield Done(answer)

    job = AnswerJob("q", ask, describe=str, keep=lambda job, view: kept.append((view, job.is_done)))
    job.start()
    while not job.is_done:
        threading.Event().wait(0.01)

    assert [view.searched_for for view, _ in kept] == ["What rose?"] * 5
    assert [view.text for view, _ in kept] == ["", "", "Rose.", "Rose. [1]", "Rose. [1]"]
    last, was_done = kept[-1]
    assert last.is_done
    assert not was_done


def test_what_cannot_be_kept_does_not_cost_the_answer() -> None:
    def ask(_stop: threading.Event) -> Iterator[AnswerEvent]:
        yield Token("Ro")
        yield Done(make_answer("q", "Rose. [1]", [HIT]))

    def keep(_job: AnswerJob, _view: JobView) -> None:
        message = "broken"
        raise ValueError(message)

    job = AnswerJob("q", ask, describe=str, keep=keep)
    job.start()
    while not job.is_done:
        threading.Event().wait(0.01)

    assert job.look().text == "Rose. [1]"
    assert job.look().failure == ""


def test_the_board_knows_the_running_job_of_a_chat_only() -> None:
    released = threading.Event()

    def ask(_stop: threading.Event) -> Iterator[AnswerEvent]:
        released.wait(20)
        yield Done(make_answer("q", "Rose. [1]", [HIT]))

    place = Place(chat_id=uuid4(), number=0)
    job = AnswerJob("q", ask, describe=str, place=place)
    board = JobBoard()
    job.start()
    board.put(job)

    assert board.get(place.chat_id) is job
    assert board.get(uuid4()) is None
    released.set()
    while not job.is_done:
        threading.Event().wait(0.01)
    assert board.get(place.chat_id) is None
