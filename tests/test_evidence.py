"""Whether hits carry an answer: the words they hold, weighted by how rare these are."""

from __future__ import annotations

import math
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evidence import absent_names, coverage, is_answered
from rag.keywords import content_words
from rag.types import Hit, Item

WORDS = st.sampled_from(
    ["Turbine", "turbines", "tide", "wind-power", "power", "v1.5", "the", "(tidal)", "潮流発電",
     "Straße", "é", "output.", "outputs", "2024/7", "km²"]
)  # fmt: skip
PASSAGES = st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=8)


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
@given(question=st.lists(WORDS, max_size=6).map(" ".join), found=PASSAGES, others=PASSAGES)
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
    assert not answered("", [], others)


def answered(question: str, hits: list[Hit], others: list[str], *, is_scoped: bool = True) -> bool:
    return is_answered(
        question,
        hits,
        others=others,
        everything=lambda: others,
        clears_bar=False,
        is_scoped=is_scoped,
    )


REPORT = "The share of German adults who use the internet was 41 % in 2013, says Pew Research."
TEXTS = [REPORT, "Revised in May 2016. GPT-4 and BM25 are compared in the United Kingdom."]


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("What share of adults used the internet in 2013?", []),
        ("What share of adults used the internet in 2022?", ["2022"]),
        ("What share of Germen adults uses the internet?", []),  # one letter is forgiven
        ("What share of Norwegian adults uses the internet?", ["Norwegian"]),
        ("How does GPT-4 compare with BM25?", []),
        ("How does GPT-4o compare with BM25?", ["GPT-4o"]),
        ("What is compared in the UK?", []),  # the initials of its words
        ("What is compared in the USA?", ["USA"]),
        ("What was revised in May 2016?", []),
        ("What was revised in May 2013?", ["May 2013"]),  # both stand there, not together
        ("Which share was it? Please answer in the JSON format.", []),
        ("Format the date of the revision as YYYY-MM-DD", []),
        ("WHAT IS THE SHARE OF SEALS", []),
        ("Wie hoch ist der Anteil der Robben in der Bucht?", []),  # German nouns are no names
        ('List the years (for example, "2009")', []),
    ],
)  # fmt: skip
def test_which_names_of_a_question_stand_nowhere(question: str, missing: list[str]) -> None:
    assert absent_names(question, TEXTS) == missing


def test_a_name_that_the_documents_do_not_hold_is_refused_however_much_else_fits() -> None:
    others = [REPORT, "something else"]
    assert answered("What share of German adults uses the internet?", [hit(REPORT)], others)
    assert not answered("What share of French adults uses the internet?", [hit(REPORT)], others)


def test_a_name_that_only_no_candidate_holds_is_looked_for_in_the_whole_documents() -> None:
    is_enough = is_answered(
        "What share of French adults uses the internet?",
        [hit(REPORT)],
        others=[REPORT],
        everything=lambda: [REPORT, "French readers are told apart."],
        clears_bar=False,
        is_scoped=True,
    )
    assert is_enough


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What does a ticket for the ferry cost?", False),
        ("What does a new pier cost?", True),
        ("How does the ferry cross the bay?", True),
    ],
    ids=["no amount beside it", "an amount beside it", "no amount asked for"],
)
def test_an_amount_must_stand_beside_what_is_asked(question: str, *, expected: bool) -> None:
    text = "A ticket for the ferry is sold aboard, across the bay. A new pier is 42 million euros."
    assert answered(question, [hit(text)], [text]) is expected


def test_what_shares_next_to_no_word_is_refused_over_many_documents() -> None:
    others = ["The pier was built of stone.", "The best stone is granite."]
    assert not answered("best chocolate cake recipe", [hit(others[1])], others, is_scoped=False)
    assert answered("which stone is best", [hit(others[1])], others, is_scoped=False)


def test_what_is_called_by_its_name_is_evidence() -> None:
    named = replace(hit("Depth of the ports"), why="named")
    assert answered("How many colours are in Figure 2?", [named], ["Depth of the ports"])
