"""One sentence against its sources: dates, names and shared words."""

from __future__ import annotations

import pytest

from rag.citations import resolve_citations
from rag.claims import DATE_MISSING, FEW_WORDS, NAME_MISSING, NUMBER_MISSING
from rag.types import Source, Unsupported
from tests.fakes import make_hit

TEXT = (
    "The plant of Veyra Tidal at Ollen was opened on 3 May 2021 by Ida Falk of Norway. "
    "Machine C4 was repaired in March 2022 for the European Union. "
    "The chief executive officer praised the quick work of the crew on the quay."
)
GERMAN = (
    "Das Kraftwerk wurde am 3. Mai 2021 von Ida Falk eröffnet. Die Anlage speist seitdem Strom "
    "in das Netz der Stadt ein und wird von der Werft in Ollen gewartet."
)


def check(sentence: str, text: str = TEXT, question: str = "") -> Unsupported | None:
    source = Source(marker=1, hit=make_hit(text))
    found = resolve_citations(f"{sentence} [1]", [source], question).unsupported
    return found[0] if found else None


@pytest.mark.parametrize(
    "sentence",
    [
        "Ida Falk opened the plant at Ollen on May 3, 2021.",
        "The plant at Ollen was opened on 2021-05-03.",
        "The plant was opened in May 2021.",
        "The plant was opened on 3 May.",
        "Machine C4 was repaired in March.",
        "The EU had machine C4 repaired in 2022.",
        "The CEO praised the crew on the quay.",
        "The Norwegian Ida Falk opened the plant at Ollen.",
        "The opening of Veyra's plant was on 3 May 2021.",
        "**Opening Day:** the plant at Ollen was opened in 2021.",
    ],
)
def test_what_the_source_says_in_other_words_is_not_doubted(sentence: str) -> None:
    assert check(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("The plant was opened on 4 May 2021.", f"{DATE_MISSING}: 4 May 2021"),
        ("The plant was opened on 3 June 2021.", f"{DATE_MISSING}: 3 June 2021"),
        ("The plant was opened on 3 May 2022.", f"{DATE_MISSING}: 3 May 2022"),
        ("Machine C4 was repaired in April 2022.", f"{DATE_MISSING}: April 2022"),
        ("The plant was opened by Ida Holm of Norway.", f"{NAME_MISSING}: Holm"),
        ("The plant at Olsen was opened in 2021.", f"{NAME_MISSING}: Olsen"),
        ("The repair of machine C5 was quick.", f"{NAME_MISSING}: C5"),
        ("The plant was opened by Ida Falk of Denmark.", f"{NAME_MISSING}: Denmark"),
        (
            "The 7 plants were opened on 4 May 2021 by Olsen.",
            f"{NUMBER_MISSING}: 7; {DATE_MISSING}: 4 May 2021; {NAME_MISSING}: Olsen",
        ),
    ],
)
def test_a_wrong_date_or_name_is_named(sentence: str, reason: str) -> None:
    doubt = check(sentence)
    assert doubt is not None
    assert (doubt.reason, doubt.doubt) == (reason, "missing")


def test_a_name_of_the_question_is_not_a_claim_of_the_answer() -> None:
    sentence = "There is nothing on Olsen, only on the plant at Ollen."
    assert check(sentence, question="Who is Olsen?") is None
    assert check(sentence) is not None


def test_german_nouns_are_not_names_but_people_are() -> None:
    assert check("Die Eröffnung der Anlage durch Ida Falk war am 3. Mai 2021.", GERMAN) is None
    doubt = check("Die Anlage wurde am 3. Mai 2021 von Ida Holm eröffnet.", GERMAN)
    assert doubt is not None
    assert doubt.reason == f"{NAME_MISSING}: Holm"


def test_a_sentence_of_other_words_is_weakly_supported() -> None:
    doubt = check("Visitors bring sandwiches because the canteen closes early most evenings.")
    assert doubt is not None
    assert (doubt.reason, doubt.doubt) == (FEW_WORDS, "weak")


def test_words_far_apart_in_a_source_do_not_add_up() -> None:
    filler = " ".join(f"Nothing much happens on floor {n} all day." for n in range(9))
    text = (
        f"The copper kettle whistles. {filler} Sailors mend torn nets. {filler} Goats eat thistles."
    )
    doubt = check("Copper goats mend whistles while sailors eat thistles.", text)
    assert doubt is not None
    assert doubt.doubt == "weak"


def test_a_sentence_in_another_language_is_not_called_weak() -> None:
    sentence = "Die Anlage wurde im Mai 2021 von der Frau aus dem Norden feierlich eingeweiht."
    assert check(sentence) is None
