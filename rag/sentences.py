"""Text to sentences and words. Knows characters only, nothing of hits, models or answers.

Every pattern here is linear in the length of its input: documents and model
output are hostile, and a megabyte of dots or brackets must cost nothing.
"""

from __future__ import annotations

import re

from rag.folding import fold_for_search

_SHORT_FORMS = (
    "e.g i.e etc cf vs ca approx al fig figs eq eqs sec ch vol no nos pp p ed eds dr mr mrs ms prof"
    " st inc ltd co corp dept est jan feb mar apr jun jul aug sep sept oct nov dec u.s u.k"
    " z.b d.h u.a bzw abb nr bd usw vgl s.o tab"
)
ABBREVIATIONS = frozenset(_SHORT_FORMS.split())
# Languages that write the third as "3.", and their months.
_MONTHS = (
    "januar jänner februar märz april mai juni juli august september oktober november dezember"
    " marts maj december desember mars"
)
_ARTICLES = "am der des dem den im vom zum zur die das beim"
_MONTHS_AFTER_POINT = frozenset(_MONTHS.split())
_BEFORE_NTH = frozenset(_ARTICLES.split())
_STOP = re.compile(r"[.!?…。！？]+")
_CLOSERS = re.compile(r"[\"'”’»)\]]{0,4}")
_MARKS_AFTER = re.compile(r"(?:[ \t]?\[\d{1,3}\]){1,20}")
_LINE_ITEM = re.compile(r"(?:[-*•‣◦–]|\d{1,3}[.)]|\(?[a-z]\)|#{1,6}|\|)(?:\s|$)|\|")
_WORD = re.compile(r"[^\W_]+")
_VISIBLE = re.compile(r"\S")
_CJK_STOPS = "。！？"
_WORD_BEFORE = 24  # characters looked at for an abbreviation; the longest here has six


def split_sentences(text: str) -> list[str]:
    """Sentences in order, each an exact substring of `text` without outer whitespace.

    Blank lines, list items, headings and table rows end a sentence as well. A
    mark such as [3] that follows a full stop stays with the sentence before it.
    """
    return [sentence for block in _blocks(text) for sentence in _split_block(block)]


def split_lines(text: str) -> list[str]:
    """Lines that hold something, without outer whitespace."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def fold_spaces(text: str) -> str:
    """One space for each run of whitespace, none outside."""
    return " ".join(text.split())


def words_of(text: str) -> list[str]:
    """Words and numbers, casefolded, ligatures and width variants resolved."""
    return _WORD.findall(fold_for_search(text).casefold())


def _blocks(text: str) -> list[str]:
    """Runs of lines that may hold a sentence across a line end."""
    blocks: list[list[str]] = [[]]
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        if not bare or _LINE_ITEM.match(bare):
            blocks.append([])
        blocks[-1].append(line)
        if bare.startswith(("#", "|")):
            blocks.append([])
    joined = ("".join(lines).strip() for lines in blocks)
    return [block for block in joined if block]


def _split_block(block: str) -> list[str]:
    if block.startswith("|"):
        return [block]
    sentences: list[str] = []
    start = 0
    for stop in _STOP.finditer(block):
        if stop.start() < start:
            continue
        end = _end_of_sentence(block, start, stop)
        if end is not None:
            sentences.append(block[start:end].strip())
            start = end
    sentences.append(block[start:].strip())
    return [sentence for sentence in sentences if sentence]


def _end_of_sentence(block: str, start: int, stop: re.Match[str]) -> int | None:
    """Where the sentence that may end at `stop` ends, or None when it goes on."""
    end = stop.end()
    closers = _CLOSERS.match(block, end)
    end = closers.end() if closers else end
    marks = _MARKS_AFTER.match(block, end)
    end = marks.end() if marks else end
    rest = block[end : end + 1]
    if stop.group()[-1] in _CJK_STOPS or not rest:
        return end
    if not rest.isspace():
        return None
    following = _VISIBLE.search(block, end)
    if following is None:
        return end
    if following.group().islower() or (
        stop.group() == "." and _is_abbreviation(block, start, stop)
    ):
        return None
    return end


def _is_abbreviation(block: str, start: int, stop: re.Match[str]) -> bool:
    before = block[max(start, stop.start() - _WORD_BEFORE) : stop.start()]
    words = before.split()
    if not words or before[-1].isspace():
        return False
    word = words[-1].lstrip("([\"'“‘")
    if len(words) == 1 and word.isdigit():
        # "3. Press the button": the number of a list item, not a sentence.
        return stop.start() - start == len(before)
    is_ordinal = word.isdigit() and len(word) < 3 and _stands_for_nth(words, block, stop.end())
    is_initial = len(word) == 1 and word.isupper()
    return is_ordinal or is_initial or word.casefold() in ABBREVIATIONS


def _stands_for_nth(words: list[str], block: str, end: int) -> bool:
    """Whether the point after a short number is that of "am 3. Mai", "der 2. Versuch"."""
    following = _WORD.search(block, end, end + _WORD_BEFORE)
    is_month = following is not None and following.group().casefold() in _MONTHS_AFTER_POINT
    return is_month or (len(words) > 1 and words[-2].casefold() in _BEFORE_NTH)
