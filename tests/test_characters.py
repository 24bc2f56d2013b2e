"""What is shown keeps its characters; what is searched is folded, on both sides alike."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.characters import clean_text, raised, strip_unseen, symbol_share, unreadable_share
from rag.folding import fold_for_search
from rag.keywords import document_weights, query_weights, tokenise
from rag.numbers import missing_numbers, source_numbers


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        pytest.param("e\ufb03cient \ufb01le", "efficient file", id="ligatures"),
        pytest.param("a\u200bb\u202ec\ufeff\x00d", "abcd", id="unseen"),
        pytest.param("x\U000e0041\U000e0042y", "xy", id="tag characters"),
        pytest.param("na¨ıve", "naïve", id="accent set apart"),
        pytest.param("\uf0b7 item", "• item", id="symbol bullet"),
        pytest.param("lone\ud800 half", "lone half", id="lone surrogate"),
        pytest.param("12\u00a0kg of\u3000it", "12 kg of it", id="no-break spaces"),
        pytest.param("\ufee3\ufeae\ufea3\ufe92\ufe8e", "مرحبا", id="arabic letters as drawn"),
        pytest.param("e\u0301", "é", id="combining accent"),
        pytest.param("می\u200cشود a\u200cb", "می\u200cشود ab", id="joiner inside a persian word"),
    ],
)
def test_text_is_what_a_reader_sees(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@pytest.mark.parametrize("shown", ["10⁶ m", "3½ cups", "CO₂", "№ 5", "①", "µm²", "ｆｕｌｌ", "H²"])
def test_characters_that_carry_meaning_are_not_folded_where_they_are_quoted(shown: str) -> None:
    assert clean_text(shown) == unicodedata.normalize("NFC", shown)


@pytest.mark.parametrize(
    ("shown", "searched"),
    [
        pytest.param("10⁶ cells", "10^6 cells", id="power"),
        pytest.param("10⁻³", "10^−3", id="negative power"),
        pytest.param("(a + b)²", "(a + b)^2", id="power of a bracket"),
        pytest.param("5 km²", "5 km2", id="unit as people type it"),
        pytest.param("security² is", "security 2 is", id="mark of a note"),
        pytest.param("3½ cups", "3 1/2 cups", id="mixed fraction"),
        pytest.param("CO₂", "CO2", id="formula"),
        pytest.param("10₂ 5①", "10 2 5 1", id="lowered and circled after a digit"),
        pytest.param("ｆｕｌｌ ﬁt", "full fit", id="wide forms and ligatures"),
        pytest.param("می\u200cشود", "میشود", id="joiner"),
    ],
)
def test_search_text_is_folded_without_making_new_numbers(shown: str, searched: str) -> None:
    assert fold_for_search(shown) == searched


def test_questions_and_passages_fold_alike() -> None:
    assert set(query_weights("10⁶ ｃｅｌｌｓ").indices) <= set(
        document_weights("10^6 cells").indices
    )
    assert "106" not in tokenise("10⁶ cells")


def test_an_answer_may_not_turn_a_power_into_a_plain_number() -> None:
    known = source_numbers("The tank holds 10⁶ cells.")
    assert missing_numbers("It holds 10⁶ cells.", known) == []
    assert missing_numbers("It holds 10^6 cells.", known) == []
    assert missing_numbers("It holds 106 cells.", known) == ["106"]


def test_raised_digits_become_superscripts_and_words_do_not() -> None:
    assert raised("6") == "⁶"
    assert raised("−3") == "⁻³"
    assert raised("1,2") == "¹,²"
    assert (raised("th"), raised("*"), raised("a2b")) == ("th", "*", "a2b")


def test_soft_hyphens_go_where_lines_are_whole() -> None:
    assert strip_unseen("co\u00adoperate") == "cooperate"


def test_unmapped_fonts_show_as_unreadable_or_as_symbols() -> None:
    assert unreadable_share("\ufffd\ufffdab") == 0.5
    assert unreadable_share("plain words") == 0.0
    assert symbol_share("?>9@AJ.D<F@-<>2.@A:0>#3$4,56#") > 0.35
    assert symbol_share("Height (cm) 0 10 20") < 0.1


@given(st.lists(st.text(max_size=12), max_size=6))
def test_folding_adds_up_over_white_space(words: list[str]) -> None:
    pieces = [word for word in words if word]
    assert fold_for_search(" ".join(pieces)) == " ".join(map(fold_for_search, pieces))


@given(st.text(max_size=60))
def test_cleaning_is_done_once(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once


@given(st.text(max_size=60))
def test_cleaning_loses_no_letter_or_digit(text: str) -> None:
    def letters(words: str) -> str:
        folded = unicodedata.normalize("NFKD", words)
        return "".join(c for c in folded if c.isascii() and c.isalnum())

    assert letters(clean_text(text)) == letters(text)
