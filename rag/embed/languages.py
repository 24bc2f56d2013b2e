"""Whether an embedder reads a document's language, in words for people. Loads no model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rag.embed.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.embed.catalogue import ModelFacts


@cache
def language_name(code: str) -> str:
    """English name of an ISO 639-1 code, "Korean"; the code itself when it has none."""
    from babel import Locale  # 40 ms, for the first name

    return str(Locale("en").languages.get(code, code))


def language_note(
    language: str, text: ModelFacts, catalogue: Sequence[ModelFacts] = CATALOGUE
) -> str:
    """What to expect of a document in a language that the text model was not trained on.

    Args:
        language: ISO 639-1 code, "" when it is not known.
        text: The model that embeds passages.
        catalogue: What could be used instead.

    Returns:
        One or two sentences; "" when there is nothing to say.
    """
    if language in ("", "en") or text.languages == "many":
        return ""
    name = language_name(language)
    note = (
        f"This document is in {name}; the current embedder, {text.name}, was trained on "
        "English, so it is found mainly by exact words."
    )
    better = [f.name + _reservation(f) for f in _multilingual(catalogue)]
    return f"{note} {_listed(better)} reads it better." if better else note


def _multilingual(catalogue: Sequence[ModelFacts]) -> list[ModelFacts]:
    """Models for passages in many languages, those without a reservation first."""
    able = [f for f in catalogue if "text" in f.lanes and f.languages == "many"]
    whole = [f for f in able if not any(_is_half(f, of) for of in able)]
    return sorted(whole, key=lambda f: bool(_reservation(f)))


def _is_half(facts: ModelFacts, of: ModelFacts) -> bool:
    """Whether it is another model without its pictures; naming one of them is enough."""
    own = set(facts.checkpoints)  # empty for a hosted model
    return bool(own) and own <= set(of.checkpoints) and set(facts.lanes) < set(of.lanes)


def _reservation(facts: ModelFacts) -> str:
    """Why one may not want it, " (non-commercial)"."""
    licence = {"yes": "", "no": "non-commercial", "check": "check its licence"}
    words = (licence[facts.commercial_use], "on a server" if facts.is_remote else "")
    told = ", ".join(word for word in words if word)
    return f" ({told})" if told else ""


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
