"""Hits to quotes: an answer without a model. Knows hits and a text lane, no prompt, no store.

What it says stands word for word in the sources (after whitespace folding): sentences
of passages, rows of tables, captions of figures, each followed by its marker.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.keywords import content_words
from rag.questions import asks_for_picture
from rag.sentences import fold_spaces, split_lines, split_sentences, words_of
from rag.types import PICTURES, Citation, Hit, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.embed.lanes import Array, TextLane

# facts/reliability.md 2.4: the weights, lambda and counts below.
COSINE_WEIGHT = 0.6
NUMBER_BONUS = 0.05
# Of 52 questions with the page in reach (mmlongbench_dev, MiniLM), the first quote stood on it
# in 26 without this, 30 with 0.05, 28 with 0.1, 26 with 0.2.
RANK_BONUS = 0.05  # for the best hit, a half of it for the second, ...
MMR_LAMBDA = 0.7
MAX_SENTENCES = 4
MAX_A_SOURCE = 2
MAX_FIGURES = 2
MAX_HITS = 20
FIGURE_RANKS = 8
MIN_WORDS, MAX_WORDS = 4, 60
# Embedding is the slow part: 40 sentences take about 0.3 s with the built-in model on a CPU.
MAX_EMBEDDED = 40
# A further sentence must be at least this good beside the best one, else it is padding.
KEEP_SHARE = 0.6
MAX_CAPTION = 400  # characters

_ASKS_NUMBER = re.compile(
    r"\b(how (many|much|long|often|old|high|large|big|far)|when|what (year|date|percent\w*|share)"
    r"|wie ?viele?|wann|combien)\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"(?:[-*•‣◦–]|#{1,6})\s+")
_TRAILING_MARKS = re.compile(r"(?:[ \t]?\[\d{1,3}\]){1,20}$")
# A document's own "[3]" would read as our marker, and taking it out would not be word for word.
# A line of dots leads to a page number: a table of contents.
_UNFIT = re.compile(r"\[\d{1,3}\]|【\d|\.{5}|(?:\. ){5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Quotes and what they rest on. Without anything to quote, `text` and `sources` are empty."""

    text: str
    sources: tuple[Source, ...]
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A quotable piece of a hit. `shown` is word for word; `meaning` is what is compared."""

    hit: Hit
    position: int  # within the hit
    shown: str
    meaning: str
    lead: str = ""  # header row of a table, shown above the row


def extract_answer(question: str, hits: Sequence[Hit], text_lane: TextLane | None) -> Extract:
    """The sentences, rows and figures of `hits` that answer best, quoted with markers.

    The same arguments give the same bytes.

    Args:
        question: as asked.
        hits: best first.
        text_lane: for meaning; without it, words alone decide.
    """
    candidates = _candidates(question, hits)
    scores = _scores(question, candidates, text_lane)
    chosen = _in_reading_order([candidates[i] for i in _pick(scores, candidates)])
    figures = _figures(question, hits, chosen)
    return _compose(chosen, figures, figures_first=_is_about_a_picture(question, hits))


def _is_about_a_picture(question: str, hits: Sequence[Hit]) -> bool:
    return asks_for_picture(question) or (bool(hits) and hits[0].item.kind in PICTURES)


def _candidates(question: str, hits: Sequence[Hit]) -> list[_Candidate]:
    found: list[_Candidate] = []
    for hit in hits[:MAX_HITS]:
        if hit.item.kind == "text":
            found.extend(_passage_candidates(hit))
        elif hit.item.kind == "table":
            found.extend(_table_candidates(hit))
    if len(found) <= MAX_EMBEDDED:
        return found
    overlaps = _overlaps(question, found)
    order = sorted(range(len(found)), key=lambda i: (-overlaps[i], i))
    return [found[i] for i in sorted(order[:MAX_EMBEDDED])]


def _passage_candidates(hit: Hit) -> list[_Candidate]:
    found = []
    for position, sentence in enumerate(_quotable_sentences(hit.item.text)):
        if _has_quotable_length(sentence) and not _UNFIT.search(sentence):
            found.append(_Candidate(hit=hit, position=position, shown=sentence, meaning=sentence))
    return found


def _has_quotable_length(sentence: str) -> bool:
    # Scripts without spaces have one word a clause; their terms are pairs of characters.
    count = len(words_of(sentence))
    return count <= MAX_WORDS and max(count, len(content_words(sentence))) >= MIN_WORDS


def _quotable_sentences(text: str) -> list[str]:
    """Sentences without bullets; an endless one (slides, lists without stops) by its lines."""
    pieces: list[str] = []
    for sentence in split_sentences(text):
        too_long = len(words_of(sentence)) > MAX_WORDS
        pieces.extend(split_lines(sentence) if too_long else [sentence])
    bare = (_TRAILING_MARKS.sub("", _without_bullet(piece)) for piece in pieces)
    return [fold_spaces(piece) for piece in bare]


def _without_bullet(piece: str) -> str:
    bullet = _BULLET.match(piece)
    return piece[bullet.end() :] if bullet else piece


def _table_candidates(hit: Hit) -> list[_Candidate]:
    """Body rows of a Markdown table, each with the header row as its lead."""
    rows = [line for line in split_lines(hit.item.text) if line.startswith("|") and words_of(line)]
    if not rows:
        return _passage_candidates(hit)
    header = _row_text(rows[0])
    about = f"{hit.item.caption} {header}"
    return [
        _Candidate(hit=hit, position=i, shown=shown, meaning=f"{about}: {shown}", lead=header)
        for i, shown in enumerate(map(_row_text, rows[1:]))
        if len(words_of(shown)) <= MAX_WORDS and not _UNFIT.search(header + shown)
    ]


def _row_text(row: str) -> str:
    return fold_spaces(row.strip("| \t"))


def _scores(question: str, candidates: Sequence[_Candidate], lane: TextLane | None) -> Array:
    """float32 (n,): meaning and words of the question in each candidate, about 0 to 1."""
    relevance = _overlaps(question, candidates)
    if lane is not None and candidates:
        asked = lane.embed_queries([question])[0]
        cosines = lane.embed_documents([c.meaning for c in candidates]) @ asked
        relevance = COSINE_WEIGHT * cosines + (1 - COSINE_WEIGHT) * relevance
    wants_number = _ASKS_NUMBER.search(question) is not None
    bonus = [
        RANK_BONUS / c.hit.rank + NUMBER_BONUS * (wants_number and _has_digit(c.shown))
        for c in candidates
    ]
    # A bonus decides between sentences that have something to say, it makes none of them so.
    return np.where(relevance > 0, relevance + np.asarray(bonus, dtype=np.float32), 0.0).astype(
        np.float32
    )


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _overlaps(question: str, candidates: Sequence[_Candidate]) -> Array:
    """float32 (n,): share of the question's content words, weighted by rarity, in each one."""
    asked = content_words(question)
    bags = [set(content_words(c.meaning)) for c in candidates]
    seen = Counter(word for bag in bags for word in bag)
    weights = {word: math.log1p(len(bags) / (1 + seen[word])) for word in asked}
    total = sum(weights.values()) or 1.0
    shares = [sum(weights[word] for word in asked if word in bag) / total for bag in bags]
    return np.asarray(shares, dtype=np.float32)


