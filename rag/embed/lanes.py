"""What an embedder is to the rest of Folio. Knows no model and imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

Array = NDArray[np.float32]


class TextLane(Protocol):
    """Text to vectors: float32 (n, dim), rows L2-normalised, row i belongs to input i.

    Texts come plain; the prefixes a model wants are added inside. Texts over the
    model's cap are cut at the end; `count_tokens` tells beforehand.
    """

    @property
    def dim(self) -> int: ...
    @property
    def text_cap(self) -> int: ...  # tokens that are read of a text, prefix included
    def embed_queries(self, texts: Sequence[str]) -> Array: ...
    def embed_documents(self, texts: Sequence[str]) -> Array: ...
    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...  # in document form, uncut


class PictureLane(Protocol):
    """Pictures, and questions for pictures, to vectors: float32 (n, dim), rows L2-normalised."""

    @property
    def dim(self) -> int: ...
    @property
    def text_cap(self) -> int: ...  # tokens that are read of a question
    def embed_queries(self, texts: Sequence[str]) -> Array: ...
    def embed_images(self, images: Sequence[Image.Image]) -> Array: ...
    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...  # in question form, uncut


@runtime_checkable
class CaptionedPictures(Protocol):
    """A picture lane that can put a picture and its caption into one vector."""

    def embed_captioned(self, images: Sequence[Image.Image], captions: Sequence[str]) -> Array:
        """float32 (n, dim), rows L2-normalised; an empty caption leaves the picture alone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """What one model family gives: one lane or both."""

    text: TextLane | None = None
    pictures: PictureLane | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """A text lane with or without a picture lane.

    text_identity, picture_identity: everything that decides the vectors of a lane
        (id, revision, backend, dtype, dims, pooling, prefixes, picture policy) as one
        line each. Two embedders that share a lane share its line, and so its vectors.
    joint: both lanes share one space, so a picture can also find text.
    """

    name: str
    text_identity: str
    text: TextLane
    picture_identity: str = ""
    pictures: PictureLane | None = None
    joint: bool = False

    @property
    def identity(self) -> str:
        """What is stored with the index; an index of another identity is refused."""
        return join_identities(self.text_identity, self.picture_identity)


def join_identities(*lines: str) -> str:
    """The identity of an embedder from those of its lanes; empty ones are left out."""
    return " + ".join(filter(None, lines))
