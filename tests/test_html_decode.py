"""Bytes to text: marks, strict UTF-8, declarations, guesses."""

from __future__ import annotations

import pytest

from ingest.decode import decode_html
from rag.errors import CorruptFileError

WORDS = "水の沸点は100度です。 café"
JAPANESE = "水の沸点は100度です。"


def declared(charset: str, words: str) -> str:
    return f'<html><head><meta charset="{charset}"></head><p>{words}</p></html>'


@pytest.mark.parametrize(
    "data",
    [
        ("\ufeff" + WORDS).encode("utf-8"),
        ("\ufeff" + WORDS).encode("utf-16-le"),
        ("\ufeff" + WORDS).encode("utf-16-be"),
        ("\ufeff" + WORDS).encode("utf-32-le"),
        WORDS.encode(),
        declared("gb2312", WORDS).encode(),
        declared("x-no-such", WORDS).encode(),
        declared("rot13", WORDS).encode(),
    ],
    ids=["mark 8", "mark 16le", "mark 16be", "mark 32", "bare", "lies", "unknown", "no charset"],
)
def test_unicode_is_read_whatever_is_declared(data: bytes) -> None:
    text, warning = decode_html(data, name="p")
    assert WORDS in text
    assert warning == ""


@pytest.mark.parametrize(
    ("charset", "codec", "words"),
    [
        ("shift_jis", "cp932", JAPANESE),
        ("x-sjis", "cp932", JAPANESE),
        ("gb2312", "gb18030", "中文水的沸点"),
        ("windows-1252", "cp1252", "“quoted” €5"),
        ("iso-8859-1", "cp1252", "“quoted” €5"),
        ("koi8-r", "koi8-r", "вода кипит"),
        ("windows-1251", "cp1251", "вода кипит"),
        ("euc-kr", "cp949", "물은 100도에서 끓는다"),
        ("euc-jp", "euc_jp", JAPANESE),
        ("big5", "big5hkscs", "水的沸點"),
        ("iso-8859-9", "cp1254", "su kaynıyor, ığdır"),
    ],
)
def test_declared_charsets_are_read_as_browsers_do(charset: str, codec: str, words: str) -> None:
    text, warning = decode_html(declared(charset, words).encode(codec), name="p")
    assert words in text
    assert warning == ""


def test_a_charset_in_an_old_declaration_is_found() -> None:
    head = '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">'
    assert JAPANESE in decode_html((head + JAPANESE).encode("cp932"), name="p")[0]


def test_a_guess_is_said() -> None:
    text, warning = decode_html((JAPANESE * 30).encode("cp932"), name="p.html")
    assert JAPANESE in text
    assert warning == "p.html does not say its encoding rightly; it was read as cp932."


@pytest.mark.parametrize(
    ("codec", "words"),
    [
        ("cp932", JAPANESE),
        ("cp949", "물은 섭씨 백 도에서 끓고 영 도에서 언다. "),
        ("cp1251", "Вода кипит при ста градусах и замерзает при нуле. "),
        ("gb18030", "水在一百度时沸腾，在零度时结冰。"),
    ],
)
@pytest.mark.parametrize("lie", ["utf-8", ""], ids=["lies", "silent"])
def test_bytes_of_another_charset_are_told_by_their_letters(
    codec: str, words: str, lie: str
) -> None:
    page = declared(lie, words * 30) if lie else f"<html><p>{words * 30}</p></html>"
    text, warning = decode_html(page.encode(codec), name="p.html")
    assert words in text
    assert warning.startswith("p.html does not say its encoding rightly")


def test_utf_16_without_a_mark_shows_by_its_zeros() -> None:
    text, warning = decode_html("<p>plain words in a page</p>".encode("utf-16-le"), name="p")
    assert text == "<p>plain words in a page</p>"
    assert "utf-16-le" in warning


def test_a_damaged_byte_does_not_turn_utf_8_into_something_else() -> None:
    text, _ = decode_html(WORDS.encode() * 9 + b"\xff", name="p")
    assert text == WORDS * 9 + "\ufffd"


def test_western_bytes_that_claim_utf_8_are_read() -> None:
    assert (
        "café crème" in decode_html(declared("utf-8", "café crème").encode("cp1252"), name="p")[0]
    )


def test_utf_7_is_never_decoded() -> None:
    text, _ = decode_html(declared("utf-7", "+ADw-script+AD4-").encode(), name="p")
    assert "<script>" not in text


def test_zero_bytes_are_dropped() -> None:
    assert (
        decode_html(b"<p>wid\0getium is a metal that boils</p>", name="p")[0].count("widgetium")
        == 1
    )


def test_random_bytes_are_refused() -> None:
    with pytest.raises(CorruptFileError, match=r"p\.html does not hold readable text"):
        decode_html(bytes(range(256)) * 40, name="p.html")
