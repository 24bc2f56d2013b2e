"""Hits to quotes: an answer without a model. Knows hits and a text lane, no prompt, no store.

What it says stands word for word in the sources (after whitespace folding): sentences
of passages, rows of tables, captions and words of figures, each followed by its marker.
What can be quoted is `rag.quotable`'s; which of it, in what order, is told here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.asked import asks_for_scan
from rag.keywords import content_words
from rag.questions import asks_for_picture, named_things, read_label
from rag.quotable import caption_sentences, label_groups, pieces_of
from rag.sentences import fold_spaces
from rag.types import PICTURES, Citation, Hit, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.embed.lanes import Array, TextLane
    from rag.quotable import Piece

TITLE = "Passages from your documents"  # what readers see it called: no model has answered
# facts/reliability.md 2.4: the weights, lambda and counts below.
COSINE_WEIGHT = 0.6
NUMBER_BONUS = 0.05
# Of 52 questions with the page in reach (mmlongbench_dev, MiniLM), the first quote stood on it
# in 26 without this, 30 with 0.05, 28 with 0.1, 26 with 0.2.
RANK_BONUS = 0.05  # for the best hit, a half of it for the second, ...
MMR_LAMBDA = 0.7
MAX_SENTENCES, MAX_A_SOURCE = 4, 2
MAX_OF_A_LIST, MAX_A_SOURCE_OF_A_LIST = 6, 4  # when the question asks for several things
MAX_FIGURES = 2
MAX_HITS = 20
FIGURE_RANKS = 8
# Embedding is the slow part: 30 sentences take about 0.2 s with the built-in model on a CPU. Of the
# questions of figures_dev and the sample as many are answered with 24, 30 and 40.
MAX_EMBEDDED = 30
SAME = 0.9  # of two sentences' words in common: one sentence in two places
# A further sentence must be at least this good beside the best one, else it is padding.
KEEP_SHARE = 0.6
MAX_CAPTION = 400  # characters

_ASKS_NUMBER = re.compile(
    r"\b(how (many|much|long|often|old|high|large|big|far|deep|heavy|fast|wide|tall|close)|when"
    r"|(what|which)( \w+)? (year|date|percent\w*|share|proportion|fraction|number|score|accuracy)"
    r"|wie ?viele?|wann|combien|cu[aá]nt[oa]s?)\b",
    re.IGNORECASE,
)
_ASKS_LIST = re.compile(
    r"\b(list|enumerate|name (all|the|two|three|four|five)|(what|which) are (the|all)|nenne"
    r"|(what|which) \w+s (are|were|do|does|did|have|can|should))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """Quotes and what they rest on. Without anything to quote, `text` and `sources` are empty."""

    text: str
    sources: tuple[Source, ...]
    citations: tuple[Citation, ...]


def extract_answer(
    question: str,
    hits: Sequence[Hit],
    text_lane: TextLane | None,
    named_figures: Sequence[Hit] = (),
) -> Extract:
    """The sentences, rows and figures of `hits` that answer best, quoted with markers.

    The same arguments give the same bytes.

    Args:
        question: as asked.
        hits: best first.
        text_lane: for meaning; without it, words alone decide.
        named_figures: that texts of the hits name, shown when a quote is about them, and
            scanned pages that the question speaks of.
    """
    candidates = _candidates(question, hits)
    scores = _scores(question, candidates, text_lane)
    picked = _pick(scores, candidates, wants_list=_ASKS_LIST.search(question) is not None)
    chosen = _in_reading_order([candidates[i] for i in picked])
    seen = [hit for hit in (*hits, *named_figures) if hit.item.kind in PICTURES]
    told = [hit for hit in seen if _is_told_of(question, chosen, hit)]
    shown = _figures(question, hits, chosen, told)
    figures = [(hit, _lines_of(question, hit)) for hit in shown]
    return _compose(chosen, figures, figures_first=_is_about_a_picture(question, hits))


def _is_about_a_picture(question: str, hits: Sequence[Hit]) -> bool:
    return asks_for_picture(question) or (bool(hits) and hits[0].item.kind in PICTURES)


def _candidates(question: str, hits: Sequence[Hit]) -> list[Piece]:
    found = [piece for hit in hits[:MAX_HITS] for piece in pieces_of(hit)]
    if len(found) <= MAX_EMBEDDED:
        return found
    overlaps = _overlaps(question, found)
    order = sorted(range(len(found)), key=lambda i: (-overlaps[i], i))
    return [found[i] for i in sorted(order[:MAX_EMBEDDED])]


def _scores(question: str, candidates: Sequence[Piece], lane: TextLane | None) -> Array:
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


def _overlaps(question: str, candidates: Sequence[Piece]) -> Array:
    """float32 (n,): share of the question's content words, weighted by rarity, in each one."""
    asked = content_words(question)
    bags = [set(content_words(c.meaning)) for c in candidates]
    seen = Counter(word for bag in bags for word in bag)
    weights = {word: math.log1p(len(bags) / (1 + seen[word])) for word in asked}
    total = sum(weights.values()) or 1.0
    shares = [sum(weights[word] for word in asked if word in bag) / total for bag in bags]
    return np.asarray(shares, dtype=np.float32)


