"""SigLIP 2: pictures in their own shape, and questions of at most 64 tokens about them.

NaFlex checkpoints, and fixed-size ones from a folder. Imports no torch itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from rag.embed.catalogue import SIGLIP2
from rag.embed.lanes import Lanes
from rag.embed.paired_files import find_paired, refuse_cut, refuse_strangers
from rag.embed.picture_policy import read_policy
from rag.embed.tokens import load_tokenizer
from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from tokenizers import Tokenizer

    from rag.embed.catalogue import LaneName
    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.paired_tower import PairedModel, PairedTower
    from rag.embed.picture_policy import PicturePolicy
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

PAD, END = "<pad>", "<eos>"


class Siglip2Family:
    """A picture lane alone; see `rag.embed.load.Family`."""

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]:
        """One line for the picture lane.

        Raises:
            ConfigError: The folder does not exist or holds no SigLIP 2, or vectors are to
                be cut.
            EmbedError: Files are not on this machine, or damaged.
        """
        if "image" not in wants:
            return {}
        files = _find(settings)
        return {
            "image": f"siglip2|{files.source}|torch-fp32|d{_dim(files)}|cap={SIGLIP2.text_cap}"
            f"|q=lower+pad{SIGLIP2.text_cap}|img={_policy(files).line}-on-white|v1"
        }

    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes:
        """The picture lane.

        Raises:
            ConfigError: As for `identities`.
            EmbedError: As for `identities`, the files do not fit each other, or the
                tokenizer tells capitals from small letters.
        """
        if "image" not in wants:
            return Lanes()
        return Lanes(pictures=_load(_find(settings), turns, settings))


def load_words(path: Path) -> tuple[Tokenizer, int]:
    """The tokenizer as the model was trained, and the id that pads.

    Small letters, an end token, nothing in front. The published file does not lower-case,
    and AutoTokenizer adds it for NaFlex checkpoints only (transformers 5.24), so it is
    added here for all.

    Raises:
        EmbedError: The file is missing, damaged or of another model.
    """
    from tokenizers.normalizers import Lowercase, Sequence
    from tokenizers.processors import TemplateProcessing

    tokenizer = load_tokenizer(path, cap=SIGLIP2.text_cap)
    pad_id, end_id = tokenizer.token_to_id(PAD), tokenizer.token_to_id(END)
    if pad_id is None or end_id is None:
        raise EmbedError(f"{path} has no {END} or no {PAD}: it is not of SigLIP 2. Fetch it again.")
    own = tokenizer.normalizer
    tokenizer.normalizer = Sequence([Lowercase(), own] if own else [Lowercase()])
    tokenizer.post_processor = TemplateProcessing(
        single=f"$A {END}", pair=None, special_tokens=[(END, end_id)]
    )
    refuse_capitals(tokenizer)
    return tokenizer, pad_id


def refuse_capitals(tokenizer: Tokenizer) -> None:
    """Refuse a tokenizer that tells capitals from small letters: it would give wrong vectors.

    Raises:
        EmbedError: It does.
    """
    if tokenizer.encode("A BAR").ids != tokenizer.encode("a bar").ids:
        raise EmbedError(
            "The tokenizer of SigLIP 2 tells capitals from small letters, and the model was "
            "trained on small ones. Fetch its files again."
        )


def _find(settings: EmbedSettings) -> CheckpointFiles:
    files = find_paired(SIGLIP2, settings)
    refuse_cut(SIGLIP2, _dim(files), settings)
    return files


def _is_naflex(files: CheckpointFiles) -> bool:
    # Fixed-size SigLIP 2 is published under the model type of the first SigLIP.
    return files.config.get("model_type") == "siglip2"


def _policy(files: CheckpointFiles) -> PicturePolicy:
    return read_policy(files.folder, "patches" if _is_naflex(files) else "squash")


def _dim(files: CheckpointFiles) -> int:
    # The published config.json leaves out what is transformers' default.
    return int((files.config.get("vision_config") or {}).get("hidden_size", SIGLIP2.dims))


def _load(files: CheckpointFiles, turns: Turns, settings: EmbedSettings) -> PairedTower:
    from rag.embed.paired_tower import PairedTower
    from rag.embed.runtime import load_pretrained, pick_device

    policy = _policy(files)
    tokenizer, pad_id = load_words(files.folder / "tokenizer.json")
    model = load_pretrained(
        _from_pretrained(files), files.folder, turns=turns, device=pick_device(settings)
    )
    config: Any = model.config
    words, vision = config.text_config, config.vision_config
    refuse_strangers(
        files,
        tokenizer,
        vocab_size=words.vocab_size,
        side_px=policy.side_px,
        wanted_px=vision.patch_size if _is_naflex(files) else vision.image_size,
    )
    return PairedTower(
        model=cast("PairedModel", model),
        tokenizer=tokenizer,
        pad_id=pad_id,
        has_full_width=True,
        policy=policy,
        positions=policy.max_patches or (vision.image_size // vision.patch_size) ** 2,
        dim=_dim(files),
        text_cap=SIGLIP2.text_cap,
        turns=turns,
        batch_size=settings.batch_size,
    )


def _from_pretrained(files: CheckpointFiles) -> Callable[..., Any]:
    if _is_naflex(files):
        from transformers.models.siglip2.modeling_siglip2 import Siglip2Model

        return Siglip2Model.from_pretrained
    from transformers.models.siglip.modeling_siglip import SiglipModel

    return SiglipModel.from_pretrained
