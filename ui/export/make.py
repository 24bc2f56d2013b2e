"""Makes the file: reads the chat, draws its pictures, writes the format. Knows both formats."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from ui.export.chat import gather

if TYPE_CHECKING:
    from uuid import UUID

    from ui.export.chat import Format
    from ui.services import Services

logger = logging.getLogger(__name__)


def make(services: Services, chat_id: UUID, form: Format) -> bytes:
    """A chat as a file. Takes seconds when many pages must be drawn: not for the main script.

    Raises:
        NotFoundError: The chat was deleted.
    """
    started = time.monotonic()
    chat = gather(services, chat_id)
    if form == "md":
        from ui.export.markdown import to_markdown

        data = to_markdown(chat).encode()
    else:
        from ui.export.html import to_html

        data = to_html(chat, services).encode()
    ms = round((time.monotonic() - started) * 1000)
    logger.info("exported form=%s turns=%d bytes=%d ms=%d", form, len(chat.turns), len(data), ms)
    return data
