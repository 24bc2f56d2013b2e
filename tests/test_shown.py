"""What the model saw, held against what a model server really got over the wire."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from rag.shown import used_tokens
from tests.openai_server import ModelServer, Request, says
from ui.services import Services

if TYPE_CHECKING:
    from rag.types import Answer

QUESTION = "How much did spare parts cost in 2024, in million euros?"
KEY = "sk-test-0123456789abcdef"
KNOWN = "openai/gpt-4o-mini"  # in LiteLLM's list, with a price


@pytest.fixture(scope="module")
def services(sample_services: Services) -> Services:
    return sample_services


def ask(services: Services, model: str, **changes: object) -> tuple[Answer, Request]:
    plain = services.settings
    with ModelServer(says("Spare parts cost 1.7 million euros [1].")) as server:
        update = {"model": model, "api_base": server.base_url, "api_key": KEY, "vision": "on"}
        llm = type(plain.llm)(**{**plain.llm.model_dump(), **update, **changes})
        services.settings = plain.model_copy(update={"llm": llm})
        try:
            answer = services.answer(QUESTION)
        finally:
            services.settings = plain
        return answer, server.requests[-1]


def test_the_prompt_that_is_shown_is_the_one_that_was_sent(services: Services) -> None:
    answer, request = ask(services, "openai/test")

    shown = [part for part in answer.prompt if part.role == "user"]
    assert [part.text for part in shown if part.picture is None] == [
        part["text"] for part in request.parts if part["type"] == "text"
    ]
    assert answer.prompt[0].text == request.body["messages"][0]["content"]
    assert KEY not in repr(answer.prompt)


def test_pictures_are_listed_in_their_place_and_in_the_size_that_was_sent(
    services: Services,
) -> None:
    answer, request = ask(services, "openai/test")

    sent = [part["image_url"]["url"] for part in request.parts if part["type"] == "image_url"]
    data = [base64.b64decode(uri.partition(",")[2]) for uri in sent]
    shown = [part for part in answer.prompt if part.picture is not None]
    assert len(shown) == len(sent) == answer.images_sent > 0
    for part, raw in zip(shown, data, strict=True):
        assert part.picture is not None
        with Image.open(io.BytesIO(raw)) as image:
            assert (part.picture.width_px, part.picture.height_px) == image.size
        assert part.picture.size_bytes == len(raw)
        source = next(s for s in answer.sources if s.marker == part.marker)
        assert part.picture.sha256 == source.hit.item.image_sha256
        before = answer.prompt[answer.prompt.index(part) - 1]
        assert before.text.startswith(f"[{part.marker}] ")


def test_each_source_has_its_part_and_the_question_has_none(services: Services) -> None:
    answer, _ = ask(services, "openai/test")

    told = [part for part in answer.prompt if part.role == "user" and part.picture is None]
    assert [part.marker for part in told] == [*(s.marker for s in answer.sources), None]
    assert told[-1].text == f"Question: {QUESTION}"


def test_what_did_not_fit_is_listed(services: Services) -> None:
    answer, _ = ask(services, "openai/test", context_tokens=2_048, max_answer_tokens=512)

    given = {source.hit.item.id for source in answer.sources}
    assert answer.not_used
    assert not {hit.item.id for hit in answer.not_used} & given


def test_the_cost_of_a_known_model_is_estimated_and_of_another_one_unknown(
    services: Services,
) -> None:
    known, _ = ask(services, KNOWN)
    unknown, _ = ask(services, "openai/test")

    assert known.dollars is not None
    assert 0 < known.dollars < 0.01
    assert unknown.dollars is None


def test_tokens_are_those_of_the_server_or_else_estimated(services: Services) -> None:
    answer, _ = ask(services, "openai/test")
    sent, said, is_estimated = used_tokens(answer)
    assert (sent, said, is_estimated) == (
        answer.usage["prompt_tokens"],
        answer.usage["completion_tokens"],
        False,
    )

    sent, said, is_estimated = used_tokens(replace(answer, usage={}))
    assert is_estimated
    assert sent > 1_000 * answer.images_sent
    assert said > 5


def test_quotes_have_no_prompt_and_no_cost(services: Services) -> None:
    answer = services.answer(QUESTION, use_llm=False)

    assert answer.prompt == ()
    assert answer.dollars is None
