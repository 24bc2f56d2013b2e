"""What an embedder is to the rest of Folio. Knows no model and imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

Array = NDArray[np.float32]


class TextLane(Protocol):
    """Text to vectors: float32 (n, dim), rows L2-normalised, row i belongs to input i.

    Texts come plain; the prefixes a model wants are added inside. Texts over the
    model's cap are cut at the end.
    """

    @property
    def dim(self) -> int: ...
    def embed_queries(self, texts: Sequence[str]) -> Array: ...
    def embed_documents(self, texts: Sequence[str]) -> Array: ...


class PictureLane(Protocol):
    """Pictures, and questions for pictures, to vectors: float32 (n, dim), rows L2-normalised."""

    @property
    def dim(self) -> int: ...
    def embed_queries(self, texts: Sequence[str]) -> Array: ...
    def embed_images(self, images: Sequence[Image.Image]) -> Array: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """A text lane with or without a picture lane.

    identity: everything that decides the vectors (id, revision, backend, dtype,
        dims, pooling, prefixes, picture policy) as one line of text; stored with
        the index, and an index of another identity is refused.
    joint: both lanes share one space, so a picture can also find text.
    """

    name: str
    identity: str
    text: TextLane
    pictures: PictureLane | None = None
    joint: bool = False
