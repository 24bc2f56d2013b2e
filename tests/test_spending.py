"""What models used: the table, the meter of each call, and the daily cap."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from rag.errors import LlmError
from rag.library import Database, Library
from rag.llm import stream_chat
from rag.llm_facts import describe_model
from rag.settings import LlmSettings, ProviderSettings
from rag.spending import Spending
from tests.ollama_server import Kept, OllamaServer
from tests.openai_server import ModelServer, refuses, says
from ui.answering import Answering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "x" * 400}]
# A price is in litellm's list for this name, wherever it is served from.
PRICED = "openai/gpt-5.4-mini"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(Database(tmp_path / "library.sqlite"))
    yield made
    made.close()


def answering(library: Library, folder: Path, **settings: Any) -> Answering:
    return Answering(lambda: LlmSettings(**settings), ProviderSettings(), library, folder)


def used(server: ModelServer, **settings: Any) -> list[tuple[int, int]]:
    counts: list[tuple[int, int]] = []
    plain = LlmSettings(api_base=server.base_url, **({"model": "m", "api_key": "k"} | settings))
    metered = plain.metered(lambda _settings, put, got: counts.append((put, got)))
    with suppress(LlmError):
        list(stream_chat(MESSAGES, metered))
    return counts


def test_a_day_adds_up_and_the_next_one_begins_at_nothing(library: Library) -> None:
    day = [date(2026, 11, 25)]
    spending = Spending(library.database, lambda: day[0])
    spending.add("a", prompt_tokens=1_000, answer_tokens=50, dollars=0.25)
    spending.add("a", prompt_tokens=2_000, answer_tokens=50, dollars=0.5)
    spending.add("b", prompt_tokens=10, answer_tokens=1, dollars=None)

    today = spending.today()
    assert (today.call_count, today.token_count, today.unpriced_count) == (3, 3_111, 1)
    assert today.dollars == pytest.approx(0.75)
    day[0] = date(2026, 11, 26)
    assert spending.today().call_count == 0


def test_a_call_counts_what_the_server_says() -> None:
    with ModelServer(says("a ", "b")) as server:
        assert used(server) == [(11, 7)]


def test_without_a_word_from_the_server_a_call_is_estimated() -> None:
    with ModelServer(says("word " * 40, ending="early")) as server:
        assert used(server) == [(100, 50)]


def test_a_refused_call_costs_nothing() -> None:
    with ModelServer(refuses(401, "no")) as server:
        assert used(server) == []


def test_a_stopped_answer_is_counted_too() -> None:
    counts: list[int] = []
    with ModelServer(says(*["word "] * 100, pause_s=0.05)) as server:
        plain = LlmSettings(model="m", api_base=server.base_url, api_key="k")
        stream = stream_chat(MESSAGES, plain.metered(lambda _s, put, _got: counts.append(put)))
        next(stream)
        stream.close()
        assert server.closed_early.wait(5)
    assert counts == [100]


def test_both_tries_of_a_question_are_one_call_when_the_first_was_refused() -> None:
    with ModelServer(refuses(503, "busy"), says("there")) as server:
        assert used(server) == [(11, 7)]


def test_a_price_is_known_or_it_is_not() -> None:
    known = describe_model(LlmSettings(model=PRICED))
    unknown = describe_model(LlmSettings(model="openai/my-own", api_base="http://127.0.0.1:9/v1"))
    # litellm's own cost function says 0 dollars for this one.
    unlisted = describe_model(LlmSettings(model="openrouter/some/model"))

    assert known.cost(1_000_000, 0) == pytest.approx(0.75)
    assert unknown.cost(1_000, 10) is None
    assert unlisted.cost(1_000, 10) is None
    assert describe_model(LlmSettings(model="ollama_chat/gemma3:4b")).cost(1_000, 10) == 0


def test_a_question_is_counted_in_dollars_and_in_tokens(library: Library, tmp_path: Path) -> None:
    with ModelServer(says("ok")) as server:
        desk = answering(library, tmp_path, model=PRICED, api_base=server.base_url, api_key="k")
        list(stream_chat(MESSAGES, desk.ready().settings))

    today = desk.spent_today()
    assert today.token_count == 18
    assert today.dollars == pytest.approx(11 * 0.75e-6 + 7 * 4.5e-6)
    assert today.unpriced_count == 0


def test_an_unknown_price_counts_tokens_and_never_reaches_the_cap(
    library: Library, tmp_path: Path
) -> None:
    with ModelServer(says("ok")) as server:
        desk = answering(
            library,
            tmp_path,
            model="my-own",
            api_base=server.base_url,
            api_key="k",
            daily_cap_usd=1e-6,
        )
        list(stream_chat(MESSAGES, desk.ready().settings))

    assert (desk.spent_today().unpriced_count, desk.spent_today().token_count) == (1, 18)
    assert desk.ready().refusal is None


def test_past_the_cap_no_model_is_asked_and_one_sentence_says_so(
    library: Library, tmp_path: Path
) -> None:
    desk = answering(library, tmp_path, model=PRICED, api_key="k", daily_cap_usd=0.5)
    assert desk.ready().settings.model == PRICED
    Spending(library.database).add(PRICED, prompt_tokens=1, answer_tokens=1, dollars=0.5)

    ready = desk.ready()
    assert ready.settings.model is None
    assert ready.refusal is not None
    assert ready.refusal.kind == "cap"
    assert "$0.50" in ready.refusal.message
    assert "FOLIO_LLM__DAILY_CAP_USD" in ready.refusal.message
    assert desk.hello().kind == "cap"


def test_a_cap_of_the_page_is_kept_and_taken_back(library: Library, tmp_path: Path) -> None:
    desk = answering(library, tmp_path)
    desk.set_cap(2.5)
    assert answering(library, tmp_path).cap() == 2.5
    desk.set_cap(None)
    assert desk.cap() is None


def test_ollama_is_asked_once_and_answers_with_its_own_window(
    library: Library, tmp_path: Path
) -> None:
    gemma = Kept(name="gemma3:4b", capabilities=("completion", "vision"), window=8_192)
    with OllamaServer(gemma, says="Seven cranes.") as server:
        desk = Answering(
            LlmSettings, ProviderSettings(ollama_host=server.address), library, tmp_path
        )
        for _ in range(3):
            ready = desk.ready()
        text = "".join(getattr(e, "text", "") for e in stream_chat(MESSAGES, ready.settings))
        chat = server.asked[2].body
        # litellm asks for the details of the model by itself when an answer is over.
        assert server.paths()[:3] == ["/api/tags", "/api/show", "/api/chat"]

    assert text.split() == ["Seven", "cranes."]
    assert chat["options"]["num_ctx"] == 8_192
    assert chat["think"] is False
    assert desk.choice().reason == "found Ollama on this computer"
    assert desk.sees_pictures()
    assert (desk.spent_today().dollars, desk.spent_today().token_count) == (0, 30)
