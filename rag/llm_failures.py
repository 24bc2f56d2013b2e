"""What went wrong with the language model, in one kind and one plain sentence.

Knows the names, numbers and words of errors, not the library that raises them. Kinds
are those of `LlmError`. The class says little: a refused picture comes as 400, as 500,
or inside a stream, and only its text tells (facts/reliability.md 1.3, litellm 1.110.2).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from rag.errors import LlmError

_DATA_URI = re.compile(r"data:[\w/+.-]{0,60};base64,[A-Za-z0-9+/=]*")
_KEY = re.compile(
    r"\b(?:sk|pk|gsk|key|xai|AIza)[-_]?[A-Za-z0-9*_-]{8,}|\bBearer\s+\S+", re.IGNORECASE
)
_WRAPPING = re.compile(r"^litellm\.\w+: |\w+Exception - ")
_LONGEST_MESSAGE = 300  # characters
_KEY_START = 6  # characters of a key that are enough to call a word a piece of it

_IMAGES = re.compile(
    r"image input|image_url|multi-?modal|mmproj|(?:support|accept|process)\w* (?:images?|vision)\b"
    r"|images? (?:is|are|not)\b|at most 0 image|invalid content type",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context (?:length|window|size)|maximum context|prompt is too long|too many tokens"
    r"|exceeds? the available context|reduce the length",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"quota|billing|credit|insufficient", re.IGNORECASE)
_POLICY = re.compile(
    r"content.?(?:policy|filter|management)|safety system|responsible ai", re.IGNORECASE
)
_UNREACHABLE = re.compile(
    r"connection error|connection refused|connect(?:ion)? (?:failed|attempts)|cannot connect"
    r"|name or service not known|getaddrinfo|no route to host|network is unreachable",
    re.IGNORECASE,
)
_NO_PROVIDER = re.compile(r"provider not provided|invalid provider", re.IGNORECASE)
_NO_KEY = re.compile(r"api_key.{0,40}must be set|missing.{0,20}api.?key", re.IGNORECASE)

_BAD_KEY = re.compile(
    r"api.?key (?:is )?(?:not valid|invalid|incorrect)|(?:invalid|incorrect) (?:\w+ )?api.?key",
    re.IGNORECASE,
)
_NO_STREAM = re.compile(
    r"stream\w*\W{1,3}(?:\w+\W+){0,4}(?:unsupported|not (?:supported|available|allowed|enabled))"
    r"|(?:not|n't) (?:support|allow)\w* (?:\w+ )?stream|unsupported.{0,30}stream",
    re.IGNORECASE,
)

_SENTENCES = {
    "key": "The model server refused the key. Check FOLIO_LLM__API_KEY, or the key on the Models"
    " page.",
    "quota": "The quota of this key is used up. Raise it with the provider, or set another model.",
    "rate": "The model server is asked too often. Wait a little and ask again.",
    "too_long": "The question with its sources is too long for the model. Set"
    " FOLIO_LLM__CONTEXT_TOKENS to the model's own window, or choose a model with a larger one.",
    "no_images": "The model does not take pictures. Set FOLIO_LLM__VISION=off.",
    "policy": "The model's provider refused this question or its sources by its content rules.",
    "timeout": "The model did not answer in time. Ask again, or raise FOLIO_LLM__READ_TIMEOUT_S.",
    "server": "The model server failed. Ask again in a moment.",
    "empty": "The model server gave an empty answer. Check that FOLIO_LLM__API_BASE is the address"
    " of an OpenAI-compatible server.",
    "cut_off": "The answer broke off. Ask again for the whole of it.",
}
_REDIRECT = (
    "The model server at {server} sends the question on to another address, which is not followed."
    " Set FOLIO_LLM__API_BASE to the final address."
)
_MODEL = "The model server does not know the model {model!r}. Check FOLIO_LLM__MODEL."
_ADDRESS = "There is no model server behind {server}. Check FOLIO_LLM__API_BASE; most end in /v1."
_NO_ADDRESS = (
    "{address!r} is no address of a model server. Set FOLIO_LLM__API_BASE to one that begins with"
    " http:// or https://, such as http://127.0.0.1:8000/v1."
)
_RETRYABLE = frozenset({"rate", "server", "unreachable"})


def failure(kind: str, detail: str = "") -> LlmError:
    """An error of a kind with its fixed sentence, or with `detail` where it has none."""
    return LlmError(kind, detail or _SENTENCES[kind], retryable=kind in _RETRYABLE)


def check_address(address: str | None) -> None:
    """Refuse what is no address, before it is called.

    Raises:
        LlmError: With the setting to change.
    """
    if not address:
        return
    try:
        parts = urlsplit(address)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that is not closed, a port that is no number
        is_one = False
    if not is_one:
        raise failure("settings", _NO_ADDRESS.format(address=redact(address)))


def asks_for_no_stream(error: BaseException) -> bool:
    """Whether a server refused a call because it was to stream."""
    return bool(_NO_STREAM.search(str(error)))


def classify(
    error: BaseException,
    *,
    model: str,
    server: str = "",
    secret: str = "",
    proxy: str = "",
    http_status: int = 0,
) -> LlmError:
    """The failure that an exception of the model library stands for.

    Args:
        error: what was raised; never shown as it is, for it may repeat the key.
        model: as set, for the message.
        server: its address, for the message; empty for a provider's own.
        secret: the key in use, taken out of any text that is shown.
        proxy: the variable that names the proxy it was looked for through, if any.
        http_status: what the server answered with, when that is known. litellm loses it: for
            Gemini a 429 comes as a stream that broke, for Anthropic a 307 as no connection.
    """
    text = str(error)
    name = type(error).__name__
    status = http_status if http_status >= 300 else getattr(error, "status_code", None)
    if name == "MidStreamFallbackError" and http_status >= 300:
        name = ""  # nothing had begun
    kind = _kind(name, status if isinstance(status, int) else 0, text)
    if kind == "model" or (kind == "address" and not server):
        return failure("model", _MODEL.format(model=model))
    if kind == "address":
        return failure("settings", _ADDRESS.format(server=server))
    if kind == "unreachable":
        return failure(kind, _unreachable_sentence(server, proxy))
    if kind == "redirect":
        return failure("settings", _REDIRECT.format(server=server or "the provider's address"))
    if kind == "settings":
        return failure(kind, _settings_sentence(text, model, secret))
    return failure(kind)


def redact(text: str, secret: str = "") -> str:
    """The text without keys and pictures, at most 300 characters."""
    text = _DATA_URI.sub("[picture]", text)
    if len(secret) >= _KEY_START:
        text = re.sub(re.escape(secret[:_KEY_START]) + r"\S*", "[key]", text)
    text = " ".join(_KEY.sub("[key]", text).split())
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def _kind(name: str, status: int, text: str) -> str:
    if name == "MidStreamFallbackError":
        # vLLM tells in a 200 stream that it takes no pictures (BerriAI/litellm#32237).
        return "no_images" if _IMAGES.search(text) else "cut_off"
    if name in ("ContextWindowExceededError", "PromptTooLong") or _TOO_LONG.search(text):
        return "too_long"
    if status in (401, 403):
        return "key"
    if status in (402, 429):
        return "quota" if status == 402 or _QUOTA.search(text) else "rate"
    if 300 <= status < 400:
        return "redirect"
    return _kind_by_words(text) or _kind_by_status(name, status, text)


def _kind_by_words(text: str) -> str | None:
    for kind, pattern in (
        ("key", _BAD_KEY),
        ("settings", _NO_PROVIDER),
        ("settings", _NO_KEY),
        ("unreachable", _UNREACHABLE),
        ("no_images", _IMAGES),
        ("policy", _POLICY),
    ):
        if pattern.search(text):
            return kind
    return None


def _kind_by_status(name: str, status: int, text: str) -> str:
    if name == "Timeout" or status == 408:
        return "timeout"
    if status in (404, 405):
        # A server that knows the protocol names the model; any other says that a page is absent.
        said = text.rpartition("Exception - ")[2].lower()
        return "model" if status == 404 and "model" in said else "address"
    return "settings" if 400 <= status < 500 else "server"


def _unreachable_sentence(server: str, proxy: str) -> str:
    if proxy:
        where = f"at {server}" if server else "of the provider"
        return (
            f"The model server {where} cannot be reached through the proxy in {proxy}. Check"
            f" {proxy}, or put the server's name into NO_PROXY."
        )
    if not server:
        return "The provider's model server cannot be reached. Check the network connection."
    return (
        f"The model server at {server} cannot be reached. Start it, or check FOLIO_LLM__API_BASE."
    )


def _settings_sentence(text: str, model: str, secret: str) -> str:
    if _NO_PROVIDER.search(text):
        return (
            f"{model!r} names no known provider. Set FOLIO_LLM__MODEL as provider/model, such as "
            "openai/gpt-5.4-mini, or set FOLIO_LLM__API_BASE."
        )
    if _NO_KEY.search(text):
        return "The model needs a key. Set FOLIO_LLM__API_KEY, or enter one on the Models page."
    return f"The model server refused the request: {redact(_WRAPPING.sub('', text), secret)}"
