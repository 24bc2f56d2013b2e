"""The child's side of parsing: reads requests from standard input, answers in frames.

Knows the protocol and the limits it puts on itself; the reading is done by the module of
each type. Started by `ingest.child` as `python -m ingest.worker`.

Requests, one JSON object a line: {"do": "open", ...} first, then {"do": "page",
"number": n, "plain": bool, "boxes": [...] from a "layout", if there was one},
{"do": "layout", "number": n}; of a document opened to be drawn {"do": "draw", "number": n,
"long_side_px": p, "box": part of the page or null} or {"do": "words", "number": n}.
Answers: "ready" once after imports; "head"; one or more "draft" (each holds all that the
one before it held) and then "done"; "layout"; "picture"; "words"; or "error" (the file) or
"failed" (this page).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from ingest.wire import head_to_wire, page_to_wire, words_to_wire, write_frame
from rag.errors import DocumentError, EncryptedFileError
from rag.settings import IngestSettings

if TYPE_CHECKING:
    from ingest.pageview import PageView
    from ingest.pagewords import PageWord
    from ingest.parts import DocumentHead, ParsedPage
    from ingest.pdf import PdfReader
    from rag.types import BBox

logger = logging.getLogger(__name__)

_NOT_TO_DRAW = ("pymupdf.layout", "pymupdf4llm")


class _Reader(Protocol):
    """An opened document: drafts of a page, the last one finished."""

    @property
    def head(self) -> DocumentHead: ...
    def stages(self, page_number: int, *, plain: bool) -> Iterator[ParsedPage]: ...


class _View(Protocol):
    """A document opened to be drawn."""

    @property
    def head(self) -> DocumentHead: ...
    def draw(self, page_number: int, *, long_side_px: int, box: BBox | None) -> bytes: ...
    def words(self, page_number: int) -> list[PageWord]: ...


def main() -> None:
    """Serve requests until standard input ends."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    answers = _take_stdout()
    requests = (json.loads(line) for line in sys.stdin.buffer)
    first = next(requests, None)
    if first is None:
        return
    limits = IngestSettings.model_validate(first["limits"])
    _import_parser(first)
    _limit_memory(limits)
    if first["purpose"] == "parse" and hasattr(os, "nice"):
        os.nice(5)  # questions go first
    write_frame(answers, {"type": "ready"})
    reader = _opened(first, limits, answers)
    if reader is None:
        return
    for request in requests:
        _limit_cpu(limits)
        _serve(reader, request, answers)


