"""Questions made from documents: masked, unique, spread, the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from evals.cells import Cell, cells_of
from evals.phrases import fragments_of, longest_run, without_term
from evals.questions import MAX_QUESTIONS, MAX_RUN, MadeQuestion, make_questions
from evals.trial_record import to_line, to_question
from rag.keywords import content_words
from tests.library_items import make_document, make_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Document, Item

REPORT = make_document()
GEARBOX = "The gearbox oil of the north turbine is sampled by two divers in the second week of May."
FERRY = "A small ferry carries the visitors of the harbour to the old lighthouse on the skerry."
TABLE = (
    "| Part | Interval | Keeper |\n|---|---|---|\n| Shaft seal | 8 years | Ingrid |\n"
    "| Brake pads | 2 years | Petter |"
)


def ask(*documents: tuple[Document, Sequence[Item]], **options: int) -> list[MadeQuestion]:
    return make_questions(lambda: iter(documents), **options)


def test_a_sentence_is_asked_for_in_part_and_without_its_rarest_word() -> None:
    (question,) = ask((REPORT, [make_item(REPORT, GEARBOX)]))

    assert (question.kind, question.way, question.pages) == ("text", "sentence", (1,))
    assert longest_run(question.text, GEARBOX) <= MAX_RUN
    asked, there = set(content_words(question.text)), set(content_words(GEARBOX))
    assert asked < there
    assert question.answer == GEARBOX


def test_a_caption_is_asked_for_without_its_number_and_its_rarest_word() -> None:
    caption = "Figure 3. Annual output of the sluice gates"
    elsewhere = [
        make_item(REPORT, "Annual output: see below.", page=2),
        make_item(REPORT, "The gates are painted.", page=3),
    ]
    figure = make_item(REPORT, caption, kind="figure", caption=caption, number="Figure 3")

    (question,) = ask((REPORT, [*elsewhere, figure]))

    assert (question.kind, question.way) == ("figure", "caption")
    assert "3" not in question.text
    assert "Figure" not in question.text
    assert "sluice" not in question.text
    assert question.text == "Annual output gates"


def test_a_cell_is_asked_for_by_row_and_column_and_never_by_its_value() -> None:
    questions = ask((REPORT, [make_item(REPORT, TABLE, kind="table")]))

    assert {question.way for question in questions} == {"cell"}
    assert len(questions) == 2
    for question in questions:
        assert question.answer in TABLE
        assert question.answer.casefold() not in question.text.casefold()
        assert any(name in question.text for name in ("Shaft seal", "Brake pads"))


def test_a_sentence_that_stands_twice_is_never_asked_for() -> None:
    other = make_document("copy.pdf")
    unique = make_item(REPORT, FERRY, page=2)

    questions = ask(
        (REPORT, [make_item(REPORT, GEARBOX), unique]), (other, [make_item(other, GEARBOX)])
    )

    assert [question.item_id for question in questions] == [unique.id]


def test_words_that_also_stand_on_another_page_make_no_question() -> None:
    mixed = make_item(REPORT, f"{FERRY} {GEARBOX}", page=3)

    assert ask((REPORT, [make_item(REPORT, GEARBOX), mixed])) == []


def test_the_same_page_counts_as_one_place() -> None:
    caption = "Annual output of the sluice gates"
    figure = make_item(REPORT, caption, kind="figure", caption=caption)
    beside = make_item(REPORT, f"Nearby: {caption}", page=1)

    assert [question.item_id for question in ask((REPORT, [figure, beside]))] == [figure.id]


def _sentence(sign: str) -> str:
    return (
        f"The harbour{sign} master{sign} counts the ships{sign} of pier{sign} before the"
        f" tide{sign} turns{sign} around the lamp{sign} and the quay{sign} of the row{sign}."
    )


def _many(count: int) -> list[tuple[Document, list[Item]]]:
    documents = []
    for number in range(count):
        document = make_document(f"{number}.pdf")
        items = [make_item(document, _sentence(f"{number}p{p}"), page=p) for p in range(1, 9)]
        documents.append((document, items))
    return documents


def test_questions_are_spread_over_documents_and_pages() -> None:
    questions = ask(*_many(10), limit=40)

    assert len(questions) == 40
    per_document = [sum(q.document_name == f"{n}.pdf" for q in questions) for n in range(10)]
    assert set(per_document) == {4}
    assert len({(q.document_id, q.pages) for q in questions}) == 40


def test_there_are_never_more_than_sixty_and_ids_are_distinct() -> None:
    questions = ask(*_many(20))

    assert len(questions) == MAX_QUESTIONS
    assert len({question.id for question in questions}) == MAX_QUESTIONS


def test_the_same_seed_asks_the_same_and_another_one_asks_otherwise() -> None:
    documents = _many(12)

    assert ask(*documents, limit=20) == ask(*documents, limit=20)
    assert ask(*documents, limit=20) != ask(*documents, limit=20, seed=1)


@pytest.mark.parametrize(
    "text",
    [
        "Die Wartung der Wellendichtung dauert im Winter länger als der Tausch der Bremsbeläge.",
        "La révision du joint d'arbre demande plus de patience que le remplacement des freins.",
        "風力発電所の整備員は毎年春に海底ケーブルの状態を点検する。",
        "海底电缆的检查工作由维护人员在每年春季完成，并提交给董事会。",
    ],
    ids=["de", "fr", "ja", "zh"],
)
def test_other_languages_are_asked_in_their_own_words(text: str) -> None:
    (question,) = ask((REPORT, [make_item(REPORT, text)]))

    assert set(content_words(question.text)) < set(content_words(text))


@pytest.mark.parametrize(
    "items",
    [[], [""], ["."], ["the of and to in is it"], ["12 13 14 15 16. 17 18"], ["| | |\n|---|---|"]],
    ids=["none", "empty", "stop", "stop words", "numbers", "bare table"],
)
def test_documents_without_anything_to_ask_give_no_question(items: list[str]) -> None:
    made = [make_item(REPORT, text, kind=kind) for text in items for kind in ("text", "table")]  # type: ignore[arg-type]

    assert ask((REPORT, made)) == []


def test_an_empty_library_gives_no_question() -> None:
    assert ask() == []


@pytest.mark.parametrize("page", [4, None], ids=["page", "page-less"])
def test_a_question_comes_back_from_its_line(page: int | None) -> None:
    (question,) = ask((REPORT, [make_item(REPORT, GEARBOX, page=page)]))

    line = to_line(question)

    assert to_question(line) == question
    assert line["pages"] == ([4] if page else [])
    assert ("anchor_text" in line) == (page is None)


def test_fragments_do_not_cut_a_run_of_telling_words() -> None:
    text = "They are joined by a short export cable, then by two long lines of the harbour crew."

    pieces = fragments_of(text, common=(), counts={}, most=2)

    assert pieces == ["short export cable", "long lines"]


def test_a_word_goes_with_the_small_words_that_lead_to_it() -> None:
    assert without_term("Near misses told by the crews since 2019", "crew") == (
        "Near misses told since 2019"
    )


def test_names_that_stand_twice_in_a_table_name_nothing() -> None:
    twice = "| Part | Size | Size |\n|---|---|---|\n| Bolt | 4 | 5 |\n| Nuts | 8 | 9 |"
    again = "| Part | Size |\n|---|---|\n| Bolt | 4 |\n| Bolt | 8 |"

    assert cells_of(twice) == cells_of(again) == []
    assert cells_of("| Part | Size |\n|---|---|\n| Bolt \\| nut | 4 |") == [
        Cell(row="Bolt | nut", column="Size", value="4")
    ]
