"""The text half of Nomic Embed v1.5 as a text lane. Knows files and the recipe, no mathematics.

Source: the card of nomic-embed-text-v1.5.
Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from rag.embed.catalogue import NOMIC
from rag.embed.mapped import load_mapped
from rag.embed.nomic_encoder import NomicTextEncoder, to_text_shape
from rag.embed.text_tower import Recipe, TextTower
from rag.embed.tokens import load_tokenizer
from rag.errors import EmbedError

if TYPE_CHECKING:
    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.turns import Turns

# CPU seconds for 64 real chunks at real size, one thread, at 256, 512, 1024 and 2048 tokens a
# batch: 23.1, 21.6, 20.8, 20.2. A question waits for one layer of it: 0.15 s at 1024, and under
# half a second on a processor a third as fast.
MAX_BATCH_TOKENS = 1024


def load_nomic_text(
    files: CheckpointFiles, *, turns: Turns, batch_size: int, dim: int, device: torch.device
) -> TextTower:
    """The text lane from its three files; `dim` may be shorter than the model's own.

    Raises:
        EmbedError: The config asks for what is not built, or the files are not whole.
    """
    tokenizer = load_tokenizer(files.folder / "tokenizer.json", cap=NOMIC.text_cap)
    model = load_encoder(files, device=device)
    if tokenizer.get_vocab_size() > model.shape.vocab_size:
        message = f"tokenizer.json in {files.folder} belongs to another model. Fetch it again."
        raise EmbedError(message)
    recipe = Recipe(
        dim=dim,
        text_cap=NOMIC.text_cap,
        query_prefix=NOMIC.query_prefix,
        document_prefix=NOMIC.document_prefix,
        has_layer_norm=True,
        max_batch_tokens=MAX_BATCH_TOKENS,
    )
    return TextTower(
        model=model,
        tokenizer=tokenizer,
        recipe=recipe,
        turns=turns,
        batch_size=batch_size,
        device=device,
    )


def load_encoder(files: CheckpointFiles, *, device: torch.device) -> NomicTextEncoder:
    """The encoder alone, in float32 whatever the file holds.

    Raises:
        EmbedError: As for `load_nomic_text`.
    """
    shape = to_text_shape(files.config)
    # bfloat16 moved hidden states by 5e-2 (facts/nomic.md, 6), on a GPU as on a CPU.
    return load_mapped(
        lambda: NomicTextEncoder(shape), files.folder, device=device, dtype=torch.float32
    )
