from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.keywords import average_length, content_words, document_weights, query_weights, tokenise


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The turbines were running", ["turbin", "run"]),
        ("Firmware v1.5 of STR-2024/7", ["firmwar", "v1.5", "v1", "5", "str-2024/7"]),
        ("İstanbul", ["istanbul"]),
        ("Häuser", ["häuser", "hauser"]),
        ("風力発電", ["風力", "力発", "発電"]),
        ("", []),
        ("what is it", []),
    ],
    ids=["stems", "compounds", "dotted capital", "accents", "bigrams", "empty", "stop words"],
)
def test_words_become_search_terms(text: str, terms: list[str]) -> None:
    found = tokenise(text)
    assert found[: len(terms)] == terms
    if not terms:
        assert found == []


def test_a_question_finds_the_inflected_word() -> None:
    question, passage = query_weights("running turbines"), document_weights("A turbine runs.")
    assert set(question.indices) <= set(passage.indices)


def test_repeating_a_word_counts_less_each_time() -> None:
    once, twice = document_weights("rotor blade"), document_weights("rotor rotor blade")
    weight = dict(zip(twice.indices, twice.values, strict=True))
    single = dict(zip(once.indices, once.values, strict=True))
    rotor = query_weights("rotor").indices[0]
    assert single[rotor] < weight[rotor] < 2 * single[rotor]


def test_a_long_passage_weighs_a_word_less() -> None:
    short = document_weights("rotor", average_words=10)
    long = document_weights("rotor " + " ".join(f"word{i}" for i in range(40)), average_words=10)
    rotor = query_weights("rotor").indices[0]
    assert long.values[long.indices.index(rotor)] < short.values[0]


def test_content_words_are_distinct_and_in_order() -> None:
    assert content_words("output of the output in winter") == ["output", "winter"]


def test_the_average_of_no_text_is_usable() -> None:
    assert average_length([]) > 0


@given(st.text(max_size=300))
def test_any_text_gives_a_vector_that_the_store_takes(text: str) -> None:
    # Sparse refuses unsorted, repeated and infinite entries when it is made.
    document_weights(text)
    assert all(value == 1 for value in query_weights(text).values) or len(text) > 1
