"""Whether hits carry an answer: the words they hold, weighted by how rare these are."""

from __future__ import annotations

import math
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evidence import coverage, is_answered
from rag.keywords import content_words
from rag.types import Hit, Item

WORDS = st.sampled_from(
    ["Turbine", "turbines", "tide", "wind-power", "power", "v1.5", "the", "(tidal)", "潮流発電",
     "Straße", "é", "output.", "outputs", "2024/7", "km²"]
)  # fmt: skip
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=8)


def hit(text: str) -> Hit:
    item = Item(
        id=UUID(int=1),
        document_id=UUID(int=2),
        kind="text",
        order=0,
        text=text,
        search_text=text,
        regions=(),
    )
    return Hit(item=item, document_name="a.pdf", rank=1, height=1.0)


@settings(max_examples=150, deadline=None)
@given(question=st.lists(WORDS, max_size=6).map(" ".join), found=TEXTS, others=TEXTS)
def test_coverage_is_what_reading_every_text_whole_gives(
    question: str, found: list[str], others: list[str]
) -> None:
    terms = content_words(question)
    bags = [set(content_words(text)) for text in others]
    weights = {
        term: math.log(1 + (len(bags) + 1) / (1 + sum(term in bag for bag in bags)))
        for term in terms
    }
    held = [sum(weights[term] for term in set(terms) & set(content_words(t))) for t in found]
    expected = max(held, default=0.0) / sum(weights.values()) if terms else 0.0
    assert coverage(terms, [hit(text) for text in found], others) == pytest.approx(expected)


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    others = ["output of the row"] * 9 + ["spare parts"]
    rare, common = hit("spare"), hit("output")
    terms = content_words("spare output")
    assert coverage(terms, [rare], others) > 0.5 > coverage(terms, [common], others)


@pytest.mark.parametrize("others", [[], ["a text"]], ids=["no other text", "one other text"])
def test_no_words_and_no_hits_are_no_division_by_zero(others: list[str]) -> None:
    assert coverage([], [], others) == 0.0
    assert not is_answered([], [], others=others, clears_bar=True, is_scoped=False)
