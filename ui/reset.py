"""Back to the first screen of a demo: chats and documents go, the sample comes back.

Knows what goes and in which order; settings, keys and models stay. Runs in a thread of its
own, since a large library takes a while.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import NotFoundError, RagError

if TYPE_CHECKING:
    from ui.chats import Chats
    from ui.intake import Intake

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetState:
    """How far a reset is."""

    done: int
    total: int


class Reset:
    """Empties one library and adds the sample again."""

    def __init__(self, intake: Intake, chats: Chats) -> None:
        self._intake = intake
        self._chats = chats
        self._lock = threading.Lock()
        self._state: ResetState | None = None
        self._thread: threading.Thread | None = None

    def counts(self) -> tuple[int, int]:
        """How many documents and conversations would go."""
        return len(self._intake.states()), self._chats.count()

    @property
    def state(self) -> ResetState | None:
        """How far it is, None when it is not under way."""
        return self._state

    def start(self) -> None:
        """Begin; once under way, a second call does nothing."""
        with self._lock:
            if self._state is not None:
                return
            self._state = ResetState(done=0, total=len(self._intake.states()))
            self._thread = threading.Thread(target=self._work, name="reset", daemon=True)
            self._thread.start()

    def wait(self, timeout_s: float) -> None:
        """Until it is over, or so long."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        try:
            self._intake.news.put("reset", message=self._empty())
        except RagError as error:
            self._intake.news.put("reset", name="stopped", message=str(error))
        except Exception:
            # The rim of one reset: what is left can be deleted by hand.
            logger.exception("reset broke")
            message = "It stopped before the end. Delete what is left on the Documents page."
            self._intake.news.put("reset", name="stopped", message=message)
        finally:
            self._state = None

    def _empty(self) -> str:
        """Delete everything, add the sample; what is left of it, in one sentence."""
        chat_count = self._chats.delete_all()
        points = rows = files = document_count = 0
        ids = list(self._intake.states())
        self._intake.stop_reading(ids)
        for document_id in ids:
            try:
                receipt = self._intake.delete(document_id)
            except NotFoundError:  # it was being read, and has removed itself
                continue
            finally:
                document_count += 1
                self._state = ResetState(done=document_count, total=len(ids))
            points += receipt.points_left
            rows += receipt.rows_left
            files += receipt.files_left
        logger.info("reset documents=%d chats=%d", document_count, chat_count)
        left = f"{points} vectors, {rows} entries and {files} files of it are left here."
        self._intake.add_sample()
        return left