def _pick(scores: Array, candidates: Sequence[Piece], *, wants_list: bool) -> list[int]:
    """Up to four candidates by maximal marginal relevance, best first; more of a list.

    Source: Carbonell and Goldstein 1998; likeness is word overlap (Jaccard), which
    needs no vectors and catches what matters here, the same sentence in two places.
    """
    bags = [set(content_words(c.shown)) for c in candidates]
    chosen: list[int] = []
    most = MAX_OF_A_LIST if wants_list else MAX_SENTENCES
    most_a_source = MAX_A_SOURCE_OF_A_LIST if wants_list else MAX_A_SOURCE
    floor = KEEP_SHARE * float(scores.max(initial=0.0))
    free = [i for i in range(len(candidates)) if scores[i] >= floor and scores[i] > 0]
    while free and len(chosen) < most:
        gains = {i: _gain(float(scores[i]), bags[i], [bags[j] for j in chosen]) for i in free}
        best = max(free, key=lambda i: (gains[i], -i))
        chosen.append(best)
        quoted = [candidates[i] for i in chosen]
        free = [
            i
            for i in free
            if i != best
            and not _is_full(candidates[i].hit, quoted, most_a_source)
            and _jaccard(bags[i], bags[best]) <= SAME
        ]
    return chosen


def _gain(score: float, bag: set[str], others: Sequence[set[str]]) -> float:
    likeness = max((_jaccard(bag, other) for other in others), default=0.0)
    return MMR_LAMBDA * score - (1 - MMR_LAMBDA) * likeness


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _is_full(hit: Hit, chosen: Sequence[Piece], most: int) -> bool:
    return sum(piece.hit is hit for piece in chosen) >= most


def _in_reading_order(chosen: Sequence[Piece]) -> list[Piece]:
    """Sources in the order of their best sentence; inside a source as the source has them."""
    sources = list(dict.fromkeys(id(c.hit) for c in chosen))
    return sorted(chosen, key=lambda c: (sources.index(id(c.hit)), c.position))


def _is_told_of(question: str, chosen: Sequence[Piece], figure: Hit) -> bool:
    if figure.item.kind == "page" and asks_for_scan(question):
        return True
    return any(_is_about(piece, figure) for piece in chosen)


def _is_about(piece: Piece, figure: Hit) -> bool:
    """Whether a quote names a figure: "Figure 5 (right) shows ..."."""
    label = read_label(figure.item.number)
    return (
        label is not None
        and figure.item.document_id == piece.hit.item.document_id
        and any(
            (one.family, one.number) == (label.family, label.number)
            for one in named_things(piece.shown)
        )
    )


def _figures(
    question: str, hits: Sequence[Hit], chosen: Sequence[Piece], told: Sequence[Hit]
) -> list[Hit]:
    """Up to two pictures: when pictures are asked for, the best; else those that belong.

    What a quote is about comes before what merely stands beside it.
    """
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
    pool = [*told, *(hit for hit in pool if hit not in told)]
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


def _lines_of(question: str, hit: Hit) -> list[str]:
    """What is said of a figure: its caption, and its own words where they may be the answer."""
    asked = set(content_words(question))
    wants_number = _ASKS_NUMBER.search(question) is not None
    groups = label_groups(hit.item)
    worth = [
        len(asked & set(content_words(group))) + (wants_number and _has_digit(group))
        for group in groups
    ]
    best = max(range(len(groups)), key=lambda i: (worth[i], -i), default=None)
    said = _caption_lines(hit, asked)
    # One word in common is a coincidence ("year" on an axis), unless the picture is the question.
    needed = 1 if wants_number or asks_for_picture(question) else 2
    if best is not None and (worth[best] >= needed or not said):
        said.append(groups[best])
    return [*(said or [_where(hit)]), *_same_picture_lines(hit)]


def _caption_lines(hit: Hit, asked: set[str]) -> list[str]:
    """The document's words about a figure; of many, the start and what says most of the asked."""
    whole = fold_spaces(hit.item.caption)
    sentences = caption_sentences(hit.item)
    if whole and " ".join(sentences) == whole and len(whole) <= MAX_CAPTION:
        return [whole]
    worth = [len(asked & set(content_words(sentence))) for sentence in sentences]
    kept: list[int] = []
    for i in sorted(range(len(sentences)), key=lambda i: (i > 0, -worth[i], i)):
        if sum(len(sentences[j]) for j in (*kept, i)) <= MAX_CAPTION:
            kept.append(i)
    if kept:
        return [sentences[i] for i in sorted(kept)]
    return [sentences[0][:MAX_CAPTION].rsplit(" ", 1)[0]] if sentences else []


def _where(hit: Hit) -> str:
    page = hit.page_number
    return f"Figure on page {page}" if page else "Figure"


def _compose(
    chosen: Sequence[Piece],
    pictures: Sequence[tuple[Hit, list[str]]],
    *,
    figures_first: bool,
) -> Extract:
    """Number the sources in display order and write a paragraph for each."""
    paragraphs: list[tuple[Hit, list[str]]] = []
    for piece in chosen:
        if not paragraphs or paragraphs[-1][0] is not piece.hit:
            paragraphs.append((piece.hit, []))
        lines = paragraphs[-1][1]
        own = filter(None, (piece.lead, piece.shown, *piece.tail))
        lines.extend(line for line in own if line not in lines)
    blocks = [*pictures, *paragraphs] if figures_first else [*paragraphs, *pictures]
    sources = tuple(Source(marker=n, hit=hit) for n, (hit, _) in enumerate(blocks, 1))
    text = "\n\n".join(
        _paragraph(source, lines) for source, (_, lines) in zip(sources, blocks, strict=True)
    )
    return Extract(text=text, sources=sources, citations=_cite(sources, blocks))


def _paragraph(source: Source, lines: Sequence[str]) -> str:
    joint = "\n" if source.hit.item.kind == "table" else " "
    return joint.join(f"{line} [{source.marker}]" for line in lines)


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
