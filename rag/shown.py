"""What a model was sent, read back from its messages: words and pictures in their order.

Knows the layout that `rag.prompt` makes: in the last message each source is a label with its
passage, its picture directly after; the question is the last part. A picture of the question
comes first, with a label of its own.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from rag.embed.wordpiece import count_tokens
from rag.types import PromptPart, SentPicture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from rag.types import Answer, Source

TOKENS_A_PICTURE = 1_000  # as in `rag.prompt`, which budgets with it


def read_messages(
    messages: Sequence[dict[str, Any]], sources: Sequence[Source], *, shows_question: bool = False
) -> tuple[PromptPart, ...]:
    """The parts of a prompt, each with the marker of the source it belongs to.

    Args:
        messages: of `build_prompt`.
        sources: the sources of the same prompt, in order.
        shows_question: the picture of the question comes before them; its parts have no marker.
    """
    *before, last = messages
    earlier = tuple(PromptPart(role=m["role"], text=m["content"]) for m in before)
    own = 2 if shows_question else 0
    first = tuple(_read_parts(last["content"][:own], ()))
    return earlier + first + tuple(_read_parts(last["content"][own:], sources))


def used_tokens(answer: Answer) -> tuple[int, int, bool]:
    """Tokens in and out of an answer by a model, and whether they are only estimated."""
    if answer.usage.get("prompt_tokens"):
        return answer.usage["prompt_tokens"], answer.usage.get("completion_tokens", 0), False
    told = sum(count_tokens(part.text) for part in answer.prompt)
    pictures = sum(part.picture is not None for part in answer.prompt)
    return told + pictures * TOKENS_A_PICTURE, count_tokens(answer.text), True


def _read_parts(parts: Sequence[dict[str, Any]], sources: Sequence[Source]) -> Iterator[PromptPart]:
    left = iter(sources)
    current: Source | None = None
    for part in parts:
        if part["type"] == "text":
            current = next(left, None)  # none is left for the question
            marker = current.marker if current else None
            yield PromptPart(role="user", text=part["text"], marker=marker)
        else:
            picture = _read_picture(part["image_url"]["url"], current)
            marker = current.marker if current else None
            yield PromptPart(role="user", marker=marker, picture=picture)


def _read_picture(uri: str, source: Source | None) -> SentPicture:
    from PIL import Image

    head, _, encoded = uri.partition(",")
    data = base64.b64decode(encoded)
    with Image.open(io.BytesIO(data)) as image:  # reads the head only; it is our own
        width, height = image.size
    return SentPicture(
        sha256=source.hit.item.image_sha256 if source else None,
        media_type=head.removeprefix("data:").partition(";")[0],
        width_px=width,
        height_px=height,
        size_bytes=len(data),
    )
