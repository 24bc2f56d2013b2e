"""Levels of headings, and the path of headings above each part. Knows parts only."""

from __future__ import annotations

import re
from dataclasses import replace

from ingest.parts import ParsedPage, Part

HeadingPath = tuple[tuple[int, str], ...]  # (level, text), outermost first

_SECTION_NUMBER = re.compile(r"((?:\d{1,3}|[A-Z])(?:\.\d{1,3}){0,4}\.?)\s+\D")


def with_headings(page: ParsedPage, path: HeadingPath) -> tuple[ParsedPage, HeadingPath]:
    """`page` with `heading` filled in, and the path that holds at its end.

    A heading ends all headings of its own or a deeper level; its own `heading`
    is what stands above it.
    """
    parts: list[Part] = []
    for part in page.parts:
        if part.kind == "heading":
            path = tuple(entry for entry in path if entry[0] < part.level)
        parts.append(replace(part, heading=tuple(text for _, text in path)))
        if part.kind == "heading":
            path = (*path, (part.level, part.text))
    return replace(page, parts=tuple(parts)), path


def heading_level(text: str, *, is_title: bool, size: float, body_size: float) -> int:
    """Level of a heading, 1 to 6: by its number ("3.1" is one below "3"), else by its size.

    The document title is level 1, so numbered sections begin at 2. Sizes are compared
    with the running text of the same page: no page waits for another one.
    """
    if is_title:
        return 1
    numbered = _SECTION_NUMBER.match(text)
    if numbered:
        return min(6, numbered[1].rstrip(".").count(".") + 2)
    ratio = size / body_size if body_size else 1.0
    return 1 if ratio >= 1.9 else 2 if ratio >= 1.15 else 3
