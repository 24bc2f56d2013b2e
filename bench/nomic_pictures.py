"""Nomic vision at real size, with random weights, beside the plain way.

Run: python bench/nomic_pictures.py [--pictures 32] [--rounds 3] [--threads 1]
Plain is the encoder as its published code writes it, in batches of 32 behind transformers'
CLIPImageProcessorPil, every picture decoded in line: same weights, same threads, PNG files
cut from documents. The second row is the same with Folio's own encoder.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from corpus import PLAIN_BATCH, pick_pictures, read_drafts
from PIL import Image
from random_checkpoint import write_vision
from ratio import compare, print_bound, print_shares

from rag.embed.catalogue import NOMIC_VISION
from rag.embed.checkpoints import find_checkpoint
from rag.embed.runtime import start_torch
from rag.embed.turns import Turns
from rag.points import open_ahead
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rag.embed.lanes import Array
    from rag.embed.nomic_vision import VisionEncoder
    from rag.embed.picture_tower import PictureTower

PARAMETERS = 197 * 12 * (4 * 768 * 768 + 3 * 768 * 2048)  # in matrix products, a picture


def load_both(folder: Path) -> tuple[VisionEncoder, PictureTower]:
    """The encoder alone and the tower, from the same file."""
    import torch

    from rag.embed.picture_tower import load_encoder, load_nomic_vision

    files = find_checkpoint(NOMIC_VISION, name="nomic", model_dir=folder)
    device = torch.device("cpu")
    tower = load_nomic_vision(
        files, turns=Turns(), batch_size=EmbedSettings().batch_size, device=device
    )
    return load_encoder(files, device=device), tower


def forward_plainly(encoder: VisionEncoder, pixels: Tensor) -> Tensor:
    """Pixels to pictures, each step as contrastors 613ddfd3 does it, nothing in place."""
    from torch.nn import functional

    from rag.embed.nomic_vision import rotary_turn

    turn = rotary_turn(encoder.shape)[:, 0, 0].repeat_interleave(2, dim=-1)  # (positions, head_dim)
    states = encoder.embeddings(pixels)
    for layer in encoder.layers:
        heads = layer.attn.Wqkv(layer.norm1(states)).unflatten(-1, (3, 12, 64))
        query, key, value = (each.transpose(1, 2) for each in heads.unbind(2))
        query, key = (rotate_plainly(each, turn.real, turn.imag) for each in (query, key))
        mixed = functional.scaled_dot_product_attention(query, key, value)
        states = states + layer.attn.out_proj(mixed.transpose(1, 2).flatten(2))
        normed = layer.norm2(states)
        gated = layer.mlp.fc11(normed) * functional.silu(layer.mlp.fc12(normed))
        states = states + layer.mlp.fc2(layer.mlp.norm(gated))
    pooled: Tensor = encoder.selector(states)
    return states[:, 0] + pooled


def rotate_plainly(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    import torch

    turned = torch.stack([-states[..., 1::2], states[..., 0::2]], dim=-1).flatten(-2)
    return states * cos + turned * sin


def embed_plainly(forward: Callable[[Tensor], Tensor], paths: list[Path]) -> Array:
    import torch
    from torch.nn import functional
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    side = {"height": 224, "width": 224}
    processor = CLIPImageProcessorPil(size=side, crop_size=side)  # CLIP's colours by default
    rows = []
    for start in range(0, len(paths), PLAIN_BATCH):
        images = [
            Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
            for path in paths[start : start + PLAIN_BATCH]
        ]
        pixels = processor(images=images, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            rows.append(functional.normalize(forward(pixels), dim=-1).numpy())
    return np.vstack(rows)


def embed(tower: PictureTower, paths: list[Path]) -> Array:
    """As ingest does: opened one batch ahead."""
    return np.vstack([tower.embed_images(images) for images in open_ahead(paths)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    start_torch(options.threads)
    pictures = pick_pictures(read_drafts(), options.pictures)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "vision"
        write_vision(folder)
        encoder, tower = load_both(folder)
        paths = [Path(temporary) / f"{number}.png" for number in range(len(pictures))]
        for path, data in zip(paths, pictures, strict=True):
            path.write_bytes(data)
        print(f"{len(pictures)} PNG files")
        cpu = compare(
            {
                "plain (published form, 32, in line)": lambda: embed_plainly(
                    lambda pixels: forward_plainly(encoder, pixels), paths
                ),
                "Folio's encoder, 32, in line": lambda: embed_plainly(
                    lambda pixels: encoder(pixels, lambda: None), paths
                ),
                "Folio": lambda: embed(tower, paths),
            },
            rounds=options.rounds,
            unit="pictures",
        )
        print_bound(cpu, 2 * PARAMETERS * len(paths))
        print_shares(lambda: embed(tower, paths[:8]))


if __name__ == "__main__":
    main()
