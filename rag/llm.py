"""One call to a language model, as a stream.

Knows messages and settings, nothing of hits or citations. litellm is imported in the first
call and never without a model.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from rag.errors import ConfigError, LlmError
from rag.llm_choice import is_loopback
from rag.llm_facts import OLLAMA, load_litellm, resolve_model
from rag.llm_failures import asks_for_no_stream, check_address, classify, failure

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from rag.settings import LlmSettings
    from rag.types import Finish

logger = logging.getLogger(__name__)

RETRY_AFTER_CAP_S = 10.0  # a server that asks for more is not waited for
RETRY_WAIT_S = 0.5
NO_KEY = "none"  # local servers ask for no key, their client library insists on one
_POLL_S = 0.05  # how soon a stop is seen
# A server may ignore the token limit; no language has words this long on average.
_CHARACTERS_PER_TOKEN = 16
# For an estimate where the server tells no usage: English words, and a picture of 1,024 px.
_USUAL_CHARACTERS_PER_TOKEN = 4
_TOKENS_A_PICTURE = 1_000
# Providers that litellm calls with its plain HTTP client (tried with 1.110.2); others, such
# as azure, take a client of their own kind and keep litellm's, which follows redirects.
_PLAIN_HTTP = frozenset(
    {"anthropic", "deepseek", "gemini", "groq", "hosted_vllm", "mistral", "ollama", "ollama_chat"}
    | {"openrouter", "together_ai", "xai"}
)

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """More text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """The answer is over; always the last event of a stream that did not raise."""

    finish: Finish
    usage: Mapping[str, int] = field(default_factory=dict)


LlmEvent = Piece | End


def stream_chat(
    messages: Sequence[Message], settings: LlmSettings, stop: threading.Event | None = None
) -> Generator[LlmEvent]:
    """The model's answer piece by piece.

    One retry, before the first piece only, for a busy, broken or unreachable server. Closing
    the iterator or setting `stop` ends the call; a stop gives `End("stopped")`.

    Args:
        messages: in the form of the OpenAI chat API.
        settings: with a model.
        stop: set by another thread.

    Raises:
        ConfigError: No model is set.
        LlmError: It failed; `kind` is "cut_off" once a piece has come, whatever the cause.
    """
    if not settings.model:
        raise ConfigError("No language model is set. Set FOLIO_LLM__MODEL.")
    check_address(settings.api_base)
    stop = stop or threading.Event()
    litellm = load_litellm(settings)
    deadline = time.monotonic() + settings.answer_timeout_s
    for is_last in (False, True):
        started = False
        call = _Call(litellm, messages, settings)
        try:
            for event in _stream_once(call, stop, deadline):
                started = True
                yield event
        except _CallError as error:
            if started and error.failure.kind != "cut_off":
                raise failure("cut_off") from error
            if started or is_last or not _may_wait(error, stop):
                raise error.failure from error
        else:
            return


class _CallError(Exception):
    """A failed call with what the server said about waiting."""

    def __init__(self, failed: LlmError, retry_after_s: float) -> None:
        super().__init__(str(failed))
        self.failure = failed
        self.retry_after_s = retry_after_s


def _may_wait(error: _CallError, stop: threading.Event) -> bool:
    """Wait as the server asks; False when there is no point in another try."""
    if not error.failure.retryable or error.retry_after_s > RETRY_AFTER_CAP_S:
        return False
    logger.info("retrying model kind=%s wait_s=%.1f", error.failure.kind, error.retry_after_s)
    return not stop.wait(error.retry_after_s)


def _stream_once(call: _Call, stop: threading.Event, deadline: float) -> Iterator[LlmEvent]:
    """One try. The call runs in a thread of its own, so that a stop need not wait for a byte."""
    threading.Thread(target=call.run, name="folio-model", daemon=True).start()
    try:
        while True:
            if stop.is_set():
                yield End("stopped")
                return
            if time.monotonic() > deadline:
                raise _CallError(failure("timeout"), 0.0)
            with suppress(queue.Empty):
                event = call.events.get(timeout=_POLL_S)
                if isinstance(event, _CallError):
                    raise event
                yield event
                if isinstance(event, End):
                    return
    finally:
        call.close()


