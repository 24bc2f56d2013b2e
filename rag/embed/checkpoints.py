"""Where the files of a checkpoint lie, and what names them. Loads no model, no network."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.embed.catalogue import Checkpoint, CheckpointKind

_KINDS: dict[str, CheckpointKind] = {
    "nomic_bert": "nomic-text",
    "clip": "clip",
    "siglip": "siglip2",  # fixed-size SigLIP 2 is published under the first one's type
    "siglip2": "siglip2",
    "embedding_gemma2": "gemma",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFiles:
    """A checkpoint on disk. `config` is config.json as published, {} where there is none."""

    folder: Path
    source: str  # what names the weights: "id@revision", or a digest for a folder of one's own
    config: dict[str, Any]


def find_checkpoint(
    checkpoint: Checkpoint,
    *,
    name: str,
    model_dir: Path | None,
    files: Sequence[str] | None = None,
    hub_cache: Path | None = None,
) -> CheckpointFiles:
    """A checkpoint in a folder, or at its pinned revision in the Hugging Face cache.

    Args:
        checkpoint: Which one.
        name: The model it belongs to, for messages.
        model_dir: Holds the checkpoint itself, or in a subfolder of any name.
        files: What must be there; the checkpoint's own list when None.
        hub_cache: Where to look without a model_dir; None is the place that
            huggingface_hub would use.

    Raises:
        ConfigError: The folder does not exist, does not hold it, or holds it twice.
        EmbedError: Files are missing or damaged.
    """
    wanted = tuple(files or checkpoint.files)
    if model_dir is not None:
        folders = folders_by_kind(model_dir)
        if checkpoint.kind not in folders:
            raise ConfigError(
                f"{model_dir} holds no checkpoint for {name}. It must hold {checkpoint.id} "
                f"({', '.join(wanted)}), itself or in a subfolder."
            )
        return _read(folders[checkpoint.kind], checkpoint.kind, wanted)
    folder = snapshot_folder(checkpoint, hub_cache)
    if any(not (folder / each).is_file() for each in wanted):
        raise EmbedError(
            f"The weights of {checkpoint.id} are not on this machine. Fetch them with `folio "
            f"models pull {name}`, set FOLIO_EMBED__MODEL_DIR to a folder that holds them, or use "
            "the built-in embedder, FOLIO_EMBED__MODEL=minilm."
        )
    source = f"{checkpoint.id}@{checkpoint.revision[:12]}"
    return CheckpointFiles(folder=folder, source=source, config=_config_of(folder))


def folders_by_kind(model_dir: Path) -> dict[CheckpointKind, Path]:
    """What a folder holds: itself and its direct subfolders, by kind of checkpoint.

    Raises:
        ConfigError: It does not exist, or holds one kind twice.
        EmbedError: A config.json is damaged.
    """
    model_dir = model_dir.expanduser()
    if not model_dir.is_dir():
        raise ConfigError(f"There is no folder {model_dir}. Correct FOLIO_EMBED__MODEL_DIR.")
    found: dict[CheckpointKind, Path] = {}
    for folder in [model_dir, *sorted(path for path in model_dir.iterdir() if path.is_dir())]:
        kind = _kind_of(folder)
        if kind is None:
            continue
        if kind in found:
            raise ConfigError(
                f"{model_dir} holds more than one {kind} checkpoint ({found[kind].name}, "
                f"{folder.name}). Keep one."
            )
        found[kind] = folder
    return found


def snapshot_folder(checkpoint: Checkpoint, hub_cache: Path | None = None) -> Path:
    """Where the hub's cache keeps a checkpoint at its pinned revision, there or not."""
    # Layout of huggingface_hub 2.4; its own lookup would do, but takes 0.4 s to import.
    name = "models--" + checkpoint.id.replace("/", "--")
    return (hub_cache or _default_hub_cache()) / name / "snapshots" / checkpoint.revision


def _default_hub_cache() -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def _kind_of(folder: Path) -> CheckpointKind | None:
    """Which checkpoint a folder holds; None when it holds none that Folio knows.

    Nomic's vision config says model_type nomic_bert as well, so only `architectures` tells.
    """
    config = _config_of(folder)
    if "NomicVisionModel" in config.get("architectures", ()):
        return "nomic-vision"
    if kind := _KINDS.get(str(config.get("model_type"))):
        return kind
    # Last, because many a checkpoint comes with an ONNX export beside its own weights.
    if (folder / "tokenizer.json").is_file() and any(folder.glob("onnx/*.onnx")):
        return "jina"
    return None


def _read(folder: Path, kind: CheckpointKind, names: tuple[str, ...]) -> CheckpointFiles:
    for name in names:
        if not (folder / name).is_file():
            raise EmbedError(f"{folder} lacks {name}. It needs {', '.join(names)}.")
    stamps = tuple((folder / name).stat() for name in names)
    digest = _digest(folder, names, tuple((stamp.st_size, stamp.st_mtime_ns) for stamp in stamps))
    return CheckpointFiles(
        folder=folder, source=f"{kind}@sha256:{digest[:16]}", config=_config_of(folder)
    )


@lru_cache(maxsize=16)
def _digest(folder: Path, names: tuple[str, ...], _stamps: tuple[tuple[int, int], ...]) -> str:
    """SHA-256 over the files. The stamps are part of the key only: changed files, new digest."""
    total = hashlib.sha256()
    for name in names:
        with (folder / name).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _config_of(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read ({error}). Fetch the file again."
        raise EmbedError(message) from error
    if not isinstance(config, dict):
        message = f"{path} is not a model configuration. Fetch the file again."
        raise EmbedError(message)
    return config
