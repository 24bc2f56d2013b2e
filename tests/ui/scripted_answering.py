"""The real `Answering` on a library in memory: choices, keys and spending as in the app."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rag.library import Database, Library
from rag.settings import LlmSettings, ProviderSettings
from ui.answering import Answering


def make_answering(
    folder: Path = Path("absent"), found: dict[str, Any] | None = None, **settings: Any
) -> Answering:
    """Quotes only, unless settings or found keys say otherwise; keys stay in memory."""
    library = Library(Database(Path(":memory:")))
    llm = LlmSettings(**settings)
    return Answering(lambda: llm, ProviderSettings(**(found or {})), library, folder)
