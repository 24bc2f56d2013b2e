"""What stands between two lines of a paragraph: a space, nothing, or a hyphen to take away. Pure.

Knows words and scripts, nothing of pages.
"""

from __future__ import annotations

import re

from rag.embed.wordpiece import count_tokens

MAX_WORD = 60
MIN_COMPOUND = 4  # letters of each half; shorter ones are mostly syllables
_BROKEN = re.compile(r"(?P<lead>\w+[-\u2010])?(?P<word>[^\W\d_]{2,})[-\u2010]$")
_BROKEN_ADDRESS = re.compile(r"\bhttps?://\S*[/_=?&%-]$")
MAX_ADDRESS = 200
_WORD = re.compile(r"\w+")
# Scripts written without spaces between words: Han, kana, Thai, Lao, Khmer, Burmese.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u31f0-\u9fff\uf900-\ufaff\uff01-\uff60"
)
_UNSPACED_END = re.compile(f"[{_UNSPACED}]$")
_UNSPACED_START = re.compile(f"[{_UNSPACED}]")
# Beginnings that are written together with what follows, words in their own right or not.
_PREFIX_WORDS = (
    "anti auto counter cyber electro hydro hyper infra inter intra macro mega meta micro mini mono"
    " multi nano neuro over para photo poly post pseudo semi super supra tele thermo trans ultra"
    " under"
)
_PREFIXES = frozenset(_PREFIX_WORDS.split())


def joint(before: str, after: str, known_words: frozenset[str]) -> tuple[int, str]:
    """How two pieces of a paragraph become one.

    Args:
        before: without white space at its end.
        after: without white space at its start.
        known_words: words of the page in lower case, hyphenated ones as a whole.

    Returns:
        Characters to take off the end of `before` (a hyphen), and what to put between.
    """
    # Only the end is searched: a page may hold a million characters.
    if _BROKEN_ADDRESS.search(before[-MAX_ADDRESS:]) and not after[:1].isspace():
        return 0, ""
    if before.endswith("\u00ad"):
        return 1, "" if after[:1].isalpha() else " "
    broken = _BROKEN.search(before[-MAX_WORD:])
    if broken and after[:1].isalpha():
        return (0 if _keeps_hyphen(broken, after, known_words) else 1), ""
    if _UNSPACED_END.search(before[-1:]) and _UNSPACED_START.match(after):
        return 0, ""
    return 0, " "


def _keeps_hyphen(broken: re.Match[str], after: str, known_words: frozenset[str]) -> bool:
    """Kept in "type-" "specialized" when the page writes it so, not in "Trace-" "Monkey"."""
    found = _WORD.match(after)
    word, rest = broken["word"], found[0] if found else ""
    if f"{word}-{rest}".lower() in known_words:
        return True
    if f"{word}{rest}".lower() in known_words:
        return False
    goes_on = after[len(rest) : len(rest) + 1] in ("-", "\u2010")
    return bool(broken["lead"]) or goes_on or rest[:1].isupper() or _is_compound(word, rest)


def _is_compound(word: str, rest: str) -> bool:
    """Whether both halves are words and the whole is none: "mixed-" "mode", not "inter-" "net".

    The vocabulary of the built-in model is the dictionary; of other languages it holds
    few words, so they lose the hyphen as before.
    """
    halves = (word.lower(), rest.lower())
    if min(map(len, halves)) < MIN_COMPOUND or halves[0] in _PREFIXES:
        return False
    return all(count_tokens(half) == 1 for half in halves) and count_tokens("".join(halves)) > 1
