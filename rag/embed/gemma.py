"""EmbeddingGemma 2: text, pictures, and a picture with its caption, in one space.

Knows files, prefixes and identities; the model itself is in `gemma_tower`. Imports no torch.
Source: card of google/embeddinggemma-2 at the pinned revision.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rag.embed.catalogue import GEMMA, GEMMA_CHECKPOINT
from rag.embed.checkpoints import find_checkpoint
from rag.embed.lanes import Lanes
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from rag.embed.catalogue import LaneName
    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

REQUIRED_FILES = ("config.json", "model.safetensors", "tokenizer.json")
TRAINED_DIMS = (768, 512, 256, 128)  # Matryoshka cuts of the card
# Of 70, 140, 280, 560 and 1120. The card's 280 costs 15.6 CPU seconds a picture, 70 costs 3.1
# (facts/models.md, 5): a document of 50 figures takes minutes instead of a quarter of an hour.
SOFT_TOKENS = 70
IMAGE_PROCESSOR = "Gemma4ImageProcessorPil"  # the torchvision one resizes a little differently
# Its defaults in transformers 5.24, which are also the values published for Gemma 4.
IMAGE_DEFAULTS: dict[str, Any] = {
    "do_convert_rgb": True,
    "do_normalize": False,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.0, 0.0, 0.0],
    "image_std": [1.0, 1.0, 1.0],
    "patch_size": 16,
    "pooling_kernel_size": 3,
    "resample": 3,
    "rescale_factor": 1 / 255,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GemmaPlan:
    """What is to be loaded, and how. `image_settings` is None without the vision tower."""

    files: CheckpointFiles
    dim: int
    precision: Literal["fp32", "bf16"]
    image_settings: dict[str, Any] | None


class GemmaFamily:
    """Finds and loads EmbeddingGemma 2, or its text half; see `rag.embed.load.Family`."""

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]:
        """One line a lane that is wanted and there.

        Raises:
            ConfigError: The folder does not hold the model or the picture half that is asked
                for, the vectors cannot be cut that short, or it cannot compute so.
            EmbedError: The weights are not on this machine.
        """
        plan = _plan(settings, wants)
        numbers = f"{plan.files.source}|torch-{plan.precision}|d{plan.dim}|pool=mean"
        lines: dict[LaneName, str] = {}
        if "text" in wants:
            lines["text"] = (
                f"gemma|{numbers}|cap={GEMMA.text_cap}"
                f"|q={_in_one_field(GEMMA.query_prefix)}|doc={_in_one_field(GEMMA.document_prefix)}"
                "|v1"
            )
        if plan.image_settings is not None:
            lines["image"] = (
                f"gemma-vision|{numbers}|img=keep{SOFT_TOKENS}+docprefix+caption"
                f"|ip={IMAGE_PROCESSOR}{_differences(plan.image_settings)}|v1"
            )
        return lines

    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes:
        """The lanes that are wanted and there, on one loaded model.

        Raises:
            ConfigError: As for `identities`.
            EmbedError: The weights are not on this machine, or are damaged.
        """
        plan = _plan(settings, wants)
        from rag.embed.gemma_tower import GemmaPictures, GemmaText, load_gemma
        from rag.embed.runtime import pick_device

        tower = load_gemma(
            plan, turns=turns, batch_size=settings.batch_size, device=pick_device(settings)
        )
        return Lanes(
            text=GemmaText(tower) if "text" in wants else None,
            pictures=None if plan.image_settings is None else GemmaPictures(tower),
        )


def _plan(settings: EmbedSettings, wants: Collection[LaneName]) -> GemmaPlan:
    if settings.precision not in ("fp32", "bf16"):
        # Never float16 either: activations overflow (card).
        raise ConfigError(
            f"gemma computes in fp32 or bf16, not in {settings.precision}. Correct "
            "FOLIO_EMBED__PRECISION."
        )
    files = find_checkpoint(
        GEMMA_CHECKPOINT, name=GEMMA.name, model_dir=settings.model_dir, files=REQUIRED_FILES
    )
    has_pictures = files.config.get("vision_config") is not None
    if set(wants) == {"image"} and not has_pictures:
        raise ConfigError(
            f"{files.folder} holds only the text half of gemma, and this needs its picture half. "
            f"Fetch {GEMMA_CHECKPOINT.id} itself."
        )
    return GemmaPlan(
        files=files,
        dim=_cut(files, settings),
        precision=settings.precision,
        image_settings=_image_settings(files.folder) if "image" in wants and has_pictures else None,
    )


def _cut(files: CheckpointFiles, settings: EmbedSettings) -> int:
    text_config = files.config.get("text_config")
    full = text_config.get("embedding_dim") if isinstance(text_config, dict) else None
    if not isinstance(full, int):
        raise EmbedError(f"{files.folder / 'config.json'} names no vector length. Fetch it again.")
    dims = settings.dims or full
    # A folder of one's own may hold a small model, such as the tests' tiny one.
    allowed = TRAINED_DIMS if settings.model_dir is None else range(1, full + 1)
    if dims not in allowed:
        named = "768, 512, 256 or 128" if settings.model_dir is None else f"1 to {full}"
        raise ConfigError(
            f"gemma's vectors can be {named} numbers long, not {dims}. Correct FOLIO_EMBED__DIMS."
        )
    return dims


def _image_settings(folder: Path) -> dict[str, Any]:
    """What the image processor is told: the published values, else its defaults.

    transformers 5 writes one file for all modalities, version 4 wrote one for pictures, and
    the published repository holds both names.

    Raises:
        EmbedError: A file is damaged.
    """
    combined = _read_json(folder / "processor_config.json").get("image_processor")
    alone = _read_json(folder / "preprocessor_config.json")
    if not isinstance(combined, dict):
        # Under this name an audio feature extractor may lie as well.
        combined = alone if "image_processor_type" in alone else {}
    return IMAGE_DEFAULTS | {key: combined[key] for key in IMAGE_DEFAULTS if key in combined}


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EmbedError(f"{path} cannot be read ({error}). Fetch the file again.") from error
    return content if isinstance(content, dict) else {}


def _in_one_field(prefix: str) -> str:
    """A prefix without the bar that separates the fields of an identity."""
    return prefix.strip().replace(" | ", "/")


def _differences(image_settings: dict[str, Any]) -> str:
    """Settings of a folder of one's own that change pixels; "" for the usual ones."""
    changed = [
        f"{key}={value}" for key, value in image_settings.items() if value != IMAGE_DEFAULTS[key]
    ]
    return f"({','.join(changed)})" if changed else ""
