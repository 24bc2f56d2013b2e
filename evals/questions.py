"""Questions made from what somebody uploaded, each with its known source. No model.

Knows items and words. A question is a handful of the document's own words, as typed into a
search box, so that it works in any language; the words that would make it trivial are
left out. Nothing of embedders, indexes or ranks.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid5

from evals.cells import cells_of
from evals.phrases import (
    common_words,
    fragments_of,
    longest_run,
    rarest_term,
    without_numbering,
    without_term,
)
from rag.keywords import content_words, tokenise
from rag.sentences import fold_spaces, split_sentences
from rag.stopwords import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from rag.types import Document, Item, Region

QuestionKind = Literal["text", "table", "figure"]
Way = Literal["heading", "sentence", "cell", "caption"]

KINDS: tuple[QuestionKind, ...] = ("text", "table", "figure")
MAX_QUESTIONS = 60
# Looked at in one document and kind; more would only make a large library slow.
MAX_ITEMS_PER_KIND = 40
# Of one item; a table holds many answers.
PER_ITEM: Mapping[QuestionKind, int] = {"text": 1, "table": 2, "figure": 1}
MIN_TERMS = 3  # of a question; fewer say too little to have one right place
MIN_SHORT_TERMS = 2  # the same for captions and cells, which are short themselves
MIN_SENTENCE_TERMS = 5
MAX_RUN = 5  # words of a passage in a row
MAX_CAPTION_WORDS, MAX_HEADING_WORDS, MAX_HEADING_CHARS = 12, 8, 70
MIN_SENTENCE_WORDS, MAX_SENTENCE_WORDS = 8, 40
MIN_SENTENCE_LETTERS, MAX_SENTENCE_LETTERS = 16, 90  # the same for scripts without spaces
MIN_LETTER_SHARE = 0.75  # of what is not a space: less is a formula, a list or a reference
ANSWER_CHARS = 300

_REFERENCE = re.compile(r"https?:|www\.|@|\[\d|\bet al\b|\bdoi\b|\bISBN\b", re.IGNORECASE)
_LEADING = " \t.:;,–—-|"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeQuestion:
    """A question and the one place that answers it."""

    id: str
    text: str
    kind: QuestionKind
    way: Way
    document_id: UUID
    document_name: str
    item_id: UUID
    regions: tuple[Region, ...]  # empty in page-less formats
    answer: str  # the words or the value that stand there
    words: str  # of the source, exactly, where there are no pages to name it by

    @property
    def pages(self) -> tuple[int, ...]:
        """Pages of the source, rising."""
        return tuple(sorted({region.page_number for region in self.regions}))


def make_questions(
    pool: Callable[[], Iterable[tuple[Document, Sequence[Item]]]],
    *,
    seed: int = 0,
    limit: int = MAX_QUESTIONS,
    check: Callable[[], None] = lambda: None,
) -> list[MadeQuestion]:
    """Questions spread over kinds, documents and pages; the same for the same seed.

    Args:
        pool: Gives each document with its visible items in order; called three times, so
            that a large library need not be in memory at once.
        seed: Another one gives other questions.
        limit: Most questions to keep.
        check: Called once a document; raises to stop.

    Returns:
        Questions of which none has a second place that holds all its words. Fewer than
        the limit in a small library, none in an empty one.
    """
    counts: Counter[str] = Counter()
    for _, items in pool():
        check()
        for terms in _terms_by_place(items):
            counts.update(terms)
    drafts: list[MadeQuestion] = []
    for document, items in pool():
        check()
        drafts += _drafts(document, items, counts, seed)
    return _spread(_unique(drafts, pool, check), seed, limit)


def _drafts(
    document: Document, items: Sequence[Item], counts: Mapping[str, int], seed: int
) -> Iterator[MadeQuestion]:
    common = common_words([item.text for item in items if item.kind == "text"])
    common |= STOP_WORDS.get(document.language, frozenset())
    for kind in KINDS:
        same = [item for item in items if item.kind == kind]
        for item in sorted(same, key=lambda one: _draw(seed, one.id))[:MAX_ITEMS_PER_KIND]:
            made = (_draft(document, item, kind, *way) for way in _ways(item, common, counts, seed))
            yield from islice((draft for draft in made if draft is not None), PER_ITEM[kind])


def _ways(
    item: Item, common: Collection[str], counts: Mapping[str, int], seed: int
) -> Iterator[tuple[Way, list[str], str]]:
    """What could be asked about an item, the best first."""
    if item.kind == "figure":
        yield from _about_caption(item, common, counts)
    elif item.kind == "table":
        yield from _about_cells(item, seed)
    else:
        ways = [_about_sentences(item, common, counts, seed), _about_heading(item, common, counts)]
        for way in ways if _draw(seed, item.id)[0] % 3 else reversed(ways):
            yield from way


def _about_sentences(
    item: Item, common: Collection[str], counts: Mapping[str, int], seed: int
) -> Iterator[tuple[Way, list[str], str]]:
    found = []
    for sentence in _prose(item):
        for place, masked in enumerate(_masks(sentence, counts)):
            pieces = fragments_of(sentence, common=common, counts=counts, most=2, without=masked)
            if len(pieces) == 2:
                found.append((place, pieces, sentence))
                break
    # Where no word is a giveaway first, then the most words: what says more reads better.
    found.sort(
        key=lambda one: (one[0], -len(" ".join(one[1]).split()), _shuffled(seed, item, one[2]))
    )
    for _, pieces, sentence in found:
        yield "sentence", pieces, sentence


def _about_heading(
    item: Item, common: Collection[str], counts: Mapping[str, int]
) -> Iterator[tuple[Way, list[str], str]]:
    heading = without_numbering(item.heading[-1]) if item.heading else ""
    sentences = [one for one in _prose(item) if not _share_term(one, heading)]
    if not sentences or not content_words(heading):
        return
    if len(heading.split()) > MAX_HEADING_WORDS or len(heading) > MAX_HEADING_CHARS:
        return
    for masked in _masks(sentences[0], counts):
        pieces = fragments_of(sentences[0], common=common, counts=counts, most=1, without=masked)
        if pieces:
            yield "heading", [heading, *pieces], sentences[0]


def _about_caption(
    item: Item, common: Collection[str], counts: Mapping[str, int]
) -> Iterator[tuple[Way, list[str], str]]:
    caption = _without_label(item.caption, item.number)
    first = next(iter(split_sentences(caption)), "").rstrip(".。")
    if len(first.split()) > MAX_CAPTION_WORDS:
        masked = {rarest_term(first, counts)}
        pieces = fragments_of(first, common=common, counts=counts, most=2, without=masked)
    else:
        pieces = [without_term(first, rarest_term(first, counts), common)]
    if not any(map(_letter_terms, pieces)):
        return
    yield "caption", pieces, caption
    if item.heading:  # a short caption may need the name of its section
        yield "caption", [*pieces, without_numbering(item.heading[-1])], caption


def _about_cells(item: Item, seed: int) -> Iterator[tuple[Way, list[str], str]]:
    cells = cells_of(item.text)
    caption = _without_label(item.caption, item.number)
    title = caption or (without_numbering(item.heading[-1]) if item.heading else "")
    asked: set[str] = set()
    for cell in sorted(cells, key=lambda one: _shuffled(seed, item, str(one))):
        gives_away = cell.value.casefold() in f"{cell.row} {cell.column} {title}".casefold()
        if gives_away or cell.row in asked:
            continue
        asked.add(cell.row)
        names = [cell.row, cell.column]
        is_short = len(_letter_terms(" ".join(names))) < MIN_TERMS
        yield "cell", [*names, *_start_of(title)] if is_short else names, cell.value


def _draft(
    document: Document,
    item: Item,
    kind: QuestionKind,
    way: Way,
    phrases: Sequence[str],
    answer: str,
) -> MadeQuestion | None:
    text = ", ".join(dict.fromkeys(fold_spaces(phrase) for phrase in phrases if phrase.strip()))
    if len(_letter_terms(text)) < (MIN_TERMS if kind == "text" else MIN_SHORT_TERMS):
        return None
    # Headers and captions are short: they are asked for as they stand, but for what is masked.
    if way == "sentence" and longest_run(text, item.text) > MAX_RUN:
        return None
    return MadeQuestion(
        id=uuid5(item.id, text).hex[:12],
        text=text[:1].upper() + text[1:],
        kind=kind,
        way=way,
        document_id=item.document_id,
        document_name=document.name,
        item_id=item.id,
        regions=item.regions,
        answer=fold_spaces(answer)[:ANSWER_CHARS],
        words="" if item.regions else phrases[0] if way == "cell" else answer,
    )


def _masks(sentence: str, counts: Mapping[str, int]) -> list[set[str]]:
    """Terms to leave out: all that name one place alone; if that leaves too little, the rarest."""
    lone = {term for term in content_words(sentence) if counts.get(term, 0) <= 1}
    rarest = {rarest_term(sentence, counts)}
    return [lone | rarest, rarest]


def _terms_by_place(items: Sequence[Item]) -> Iterator[set[str]]:
    """Search terms of each page of a document; of each item where there are no pages."""
    places: dict[object, set[str]] = defaultdict(set)
    for item in items:
        place = item.regions[0].page_number if item.regions else item.id
        places[place].update(tokenise(item.search_text))
    yield from places.values()


def _is_prose(sentence: str) -> bool:
    if _REFERENCE.search(sentence) or sentence[-1] not in ".!?。！？" or "|" in sentence:
        return False
    solid = [sign for sign in sentence if not sign.isspace()]
    letters = sum(map(str.isalpha, solid))
    words = len(sentence.split())
    if words < MIN_SENTENCE_WORDS:  # short, or a script without spaces
        is_long = MIN_SENTENCE_LETTERS <= letters <= MAX_SENTENCE_LETTERS
        return is_long and letters > 6 * words
    starts_well = sentence[0].isalpha() and not sentence[0].islower()
    return starts_well and words <= MAX_SENTENCE_WORDS and letters >= MIN_LETTER_SHARE * len(solid)


def _prose(item: Item) -> list[str]:
    sentences = map(fold_spaces, split_sentences(item.text))
    return [
        one for one in sentences if _is_prose(one) and len(_letter_terms(one)) >= MIN_SENTENCE_TERMS
    ]


def _letter_terms(text: str) -> set[str]:
    return {term for term in content_words(text) if any(map(str.isalpha, term))}


def _share_term(text: str, other: str) -> bool:
    return bool(set(content_words(text)) & set(content_words(other)))


def _start_of(title: str) -> list[str]:
    first = re.split(r"[.:;,(]", title, maxsplit=1)[0].strip()
    return [first] if 0 < len(first.split()) <= MAX_HEADING_WORDS else []


def _without_label(caption: str, number: str) -> str:
    """A caption without "Figure 3", wherever that stands in it."""
    if not number:
        return caption.strip(_LEADING)
    label = re.compile(re.escape(number).replace(r"\ ", r"\s*"), re.IGNORECASE)
    return label.sub(" ", caption).strip(_LEADING)


def _unique(
    drafts: Sequence[MadeQuestion],
    pool: Callable[[], Iterable[tuple[Document, Sequence[Item]]]],
    check: Callable[[], None],
) -> list[MadeQuestion]:
    """Those whose words stand together in one place only, and that no other asks as well."""
    terms = {draft.id: set(content_words(draft.text)) for draft in drafts}
    asked = Counter(frozenset(terms[draft.id]) for draft in drafts)
    alone = [draft for draft in drafts if asked[frozenset(terms[draft.id])] == 1]
    by_term: dict[str, list[MadeQuestion]] = defaultdict(list)
    for draft in alone:
        by_term[min(terms[draft.id])].append(draft)
    doubtful: set[str] = set()
    for _, items in pool():
        check()
        for item in items:
            there = set(tokenise(item.search_text))
            for draft in (one for term in there for one in by_term.get(term, ())):
                if terms[draft.id] <= there and not _is_place(draft, item):
                    doubtful.add(draft.id)
    return [draft for draft in alone if draft.id not in doubtful]


def _is_place(draft: MadeQuestion, item: Item) -> bool:
    """Whether finding the item means finding the source: itself, or the same page."""
    if item.id == draft.item_id:
        return True
    pages = {region.page_number for region in item.regions}
    return item.document_id == draft.document_id and bool(pages & set(draft.pages))


def _spread(drafts: Sequence[MadeQuestion], seed: int, limit: int) -> list[MadeQuestion]:
    """As many of each kind as there are, up to the limit; by turns from each document."""
    queues = {kind: _by_turns([d for d in drafts if d.kind == kind], seed) for kind in KINDS}
    taken = [
        draft
        for row in zip_longest(*(queues[kind] for kind in KINDS))
        for draft in row
        if draft is not None
    ]
    order = {kind: place for place, kind in enumerate(KINDS)}
    kept = taken[:limit]
    return sorted(kept, key=lambda d: (order[d.kind], d.document_name, d.pages, d.id))


def _by_turns(drafts: Sequence[MadeQuestion], seed: int) -> list[MadeQuestion]:
    """One of each document, then a second of each; a page comes again after all others."""
    by_document: dict[UUID, list[MadeQuestion]] = defaultdict(list)
    for draft in drafts:
        by_document[draft.document_id].append(draft)
    seen: Counter[tuple[int, ...]] = Counter()
    queues = []
    for _, own in sorted(by_document.items(), key=lambda pair: _draw(seed, pair[0])):
        own.sort(key=lambda draft: _draw(seed, draft.item_id))
        seen.clear()
        rounds = []
        for draft in own:
            rounds.append((seen[draft.pages], draft))
            seen[draft.pages] += 1
        queues.append([draft for _, draft in sorted(rounds, key=lambda pair: pair[0])])
    return [draft for row in zip_longest(*queues) for draft in row if draft is not None]


def _draw(seed: int, id_: UUID) -> bytes:
    """A place in a shuffle that depends on nothing but the seed and the id."""
    return blake2b(id_.bytes, digest_size=8, salt=seed.to_bytes(8, "little")).digest()


def _shuffled(seed: int, item: Item, part: str) -> bytes:
    return _draw(seed, uuid5(item.id, part))
