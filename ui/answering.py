"""Which language model answers in this library, with which key, and what it may cost a day.

Holds the choice, the keys, what is known of the model, and the meter. Draws nothing.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag import ollama
from rag.errors import ConfigError, RagError
from rag.llm_choice import OLLAMA, Choice, Wish, choose, fitted, with_room
from rag.llm_facts import ModelFacts, describe_model, prepare
from rag.llm_hello import Hello, say_hello
from rag.llm_keys import KeyRing
from rag.spending import Spending, Spent
from rag.types import Done, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Literal

    from rag.library import Library
    from rag.settings import LlmSettings, ProviderSettings
    from rag.types import AnswerEvent

    KeyState = Literal["setting", "memory", "file", "environment", "none"]

logger = logging.getLogger(__name__)

MODEL, ADDRESS, CAP = "llm-model", "llm-address", "llm-daily-cap"  # names in the library's choices
MAX_NAME, MAX_ADDRESS, MAX_KEY = 200, 500, 4_000  # characters
# Who is there has answered by then, mostly; who is not has refused.
FIRST_LOOK_S = 0.05
OLLAMA_PREFIXES = ("ollama/", f"{OLLAMA}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What one question is answered with; with a refusal, quotes are given and it says why."""

    settings: LlmSettings
    refusal: Failure | None = None

    def told(self, events: Iterator[AnswerEvent]) -> Iterator[AnswerEvent]:
        """The events of an answer, the last one saying why no model was asked."""
        for event in events:
            if isinstance(event, Done) and self.refusal is not None:
                yield Done(replace(event.answer, error=self.refusal))
            else:
                yield event


