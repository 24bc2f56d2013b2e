"""Characters that a reader sees, and nothing else. Knows Unicode, no document."""

from __future__ import annotations

import re
import unicodedata

# Control, zero-width, bidi, tag and variation characters, byte-order marks, surrogates.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
# TeX sets an accent as a character of its own before the letter: "na¨ıve".
_SPACING_ACCENT = re.compile("([¨´˘˙˚ˇ])\\s?([A-Za-zı])")
_COMBINING = {"¨": "\u0308", "´": "\u0301", "˘": "\u0306", "˙": "\u0307", "˚": "\u030a"}
_COMBINING["ˇ"] = "\u030c"
# Symbol and Wingdings bullets, left in the private area by the font.
_BULLETS = str.maketrans(dict.fromkeys("\uf0b7\uf0a7\uf0a8\uf06c\uf06e\uf076\uf0d8", "•"))


def clean_text(text: str) -> str:
    """`text` without unseen characters, ligatures and accents put together (NFKC)."""
    text = _UNSEEN.sub("", text.translate(_BULLETS))
    return unicodedata.normalize("NFKC", _SPACING_ACCENT.sub(_joined_accent, text))


def fold_spaces(text: str) -> str:
    """`text` on one line, every run of white space one space."""
    return " ".join(text.split())


def unreadable_share(text: str) -> float:
    """Share of characters that mean nothing: U+FFFD, control and private-use; 0 for no text."""
    seen = [character for character in text if not character.isspace()]
    if not seen:
        return 0.0
    bad = sum(
        1 for character in seen if character == "\ufffd" or unicodedata.category(character) in _BAD
    )
    return bad / len(seen)


def symbol_share(text: str) -> float:
    """Share of ASCII symbols among the characters; labels have few, unmapped fonts many."""
    seen = [character for character in text if not character.isspace()]
    return sum(character in _SYMBOLS for character in seen) / len(seen) if seen else 0.0


_SYMBOLS = frozenset("!\"#$&'*+,/:;<=>?@\\^_`{|}~")
_BAD = frozenset({"Cc", "Co", "Cn"})


def _joined_accent(match: re.Match[str]) -> str:
    letter = "i" if match[2] == "ı" else match[2]
    joined = unicodedata.normalize("NFC", letter + _COMBINING[match[1]])
    return joined if len(joined) == 1 else match[0]
