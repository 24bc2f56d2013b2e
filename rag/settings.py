"""Configuration from `FOLIO_*` variables and `.env`. Read once, by the entry points."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import ConfigError

PREFIX = "FOLIO_"
# Told the settings of a call, its tokens in and its tokens out.
Meter = Callable[["LlmSettings", int, int], None]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class EmbedSettings(_Section):
    """Which embedder, and how it runs."""

    model: str | None = Field(
        None,
        description="Embedder, as `TEXT` or `TEXT+PICTURES` (`folio models` lists the names);"
        " empty: the one the library was indexed with, at first `minilm`",
    )
    model_dir: Path | None = Field(
        None, description="Folder with the checkpoint files of the chosen embedder"
    )
    dims: Annotated[int, Field(ge=1, le=4096)] | None = Field(
        None, description="Length of a text vector, where the model can be cut (Matryoshka)"
    )
    precision: Literal["fp32", "bf16", "int8"] = Field(
        "fp32", description="Numbers a model computes with; `folio models` lists what each allows"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where torch models run; `auto` takes a GPU that torch sees"
    )
    threads: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="CPU threads a model may use"
    )
    batch_size: Annotated[int, Field(ge=1, le=256)] = Field(
        8, description="Texts or pictures embedded at once"
    )
    accept_noncommercial_licence: bool = Field(
        False, description="Set to 1 to use a model whose licence forbids commercial use"
    )
    fetch_default: bool = Field(
        True, description="Whether the app fetches `nomic` in the background when none is set"
    )
    api_base: str = Field(
        "https://api.jina.ai/v1", description="Address of the hosted embedder, for `jina-api`"
    )
    api_key: SecretStr | None = Field(
        None, description="Its key; the provider's own `JINA_API_KEY` works as well"
    )
    api_timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(
        60.0, description="Seconds to wait for the hosted embedder"
    )


class StoreSettings(_Section):
    """Where points live: the embedded engine, or a Qdrant server when `url` is set."""

    url: str | None = Field(None, description="Address of a Qdrant server; empty: built in")
    api_key: SecretStr | None = Field(None, description="Key of that server")
    timeout_s: Annotated[float, Field(gt=0, le=300)] = Field(
        10.0, description="Seconds to wait for the server"
    )
    reserve_mb: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        1024, description="Free disk, in MB, below which nothing is written"
    )


class LlmSettings(_Section):
    """The language model; with none set, `rag.llm_choice` looks for one."""

    model: str | None = Field(
        None,
        description="LiteLLM model name, such as `openai/gpt-5.4-mini`; `none`: quotes only; empty:"
        " one is looked for",
    )
    api_base: str | None = Field(None, description="Address of an OpenAI-compatible server")
    api_key: SecretStr | None = Field(
        None, description="Key; the provider's own variable works as well"
    )
    vision: Literal["auto", "on", "off"] = Field(
        "auto", description="Whether the model is sent pictures"
    )
    max_images: Annotated[int, Field(ge=0, le=32)] = Field(
        4, description="Pictures sent with one question"
    )
    context_tokens: Annotated[int, Field(ge=1024, le=2_000_000)] = Field(
        16_384, description="Context window the prompt is budgeted for"
    )
    max_answer_tokens: Annotated[int, Field(ge=16, le=32_000)] = Field(
        1_024, description="Longest answer, in tokens"
    )
    read_timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(
        30.0, description="Seconds without a byte before the model counts as silent"
    )
    answer_timeout_s: Annotated[float, Field(gt=0, le=3600)] = Field(
        120.0, description="Seconds for one whole answer"
    )
    ollama_limit_s: Annotated[float, Field(gt=0, le=60)] = Field(
        0.5, description="Seconds that an Ollama on this computer has to answer, at start"
    )
    daily_cap_usd: Annotated[float, Field(ge=0, le=100_000)] | None = Field(
        None, description="Dollars a day, as estimated, after which answers are quotes"
    )
    # No setting: rides along to wherever a model is called, so that no call goes uncounted.
    _meter: Meter | None = PrivateAttr(None)

    def metered(self, meter: Meter) -> LlmSettings:
        """The same, with `meter` told what each call used."""
        copy = self.model_copy()
        copy._meter = meter
        return copy

    def count(self, prompt_tokens: int, answer_tokens: int) -> None:
        """Tell the meter, if there is one."""
        if self._meter is not None:
            self._meter(self, prompt_tokens, answer_tokens)


class IngestSettings(_Section):
    """Limits for files, against mistakes and against hostile ones."""

    max_file_mb: Annotated[int, Field(ge=1, le=2_000)] = Field(50, description="Largest file, MB")
    max_pages: Annotated[int, Field(ge=1, le=100_000)] = Field(2_000, description="Most pages")
    max_images: Annotated[int, Field(ge=0, le=100_000)] = Field(
        1_000, description="Most pictures kept of one document"
    )
    max_megapixels: Annotated[int, Field(ge=1, le=200)] = Field(
        25, description="Largest picture that is decoded, megapixels"
    )
    page_timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(
        30.0, description="Seconds one page may take to parse"
    )
    page_memory_mb: Annotated[int, Field(ge=256, le=64_000)] = Field(
        2_048, description="Memory the parser may use, MB"
    )
    processes: Annotated[int, Field(ge=1, le=8)] = Field(
        2, description="Processes that read a long PDF together, 0.6 GB each"
    )


class RetrieveSettings(_Section):
    """How many hits an answer is made from."""

    top_k: Annotated[int, Field(ge=1, le=50)] = Field(8, description="Hits kept for a question")
    reranker: str | None = Field(
        None,
        description="Cross-encoder that orders the best 20 passages anew: a folder, or a name that"
        " was fetched from the hub (`cross-encoder/ms-marco-MiniLM-L6-v2`)",
    )


class ProviderSettings(BaseSettings):
    """What the providers' own variables hold, in the environment or in `.env`."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    openai_api_key: SecretStr | None = None
    anthropic_api_key: SecretStr | None = None
    gemini_api_key: SecretStr | None = None
    mistral_api_key: SecretStr | None = None
    openrouter_api_key: SecretStr | None = None
    xai_api_key: SecretStr | None = None
    groq_api_key: SecretStr | None = None
    ollama_host: str = ""

    def key(self, variable: str) -> SecretStr | None:
        """The key in the variable of this name, None without one."""
        found = getattr(self, variable.lower(), None)
        return found if isinstance(found, SecretStr) else None


