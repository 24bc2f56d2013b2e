"""An answer being written in the background. A plain object: never calls Streamlit.

A script that streams is killed by any click (Streamlit 1.67); this goes on, and a
fragment draws what there is. It also goes on when the connection is lost, to its own end
(tokens and time of an answer are limited), and is kept: who comes back finds it.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.turn import titled
from rag.types import Done, Restart, Retrieved, Rewritten, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from rag.library import Place
    from rag.turn import AskedPicture
    from rag.types import Answer, AnswerEvent, Source

logger = logging.getLogger(__name__)

# Nobody drew it for so long: the visitor is gone, and a paid model need not go on. Well over
# a lift or a tunnel (three minutes, issue 8); `disconnectedSessionTTL` in `asgi` is as long.
UNSEEN_S = 600.0
MAX_TEXT = 60_000  # characters; the whole text is sent to the browser at each redraw


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """The state of an answer at one moment."""

    searched_for: str = ""  # a follow-up question as it is searched
    text: str = ""
    sources: tuple[Source, ...] = ()
    restarted: str = ""  # why the model was given up, when it was
    answer: Answer | None = None
    failure: str = ""
    is_done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question as it was asked, for the page that draws its answer."""

    question: str  # "" for a picture alone
    picture: AskedPicture | None = None
    documents: tuple[UUID, ...] = ()  # searched; empty: all
    document_count: int = 0
    still_read: tuple[str, ...] = ()  # names of documents that were being read meanwhile

    @property
    def title(self) -> str:
        """What the question is called."""
        return titled(self.question, self.picture)


class AnswerJob:
    """Runs the events of one question in a thread and keeps what they add up to.

    Args:
        asking: The question, or its words alone.
        ask: Starts the answer; ends soon after the event it is given is set.
        describe: Turns an unforeseen error into a sentence with a reference.
        place: Where it is kept; None when it cannot be.
        keep: Told after each event how far it is, and at the end.
        clock: Seconds.
    """

    def __init__(
        self,
        asking: Asking | str,
        ask: Callable[[threading.Event], Iterator[AnswerEvent]],
        *,
        describe: Callable[[BaseException], str],
        place: Place | None = None,
        keep: Callable[[AnswerJob, JobView], None] = lambda _job, _view: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.asking = Asking(question=asking) if isinstance(asking, str) else asking
        self.place = place
        self._clock = clock
        self._keep = keep
        self._ask = ask
        self._describe = describe
        self._view = JobView()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._is_stopped = False
        self._seen_at = clock()

    def start(self) -> None:
        """Begin; returns at once."""
        threading.Thread(target=self._run, name="answer", daemon=True).start()

    def stop(self) -> None:
        """Ask the answer to end; what is written stays."""
        self._is_stopped = True
        self._stop.set()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody asked it to end; nobody did when it was left alone for too long."""
        return self._is_stopped

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self._view.is_done

    def look(self) -> JobView:
        """The state now; looking keeps the job alive."""
        self._seen_at = self._clock()
        with self._lock:
            return self._view

    def _run(self) -> None:
        try:
            for event in self._ask(self._stop):
                self._take(event)
                self._note(self._view)
                is_left = self._clock() - self._seen_at > UNSEEN_S
                if is_left or len(self._view.text) >= MAX_TEXT:
                    self._stop.set()
            self._end()
        except RagError as error:
            self._end(str(error))
        except Exception as error:  # noqa: BLE001 - the rim of a turn; `describe` logs it
            self._end(self._describe(error))

    def _end(self, failure: str = "") -> None:
        """Kept first: who sees that it is done may read it from the library."""
        self._note(replace(self._view, failure=failure, is_done=True))
        self._change(failure=failure, is_done=True)

    def _note(self, view: JobView) -> None:
        try:
            self._keep(self, view)
        except Exception as error:  # noqa: BLE001 - a lost record must not cost the answer
            self._describe(error)
            self._keep = lambda _job, _view: None

    def _take(self, event: AnswerEvent) -> None:
        match event:
            case Rewritten(question=question):
                self._change(searched_for=question)
            case Retrieved(sources=sources):
                self._change(sources=sources)
            case Token(text=text):
                self._change(text=(self._view.text + text)[:MAX_TEXT])
            case Restart(reason=reason):
                self._change(text="", restarted=reason)
            case Done(answer=answer):
                self._change(text=answer.text, sources=answer.sources, answer=answer)

    def _change(self, **fields: object) -> None:
        with self._lock:
            self._view = replace(self._view, **fields)  # type: ignore[arg-type] # our own names


class JobBoard:
    """The answers being written in this process, by their chat: a reload finds its own again."""

    def __init__(self) -> None:
        self._jobs: dict[UUID, AnswerJob] = {}
        self._lock = threading.Lock()

    def put(self, job: AnswerJob) -> None:
        """Note a job that is kept; done ones are forgotten."""
        with self._lock:
            self._jobs = {k: j for k, j in self._jobs.items() if not j.is_done}
            if job.place is not None:
                self._jobs[job.place.chat_id] = job

    def stop_all(self) -> None:
        """Ask every answer to end."""
        with self._lock:
            running = list(self._jobs.values())
        for job in running:
            job.stop()

    def get(self, chat_id: UUID) -> AnswerJob | None:
        """The running job of a chat, None without one."""
        with self._lock:
            job = self._jobs.get(chat_id)
        return job if job is not None and not job.is_done else None
