"""Token counts of the built-in vocabulary."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.embed.wordpiece import count_many, count_tokens, split_tokens, take_tokens, token_spans


def test_known_words_count_one_each_without_special_tokens() -> None:
    assert count_tokens("The quick brown fox.") == 5
    assert count_tokens("") == 0


def test_a_text_is_neither_cut_nor_padded_to_128() -> None:
    assert count_tokens("fox " * 500) == 500
    assert count_tokens("fox") == 1


def test_a_word_of_two_million_letters_does_not_count_as_one_token() -> None:
    assert count_tokens("A" * 2_000_000) == 500_000


def test_counts_come_in_the_order_of_the_texts() -> None:
    assert count_many(["fox", "", "fox fox", "x" * 400]) == [1, 0, 2, 100]


def test_spans_point_into_the_text_as_written() -> None:
    text = "Café au lait"
    assert [text[start:end] for start, end in token_spans(text)] == ["Café", "au", "lai", "t"]


def test_pieces_are_cut_between_words() -> None:
    assert split_tokens("one two three four five", 2) == ["one two ", "three four ", "five"]


def test_a_word_too_long_for_a_piece_is_cut_inside() -> None:
    pieces = split_tokens("see " + "x" * 1000 + " end", 50)
    assert "".join(pieces) == "see " + "x" * 1000 + " end"
    assert all(count_tokens(piece) <= 50 for piece in pieces)


def test_the_beginning_that_fits_ends_at_a_word() -> None:
    assert take_tokens("one two three", 2) == "one two"
    assert take_tokens("one two", 2) == "one two"
    assert take_tokens("one two", 0) == ""


def test_a_budget_under_one_token_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        split_tokens("one", 0)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=400), max_tokens=st.integers(1, 40))
def test_splitting_loses_nothing_and_keeps_the_budget(text: str, max_tokens: int) -> None:
    pieces = split_tokens(text, max_tokens)
    assert "".join(pieces) == text
    assert all(len(piece) == 1 or count_tokens(piece) <= max_tokens for piece in pieces)


def test_counting_does_not_load_torch() -> None:
    code = (
        "import sys; from rag.embed.wordpiece import count_tokens; count_tokens('a');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
