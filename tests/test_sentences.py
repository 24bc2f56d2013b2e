"""Sentences and numbers, the ground under quotes and checks."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.numbers import missing_numbers, source_numbers
from rag.sentences import fold_spaces, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It rose. It fell.", ["It rose.", "It fell."]),
        (
            "Dr. Smith saw Fig. 3, e.g. the U.S. bars.",
            ["Dr. Smith saw Fig. 3, e.g. the U.S. bars."],
        ),
        ("It is 3.5 now. Next", ["It is 3.5 now.", "Next"]),
        ("“Really?” Yes!", ["“Really?”", "Yes!"]),
        ("One. [2] Two [3].", ["One. [2]", "Two [3]."]),
        ("- first item\n- second item", ["- first item", "- second item"]),
        ("1. Press it. Then go.", ["1. Press it.", "Then go."]),
        ("a line that\ngoes on", ["a line that\ngoes on"]),
        ("one\n\ntwo", ["one", "two"]),
        ("| a | b |\n|---|---|\n| 1. x | 2 |", ["| a | b |", "|---|---|", "| 1. x | 2 |"]),
        ("Am 3. Mai 2021. Der 2. Versuch.", ["Am 3. Mai 2021.", "Der 2. Versuch."]),
        ("It rose by 3. May it fall.", ["It rose by 3.", "May it fall."]),
        ("第一句。第二句。", ["第一句。", "第二句。"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@given(st.text(alphabet='aB1 .!?\n-|[]#。"', max_size=80))
def test_splitting_loses_nothing_and_keeps_every_sentence_word_for_word(text: str) -> None:
    sentences = split_sentences(text)
    assert all(sentence in text for sentence in sentences)
    assert "".join("".join(sentences).split()) == "".join(text.split())


@pytest.mark.parametrize("piece", ["a", " ", ".", ". ", "1", "|", "- \n", "[1]"])
def test_splitting_a_hostile_megabyte_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    split_sentences(piece * (500_000 // len(piece)))
    assert time.process_time() - started < 2.0


def test_folding_leaves_single_spaces() -> None:
    assert fold_spaces(" a\n b\u00a0 c ") == "a b c"


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("5.3.2024", "on 5 March 2024"),
        ("2024-03-05", "March 5, 2024"),
        ("2.5M", "2500000 people"),
        ("10'000", "10 000"),
        ("1.234.567,89", "1,234,567.89"),
        ("10–15 %", "10-15 percent"),
        ("007", "7"),
        ("12.50", "12,5"),
    ],
)
def test_a_number_is_found_however_it_is_written(sentence: str, source: str) -> None:
    assert missing_numbers(sentence, source_numbers(source)) == []


@pytest.mark.parametrize(
    ("sentence", "source"),
    [("5", "1,234.5"), ("3", "the market fell in march"), ("7", "GPT-4"), ("1.5", "15")],
)
def test_a_piece_of_another_number_is_not_that_number(sentence: str, source: str) -> None:
    assert missing_numbers(sentence, source_numbers(source)) == [sentence]