class _Call:
    """A running request: puts its events on a queue until it ends or is closed."""

    def __init__(self, litellm: Any, messages: Sequence[Message], settings: LlmSettings) -> None:  # noqa: ANN401
        self.events: queue.SimpleQueue[LlmEvent | _CallError] = queue.SimpleQueue()
        self._litellm = litellm
        self._messages = messages
        self._settings = settings
        self._closed = threading.Event()
        self._http: Any = None
        self._content_type = ""
        self._status = 0
        self._retry_after = ""
        self._is_accepted = False  # from here on it costs
        self._is_counted = False
        self._characters = 0
        self._usage: dict[str, int] = {}

    def run(self) -> None:
        try:
            for event in self._stream():
                if self._closed.is_set():
                    return
                self.events.put(event)
        except LlmError as error:
            self.events.put(_CallError(error, RETRY_WAIT_S))
        except Exception as error:  # noqa: BLE001 - a rim: each of litellm's errors becomes a kind
            if not self._closed.is_set():  # a read that was closed under it fails, as it should
                self.events.put(self._translate(error))
        finally:
            self._count()
            self.close()

    def close(self) -> None:
        """End the request from any thread. Its socket is closed under a waiting read."""
        self._closed.set()
        if self._http is not None:
            self._http.close()

    def _stream(self) -> Iterator[LlmEvent]:
        """The pieces and the end; one piece alone from a server that cannot stream."""
        try:
            finish = yield from self._pieces()
        except Exception as error:
            if self._characters or not asks_for_no_stream(error):
                raise
            finish = yield from self._whole()
        if not self._characters and self._content_type.startswith("application/json"):
            # It did not heed that a stream was asked for, and its client reads nothing else.
            finish = yield from self._whole()
        if not self._characters:
            raise _nothing_said(finish)
        self._count()
        yield End("length" if finish == "length" else "stop", self._usage)

    def _pieces(self) -> Generator[LlmEvent, None, str | None]:
        """The pieces of a stream; returns why it ended."""
        finish: str | None = None
        stream = self._open(stream=True, stream_options={"include_usage": True})
        self._is_accepted = True
        try:
            for chunk in stream:
                self._usage = _usage(chunk) or self._usage
                choice = chunk.choices[0] if chunk.choices else None
                text = (choice.delta.content or "") if choice else ""
                finish = (choice.finish_reason if choice else None) or finish
                if text:
                    self._characters += len(text)
                    yield Piece(text)
                if self._characters > self._settings.max_answer_tokens * _CHARACTERS_PER_TOKEN:
                    return "length"
        finally:
            stream.close()
        return finish

    def _whole(self) -> Generator[LlmEvent, None, str | None]:
        """The answer in one piece; returns why it ended."""
        reply = self._open(stream=False)
        self._is_accepted = True
        self._usage = _usage(reply)
        choice = reply.choices[0] if reply.choices else None
        text = (choice.message.content or "") if choice else ""
        if text:
            self._characters = len(text)
            yield Piece(text)
        return choice.finish_reason if choice else None

    def _count(self) -> None:
        """Tell the meter once what was used, as the server says or else as it must have been."""
        if self._is_counted or not self._is_accepted:
            return
        self._is_counted = True
        used = self._usage or {
            "prompt_tokens": _estimate(self._messages),
            "completion_tokens": self._characters // _USUAL_CHARACTERS_PER_TOKEN,
        }
        self._settings.count(used.get("prompt_tokens", 0), used.get("completion_tokens", 0))

    def _open(self, **options: object) -> Any:  # noqa: ANN401 - untyped library
        settings = self._settings
        model, provider = resolve_model(self._litellm, settings)
        known = provider == "openai" or provider in _PLAIN_HTTP
        arguments: dict[str, Any] = {"client": self._client(provider)} if known else {}
        if provider in OLLAMA:
            arguments |= _ollama_options(settings)
        return self._litellm.completion(
            model=model,
            messages=self._messages,
            api_base=settings.api_base,
            api_key=_key(settings),
            max_tokens=settings.max_answer_tokens,
            temperature=0,
            timeout=settings.read_timeout_s,
            # Its own retries stack to five posts, repeat even a refused key, and need a package
            # that it does not bring (measured with 1.110.2).
            num_retries=0,
            max_retries=0,
            drop_params=True,
            **options,
            **arguments,
        )

    def _client(self, provider: str) -> Any:  # noqa: ANN401 - untyped library
        """An own client: it follows no redirect, which would carry the whole prompt along."""
        import openai
        from litellm.llms.custom_httpx.http_handler import HTTPHandler

        settings = self._settings
        handler = HTTPHandler(timeout=settings.read_timeout_s, follow_redirects=False)
        self._http = handler.client
        self._http.event_hooks["response"].append(self._look_at)
        if provider != "openai":
            return handler
        return openai.OpenAI(
            api_key=_key(settings),
            base_url=settings.api_base,
            http_client=self._http,
            timeout=settings.read_timeout_s,
            max_retries=0,
        )

    def _look_at(self, response: Any) -> None:  # noqa: ANN401 - untyped library
        self._content_type = response.headers.get("content-type", "")
        self._status = int(response.status_code)
        self._retry_after = response.headers.get("retry-after", "")

    def _translate(self, error: Exception) -> _CallError:
        settings = self._settings
        failed = classify(
            error,
            model=settings.model or "",
            server=settings.api_base or "",
            secret=_key(settings) or "",
            proxy=_proxy_variable(settings.api_base),
            http_status=self._status,
        )
        logger.info("model failed kind=%s error=%s", failed.kind, type(error).__name__)
        return _CallError(failed, _retry_after_s(self._retry_after))


