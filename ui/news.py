"""What happened in the background that no document's state tells. Knows sentences, no pages."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

MAX_KEPT = 100
NewsKind = Literal["replaced", "not_replaced", "read_again", "not_read_again", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing that happened; pages tell it once to each visitor."""

    number: int  # rises
    kind: NewsKind
    name: str = ""
    message: str = ""
    document_id: UUID | None = None


class NewsBoard:
    """The last things that happened. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[News] = deque(maxlen=MAX_KEPT)
        self._count = 0

    @property
    def last(self) -> int:
        """Number of the newest, 0 when nothing happened."""
        return self._count

    def put(
        self, kind: NewsKind, name: str = "", message: str = "", document_id: UUID | None = None
    ) -> None:
        """Add one."""
        with self._lock:
            self._count += 1
            self._kept.append(
                News(
                    number=self._count,
                    kind=kind,
                    name=name,
                    message=message,
                    document_id=document_id,
                )
            )

    def after(self, number: int, keep: Callable[[News], bool] = lambda _news: True) -> list[News]:
        """What came after a number, oldest first."""
        with self._lock:
            return [news for news in self._kept if news.number > number and keep(news)]
