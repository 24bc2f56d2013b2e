"""Nomic's two halves at real size with random weights, as folders in the published layout.

Nothing to run here. Config values: facts of the published config.json files.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from rag.embed.minilm import minilm_folder

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

TEXT = {
    "architectures": ["NomicBertModel"],
    "model_type": "nomic_bert",
    "activation_function": "swiglu",
    "layer_norm_epsilon": 1e-12,
    "n_embd": 768,
    "n_head": 12,
    "n_inner": 3072,
    "n_layer": 12,
    "n_positions": 8192,
    "rotary_emb_base": 1000,
    "type_vocab_size": 2,
    "vocab_size": 30528,
}
VISION = {
    "architectures": ["NomicVisionModel"],
    "model_type": "nomic_bert",
    "activation_function": "swiglu",
    "img_size": 224,
    "layer_norm_epsilon": 1e-6,
    "n_embd": 768,
    "n_head": 12,
    "n_inner": 2048.0,
    "n_layer": 12,
    "patch_size": 16,
    "prenorm": True,
    "ref_feat_shape": [14, 14],
}


def write_text(folder: Path) -> None:
    """547 MB."""
    from rag.embed.nomic_encoder import NomicTextEncoder, to_text_shape

    _write(folder, TEXT, NomicTextEncoder(to_text_shape(TEXT)))
    # The same uncased WordPiece, 30,522 entries.
    shutil.copyfile(minilm_folder() / "tokenizer.json", folder / "tokenizer.json")


def write_vision(folder: Path) -> None:
    """372 MB."""
    from rag.embed.nomic_vision import VisionEncoder, to_vision_shape

    _write(folder, VISION, VisionEncoder(to_vision_shape(VISION)))


def _write(folder: Path, config: dict[str, object], module: nn.Module) -> None:
    import torch
    from safetensors.torch import save_file

    chance = torch.Generator().manual_seed(0)
    folder.mkdir()
    with torch.no_grad():
        for weights in module.parameters():
            if weights.dim() > 1:
                weights.normal_(std=0.02, generator=chance)
    save_file(module.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
