"""What is known of a language model, and the way to litellm. The only importer of litellm.

Knows settings and litellm's list of models, no messages and no answers. litellm takes
seconds and 200 MB to import (measured), so it is imported inside functions only.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.llm_choice import LOOPBACK, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.settings import LlmSettings

# litellm knows the pictures of big providers; these are the usual local ones.
_SEEING_NAMES = re.compile(
    r"llava|vision|pixtral|moondream|minicpm-v|internvl|(?:^|[-_.\d/])vl(?:$|[-_.\d:])|gemma-?3|gpt-4o",
    re.IGNORECASE,
)
OLLAMA = frozenset({"ollama", "ollama_chat"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of a model; a price is in dollars a token, None when it is not known."""

    sees_pictures: bool
    window: int | None = None
    input_price: float | None = None
    output_price: float | None = None

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float | None:
        """Dollars of one call, None when a price is not known."""
        if self.input_price is None or self.output_price is None:
            return None
        return prompt_tokens * self.input_price + answer_tokens * self.output_price


def prepare(settings: LlmSettings) -> None:
    """Import litellm, which takes seconds, so that the first call does not wait for it."""
    load_litellm(settings)


def sees_pictures(settings: LlmSettings) -> bool:
    """Whether the model is to be sent pictures.

    On `auto`: what litellm's list says, or a name that is known for it (llava, -vl, ...).
    Any other model counts as one without eyes; FOLIO_LLM__VISION=on overrides.
    """
    if settings.vision != "auto" or not settings.model:
        return settings.vision == "on" and bool(settings.model)
    if _SEEING_NAMES.search(settings.model):
        return True
    return bool(_listed(settings).get("supports_vision"))


def describe_model(settings: LlmSettings) -> ModelFacts:
    """What litellm's list knows of the model that is set. Imports litellm; asks no server."""
    listed = _listed(settings)
    window = listed.get("max_input_tokens")
    # Not litellm's own cost function: it says 0 dollars for models of openrouter that it
    # does not know (1.110.2).
    input_price, output_price = (
        listed.get("input_cost_per_token"),
        listed.get("output_cost_per_token"),
    )
    if (settings.model or "").partition("/")[0] in OLLAMA:
        input_price = output_price = 0.0
    return ModelFacts(
        sees_pictures=sees_pictures(settings),
        window=window if isinstance(window, int) else None,
        input_price=input_price,
        output_price=output_price,
    )


def _listed(settings: LlmSettings) -> dict[str, Any]:
    """The model's entry in litellm's list, empty without one.

    Not through litellm's functions: for a model of Ollama they ask its server.
    """
    if not settings.model:
        return {}
    litellm = load_litellm(settings)
    try:
        model, provider = resolve_model(litellm, settings)
    except Exception:  # noqa: BLE001 - litellm's own classes; the call itself will tell
        return {}
    bare = model.partition("/")[2]
    entry = litellm.model_cost.get(model) or litellm.model_cost.get(bare) or {}
    is_its = str(entry.get("litellm_provider", "")).startswith(provider)
    return dict(entry) if is_its else {}


def load_litellm(settings: LlmSettings) -> Any:  # noqa: ANN401 - untyped library
    """The library, quiet, with its own price list, past any proxy for a server on this machine."""
    # Before the import: else litellm fetches a price list, or waits 8 s for it without a network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    if is_loopback(settings.api_base):
        _bypass_proxy()
    _quiet_loggers()
    with _without_collection():
        import litellm

    _quiet_loggers()  # the import may have set them anew
    litellm.suppress_debug_info = True  # it prints hints on standard output
    return litellm


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """No garbage is looked for meanwhile: an import leaves none, and looking is a quarter of it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _quiet_loggers() -> None:
    # At DEBUG they write prompts and pictures, at INFO each address (measured).
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "openai", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # pydantic warns of how litellm 1.110.2 declares its routing for Mistral.
    warnings.filterwarnings("ignore", r"Items? .* on TypedDict class", UserWarning)


def _bypass_proxy() -> None:
    """With HTTP_PROXY set, a server on this machine would be looked for through the proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join([*listed, *sorted(LOOPBACK - set(listed))])


def resolve_model(litellm: Any, settings: LlmSettings) -> tuple[str, str]:  # noqa: ANN401
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