def _pick(scores: Array, candidates: Sequence[_Candidate]) -> list[int]:
    """Up to four candidates by maximal marginal relevance, best first.

    Source: Carbonell and Goldstein 1998; likeness is word overlap (Jaccard), which
    needs no vectors and catches what matters here, the same sentence in two places.
    """
    bags = [set(content_words(c.shown)) for c in candidates]
    chosen: list[int] = []
    floor = KEEP_SHARE * float(scores.max(initial=0.0))
    free = [i for i in range(len(candidates)) if scores[i] >= floor and scores[i] > 0]
    while free and len(chosen) < MAX_SENTENCES:
        gains = {i: _gain(float(scores[i]), bags[i], [bags[j] for j in chosen]) for i in free}
        best = max(free, key=lambda i: (gains[i], -i))
        chosen.append(best)
        free = [i for i in free if i != best and _may_add(i, chosen, candidates, bags)]
    return chosen


def _gain(score: float, bag: set[str], others: Sequence[set[str]]) -> float:
    likeness = max((_jaccard(bag, other) for other in others), default=0.0)
    return MMR_LAMBDA * score - (1 - MMR_LAMBDA) * likeness


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _may_add(
    i: int, chosen: Sequence[int], candidates: Sequence[_Candidate], bags: Sequence[set[str]]
) -> bool:
    of_same_hit = sum(candidates[j].hit is candidates[i].hit for j in chosen)
    repeats = any(_jaccard(bags[i], bags[j]) > 0.9 for j in chosen)
    return of_same_hit < MAX_A_SOURCE and not repeats


