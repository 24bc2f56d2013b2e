"""Which model answers: the order of finding one, Ollama on loopback, keys and their file."""

from __future__ import annotations

import json
import logging
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from rag.errors import StoreError
from rag.llm_choice import PROVIDERS, SEEING, Choice, Wish, choose, fitted, place_of
from rag.llm_facts import describe_model
from rag.llm_keys import FILE_NAME, KeyRing
from rag.ollama import DEFAULT_ADDRESS, OllamaModel, address_of, find_models
from rag.settings import LlmSettings, ProviderSettings, load_settings
from tests.ollama_server import Kept, OllamaServer
from tests.openai_server import free_port

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-proj-abcdefghij1234567890"
GEMMA = OllamaModel(
    name="gemma3:4b",
    address="http://127.0.0.1:11434",
    sees_pictures=True,
    window=8_192,
    size_bytes=3_300_000_000,
)


def pick(
    wish: Wish | None = None,
    found: dict[str, Any] | None = None,
    ollama: OllamaModel | None = None,
    **settings: Any,
) -> Choice:
    return choose(
        LlmSettings(**settings), wish or Wish(), ProviderSettings(**(found or {})), ollama
    )


def test_the_setting_goes_before_page_key_and_ollama() -> None:
    found = pick(
        Wish(model="mistral/x"), {"openai_api_key": KEY}, GEMMA, model="anthropic/claude-haiku-4-5"
    )

    assert (found.model, found.origin) == ("anthropic/claude-haiku-4-5", "setting")
    assert found.reason == "set with FOLIO_LLM__MODEL"


def test_the_page_goes_before_a_key_and_a_key_before_ollama() -> None:
    by_page = pick(Wish(model="mistral/x"), {"openai_api_key": KEY}, GEMMA)
    by_key = pick(None, {"openai_api_key": KEY}, GEMMA)
    by_ollama = pick(None, None, GEMMA)

    assert (by_page.model, by_page.origin) == ("mistral/x", "page")
    assert (by_key.origin, by_key.reason) == ("key", "found OPENAI_API_KEY")
    assert (by_ollama.model, by_ollama.origin) == ("ollama_chat/gemma3:4b", "ollama")
    assert pick().model is None


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_a_key_in_the_environment_brings_its_providers_small_model_that_sees(
    provider: Any,
) -> None:
    found = pick(None, {provider.variable.lower(): KEY})

    assert found.model == provider.default
    assert found.reason == f"found {provider.variable}"
    assert found.settings.vision == "on"
    assert found.settings.api_key is not None
    assert not found.is_local


@pytest.mark.parametrize("model", sorted(SEEING))
def test_listed_models_see_pictures_by_the_list_of_litellm(model: str) -> None:
    facts = describe_model(LlmSettings(model=model))

    if model.startswith("openrouter/"):  # it lists none of its models
        assert facts.input_price is None
    else:
        assert facts.sees_pictures
        assert facts.input_price
        assert facts.output_price


def test_quotes_can_be_asked_for_whatever_is_found() -> None:
    by_setting = pick(Wish(model="mistral/x"), {"openai_api_key": KEY}, GEMMA, model="none")
    by_page = pick(Wish(model="none"), {"openai_api_key": KEY}, GEMMA)

    assert by_setting.model is None
    assert by_page.model is None


def test_an_address_without_a_model_sends_nothing_to_a_provider_instead() -> None:
    found = pick(None, {"openai_api_key": KEY}, GEMMA, api_base="http://127.0.0.1:8000/v1")

    assert found.model is None
    assert "FOLIO_LLM__MODEL" in found.reason


def test_a_local_model_brings_its_eyes_its_window_and_its_address() -> None:
    found = pick(None, None, GEMMA, api_key=KEY)

    assert found.settings.vision == "on"
    assert found.settings.context_tokens == 8_192
    assert found.settings.api_base == GEMMA.address
    assert found.settings.api_key is None
    assert found.is_local


def test_a_setting_for_pictures_is_not_overruled() -> None:
    settings = LlmSettings(model="m", vision="off")
    assert fitted(settings, sees_pictures=True, window=None).vision == "off"


def test_a_key_is_for_one_place_only() -> None:
    keys = {"mistral": SecretStr(KEY)}
    settings, found = LlmSettings(), ProviderSettings()

    its = choose(settings, Wish(model="mistral/a"), found, pasted=keys.get)
    other = choose(settings, Wish(model="openai/b"), found, pasted=keys.get)
    elsewhere = choose(
        settings, Wish(model="mistral/a", api_base="http://box:8000/v1"), found, pasted=keys.get
    )

    assert its.settings.api_key == SecretStr(KEY)
    assert other.settings.api_key is None
    assert elsewhere.settings.api_key is None


@pytest.mark.parametrize(
    ("model", "base", "place"),
    [
        ("gpt-5.4-mini", None, "openai"),
        ("claude-haiku-4-5", None, "anthropic"),
        ("openai/x", None, "openai"),
        ("cohere/x", None, "cohere"),
        ("x", "http://box:8000/v1", "box:8000"),
    ],
)
def test_the_place_of_a_key(model: str, base: str | None, place: str) -> None:
    assert place_of(model, base) == place


