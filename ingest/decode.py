"""Bytes of a web page to text. Knows encodings, no markup beyond a declared charset."""

from __future__ import annotations

import codecs
import re

from rag.errors import CorruptFileError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})""", re.IGNORECASE)
_DECLARED_WITHIN_BYTES = 16_384
_GUESSED_FROM_BYTES = 65_536
# What browsers read for these names (WHATWG Encoding Standard, labels of section 4.2).
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "tis-620": "cp874",
}
# Codecs that turn harmless letters into markup, or are no text encodings of pages.
_REFUSED = {"utf-7", "punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined"}
# Controls that no page holds; NUL is apart, since it is simply dropped.
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_MOST_CONTROLS = 0.02


def decode_html(data: bytes, *, name: str) -> tuple[str, str]:
    """The text of a page, and a sentence for the reader where its encoding was a guess, or "".

    Byte-order mark, strict UTF-8, declared charset, detector, windows-1252, in this
    order: pages that declare another charset and hold UTF-8 are common, the reverse
    is nearly impossible.

    Raises:
        CorruptFileError: The bytes are no text in any of them.
    """
    text, encoding, is_guess = _decode(data)
    if len(_CONTROLS.findall(text)) > _MOST_CONTROLS * len(text) + 3:
        raise CorruptFileError(
            f"{name} does not hold readable text. Open it in a browser and save it again."
        )
    warning = f"{name} does not say its encoding rightly; it was read as {encoding}."
    return text.replace("\0", ""), warning if is_guess else ""


def _decode(data: bytes) -> tuple[str, str, bool]:
    """Text, encoding, and whether the encoding is a guess."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace"), encoding, False
    wide = _wide_without_mark(data)
    if wide:
        return data.decode(wide, "replace"), wide, True
    try:
        return data.decode("utf-8"), "utf-8", False
    except UnicodeDecodeError:
        pass
    declared = _declared(data)
    if declared and declared != "utf-8":
        try:
            return data.decode(declared), declared, False
        except UnicodeDecodeError:
            pass
    return _guess(data)


def _wide_without_mark(data: bytes) -> str:
    """UTF-16 shows by a zero in every other byte of its markup."""
    start = data[:400]
    if len(start) < 8:
        return ""
    half = len(start) // 2
    if start[1::2].count(0) > 0.7 * half and start[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if start[::2].count(0) > 0.7 * half and start[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return ""


def _declared(data: bytes) -> str:
    match = _DECLARED.search(data[:_DECLARED_WITHIN_BYTES])
    if match is None:
        return ""
    try:
        found = codecs.lookup(match[1].decode("ascii").lower().removeprefix("x-"))
    except (LookupError, UnicodeDecodeError):
        return ""
    name = found.name
    # rot13, base64 and their like are codecs too.
    if name in _REFUSED or not getattr(found, "_is_text_encoding", True):
        return ""
    return _SUPERSETS.get(name, name)


def _guess(data: bytes) -> tuple[str, str, bool]:
    from charset_normalizer import from_bytes

    # A few damaged bytes in a page of UTF-8 are no reason to read all of it as something else.
    text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    if sum(1 for character in text if character > "\x7f") > 10 * damaged:
        return text, "utf-8", True
    best = from_bytes(data[:_GUESSED_FROM_BYTES]).best()
    # Under a few hundred bytes the detector names any of twenty code pages.
    encoding = best.encoding if best is not None and len(data) > 300 else "cp1252"
    return data.decode(encoding, "replace"), encoding, True
