"""Which models an embedder's name stands for: `TEXT` or `TEXT+PICTURES`. Loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed.catalogue import CATALOGUE, MINILM
from rag.errors import ConfigError

if TYPE_CHECKING:
    from rag.embed.catalogue import ModelFacts
    from rag.settings import EmbedSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Where the lanes come from; `pictures` is None, the same model, or another one."""

    text: ModelFacts
    pictures: ModelFacts | None

    @property
    def name(self) -> str:
        """How the embedder is called everywhere: `nomic`, `minilm+clip`."""
        if self.pictures in (None, self.text):
            return self.text.name
        return f"{self.text.name}+{self.pictures.name}"

    @property
    def joint(self) -> bool:
        """Whether texts and pictures share one space."""
        return self.pictures is self.text and self.text.joint

    @property
    def models(self) -> tuple[ModelFacts, ...]:
        """The models that take part, each once."""
        if self.pictures is None or self.pictures is self.text:
            return (self.text,)
        return (self.text, self.pictures)


def find_facts(name: str) -> ModelFacts:
    """The catalogue entry of one model.

    Raises:
        ConfigError: There is none of that name; lists those there are.
    """
    for facts in CATALOGUE:
        if facts.name == name:
            return facts
    *first, last = (facts.name for facts in CATALOGUE)
    message = (
        f"There is no embedder {name!r}. Set FOLIO_EMBED__MODEL to {', '.join(first)} or {last}, "
        "or to a pair of them, TEXT+PICTURES."
    )
    raise ConfigError(message)


def chosen_name(settings: EmbedSettings) -> str:
    """The name that is set; the built-in embedder when none is."""
    return settings.model or MINILM.name


def parse_choice(name: str) -> Choice:
    """The models behind a name.

    A model that only embeds pictures gets the built-in text model beside it.

    Raises:
        ConfigError: A name is unknown, or a model has no such lane.
    """
    text_name, plus, picture_name = name.partition("+")
    text = find_facts(text_name)
    if not plus:
        if "text" not in text.lanes:
            return Choice(text=MINILM, pictures=text)
        return Choice(text=text, pictures=text if "image" in text.lanes else None)
    pictures = find_facts(picture_name)
    _demand_lane(text, "text", name)
    _demand_lane(pictures, "image", name)
    return Choice(text=text, pictures=pictures)


def _demand_lane(facts: ModelFacts, lane: str, name: str) -> None:
    if lane in facts.lanes:
        return
    able = ", ".join(each.name for each in CATALOGUE if lane in each.lanes)
    what = "passages" if lane == "text" else "pictures"
    message = (
        f"{facts.name} embeds no {what}, so {name} is not possible. "
        f"The {'first' if lane == 'text' else 'second'} name must be one of: {able}."
    )
    raise ConfigError(message)
