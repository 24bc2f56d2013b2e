from __future__ import annotations

import pytest

from ingest.detect import detect_media_type
from rag.errors import EmptyFileError, UnsupportedFileError
from tests.builders import make_html, make_pdf, make_png

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
    ],
)
def test_other_types_are_refused_with_what_they_are(data: bytes, name: str, words: str) -> None:
    with pytest.raises(UnsupportedFileError, match=words) as caught:
        detect_media_type(data, name)
    assert name in str(caught.value)
    assert "PDF" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\x00\x00"], ids=["none", "space", "zeros"])
def test_a_file_without_content_is_called_empty(data: bytes) -> None:
    with pytest.raises(EmptyFileError, match=r"notes\.html is empty"):
        detect_media_type(data, "notes.html")
