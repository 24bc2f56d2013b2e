"""Characters that a reader sees, and nothing else. Knows Unicode, no document.

The text of a document keeps its own characters: it is quoted. Folding for search is
`rag.folding`'s.
"""

from __future__ import annotations

import re
import unicodedata

# Controls but white space, zero-width, bidi, tag and variation characters, fillers, byte-order
# marks, surrogates, what Unicode calls no character. The one list for PDF and HTML.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# A joiner between two letters of a script that needs it is part of the word (Persian, Hindi).
_JOINING = "\u0620-\u06ff\u0750-\u077f\u0900-\u0dff\u1000-\u109f\u1780-\u17ff"
_JOINERS = re.compile(f"(?<![{_JOINING}])[\u200c\u200d]+|[\u200c\u200d]+(?![{_JOINING}])")
SOFT_HYPHEN = "\u00ad"
# Latin, Armenian and Hebrew ligatures, and Arabic letters in the form they are drawn in.
_DRAWN_FORMS = re.compile(
    "[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufb4f\ufb50-\ufd3d\ufd50-\ufdef\ufe70-\ufefc]"
)
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# TeX sets an accent as a character of its own before the letter: "na¨ıve".
_SPACING_ACCENT = re.compile("([¨´˘˙˚ˇ])\\s?([A-Za-zı])")
_COMBINING = {"¨": "\u0308", "´": "\u0301", "˘": "\u0306", "˙": "\u0307", "˚": "\u030a"}
_COMBINING["ˇ"] = "\u030c"
# Symbol and Wingdings bullets, left in the private area by the font.
_BULLETS = str.maketrans(dict.fromkeys("\uf0b7\uf0a7\uf0a8\uf06c\uf06e\uf076\uf0d8", "•"))
_RAISED = str.maketrans("0123456789+-−()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾")
_CAN_BE_RAISED = re.compile(r"(?=.*\d)[\d+\-−(),;*†‡ ]{1,8}")


def clean_text(text: str) -> str:
    """`text` as it is drawn: no unseen characters, ligatures and accents put together.

    Superscripts, fractions and wide forms stay: 10⁶ is not 106. A soft hyphen stays
    too, until the lines are joined.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _JOINERS.sub("", _UNSEEN.sub("", text.translate(_BULLETS)))
    text = _DRAWN_FORMS.sub(lambda form: unicodedata.normalize("NFKC", form[0]), text)
    text = _SPACES.sub(" ", _SPACING_ACCENT.sub(_joined_accent, text))
    return unicodedata.normalize("NFC", text)


def strip_unseen(text: str) -> str:
    """`text` without characters that are there but cannot be seen, soft hyphens among them."""
    return _JOINERS.sub("", _UNSEEN.sub("", text)).replace(SOFT_HYPHEN, "")


def raised(text: str) -> str:
    """Digits and signs as superscript characters, the rest as it is: "6" to "⁶"."""
    return text.translate(_RAISED) if _CAN_BE_RAISED.fullmatch(text) else text


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
