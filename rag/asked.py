"""What a question asks for, told by its words: subject, names, years, an amount. Knows no hit.

Words that say in which form to answer ("as a list, in descending order") are no subject.
"""

from __future__ import annotations

import re

from rag.keywords import content_words
from rag.sentences import split_sentences
from rag.stopwords import STOP_WORDS

# Words of questions, not of subjects: they say how to answer, not what about.
_ASKING = frozenset(
    content_words(
        "figure table chart graph picture image show shows shown many much tell explain describe "
        "give list name find page document report according "
        "please write answer format string integer float decimal decimals place order descend "
        "descending ascending alphabetical mention mentioned appear appears located contain "
        "contains word words text texts title titles top bottom value percentage present"
    )
)
_NO_WORDS = (
    "json csv markdown html xml yes no none true false int str appendix section chapter figure "
    "fig table tab page slide"
)
_NO_NAMES = frozenset(_NO_WORDS.split())
_MONTH_NAMES = (
    "January February March April May June July August September October November December"
    " Januar Februar März Mai Juni Juli Oktober Dezember"
)
_MONTHS = frozenset(_MONTH_NAMES.split())
# "(for example, ...)" and 'e.g. ["a", "b"]' show a form.
_EXAMPLE = re.compile(
    r"\((?:for example|e\.g\.?|such as)[^)]{0,300}\)"
    r"|(?:e\.g\.?,?|for example:?)\s*\[[^\]]{0,300}\]",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"(?:please|format|give me|write|note that|(?:your )?answer|directly|represent|for example)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:[-./'’][^\W_]+)*")
_POSSESSIVE = re.compile(r"['’]s?$")
_YEAR = re.compile(r"(?<![\w.,-])(?:19|20)\d\d(?![\w-])")
_MASK = re.compile(r"[YMDHS:/.-]+")  # YYYY-MM-DD
_MONTH_OF_YEAR = re.compile(
    # "from July to September 2023" is a quarter, which may be told otherwise.
    rf"(?<!to )(?<!until )(?<!- )(?<!–)\b({'|'.join(sorted(_MONTHS))})\s+(?:of\s+)?"
    r"((?:19|20)\d\d)\b"
)
_OFFICE = re.compile(r"\b[A-Z][a-z]+ (?:of|for) (?:the )?[A-Z][a-z]+")
_SCAN = re.compile(
    r"\b(?:scan(?:s|ned)?|hand-?written|signatures?|signed|filled[ -](?:in|out)|stamp(?:s|ed)?"
    r"|eingescannt\w*|gescannt\w*|handschriftlich\w*|unterschrift\w*)\b",
    re.IGNORECASE,
)
_MOSTLY = 0.6  # of the words capitalised: a heading or a shout, where capitals tell nothing
_MONEY = (
    "cost costs price prices fee fees salary salaries wage wages earn earns earned paid pay pays"
    " euro euros dollar dollars pounds kostet kosten preis gehalt verdient bezahlt"
)
_MONEY_WORDS = frozenset(_MONEY.split())
_ASKS_AMOUNT = re.compile(r"\b(?:how much|what|which|wie ?viel|was|welche\w*)\b", re.IGNORECASE)


def asks_for_scan(question: str) -> bool:
    """Whether the question speaks of paper that was scanned, whose words nobody can search."""
    return _SCAN.search(question) is not None


def subject_of(question: str) -> str:
    """The question without examples and sentences that say in which form to answer."""
    first, *others = split_sentences(_EXAMPLE.sub(" ", question)) or [""]
    return " ".join([first, *(other for other in others if not _FORM.match(other))])


def question_terms(question: str) -> tuple[str, ...]:
    """The terms of a question that its answer should hold."""
    terms = content_words(subject_of(question))
    return tuple(term for term in terms if term not in _ASKING) or tuple(terms)


def is_bare(question: str) -> bool:
    """Whether a question says how to answer, and nothing of what about."""
    return set(content_words(question)) <= _ASKING


def names_in(question: str) -> list[str]:
    """What must stand in the documents in these words: names, codes such as GPT-4o, and years.

    Capitals tell a name only inside a sentence, in a question that is not German and not
    written in capitals throughout.
    """
    years = _YEAR.findall(_EXAMPLE.sub(" ", question))
    subject = subject_of(question)
    said = list(_WORD.finditer(subject))
    words = [_POSSESSIVE.sub("", match.group()) for match in said]
    if not words or _is_german(words):
        return years
    is_loud = sum(word[0].isupper() for word in words) > _MOSTLY * len(words)
    found = [
        word
        for word, match in zip(words, said, strict=True)
        if _is_code(word) or (not is_loud and _is_name(word, starts=_starts(subject, match)))
    ]
    return list(dict.fromkeys(years + found))


def joint_names_in(question: str) -> list[tuple[str, ...]]:
    """Words that name one thing together: "May 2018", "Department of Health"."""
    text = _EXAMPLE.sub(" ", question)
    months = [match.groups() for match in _MONTH_OF_YEAR.finditer(text)]
    offices = [tuple(_WORD.findall(match.group())) for match in _OFFICE.finditer(text)]
    return [*months, *((words[0], words[-1]) for words in offices)]


def asks_for_money(question: str) -> bool:
    """Whether the answer is an amount of money."""
    said = {word.casefold() for word in _WORD.findall(question)}
    return bool(said & _MONEY_WORDS) and _ASKS_AMOUNT.search(question) is not None


def without_money(terms: tuple[str, ...]) -> tuple[str, ...]:
    """The terms that say what an amount is for."""
    amounts = set(content_words(_MONEY))
    return tuple(term for term in terms if term not in amounts)


def _is_code(word: str) -> bool:
    return any(map(str.isdigit, word)) and any(map(str.isupper, word))


def _is_name(word: str, *, starts: bool) -> bool:
    if len(word) < 2 or word.casefold() in _NO_NAMES or _MASK.fullmatch(word):
        return False
    if word in _MONTHS or not any(map(str.isupper, word)):
        return False
    # "LLaVa" and "NASA" are names at the start of a sentence too.
    return any(map(str.isupper, word[1:])) if starts else word[0].isupper()


def _starts(text: str, match: re.Match[str]) -> bool:
    before = text[: match.start()].rstrip("\"'“‘(« ")
    return not before or before[-1] in ".?!:"


def _is_german(words: list[str]) -> bool:
    said = [word.casefold() for word in words]
    german, english = (sum(word in STOP_WORDS[code] for word in said) for code in ("de", "en"))
    return german > english
