"""Pictures of a page outlive the runs of other visitors, and not much more."""

from __future__ import annotations

import pytest
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError

from ui.web.media import LINGER_S, LingeringStorage


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_picture_stays_until_nobody_has_shown_it_for_a_while() -> None:
    clock = Clock()
    storage = LingeringStorage("/media", clock)
    shown = storage.load_and_get_id(b"shown", "image/png", MediaFileKind.MEDIA)
    gone = storage.load_and_get_id(b"gone", "image/png", MediaFileKind.MEDIA)

    storage.delete_file(shown)
    storage.delete_file(gone)
    assert storage.get_file(f"{gone}.png").content == b"gone"
    storage.load_and_get_id(b"shown", "image/png", MediaFileKind.MEDIA)  # drawn again
    clock.now += LINGER_S
    storage.delete_file("another")

    assert storage.get_file(f"{shown}.png").content == b"shown"
    with pytest.raises(MediaFileStorageError):
        storage.get_file(f"{gone}.png")
