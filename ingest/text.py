"""Plain text to parts: paragraphs as the writer set them. Knows blank lines, no markup.

Nothing here is called a heading: a short line in capitals may be one, or a name, or a
shout, and a wrong heading would stand in the breadcrumb of all that follows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingest.characters import clean_text
from ingest.decode import decode_html
from ingest.parts import DocumentHead, ParsedPage, Part
from rag.errors import CorruptFileError, EmptyFileError, FileTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEXT_BYTES = 10_000_000  # as for web pages; 10 MB are about 3,000 printed pages
MAX_BLOCK_CHARACTERS = 2_000  # so that the reader view shows a cited place whole
MIN_WRAP_CHARACTERS = 45  # shorter lines are verse, addresses, lists
_BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+|\f")
_OWN_LINE = re.compile(r"\s|[-*+•–>|#=~]|\(?\d{1,3}[.)]|\(?[a-z][.)]\s|\S{1,30}:\s")
_COLUMNS = re.compile(r"\S(?: {3,}|\t)\S")
_CJK_END = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]$")
_SENTENCE_END = re.compile(r"[.!?。！？][\"'”’)]?\s+|[。！？]")


def parse_text(data: bytes, *, name: str) -> tuple[DocumentHead, ParsedPage]:
    """The head and the single page of a text file; parts have anchors "1", "2", … .

    Raises:
        FileTooLargeError: Over 10 MB.
        CorruptFileError: The bytes are no text.
        EmptyFileError: There is nothing to read.
    """
    text, warning = decode_text(data, name=name)
    parts = tuple(
        Part(kind="text", text=block, anchor=str(number))
        for number, block in enumerate(text_blocks(text), 1)
    )
    if not parts:
        raise EmptyFileError(f"{name} holds no text. Check the file and add it again.")
    page = ParsedPage(
        page_number=None,
        size=None,
        page_class="text",
        parts=parts,
        warnings=(warning,) if warning else (),
    )
    return DocumentHead(media_type="text", page_count=None), page


def decode_text(data: bytes, *, name: str) -> tuple[str, str]:
    """The text of a file with plain line ends, and a sentence where its encoding was a guess.

    Raises:
        FileTooLargeError: Over 10 MB.
        CorruptFileError: The bytes are no text.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise FileTooLargeError(
            f"{name} has {len(data) / 1e6:.0f} MB of text; the limit is "
            f"{MAX_TEXT_BYTES / 1e6:.0f} MB. Split it and add the pieces."
        )
    try:
        text, warning = decode_html(data, name=name)
    except CorruptFileError as error:
        raise CorruptFileError(
            f"{name} does not hold readable text. Save it as UTF-8 text and add it again."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n"), warning


def text_blocks(text: str) -> Iterator[str]:
    """Paragraphs in order: hard-wrapped prose on one line, all else line by line."""
    for paragraph in _BLANK.split(text):
        lines = [_clean_line(line) for line in paragraph.split("\n")]
        kept = [line for line in lines if line.strip()]
        if kept:
            body = _joined(kept) if _is_wrapped(kept) else "\n".join(kept)
            yield from _cut(body)


def _clean_line(line: str) -> str:
    return clean_text(line.expandtabs(4)).rstrip()


def _is_wrapped(lines: list[str]) -> bool:
    """Whether the line ends are those of an editor and not the writer's."""
    longest = max(len(line) for line in lines)
    if len(lines) < 2 or longest < MIN_WRAP_CHARACTERS:
        return False
    if any(_OWN_LINE.match(line) or _COLUMNS.search(line) for line in lines[1:]):
        return False
    return all(len(line) >= 0.6 * longest for line in lines[:-1])


def _joined(lines: list[str]) -> str:
    text = lines[0].strip()
    for line in lines[1:]:
        glued = text.endswith("-") or (_CJK_END.search(text) and not line[:1].isascii())
        text += line if glued else f" {line}"
    return text


def _cut(body: str) -> Iterator[str]:
    """Pieces of bearable size: cut between lines, else sentences, else words, else anywhere."""
    while len(body) > MAX_BLOCK_CHARACTERS:
        head = body[:MAX_BLOCK_CHARACTERS]
        at = head.rfind("\n") + 1
        if at < MAX_BLOCK_CHARACTERS // 4:
            ends = [match.end() for match in _SENTENCE_END.finditer(head)]
            at = ends[-1] if ends else 0
        if at < MAX_BLOCK_CHARACTERS // 4:
            at = head.rfind(" ") + 1
        if at < MAX_BLOCK_CHARACTERS // 4:
            at = MAX_BLOCK_CHARACTERS
        piece, body = body[:at].strip("\n").rstrip(), body[at:].lstrip("\n")
        if piece:
            yield piece
    if body.strip():
        yield body
