"""Makes untrusted text safe for Streamlit's Markdown. Knows strings, nothing of pages.

Everything that comes from a document, a file name, a visitor or a model goes
through `defuse` (labels, names) or `render_safe` (answers) before any Streamlit
call that reads Markdown: one `![x](http://…)` in a PDF would otherwise make the
browser call a stranger. `st.text` and `pieces` need neither.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

# Zero-width no-break space. Put into the syntax, it stops Markdown, directives
# and auto-links alike, in code and prose, so no parsing mistake can undo it.
# U+2060 would be as safe but Streamlit then drops the bracket of `:red[text]`.
BREAK = "\ufeff"

# Word joiner, before our own links: a mark never starts a line alone, and the "!" of
# "Rose! [1]" never makes a picture of it.
JOINER = "\u2060"

# Stands where a note on a sentence goes while the text around it is made safe. Private use:
# no font has it, and what a model writes of it is taken out.
NOTE = "\uf8f0"

_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.S)
_WWW = re.compile(r"www(?=\.)", re.I)
_STARTS = re.compile(r"!(?=\[)|<(?=\S)|:(?=[^\s|-])|[@&]")
_TARGETS = re.compile(r"\](?=[(\[:])")
_ACTIVE = re.compile(r"([\\`*~$#\[\]>+=]|(?<![^\W_])[_-]|[_-](?![^\W_]))")
_HEADING = re.compile(r"(?<=\n)#{1,2}(?=[ \t])")
_FIRST_HEADING = re.compile(r"(?:(?<=\n)|\A)#{1,2}(?=[ \t])")
_MARKER = re.compile(r" ?\[(\d{1,3})\]")
# Models write "rose [1]." as often as "rose. [1]": a chip stands after the stop. Not where the
# stop would meet a letter or sign that it makes active.
_BEFORE_STOP = re.compile(rf"(?<![wW:<!])(?<!: )((?: ?\[\d{{1,3}}\])+)([.!?,;])(?=\s|{NOTE}|\Z)")


def defuse(text: str) -> str:
    """The same words with every active piece of Markdown broken, code included."""
    text = text.replace(BREAK, "")
    text = _WWW.sub(lambda match: match[0] + BREAK, text)
    text = _STARTS.sub(lambda match: match[0] + BREAK, text)
    return _TARGETS.sub("]" + BREAK, text)


def label(text: str) -> str:
    """Untrusted text for a widget's label: shown letter by letter, no emphasis, no formula.

    Streamlit reads a label out with its backslashes, so there are none where nothing needs
    them: between letters "-" and "_" mean nothing.
    """
    return _ACTIVE.sub(r"\\\1", defuse(" ".join(text.split())))


def render_safe(
    text: str, markers: Collection[int], turn: int, notes: Sequence[tuple[str, str]] = ()
) -> str:
    """An answer as Markdown: emphasis, lists, tables and code live; nothing loads or links.

    Args:
        text: As the model wrote it.
        markers: Numbers that resolve to a source of this answer; `[n]` of these
            becomes a link `#cite-<turn>-<n>`, every other stays as it is.
        turn: Number of the turn, 0-based, within the conversation.
        notes: Sentences of the text, in its order, and our own word on each; it follows the
            sentence as a link `#check-<turn>-<place>`.
    """
    noted, places = with_notes(text.replace(NOTE, ""), [sentence for sentence, _ in notes])
    links = iter([_note(turn, place, notes[place][1]) for place in places])
    parts = _CODE.split(defuse(noted))
    for place, part in enumerate(parts):
        if place % 2:  # code
            # A note that is left out there may have stood between "]" and "(".
            parts[place] = defuse(_fill(part, links, is_code=True))
            continue
        prose = part.replace("$", "\\$")
        # A question is a heading of level 2: those of its answer stand below it.
        prose = (_FIRST_HEADING if place == 0 else _HEADING).sub("###", prose)
        prose = after_stops(prose, markers)
        prose = _MARKER.sub(lambda match: _link(match, markers, turn), prose)
        parts[place] = _fill(prose, links, is_code=False)
    # A colon that has lost the space before a mark would take the joiner for a directive's
    # name, and the mark for its label.
    return "".join(parts).replace(f":{JOINER}", f":{BREAK}{JOINER}")


def with_notes(text: str, sentences: Sequence[str]) -> tuple[str, list[int]]:
    """The text with `NOTE` after each sentence that is found in it, and which those are."""
    pieces: list[str] = []
    places: list[int] = []
    end = 0
    for place, sentence in enumerate(sentences):
        start = text.find(sentence, end)
        if start < 0 or not sentence:  # code stood inside it
            continue
        # A note after the last bar of a table's row would be a cell too many.
        stop = start + len(sentence.rstrip().removesuffix("|"))
        pieces += [text[end:stop], NOTE]
        places.append(place)
        end = stop
    return "".join([*pieces, text[end:]]), places


def after_stops(text: str, markers: Collection[int]) -> str:
    """Prose with its marks after the stop that they were written before."""
    return _BEFORE_STOP.sub(lambda match: _after_stop(match, markers), text)


def _fill(part: str, links: Iterator[str], *, is_code: bool) -> str:
    pieces = part.split(NOTE)
    between = ["" if is_code else link for _, link in zip(pieces[1:], links, strict=False)]
    return "".join(piece + link for piece, link in zip(pieces, [*between, ""], strict=True))


def _note(turn: int, place: int, word: str) -> str:
    return f'{JOINER}[{word}](#check-{int(turn)}-{int(place)} "{word}")'


def _after_stop(match: re.Match[str], markers: Collection[int]) -> str:
    known = all(int(mark[1]) in markers for mark in _MARKER.finditer(match[1]))
    return f"{match[2]}{match[1]}" if known else match[0]


def _link(match: re.Match[str], markers: Collection[int], turn: int) -> str:
    number = int(match[1])
    if number not in markers:
        return match[0]
    # The title is what the chip shows (style.css); the text is what a screen
    # reader reads and what is copied.
    return f'{JOINER}[\\[{number}\\]](#cite-{int(turn)}-{number} "{number}")'
