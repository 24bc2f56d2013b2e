"""One call to a language model, as a stream. The only importer of litellm.

Knows messages and settings, nothing of hits or citations. litellm takes seconds and
200 MB to import (measured), so it is imported in the first call and never without a model.
"""

from __future__ import annotations

import logging
import os
import queue
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import ConfigError, LlmError
from rag.llm_failures import classify, failure

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from rag.settings import LlmSettings
    from rag.types import Finish

logger = logging.getLogger(__name__)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
RETRY_AFTER_CAP_S = 10.0  # a server that asks for more is not waited for
RETRY_WAIT_S = 0.5
NO_KEY = "none"  # local servers ask for no key, their client library insists on one
_POLL_S = 0.05  # how soon a stop is seen
# A server may ignore the token limit; no language has words this long on average.
_CHARACTERS_PER_TOKEN = 16
# litellm knows the pictures of big providers; these are the usual local ones.
_SEEING_NAMES = re.compile(
    r"llava|vision|pixtral|moondream|minicpm-v|internvl|(?:^|[-_.\d/])vl(?:$|[-_.\d:])|gemma-?3|gpt-4o",
    re.IGNORECASE,
)

# Providers that litellm calls with its plain HTTP client (tried with 1.110.2); others, such
# as azure, take a client of their own kind and keep litellm's, which follows redirects.
_PLAIN_HTTP = frozenset(
    {"anthropic", "deepseek", "groq", "hosted_vllm", "mistral", "ollama", "ollama_chat"}
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
    stop = stop or threading.Event()
    litellm = _load_litellm(settings)
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


def sees_pictures(settings: LlmSettings) -> bool:
    """Whether the model is to be sent pictures.

    On `auto`: what litellm's list says, or a name that is known for it (llava, -vl, ...).
    Any other model counts as one without eyes; FOLIO_LLM__VISION=on overrides.
    """
    if settings.vision != "auto" or not settings.model:
        return settings.vision == "on" and bool(settings.model)
    if _SEEING_NAMES.search(settings.model):
        return True
    return bool(_load_litellm(settings).supports_vision(model=settings.model))


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


def _load_litellm(settings: LlmSettings) -> Any:  # noqa: ANN401 - untyped library
    # Before the import: else litellm fetches a price list, or waits 8 s for it without a network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    if _is_loopback(settings.api_base):
        _bypass_proxy()
    _quiet_loggers()
    import litellm

    _quiet_loggers()  # the import may have set them anew
    litellm.suppress_debug_info = True  # it prints hints on standard output
    return litellm


def _quiet_loggers() -> None:
    # At DEBUG they write prompts and pictures, at INFO each address (measured).
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "openai", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _is_loopback(api_base: str | None) -> bool:
    return bool(api_base) and urlsplit(api_base or "").hostname in LOOPBACK


def _bypass_proxy() -> None:
    """With HTTP_PROXY set, a server on this machine would be looked for through the proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join([*listed, *sorted(LOOPBACK - set(listed))])


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
            self.close()

    def close(self) -> None:
        """End the request from any thread. Its socket is closed under a waiting read."""
        self._closed.set()
        if self._http is not None:
            self._http.close()

    def _stream(self) -> Iterator[LlmEvent]:
        finish: str | None = None
        usage: dict[str, int] = {}
        characters = 0
        stream = self._open()
        try:
            for chunk in stream:
                usage = _usage(chunk) or usage
                choice = chunk.choices[0] if chunk.choices else None
                text = (choice.delta.content or "") if choice else ""
                finish = (choice.finish_reason if choice else None) or finish
                if text:
                    characters += len(text)
                    yield Piece(text)
                if characters > self._settings.max_answer_tokens * _CHARACTERS_PER_TOKEN:
                    finish = "length"
                    break
        finally:
            stream.close()
        if not characters:
            raise failure("policy" if finish == "content_filter" else "empty")
        yield End("length" if finish == "length" else "stop", usage)

    def _open(self) -> Any:  # noqa: ANN401 - untyped library
        settings = self._settings
        model, provider = _resolve_model(self._litellm, settings)
        known = provider == "openai" or provider in _PLAIN_HTTP
        arguments: dict[str, Any] = {"client": self._client(provider)} if known else {}
        return self._litellm.completion(
            model=model,
            messages=self._messages,
            api_base=settings.api_base,
            api_key=_key(settings),
            stream=True,
            stream_options={"include_usage": True},
            max_tokens=settings.max_answer_tokens,
            temperature=0,
            timeout=settings.read_timeout_s,
            # Its own retries stack to five posts, repeat even a refused key, and need a package
            # that it does not bring (measured with 1.110.2).
            num_retries=0,
            max_retries=0,
            drop_params=True,
            **arguments,
        )

    def _client(self, provider: str) -> Any:  # noqa: ANN401 - untyped library
        """An own client: it follows no redirect, which would carry the whole prompt along."""
        import openai
        from litellm.llms.custom_httpx.http_handler import HTTPHandler

        settings = self._settings
        handler = HTTPHandler(timeout=settings.read_timeout_s, follow_redirects=False)
        self._http = handler.client
        if provider != "openai":
            return handler
        return openai.OpenAI(
            api_key=_key(settings),
            base_url=settings.api_base,
            http_client=self._http,
            timeout=settings.read_timeout_s,
            max_retries=0,
        )

    def _translate(self, error: Exception) -> _CallError:
        settings = self._settings
        failed = classify(
            error,
            model=settings.model or "",
            server=settings.api_base or "the provider's address",
            secret=_key(settings) or "",
        )
        logger.info("model failed kind=%s error=%s", failed.kind, type(error).__name__)
        return _CallError(failed, _retry_after_s(error))


def _resolve_model(litellm: Any, settings: LlmSettings) -> tuple[str, str]:  # noqa: ANN401
    """Model name for litellm and its provider.

    With an address, a name that starts with no provider is one of an OpenAI-compatible
    server: "my-model" and "Qwen/Qwen3-VL" become "openai/...".
    """
    model = settings.model or ""
    if settings.api_base and "/" not in model:
        model = f"openai/{model}"
    try:
        provider = str(litellm.get_llm_provider(model)[1])
    except Exception:
        if not settings.api_base:
            raise
        model, provider = f"openai/{model}", "openai"
    return model, provider


def _key(settings: LlmSettings) -> str | None:
    """The key that is set; a dummy for a local server, so that no real key goes there."""
    if settings.api_key is not None:
        return settings.api_key.get_secret_value()
    needs_none = settings.api_base and not os.environ.get("OPENAI_API_KEY")
    return NO_KEY if needs_none or _is_loopback(settings.api_base) else None


def _usage(chunk: Any) -> dict[str, int]:  # noqa: ANN401 - untyped library
    usage = getattr(chunk, "usage", None)
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    found = {name: getattr(usage, name, None) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, int)}


def _retry_after_s(error: Exception) -> float:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return max(0.0, float(headers.get("retry-after", RETRY_WAIT_S)))
    except ValueError:  # the header may be a date
        return RETRY_WAIT_S