def _take_stdout() -> BinaryIO:
    """A private copy of standard output; what libraries print goes to standard error instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _import_parser(request: dict[str, Any]) -> None:
    """Imports before the clock of the first page starts; seconds on a busy machine."""
    media_type = request["media_type"]
    if media_type in ("html", "markdown"):
        import ingest.html
    elif media_type == "picture":
        import ingest.pictures  # noqa: F401
    elif media_type == "pdf":
        if request["purpose"] == "parse":
            from ingest.layout import load_layout_model

            load_layout_model(request["threads"])
        else:
            # pymupdf 2.0 imports these when it can, and with them onnxruntime: a second in
            # which somebody waits for a page. None stands for "cannot be imported".
            for name in _NOT_TO_DRAW:
                sys.modules[name] = cast("Any", None)
        import pymupdf

        pymupdf.TOOLS.mupdf_display_errors(False)
        pymupdf.TOOLS.mupdf_display_warnings(False)


def _opened(
    request: dict[str, Any], limits: IngestSettings, answers: BinaryIO
) -> _Reader | _View | None:
    _limit_cpu(limits)
    try:
        reader = _open(request, limits)
        write_frame(answers, head_to_wire(reader.head))
    except DocumentError as error:
        write_frame(answers, {"type": "error", "kind": error.kind, "message": str(error)})
        return None
    except Exception:  # the rim: whatever a hostile file provokes becomes a plain sentence
        logger.exception("document cannot be opened")
        message = f"{request['name']} is damaged and cannot be read. Save it again and add it."
        write_frame(answers, {"type": "error", "kind": "corrupt", "message": message})
        return None
    return reader


def _open(request: dict[str, Any], limits: IngestSettings) -> _Reader | _View:
    path = Path(request["path"])
    if request["media_type"] == "pdf":
        return _open_pdf(path, request, limits)
    if request["media_type"] == "picture":
        from ingest.pictures import PictureFile

        return PictureFile(path, request["name"], limits)
    return _PagelessReader(request, limits)


def _open_pdf(path: Path, request: dict[str, Any], limits: IngestSettings) -> _Reader | _View:
    """Tries the passwords in order; without any, the empty one that many files have."""
    opener = _pdf_opener(request["purpose"])
    *others, last = request["passwords"] or [None]
    for password in others:
        with contextlib.suppress(EncryptedFileError):
            return opener(path, name=request["name"], password=password, limits=limits)
    return opener(path, name=request["name"], password=last, limits=limits)


def _pdf_opener(purpose: str) -> type[PdfReader | PageView]:
    if purpose == "parse":
        from ingest.pdf import PdfReader

        return PdfReader
    from ingest.pageview import PageView

    return PageView


def _serve(opened: _Reader | _View, request: dict[str, Any], answers: BinaryIO) -> None:
    number = request["number"]
    try:
        # What the document was not opened for fails as a bad page does.
        if request["do"] in ("draw", "words"):
            _show(cast("_View", opened), request, answers)
        else:
            _parse(cast("_Reader", opened), request, answers)
    except (Exception, MemoryError):  # the rim: one bad page must not end the document
        logger.exception("page failed page_number=%s", number)
        write_frame(answers, {"type": "failed"})


def _show(view: _View, request: dict[str, Any], answers: BinaryIO) -> None:
    number = request["number"]
    if request["do"] == "words":
        write_frame(answers, words_to_wire(view.words(number)))
        return
    box = tuple(request["box"]) if request["box"] else None
    png = view.draw(number, long_side_px=request["long_side_px"], box=box)
    write_frame(answers, {"type": "picture"}, [png])


def _parse(reader: _Reader, request: dict[str, Any], answers: BinaryIO) -> None:
    if request["do"] == "layout":
        write_frame(answers, {"type": "layout", "boxes": _layout(reader, request["number"])})
        return
    for page in _stages(reader, request):
        write_frame(answers, *page_to_wire(page, "draft"))
    write_frame(answers, {"type": "done"})


def _stages(reader: _Reader, request: dict[str, Any]) -> Iterator[ParsedPage]:
    if request.get("boxes") is None:
        return reader.stages(request["number"], plain=request["plain"])
    from ingest.layout import boxes_from_wire

    boxes = boxes_from_wire(request["boxes"])
    return _pdf(reader).stages(request["number"], plain=request["plain"], boxes=boxes)


def _layout(reader: _Reader, page_number: int) -> list[dict[str, Any]] | None:
    from ingest.layout import boxes_to_wire

    boxes = _pdf(reader).layout(page_number)
    return None if boxes is None else boxes_to_wire(boxes)


def _pdf(reader: _Reader) -> PdfReader:
    from ingest.pdf import PdfReader

    if not isinstance(reader, PdfReader):
        message = "only a PDF has a layout"
        raise TypeError(message)
    return reader


class _PagelessReader:
    """A web page, Markdown or text: one page without a number, parsed when it is opened."""

    def __init__(self, request: dict[str, Any], limits: IngestSettings) -> None:
        data, name = Path(request["path"]).read_bytes(), request["name"]
        asset_dir = Path(request["asset_dir"]) if request["asset_dir"] else None
        if request["media_type"] == "text":
            from ingest.text import parse_text

            self.head, self._page = parse_text(data, name=name)
        elif request["media_type"] == "markdown":
            from ingest.markdown import parse_markdown

            self.head, self._page = parse_markdown(
                data, name=name, asset_dir=asset_dir, limits=limits
            )
        else:
            from ingest.html import parse_html

            self.head, self._page = parse_html(data, name=name, asset_dir=asset_dir, limits=limits)

    def stages(self, page_number: int, *, plain: bool) -> Iterator[ParsedPage]:
        yield self._page


def _limit_memory(limits: IngestSettings) -> None:
    """Address space and core files; tolerated where the system does not know the limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        size = limits.page_memory_mb << 20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _limit_cpu(limits: IngestSettings) -> None:
    """A backstop for a child whose parent was killed: nobody else would stop an endless page."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        budget = int(usage.ru_utime + usage.ru_stime + 2 * limits.page_timeout_s + 10)
        resource.setrlimit(resource.RLIMIT_CPU, (budget, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