def test_keys_are_read_from_the_environment_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    (tmp_path / ".env").write_text(f"MISTRAL_API_KEY={KEY}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    settings = load_settings(data_dir=tmp_path)

    assert settings.providers.key("ANTHROPIC_API_KEY") == SecretStr(KEY)
    assert settings.providers.key("MISTRAL_API_KEY") == SecretStr(KEY)
    assert KEY not in repr(settings) + settings.model_dump_json()


# -- Ollama --------------------------------------------------------------------------------


def test_of_what_ollama_has_a_vision_model_is_taken_and_none_that_embeds_or_runs_elsewhere() -> (
    None
):
    models = (
        Kept(name="big:70b", size=40_000_000_000),
        Kept(name="nomic-embed-text", capabilities=("embedding",)),
        Kept(name="gpt-oss:120b-cloud", capabilities=("completion", "vision")),
        Kept(name="far:1b", capabilities=("completion", "vision"), remote_host="ollama.example"),
        Kept(name="gemma3:4b", capabilities=("completion", "vision"), window=8_192),
        Kept(name="moondream", size=1_700_000_000, capabilities=("completion", "vision")),
        Kept(name="llava:old", size=1, capabilities=None, projector=True),
    )
    with OllamaServer(*models) as server:
        found = find_models(server.address)

    assert [model.name for model in found] == ["gemma3:4b", "moondream", "llava:old", "big:70b"]
    assert (found[0].sees_pictures, found[0].window) == (True, 8_192)


def test_no_ollama_is_no_model_and_no_error() -> None:
    assert find_models(f"http://127.0.0.1:{free_port()}") == []


def test_a_server_that_is_no_ollama_is_no_model() -> None:
    with OllamaServer() as server:
        assert find_models(server.address + "/elsewhere") == []
        assert find_models(server.address) == []


def test_a_silent_ollama_is_waited_for_half_a_second() -> None:
    with OllamaServer(Kept(name="a"), pause_s=1.5) as server:
        started = time.monotonic()
        found = find_models(server.address)
        waited = time.monotonic() - started

    assert found == []
    assert waited < 1.4


def test_a_proxy_is_not_asked_for_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with OllamaServer(Kept(name="a")) as server:
        assert [model.name for model in find_models(server.address)] == ["a"]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("", DEFAULT_ADDRESS),
        ("0.0.0.0", DEFAULT_ADDRESS),
        (":11500", "http://127.0.0.1:11500"),
        ("box:1234", "http://box:1234"),
        ("http://box", "http://box"),
        ("https://box:443/", "https://box:443"),
        ("[::1]:11434", "http://[::1]:11434"),
        ("box:none", DEFAULT_ADDRESS),
    ],
)
def test_the_address_in_ollama_host(host: str, address: str) -> None:
    assert address_of(host) == address


# -- keys ----------------------------------------------------------------------------------


def test_a_key_for_this_session_leaves_no_trace_in_the_folder(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.keep("openai", KEY, in_file=False)

    assert ring.get("openai") == SecretStr(KEY)
    assert ring.home("openai") == "memory"
    assert list(tmp_path.iterdir()) == []
    assert KeyRing(tmp_path).get("openai") is None


def test_a_key_in_the_file_is_its_owners_alone_and_is_found_again(tmp_path: Path) -> None:
    KeyRing(tmp_path).keep("openai", KEY, in_file=True)

    path = tmp_path / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8")) == {"openai": KEY}
    again = KeyRing(tmp_path)
    assert again.get("openai") == SecretStr(KEY)
    assert again.home("openai") == "file"


def test_a_deleted_key_is_gone_and_the_last_one_takes_the_file_along(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.keep("openai", KEY, in_file=True)
    ring.keep("mistral", KEY, in_file=True)

    ring.delete("openai")
    assert json.loads((tmp_path / FILE_NAME).read_text(encoding="utf-8")) == {"mistral": KEY}
    ring.delete("mistral")
    assert list(tmp_path.iterdir()) == []


def test_a_key_for_the_session_takes_the_one_in_the_file_away(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.keep("openai", "sk-old-old-old", in_file=True)
    ring.keep("openai", KEY, in_file=False)

    assert ring.home("openai") == "memory"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_refuses_the_file_in_one_sentence(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "absent")
    with pytest.raises(StoreError, match="cannot be kept") as caught:
        ring.keep("openai", KEY, in_file=True)
    assert KEY not in str(caught.value)
    assert ring.get("openai") is None


def test_a_damaged_file_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("[1, 2", encoding="utf-8")
    assert KeyRing(tmp_path).get("openai") is None


def test_a_key_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ring = KeyRing(tmp_path)
        ring.keep("openai", KEY, in_file=True)
        ring.delete("openai")
    assert KEY not in caplog.text + repr(ring.__dict__)
