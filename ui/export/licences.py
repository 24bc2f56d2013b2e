"""What must be told with an export: the licence of Folio and of the models that searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed.choice import parse_choice
from rag.errors import ConfigError
from ui.version import source_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A part, its licence, and what must be said with it."""

    part: str
    name: str
    notice: str = ""


def licences_of(embedders: Sequence[str]) -> Iterator[Licence]:
    """Folio's, then one for each model that has searched, each once."""
    yield Licence(part="Folio", name="AGPL-3.0-or-later", notice=f"Source: {source_address()}")
    told: set[str] = set()
    for embedder in embedders:
        try:
            models = parse_choice(embedder).models
        except ConfigError:  # a model that this version no longer knows
            yield Licence(part=f"{embedder}, search model", name="not known to this version")
            continue
        for facts in models:
            if facts.name in told:
                continue
            told.add(facts.name)
            yield Licence(
                part=f"{facts.name} ({facts.id}), search model",
                name=f"{facts.licence}, {facts.licence_url}",
                notice=facts.notice,
            )
