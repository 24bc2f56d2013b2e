"""Files of a model that pairs pictures and texts: found, and seen to fit each other.

Shared by CLIP and SigLIP 2. Imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.embed.checkpoints import find_checkpoint, folders_by_kind
from rag.embed.picture_policy import SETTINGS_FILES
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from rag.embed.catalogue import ModelFacts
    from rag.embed.checkpoints import CheckpointFiles
    from rag.settings import EmbedSettings


def find_paired(facts: ModelFacts, settings: EmbedSettings) -> CheckpointFiles:
    """The checkpoint and, in a folder of one's own, its picture settings in either layout.

    Raises:
        ConfigError: The folder does not exist, does not hold it, or holds it twice.
        EmbedError: Files are missing or damaged.
    """
    (checkpoint,) = facts.checkpoints
    if settings.model_dir is None:
        return find_checkpoint(checkpoint, name=facts.name, model_dir=None)
    folder = folders_by_kind(settings.model_dir).get(checkpoint.kind, settings.model_dir)
    there = [name for name in SETTINGS_FILES if (folder / name).is_file()]
    others = [name for name in checkpoint.files if name not in SETTINGS_FILES]
    return find_checkpoint(
        checkpoint,
        name=facts.name,
        model_dir=settings.model_dir,
        files=[*others, *(there[:1] or SETTINGS_FILES[:1])],
    )


def refuse_cut(facts: ModelFacts, dim: int, settings: EmbedSettings) -> None:
    """Refuse shorter vectors of a model that was not trained for them.

    Raises:
        ConfigError: Another length than `dim` is set.
    """
    if settings.dims not in (None, dim):
        raise ConfigError(
            f"{facts.name}'s vectors have {dim} numbers and cannot be cut. Leave "
            "FOLIO_EMBED__DIMS out."
        )


def refuse_strangers(
    files: CheckpointFiles, tokenizer: Tokenizer, *, vocab_size: int, side_px: int, wanted_px: int
) -> None:
    """Refuse a tokenizer or picture settings that belong to another model.

    Args:
        files: whose they are, for the message.
        tokenizer: of the folder.
        vocab_size: how many tokens the model knows.
        side_px: what the picture settings make of a picture, or of a patch.
        wanted_px: what the model reads.

    Raises:
        EmbedError: One of them does not fit the model.
    """
    if tokenizer.get_vocab_size() > vocab_size:
        message = f"tokenizer.json in {files.folder} belongs to another model. Fetch it again."
        raise EmbedError(message)
    if side_px != wanted_px:
        raise EmbedError(
            f"The model in {files.folder} reads squares of {wanted_px} px, and its picture "
            f"settings make them {side_px} px. Fetch the files again, of the same revision."
        )
