"""Fonts without a map to Unicode: what their names tell is read, the rest is a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.pdf import PdfReader, parse_pages
from ingest.sheet import is_unreadable
from rag.settings import IngestSettings

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = IngestSettings()
WORDS = "Red light makes tomatoes grow faster than any other light we tried this year. " * 4
HEADING = "A heading that can be read"


def _without_map(html: str) -> bytes:
    """A page whose embedded fonts have lost their maps; a heading in a font that has its own."""
    import pymupdf

    document = pymupdf.open()
    page = document.new_page()
    page.insert_htmlbox(pymupdf.Rect(60, 100, 540, 600), html)
    for xref, *_ in page.get_fonts():
        document.xref_set_key(xref, "ToUnicode", "null")
    page.insert_text((60, 60), HEADING, fontsize=20, fontname="helv")
    return bytes(document.tobytes())


def test_a_page_in_a_font_without_a_map_is_a_picture_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(_without_map(f"<p>{WORDS}</p>"))
    (page,) = parse_pages(path, name="broken.pdf", limits=LIMITS)
    assert page.page_class == "garbled"
    assert page.warnings == ("The text of page 1 is unreadable; it was kept as a picture.",)
    assert [part.kind for part in page.parts] == ["page", "text"]
    assert page.parts[0].image_png is not None
    assert page.parts[1].text == HEADING
    assert not any("\ufffd" in part.text for part in page.parts)


def test_a_page_that_cannot_be_drawn_keeps_no_unreadable_words(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(_without_map(f"<p>{WORDS}</p>"))
    reader = PdfReader(path, name="broken.pdf", limits=LIMITS)
    (page,) = reader.stages(1, plain=True)
    reader.close()
    assert page.page_class == "garbled"
    assert [part.text for part in page.parts] == [HEADING]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain words of a page that anyone reads", False, id="words"),
        pytest.param("if (a[i] >= b[j] && !done) { total += a[i] * 2; }", False, id="code"),
        pytest.param("1,234 5,678 9,012 3,456 7,890 1,234 5,678 9,012", False, id="numbers"),
        pytest.param("?>9@AJ.D<F@-<>2.@A:0>#3$4,56#?>9@AJ.D<F@-<>2", True, id="wrong letters"),
        pytest.param("\ue001\ue002\ue003 abc def", True, id="private use"),
    ],
)
def test_unreadable_text_is_told_from_code_and_numbers(text: str, expected: bool) -> None:
    assert is_unreadable(text) is expected


def test_minus_signs_are_read_from_the_names_of_a_symbol_font(shared: Path) -> None:
    reader = PdfReader(
        shared / "corpus" / "pdf" / "embedded-images-tables.pdf", name="a.pdf", limits=LIMITS
    )
    page = list(reader.stages(1, plain=False))[-1]
    reader.close()
    (table,) = [part for part in page.parts if part.kind == "table"]
    assert "| 0.0335 | 0.0409 | −0.9393 | 0.0003 |" in table.text
    assert "\ufffd" not in table.text


def test_bullets_of_a_symbol_font_are_bullets(shared: Path) -> None:
    reader = PdfReader(
        shared / "corpus" / "pdf" / "redp5110_sampled.pdf", name="a.pdf", limits=LIMITS
    )
    page = list(reader.stages(5, plain=False))[-1]
    reader.close()
    assert "• Security fundamentals" in [part.text for part in page.parts]
