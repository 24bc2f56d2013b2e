"""Text as search sees it: variants of one character made one. Knows Unicode only.

What a reader sees keeps its characters; questions and indexed words both go through
here, so that they meet. NFKC alone would turn 10⁶ into 106 and 3½ into 31/2.
"""

from __future__ import annotations

import re
import unicodedata

# Digits above the line: ^ after a number or bracket ("10^6"), nothing after a unit of one
# or two letters ("km2", as people type it), and a space after a word, where they are the
# mark of a note and would spoil the word.
_RAISED = "\u00b2\u00b3\u00b9\u2070\u2074-\u207e"
_POWER = re.compile(rf"(?<=[\d)\]])(?=[{_RAISED}])(?<![{_RAISED}])")
_NOTE = re.compile(rf"(?<=[^\W\d_]{{3}})(?=[{_RAISED}])")
# Fractions, circled and lowered digits right after a digit are numbers of their own.
_LOOSE = "\u00bc-\u00be\u2080-\u2089\u2150-\u215e\u2189\u2460-\u249b\u24ea-\u24ff\u2776-\u2793"
_APART = re.compile(rf"(?<=\d)(?=[{_LOOSE}])(?<![{_LOOSE}{_RAISED}])")
# Joiners, soft hyphens: they shape a word and do not make it another one.
_WITHOUT = str.maketrans({"\u200c": None, "\u200d": None, "\u00ad": None, "\u2044": "/"})


def fold_for_search(text: str) -> str:
    """`text` with variants of one character made one (NFKC), numbers kept apart.

    Cuts at white space fold alike: the pieces folded and joined are the whole folded.
    """
    if text.isascii():
        return text
    text = _POWER.sub("^", text)
    text = _APART.sub(" ", _NOTE.sub(" ", text))
    return unicodedata.normalize("NFKC", text).translate(_WITHOUT)
