"""What a file is, told from its bytes. Knows magic numbers and tags, opens nothing."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath
from typing import Literal

from rag.errors import EmptyFileError, UnsupportedFileError

MediaType = Literal["pdf", "html"]

# Readers accept junk before the header; Acrobat looks at 1,024 bytes, MuPDF at more.
PDF_HEADER_WITHIN_BYTES = 8_192
SNIFFED_BYTES = 65_536
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".xht"})

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"RIFF", "a picture, sound or film"),
    (b"PK\x03\x04", "a ZIP archive or an Office file"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a GZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"{\\rtf", "an RTF file"),
    (b"%!PS", "a PostScript file"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"SQLite format 3", "a database"),
)
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: the first two bytes are the same
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TAG = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|meta|link|script|style|base|main|article|section|"
    r"header|footer|nav|div|span|p|h[1-6]|table|tr|ul|ol|li|dl|blockquote|pre|figure|img|a|br|hr|"
    r"form|iframe|b|i|em|strong|center|font)(?=[\s/>])",
    re.IGNORECASE,
)
_DOCUMENT_TAG = re.compile(r"<(?:!doctype\s+html|html|head|body)(?=[\s/>])", re.IGNORECASE)
_PROLOG = re.compile(r"(?:\s+|<\?[^>]*>|<!--.*?-->)*", re.DOTALL)


def detect_media_type(data: bytes, name: str) -> MediaType:
    """The type of a file by its content; a name that says otherwise is refused.

    Args:
        data: The whole file, or at least its first 64 KB.
        name: The name it was uploaded under, used in messages.

    Raises:
        EmptyFileError: There are no bytes, or only white space.
        UnsupportedFileError: It is something Folio does not read.
    """
    if not data.strip(b"\x00\t\n\r\x0c "):
        message = f"{name} is empty. Check the file and add it again."
        raise EmptyFileError(message)
    found = _known_magic(data)
    if found:
        raise _unsupported(name, found)
    text = _decoded_start(data)
    starts_as_html = text is not None and _starts_with_tag(text)
    suffix = PurePath(name).suffix.lower()
    if _has_pdf_header(data) and not (starts_as_html and not data.startswith(b"%PDF-")):
        if suffix in HTML_SUFFIXES:  # a name that lies is a mistake or a trick: ask, do not guess
            message = f"{name} is a PDF, not a web page. Rename it to end in .pdf and add it again."
            raise UnsupportedFileError(message)
        return "pdf"
    if text is None:
        raise _unsupported(name, "of an unknown type")
    if starts_as_html or _DOCUMENT_TAG.search(text):
        if suffix == ".pdf":  # mostly the login page of the site it was saved from
            message = f"{name} is a web page, not a PDF. Save the PDF again and add that file."
            raise UnsupportedFileError(message)
        return "html"
    root = _root_of_xml(text)
    if root:
        raise _unsupported(name, f"an XML file ({root})")
    if suffix in HTML_SUFFIXES:
        return "html"
    raise _unsupported(name, "plain text")


def _unsupported(name: str, what: str) -> UnsupportedFileError:
    return UnsupportedFileError(f"{name} is {what}. Folio reads PDF and HTML files.")


def _known_magic(data: bytes) -> str | None:
    for magic, words in _MAGIC:
        # Two letters may also begin a text ("BMW ..."); the binary formats have zeros near by.
        if data.startswith(magic) and (not magic.isalpha() or b"\x00" in data[:64]):
            return words
    return None


def _has_pdf_header(data: bytes) -> bool:
    return b"%PDF-" in data[:PDF_HEADER_WITHIN_BYTES]


def _starts_with_tag(text: str) -> bool:
    start = _PROLOG.match(text)
    return bool(_TAG.match(text, start.end() if start else 0))


def _root_of_xml(text: str) -> str | None:
    start = _PROLOG.match(text)
    root = re.compile(r"<(?:!DOCTYPE\s+)?([A-Za-z][\w.:-]{0,40})").match(
        text, start.end() if start else 0
    )
    return root.group(1) if root else None


def _decoded_start(data: bytes) -> str | None:
    """The first 64 KB as text, or None when they are not text.

    Latin-1 serves for every 8-bit encoding here: tags are ASCII in all of them.
    """
    start = data[:SNIFFED_BYTES]
    encoding = next((name for bom, name in _BOMS if start.startswith(bom)), None)
    if encoding is None:
        encoding = _utf16_without_bom(start) or "latin-1"
    text = start.decode(encoding, errors="replace")
    controls = sum(1 for character in text if ord(character) < 32 and character not in "\t\n\r\x0c")
    return text if controls <= len(text) // 50 else None


def _utf16_without_bom(start: bytes) -> str | None:
    """Markup is mostly ASCII, so UTF-16 shows as zeros in every second byte."""
    sample = start[:512]
    half = len(sample) // 2
    if half < 8:
        return None
    if sample[1::2].count(0) > half * 0.7:
        return "utf-16-le"
    return "utf-16-be" if sample[0::2].count(0) > half * 0.7 else None
