"""When Folio says no, on real documents: sample library here, the dev PDFs under `soak`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.quotes import Labelled, holds_fact, read_figures_dev, read_sample, shows_figure, strays
from bench.refusal import ask, read, scores
from rag.settings import EmbedSettings, Settings, StoreSettings
from rag.types import Scope
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.types import Answer

SAMPLE = Path(__file__).parent.parent / "sample_data"
OF_NO_DOCUMENT = (
    "What is the capital of Mongolia?",
    "Best chocolate cake recipe",
    "Who wrote Hamlet?",
    "What are the symptoms of the flu?",
    "How long should I boil an egg?",
    "translate hello into Spanish",
)


def opened(folder: Path, files: Sequence[Path]) -> Services:
    services = build(
        Settings(
            data_dir=folder,
            embed=EmbedSettings(model="minilm"),
            store=StoreSettings(reserve_mb=0),
        )
    )
    for path in files:
        admitted = services.pipeline.admit(path.name, path.read_bytes(), asset_dir=path.parent)
        services.pipeline.run(admitted.document.id)
    return services


@pytest.fixture(scope="module")
def services(sample_services: Services) -> Services:
    return sample_services


@pytest.fixture(scope="module")
def answers(services: Services) -> list[tuple[Labelled, Answer]]:
    """Every question of the sample, answered over all its documents without a model."""
    questions = read_sample(SAMPLE)
    return [(one, services.answer(one.text, use_llm=False)) for one in questions]


def test_every_answer_of_the_sample_is_quoted_or_its_figure_is_shown(
    answers: list[tuple[Labelled, Answer]],
) -> None:
    missed = [
        one.id
        for one, answer in answers
        if one.is_answerable
        and (answer.abstained or not (holds_fact(answer.text, one) or is_shown(answer, one)))
    ]
    assert missed == []


def is_shown(answer: Answer, one: Labelled) -> bool:
    return one.may_show and shows_figure([source.hit for source in answer.sources], one)


def test_what_the_sample_does_not_say_is_refused(answers: list[tuple[Labelled, Answer]]) -> None:
    answered = [one.id for one, a in answers if not one.is_answerable and not a.abstained]
    # "Which company makes the main bearing?": all its words but one stand side by side.
    assert set(answered) <= {"s45"}


def test_all_that_is_quoted_of_the_sample_stands_in_its_source(
    answers: list[tuple[Labelled, Answer]],
) -> None:
    assert [
        words for _, answer in answers if not answer.abstained for words in strays(answer)
    ] == []


@pytest.mark.parametrize("question", OF_NO_DOCUMENT)
def test_what_no_document_is_about_is_refused_with_the_closest_passages(
    services: Services, question: str
) -> None:
    answer = services.answer(question, use_llm=False)
    assert answer.abstained
    assert answer.sources


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What does Figure 9 show?", "There is no Figure 9 in annual-report-2024.pdf."),
        ("What is told on page 300?", "There is no page 300 in annual-report-2024.pdf."),
    ],
)
def test_a_figure_or_page_that_is_not_there_is_said_to_be_missing(
    services: Services, question: str, said: str
) -> None:
    document = services.find("annual-report-2024.pdf")[0]
    answer = services.answer(question, documents=(document.id,), use_llm=False)
    assert answer.abstained
    assert said in answer.notes


@pytest.mark.parametrize("question", ["What does Figure 2 show?", "What is told on page 3?"])
def test_a_figure_or_page_that_is_there_is_evidence(services: Services, question: str) -> None:
    document = services.find("annual-report-2024.pdf")[0]
    found = services.search(question, scope=Scope(documents=(document.id,)))
    assert found.has_evidence
    assert found.notes == ()


@pytest.fixture(scope="module")
def dev(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Services, Path]]:
    evaldata = shared / "evaldata"
    pdfs = sorted((evaldata / "mmlongbench_dev" / "pdfs").glob("*.pdf"))
    made = opened(tmp_path_factory.mktemp("dev"), pdfs)
    yield made, evaldata
    made.close()


@pytest.mark.soak
def test_facts_of_the_dev_pdfs_are_quoted_and_figures_shown(dev: tuple[Services, Path]) -> None:
    services, evaldata = dev
    ids = {document.name: document.id for document in services.documents()}
    facts, figures = [], []
    for one in read_figures_dev(evaldata / "figures_dev"):
        answer = services.answer(one.text, documents=(ids[one.document],), use_llm=False)
        assert answer.abstained or strays(answer) == []
        if one.needs_figure:
            figures.append(shows_figure([source.hit for source in answer.sources], one))
        elif one.is_answerable:
            facts.append(not answer.abstained and holds_fact(answer.text, one))
    assert sum(facts) >= 0.8 * len(facts)
    assert all(figures)


@pytest.mark.soak
def test_refusals_on_the_dev_pdfs_are_right_more_often_than_not(dev: tuple[Services, Path]) -> None:
    services, evaldata = dev
    asked = ask(services, read(evaldata / "mmlongbench_dev" / "questions.jsonl"), inside=True)
    precision, recall, _ = scores([one.refused for one in asked], asked)
    assert precision >= 0.6
    assert recall >= 0.5


def test_the_measure_of_a_fact_keeps_numbers_whole() -> None:
    one = Labelled(
        id="a", text="", document="a.pdf", answers=(("73%",), ("2,015",)), pages=(1,), boxes=(),
        is_answerable=True, needs_figure=False, may_show=False,
    )  # fmt: skip
    assert holds_fact("It was 73 % then. [1]", one)
    assert holds_fact("Of 2015 adults [2]", one)
    assert not holds_fact("It was 173 % or 0.73. [73]", one)
