from __future__ import annotations

import pytest

from rag.errors import ConfigError
from rag.settings import load_settings, setting_names


def test_a_misspelled_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLIO_EMBDE__MODEL", "nomic")
    with pytest.raises(ConfigError, match="FOLIO_EMBDE__MODEL"):
        load_settings()


def test_a_value_out_of_range_names_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLIO_RETRIEVE__TOP_K", "0")
    with pytest.raises(ConfigError, match="FOLIO_RETRIEVE__TOP_K"):
        load_settings()


def test_keys_never_show_in_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLIO_LLM__API_KEY", "sk-secret")
    assert "sk-secret" not in repr(load_settings())


def test_foreign_names_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    assert load_settings().llm.model is None


def test_every_setting_has_words_about_it() -> None:
    assert all(description for _, description, _ in setting_names())
