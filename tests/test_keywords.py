from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.keywords import (
    average_length,
    content_words,
    document_weights,
    query_weights,
    tokenise,
)
from rag.stems import _ALGORITHMS, stem, stem_language
from rag.stopwords import STOP_WORDS
from rag.terms import MAX_QUESTION_WORDS, question_terms

# Question word, passage word, language: another inflection or spelling of the same.
INFLECTIONS = [
    ("de", "Häusern", "Das Haus am See"),
    ("de", "HAEUSER häuser", "Häuser"),
    ("de", "Strasse", "Straße"),
    ("de", "Gebaude", "Gebäude"),
    ("fr", "énergies", "une énergie nouvelle"),
    ("fr", "energie", "l’énergie"),
    ("fr", "nationaux", "nationale"),
    ("es", "canciones", "la canción"),
    ("es", "cancion", "canción"),
    ("tr", "kitap", "kitaplarımızdan"),
    ("tr", "ISPARTA", "Isparta"),
    ("tr", "istanbul", "İSTANBUL’da"),
    ("tr", "cığ", "çığ"),
    ("ru", "книга", "о книгами"),
    ("ru", "ёлка", "ЕЛКИ"),
    ("fa", "كتاب", "کتاب‌ها"),
    ("fa", "۲۰۲۴", "سال 2024"),
    ("ar", "كتاب", "كِتَابٌ"),
    ("ar", "احمد", "أحمد"),
    ("hi", "किताबें", "किताब"),
    ("hi", "फिल्म", "फ़िल्म"),
    ("ja", "発電", "風力発電の出力"),
    ("ja", "走る", "自動車が走った"),
    ("ja", "ﾀｰﾋﾞﾝ", "タービン"),
    ("zh", "发电机", "风力发电机的功率"),
    ("ko", "발전소", "발전소의 출력은"),
    ("th", "พลังงาน", "พลังงานลมในประเทศไทย"),
    ("", "running turbines", "A turbine runs."),
    ("en", "well known", "a well-known fact"),
    ("pl", "laka", "łąka"),
    ("da", "oster", "øster"),
]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The turbines were running", ["turbin", "run"]),
        ("Firmware v1.5 of STR-2024/7", ["firmwar", "v1.5", "v1", "5", "str-2024/7"]),
        ("İstanbul", ["istanbul"]),
        ("Häuser", ["häuser", "hauser"]),
        ("風力発電", ["風力", "力発", "発電"]),
        ("車の色", ["車", "色"]),
        ("GPU性能", ["gpu", "性能"]),
        ("", []),
        ("what is it", []),
    ],
    ids=[
        "stems", "compounds", "dotted capital", "accents", "pairs", "lone characters",
        "two scripts", "empty", "stop words",
    ],
)  # fmt: skip
def test_words_become_search_terms(text: str, terms: list[str]) -> None:
    found = tokenise(text)
    assert found[: len(terms)] == terms
    if not terms:
        assert found == []


@pytest.mark.parametrize(("language", "asked", "written"), INFLECTIONS)
def test_a_question_finds_another_form_of_a_word(language: str, asked: str, written: str) -> None:
    # The library holds other languages too, and nobody says which one the question is in.
    question = query_weights(asked, ["en", "de", language])
    passage = document_weights(written, language=language)
    assert set(question.indices) & set(passage.indices)


@pytest.mark.parametrize("language", sorted(STOP_WORDS))
def test_stop_words_are_case_folded_words_of_a_language_with_stems(language: str) -> None:
    assert stem_language(language) == language
    for word in STOP_WORDS[language]:
        assert tokenise(word, language) == [], word


@pytest.mark.parametrize("language", sorted(_ALGORITHMS))
def test_every_stemmer_is_there_and_never_answers_with_nothing(language: str) -> None:
    for word in ("a", "s", "wort", "слово", "शब्द", "ال", "x" * 5_000):
        assert 0 < len(stem(word, language)) <= 5_000


