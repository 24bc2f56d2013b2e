"""Nomic Embed v1.5, text and pictures in one space, or one half of it. Imports no torch itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed.catalogue import NOMIC
from rag.embed.lanes import Embedder
from rag.embed.nomic_files import find_nomic
from rag.embed.turns import Turns
from rag.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from rag.embed.lanes import Array, TextLane
    from rag.embed.nomic_files import NomicFiles
    from rag.embed.picture_tower import PictureTower
    from rag.embed.text_tower import TextTower
    from rag.settings import EmbedSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class JointPictures:
    """The picture lane of a joint space; questions go through the text half."""

    text: TextLane
    tower: PictureTower

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.tower.dim

    def embed_queries(self, texts: Sequence[str]) -> Array:
        """Questions in the same form as for text: pictures were trained against it."""
        return self.text.embed_queries(texts)

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        """Pictures to float32 (n, dim), rows L2-normalised, row i belongs to picture i."""
        return self.tower.embed_images(images)


def nomic_identity(settings: EmbedSettings) -> str:
    """What decides the vectors, as one line; reads the files' digests, loads no model."""
    return find_nomic(settings.model_dir).identity


def load_nomic(settings: EmbedSettings) -> Embedder:
    """The embedder from a folder or the hub's cache; text only where the folder holds no more.

    Raises:
        ConfigError: The folder does not exist or holds no text half.
        EmbedError: The weights are not on this machine, or are damaged.
    """
    files, turns = find_nomic(settings.model_dir), Turns()
    text = load_text_half(files, settings, turns)
    pictures = None
    if files.vision is not None:
        pictures = JointPictures(text=text, tower=load_picture_half(files, settings, turns))
    return Embedder(
        name=NOMIC.name,
        identity=files.identity,
        text=text,
        pictures=pictures,
        joint=pictures is not None,
    )


def load_text_half(files: NomicFiles, settings: EmbedSettings, turns: Turns) -> TextTower:
    """The text lane.

    Raises:
        ConfigError: The folder holds no text half.
        EmbedError: Its files are damaged.
    """
    if files.text is None:
        message = (
            f"{settings.model_dir} holds only the picture half of nomic, and this needs its text "
            "half. Put nomic-embed-text-v1.5 and nomic-embed-vision-v1.5 into subfolders of it."
        )
        raise ConfigError(message)
    from rag.embed.nomic_text import load_nomic_text

    return load_nomic_text(files.text, turns=turns, batch_size=settings.batch_size)


def load_picture_half(files: NomicFiles, settings: EmbedSettings, turns: Turns) -> PictureTower:
    """The picture tower, which needs no text half.

    Raises:
        ConfigError: The folder holds no picture half.
        EmbedError: Its files are damaged.
    """
    if files.vision is None:
        message = (
            f"{settings.model_dir} holds only the text half of nomic, and this needs its picture "
            "half. Put nomic-embed-text-v1.5 and nomic-embed-vision-v1.5 into subfolders of it."
        )
        raise ConfigError(message)
    from rag.embed.picture_tower import load_nomic_vision

    return load_nomic_vision(files.vision, turns=turns, batch_size=settings.batch_size)
