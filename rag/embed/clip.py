"""CLIP: pictures, and questions of at most 77 tokens about them. Imports no torch itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rag.embed.catalogue import CLIP
from rag.embed.lanes import Lanes
from rag.embed.paired_files import find_paired, refuse_cut, refuse_strangers
from rag.embed.picture_policy import read_policy
from rag.embed.tokens import load_tokenizer
from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from rag.embed.catalogue import LaneName
    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.paired_tower import PairedModel, PairedTower
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

END = "<|endoftext|>"


class ClipFamily:
    """A picture lane alone; see `rag.embed.load.Family`."""

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]:
        """One line for the picture lane.

        Raises:
            ConfigError: The folder does not exist or holds no CLIP, or vectors are to be cut.
            EmbedError: Files are not on this machine, or damaged.
        """
        if "image" not in wants:
            return {}
        files = _find(settings)
        policy = read_policy(files.folder, "crop")
        return {
            "image": f"clip|{files.source}|torch-fp32|d{_dim(files)}|cap={CLIP.text_cap}"
            f"|img={policy.line}-on-white|v1"
        }

    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes:
        """The picture lane.

        Raises:
            ConfigError: As for `identities`.
            EmbedError: As for `identities`, or the files do not fit each other.
        """
        if "image" not in wants:
            return Lanes()
        return Lanes(pictures=_load(_find(settings), turns, settings))


def _find(settings: EmbedSettings) -> CheckpointFiles:
    files = find_paired(CLIP, settings)
    refuse_cut(CLIP, _dim(files), settings)
    return files


def _dim(files: CheckpointFiles) -> int:
    return int(files.config.get("projection_dim", CLIP.dims))


def _load(files: CheckpointFiles, turns: Turns, settings: EmbedSettings) -> PairedTower:
    from transformers.models.clip.modeling_clip import CLIPModel

    from rag.embed.paired_tower import PairedTower
    from rag.embed.runtime import load_pretrained, pick_device

    policy = read_policy(files.folder, "crop")
    tokenizer = load_tokenizer(files.folder / "tokenizer.json", cap=CLIP.text_cap)
    end_id = tokenizer.token_to_id(END)
    if end_id is None:
        raise EmbedError(f"tokenizer.json in {files.folder} has no {END}. Fetch it again.")
    model = load_pretrained(
        CLIPModel.from_pretrained, files.folder, turns=turns, device=pick_device(settings)
    )
    config: Any = model.config
    words, vision = config.text_config, config.vision_config
    refuse_strangers(
        files,
        tokenizer,
        vocab_size=words.vocab_size,
        side_px=policy.side_px,
        wanted_px=vision.image_size,
    )
    return PairedTower(
        model=cast("PairedModel", model),
        tokenizer=tokenizer,
        pad_id=end_id,  # as published; the model reads no further than the first of them
        has_full_width=False,
        policy=policy,
        positions=(vision.image_size // vision.patch_size) ** 2 + 1,
        dim=_dim(files),
        text_cap=CLIP.text_cap,
        turns=turns,
        batch_size=settings.batch_size,
    )