def _key(settings: LlmSettings) -> str | None:
    """The key that is set; a dummy for a local server, so that no real key goes there."""
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    needs_none = settings.api_base and not os.environ.get("OPENAI_API_KEY")
    return NO_KEY if needs_none or is_loopback(settings.api_base) else None


def _ollama_options(settings: LlmSettings) -> dict[str, Any]:
    """What Ollama needs to be told.

    Its own window is 4,096 tokens on a small machine, and what is longer it cuts from the
    front without a word: the question would lose its rules and its best sources.
    """
    options: dict[str, Any] = {"num_ctx": settings.context_tokens}
    if "gpt-oss" not in (settings.model or ""):  # which cannot help thinking
        options["reasoning_effort"] = "none"  # thoughts use up the answer's tokens, unseen
    return options


def _nothing_said(finish: str | None) -> LlmError:
    if finish == "length":
        return failure(
            "empty",
            "The model used up its tokens before it said a word. Raise"
            " FOLIO_LLM__MAX_ANSWER_TOKENS, or choose a model that does not think so long.",
        )
    return failure("policy" if finish == "content_filter" else "empty")


def _proxy_variable(api_base: str | None) -> str:
    """The environment variable that names the proxy for an address, "" without one."""
    parts = urlsplit(api_base or "https://provider.example")
    if parts.hostname and proxy_bypass(parts.hostname):
        return ""
    scheme = parts.scheme or "https"
    return f"{scheme}_proxy".upper() if scheme in getproxies() else ""


def _estimate(messages: Sequence[Message]) -> int:
    """Tokens of a prompt, roughly."""
    tokens = 0
    for message in messages:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts:
            is_picture = part["type"] == "image_url"
            words = len(part.get("text", "")) // _USUAL_CHARACTERS_PER_TOKEN
            tokens += _TOKENS_A_PICTURE if is_picture else words
    return tokens


def _usage(chunk: Any) -> dict[str, int]:  # noqa: ANN401 - untyped library
    usage = getattr(chunk, "usage", None)
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    found = {name: getattr(usage, name, None) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, int)}


def _retry_after_s(header: str) -> float:
    try:
        return max(0.0, float(header or RETRY_WAIT_S))
    except ValueError:  # the header may be a date
        return RETRY_WAIT_S