def _in_reading_order(chosen: Sequence[_Candidate]) -> list[_Candidate]:
    """Sources in the order of their best sentence; inside a source as the source has them."""
    sources = list(dict.fromkeys(id(c.hit) for c in chosen))
    return sorted(chosen, key=lambda c: (sources.index(id(c.hit)), c.position))


def _figures(question: str, hits: Sequence[Hit], chosen: Sequence[_Candidate]) -> list[Hit]:
    """Up to two pictures: when pictures are asked for, the best; else those that belong."""
    pages = {place for c in chosen for place in _places(c.hit)}
    asked = set(content_words(question))
    wanted = _is_about_a_picture(question, hits)
    near, other = [], []
    for hit in hits:
        if hit.item.kind not in PICTURES:
            continue
        if pages & _places(hit):
            near.append(hit)
        elif hit.rank <= FIGURE_RANKS and (wanted or _belongs(hit, asked)):
            other.append(hit)
    pool = sorted(near + other, key=lambda hit: hit.rank) if wanted else near + other
    return sorted(pool[:MAX_FIGURES], key=lambda hit: hit.rank)


def _belongs(hit: Hit, asked: set[str]) -> bool:
    """Whether a picture that nobody asked for is still worth showing."""
    about = content_words(f"{hit.item.number} {hit.item.caption} {hit.item.text}")
    return hit.rank == 1 or hit.why == "named" or bool(asked & set(about))


def _places(hit: Hit) -> set[tuple[object, object]]:
    """Pages of a paged hit; for a page-less one its section, the nearest thing to a page."""
    document = hit.item.document_id
    if hit.item.regions:
        return {(document, region.page_number) for region in hit.item.regions}
    return {(document, hit.item.heading)} if hit.item.heading else set()


def _compose(
    chosen: Sequence[_Candidate], figures: Sequence[Hit], *, figures_first: bool
) -> Extract:
    """Number the sources in display order and write a paragraph for each."""
    paragraphs: list[tuple[Hit, list[str]]] = []
    for candidate in chosen:
        if not paragraphs or paragraphs[-1][0] is not candidate.hit:
            paragraphs.append((candidate.hit, [candidate.lead] if candidate.lead else []))
        paragraphs[-1][1].append(candidate.shown)
    pictures = [(hit, [_caption_line(hit), *_same_picture_lines(hit)]) for hit in figures]
    blocks = pictures + paragraphs if figures_first else paragraphs + pictures
    sources = tuple(Source(marker=n, hit=hit) for n, (hit, _) in enumerate(blocks, 1))
    text = "\n\n".join(
        _paragraph(source, lines) for source, (_, lines) in zip(sources, blocks, strict=True)
    )
    return Extract(text=text, sources=sources, citations=_cite(sources, blocks))


def _paragraph(source: Source, lines: Sequence[str]) -> str:
    joint = "\n" if source.hit.item.kind == "table" else " "
    return joint.join(f"{line} [{source.marker}]" for line in lines)


def _caption_line(hit: Hit) -> str:
    """The document's words about a figure, or where it stands when it has none."""
    words = fold_spaces(hit.item.caption) or fold_spaces(hit.item.text)
    if words and not _UNFIT.search(words):
        return words if len(words) <= MAX_CAPTION else words[:MAX_CAPTION].rsplit(" ", 1)[0]
    page = hit.page_number
    return f"Figure on page {page}" if page else "Figure"


def _same_picture_lines(hit: Hit) -> list[str]:
    """Where the picture that was asked with stands; none for another picture."""
    if hit.look_alike_bits is None:
        return []
    where = f"on page {hit.page_number} of" if hit.page_number else "in"
    return [f"Your picture looks like this one, {where} {hit.document_name}."]


def _cite(
    sources: Sequence[Source], blocks: Sequence[tuple[Hit, list[str]]]
) -> tuple[Citation, ...]:
    return tuple(
        Citation(marker=source.marker, hit=source.hit, quote=_quote(source.hit, lines))
        for source, (_, lines) in zip(sources, blocks, strict=True)
    )


def _quote(hit: Hit, lines: Sequence[str]) -> str:
    """The quoted lines as one stretch of the hit's text, else the one that counts most."""
    main = lines[-1] if hit.item.kind == "table" else lines[0]
    return _raw_stretch(hit.item.text, " ".join(lines)) or _raw_stretch(hit.item.text, main)


def _raw_stretch(text: str, line: str) -> str:
    """The line as the text has it, line breaks included; "" when it is not in there."""
    pattern = r"\s+".join(re.escape(word) for word in line.split())
    place = re.search(pattern, text) if pattern else None
    return place.group() if place else ""