def test_a_german_stem_never_meets_an_english_one() -> None:
    german = set(document_weights("Der Rat im Gang", language="de").indices)
    assert not german & set(document_weights("the rat in the gang", language="en").indices)
    assert german & set(query_weights("rat", ["de"]).indices)


def test_a_number_is_the_same_in_every_language() -> None:
    german = document_weights("Baureihe v1.5 von 2024", language="de")
    assert set(query_weights("v1.5 2024").indices) <= set(german.indices)


def test_function_words_of_an_english_question_are_asked_in_no_language() -> None:
    terms = question_terms("What is the output of the turbine?", ["de", "fr"])
    assert set(terms) == {
        "output", "turbin", "de:output", "de:turbin", "fr:output", "fr:turbin",
    }  # fmt: skip


def test_a_question_weighs_most_in_its_own_language() -> None:
    terms = question_terms("Wie hoch ist der Umsatz in Berlin?", ["de"])
    assert terms["de:berlin"] == 1.0
    assert terms["berlin"] == 0.5
    assert "de:wie" not in terms
    assert "wie" not in terms


def test_a_word_that_is_a_stop_word_elsewhere_is_still_asked_in_english() -> None:
    # "war" is a verb without meaning in German.
    assert question_terms("war losses", ["de"])["war"] == 1.0


def test_a_word_with_an_accent_weighs_as_much_as_one_without() -> None:
    both = question_terms("résumé rapport", ["fr"])
    assert both["fr:résum"] + both["fr:resum"] == both["fr:rapport"] == 1.0


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


def test_a_word_of_the_heading_weighs_more_than_one_of_the_body() -> None:
    passage = document_weights("Report > Rotor\nThe blade is long.")
    weight = dict(zip(passage.indices, passage.values, strict=True))
    rotor, blade = (query_weights(word).indices[0] for word in ("rotor", "blade"))
    assert weight[rotor] > weight[blade]


def test_a_passage_of_one_line_has_no_heading() -> None:
    one, two = document_weights("rotor blade"), document_weights("rotor blade\n")
    assert one == two


def test_content_words_are_distinct_and_in_order() -> None:
    assert content_words("output of the output in winter") == ["output", "winter"]


def test_the_average_of_no_text_is_usable() -> None:
    assert average_length([]) > 0


def test_a_question_of_only_stop_words_gives_no_terms() -> None:
    for text in ("what is it", "Was ist das?", "c'est quoi ?", "это что?"):
        assert query_weights(text, ["de", "fr", "ru"]).indices == ()


def test_a_question_of_ten_thousand_characters_is_cut_to_its_first_words() -> None:
    text = " ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}{i}" for i in range(1_500))
    assert len(query_weights(text, ["de"]).indices) <= MAX_QUESTION_WORDS


ANY_TEXT = st.text(max_size=300) | st.text(
    alphabet="aäßıİøé 2.-/車の走ทั발हिُك\u200c\u0301\n", max_size=80
)


@given(ANY_TEXT, st.sampled_from(["", "de", "tr", "fa", "hi", "ja", "xx"]))
def test_any_text_gives_a_vector_that_the_store_takes(text: str, language: str) -> None:
    # Sparse refuses unsorted, repeated and infinite entries when it is made.
    assert all(value > 0 for value in document_weights(text, language=language).values)
    assert all(0 < value <= 2 for value in query_weights(text, [language]).values)


@given(ANY_TEXT, st.sampled_from(["", "en", "de", "tr", "fa", "hi", "ja", "xx"]))
def test_a_passage_is_found_by_its_own_words(text: str, language: str) -> None:
    passage = set(document_weights(text, language=language).indices)
    question = set(query_weights(text, [language]).indices)
    assert not passage or not question or passage & question


@given(st.lists(ANY_TEXT, max_size=5))
def test_no_term_reaches_over_white_space(texts: list[str]) -> None:
    # `rag.evidence` reads texts piece by piece.
    pieces = [piece for text in texts for piece in text.split()]
    assert tokenise(" ".join(pieces)) == [term for piece in pieces for term in tokenise(piece)]
