"""The model call against a real server on loopback, with every way it has been seen to fail."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from rag.errors import ConfigError, LlmError
from rag.llm import End, LlmEvent, Piece, stream_chat
from rag.llm_choice import PROVIDERS, Provider
from rag.llm_facts import sees_pictures
from rag.llm_failures import redact
from rag.settings import LlmSettings
from tests.openai_server import ModelServer, Reply, free_port, refuses, says

if TYPE_CHECKING:
    from collections.abc import Iterator

# litellm 1.110.2 asks pydantic in a way that pydantic is giving up.
pytestmark = pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning")

KEY = "sk-proj-abcdefghij1234567890"
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(autouse=True, scope="module")
def _clean_proxy() -> Iterator[None]:
    kept = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    yield
    for name, value in kept.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def settings_for(server: ModelServer | str, **more: Any) -> LlmSettings:
    base = server if isinstance(server, str) else server.base_url
    values: dict[str, Any] = {"model": "my-model", "api_key": KEY, "read_timeout_s": 1.0}
    return LlmSettings(api_base=base, **(values | more))


def talk(server: ModelServer | str, **more: Any) -> tuple[list[LlmEvent], LlmError | None]:
    events: list[LlmEvent] = []
    try:
        for event in stream_chat(MESSAGES, settings_for(server, **more)):
            events.append(event)
    except LlmError as error:
        return events, error
    return events, None


def said(events: list[LlmEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Piece))


def test_a_good_stream_gives_pieces_then_the_end_with_usage() -> None:
    with ModelServer(says("Hello ", "world")) as server:
        events, error = talk(server)
    assert error is None
    assert [event.text for event in events if isinstance(event, Piece)] == ["Hello ", "world"]
    end = events[-1]
    assert end == End("stop", {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})


def test_a_bare_name_with_an_address_is_a_model_of_that_server() -> None:
    with ModelServer(says("ok")) as server:
        talk(server, model="Qwen/Qwen3-VL")
        talk(server, model="my-model")
        assert [request.body["model"] for request in server.requests] == [
            "Qwen/Qwen3-VL",
            "my-model",
        ]


CONTEXT = "This model's maximum context length is 8192 tokens. Your messages resulted in 9000."
LLAMA_CONTEXT = "the request exceeds the available context size, try increasing it"
OPENAI_IMAGE = "Invalid content type. image_url is only supported by certain models."
LLAMA_IMAGE = "image input is not supported - hint: you may need to provide the mmproj"
POLICY = "Your request was rejected as a result of our safety system (content_policy_violation)."
QUOTA = "You exceeded your current quota, please check your plan and billing details."
ELSEWHERE = {"location": "http://127.0.0.1:9/v1/chat/completions"}

REFUSALS = {
    "key refused": (refuses(401, f"Incorrect API key provided: {KEY}"), "key", 1),
    "model unknown": (refuses(404, "The model does not exist"), "model", 1),
    "busy": (refuses(429, "Rate limit reached", headers={"retry-after": "0.1"}), "rate", 2),
    "busy for long": (refuses(429, "Slow down", headers={"retry-after": "3600"}), "rate", 1),
    "quota used up": (refuses(429, QUOTA), "quota", 1),
    "500": (refuses(500, "boom"), "server", 2),
    "502": (refuses(502, "bad gateway"), "server", 2),
    "503": (refuses(503, "overloaded"), "server", 2),
    "too long, OpenAI": (refuses(400, CONTEXT, code="context_length_exceeded"), "too_long", 1),
    "too long, llama.cpp": (refuses(400, LLAMA_CONTEXT), "too_long", 1),
    "no pictures, OpenAI": (refuses(400, OPENAI_IMAGE), "no_images", 1),
    "no pictures, vLLM": (refuses(400, "my-model is not a multimodal model"), "no_images", 1),
    "no pictures, llama.cpp": (refuses(500, LLAMA_IMAGE), "no_images", 1),
    "no pictures, in a stream": (
        says(ending="error_event", error_text=OPENAI_IMAGE),
        "no_images",
        1,
    ),
    "policy": (refuses(400, POLICY), "policy", 1),
    "filtered": (says(finish="content_filter"), "policy", 1),
    "login page": (Reply(body="<html>Log in</html>", content_type="text/html"), "empty", 1),
    "no words": (says(), "empty", 1),
    "redirect": (Reply(status=307, body="moved", headers=ELSEWHERE), "settings", 1),
    "odd request": (refuses(400, f"weird parameter for {KEY}"), "settings", 1),
    "silence": (says(ending="silence"), "timeout", 1),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_failure_before_the_first_word_has_its_kind_and_shows_no_key(
    case: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    reply, kind, request_count = REFUSALS[case]
    started = time.monotonic()
    with caplog.at_level(logging.DEBUG), ModelServer(reply) as server:
        events, error = talk(server)
        assert len(server.requests) == request_count
    assert time.monotonic() - started < 5
    assert error is not None
    assert (said(events), error.kind) == ("", kind)
    out, err = capfd.readouterr()
    assert KEY[:12] not in str(error) + caplog.text + out + err


BREAKS = {
    "malformed": says("a ", "b", ending="malformed"),
    "reset": says("a ", "b", ending="reset"),
    "early end": says("a ", "b", ending="early"),
    "no finish": says("a ", "b", ending="no_finish"),
    "error event": says("a ", "b", ending="error_event"),
    "stall": says("a ", "b", ending="stall"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_stream_that_breaks_keeps_its_words_and_is_not_tried_again(case: str) -> None:
    with ModelServer(BREAKS[case]) as server:
        events, error = talk(server)
        assert len(server.requests) == 1
    assert error is not None
    assert (said(events), error.kind) == ("a b", "cut_off")


@pytest.mark.parametrize("model", ["my-model", "ollama_chat/llama3"])
def test_a_server_that_is_not_there_is_unreachable(model: str) -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    _, error = talk(address, model=model)
    assert error is not None
    assert error.kind == "unreachable"
    assert address in str(error)


def test_an_unknown_provider_is_a_settings_error_and_sends_nothing() -> None:
    settings = LlmSettings(model="nosuch/x")
    with pytest.raises(LlmError, match="names no known provider") as caught:
        list(stream_chat(MESSAGES, settings))
    assert caught.value.kind == "settings"


def test_without_a_model_nothing_is_called() -> None:
    with pytest.raises(ConfigError, match="FOLIO_LLM__MODEL"):
        list(stream_chat(MESSAGES, LlmSettings()))


def test_a_busy_server_is_asked_once_more_after_the_time_it_names() -> None:
    busy = refuses(429, "Rate limit reached", headers={"retry-after": "0.4"})
    with ModelServer(busy, says("there")) as server:
        started = time.monotonic()
        events, error = talk(server)
    assert (said(events), error) == ("there", None)
    assert time.monotonic() - started >= 0.4


def test_a_cut_at_the_token_limit_is_told() -> None:
    with ModelServer(says("half of", finish="length")) as server:
        events, _ = talk(server)
    assert isinstance(events[-1], End)
    assert events[-1].finish == "length"


def test_an_endless_stream_ends_at_the_token_limit() -> None:
    with ModelServer(says(*["word " * 20] * 500)) as server:
        events, error = talk(server, max_answer_tokens=16)
    assert error is None
    assert len(said(events)) < 600


def test_a_slow_stream_ends_at_the_limit_for_the_whole_answer() -> None:
    with ModelServer(says(*["x "] * 30, pause_s=0.2)) as server:
        started = time.monotonic()
        events, error = talk(server, answer_timeout_s=1.0)
    assert time.monotonic() - started < 2
    assert error is not None
    assert error.kind == "cut_off"
    assert said(events).startswith("x ")


@pytest.mark.parametrize("ending", ["silence", "stall"])
def test_a_stop_ends_a_waiting_call_at_once(ending: Any) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with ModelServer(says("a ", ending=ending)) as server:
        started = time.monotonic()
        events = list(stream_chat(MESSAGES, settings_for(server, read_timeout_s=20), stop))
        assert time.monotonic() - started < 2
    assert events[-1] == End("stopped")


def test_closing_the_stream_hangs_up() -> None:
    with ModelServer(says(*["x "] * 200, pause_s=0.02)) as server:
        stream = stream_chat(MESSAGES, settings_for(server))
        next(stream)
        stream.close()
        assert server.closed_early.wait(3)


def test_a_redirect_carries_the_prompt_nowhere() -> None:
    with ModelServer(says("caught")) as target:
        moved = {"location": f"{target.base_url}/chat/completions"}
        with ModelServer(Reply(status=307, body="moved", headers=moved)) as server:
            talk(server)
            talk(server, model="ollama_chat/llama3")
            for provider in PROVIDERS:
                _, error = talk(server, model=provider.default)
                assert error is not None
                assert error.kind == "settings"
        assert target.requests == []


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
@pytest.mark.parametrize(
    ("reply", "kind", "request_count"),
    [
        (refuses(401, "no"), "key", 1),
        (refuses(400, "API key not valid. Please pass a valid API key."), "key", 1),
        (refuses(404, "The model x is not found"), "model", 1),
        (refuses(429, "Slow down", headers={"retry-after": "0.1"}), "rate", 2),
        (refuses(503, "overloaded", headers={"retry-after": "0.1"}), "server", 2),
    ],
    ids=["401", "400", "404", "429", "503"],
)
def test_each_provider_that_is_found_fails_with_the_same_kinds(
    provider: Provider, reply: Reply, kind: str, request_count: int
) -> None:
    with ModelServer(reply) as server:
        _, error = talk(server, model=provider.default)
        assert len(server.requests) == request_count
    assert error is not None
    assert error.kind == kind


def test_a_local_server_is_reached_past_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "intranet.example")
    with ModelServer(says("here")) as server:
        events, _ = talk(server)
    assert said(events) == "here"
    assert "intranet.example" in os.environ["NO_PROXY"]


def test_a_local_server_without_a_key_never_sees_the_providers_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ModelServer(says("ok")) as server:
        talk(server, api_key=None)
        assert server.requests[0].headers["authorization"] == "Bearer none"


def test_debug_logging_writes_neither_prompt_nor_key(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), ModelServer(says("ok")) as server:
        list(stream_chat([{"role": "user", "content": "CANARY"}], settings_for(server)))
    assert "CANARY" not in caplog.text
    assert KEY[:12] not in caplog.text


@pytest.mark.parametrize(
    ("model", "vision", "expected"),
    [
        ("openai/gpt-4.1-mini", "auto", True),
        ("gpt-3.5-turbo", "auto", False),
        ("ollama/llava", "auto", True),
        ("Qwen/Qwen2.5-VL-7B", "auto", True),
        ("openai/my-own", "auto", False),
        ("openai/my-own", "on", True),
        ("gpt-4o", "off", False),
        (None, "on", False),
    ],
)
def test_whether_a_model_sees_pictures(model: str | None, vision: Any, expected: bool) -> None:
    assert sees_pictures(LlmSettings(model=model, vision=vision)) is expected


def test_redaction_takes_out_keys_and_pictures_and_cuts() -> None:
    text = f"key {KEY} and {KEY[:10]}*** in data:image/png;base64,iVBORw0KGgo= " + "x" * 500
    shown = redact(text, KEY)
    assert "abcdef" not in shown
    assert "iVBOR" not in shown
    assert len(shown) <= 300


def test_litellm_is_not_imported_before_a_call() -> None:
    code = "import sys, rag.answer; sys.exit('litellm' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
