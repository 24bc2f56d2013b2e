"""Every known way of a model to fail, through the whole of an answer and out as JSON.

The right kind and sentence, the sources still shown, no traceback, no key anywhere, in time.
Rows are those that a model server was seen to give (litellm 1.110.2).
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from rag.answer import answer
from rag.llm_facts import prepare
from rag.llm_failures import classify
from rag.settings import LlmSettings
from tests.fakes import WordLane, make_hit
from tests.ollama_server import Kept, OllamaServer
from tests.openai_server import ModelServer, Reply, free_port, ignores_stream, refuses, says
from ui.contract import answer_json

if TYPE_CHECKING:
    from rag.types import Answer

KEY = "sk-proj-abcdefghij1234567890"
HITS = [
    make_hit("The harbour was built in 1904 by Dutch engineers."),
    make_hit("Fishing boats leave the harbour at dawn.", rank=2, page=2),
]
LIMIT_S = 5.0  # for a failure that is no timeout


@pytest.fixture(autouse=True, scope="module")
def _imported() -> None:
    """The app imports litellm in the background; its seconds are not a failure's."""
    prepare(LlmSettings(model="m"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    reply: Reply
    kind: str
    says: str  # of the sentence


def ask(base: str, **more: Any) -> Answer:
    values: dict[str, Any] = {"model": "my-model", "api_key": KEY, "read_timeout_s": 1.0}
    return answer(
        "When was the harbour built?",
        HITS,
        abstain=False,
        text_lane=WordLane(),
        settings=LlmSettings(api_base=base, **(values | more)),
        use_llm=True,
    )


CONTEXT = "This model's maximum context length is 8192 tokens. Your messages resulted in 9000."
QUOTA = f"You exceeded your current quota ({KEY}), please check your plan and billing details."
POLICY = "Your request was rejected as a result of our safety system (content_policy_violation)."
PORTAL = "<!doctype html><html><title>Log in</title></html>"

ROWS = {
    "key": Row(
        reply=refuses(401, f"Incorrect API key provided: {KEY}"),
        kind="key",
        says="FOLIO_LLM__API_KEY",
    ),
    "model name": Row(
        reply=refuses(404, "The model `my-model` does not exist or you have no access to it."),
        kind="model",
        says="FOLIO_LLM__MODEL",
    ),
    "wrong path": Row(
        reply=Reply(status=404, body="404 page not found", content_type="text/plain"),
        kind="settings",
        says="FOLIO_LLM__API_BASE",
    ),
    "wrong path, as vLLM says it": Row(
        reply=Reply(status=404, body='{"detail":"Not Found"}'),
        kind="settings",
        says="FOLIO_LLM__API_BASE",
    ),
    "wrong method": Row(
        reply=Reply(status=405, body=PORTAL, content_type="text/html"),
        kind="settings",
        says="FOLIO_LLM__API_BASE",
    ),
    "rate": Row(
        reply=refuses(429, "Rate limit reached", headers={"retry-after": "0.1"}),
        kind="rate",
        says="Wait a little",
    ),
    "quota": Row(reply=refuses(429, QUOTA), kind="quota", says="is used up"),
    "payment": Row(reply=refuses(402, "Payment required"), kind="quota", says="is used up"),
    "500": Row(reply=refuses(500, f"boom {KEY}"), kind="server", says="Ask again"),
    "502": Row(reply=refuses(502, "bad gateway"), kind="server", says="Ask again"),
    "503": Row(reply=refuses(503, "overloaded"), kind="server", says="Ask again"),
    "window": Row(
        reply=refuses(400, CONTEXT, code="context_length_exceeded"),
        kind="too_long",
        says="FOLIO_LLM__CONTEXT_TOKENS",
    ),
    "policy": Row(reply=refuses(400, POLICY), kind="policy", says="content rules"),
    "login portal": Row(
        reply=Reply(body=PORTAL, content_type="text/html"),
        kind="empty",
        says="FOLIO_LLM__API_BASE",
    ),
    "no words": Row(reply=says(), kind="empty", says="empty answer"),
    "only thoughts": Row(
        reply=says(finish="length"), kind="empty", says="FOLIO_LLM__MAX_ANSWER_TOKENS"
    ),
    "redirect": Row(
        reply=Reply(status=307, body="moved", headers={"location": "http://127.0.0.1:9/v1"}),
        kind="settings",
        says="FOLIO_LLM__API_BASE",
    ),
    "odd request": Row(
        reply=refuses(400, f"weird parameter for {KEY}"), kind="settings", says="refused"
    ),
    "silence": Row(reply=says(ending="silence"), kind="timeout", says="FOLIO_LLM__READ_TIMEOUT_S"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_failure_gives_quotes_with_sources_its_sentence_and_no_key(
    name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    row = ROWS[name]
    with caplog.at_level(logging.DEBUG), ModelServer(row.reply) as server:
        started = time.monotonic()
        done = ask(server.base_url)
        took_s = time.monotonic() - started

    told = answer_json(done)
    assert told["error"]["kind"] == row.kind
    assert row.says in told["error"]["message"]
    assert "\n" not in told["error"]["message"]
    assert told["mode"] == "extractive"
    assert told["sources"]
    assert "1904" in told["answer"]
    assert took_s < LIMIT_S
    out, err = capfd.readouterr()
    everything = json.dumps(told) + caplog.text + out + err
    assert KEY[:12] not in everything
    assert "Traceback" not in everything


BREAKS = ("malformed", "reset", "early", "no_finish", "error_event", "stall")


@pytest.mark.parametrize("ending", BREAKS)
def test_a_broken_stream_keeps_what_came_with_its_source(ending: Any) -> None:
    with ModelServer(says("It was built ", "in 1904 [1].", ending=ending)) as server:
        told = answer_json(ask(server.base_url))

    assert (told["mode"], told["finish"], told["error"]["kind"]) == ("llm", "cut_off", "cut_off")
    assert told["answer"].startswith("It was built in 1904")
    assert [citation["marker"] for citation in told["citations"]] == [1]


@pytest.mark.parametrize("base", ["http://127.0.0.1:{port}/v1", "http://no-such-host.invalid/v1"])
def test_an_address_where_nobody_is_names_the_setting(base: str) -> None:
    told = answer_json(ask(base.format(port=free_port())))

    assert told["error"]["kind"] == "unreachable"
    assert "FOLIO_LLM__API_BASE" in told["error"]["message"]
    assert told["sources"]


@pytest.mark.parametrize(
    "base", ["127.0.0.1:8000/v1", "htp://box/v1", "http://[::1/v1", "nonsense"]
)
def test_an_address_that_is_none_names_the_setting(base: str) -> None:
    told = answer_json(ask(base))

    assert told["error"]["kind"] == "settings"
    assert "FOLIO_LLM__API_BASE" in told["error"]["message"]
    assert told["sources"]


def test_a_proxy_that_is_in_the_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://user:secret@127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "intranet.example")

    told = answer_json(ask("http://models.example/v1"))

    assert told["error"]["kind"] == "unreachable"
    assert "HTTP_PROXY" in told["error"]["message"]
    assert "secret" not in told["error"]["message"]


NO_STREAM = (
    "Streaming is not supported for this model",
    "This model does not support streaming.",
    "Unsupported value: 'stream' does not support true with this model.",
    "`stream=True` is not allowed",
)


@pytest.mark.parametrize("words", NO_STREAM)
def test_a_model_that_refuses_to_stream_answers_in_one_piece(words: str) -> None:
    def reply(request: Any) -> Reply:
        if request.body.get("stream"):
            return refuses(400, words)
        return ignores_stream("It was built in 1904 [1].")

    with ModelServer(reply) as server:
        done = ask(server.base_url)
        assert [bool(request.body.get("stream")) for request in server.requests] == [True, False]
    assert (done.text, done.error) == ("It was built in 1904 [1].", None)
    assert done.usage["total_tokens"] == 18


def test_a_server_that_does_not_heed_the_stream_answers_in_one_piece() -> None:
    with ModelServer(ignores_stream("It was built in 1904 [1].")) as server:
        done = ask(server.base_url)
    assert (done.text, done.error) == ("It was built in 1904 [1].", None)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("anything at all"), "server"),
        (OSError("Network is unreachable"), "unreachable"),
    ],
)
def test_an_error_that_nobody_knows_has_a_kind_and_one_sentence(
    error: Exception, kind: str
) -> None:
    failed = classify(error, model="m")
    assert failed.kind == kind
    assert "anything" not in str(failed)


def test_ollama_without_the_model_names_the_setting() -> None:
    with OllamaServer(Kept(name="gemma3:4b")) as server:
        told = answer_json(ask(server.address, model="ollama_chat/absent", api_key=None))

    assert told["error"]["kind"] == "model"
    assert "FOLIO_LLM__MODEL" in told["error"]["message"]
    assert told["sources"]


def test_a_picture_reaches_ollama_as_one() -> None:
    from rag.llm import stream_chat
    from rag.llm_hello import draw_number

    url = draw_number("1234")
    parts = [
        {"type": "text", "text": "[1] figure"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    with OllamaServer(Kept(name="gemma3:4b")) as server:
        settings = LlmSettings(model="ollama_chat/gemma3:4b", api_base=server.address)
        list(stream_chat([{"role": "user", "content": parts}], settings))
        (chat,) = [asked for asked in server.asked if asked.path == "/api/chat"]

    (message,) = chat.body["messages"]
    assert message["images"] == [url.partition(",")[2]]
    assert message["content"] == "[1] figure"
