from __future__ import annotations

import pytest

from ingest.detect import detect_media_type
from rag.errors import EmptyFileError, UnsupportedFileError
from tests.builders import make_html, make_pdf, make_picture, make_png

PDF = make_pdf()
PAGE = make_html("<p>Hello</p>")


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        pytest.param(PDF, "report.pdf", "pdf", id="pdf"),
        pytest.param(PDF, "report", "pdf", id="pdf without a suffix"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" * 40 + PDF, "a.pdf", "pdf", id="junk before pdf"),
        pytest.param(PAGE, "page.html", "html", id="html"),
        pytest.param(PAGE, "page", "html", id="html without a suffix"),
        pytest.param(b"<p>Only a fragment", "x.txt", "html", id="fragment"),
        pytest.param(
            b"<?xml version='1.0'?>\n<!-- x --><html xmlns='y'/>", "a.xhtml", "html", id="xhtml"
        ),
        pytest.param("<html><p>né".encode("utf-16"), "a.html", "html", id="utf-16 with a mark"),
        pytest.param(
            "<html><p>plain</p>".encode("utf-16-le"), "a", "html", id="utf-16 without a mark"
        ),
        pytest.param(b"Words without any tag.", "notes.html", "html", id="text named html"),
        pytest.param(b"BMW builds cars.", "cars.html", "html", id="text that begins like a bitmap"),
        pytest.param(
            b"<html><title>%PDF-1.7 explained</title>", "a.html", "html", id="html about pdf"
        ),
        pytest.param(make_png(), "photo.png", "picture", id="png"),
        pytest.param(make_picture("JPEG"), "photo.png", "picture", id="jpeg named png"),
        pytest.param(make_picture("WEBP"), "photo", "picture", id="webp without a suffix"),
        pytest.param(make_picture("TIFF"), "fax.tiff", "picture", id="tiff"),
        pytest.param(make_picture("GIF"), "a.gif", "picture", id="gif"),
        pytest.param(make_picture("BMP"), "a.bmp", "picture", id="bmp"),
        pytest.param(b"# Notes\n\nWords.", "notes.md", "markdown", id="markdown"),
        pytest.param(b"Plain words.", "NOTES.TXT", "text", id="text"),
        pytest.param(
            b"<p align=center><img src=logo.png></p>\n\n# Tool\n",
            "README.md",
            "markdown",
            id="markdown that starts with a tag",
        ),
        pytest.param(
            b"A page begins with <html> and then <body>.", "a.md", "markdown", id="markdown on html"
        ),
        pytest.param(b"A file begins with %PDF-1.7.", "a.txt", "text", id="text on pdf"),
        pytest.param(PAGE, "page.txt", "html", id="page saved as text"),
        pytest.param("Gr\xfc\xdfe".encode("utf-16"), "a.txt", "text", id="utf-16 text"),
    ],
)
def test_type_is_told_by_content(data: bytes, name: str, expected: str) -> None:
    assert detect_media_type(data, name) == expected


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        pytest.param(make_png(), "report.pdf", "PNG picture", id="png named pdf"),
        pytest.param(b"PK\x03\x04" + PDF, "report.pdf", "ZIP archive", id="zip holding a pdf"),
        pytest.param(b"MZ\x90\x00" + b"\x00" * 99, "setup.pdf", "Windows program", id="exe"),
        pytest.param(b"\x1f\x8b\x08" + b"x" * 50, "page.html", "GZIP archive", id="gzip"),
        pytest.param(
            b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.html", "XML file", id="svg named html"
        ),
        pytest.param(b"a,b\n1,2\n", "data.csv", "plain text", id="csv"),
        pytest.param(bytes(range(256)) * 4, "a.html", "unknown type", id="binary named html"),
        pytest.param(PAGE, "report.pdf", "web page, not a PDF", id="html named pdf"),
        pytest.param(PDF, "report.html", "PDF, not a web page", id="pdf named html"),
        pytest.param(PDF, "report.png", "PDF, not a picture", id="pdf named png"),
        pytest.param(PDF, "report.txt", "PDF, not a text file", id="pdf named txt"),
        pytest.param(PAGE, "photo.png", "web page, not a picture", id="html named png"),
        pytest.param(b"Words.", "PDF.png", "plain text, not a picture", id="text named png"),
        pytest.param(b"RIFF\x24\x08\x00\x00WAVEfmt ", "a.webp", "sound or film", id="wave"),
        pytest.param(b"\x00\x00\x00\x18ftypheic" + b"\x00" * 9, "a.jpg", "HEIC", id="heic"),
        pytest.param(bytes(range(256)) * 4, "a.txt", "is not text", id="binary named txt"),
        pytest.param(b"<?xml version='1.0'?><rss/>", "a.txt", r"XML file \(rss\)", id="xml"),
    ],
)
def test_other_types_are_refused_with_what_they_are(data: bytes, name: str, words: str) -> None:
    with pytest.raises(UnsupportedFileError, match=words) as caught:
        detect_media_type(data, name)
    assert name in str(caught.value)
    assert "PDF" in str(caught.value) or "Rename it to end in " in str(caught.value)


@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\x00\x00"], ids=["none", "space", "zeros"])
def test_a_file_without_content_is_called_empty(data: bytes) -> None:
    with pytest.raises(EmptyFileError, match=r"notes\.html is empty"):
        detect_media_type(data, "notes.html")
