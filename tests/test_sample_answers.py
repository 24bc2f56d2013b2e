"""The whole path on the sample library: real parsing, real MiniLM, real engine."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rag.types import PICTURES, WORDS, Hit, Scope
from tests.openai_server import ModelServer, says
from ui.services import Services

if TYPE_CHECKING:
    pass

SAMPLE = Path(__file__).parent.parent / "sample_data"
QUESTIONS = [
    json.loads(line)
    for line in (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [question for question in QUESTIONS if question["kind"] == kind]


@pytest.fixture(scope="module")
def services(sample_services: Services) -> Services:
    return sample_services


def holds(hit: Hit, question: dict[str, Any]) -> bool:
    """Whether a hit stands where the answer is."""
    if hit.document_name != question["doc"]:
        return False
    if question["pages"]:
        return any(r.page_number in question["pages"] for r in hit.item.regions)
    words = " ".join(f"{hit.item.text} {hit.item.caption}".split())
    return question["anchor_text"] in words or question["answer"] in words


def shows(hit: Hit, question: dict[str, Any]) -> bool:
    """Whether a hit is the picture that answers: half of either box lies in the other."""
    if hit.item.kind not in (*PICTURES, "table") or not holds(hit, question):
        return False
    gold = question["regions"]
    return not gold or any(
        overlap(region.bbox, box["bbox"]) >= 0.5
        for region in hit.item.regions
        for box in gold
        if region.page_number == box["page"]
    )


def overlap(one: tuple[float, ...], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return max(0.0, width) * max(0.0, height) / min(areas)


def test_every_sample_document_is_ready(services: Services) -> None:
    assert {document.state for document in services.documents()} == {"ready"}
    assert len(services.documents()) >= 6


def test_figure_questions_find_their_figure_among_the_first_five(services: Services) -> None:
    questions = of_kind("figure")
    found = [
        any(shows(hit, q) for hit in services.search(q["question"]).hits[:5]) for q in questions
    ]
    assert sum(found) / len(found) >= 0.85, [
        q["question"] for q, ok in zip(questions, found, strict=True) if not ok
    ]


@pytest.mark.parametrize("kind", ["text", "table"])
def test_the_right_passage_is_among_the_first_three(services: Services, kind: str) -> None:
    questions = of_kind(kind)
    found = [
        any(holds(hit, q) for hit in services.search(q["question"]).hits[:3]) for q in questions
    ]
    # 14 of 15 text questions on 2026-11-25: one passage about a lift stands behind two figures
    # of the same lift.
    assert sum(found) / len(found) >= 0.93, [
        q["question"] for q, ok in zip(questions, found, strict=True) if not ok
    ]


def test_answers_quote_word_for_word_and_cite_what_they_quote(services: Services) -> None:
    for question in of_kind("text")[:6] + of_kind("table")[:3]:
        answer = services.answer(question["question"])
        assert answer.mode == "extractive"
        assert answer.citations
        markers = {source.marker for source in answer.sources}
        for citation in answer.citations:
            assert citation.marker in markers
            assert " ".join(citation.quote.split()) in " ".join(citation.hit.item.text.split())


def test_the_figure_is_shown_in_the_answer(services: Services) -> None:
    questions = of_kind("figure")
    shown = [
        any(shows(source.hit, q) for source in services.answer(q["question"]).sources)
        for q in questions
    ]
    assert sum(shown) / len(shown) >= 0.8


def test_a_question_about_something_else_is_refused(services: Services) -> None:
    for question in ("What is the capital of Mongolia?", "Best chocolate cake recipe"):
        answer = services.answer(question)
        assert answer.abstained
        assert not answer.citations
        assert answer.sources  # the closest passages are still listed


@pytest.mark.parametrize("question", ["", "   ", "?"], ids=["empty", "spaces", "mark"])
def test_an_empty_question_finds_nothing_and_breaks_nothing(
    services: Services, question: str
) -> None:
    assert services.answer(question).abstained


@pytest.mark.parametrize(
    "question",
    ["潮流発電のタービンはどこにありますか", "Где стоят турбины?", "tide " * 2_000],
    ids=["japanese", "russian", "ten thousand characters"],
)
def test_an_odd_question_gets_an_answer_or_a_refusal(services: Services, question: str) -> None:
    answer = services.answer(question)
    assert answer.error is None
    assert answer.text


def test_the_same_question_twice_is_answered_the_same(services: Services) -> None:
    question = of_kind("table")[0]["question"]
    assert services.answer(question).text == services.answer(question).text


def test_a_scope_keeps_to_its_document(services: Services) -> None:
    document = services.find("turbine-handbook.pdf")[0]
    hits = services.search("output of the fleet", scope=Scope(documents=(document.id,))).hits
    assert {hit.item.document_id for hit in hits} == {document.id}


@pytest.mark.parametrize(
    ("group", "kinds"), [("words", WORDS), ("pictures", PICTURES)], ids=["words", "pictures"]
)
def test_one_group_can_be_asked_for(services: Services, group: Any, kinds: tuple[str, ...]) -> None:
    hits = services.search("rotor", scope=Scope(group=group)).hits
    assert hits
    assert {hit.item.kind for hit in hits} <= set(kinds)


def test_a_figure_called_by_its_number_comes_first(services: Services) -> None:
    document = services.find("turbine-handbook.pdf")[0]
    found = services.search("What is in Figure 4?", scope=Scope(documents=(document.id,)))
    assert found.hits[0].item.number == "Figure 4"
    assert found.hits[0].why == "named"


def test_hits_are_calibrated_and_explained(services: Services) -> None:
    hits = services.search("How much did spare parts cost in 2024?").hits
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    for hit in hits:
        assert hit.legs
        if hit.item.regions:
            x0, y0, x1, y1 = hit.item.regions[0].bbox
            width, height = hit.page_size or (0, 0)
            assert 0 <= x0 < x1 <= width + 1
            assert 0 <= y0 < y1 <= height + 1


def test_a_model_gets_numbered_sources_each_picture_after_its_label(services: Services) -> None:
    with ModelServer(says("Spare parts cost 1.9 million euros [1].")) as server:
        llm = services.settings.llm.model_copy(
            update={"model": "openai/test", "api_base": server.base_url, "vision": "on"}
        )
        services.settings = services.settings.model_copy(update={"llm": llm})
        try:
            answer = services.answer("How much did spare parts cost in 2024, in million euros?")
        finally:
            plain = llm.model_copy(update={"model": None, "api_base": None})
            services.settings = services.settings.model_copy(update={"llm": plain})
    assert answer.mode == "llm"
    assert [citation.marker for citation in answer.citations] == [1]
    assert answer.images_sent >= 1
    parts = server.requests[0].body["messages"][-1]["content"]
    for before, part in pairwise(parts):
        if part["type"] == "image_url":
            assert before["type"] == "text"
            assert before["text"].startswith("[")


def test_page_pictures_are_drawn_and_kept(services: Services) -> None:
    document = services.find("annual-report-2024.pdf")[0]
    png = services.page_picture(document.id, 1)
    assert png.startswith(b"\x89PNG")
    assert services.page_picture(document.id, 1) == png


def test_a_web_page_has_a_reader_view_with_the_anchors_of_its_hits(services: Services) -> None:
    document = services.find("wildlife-watch.html")[0]
    anchors = {block.anchor for block in services.blocks(document.id)}
    hits = services.search("grey seals", scope=Scope(documents=(document.id,))).hits
    assert hits
    assert {hit.item.anchor for hit in hits} <= anchors


def test_suggestions_are_questions_of_the_sample(services: Services) -> None:
    asked = {question["question"] for question in QUESTIONS}
    suggested = services.suggestions()
    assert [one.kind for one in suggested] == [
        "text", "figure", "table", "unanswerable", "picture",
    ]  # fmt: skip
    assert {one.question for one in suggested if one.kind != "picture"} <= asked


def test_a_rebuilt_index_gives_the_same_hits(services: Services) -> None:
    question = "What was the availability of Row A in 2024?"
    before = [hit.item.id for hit in services.search(question).hits]
    _, embedder, points = services.reindex(services.settings.embed)
    assert embedder == "minilm"
    assert points > 50
    assert [hit.item.id for hit in services.search(question).hits] == before
