"""Glyphs without a map to Unicode, told by the names that the font gives them.

Knows CFF fonts and pymupdf's text trace. Publishers set minus and plus-minus signs in
symbol fonts whose map says nothing (U+FFFD); the names "C0", "C6" are codes of TeX's
symbol encoding (OMS), others are of the Adobe Glyph List.
"""

from __future__ import annotations

import contextlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pymupdf

Origin = tuple[int, int]

LOST = "\ufffd"
MAX_FONT_BYTES = 2_000_000
STANDARD_STRINGS = 391  # names below are Adobe's own, and have a map without our help
# Source: the OMS encoding of TeX's cmsy fonts, codes 0 to 63; "?" where it is no text.
_OMS = "−·×∗÷⋄±∓⊕⊖⊗⊘⊙○◦•≍≡⊆⊇≤≥≼≽∼≈⊂⊃≪≫≺≻←→↑↓↔↗↘≃⇐⇒⇑⇓⇔↖↙∝′∞∈∋△▽??∀∃¬∅ℜℑ⊤⊥"
_SYMBOL_FONT = re.compile(r"mthsy|mathsy|cmsy|mathsymb|P4C4E74", re.IGNORECASE)
_CODE_NAME = re.compile(r"C(\d{1,2})")


def lost_glyphs(page: pymupdf.Page) -> dict[Origin, str]:
    """The characters of unmapped glyphs whose names tell them, by where they stand."""
    places: dict[str, list[tuple[int, Origin]]] = {}
    for run in page.get_texttrace():
        for code, glyph_id, origin, _ in run["chars"]:
            if code == ord(LOST):
                places.setdefault(run["font"], []).append((glyph_id, origin_of(origin)))
    found: dict[Origin, str] = {}
    for font, glyphs in places.items():
        names = _names_of(page, font)
        for glyph_id, origin in glyphs:
            character = _character(names.get(glyph_id, ""), font)
            if character:
                found[origin] = character
    return found


def origin_of(point: tuple[float, float]) -> Origin:
    """A place on the page to a third of a point."""
    return round(point[0] * 3), round(point[1] * 3)


def _character(name: str, font: str) -> str:
    import pymupdf

    code = _CODE_NAME.fullmatch(name)
    if code:
        is_known = _SYMBOL_FONT.search(font) and int(code[1]) < len(_OMS)
        return _OMS[int(code[1])].replace("?", "") if is_known else ""
    mapped = pymupdf.glyph_name_to_unicode(name) if name else 0
    return chr(mapped) if mapped and mapped != ord(LOST) else ""


def _names_of(page: pymupdf.Page, font: str) -> dict[int, str]:
    """Glyph numbers to names, of the embedded CFF font of that name; none for another kind."""
    for xref, kind, _, name, *_ in page.get_fonts():
        if kind == "cff" and name.rpartition("+")[2] == font.rpartition("+")[2]:
            with contextlib.suppress(IndexError, ValueError, RuntimeError):
                data = page.parent.extract_font(xref)[3]
                return cff_names(data[:MAX_FONT_BYTES])
    return {}


def cff_names(data: bytes) -> dict[int, str]:
    """The names that a CFF font gives its glyphs, but Adobe's standard ones.

    Raises:
        IndexError, ValueError: The data is no such font.

    Source: Adobe Technical Note 5176, sections 5, 9, 13 and 18.
    """
    _, at = _index(data, data[2])
    tops, at = _index(data, at)
    strings, _ = _index(data, at)
    charset, char_strings = _offsets(tops[0])
    count = int.from_bytes(data[char_strings : char_strings + 2])
    ids = _charset(data, charset, count)
    return {
        glyph: strings[id_ - STANDARD_STRINGS].decode("latin-1")
        for glyph, id_ in enumerate(ids, 1)
        if STANDARD_STRINGS <= id_ < STANDARD_STRINGS + len(strings)
    }


def _index(data: bytes, at: int) -> tuple[list[bytes], int]:
    """The entries of an INDEX, and where it ends."""
    count = int.from_bytes(data[at : at + 2])
    if not count:
        return [], at + 2
    size = data[at + 2]
    first = at + 3
    offsets = [
        int.from_bytes(data[first + i * size : first + (i + 1) * size]) for i in range(count + 1)
    ]
    base = first + (count + 1) * size - 1
    return [data[base + one : base + other] for one, other in pairwise(offsets)], base + offsets[-1]


def _offsets(top: bytes) -> tuple[int, int]:
    """Where the charset and the glyphs of a font begin, from its Top DICT."""
    operands: list[int] = []
    found = {15: 0, 17: 0}
    at = 0
    while at < len(top):
        byte = top[at]
        if byte > 21:
            operand, at = _operand(top, at)
            operands.append(operand)
            continue
        if byte in found and operands:
            found[byte] = operands[-1]
        operands = []
        at += 2 if byte == 12 else 1  # 12 begins an operator of two bytes
    return found[15], found[17]


def _operand(top: bytes, at: int) -> tuple[int, int]:
    """A number of a DICT and where the next one begins; a real number counts as 0."""
    byte, at = top[at], at + 1
    if byte in (28, 29):
        size = 2 if byte == 28 else 4
        return int.from_bytes(top[at : at + size], signed=True), at + size
    if byte == 30:  # ends with a nibble of all ones
        while top[at] & 15 != 15 and top[at] >> 4 != 15:
            at += 1
        return 0, at + 1
    if byte <= 246:
        return byte - 139, at
    high = byte - 247 if byte <= 250 else byte - 251
    value = high * 256 + top[at] + 108
    return (value if byte <= 250 else -value), at + 1


def _charset(data: bytes, at: int, count: int) -> list[int]:
    """String ids of the glyphs from the second on; the first is .notdef."""
    if at < 3 or not 0 < count < 65_536:
        return []  # a predefined charset: standard names only
    ids: list[int] = []
    form, at = data[at], at + 1
    while len(ids) < count - 1:
        first = int.from_bytes(data[at : at + 2])
        if form == 0:
            ids.append(first)
            at += 2
            continue
        width = form  # 1 or 2 bytes
        left = int.from_bytes(data[at + 2 : at + 2 + width])
        ids.extend(range(first, first + left + 1))
        at += 2 + width
        if at > len(data):
            raise IndexError("a charset cut short")
    return ids
