"""An answer being written: what its events add up to, and how it ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from rag.errors import LlmError
from rag.types import AnswerEvent, Done, Restart, Retrieved, Source, Token
from tests.ui.scripted import make_answer, make_document, make_hit
from ui.web import jobs
from ui.web.jobs import AnswerJob, JobView

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


def test_a_visitor_who_left_ends_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "UNSEEN_S", -1.0)

    def ask(stop: threading.Event) -> Iterator[AnswerEvent]:
        while not stop.is_set():
            yield Token("x")

    job, _ = _run(ask)

    assert job.is_stopped


def test_an_endless_answer_stays_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_TEXT", 10)

    def ask(_stop: threading.Event) -> Iterator[AnswerEvent]:
        yield Token("x" * 100)

    assert _run(ask)[1].text == "x" * 10
