"""A first word with a model: does it answer, how soon, and does it see a picture?

Knows one question and one drawn picture. The number in it is drawn anew each time, so that
a model cannot guess it.
"""

from __future__ import annotations

import base64
import io
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import LlmError
from rag.llm import Piece, stream_chat
from rag.llm_facts import prepare

if TYPE_CHECKING:
    from rag.llm import Message
    from rag.settings import LlmSettings

QUESTION = "Say hello, then write the number that stands in the picture. Nothing else."
WITHOUT_PICTURE = "Say hello. Nothing else."
SIDE_PX = 224
# Enough for a model that thinks first.
MAX_TOKENS = 256
MAX_SHOWN = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What came of it. With a failure there is its kind and its sentence, and no answer."""

    kind: str = ""
    message: str = ""
    answer: str = ""
    sees_pictures: bool | None = None  # None: it was not found out
    first_token_ms: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the model answered."""
        return not self.kind


def say_hello(settings: LlmSettings, number: str = "") -> Hello:
    """Greet the model with a picture, then without one when it takes none.

    Args:
        settings: with a model.
        number: what is drawn; four random digits when not given.
    """
    prepare(settings)  # not a part of the model's time
    number = number or str(1000 + secrets.randbelow(9000))
    settings = settings.model_copy(update={"max_answer_tokens": MAX_TOKENS})
    picture: dict[str, object] = {"type": "image_url", "image_url": {"url": draw_number(number)}}
    found = _greet([{"type": "text", "text": QUESTION}, picture], settings)
    if found.kind == "no_images":
        found = _greet([{"type": "text", "text": WITHOUT_PICTURE}], settings)
        sees: bool | None = False
    else:
        sees = number in found.answer.replace(" ", "").replace(",", "")
    if not found.is_good:
        return found
    return Hello(
        answer=found.answer[:MAX_SHOWN],
        sees_pictures=sees,
        first_token_ms=found.first_token_ms,
    )


def draw_number(number: str) -> str:
    """A small white PNG with the number in large black digits, as a data URI."""
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.new("RGB", (SIDE_PX, SIDE_PX // 2), "white")
    font = ImageFont.load_default(72)
    middle = (SIDE_PX / 2, SIDE_PX / 4)
    ImageDraw.Draw(sheet).text(middle, number, fill="black", font=font, anchor="mm")
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def _greet(parts: list[dict[str, object]], settings: LlmSettings) -> Hello:
    messages: list[Message] = [{"role": "user", "content": parts}]
    started = time.perf_counter()
    first_ms = 0.0
    pieces: list[str] = []
    try:
        for event in stream_chat(messages, settings):
            if isinstance(event, Piece):
                first_ms = first_ms or 1000 * (time.perf_counter() - started)
                pieces.append(event.text)
    except LlmError as error:
        return Hello(kind=error.kind, message=str(error))
    return Hello(answer=" ".join("".join(pieces).split()), first_token_ms=round(first_ms, 1))
