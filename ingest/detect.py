"""What a file is, told from its bytes. Knows magic numbers and tags, opens nothing.

The name only helps where content cannot tell: Markdown and plain text are both text.
"""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath

from rag.errors import EmptyFileError, UnsupportedFileError
from rag.types import MediaType

# Readers accept junk before the header; Acrobat looks at 1,024 bytes, MuPDF at more.
PDF_HEADER_WITHIN_BYTES = 8_192
SNIFFED_BYTES = 65_536
SUFFIXES: dict[MediaType, tuple[str, ...]] = {
    "pdf": (".pdf",),
    "html": (".html", ".htm", ".xhtml", ".xht"),
    "picture": (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"),
    "markdown": (".md", ".markdown"),
    "text": (".txt",),
}
READS = "Folio reads PDF, HTML, Markdown, text and picture files."
_NAMED_BY: dict[str, MediaType] = {
    suffix: media_type for media_type, suffixes in SUFFIXES.items() for suffix in suffixes
}
_WORDS: dict[MediaType, str] = {
    "pdf": "a PDF",
    "html": "a web page",
    "picture": "a picture",
    "markdown": "a Markdown file",
    "text": "a text file",
}
_PICTURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG picture", ".png"),
    (b"\xff\xd8\xff", "a JPEG picture", ".jpg"),
    (b"GIF8", "a GIF picture", ".gif"),
    (b"BM", "a BMP picture", ".bmp"),
    (b"II*\x00", "a TIFF picture", ".tif"),
    (b"MM\x00*", "a TIFF picture", ".tif"),
)
_WEBP = (b"RIFF", "a WebP picture", ".webp")
_OTHER: tuple[tuple[bytes, str], ...] = (
    (b"RIFF", "a sound or film"),
    (b"PK\x03\x04", "a ZIP archive or an Office file"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a GZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"{\\rtf", "an RTF file"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"II+\x00", "a BigTIFF picture"),
    (b"MM\x00+", "a BigTIFF picture"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"SQLite format 3", "a database"),
)
_BOX_BRANDS = {b"heic": "a HEIC", b"heix": "a HEIC", b"mif1": "a HEIF", b"avif": "an AVIF"}
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
        name: The name it was uploaded under, used in messages; its suffix tells Markdown
            from plain text, and text from files of programs that hold text as well.

    Raises:
        EmptyFileError: There are no bytes, or only white space.
        UnsupportedFileError: It is something Folio does not read.
    """
    if not data.strip(b"\x00\t\n\r\x0c "):
        message = f"{name} is empty. Check the file and add it again."
        raise EmptyFileError(message)
    named = _NAMED_BY.get(PurePath(name).suffix.lower())
    picture = _picture_of(data)
    if picture is not None:
        return _checked(name, named, "picture", *picture)
    other = _other_of(data)
    if other:
        raise _unsupported(name, other)
    text = _decoded_start(data)
    if named == "markdown" or named == "text":
        return _named_as_text(data, text, name, named)
    return _pdf_or_html(data, text, name, named)


def _pdf_or_html(data: bytes, text: str | None, name: str, named: MediaType | None) -> MediaType:
    starts_as_html = text is not None and _starts_with_tag(text)
    if _has_pdf_header(data) and not (starts_as_html and not data.startswith(b"%PDF-")):
        return _checked(name, named, "pdf", "a PDF", ".pdf")
    if text is None:
        raise _unsupported(name, "of an unknown type")
    if starts_as_html or _DOCUMENT_TAG.search(text):
        return _checked(name, named, "html", "a web page", ".html")
    root = _root_of_xml(text)
    if root:
        raise _unsupported(name, f"an XML file ({root})")
    if named == "html":
        return "html"
    if named is not None:
        return _checked(name, named, "text", "plain text", ".txt")
    message = f"{name} is plain text. To have it read as such, rename it to end in .txt. {READS}"
    raise UnsupportedFileError(message)


def _named_as_text(data: bytes, text: str | None, name: str, named: MediaType) -> MediaType:
    """Markdown often starts with a tag, and a text may be about PDF: only whole files count."""
    if data.lstrip().startswith(b"%PDF-"):
        return _checked(name, named, "pdf", "a PDF", ".pdf")
    if text is None:
        raise _unsupported(name, f"not text, though it is named like {_WORDS[named]}")
    start = _PROLOG.match(text)
    tag = _TAG if named == "text" else _DOCUMENT_TAG
    if tag.match(text, start.end() if start else 0):
        return "html"  # the source of a page, saved as text: nothing is lost by reading it as one
    if text.lstrip().startswith("<?xml"):
        raise _unsupported(name, f"an XML file ({_root_of_xml(text) or 'without a root'})")
    return named


def _checked(
    name: str, named: MediaType | None, found: MediaType, what: str, suffix: str
) -> MediaType:
    """The type found; a name that lies is a mistake or a trick: ask, do not guess."""
    if named is None or named == found:
        return found
    if named == "pdf" and found == "html":  # mostly the login page of the site it was saved from
        message = f"{name} is a web page, not a PDF. Save the PDF again and add that file."
    else:
        message = (
            f"{name} is {what}, not {_WORDS[named]}. Rename it to end in {suffix} and add it again."
        )
    raise UnsupportedFileError(message)


def _unsupported(name: str, what: str) -> UnsupportedFileError:
    return UnsupportedFileError(f"{name} is {what}. {READS}")


def _picture_of(data: bytes) -> tuple[str, str] | None:
    """Words and suffix of a picture format that is read, or None."""
    known = (*_PICTURES, _WEBP) if data[8:12] == b"WEBP" else _PICTURES
    return next((found[1:] for found in known if _starts(data, found[0])), None)


def _other_of(data: bytes) -> str | None:
    if data[4:8] == b"ftyp":
        kind = _BOX_BRANDS.get(data[8:12])
        return f"{kind} picture, so save it as JPEG or PNG" if kind else "a film or sound"
    return next((words for magic, words in _OTHER if _starts(data, magic)), None)


def _starts(data: bytes, magic: bytes) -> bool:
    # Two letters may also begin a text ("BMW ..."); the binary formats have zeros near by.
    return data.startswith(magic) and (not magic.isalpha() or b"\x00" in data[:64])


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
