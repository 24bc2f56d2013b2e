"""`folio ask` and the services take the model that is found, and stop at the daily limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rag.settings import LlmSettings, ProviderSettings, Settings, StoreSettings
from tests.builders import make_html
from tests.conftest import ROOT
from tests.ollama_server import Kept, OllamaServer
from tests.openai_server import ModelServer, says
from ui.contract import answer_json
from ui.services import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ui.services import Services

BODY = "<main><h1>Harbour</h1><p>The harbour of Elmouth has seven cranes and a ferry.</p></main>"
QUESTION = "How many cranes has the harbour of Elmouth?"
PRICED = "openai/gpt-5.4-mini"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("harbour")
    services = open_library(made)
    admitted = services.pipeline.admit("elmouth.html", make_html(BODY))
    services.pipeline.run(admitted.document.id)
    services.close()
    return made


@pytest.fixture
def services(folder: Path) -> Iterator[Services]:
    opened = open_library(folder)
    yield opened
    opened.close()


def open_library(folder: Path) -> Services:
    return build(
        Settings(
            data_dir=folder,
            store=StoreSettings(reserve_mb=0),
            providers=ProviderSettings(ollama_host="127.0.0.1:9"),
        )
    )


def with_model(services: Services, **settings: object) -> None:
    llm = LlmSettings(**settings)  # type: ignore[arg-type]  # passed through
    services.settings = services.settings.model_copy(update={"llm": llm})


def test_folio_ask_answers_with_an_ollama_that_is_there(folder: Path) -> None:
    gemma = Kept(name="gemma3:4b", capabilities=("completion", "vision"))
    with OllamaServer(gemma, says="It has seven cranes [1].") as server:
        done = subprocess.run(
            [sys.executable, "-m", "ui.cli", "ask", QUESTION, "--json", "--data-dir", str(folder)],
            cwd=ROOT,
            env={**os.environ, "FOLIO_STORE__RESERVE_MB": "0", "OLLAMA_HOST": server.address},
            capture_output=True,
            text=True,
            check=False,
        )
        # litellm asks for the details of the model by itself when an answer is over.
        assert server.paths()[:3] == ["/api/tags", "/api/show", "/api/chat"]

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["mode"], told["model"]) == ("llm", "ollama_chat/gemma3:4b")
    assert told["answer"].startswith("It has seven cranes [1].")
    assert told["error"] is None


def test_without_any_model_nobody_is_called_and_quotes_are_given(services: Services) -> None:
    told = answer_json(services.answer(QUESTION))

    assert (told["mode"], told["model"], told["error"]) == ("extractive", None, None)
    assert services.status().reason == "no model, key or Ollama was found"


def test_no_llm_asks_no_model(folder: Path) -> None:
    with OllamaServer(Kept(name="a")) as server:
        services = open_library(folder)
        services.answering._providers = ProviderSettings(ollama_host=server.address)
        answer = services.answer(QUESTION, use_llm=False)
        services.close()
        assert "/api/chat" not in server.paths()
    assert answer.mode == "extractive"


def test_the_answer_that_passes_the_limit_is_the_last_one_that_day(services: Services) -> None:
    with ModelServer(says("It has seven cranes [1].")) as server:
        base = {"model": PRICED, "api_base": server.base_url, "api_key": "k"}
        with_model(services, **base, daily_cap_usd=1e-6)
        first = answer_json(services.answer(QUESTION))
        second = answer_json(services.answer(QUESTION))
        assert len(server.requests) == 1

    assert (first["mode"], first["error"]) == ("llm", None)
    assert (second["mode"], second["error"]["kind"]) == ("extractive", "cap")
    assert "FOLIO_LLM__DAILY_CAP_USD" in second["error"]["message"]
    assert second["sources"]


def test_a_window_smaller_than_its_answer_still_holds_a_source(services: Services) -> None:
    with ModelServer(says("It has seven cranes [1].")) as server:
        base = {"model": "my-model", "api_base": server.base_url, "api_key": "k"}
        with_model(services, **base, context_tokens=1024, max_answer_tokens=4096)
        told = answer_json(services.answer(QUESTION))
        (request,) = server.requests

    assert told["mode"] == "llm"
    assert len(told["sources"]) >= 1
    assert request.body["max_tokens"] == 512


def test_a_chosen_model_is_kept_with_the_library(folder: Path) -> None:
    services = open_library(folder)
    services.answering.choose("mistral/mistral-small-latest")
    services.close()

    again = open_library(folder)
    chosen, reason = again.status().model, again.status().reason
    again.answering.choose("")
    again.close()

    assert (chosen, reason) == ("mistral/mistral-small-latest", "chosen on the Models page")
