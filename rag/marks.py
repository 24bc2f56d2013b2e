"""Marks of an answer: brought into one form, counted, taken out. Knows characters only.

No mark is ever added: what is written as a mark stays one, becomes several, or goes.
"""

from __future__ import annotations

import logging
import re

logger = logging.getLogger(__name__)

# Fenced code first, then spans. A fence that never closes runs to the end.
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,500}`", re.DOTALL)
_WORD = r"(?:(?:sources?|quellen?|refs?|fuentes?|fontes?|bron)\.?[ ]?)?"
_MARK = re.compile(
    r"(?P<space>[ \t]?)"
    rf"(?:[\[［]{{1,2}}\^?{_WORD}"
    rf"(?P<square>\d{{1,3}}(?:[ ]?(?:[,;‒–—-]|and|und|et|&)[ ]?\^?{_WORD}\d{{1,3}}){{0,20}})"
    r"(?:†[^\]\n]{0,40})?[\]］]{1,2}"
    r"|【(?P<lens>\d{1,3}(?:[ ]?[,;、][ ]?\d{1,3}){0,20})[^】\n]{0,40}】)",
    re.IGNORECASE,
)
_FINAL_MARK = re.compile(r"\[(\d{1,3})\]")
_PART = re.compile(r"(\d{1,3})(?:[ ]?[‒–—-][ ]?(\d{1,3}))?")


def repair_marks(text: str, source_count: int) -> str:
    """The text with every mark as [n], 1 <= n <= source_count, all others dropped.

    Understands [1], [1][2], [1, 2], [1-3], [^1], [source 1] and 【1】. Code is left alone,
    and so is [0], which is an index and never a mark.
    """
    pieces: list[str] = []
    dropped, end = 0, 0
    for code in _CODE.finditer(text):
        prose, lost = _repair_prose(text[end : code.start()], source_count)
        pieces += [prose, code.group()]
        dropped, end = dropped + lost, code.end()
    prose, lost = _repair_prose(text[end:], source_count)
    if dropped + lost:
        logger.info("dropped marks count=%d sources=%d", dropped + lost, source_count)
    return "".join([*pieces, prose])


def strip_marks(text: str) -> str:
    """The text without marks, for a history in which old numbers mean nothing."""
    return repair_marks(text, 0)


def markers_in(text: str) -> tuple[int, ...]:
    """Markers of repaired text outside code, in order, each once."""
    found = (int(mark.group(1)) for mark in _FINAL_MARK.finditer(without_code(text)))
    return tuple(dict.fromkeys(marker for marker in found if marker > 0))


def without_marks(sentence: str) -> str:
    """A sentence of repaired text as it would read without its marks."""
    return _FINAL_MARK.sub(" ", sentence).strip()


def without_code(text: str) -> str:
    """Repaired text with code taken out: what stands in it is no statement."""
    return _CODE.sub(" ", text)


def change_mark(sentence: str, old: int, new: int) -> str:
    """A sentence whose mark [old] is [new]; a mark that it had twice is kept once."""
    changed = sentence.replace(f"[{old}]", f"[{new}]")
    return re.sub(rf"(\[{new}\])(?:\s?\[{new}\])+", r"\1", changed)


def _repair_prose(text: str, source_count: int) -> tuple[str, int]:
    """The repaired text and how many marks were dropped."""
    dropped = 0
    pieces: list[str] = []
    end = 0
    previous: tuple[int, ...] = ()
    for mark in _MARK.finditer(text):
        wanted = _numbers_of(mark.group("square") or mark.group("lens"), source_count)
        if wanted == [0]:
            continue
        kept = [n for n in wanted if 1 <= n <= source_count]
        dropped += len(kept) < len(wanted)
        between = text[end : mark.start()]
        # "[1][1]" says no more than "[1]".
        shown = [n for n in kept if between or n not in previous]
        previous = tuple(kept) if between else (*previous, *kept)
        pieces += [between, mark.group("space") if shown else "", *(f"[{n}]" for n in shown)]
        # "[1](http://...)" would be a link to a place that a document chose.
        pieces.append(" " if shown and text[mark.end() : mark.end() + 1] == "(" else "")
        end = mark.end()
    return "".join([*pieces, text[end:]]), dropped


def _numbers_of(inside: str, source_count: int) -> list[int]:
    numbers: list[int] = []
    for part in _PART.finditer(inside):
        first, last = int(part.group(1)), int(part.group(2) or part.group(1))
        inner = range(first + 1, min(last, source_count + 1))
        numbers += [first, *inner, last] if last != first else [first]
    return list(dict.fromkeys(numbers))
