"""An embedder that asks the vector cache first. Questions always go to the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rag.embed.cache import content_key, text_key
from rag.embed.lanes import CaptionedPictures
from rag.imaging import FILE_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

    from rag.embed.cache import Form, VectorCache
    from rag.embed.lanes import Array, Embedder, PictureLane, TextLane


def with_cache(embedder: Embedder, cache: VectorCache) -> Embedder:
    """The same embedder; passages and stored pictures that it knows cost no model time."""
    text = _CachedText(embedder.text, _Lookup(cache, embedder.text_identity))
    pictures: PictureLane | None = None
    if embedder.pictures is not None:
        lookup = _Lookup(cache, embedder.picture_identity)
        has_captions = isinstance(embedder.pictures, CaptionedPictures)
        kind = _CachedCaptionedPictures if has_captions else _CachedPictures
        pictures = kind(embedder.pictures, lookup)
    return replace(embedder, text=text, pictures=pictures)


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The cache, seen by one lane."""

    cache: VectorCache
    identity: str

    def through(
        self,
        form: Form,
        keys: Sequence[bytes],
        embed: Callable[[list[int]], Array],
        dim: int,
        files: Sequence[str] = (),
    ) -> Array:
        """Float32 (n, dim), row i belongs to key i.

        Args:
            form: What the lane makes.
            keys: One a content.
            embed: Vectors for some of the positions, in the order given.
            dim: Length of a vector.
            files: Names of the picture files, one a key; or none.
        """
        if not keys:
            return embed([])
        known = self.cache.get(self.identity, form, keys, dim)
        new = {key: i for i, key in enumerate(keys) if key not in known}
        if new:
            made = dict(zip(new, embed(list(new.values())), strict=True))
            self.cache.put(self.identity, form, made.items(), zip(files, keys, strict=False))
            known |= made
        return np.stack([known[key] for key in keys])


@dataclass(frozen=True, slots=True)
class _CachedText:
    lane: TextLane
    lookup: _Lookup

    @property
    def dim(self) -> int:
        return self.lane.dim

    @property
    def text_cap(self) -> int:
        return self.lane.text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        return self.lane.embed_queries(texts)

    def embed_documents(self, texts: Sequence[str]) -> Array:
        def embed(rows: list[int]) -> Array:
            return self.lane.embed_documents([texts[row] for row in rows])

        return self.lookup.through("document", [text_key(text) for text in texts], embed, self.dim)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.lane.count_tokens(texts)


@dataclass(frozen=True, slots=True)
class _CachedPictures:
    lane: PictureLane
    lookup: _Lookup

    @property
    def dim(self) -> int:
        return self.lane.dim

    @property
    def text_cap(self) -> int:
        return self.lane.text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        return self.lane.embed_queries(texts)

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        files = _files_of(images)
        if files is None:
            return self.lane.embed_images(images)

        def embed(rows: list[int]) -> Array:
            return self.lane.embed_images([images[row] for row in rows])

        keys = [picture_key(image) for image in images]
        return self.lookup.through("image", keys, embed, self.dim, files)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.lane.count_tokens(texts)


@dataclass(frozen=True, slots=True)
class _CachedCaptionedPictures(_CachedPictures):
    def embed_captioned(self, images: Sequence[Image.Image], captions: Sequence[str]) -> Array:
        lane = self.lane
        if not isinstance(lane, CaptionedPictures):
            raise TypeError(type(lane))
        files = _files_of(images)
        if files is None:
            return lane.embed_captioned(images, captions)

        def embed(rows: list[int]) -> Array:
            some = [images[row] for row in rows]
            return lane.embed_captioned(some, [captions[row] for row in rows])

        keys = [
            picture_key(image, caption) for image, caption in zip(images, captions, strict=True)
        ]
        return self.lookup.through("captioned", keys, embed, self.dim, files)


def picture_key(image: Image.Image, caption: str = "") -> bytes:
    """The key of a picture: its pixels, and the caption that goes into its vector.

    9 ms for 1600 x 1200 px, where a model takes half a second (measured).
    """
    about = f"{image.mode} {image.width}x{image.height}"
    return content_key(about.encode(), image.tobytes(), caption.encode("utf-8", "surrogatepass"))


def _files_of(images: Sequence[Image.Image]) -> list[str] | None:
    """The stored files the pictures come from; None when one comes from elsewhere.

    A picture that nobody stored, such as a question's, could never be forgotten again.
    """
    files = [image.info.get(FILE_KEY) for image in images]
    return [str(file) for file in files] if all(files) else None
