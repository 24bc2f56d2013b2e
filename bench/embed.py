"""The built-in embedder beside transformers' BertModel, and in bfloat16.

Run: python bench/embed.py [--chunks 192] [--rounds 3] [--threads 1]
Plain is BertModel in a loop of padded batches of 32, in the order in which chunks arrive.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from corpus import PLAIN_BATCH, bert_tokenizer, pick_texts, read_drafts
from ratio import compare

from rag.embed import load_embedder
from rag.embed.minilm import minilm_folder
from rag.embed.runtime import start_torch
from rag.errors import ConfigError
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from transformers.models.bert.modeling_bert import BertModel

    from rag.embed.lanes import Array


def embed_plainly(model: BertModel, texts: list[str]) -> Array:
    import torch

    from rag.embed.text_tower import pool

    tokenizer = bert_tokenizer(256)
    tokenizer.enable_padding()
    rows = []
    for start in range(0, len(texts), PLAIN_BATCH):
        encodings = tokenizer.encode_batch(texts[start : start + PLAIN_BATCH])
        ids = torch.tensor([each.ids for each in encodings])
        mask = torch.tensor([each.attention_mask for each in encodings])
        with torch.inference_mode():
            states = model(input_ids=ids, attention_mask=mask).last_hidden_state
            rows.append(pool(states, mask, has_layer_norm=False).numpy())
    return np.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    start_torch(options.threads)
    from transformers.models.bert.modeling_bert import BertModel

    texts = pick_texts(read_drafts(), options.chunks)
    native = BertModel.from_pretrained(minilm_folder(), add_pooling_layer=False).eval()
    ways = {"plain (BertModel, padded 32)": lambda: embed_plainly(native, texts)}
    for precision in ("fp32", "bf16"):
        settings = EmbedSettings(threads=options.threads, precision=precision)
        try:
            lane = load_embedder(settings).text
        except ConfigError as error:
            print(f"  {error}")
            continue
        ways[f"Folio, {precision}"] = lambda lane=lane: lane.embed_documents(texts)
    compare(ways, rounds=options.rounds, unit="chunks")


if __name__ == "__main__":
    main()
