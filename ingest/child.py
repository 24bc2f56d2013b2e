"""Parsing in a child process that can be killed, a page at a time.

Knows what is asked of the child and what to do when it dies; nothing of file formats,
and the process itself is in `process`. A thread cannot stop a page that never ends,
a process can.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ingest.ahead import Boxes, LayoutAhead
from ingest.figures import without_picture
from ingest.headings import HeadingPath, with_headings
from ingest.pagewords import PageWord
from ingest.parts import DocumentHead, ParsedPage, Part, Skipped
from ingest.process import CancelledError, ChildGoneError, ChildProcess
from ingest.wire import Frame, WireError, head_from_wire, page_from_wire, words_from_wire
from rag.errors import (
    CorruptFileError,
    DocumentError,
    EmptyFileError,
    EncryptedFileError,
    FileTooLargeError,
    UnsupportedFileError,
)
from rag.settings import IngestSettings
from rag.types import BBox, MediaType

logger = logging.getLogger(__name__)

# A helper takes a second to start, which fewer pages do not win back. A file of so many bytes
# has them as a rule; how many pages it really has is known when a child has opened it.
SHARED_FROM_PAGES = 8
EARLY_FROM_BYTES = 400_000
START_TIMEOUT_S = 120.0  # imports only; a loaded machine needs tens of seconds
# After so many pages in a row without an answer the rest will not answer either.
FAILED_PAGES_IN_A_ROW = 5
_ERRORS: dict[str, type[DocumentError]] = {
    kind.kind: kind
    for kind in (
        CorruptFileError,
        EmptyFileError,
        EncryptedFileError,
        FileTooLargeError,
        UnsupportedFileError,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a child is started for: one file, opened once, then asked for pages."""

    path: Path
    media_type: MediaType
    name: str
    limits: IngestSettings
    passwords: Sequence[str] = field(default=(), repr=False)  # never in a log
    asset_dir: Path | None = None
    purpose: str = "parse"  # or "draw"
    threads: int = 2  # of the layout model


