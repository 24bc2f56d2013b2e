"""The same flow with a real model server, when one is named.

    export FOLIO_TEST_LLM_BASE=http://127.0.0.1:11434/v1 FOLIO_TEST_LLM_MODEL=gemma3:4b
    pytest tests/test_llm_real.py

What a model says is its own; what is checked is what Folio promises whatever it says.
"""

from __future__ import annotations

import os
import threading

import pytest

from rag.answer import answer, answer_stream
from rag.llm_hello import say_hello
from rag.settings import LlmSettings
from rag.types import Done, Retrieved, Token
from tests.fakes import WordLane, make_hit

BASE = os.environ.get("FOLIO_TEST_LLM_BASE", "")
MODEL = os.environ.get("FOLIO_TEST_LLM_MODEL", "default")
pytestmark = pytest.mark.skipif(
    not BASE, reason="no model server: set FOLIO_TEST_LLM_BASE to an OpenAI-compatible address"
)
QUESTION = "In which year was the harbour of Elmouth built?"
HITS = [
    make_hit("The harbour of Elmouth was built in 1904 by Dutch engineers."),
    make_hit("Fishing boats leave the harbour of Elmouth at dawn.", rank=2, page=2),
]


@pytest.fixture
def settings() -> LlmSettings:
    return LlmSettings(
        model=MODEL,
        api_base=BASE,
        api_key=os.environ.get("FOLIO_TEST_LLM_KEY") or None,  # type: ignore[arg-type]  # pydantic wraps it
        max_answer_tokens=128,
        read_timeout_s=300,
        answer_timeout_s=600,
    )


def test_it_says_hello(settings: LlmSettings) -> None:
    hello = say_hello(settings)
    assert hello.is_good, hello.message
    assert hello.answer
    assert hello.first_token_ms > 0


def test_an_answer_streams_and_its_marks_are_sources_of_this_answer(settings: LlmSettings) -> None:
    used: list[tuple[int, int]] = []
    events = list(
        answer_stream(
            QUESTION,
            HITS,
            abstain=False,
            text_lane=WordLane(),
            settings=settings.metered(lambda _settings, put, got: used.append((put, got))),
            use_llm=True,
        )
    )
    assert isinstance(events[0], Retrieved)
    assert any(isinstance(event, Token) for event in events)
    done = events[-1]
    assert isinstance(done, Done)
    assert done.answer.error is None, done.answer.error
    assert done.answer.mode == "llm"
    assert {c.marker for c in done.answer.citations} <= {s.marker for s in done.answer.sources}
    assert "1904" in done.answer.text
    assert used
    assert min(used[0]) > 0


def test_a_stop_is_obeyed(settings: LlmSettings) -> None:
    stop = threading.Event()
    events = answer_stream(
        "Describe the harbour of Elmouth at great length.",
        HITS,
        abstain=False,
        text_lane=WordLane(),
        settings=settings,
        use_llm=True,
        stop=stop,
    )
    for event in events:
        if isinstance(event, Token):
            stop.set()
        if isinstance(event, Done):
            assert event.answer.finish in ("stopped", "stop")


def test_an_unknown_name_behind_a_wrong_path_is_told_and_quotes_are_given(
    settings: LlmSettings,
) -> None:
    wrong = settings.model_copy(update={"api_base": f"{BASE}/nowhere", "model": "no-such-model"})
    done = answer(QUESTION, HITS, abstain=False, text_lane=WordLane(), settings=wrong, use_llm=True)
    assert done.error is not None
    assert done.mode == "extractive"
    assert done.sources