class Settings(BaseSettings):
    """All settings. Sections refuse unknown keys; the top level ignores foreign ones."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("folio", appauthor=False)),
        description="Folder that holds the library",
    )
    embed: EmbedSettings = EmbedSettings()
    store: StoreSettings = StoreSettings()
    llm: LlmSettings = LlmSettings()
    ingest: IngestSettings = IngestSettings()
    retrieve: RetrieveSettings = RetrieveSettings()
    # The provider's own name, like the keys that LiteLLM reads.
    jina_api_key: SecretStr | None = Field(None, validation_alias="JINA_API_KEY")
    providers: ProviderSettings = Field(default_factory=ProviderSettings)


# Read by Makefile, tests and the launcher, not by Settings.
OUTSIDE_NAMES = frozenset(
    {"FOLIO_NO_APT", "FOLIO_CHROMIUM", "FOLIO_SHARED", "FOLIO_SERVE_CHILD"}
    | {"FOLIO_TEST_LLM_BASE", "FOLIO_TEST_LLM_MODEL", "FOLIO_TEST_LLM_KEY"}
)


def load_settings(*, data_dir: Path | None = None) -> Settings:
    """Settings from the environment and `.env`, the data folder overridden when given.

    Raises:
        ConfigError: A value is out of range, or a `FOLIO_*` name is unknown (a
            misspelled section would otherwise be ignored without a word).
    """
    _refuse_unknown_names()
    try:
        settings = Settings()
    except ValidationError as error:
        raise ConfigError(_first_problem(error)) from error
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir})
    embed = settings.embed
    if embed.api_key is None:
        embed = embed.model_copy(update={"api_key": settings.jina_api_key})
    folder = settings.data_dir.expanduser().absolute()
    return settings.model_copy(update={"data_dir": folder, "embed": embed})


def setting_names() -> list[tuple[str, str, object]]:
    """Every setting as (environment name, description, default), in reading order."""
    rows: list[tuple[str, str, object]] = [
        ("FOLIO_DATA_DIR", Settings.model_fields["data_dir"].description or "", "user data folder")
    ]
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, _Section):
            rows.extend(
                (f"{PREFIX}{section}__{name}".upper(), inner.description or "", inner.default)
                for name, inner in model.model_fields.items()
            )
    return rows


def _refuse_unknown_names() -> None:
    known = {name for name, _, _ in setting_names()} | OUTSIDE_NAMES
    unknown = sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )
    if unknown:
        message = f"Unknown setting {unknown[0]}. The README lists every FOLIO_ setting."
        raise ConfigError(message)


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    name = PREFIX + "__".join(str(part) for part in first["loc"]).upper()
    return f"Setting {name} is not usable: {first['msg']}."
