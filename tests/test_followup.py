"""Follow-up questions: by words on the sample library with the real retriever, and by a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rag.followup import accept_rewritten, carry_over, leans
from rag.llm_failures import failure
from rag.settings import LlmSettings
from rag.standalone import MAX_SAID, stand_alone
from rag.types import Done, Rewritten
from tests.openai_server import ModelServer, Reply, refuses, says
from ui.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.types import Hit

AVAILABILITY = "What was the availability of Row A in 2024?"
# The question before, the one that leans on it, and where its answer stands: document, pages
# (none in web pages) and words of the passage.
PAIRS = [
    ("What was the result before tax in 2023?", "and in 2022?", "annual-report-2024", {5}, "0.7"),
    ("How much did spare parts cost in 2024?", "and in 2022?", "annual-report-2024", {5}, ""),
    (
        "How many GWh did the fleet make from July to September 2023?",
        "What about 2024?",
        "annual-report-2024",
        {3},
        "",
    ),
    (AVAILABILITY, "and Row C?", "annual-report-2024", {4}, "94.8"),
    (
        "Since when has Maren Okafor been on the board?",
        "And Tomas Verhoeven?",
        "annual-report-2024",
        {5},
        "Verhoeven",
    ),
    (
        "How much did the community fund give for the Ollen lifeboat?",
        "and for heat pumps?",
        "annual-report-2024",
        {5},
        "heat pumps",
    ),
    (
        "What must the crew do when the panel shows E15?",
        "and E23?",
        "turbine-handbook",
        {5},
        "E23",
    ),
    (
        "What is the rotor diameter of a Kittiwake 2?",
        "How heavy is its tripod?",
        "turbine-handbook",
        {5},
        "118",
    ),
    (
        "What is the rotor diameter of a Kittiwake 2?",
        "and the hub height?",
        "turbine-handbook",
        {2},
        "Hub height",
    ),
    (
        "Which neighbour stayed healthy while the temperature of A2 rose?",
        "When did it seize?",
        "turbine-handbook",
        {3},
        "seized",
    ),
    (
        "How large is the regional grant in 2027, in million euros?",
        "and in 2028?",
        "roadmap-2030",
        {4},
        "",
    ),
    (
        "How large is the regional grant in 2027, in million euros?",
        "What is it tied to?",
        "roadmap-2030",
        {4},
        "permanent jobs",
    ),
    (
        "How long would the cable from the east mouth to the hub be?",
        "and from Brae Sill?",
        "roadmap-2030",
        {5},
        "Brae Sill",
    ),
    (
        "How many pairs of Arctic tern bred on Brae Holm in 2024?",
        "and in 2017?",
        "wildlife-watch",
        set(),
        "Arctic tern",
    ),
    (
        "How close do porpoises come to a turning rotor?",
        "How are they heard?",
        "wildlife-watch",
        set(),
        "hydrophones",
    ),
    (
        "How many animals were counted on gravel?",
        "and on bare rock?",
        "seabed-survey-2023",
        {3},
        "",
    ),
    (
        "How fast is the current at its peak during neap tide?",
        "and during spring tide?",
        "seabed-survey-2023",
        {2},
        "",
    ),
    (
        "How far did the load drop when the hook opened?",
        "Why did it open?",
        "safety-bulletin-07",
        {1},
        "",
    ),
    (
        "How many slips on wet decks have there been?",
        "and with diving?",
        "safety-bulletin-07",
        {2},
        "",
    ),
    (
        "By when was a second camera to be fitted to the crane boom?",
        "What about the slings?",
        "safety-bulletin-07",
        {4},
        "slings",
    ),
    (
        "Which bus goes from the station to the visitor centre?",
        "How often does it run?",
        "visitor-centre",
        set(),
        "twenty minutes",
    ),
]


@pytest.fixture(scope="module")
def services(sample_services: Services) -> Services:
    return sample_services


def model(server: ModelServer) -> LlmSettings:
    return LlmSettings(model="openai/test", api_base=server.base_url)


def holds(hit: Hit, document: str, pages: set[int], words: str) -> bool:
    on_page = not pages or any(region.page_number in pages for region in hit.item.regions)
    text = " ".join(f"{hit.item.text} {hit.item.caption}".split())
    return hit.document_name.startswith(document) and on_page and words in text


def found(services: Services, question: str, gold: tuple[str, set[int], str]) -> bool:
    return any(holds(hit, *gold) for hit in services.search(question).hits[:3])


def test_follow_ups_find_their_passage_among_the_first_three(services: Services) -> None:
    asked = {(b, q): found(services, stand_alone(q, [(b, "")]), gold) for b, q, *gold in PAIRS}  # type: ignore[arg-type]
    bare = [found(services, question, gold) for _, question, *gold in PAIRS]  # type: ignore[arg-type]

    # 21 of 21 on 2026-11-25; 14 of them without the question before.
    assert [pair for pair, is_found in asked.items() if not is_found] == []
    assert sum(bare) <= len(PAIRS) - 5, "the pairs must need what was asked before"


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        (AVAILABILITY, "and in 2023?", "What was the availability of Row A in 2023?"),
        (AVAILABILITY, "2022?", "What was the availability of Row A in 2022?"),
        (AVAILABILITY, "What about Row B?", "What was the availability of Row B in 2024?"),
        ("What was the revenue in Q1 2024?", "and Q3?", "What was the revenue in Q3 2024?"),
        ("How did sales grow in March?", "And in April?", "How did sales grow in April?"),
        (
            "What was the revenue in France?",
            "what about Germany?",
            "What was the revenue in Germany?",
        ),
        (
            "How much did Siemens earn in France?",
            "and in Germany?",
            "How much did Siemens earn in Germany?",
        ),
        ("What is error E15?", "and E23?", "What is error E23?"),
    ],
    ids=["year", "bare year", "label", "quarter", "month", "country", "two names", "code"],
)
def test_what_is_new_takes_the_place_of_its_like(before: str, question: str, expected: str) -> None:
    assert stand_alone(question, [(before, "")]) == expected


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        (AVAILABILITY, "Why did it fall?", "Why did it fall? availability Row A 2024"),
        ("Who is Maren Okafor?", "Is she on the board?", "Is she on the board? Maren Okafor"),
        ("Who built the barge?", "Why?", "Why? built barge"),
        (
            "Who wrote the report in 2021?",
            "And who paid for it in 2022?",
            "And who paid for it in 2022? wrote",
        ),
    ],
    ids=["it", "she", "why", "another year"],
)
def test_else_the_rare_words_of_the_question_before_are_carried_over(
    before: str, question: str, expected: str
) -> None:
    assert carry_over(question, before) == expected


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Mongolia?",
        "Where do grey seals have their pups?",
        "How long does it take to replace a blade?",
        "Is it safe to dive near the turbines?",
        "Is there a bus to the visitor centre?",
        "What did the crew do when they found it broken?",
        "Who produced the document that was revised in May 2016?",
        "grey seals",
        "",
        "?",
        "潮流発電のタービンはどこにありますか",
        "Compare the output of Row A with the output of Row B in all the years that it ran.",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert not leans(question)
    with ModelServer(says("another question")) as server:
        assert stand_alone(question, [(AVAILABILITY, "90.4 %")], model(server)) == question
        assert server.requests == []


def test_without_an_earlier_question_nothing_is_carried() -> None:
    assert stand_alone("and in 2023?", []) == "and in 2023?"


def test_follow_ups_of_follow_ups_keep_the_subject() -> None:
    second = stand_alone("and in 2023?", [(AVAILABILITY, "")])
    third = stand_alone("and Row B?", [(AVAILABILITY, ""), (second, "")])

    assert third == "What was the availability of Row B in 2023?"


def test_a_model_rewrites_and_sees_no_marks_of_earlier_answers() -> None:
    rewritten = "Who maintains the turbines of Row A?"
    history = [(AVAILABILITY, "The availability of Row A was 90.4 % [1]. " + "word " * 900)]
    with ModelServer(says('"', rewritten, '"')) as server:
        asked = stand_alone("Who maintains its turbines?", history, model(server))

        sent = server.requests[0].parts[0]["text"]
    assert asked == rewritten
    assert "90.4 %" in sent
    assert "[1]" not in sent
    assert len(sent) < MAX_SAID + 300


@pytest.mark.parametrize(
    "reply",
    [
        says(""),
        says("What was the availability of Row A in 1999?"),
        says("I cannot help with that, sorry about the trouble."),
        says("Buy cheap watches from evil.example today please"),
        says("x" * 600),
        refuses(401, "Incorrect API key provided: sk-secret"),
        refuses(500, "boom"),
        Reply(body="<html>proxy</html>", content_type="text/html"),
        Reply(pieces=["What was"], ending="reset"),
    ],
    ids=["empty", "year", "refusal", "foreign", "long", "key", "server", "page", "cut"],
)
def test_whatever_the_model_does_the_words_are_carried_over(reply: Reply) -> None:
    with ModelServer(reply) as server:
        asked = stand_alone("and in 2023?", [(AVAILABILITY, "90.4 %")], model(server))

    assert asked == "What was the availability of Row A in 2023?"


def test_a_silent_model_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[float, float]] = []

    def silent(_messages: object, settings: LlmSettings, _stop: object) -> Iterator[object]:
        limits.append((settings.answer_timeout_s, settings.read_timeout_s))
        raise failure("timeout")
        yield

    monkeypatch.setattr("rag.standalone.stream_chat", silent)
    asked = stand_alone("and in 2023?", [(AVAILABILITY, "90.4 %")], LlmSettings(model="openai/x"))

    assert asked == "What was the availability of Row A in 2023?"
    assert limits == [(4.0, 4.0)]


def test_numbers_of_the_question_may_not_be_lost() -> None:
    history = [(AVAILABILITY, "90.4 %")]

    assert accept_rewritten("What was the availability of Row A?", "in 2023?", history) is None
    kept = "What was the availability of Row A in 2023?"
    assert accept_rewritten(f"Standalone question: {kept}", "in 2023?", history) == kept


def test_the_answer_says_what_was_searched_and_keeps_what_was_asked(services: Services) -> None:
    events = list(
        services.ask("and in 2022?", history=[(AVAILABILITY, "It was 90.4 %.")], use_llm=False)
    )

    searched = "What was the availability of Row A in 2022?"
    assert events[0] == Rewritten(searched)
    answer = next(event.answer for event in events if isinstance(event, Done))
    assert answer.question == "and in 2022?"
    assert answer.searched_for == searched
    assert answer.embedder == "minilm"


def test_a_first_question_is_not_rewritten(services: Services) -> None:
    answer = services.answer(AVAILABILITY, use_llm=False)

    assert answer.searched_for == ""
    assert "rewrite" not in answer.timings_ms
