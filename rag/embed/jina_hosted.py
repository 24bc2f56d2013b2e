"""Jina CLIP v2 behind its hosted API, as an embedder. Texts and pictures leave this computer.

Knows what is sent; how it is sent is `rag.embed.jina_api`.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np

from rag.embed.catalogue import JINA_API
from rag.embed.jina import lanes_of, refuse_dims
from rag.embed.jina_api import MODEL, QUERY_TASK, JinaApi, host_of, key_of
from rag.embed.tokens import clean_text
from rag.embed.wordpiece import count_many, take_tokens
from rag.imaging import encode_png

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from PIL import Image

    from rag.embed.catalogue import LaneName
    from rag.embed.lanes import Array, Lanes
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

TEXTS_A_REQUEST = 32
PICTURES_A_REQUEST = 4  # 512 px PNGs: some 4 MB of base64 at most
SPECIAL_TOKENS = 2
# A person waits for a question; documents can wait for a rate limit of a minute to pass.
QUESTION_PATIENCE_S = 8.0
DOCUMENT_PATIENCE_S = 90.0


class HostedJina:
    """Both halves behind one account; see `rag.embed.jina.JinaModel`.

    It takes no turns: the service serves many at once, and a question need not wait while
    documents sit out a rate limit.
    """

    def __init__(self, api: JinaApi, *, dim: int) -> None:
        self._api = api
        self._dim = dim

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    def embed_texts(self, texts: Sequence[str], *, question: bool) -> Array:
        """Texts to float32 (n, dim), rows L2-normalised; the service adds the prefix."""
        task = QUERY_TASK if question else None
        patience_s = QUESTION_PATIENCE_S if question else DOCUMENT_PATIENCE_S
        vectors = np.zeros((len(texts), self._dim), dtype=np.float32)
        for places in _batches(len(texts), TEXTS_A_REQUEST):
            inputs = [{"text": _cut(text)} for text in texts[places]]
            vectors[places] = self._embed(inputs, task, patience_s)
        return vectors

    def embed_pictures(self, images: Sequence[Image.Image]) -> Array:
        """Pictures to float32 (n, dim), rows L2-normalised, row i belongs to picture i."""
        vectors = np.zeros((len(images), self._dim), dtype=np.float32)
        for places in _batches(len(images), PICTURES_A_REQUEST):
            inputs = [{"image": _encode(image)} for image in images[places]]
            vectors[places] = self._embed(inputs, None, DOCUMENT_PATIENCE_S)
        return vectors

    def count_tokens(self, texts: Sequence[str], *, question: bool) -> list[int]:
        """An estimate of the tokens of each text, by the built-in WordPiece vocabulary.

        The model's own tokenizer is not there. English counts much alike; other scripts
        mostly count higher here, so their long texts are cut earlier than they need be.
        """
        prefix = JINA_API.query_prefix if question else JINA_API.document_prefix
        return [SPECIAL_TOKENS + count for count in count_many([prefix + text for text in texts])]

    def _embed(
        self, inputs: Sequence[Mapping[str, str]], task: str | None, patience_s: float
    ) -> Array:
        return self._api.embed(inputs, dims=self._dim, task=task, patience_s=patience_s)


class JinaApiFamily:
    """Settings to the hosted model; see `rag.embed.load.Family`."""

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]:
        """One line a lane; asks nobody, and never holds the key.

        Raises:
            ConfigError: No key is set, or address or length of the vectors are wrong.
        """
        key_of(settings)
        stem = f"jina-api|{MODEL}@{host_of(settings.api_base)}|d{_dim(settings)}"
        lines: dict[LaneName, str] = {
            "text": f"{stem}|cap={JINA_API.text_cap}|q={QUERY_TASK}|doc=|v1",
            "image": f"{stem}|img=short512-png|v1",
        }
        return {lane: line for lane, line in lines.items() if lane in wants}

    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes:
        """The lanes that are wanted; the first request is the self-check's.

        Raises:
            ConfigError: As for `identities`.
        """
        del turns
        api = JinaApi(
            base=settings.api_base, key=key_of(settings), timeout_s=settings.api_timeout_s
        )
        return lanes_of(HostedJina(api, dim=_dim(settings)), wants)


def _dim(settings: EmbedSettings) -> int:
    refuse_dims(settings, JINA_API.min_dims, JINA_API.dims)
    return settings.dims or JINA_API.dims


def _cut(text: str) -> str:
    """What the model was trained to read of a text, prefix and special tokens left room for."""
    prefix = count_many([JINA_API.query_prefix])[0]
    return take_tokens(clean_text(text), JINA_API.text_cap - SPECIAL_TOKENS - prefix)


def _encode(image: Image.Image) -> str:
    """The picture as base64 of a PNG no larger than the model looks at."""
    from rag.embed.jina_pixels import MAX_ASPECT, SIDE_PX, shrink

    small = shrink(image)
    return base64.b64encode(encode_png(small, long_side_px=MAX_ASPECT * SIDE_PX)).decode("ascii")


def _batches(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))
