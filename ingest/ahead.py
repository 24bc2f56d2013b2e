"""Layout of the pages ahead, in children of their own, while one child reads page after page.

The layout step is six sevenths of the time of a page and remembers nothing, so it can be
done in any order; all else stays in one reader, in page order, and so comes out the same
with any number of processes. Knows page numbers, threads and who does what; nothing of
PDF, and of a session only that it lays out pages.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ingest.process import CancelledError, ChildGoneError
from rag.errors import DocumentError

logger = logging.getLogger(__name__)

LOOK_AHEAD = 8  # pages; what waits is boxes, a few kilobytes a page
LOST_IN_A_ROW = 3  # pages; after them a helper is of no use with this file
POLL_S = 0.1

Boxes = list[dict[str, Any]]


class LaysOut(Protocol):
    """A session, as far as it is used here."""

    def layout(self, page_number: int) -> Boxes | None:
        """The boxes of a page; None when the reader has to see to it itself.

        Raises:
            ChildGoneError: The page broke the child, which is started again when needed.
        """
        ...


OpenSession = Callable[[Callable[[], bool]], AbstractContextManager[LaysOut]]


class LayoutAhead:
    """Boxes of a page when they are needed, found by helpers or by the caller meanwhile."""

    def __init__(
        self, open_session: OpenSession, helper_count: int, cancelled: Callable[[], bool]
    ) -> None:
        self._open_session = open_session
        self._cancelled = cancelled
        self._helpers = [
            threading.Thread(target=self._help, daemon=True, name="ingest-ahead")
            for _ in range(helper_count)
        ]
        self._page_count: int | None = None  # not known yet
        self._changed = threading.Condition()
        self._untaken = 1  # the first page that nobody has taken
        self._needed = 1
        self._found: dict[int, Boxes | None] = {}
        self._is_closed = False

    def __enter__(self) -> LayoutAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the helpers; none and no child of one is left."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for helper in self._helpers:
            if helper.ident is not None:
                helper.join()

    def start(self) -> None:
        """Start the helpers; they open the file and wait for `share`."""
        for helper in self._helpers:
            if helper.ident is None:
                helper.start()

    def share(self, page_count: int) -> None:
        """Let the helpers lay out pages."""
        self.start()
        with self._changed:
            self._page_count = page_count
            self._changed.notify_all()

    def boxes_of(self, page_number: int, session: LaysOut) -> Boxes | None:
        """What a helper found on the page; None when the caller is to read it whole.

        While a helper is still at it, `session` lays out pages further on.

        Raises:
            CancelledError: The caller asked to stop.
        """
        with self._changed:
            self._needed = page_number
            self._changed.notify_all()
            if self._untaken <= page_number:
                self._untaken = page_number + 1
                return None
        while not self._is_found(page_number):
            if self._cancelled():
                raise CancelledError
            further = self._take()
            if further is not None:
                self._lay_out(further, session)
        return self._found.pop(page_number)

    def _help(self) -> None:
        """Lay out page after page until the end; the work of one helper thread."""
        taken: int | None = None
        try:
            with self._open_session(self._must_stop) as session:
                lost = 0
                while lost < LOST_IN_A_ROW and (taken := self._wait_and_take()) is not None:
                    lost = 0 if self._lay_out(taken, session) else lost + 1
                    taken = None
        except (CancelledError, DocumentError) as error:
            logger.debug("a helper ended: %s", error)
        finally:
            if taken is not None:
                self._put(taken, None)

    def _lay_out(self, page_number: int, session: LaysOut) -> bool:
        """False when the page broke the child."""
        try:
            boxes, is_whole = session.layout(page_number), True
        except ChildGoneError:
            boxes, is_whole = None, False
        self._put(page_number, boxes)
        return is_whole

    def _must_stop(self) -> bool:
        return self._is_closed or self._cancelled()

    def _is_found(self, page_number: int) -> bool:
        with self._changed:
            if page_number not in self._found and not self._has_work():
                self._changed.wait(POLL_S)
            return page_number in self._found

    def _wait_and_take(self) -> int | None:
        while not self._must_stop() and not self._is_all_taken():
            with self._changed:
                if not self._has_work():
                    self._changed.wait(POLL_S)
            taken = self._take()
            if taken is not None:
                return taken
        return None

    def _take(self) -> int | None:
        with self._changed:
            if not self._has_work():
                return None
            self._untaken += 1
            return self._untaken - 1

    def _has_work(self) -> bool:
        return self._untaken <= min(self._page_count or 0, self._needed + LOOK_AHEAD)

    def _is_all_taken(self) -> bool:
        return self._page_count is not None and self._untaken > self._page_count

    def _put(self, page_number: int, boxes: Boxes | None) -> None:
        with self._changed:
            self._found[page_number] = boxes
            self._changed.notify_all()