class Answering:
    """The language model of one library. Safe to share between threads."""

    def __init__(
        self,
        settings: Callable[[], LlmSettings],
        providers: ProviderSettings,
        library: Library,
        folder: Path,
    ) -> None:
        self._settings = settings
        self._providers = providers
        self._choices = library.choices
        self._spending = Spending(library.database)
        self._keys = KeyRing(folder)
        self._lock = threading.Lock()
        self._looking: threading.Thread | None = None
        self._learning: threading.Thread | None = None
        self._ollama: list[ollama.OllamaModel] = []
        self._facts: dict[tuple[str, str | None], ModelFacts] = {}

    # -- which model ---------------------------------------------------------------------

    def choice(self, *, wait: bool = False) -> Choice:
        """The model that answers and why, at once; `wait` lets an Ollama answer first."""
        found = self._choose(None)
        if found.origin != "none" or self._is_decided():
            return found
        looking = self._look_for_ollama()
        looking.join(None if wait else FIRST_LOOK_S)
        if looking.is_alive():
            return replace(found, reason="Ollama is being looked for")
        return self._choose(self._ollama[0] if self._ollama else None)

    def sees_pictures(self) -> bool:
        """Whether the model is sent pictures, as far as that is known by now."""
        settings = self.choice().settings
        if not settings.model or settings.vision != "auto":
            return bool(settings.model) and settings.vision == "on"
        facts = self.facts()
        return facts is None or facts.sees_pictures

    def ready(self, *, use_llm: bool = True) -> Ready:
        """What a question is answered with now. May wait a moment for an Ollama, once."""
        if not use_llm:
            return Ready(settings=self._settings().model_copy(update={"model": None}))
        settings = self.choice(wait=True).settings
        if not settings.model:
            return Ready(settings=settings)
        cap, spent = self.cap(), self._spending.today()
        if cap is not None and spent.dollars >= cap:
            return Ready(settings=settings.model_copy(update={"model": None}), refusal=_capped(cap))
        facts = self.learn()
        window = facts.window if facts else None
        seeing = facts.sees_pictures if facts else None
        settings = with_room(fitted(settings, sees_pictures=seeing, window=window))
        return Ready(settings=settings.metered(self._count))

    def choose(self, model: str, api_base: str = "") -> None:
        """Keep a choice; an empty model takes it back, "none" asks for quotes.

        Raises:
            ConfigError: The model is fixed by a setting, or the address is none.
        """
        if self._settings().model:
            raise ConfigError("FOLIO_LLM__MODEL is set. Take it out to choose a model here.")
        model, api_base = model.strip()[:MAX_NAME], api_base.strip()[:MAX_ADDRESS]
        if api_base and not api_base.startswith(("http://", "https://")):
            raise ConfigError("The address must begin with http:// or https://.")
        if model.startswith(OLLAMA_PREFIXES) and not api_base:
            api_base = ollama.address_of(self._providers.ollama_host)
        self._choices.set(MODEL, model)
        self._choices.set(ADDRESS, api_base)
        logger.info("chose language model model=%s has_address=%s", model, bool(api_base))

    def wish(self) -> Wish:
        """What was chosen on the page; an empty model is no choice."""
        return Wish(model=self._choices.get(MODEL), api_base=self._choices.get(ADDRESS))

    def local_models(self) -> list[ollama.OllamaModel]:
        """What an Ollama on this computer has, as far as it was asked."""
        return list(self._ollama)

    # -- its key -------------------------------------------------------------------------

    def key_state(self) -> KeyState:
        """Where the key of the chosen model comes from."""
        choice = self.choice()
        kept = self._keys.home(choice.place)
        if kept:
            return kept
        if self._settings().api_key is not None:
            return "setting"
        return "environment" if choice.settings.api_key is not None else "none"

    def keep_key(self, key: str, *, in_file: bool) -> None:
        """Take a key for the chosen model, until Folio ends or in a file of the data folder.

        Raises:
            ConfigError: There is no model yet, or this is no key.
            StoreError: The file cannot be written.
        """
        key = key.strip()
        if not self.choice().model:
            raise ConfigError("Choose a model first: a key belongs to its provider.")
        if not key or len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
            raise ConfigError("This is no key. Copy it again from the provider's page.")
        self._keys.keep(self.choice().place, key, in_file=in_file)

    def delete_key(self) -> None:
        """Forget the key that was entered for the chosen model.

        Raises:
            StoreError: The file cannot be written.
        """
        self._keys.delete(self.choice().place)

    # -- what it can, and what it costs --------------------------------------------------

    def facts(self) -> ModelFacts | None:
        """What is known of the model, None until it was looked up."""
        return self._facts.get(_same(self.choice().settings))

    def learn(self) -> ModelFacts | None:
        """Look it up, once for each model; the first time takes seconds. None without one."""
        settings = self.choice().settings
        if not settings.model:
            return None
        known = self._facts.get(_same(settings))
        if known is None:
            known = self._facts[_same(settings)] = self._look_up(settings)
            prepare(settings)
        return known

    def learn_soon(self) -> None:
        """The same in the background, and not twice at a time."""
        with self._lock:
            if self._learning is not None and self._learning.is_alive():
                return
            self._learning = threading.Thread(target=self.learn, name="model-facts", daemon=True)
            self._learning.start()

    def spent_today(self) -> Spent:
        """What was used today, by all models."""
        return self._spending.today()

    def cap(self) -> float | None:
        """Dollars a day after which answers are quotes: the setting's, else the page's."""
        fixed = self._settings().daily_cap_usd
        if fixed is not None:
            return fixed
        kept = self._choices.get(CAP)
        return float(kept) if kept else None

    def set_cap(self, dollars: float | None) -> None:
        """Keep a cap of this library; None takes it away.

        Raises:
            ConfigError: It is fixed by a setting.
        """
        if self._settings().daily_cap_usd is not None:
            raise ConfigError("FOLIO_LLM__DAILY_CAP_USD is set. Take it out to change it here.")
        self._choices.set(CAP, "" if dollars is None else str(dollars))

    def hello(self) -> Hello:
        """A first word with the model; counted like any call, and under the same cap.

        Raises:
            ConfigError: There is no model.
        """
        ready = self.ready()
        if ready.refusal is not None:
            return Hello(kind=ready.refusal.kind, message=ready.refusal.message)
        if not ready.settings.model:
            raise ConfigError("Choose a model first.")
        return say_hello(ready.settings)

    # -- inside --------------------------------------------------------------------------

    def _choose(self, found: ollama.OllamaModel | None) -> Choice:
        return choose(self._settings(), self.wish(), self._providers, found, self._keys.get)

    def _is_decided(self) -> bool:
        """Whether quotes were asked for, or an address is set: then nobody is looked for."""
        settings = self._settings()
        return bool(settings.model or settings.api_base or self.wish().model)

    def is_looking(self) -> bool:
        """Whether an Ollama is being looked for, so that the choice may change by itself."""
        return self._looking is not None and self._looking.is_alive()

    def _look_for_ollama(self) -> threading.Thread:
        """Ask it in the background, once in the life of this process."""
        with self._lock:
            if self._looking is None:
                self._looking = threading.Thread(target=self._look, name="ollama", daemon=True)
                self._looking.start()
            return self._looking

    def _look(self) -> None:
        address = ollama.address_of(self._providers.ollama_host)
        self._ollama = ollama.find_models(address, self._settings().ollama_limit_s)

    def _look_up(self, settings: LlmSettings) -> ModelFacts:
        model = settings.model or ""
        if not model.startswith(OLLAMA_PREFIXES):
            return describe_model(settings)
        name = model.partition("/")[2]
        address = settings.api_base or ollama.address_of(self._providers.ollama_host)
        told = next((m for m in self._ollama if m.name == name and m.address == address), None)
        told = told or ollama.show_model(address, name)
        if told is None:
            return describe_model(settings)
        return ModelFacts(
            sees_pictures=told.sees_pictures,
            window=told.window,
            input_price=0.0,
            output_price=0.0,
        )

    def _count(self, settings: LlmSettings, prompt_tokens: int, answer_tokens: int) -> None:
        """The meter: told after each call, in the thread of the call."""
        facts = self._facts.get(_same(settings)) or describe_model(settings)
        try:
            self._spending.add(
                settings.model or "",
                prompt_tokens=prompt_tokens,
                answer_tokens=answer_tokens,
                dollars=facts.cost(prompt_tokens, answer_tokens),
            )
        except RagError as error:  # a full disk must not cost the answer as well
            logger.warning("spending is not kept: %s", error)


def _same(settings: LlmSettings) -> tuple[str, str | None]:
    """What facts depend on: the model and where it is."""
    return settings.model or "", settings.api_base


def _capped(cap: float) -> Failure:
    message = (
        f"Today's limit of ${cap:,.2f} for the language model is reached, so these are quotes."
        " Raise it on the Models page or with FOLIO_LLM__DAILY_CAP_USD."
    )
    return Failure(kind="cap", message=message)
