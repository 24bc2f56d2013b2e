"""Copies of the tiny checkpoints, to be damaged, and their golden numbers."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path


def read_golden(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    return content


def open_pictures(folder: Path) -> list[Image.Image]:
    """The pictures of `golden.json`, in its order."""
    pictures = []
    for name in read_golden(folder)["images"]:
        with Image.open(folder / name) as image:
            pictures.append(image.convert("RGB"))
    return pictures


def copy_checkpoint(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    target.chmod(0o755)
    return target


def edit_json(path: Path, *, drop: tuple[str, ...] = (), **changes: Any) -> None:
    """Replace top-level keys; a dict is merged into the one that is there."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(content.get(key), dict)
        content[key] = content[key] | value if both else value
    for key in drop:
        del content[key]
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_tensors(
    folder: Path, *, drop: str = "", add: dict[str, np.ndarray[Any, Any]] | None = None
) -> None:
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    tensors = load_file(path) | (add or {})
    tensors.pop(drop, None)
    save_file(tensors, path, metadata={"format": "pt"})
