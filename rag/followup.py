"""Follow-up questions made to stand alone, by words only. Pure: knows no model and no library.

"And in 2023?" leans on the question before it. Where what is new has its like there (a year, a
quarter, "Row B" for "Row A", one name for another) it takes that place; else the rare words of
the question before are carried over behind it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.asked import question_terms
from rag.terms import tokenise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_CARRIED = 12  # words
MAX_LEANING = 12  # words; what is longer says what it is about
MAX_REWRITTEN = 400  # characters

_OPENING = re.compile(
    r"^\W*(?:(?:and|or|but|so|then|also|what about|how about|same for|the same for|and for"
    r"|what of|und|oder|aber|wie ist es mit|et|ou|mais|y|o|pero|qué tal|e|ma)\b[\s,:]*)+",
    re.IGNORECASE,
)
# After these a question is about what stands before them, whatever else it says.
_CLEAR_OPENING = re.compile(
    r"^\W*(?:and|or|but|what about|how about|(?:the )?same for|what of|und|aber|wie ist es mit|et"
    r"|mais|y|pero|qué tal|ma)\b",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(
    r"^(?:(?:in|on|at|for|from|of|by|during|before|after|with|without|to|since|until|as of"
    r"|für|im|bei|von|mit|en|pour|dans|de|para|con)\s+)?(?:(?:the|a|an|its?|der|die|das|le|la|el"
    r"|los|las|les)\s+)?",
    re.IGNORECASE,
)
# Words for something named before. "That" and "this" only where no noun follows.
_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|these|those|both|there|then"
    r"|the (?:same|other|others|former|latter|first|second|third|last|next|previous) ones?"
    r"|the (?:same|others?|former|latter)(?=\W*$)|(?:this|that)(?=\W*$|\s+(?:is|was|are|were|does"
    r"|did|do|has|have|had|mean|means|take|takes|cost|costs|one|happen\w*|work\w*|change\w*)\b)"
    r"|(?<=\babout\s)(?:this|that)|(?<=\bwhy\s)(?:not|so))\b",
    re.IGNORECASE,
)
# "How long does it take to ...", "is it safe to ...", "is there a ...": nothing was named before.
_EXPLETIVE = re.compile(
    r"\bit\s+(?:takes?|took|costs?|(?:is|was|be)?\s*(?:possible|necessary|safe|allowed|usual"
    r"|important|better|true|likely))\b.*\b(?:to|that)\b"
    r"|\b(?:is|are|was|were|will|can|has|have|had|how many \w+ (?:are|were|is))\s+there\b"
    r"|\bthere\s+(?:is|are|was|were|be|been)\b"
    r"|\b(?:these|those|then)\s+(?=days|who|that)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^\W*(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could"
    r"|will|would|should|has|have|had|list|name|give|show|tell|explain|describe|compare|find"
    r"|summari[sz]e|wie|was|wer|wo|wann|warum|welche\w*|quel\w*|qui|quand|comment|pourquoi|qué|cuál"
    r"|cuándo|dónde|cómo)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:1[89]|20|21)\d{2}\b")
_QUARTER = re.compile(r"\b(?:Q[1-4]|H[12])\b|\b(?:first|second|third|fourth)(?= quarter\b| half\b)")
_MONTH = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_SEASON = re.compile(r"\b(?:spring|summer|autumn|winter)\b", re.IGNORECASE)
# "Row A", "Table 3", "machine C4", "error E15": a word and a short code.
_CODE = re.compile(r"\b(?P<word>[^\W\d_]{3,})\s+(?P<code>[A-Z]{0,2}\d{0,4}[a-z]?)(?![\w%.])")
_NAME = re.compile(r"\b[A-Z][\w’'-]+(?:\s+(?:of\s+|de\s+)?[A-Z][\w’'-]+)*")
# "How far", "..., in million euros": what was to be measured, and in what.
_MEASURE = re.compile(r"\bhow\s+\w+|,\s+in\s+(?!.*\d)[^,?]{1,40}(?=\W*$)", re.IGNORECASE)
_SUBJECTS = frozenset(("it", "they", "he", "she", "this", "that", "these", "those"))
_WHAT_NOUN = re.compile(
    r"\b(?:what|which)\s+\w+\s+(?=(?:is|are|was|were|does|do|did|has|have|had|can|will)\s*$)",
    re.IGNORECASE,
)
_SENTENCE_WORD = re.compile(r"[^\W_]+(?:[-'’./][^\W_]+)*")
_NEW_CODE = re.compile(r"(?P<code>(?=[A-Z\d])[A-Z]{0,2}\d{0,4}[a-z]?)")


def leans(question: str) -> bool:
    """Whether a question cannot be understood, or searched, without the one before it."""
    words = _SENTENCE_WORD.findall(question)
    if not words or len(words) > MAX_LEANING:
        return False
    if _CLEAR_OPENING.match(question):
        return True
    plain = _EXPLETIVE.sub(" ", question)
    if _refers_back(plain):
        return True
    terms = _content(question)
    if _ASKS.match(question):
        return not terms  # "Why?", "Which one?"
    # "In 2023?", "Germany?": no verb, hardly a subject. Without a question mark it may be a
    # search by keywords for something new.
    rest = _PREPOSITION.match(question)
    has_preposition = bool(rest and rest.group().strip())
    is_asked = question.rstrip().endswith("?")
    return len(terms) <= 2 and (is_asked or has_preposition or _is_only_time(question))


def carry_over(question: str, before: str) -> str:
    """The question with what it needs of the one before it.

    Args:
        question: one that leans on what was asked before.
        before: the question before it, itself standing alone.

    Returns:
        One that can be searched; the question as it is when the one before adds nothing.
    """
    new = _OPENING.sub("", question).strip().rstrip("?!. ").strip()
    bare = new[len(_preposition(new)) :]
    replaced = _put_in_place(bare, before, _preposition(new))
    if replaced:
        return replaced
    carried = _carried(question, _without_likes(question, before))
    if not carried:
        return question
    head = question.strip()
    return f"{head} {' '.join(carried)}"[:MAX_REWRITTEN]


def accept_rewritten(text: str, question: str, history: Sequence[tuple[str, str]]) -> str | None:
    """A model's rewriting when it can be trusted with a search, else None.

    It must be one line, keep the numbers of the question, and hold no number and no more than a
    few words that were not said before.
    """
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    line = re.sub(r"^[\w ]{0,30}question[\w ]{0,12}:\s*", "", line, flags=re.IGNORECASE)
    line = line.strip("\"'“”«»*` ")
    if not line or len(line) > MAX_REWRITTEN:
        return None
    said = " ".join([question, *(f"{asked} {told}" for asked, told in history)])
    digits, known = _numbers(line), _numbers(said)
    if not _numbers(question) <= digits or not digits <= known:
        return None
    terms, heard = set(_content(line)), set(tokenise(said))
    if not terms or len(terms - heard) > max(1, len(terms) // 3):
        return None
    return line


def _refers_back(question: str) -> bool:
    """Whether it holds a pronoun for something that it does not name itself before it."""
    return any(_points_out(question, match) for match in _PRONOUN.finditer(question))


def _points_out(question: str, match: re.Match[str]) -> bool:
    """Whether no noun stands before a pronoun: "where do seals have their pups" has one."""
    word, is_last = match.group().casefold(), not question[match.end() :].strip(" ?!.")
    if word in ("there", "then"):
        return is_last
    # After "how" stands an adjective, after "who" a verb; "what voltage does it give".
    before = re.sub(r"\b(?:how|who)\s+\w+", " ", question[: match.start()], flags=re.IGNORECASE)
    if word in _SUBJECTS:
        before = _WHAT_NOUN.sub(" ", before)
    named = len(_content(before)) or len(_PLACES & set(tokenise(before)))
    return named == 0 or (is_last and named == 1)


def _content(text: str) -> list[str]:
    """Terms that say what a text is about; none for words of asking only."""
    found = question_terms(text)
    return [] if set(found) <= _ASKING else list(found)


def _is_only_time(text: str) -> bool:
    rest = text
    for pattern in (_YEAR, _QUARTER, _MONTH, _SEASON):
        rest = pattern.sub(" ", rest)
    return rest != text and not _content(rest)


def _preposition(text: str) -> str:
    match = _PREPOSITION.match(text)
    return match.group() if match else ""


def _put_in_place(new: str, before: str, preposition: str) -> str:
    """The question before with the one new thing in the place of its like; "" without one."""
    for pattern in (_YEAR, _QUARTER, _MONTH, _SEASON):
        if pattern.fullmatch(new):
            return pattern.sub(lambda _: new, before) if pattern.search(before) else ""
    both = _code_in_place(new, before)
    if both:
        return both
    return _name_in_place(new, before, preposition) if _NAME.fullmatch(new) else ""


def _name_in_place(new: str, before: str, preposition: str) -> str:
    """Germany for the only name, or "in Germany" for the only "in France"."""
    names = [m for m in _NAME.finditer(before) if m.start() > 0 and not _is_time(m.group())]
    if len(names) > 1 and preposition:
        names = [
            m for m in names if before[: m.start()].casefold().endswith(preposition.casefold())
        ]
    if len(names) != 1 or _is_coded(before, names[0]):
        return ""
    return before[: names[0].start()] + new + before[names[0].end() :]


def _code_in_place(new: str, before: str) -> str:
    """Row B, or B alone, for Row A."""
    asked = _CODE.fullmatch(new)
    alone = _NEW_CODE.fullmatch(new)
    for match in _CODE.finditer(before):
        old = match["code"]
        if not old:
            continue
        if asked and asked["word"].casefold() == match["word"].casefold():
            return before[: match.start()] + new + before[match.end() :]
        if alone and new and _kind(old) == _kind(new):
            return before[: match.start("code")] + new + before[match.end("code") :]
    return ""


def _kind(code: str) -> str:
    return re.sub(r"\d+", "9", re.sub(r"[A-Z]", "A", code))


def _is_time(text: str) -> bool:
    return any(p.fullmatch(text) for p in (_YEAR, _QUARTER, _MONTH, _SEASON))


def _is_coded(text: str, match: re.Match[str]) -> bool:
    """Whether a capital word is a part of a label such as "Row A"."""
    return any(
        code["code"] and code.start() <= match.start() < code.end() for code in _CODE.finditer(text)
    )


def _without_likes(question: str, before: str) -> str:
    """The question before without the times that the new one names itself."""
    for pattern in (_YEAR, _QUARTER, _MONTH, _SEASON):
        if pattern.search(question):
            before = pattern.sub(" ", before)
    return before


def _carried(question: str, before: str) -> list[str]:
    """The words of the question before that say what it is about, as they are written there."""
    before = _MEASURE.sub(" ", before)
    have = set(tokenise(question))
    about = set(_content(before))
    carried = []
    for word in _words_with_codes(before):
        terms = set(tokenise(word))
        if terms and terms & about and not terms <= have and word not in carried:
            carried.append(word)
    return carried[:MAX_CARRIED]


def _words_with_codes(text: str) -> Iterable[str]:
    """Words; "Row A" is one, because its letter alone is no word."""
    position = 0
    for match in _CODE.finditer(text):
        if match["code"]:
            yield from _SENTENCE_WORD.findall(text[position : match.start()])
            yield match.group()
            position = match.end()
    yield from _SENTENCE_WORD.findall(text[position:])


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+", text))


_PLACES = frozenset(tokenise("figure table chart graph picture image page document report"))
_ASKING = frozenset(
    tokenise(
        "figure table chart graph picture image show shows shown many much tell explain describe"
        " give list name find page document report according more long high"
        " old else one ones mean means"
    )
)
