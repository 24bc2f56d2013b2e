"""Keeps a picture for a while after no page shows it. Knows Streamlit's media storage, no pages.

Streamlit 1.67 forgets at the start of a run which pictures its session shows, and deletes at the
end of any run what no session shows. So the end of one visitor's run takes pictures from another
who is being drawn, and the browser, which asks once, shows a hole.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from streamlit.runtime import memory_media_file_storage as built_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.runtime.media_file_storage import MediaFileKind

LINGER_S = 30.0  # longer than any run of a page


class LingeringStorage(built_in.MemoryMediaFileStorage):
    """Deletes a file only when it was not asked for again in a while.

    Streamlit calls it with a lock held, so it needs none.
    """

    def __init__(self, media_endpoint: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(media_endpoint)
        self._clock = clock
        self._unused: dict[str, float] = {}  # since when

    def load_and_get_id(
        self,
        path_or_data: str | bytes,
        mimetype: str,
        kind: MediaFileKind,
        filename: str | None = None,
    ) -> str:
        """Add a file, or keep one that is there."""
        file_id = super().load_and_get_id(path_or_data, mimetype, kind, filename)
        self._unused.pop(file_id, None)
        return file_id

    def delete_file(self, file_id: str) -> None:
        """Note that nobody shows a file, and delete what nobody has shown for long."""
        now = self._clock()
        self._unused[file_id] = now
        for old in [one for one, since in self._unused.items() if now - since >= LINGER_S]:
            del self._unused[old]
            super().delete_file(old)


def keep_shown_pictures() -> None:
    """Let a server that is started from now on use it; Streamlit offers no setting for it."""
    built_in.MemoryMediaFileStorage = LingeringStorage  # type: ignore[misc]
