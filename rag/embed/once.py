"""A handful of inputs to vectors, with only the half of a model that they need.

Behind `folio embed`. Knows settings and files; imports no torch itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag.embed.catalogue import MINILM
from rag.embed.load import identity_of, load_embedder, load_nomic_halves
from rag.errors import ConfigError
from rag.imaging import open_rgb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from PIL import Image

    from rag.embed.lanes import Array, TextLane
    from rag.embed.selfcheck import ImageEmbedder
    from rag.settings import EmbedSettings

Form = Literal["query", "document", "image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One input and its vector: float32 numbers of unit length."""

    input: str  # the text as given, or the picture's path
    form: Form
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedOnce:
    """What was embedded, and by what."""

    embedder: str
    identity: str
    vectors: tuple[Embedded, ...]


def embed_for_cli(
    settings: EmbedSettings,
    *,
    queries: Sequence[str] = (),
    texts: Sequence[str] = (),
    images: Sequence[Path] = (),
) -> EmbeddedOnce:
    """Vectors in the order queries, texts, images. A folder with one half serves its own forms.

    Raises:
        ConfigError: The embedder has no half for a form that is asked, its name is
            unknown, or a picture's file does not exist.
        DocumentError: A picture cannot be decoded.
        EmbedError: The weights are absent, damaged or fail their self-check.
    """
    identity = identity_of(settings)
    pictures = [_open(path) for path in images]
    words, eyes = _lanes(settings, has_texts=bool(queries or texts), has_images=bool(images))
    vectors: list[Embedded] = []
    if words is not None:
        vectors += _rows(queries, "query", words.embed_queries(queries))
        vectors += _rows(texts, "document", words.embed_documents(texts))
    if eyes is not None:
        vectors += _rows(map(str, images), "image", eyes.embed_images(pictures))
    return EmbeddedOnce(embedder=settings.model, identity=identity, vectors=tuple(vectors))


def _lanes(
    settings: EmbedSettings, *, has_texts: bool, has_images: bool
) -> tuple[TextLane | None, ImageEmbedder | None]:
    if settings.model != MINILM.name:
        return load_nomic_halves(settings, wants_text=has_texts, wants_images=has_images)
    if has_images:
        message = "minilm embeds no pictures. Choose an embedder that does: --embedder nomic."
        raise ConfigError(message)
    return (load_embedder(settings).text if has_texts else None), None


def _open(path: Path) -> Image.Image:
    try:
        return open_rgb(path)
    except OSError as error:
        message = f"The picture {path} cannot be opened ({error.strerror}). Check the path."
        raise ConfigError(message) from error


def _rows(inputs: Iterable[str], form: Form, vectors: Array) -> list[Embedded]:
    return [
        Embedded(input=text, form=form, vector=tuple(vector.tolist()))
        for text, vector in zip(inputs, vectors, strict=True)
    ]
