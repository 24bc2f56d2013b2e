"""Where the two halves of Nomic Embed v1.5 lie, and what names them. Loads no model, no network."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from rag.embed.catalogue import NOMIC, NOMIC_TEXT, NOMIC_VISION
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from pathlib import Path

    from rag.embed.catalogue import Checkpoint

Half = Literal["text", "vision"]
CHECKPOINTS: dict[Half, Checkpoint] = {"text": NOMIC_TEXT, "vision": NOMIC_VISION}


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfFiles:
    """One half on disk. `config` is config.json as published, not checked beyond its size."""

    folder: Path
    source: str  # what names the weights: "id@revision", or a digest for a folder of one's own
    config: dict[str, Any]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.config.get("n_embd") or self.config["hidden_size"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NomicFiles:
    """The halves that were found; at least one is there."""

    text: HalfFiles | None
    vision: HalfFiles | None

    @property
    def identity(self) -> str:
        """What decides the vectors, as one line."""
        text, vision = self.text, self.vision
        halves = [f"{half.source}|d{half.dim}" for half in (text, vision) if half]
        words = (
            f"pool=mean+layernorm|cap={NOMIC.text_cap}"
            f"|q={NOMIC.query_prefix.strip()}|doc={NOMIC.document_prefix.strip()}"
        )
        pictures = "img=squash-bicubic-on-white"
        policies = [line for half, line in ((text, words), (vision, pictures)) if half]
        return "|".join([NOMIC.name, *halves, "torch-fp32", *policies, "v1"])


def find_nomic(model_dir: Path | None, *, hub_cache: Path | None = None) -> NomicFiles:
    """The halves in a folder, or at the pinned revisions in the Hugging Face cache.

    Args:
        model_dir: holds one checkpoint itself, or one or both in subfolders of any name.
        hub_cache: where to look without a model_dir; None is the place that
            huggingface_hub would use.

    Raises:
        ConfigError: The folder does not exist, holds no half, holds one twice, or
            its halves do not belong together.
        EmbedError: Files are missing or damaged.
    """
    if model_dir is None:
        return _find_cached(hub_cache or _default_hub_cache())
    return _find_in(model_dir.expanduser())


def _find_cached(hub_cache: Path) -> NomicFiles:
    folders = {half: _snapshot(hub_cache, checkpoint) for half, checkpoint in CHECKPOINTS.items()}
    for half, checkpoint in CHECKPOINTS.items():
        if any(not (folders[half] / name).is_file() for name in checkpoint.files):
            raise EmbedError(_how_to_get(checkpoint))
    text, vision = (
        HalfFiles(
            folder=folders[half],
            source=f"{checkpoint.id}@{checkpoint.revision[:12]}",
            config=_read_config(folders[half]),
        )
        for half, checkpoint in CHECKPOINTS.items()
    )
    return NomicFiles(text=text, vision=vision)


def _snapshot(hub_cache: Path, checkpoint: Checkpoint) -> Path:
    # Layout of huggingface_hub 2.4; its own lookup would do, but takes 0.4 s to import.
    name = "models--" + checkpoint.id.replace("/", "--")
    return hub_cache / name / "snapshots" / checkpoint.revision


def _default_hub_cache() -> Path:
    from pathlib import Path

    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE)


def _how_to_get(checkpoint: Checkpoint) -> str:
    return (
        f"The weights of {checkpoint.id} are not on this machine: set FOLIO_EMBED__MODEL_DIR to a "
        f"folder with {' and '.join(each.id.split('/')[1] for each in CHECKPOINTS.values())} "
        f"({', '.join(NOMIC_TEXT.files)}), or use the built-in embedder, FOLIO_EMBED__MODEL=minilm."
    )


def _find_in(model_dir: Path) -> NomicFiles:
    if not model_dir.is_dir():
        message = f"There is no folder {model_dir}. Correct FOLIO_EMBED__MODEL_DIR."
        raise ConfigError(message)
    found: dict[Half, HalfFiles] = {}
    for folder in [model_dir, *sorted(path for path in model_dir.iterdir() if path.is_dir())]:
        half = _half_in(folder)
        if half is None:
            continue
        if half in found:
            message = (
                f"{model_dir} holds more than one {half} checkpoint ({found[half].folder.name}, "
                f"{folder.name}). Keep one."
            )
            raise ConfigError(message)
        found[half] = _read_half(folder, half)
    return _paired(model_dir, NomicFiles(text=found.get("text"), vision=found.get("vision")))


def _paired(model_dir: Path, files: NomicFiles) -> NomicFiles:
    if files.text is None and files.vision is None:
        message = (
            f"{model_dir} holds no Nomic checkpoint. It must hold {NOMIC_TEXT.id}, "
            f"{NOMIC_VISION.id} or both, each with config.json and model.safetensors."
        )
        raise ConfigError(message)
    if files.text and files.vision and files.text.dim != files.vision.dim:
        message = (
            f"The checkpoints in {model_dir} do not belong together: {files.text.dim} and "
            f"{files.vision.dim} dimensions. Use text and vision of the same release."
        )
        raise ConfigError(message)
    return files


def _half_in(folder: Path) -> Half | None:
    """Which half a folder holds, judged by config.json; None when it holds neither.

    The vision config says model_type nomic_bert as well, so only `architectures` tells.
    """
    if not (folder / "config.json").is_file():
        return None
    config = _read_config(folder)
    if "NomicVisionModel" in config.get("architectures", ()):
        return "vision"
    return "text" if config.get("model_type") == "nomic_bert" else None


def _read_half(folder: Path, half: Half) -> HalfFiles:
    names = CHECKPOINTS[half].files
    for name in names:
        if not (folder / name).is_file():
            message = f"{folder} lacks {name}. It needs {', '.join(names)}."
            raise EmbedError(message)
    stamps = tuple((folder / name).stat() for name in names)
    digest = _digest(folder, names, tuple((stamp.st_size, stamp.st_mtime_ns) for stamp in stamps))
    config = _read_config(folder)
    if not (config.get("n_embd") or config.get("hidden_size")):
        message = f"{folder / 'config.json'} names no vector length. Fetch the file again."
        raise EmbedError(message)
    return HalfFiles(folder=folder, source=f"nomic-{half}@sha256:{digest[:16]}", config=config)


@lru_cache(maxsize=8)
def _digest(folder: Path, names: tuple[str, ...], _stamps: tuple[tuple[int, int], ...]) -> str:
    """SHA-256 over the files. The stamps are part of the key only: changed files, new digest."""
    total = hashlib.sha256()
    for name in names:
        with (folder / name).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read ({error}). Fetch the file again."
        raise EmbedError(message) from error
    if not isinstance(config, dict):
        message = f"{path} is not a model configuration. Fetch the file again."
        raise EmbedError(message)
    return config
