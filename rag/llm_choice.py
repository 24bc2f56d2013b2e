"""Which language model answers, and why. Knows settings, a wish and what was found; asks nobody.

In order: the setting, what was chosen on the Models page, a provider's key in the
environment, an Ollama on this computer, none. A model that is none means quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from rag.ollama import OllamaModel
    from rag.settings import LlmSettings, ProviderSettings

Origin = Literal["setting", "page", "key", "ollama", "none"]

NO_MODEL = "none"  # as a model's name: quotes only, whatever else is found
OLLAMA = "ollama_chat"  # LiteLLM's name for Ollama's own protocol
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A company that answers for a key."""

    name: str  # before the slash, as LiteLLM spells it
    title: str
    variable: str  # the environment variable that holds its key
    models: tuple[str, ...]  # that see pictures, as in LiteLLM 1.110.2; the first one is taken

    @property
    def default(self) -> str:
        """The model that is taken when only the key is known: small, and it sees pictures."""
        return self.models[0]


PROVIDERS = (
    Provider(
        name="openai",
        title="OpenAI",
        variable="OPENAI_API_KEY",
        models=("openai/gpt-5.4-mini", "openai/gpt-5.4-nano", "openai/gpt-5.5"),
    ),
    Provider(
        name="anthropic",
        title="Anthropic",
        variable="ANTHROPIC_API_KEY",
        models=("anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-6"),
    ),
    Provider(
        name="gemini",
        title="Google Gemini",
        variable="GEMINI_API_KEY",
        models=("gemini/gemini-3.5-flash-lite", "gemini/gemini-3.5-flash"),
    ),
    Provider(
        name="mistral",
        title="Mistral",
        variable="MISTRAL_API_KEY",
        models=("mistral/mistral-small-latest", "mistral/mistral-medium-latest"),
    ),
    Provider(
        name="openrouter",
        title="OpenRouter",
        variable="OPENROUTER_API_KEY",
        models=("openrouter/google/gemini-3.5-flash", "openrouter/openai/gpt-5.4-mini"),
    ),
    Provider(
        name="xai",
        title="xAI",
        variable="XAI_API_KEY",
        models=("xai/grok-4.3", "xai/grok-4.5"),
    ),
    Provider(
        name="groq",
        title="Groq",
        variable="GROQ_API_KEY",
        models=("groq/qwen/qwen3.8-27b",),
    ),
)
SEEING = frozenset(model for provider in PROVIDERS for model in provider.models)
# How people write a model without its provider.
_BARE_NAMES = (
    (re.compile(r"gpt-|o\d|chatgpt"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini"), "gemini"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody chose on the Models page; an empty model is no choice."""

    model: str = ""
    api_base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The model that answers, ready to be called, and where it comes from."""

    settings: LlmSettings  # without a model: quotes
    origin: Origin
    reason: str  # "found OPENAI_API_KEY"; fits behind the model's name

    @property
    def model(self) -> str | None:
        """Its name, None for quotes."""
        return self.settings.model

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this computer."""
        return not self.model or is_loopback(self.settings.api_base)

    @property
    def place(self) -> str:
        """Who gets the key; see `place_of`."""
        return place_of(self.settings.model or "", self.settings.api_base)


def choose(
    settings: LlmSettings,
    wish: Wish,
    providers: ProviderSettings,
    ollama: OllamaModel | None = None,
    pasted: Callable[[str], SecretStr | None] = lambda _place: None,
) -> Choice:
    """The model that answers.

    Args:
        settings: as configured.
        wish: the choice of the Models page.
        providers: keys found in the environment.
        ollama: the best model of an Ollama on this computer, when it was asked.
        pasted: a key that somebody entered, by place; goes before a configured one.
    """
    if settings.model == NO_MODEL:
        return _none(settings, "FOLIO_LLM__MODEL is none")
    if settings.model:
        return _with_key(settings, "setting", "set with FOLIO_LLM__MODEL", providers, pasted)
    if wish.model == NO_MODEL:
        return _none(settings, "quotes only was chosen on the Models page")
    if wish.model:
        base = wish.api_base or settings.api_base
        wished = settings.model_copy(update={"model": wish.model, "api_base": base})
        return _with_key(wished, "page", "chosen on the Models page", providers, pasted)
    if settings.api_base:
        return _none(settings, "FOLIO_LLM__API_BASE is set, but not FOLIO_LLM__MODEL")
    for provider in PROVIDERS:
        if providers.key(provider.variable) is not None:
            found = settings.model_copy(update={"model": provider.default})
            reason = f"found {provider.variable}"
            return _with_key(found, "key", reason, providers, pasted)
    if ollama is not None:
        return _local(settings, ollama)
    return _none(settings, "no model, key or Ollama was found")


def provider_of(model: str) -> Provider | None:
    """The listed provider of a model, None for any other."""
    head, slash, _ = model.partition("/")
    if not slash:
        head = next((name for shape, name in _BARE_NAMES if shape.match(model)), "")
    return next((provider for provider in PROVIDERS if provider.name == head), None)


def place_of(model: str, api_base: str | None) -> str:
    """Who gets a key: the server by its host, else the provider by its name.

    A key is kept for a place, so that another choice of model never sends it elsewhere.
    """
    if api_base:
        return urlsplit(api_base).netloc or api_base
    provider = provider_of(model)
    return provider.name if provider else model.partition("/")[0]


def is_loopback(address: str | None) -> bool:
    """Whether an address is on this computer."""
    try:
        return bool(address) and urlsplit(address or "").hostname in LOOPBACK
    except ValueError:  # brackets that are not closed
        return False


def _none(settings: LlmSettings, reason: str) -> Choice:
    without = settings.model_copy(update={"model": None})
    return Choice(settings=without, origin="none", reason=reason)


def _local(settings: LlmSettings, ollama: OllamaModel) -> Choice:
    found = settings.model_copy(
        update={"model": f"{OLLAMA}/{ollama.name}", "api_base": ollama.address, "api_key": None}
    )
    return Choice(
        settings=fitted(found, sees_pictures=ollama.sees_pictures, window=ollama.window),
        origin="ollama",
        reason="found Ollama on this computer",
    )


def fitted(settings: LlmSettings, *, sees_pictures: bool | None, window: int | None) -> LlmSettings:
    """The settings with what is known of the model: its eyes, unless set, and a smaller window."""
    changes: dict[str, object] = {}
    if settings.vision == "auto" and sees_pictures is not None:
        changes["vision"] = "on" if sees_pictures else "off"
    if window is not None and window < settings.context_tokens:
        changes["context_tokens"] = window
    return settings.model_copy(update=changes) if changes else settings


def with_room(settings: LlmSettings) -> LlmSettings:
    """The settings with an answer of at most half the window: the rest is for its sources."""
    half = settings.context_tokens // 2
    if settings.max_answer_tokens <= half:
        return settings
    return settings.model_copy(update={"max_answer_tokens": half})


def _with_key(
    settings: LlmSettings,
    origin: Origin,
    reason: str,
    providers: ProviderSettings,
    pasted: Callable[[str], SecretStr | None],
) -> Choice:
    model = settings.model or ""
    key = pasted(place_of(model, settings.api_base)) or settings.api_key
    provider = provider_of(model)
    if key is None and provider is not None and not settings.api_base:
        key = providers.key(provider.variable)  # `.env` holds it where LiteLLM does not look
    settings = settings.model_copy(update={"api_key": key})
    seeing = True if model in SEEING else None
    return Choice(
        settings=fitted(settings, sees_pictures=seeing, window=None), origin=origin, reason=reason
    )