def parse_in_child(
    path: Path,
    media_type: MediaType,
    *,
    name: str,
    limits: IngestSettings,
    passwords: Sequence[str] = (),
    asset_dir: Path | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Generator[DocumentHead | ParsedPage, None, None]:
    """The head of a document, then its pages in order, each as soon as it is parsed.

    A page that times out or breaks its reader keeps what was read of it (text, then
    boxes) under a warning; a page of which nothing was read has class "failed".
    Ends early, without an error, when `cancelled()` turns true.

    Args:
        path: The file.
        media_type: As told by `detect_media_type`.
        name: The name for messages; `path` never appears in one.
        limits: Bytes, pages, pictures, seconds and memory.
        passwords: For an encrypted PDF, tried in order; handed over through a pipe.
        asset_dir: Folder with the pictures beside a web page or Markdown.
        cancelled: Asked about ten times a second.

    Raises:
        DocumentError: The file cannot be read at all, or no page of it can.
    """
    _refuse_large(path, name, limits)
    task = Task(
        path=path,
        media_type=media_type,
        name=name,
        limits=limits,
        passwords=passwords,
        asset_dir=asset_dir,
    )
    try:
        with _ahead(task, cancelled) as ahead, Session(task, cancelled) as session:
            yield session.head
            page_count = session.head.page_count or 0
            if page_count >= SHARED_FROM_PAGES:
                ahead.share(page_count)
            else:
                ahead.close()
            yield from _pages(session, task, ahead)
    except CancelledError:
        logger.info("parsing cancelled name=%s", name)


def _ahead(task: Task, cancelled: Callable[[], bool]) -> LayoutAhead:
    """Helpers for a PDF; in a large file they start with the first child, not after it."""

    def open_session(must_stop: Callable[[], bool]) -> Session:
        return Session(replace(task, threads=1), must_stop)

    is_pdf = task.media_type == "pdf"
    helper_count = min(task.limits.processes, _processor_count()) - 1 if is_pdf else 0
    ahead = LayoutAhead(open_session, helper_count, cancelled)
    if task.path.stat().st_size >= EARLY_FROM_BYTES:
        ahead.start()
    return ahead


def _processor_count() -> int:
    """Processors this process may use; fewer than the machine has in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _pages(session: Session, task: Task, ahead: LayoutAhead) -> Iterator[ParsedPage]:
    budget = _PictureBudget(task.limits.max_images)
    path: HeadingPath = ()
    failed_in_a_row = read = 0
    page_count = session.head.page_count
    for number in range(1, (page_count or 1) + 1):
        boxes = ahead.boxes_of(number, session)
        page = session.parse_page(number if page_count is not None else None, boxes)
        failed_in_a_row = failed_in_a_row + 1 if page.page_class == "failed" else 0
        read += page.page_class != "failed"
        page = budget.kept(page)
        if task.media_type == "pdf":  # the HTML walk knows its headings itself
            page, path = with_headings(page, path)
        yield page
        if failed_in_a_row >= FAILED_PAGES_IN_A_ROW:
            message = (
                f"{task.name} cannot be read: {failed_in_a_row} pages in a row failed, the last "
                f"was page {number}. Save it again with another program and add that copy."
            )
            raise CorruptFileError(message)
    if not read:
        message = f"No page of {task.name} can be read. Save it again and add that copy."
        raise CorruptFileError(message)


class Session:
    """A child that has opened one file, started again whenever it dies."""

    def __init__(self, task: Task, cancelled: Callable[[], bool] = lambda: False) -> None:
        self._task = task
        self._cancelled = cancelled
        self._child: ChildProcess | None = None
        self.head: DocumentHead

    def __enter__(self) -> Session:
        try:
            self.head = self._open()
        except ChildGoneError as error:
            self.close()
            raise self._unopened(error) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def parse_page(self, page_number: int | None, boxes: Boxes | None = None) -> ParsedPage:
        """The page as far as it can be read; never raises for a bad page.

        `boxes` are what `layout` of this or another session found on it.
        """
        drafts: list[ParsedPage] = []
        reason = self._drafts({"number": page_number, "plain": False, "boxes": boxes}, drafts)
        if reason is None and drafts:
            return drafts[-1]
        if not drafts:
            self._drafts({"number": page_number, "plain": True}, drafts)
        if not drafts or not drafts[-1].parts:
            return _failed(page_number)
        return _with_warning(drafts[-1], page_number, reason or "was damaged")

    def layout(self, page_number: int) -> Boxes | None:
        """The boxes of a page, to be handed on; None when `parse_page` must see to them.

        Raises:
            ChildGoneError: The page broke the child.
        """
        try:
            header, _ = next(self._ask({"do": "layout", "number": page_number}))
        except (ChildGoneError, WireError) as error:
            logger.warning("child lost in layout page=%s reason=%s", page_number, error)
            self.close()
            raise ChildGoneError(str(error)) from error
        boxes = header.get("boxes")
        return boxes if isinstance(boxes, list) else None

    def draw(self, page_number: int, *, long_side_px: int, box: BBox | None = None) -> bytes:
        """A page, or a part of it in points, as a PNG.

        Raises:
            ChildGoneError: It cannot be drawn within the time limit.
        """
        request = {"do": "draw", "number": page_number, "long_side_px": long_side_px, "box": box}
        for header, pictures in self._ask(request):
            if header["type"] == "picture" and pictures:
                return pictures[0]
        message = "the page was not drawn"
        raise ChildGoneError(message)

    def words(self, page_number: int) -> list[PageWord]:
        """The words of a page with their places; none when they cannot be read in time."""
        try:
            header, _ = next(self._ask({"do": "words", "number": page_number}))
            return words_from_wire(header.get("words", []))
        except (ChildGoneError, WireError) as error:
            logger.warning("child lost in words page=%s reason=%s", page_number, error)
            self.close()
            return []

    def _drafts(self, request: dict[str, Any], drafts: list[ParsedPage]) -> str | None:
        """Collect the drafts of a page; None when the last is complete, else why not, in words."""
        try:
            for frame in self._ask({"do": "page", **request}):
                if frame[0]["type"] == "draft":
                    # One draft is kept: each holds all that the one before it held.
                    drafts[:] = [page_from_wire(frame)]
                else:
                    return None if frame[0]["type"] == "done" else "was damaged"
        except (ChildGoneError, WireError) as error:
            logger.warning("child lost page=%s reason=%s", request["number"], error)
            self.close()
            timed_out = isinstance(error, ChildGoneError) and error.timed_out
            return "took too long" if timed_out else "broke the reader"
        return "was damaged"

    def _ask(self, request: dict[str, Any]) -> Iterator[Frame]:
        if self._child is None:
            self._open()
        child = self._child
        if child is None:
            message = "no child"
            raise ChildGoneError(message)
        child.send(request)
        deadline = time.monotonic() + self._task.limits.page_timeout_s
        while True:
            frame = child.receive(deadline, self._cancelled)
            yield frame
            if frame[0].get("type") != "draft":
                return

    def _open(self) -> DocumentHead:
        self._child = child = ChildProcess()
        child.send(_open_request(self._task))
        child.receive(time.monotonic() + START_TIMEOUT_S, self._cancelled)
        deadline = time.monotonic() + self._task.limits.page_timeout_s
        header, _ = child.receive(deadline, self._cancelled)
        if header.get("type") == "error":
            kind = _ERRORS.get(str(header.get("kind")), CorruptFileError)
            raise kind(str(header.get("message")))
        return head_from_wire(header)

    def _unopened(self, error: ChildGoneError) -> DocumentError:
        name = self._task.name
        if error.timed_out:
            return FileTooLargeError(
                f"{name} could not be opened in {self._task.limits.page_timeout_s:g} seconds. "
                "Save a simpler copy and add that.",
                retryable=True,
            )
        return CorruptFileError(
            f"{name} is damaged and cannot be read. Save it again and add that copy.",
            retryable=True,
        )


class _PictureBudget:
    """Counts the pictures of a document; beyond the limit they are left out and listed."""

    def __init__(self, max_images: int) -> None:
        self._left = max_images
        self._limit = max_images

    def kept(self, page: ParsedPage) -> ParsedPage:
        parts: list[Part] = []
        skipped = list(page.skipped)
        for part in page.parts:
            if part.image_png is None or part.kind == "heading":
                parts.append(part)
            elif self._left > 0:
                self._left -= 1
                parts.append(part)
            else:
                parts.extend(without_picture(part))
                bbox = part.regions[0].bbox if part.regions else None
                reason = f"the limit of {self._limit} pictures a document is reached"
                skipped.append(Skipped(page_number=page.page_number, bbox=bbox, reason=reason))
        return replace(page, parts=tuple(parts), skipped=tuple(skipped))


def _with_warning(page: ParsedPage, page_number: int | None, reason: str) -> ParsedPage:
    where = f"Page {page_number}" if page_number is not None else "The page"
    warning = f"{where} {reason}, so some of its pictures or layout were left out."
    return replace(page, warnings=(*page.warnings, warning))


def _failed(page_number: int | None) -> ParsedPage:
    where = f"Page {page_number}" if page_number is not None else "The page"
    return ParsedPage(
        page_number=page_number,
        size=None,
        page_class="failed",
        parts=(),
        warnings=(f"{where} could not be read and was left out.",),
    )


def _refuse_large(path: Path, name: str, limits: IngestSettings) -> None:
    size = path.stat().st_size
    if size == 0:
        message = f"{name} is empty. Check the file and add it again."
        raise EmptyFileError(message)
    if size > limits.max_file_mb << 20:
        message = (
            f"{name} has {size / (1 << 20):.0f} MB; the limit is {limits.max_file_mb} MB. "
            "Split it, or raise FOLIO_INGEST__MAX_FILE_MB."
        )
        raise FileTooLargeError(message)


def _open_request(task: Task) -> dict[str, Any]:
    return {
        "do": "open",
        "path": str(task.path.absolute()),
        "media_type": task.media_type,
        "name": task.name,
        "passwords": list(task.passwords),
        "asset_dir": str(task.asset_dir.absolute()) if task.asset_dir else None,
        "purpose": task.purpose,
        "threads": task.threads,
        "limits": task.limits.model_dump(),
    }
