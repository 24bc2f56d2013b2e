"""Nomic text at real size, with random weights, beside the plain way.

Run: python bench/nomic_text.py [--chunks 96] [--rounds 2] [--threads 1]
Plain is transformers' NomicBertModel in a loop of padded batches of 32, in the order in
which chunks arrive: same weights, same threads. Also says what a bare matrix product
takes, which is a floor for every float32 way.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from corpus import PLAIN_BATCH, bert_tokenizer, pick_texts, read_drafts
from random_checkpoint import TEXT, write_text
from ratio import compare, print_bound, print_shares

from rag.embed.catalogue import NOMIC, NOMIC_TEXT
from rag.embed.checkpoints import find_checkpoint
from rag.embed.runtime import start_torch
from rag.embed.turns import Turns
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from transformers.models.nomic_bert.modeling_nomic_bert import NomicBertModel

    from rag.embed.lanes import Array
    from rag.embed.text_tower import TextTower

PARAMETERS = 12 * (4 * 768 * 768 + 3 * 768 * 3072)  # in matrix products, a token
INGEST_BATCH = 64  # texts that ingest hands over at once


def load_native(folder: Path) -> NomicBertModel:
    from transformers.models.nomic_bert.configuration_nomic_bert import NomicBertConfig
    from transformers.models.nomic_bert.modeling_nomic_bert import NomicBertModel

    config = NomicBertConfig(
        vocab_size=TEXT["vocab_size"],
        hidden_size=TEXT["n_embd"],
        num_hidden_layers=TEXT["n_layer"],
        num_attention_heads=TEXT["n_head"],
        intermediate_size=TEXT["n_inner"],
        layer_norm_eps=TEXT["layer_norm_epsilon"],
        max_position_embeddings=TEXT["n_positions"],
        hidden_act="silu",
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=0.0,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
    )
    model: NomicBertModel = NomicBertModel.from_pretrained(folder, config=config)
    return model.eval()


def load_ours(folder: Path) -> TextTower:
    import torch

    from rag.embed.nomic_text import load_nomic_text

    files = find_checkpoint(NOMIC_TEXT, name="nomic", model_dir=folder)
    return load_nomic_text(
        files,
        turns=Turns(),
        batch_size=EmbedSettings().batch_size,
        dim=768,
        device=torch.device("cpu"),
    )


def embed_plainly(model: NomicBertModel, texts: list[str]) -> Array:
    """Padded batches of 32 in the order given; mean, LayerNorm, unit length."""
    import torch
    from torch.nn import functional

    tokenizer = bert_tokenizer(NOMIC.text_cap)
    tokenizer.enable_padding()
    rows = []
    for start in range(0, len(texts), PLAIN_BATCH):
        batch = [NOMIC.document_prefix + text for text in texts[start : start + PLAIN_BATCH]]
        encodings = tokenizer.encode_batch(batch)
        ids = torch.tensor([each.ids for each in encodings])
        mask = torch.tensor([each.attention_mask for each in encodings])
        with torch.inference_mode():
            states = model(input_ids=ids, attention_mask=mask).last_hidden_state
            mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            unit = functional.normalize(functional.layer_norm(mean, (768,)), dim=-1)
        rows.append(unit.numpy())
    return np.vstack(rows)


def embed(lane: TextTower, texts: list[str]) -> Array:
    """As ingest does, so many at a time."""
    batches = [texts[at : at + INGEST_BATCH] for at in range(0, len(texts), INGEST_BATCH)]
    return np.vstack([lane.embed_documents(batch) for batch in batches])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    start_torch(options.threads)
    texts = pick_texts(read_drafts(), options.chunks)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "text"
        write_text(folder)
        native, lane = load_native(folder), load_ours(folder)
        lengths = np.array(lane.count_tokens(texts))
        padded = sum(
            PLAIN_BATCH * lengths[at : at + PLAIN_BATCH].max()
            for at in range(0, len(texts), PLAIN_BATCH)
        )
        print(
            f"{len(texts)} chunks, {lengths.mean():.0f} tokens on average; "
            f"padding makes {padded / lengths.sum():.2f} of it"
        )
        cpu = compare(
            {
                "plain (NomicBertModel, padded 32)": lambda: embed_plainly(native, texts),
                "Folio": lambda: embed(lane, texts),
            },
            rounds=options.rounds,
            unit="chunks",
        )
        print_bound(cpu, 2 * PARAMETERS * int(lengths.sum()))
        print_shares(lambda: lane.embed_documents(texts[:16]))


if __name__ == "__main__":
    main()
