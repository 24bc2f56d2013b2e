"""Jina CLIP v2, texts and pictures in one space: its lanes, its files, what names its vectors.

Knows no runtime: ONNX Runtime is `rag.embed.jina_onnx`, the hosted model `rag.embed.jina_api`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from rag.embed.catalogue import JINA, JINA_FP32, JINA_INT8
from rag.embed.checkpoints import find_checkpoint, folders_by_kind
from rag.embed.lanes import Lanes
from rag.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from PIL import Image

    from rag.embed.catalogue import Checkpoint, LaneName
    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.lanes import Array
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings


class JinaModel(Protocol):
    """What runs the model: both halves, vectors as in `rag.embed.lanes`."""

    @property
    def dim(self) -> int: ...
    def embed_texts(self, texts: Sequence[str], *, question: bool) -> Array: ...
    def embed_pictures(self, images: Sequence[Image.Image]) -> Array: ...
    def count_tokens(self, texts: Sequence[str], *, question: bool) -> list[int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JinaText:
    """The text lane; see `rag.embed.lanes.TextLane`."""

    model: JinaModel

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.model.dim

    @property
    def text_cap(self) -> int:
        """Tokens that are read of a text."""
        return JINA.text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        """Questions to float32 (n, dim), rows L2-normalised."""
        return self.model.embed_texts(texts, question=True)

    def embed_documents(self, texts: Sequence[str]) -> Array:
        """Passages to float32 (n, dim), rows L2-normalised, row i belongs to text i."""
        return self.model.embed_texts(texts, question=False)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text in document form, uncut."""
        return self.model.count_tokens(texts, question=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JinaPictures:
    """The picture lane; questions go through the same model's text half."""

    model: JinaModel

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.model.dim

    @property
    def text_cap(self) -> int:
        """Tokens that are read of a question."""
        return JINA.text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        """Questions in the form they have for text: one space, one form."""
        return self.model.embed_texts(texts, question=True)

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        """Pictures to float32 (n, dim), rows L2-normalised, row i belongs to picture i."""
        return self.model.embed_pictures(images)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each question, uncut."""
        return self.model.count_tokens(texts, question=True)


def lanes_of(model: JinaModel, wants: Collection[LaneName]) -> Lanes:
    """The lanes that are wanted, both on one model."""
    return Lanes(
        text=JinaText(model=model) if "text" in wants else None,
        pictures=JinaPictures(model=model) if "image" in wants else None,
    )


class JinaFamily:
    """The published ONNX file; see `rag.embed.load.Family`."""

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]:
        """One line a lane; imports no ONNX Runtime.

        Raises:
            ConfigError: The folder does not hold the model, or precision or length of
                the vectors are not to be had.
            EmbedError: The weights are not on this machine.
        """
        files = find_jina(settings)
        # What the vectors of a folder of one's own are long by nature is known once it runs.
        dims = settings.dims or ("full" if settings.model_dir else JINA.dims)
        stem = f"{files.source}|onnx-{settings.precision}|d{dims}"
        query, document = JINA.query_prefix.strip(), JINA.document_prefix.strip()
        lines: dict[LaneName, str] = {
            "text": f"jina|{stem}|pool=mean|cap={JINA.text_cap}|q={query}|doc={document}|v1",
            "image": f"jina-vision|{stem}|img=short512-bicubic-centre-on-white|v1",
        }
        return {lane: line for lane, line in lines.items() if lane in wants}

    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes:
        """The lanes that are wanted, both from the same file.

        Raises:
            ConfigError: As for `identities`.
            EmbedError: ONNX Runtime is not installed, or the files are not whole.
        """
        from rag.embed.jina_onnx import load_onnx

        files = find_jina(settings)
        graph = files.folder / checkpoint_of(settings).files[0]
        return lanes_of(load_onnx(files.folder, graph, settings, turns), wants)


def checkpoint_of(settings: EmbedSettings) -> Checkpoint:
    """The files of the precision that is set, the graph first.

    Raises:
        ConfigError: The model is not published in it.
    """
    if settings.precision not in JINA.precisions:
        raise ConfigError(
            f"jina runs in fp32 or int8, not {settings.precision}. Correct FOLIO_EMBED__PRECISION."
        )
    return JINA_INT8 if settings.precision == "int8" else JINA_FP32


def find_jina(settings: EmbedSettings) -> CheckpointFiles:
    """Where the model lies.

    Raises:
        ConfigError: The folder does not hold it, the precision is not published, or the
            vectors cannot be cut that short.
        EmbedError: Files are missing.
    """
    checkpoint = checkpoint_of(settings)
    folder = settings.model_dir
    if folder is None:
        refuse_dims(settings, JINA.min_dims, JINA.dims)
    elif not _has_data_file(folder):
        # A small export keeps its weights inside the graph. Where they are outside and
        # missing, ONNX Runtime says so.
        checkpoint = replace(checkpoint, files=(checkpoint.files[0], checkpoint.files[-1]))
    return find_checkpoint(checkpoint, name=JINA.name, model_dir=folder)


def refuse_dims(settings: EmbedSettings, least: int, full: int) -> None:
    """Refuse a length that the vectors cannot be cut to.

    Raises:
        ConfigError: Says which lengths there are.
    """
    if settings.dims is None or least <= settings.dims <= full:
        return
    raise ConfigError(
        f"Jina's vectors can be {least} to {full} numbers long, not {settings.dims}. Correct "
        "FOLIO_EMBED__DIMS."
    )


def _has_data_file(model_dir: Path) -> bool:
    folder = folders_by_kind(model_dir).get("jina")
    return folder is not None and (folder / JINA_FP32.files[1]).is_file()
