"""A text cross-encoder: question and passage read together, one score a pair.

Knows BERT with one output, such as cross-encoder/ms-marco-MiniLM-L6-v2, and where its files
lie. Nothing of groups, heights or hits.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rag.embed.batches import plan_batches
from rag.embed.runtime import pick_device
from rag.embed.tokens import clean_text, load_tokenizer
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from tokenizers import Encoding, Tokenizer

    from rag.embed.bert_encoder import BertPairScorer
    from rag.embed.lanes import Array
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

FILES = ("config.json", "tokenizer.json", "model.safetensors")
SETTING = "FOLIO_RETRIEVE__RERANKER"
PAIR_CAP = 512  # what the model card of ms-marco-MiniLM-L6-v2 scores with
MAX_BATCH_TOKENS = 1024
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


class Reranker(Protocol):
    """Scores passages for a question: float32 (n,), higher fits better, entry i is text i's.

    Scores of one question compare with each other only.
    """

    @property
    def identity(self) -> str: ...
    def score(self, question: str, texts: Sequence[str]) -> Array: ...


class CrossEncoder:
    """A `Reranker` over our own BERT; see `load_reranker`.

    Args:
        model: in eval mode, on `device`.
        tokenizer: cuts a pair at the model's cap, the longer side first, and does not pad.
        identity: names the weights.
        turns: shared with the embedder, so that questions go before documents.
        device: where token ids go.
    """

    def __init__(
        self,
        *,
        model: BertPairScorer,
        tokenizer: Tokenizer,
        identity: str,
        turns: Turns,
        device: torch.device,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._identity = identity
        self._turns = turns
        self._device = device

    @property
    def identity(self) -> str:
        """Id or folder name, and a digest of the files."""
        return self._identity

    def score(self, question: str, texts: Sequence[str]) -> Array:
        """The model's own numbers (logits), float32 (n,)."""
        pairs = [self._encode(question, text) for text in texts]
        scores = np.zeros(len(pairs), dtype=np.float32)
        lengths = [len(pair.ids) for pair in pairs]
        for places in plan_batches(lengths, max_rows=len(pairs), max_tokens=MAX_BATCH_TOKENS):
            with self._turns.take(question=True):
                scores[places] = self._forward([pairs[place] for place in places])
        return scores

    def _encode(self, question: str, text: str) -> Encoding:
        return self._tokenizer.encode(clean_text(question), clean_text(text))

    def _forward(self, pairs: Sequence[Encoding]) -> Array:
        import torch

        from rag.embed.packed import pack

        with torch.inference_mode():
            packed = pack(
                [pair.ids for pair in pairs],
                segments=[pair.type_ids for pair in pairs],
                device=self._device,
            )
            scores: Array = self._model(packed, self._turns.give_way).float().cpu().numpy()
        return scores


def load_reranker(name: str, settings: EmbedSettings, turns: Turns) -> CrossEncoder:
    """The cross-encoder in a folder, or of a name that the hub's cache holds.

    Args:
        name: A folder with config.json, tokenizer.json and model.safetensors, or a name
            on the hub, such as cross-encoder/ms-marco-MiniLM-L6-v2, fetched before.
        settings: Device and threads, as for the embedder.
        turns: Shared with the embedder.

    Raises:
        ConfigError: There is no such folder or fetched model, or it is of another kind.
        EmbedError: Its files are damaged or do not belong together.
    """
    import torch

    from rag.embed.bert_encoder import BertPairScorer, to_bert_shape
    from rag.embed.mapped import load_mapped

    folder = find_reranker(name)
    config = _read_config(folder)
    device = pick_device(settings)
    try:
        shape = to_bert_shape(config)
    except KeyError as error:
        message = f"{folder / 'config.json'} lacks {error}. Fetch the reranker's files again."
        raise EmbedError(message) from error
    model = load_mapped(
        lambda: BertPairScorer(shape),
        folder,
        device=device,
        dtype=torch.float32,
        unused=("bert.embeddings.position_ids",),
    )
    cap = min(PAIR_CAP, shape.position_count)
    return CrossEncoder(
        model=model,
        tokenizer=_load_tokenizer(folder, cap=cap, vocab_size=shape.vocab_size),
        identity=f"{_shown_name(name)}@sha256:{_digest(folder)[:16]}|torch-fp32|cap={cap}|v1",
        turns=turns,
        device=device,
    )


def find_reranker(name: str) -> Path:
    """Where a reranker's files lie.

    Raises:
        ConfigError: Nowhere, or not all of them are there.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if not _HUB_NAME.fullmatch(name):
            raise ConfigError(f"There is no folder {name}. Correct {SETTING}, or leave it out.")
        folder = _newest_snapshot(name)
    for each in FILES:
        if not (folder / each).is_file():
            raise ConfigError(
                f"{folder} lacks {each}. {SETTING} needs a folder with {', '.join(FILES)}."
            )
    return folder


def _newest_snapshot(name: str) -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    snapshots = Path(HF_HUB_CACHE) / ("models--" + name.replace("/", "--")) / "snapshots"
    found = sorted(snapshots.glob("*/config.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ConfigError(
            f"{name} is neither a folder nor a model that was fetched to this computer. Set "
            f"{SETTING} to a folder with {', '.join(FILES)}, or leave it out."
        )
    return found[-1].parent


def _read_config(folder: Path) -> dict[str, Any]:
    """config.json of a BERT with one output.

    Raises:
        ConfigError: It is another kind of model.
        EmbedError: It cannot be read.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        architectures = config.get("architectures") or ()
    except (OSError, ValueError, AttributeError) as error:
        message = f"{path} cannot be read ({error}). Fetch the reranker's files again."
        raise EmbedError(message) from error
    if "BertForSequenceClassification" not in architectures or len(_labels(config)) != 1:
        raise ConfigError(
            f"{folder} holds no cross-encoder that Folio knows: it must be a BERT with one "
            f"output, such as cross-encoder/ms-marco-MiniLM-L6-v2. Correct {SETTING}."
        )
    if config.get("hidden_act", "gelu") != "gelu":
        raise ConfigError(
            f"The reranker in {folder} uses {config['hidden_act']} where Folio computes gelu. "
            f"Set {SETTING} to another one."
        )
    return dict(config)


def _labels(config: dict[str, Any]) -> Sequence[object]:
    labels = config.get("id2label")
    return list(labels) if isinstance(labels, dict) else range(config.get("num_labels") or 2)


def _load_tokenizer(folder: Path, *, cap: int, vocab_size: int) -> Tokenizer:
    """A tokenizer that marks question and passage apart, as the model was trained.

    Raises:
        EmbedError: It is damaged or of another model.
    """
    tokenizer = load_tokenizer(folder / "tokenizer.json", cap=cap)
    pair = tokenizer.encode("a", "b")
    # [CLS] a [SEP] b [SEP]
    if pair.type_ids != [0, 0, 0, 1, 1] or tokenizer.get_vocab_size() > vocab_size:
        message = (
            f"tokenizer.json in {folder} does not belong to a BERT cross-encoder. Fetch the "
            "reranker's files again, all of the same revision."
        )
        raise EmbedError(message)
    return tokenizer


def _shown_name(name: str) -> str:
    return name if _HUB_NAME.fullmatch(name) else Path(name).expanduser().name


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for each in FILES:
        with (folder / each).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
