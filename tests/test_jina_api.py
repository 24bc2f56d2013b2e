"""The hosted Jina model against a real HTTP server on loopback."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from pydantic import SecretStr

from rag.embed.catalogue import JINA_API
from rag.embed.jina_api import JinaApi
from rag.embed.jina_hosted import PICTURES_A_REQUEST, TEXTS_A_REQUEST, HostedJina
from rag.embed.load import identity_of, is_cached, licence_notice, load_embedder
from rag.embed.once import embed_for_cli
from rag.embed.wordpiece import count_tokens
from rag.errors import ConfigError, EmbedError, EmbedUnavailableError
from rag.settings import EmbedSettings
from tests.jina_server import (
    JinaServer,
    Reply,
    Request,
    answers,
    embeds,
    embeds_in_another_order,
    refuses,
    rows_for,
    vector_of,
)
from tests.openai_server import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jina_server import Script

KEY = "jina_not-a-real-key"


def settings(base: str, **changes: Any) -> EmbedSettings:
    return EmbedSettings(model="jina-api", api_base=base, api_key=SecretStr(KEY), **changes)


class Client:
    """The model at a server, with every pause written down and none of them made."""

    def __init__(self, base: str, *, dim: int = 64, timeout_s: float = 20.0) -> None:
        self.waits: list[float] = []
        api = JinaApi(base=base, key=SecretStr(KEY), timeout_s=timeout_s, sleep=self.waits.append)
        self.model = HostedJina(api, dim=dim)


def tell(*scripts: Script) -> tuple[Client, JinaServer]:
    """One passage given to a server with a script."""
    with JinaServer(*scripts) as server:
        client = Client(server.base_url)
        client.model.embed_texts(["bread"], question=False)
    return client, server


def test_texts_and_pictures_of_one_embedder_share_a_space(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with JinaServer() as server:
        embedder = load_embedder(settings(server.base_url))
        assert embedder.pictures is not None
        (question,) = embedder.pictures.embed_queries(["a red circle"])
        red, grey = Image.new("RGB", (40, 40), "red"), Image.new("RGB", (40, 40), "grey")
        vectors = embedder.pictures.embed_images([red, grey])
        calls = len(server.requests)

    assert embedder.joint
    assert embedder.text.dim == embedder.pictures.dim == vectors.shape[1] == 1024
    assert vectors[0] @ question > vectors[1] @ question
    assert embedder.identity == identity_of(settings(server.base_url))
    assert calls == 7 + 2  # the self-check's, and the two above
    assert KEY not in caplog.text + repr(embedder) + embedder.identity


def test_a_request_is_as_the_service_wants_it() -> None:
    with JinaServer() as server:
        model = Client(server.base_url).model
        model.embed_texts(["bread"], question=True)
        model.embed_texts(["flour"], question=False)
        asked, told = server.requests

    assert (asked.path, asked.headers["authorization"]) == ("/v1/embeddings", f"Bearer {KEY}")
    common = {
        "model": "jina-clip-v2",
        "dimensions": 64,
        "normalized": True,
        "embedding_type": "float",
    }
    assert asked.body == common | {"input": [{"text": "bread"}], "task": "retrieval.query"}
    assert told.body == common | {"input": [{"text": "flour"}]}


def test_texts_go_in_batches_and_keep_their_order() -> None:
    texts = [f"word{place}" for place in range(TEXTS_A_REQUEST + 3)]
    with JinaServer() as server:
        vectors = Client(server.base_url).model.embed_texts(texts, question=False)
        sizes = [len(request.inputs) for request in server.requests]

    assert sizes == [TEXTS_A_REQUEST, 3]
    for text, vector in zip(texts, vectors, strict=True):
        wanted = vector_of({"text": text}, {"dimensions": 64})
        np.testing.assert_allclose(vector, wanted, atol=1e-6)


def test_rows_in_another_order_are_put_back() -> None:
    texts = ["bread", "flour", "salt"]
    vectors = []
    for script in (embeds, embeds_in_another_order):
        with JinaServer(script) as server:
            vectors.append(Client(server.base_url).model.embed_texts(texts, question=False))

    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_pictures_are_shrunk_before_they_leave_and_keep_their_order() -> None:
    colours = ["red", "grey", "black", "red", "white"]
    images = [Image.new("RGB", (1200, 900), colour) for colour in colours]
    with JinaServer() as server:
        vectors = Client(server.base_url).model.embed_pictures(images)
        sizes = [[picture.size for picture in request.pictures] for request in server.requests]

    assert sizes == [[(682, 512)] * PICTURES_A_REQUEST, [(682, 512)]]
    np.testing.assert_array_equal(vectors[0], vectors[3])
    assert vectors[0] @ vectors[1] < 0.9


def test_a_small_picture_is_sent_as_it_is_and_a_ruler_without_its_ends() -> None:
    with JinaServer() as server:
        images = [Image.new("RGB", (40, 30)), Image.new("RGB", (6000, 1000))]
        Client(server.base_url).model.embed_pictures(images)
        small, ruler = server.requests[0].pictures

    assert small.size == (40, 30)
    assert ruler.size == (2048, 512)


def test_a_long_text_is_cut_before_it_is_sent() -> None:
    with JinaServer() as server:
        model = Client(server.base_url).model
        model.embed_texts(["bread " * 900], question=True)
        (sent,) = server.requests[0].inputs

    assert 480 < count_tokens(sent["text"]) < JINA_API.text_cap
    assert model.count_tokens(["bread " * 900], question=False) == [902]


def test_vectors_are_made_unit_length_here() -> None:
    def doubled(request: Request) -> Reply:
        rows = rows_for(request)
        rows[0]["embedding"] = [2 * number for number in rows[0]["embedding"]]
        return answers(rows)

    with JinaServer(doubled) as server:
        (vector,) = Client(server.base_url).model.embed_texts(["bread"], question=False)

    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_a_busy_service_is_asked_again_after_the_time_it_names() -> None:
    client, server = tell(refuses(429, retry_after="3"), refuses(503), Reply(hang_up=True), embeds)

    assert client.waits == [3.0, 2.0, 4.0]
    assert len(server.requests) == 4


def test_a_service_that_says_0_seconds_is_not_flooded() -> None:
    client, _ = tell(refuses(429, retry_after="0"), refuses(429, retry_after="0"), embeds)

    assert client.waits == [1.0, 2.0]


@pytest.mark.parametrize(("question", "waits"), [(True, 3), (False, 6)], ids=["asked", "told"])
def test_a_service_busy_for_ever_is_given_up_on_with_a_way_out(question: bool, waits: int) -> None:
    with JinaServer(refuses(429)) as server:
        client = Client(server.base_url)
        with pytest.raises(EmbedUnavailableError, match=r"too busy or broken \(429\)") as caught:
            client.model.embed_texts(["bread"], question=question)

    assert caught.value.retryable
    assert caught.value.kind == "embed_unavailable"
    assert client.waits == [2.0**n for n in range(waits)]
    assert len(server.requests) == waits + 1


def test_a_wait_longer_than_anybody_s_patience_is_not_begun() -> None:
    with JinaServer(refuses(429, retry_after="3600")) as server:
        client = Client(server.base_url)
        with pytest.raises(EmbedUnavailableError):
            client.model.embed_texts(["bread"], question=False)

    assert client.waits == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not accept the key .* JINA_API_KEY"),
        (403, "does not accept the key .* JINA_API_KEY"),
        (402, "has no credit left"),
        (400, "refused the request .400: echo .*FOLIO_EMBED__API_BASE"),
        (404, "refused the request .404: echo"),
        (302, "refused the request .302: echo"),
    ],
)
def test_a_refusal_is_one_sentence_without_the_key(status: int, words: str) -> None:
    with JinaServer(refuses(status, f"echo {KEY} " + "x" * 500)) as server:
        client = Client(server.base_url)
        with pytest.raises(EmbedError, match=words) as caught:
            client.model.embed_texts(["bread"], question=False)

    assert KEY not in str(caught.value)
    assert len(str(caught.value)) < 450
    assert not caught.value.retryable
    assert len(server.requests) == 1


def test_a_refusal_that_lists_the_inputs_does_not_repeat_them() -> None:
    with JinaServer(refuses(422, [{"loc": ["input"], "input": "a private passage"}])) as server:
        client = Client(server.base_url)
        with pytest.raises(EmbedError, match=r"refused the request \(422\)") as caught:
            client.model.embed_texts(["a private passage"], question=False)

    assert "private" not in str(caught.value)


def _without_last(request: Request) -> Reply:
    return answers(rows_for(request)[:-1])


def _one_twice(request: Request) -> Reply:
    first, _ = rows_for(request)
    return answers([first, first])


def _short(request: Request) -> Reply:
    rows = rows_for(request)
    return answers([row | {"embedding": row["embedding"][:-1]} for row in rows])


def _filled(number: float) -> Script:
    def fill(request: Request) -> Reply:
        return answers([row | {"embedding": [number] * 64} for row in rows_for(request)])

    return fill


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (_without_last, "holds 1 vectors for 2 inputs"),
        (_one_twice, "holds 2 vectors for 2 inputs"),
        (_short, "has vectors of 63 numbers instead of 64"),
        (_filled(float("nan")), "holds a vector without a direction"),
        (_filled(float("inf")), "holds a vector without a direction"),
        (_filled(0.0), "holds a vector without a direction"),
        (Reply(body="<html>"), "is not in the agreed form"),
        (Reply(body='{"data": [{"index": 0}]}'), "is not in the agreed form"),
        (Reply(body='{"data": [{"index": 0, "embedding": "AAAA"}]}'), "is not in the agreed form"),
    ],
    ids=["missing", "twice", "short", "nan", "infinite", "zero", "html", "no vector", "base64"],
)
def test_an_answer_that_is_no_set_of_vectors_is_refused(script: Script, words: str) -> None:
    with JinaServer(script) as server:
        client = Client(server.base_url)
        with pytest.raises(EmbedError, match=words):
            client.model.embed_texts(["bread", "flour"], question=False)


def test_a_silent_service_is_left_after_the_time_that_is_set() -> None:
    with JinaServer(Reply(silence=True)) as server:
        client = Client(server.base_url, timeout_s=0.1)
        with pytest.raises(EmbedUnavailableError, match=r"did not answer within 0\.1 s"):
            client.model.embed_texts(["bread"], question=True)

    assert client.waits == []


def test_nobody_at_the_address_is_one_sentence_with_its_host() -> None:
    port = free_port()
    client = Client(f"http://127.0.0.1:{port}/v1")

    with pytest.raises(EmbedUnavailableError, match=rf"127\.0\.0\.1:{port} .* \(no answer\)"):
        client.model.embed_texts(["bread"], question=True)


@pytest.mark.parametrize("key", [None, ""], ids=["none", "empty"])
def test_without_a_key_nothing_is_asked_and_the_model_is_not_there(key: str | None) -> None:
    with JinaServer() as server:
        bare = settings(server.base_url).model_copy(
            update={"api_key": None if key is None else SecretStr(key)}
        )
        for refuse in (load_embedder, identity_of, embed_for_cli):
            with pytest.raises(ConfigError, match="Set JINA_API_KEY"):
                refuse(bare)
        assert not is_cached(JINA_API, bare)
        assert server.requests == []


def test_with_a_key_the_identity_is_known_without_asking() -> None:
    with JinaServer() as server:
        known = settings(server.base_url)
        line = identity_of(known)
        assert is_cached(JINA_API, known)
        assert server.requests == []

    assert line.startswith("jina-api|jina-clip-v2@127.0.0.1:")
    assert KEY not in line
    assert "\n" not in line


def test_another_address_or_length_is_another_identity() -> None:
    lines = {
        identity_of(settings("https://api.jina.ai/v1")),
        identity_of(settings("https://example.org/v1")),
        identity_of(settings("https://api.jina.ai/v1", dims=64)),
    }
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"api_base": "api.jina.ai/v1"}, "must be an address"),
        ({"api_base": "ftp://api.jina.ai"}, "must be an address"),
        ({"api_base": "https://me:secret@api.jina.ai"}, "Leave user and password out"),
        ({"api_key": SecretStr("jina\nkey")}, "holds a space or a letter that no key has"),
        ({"api_key": SecretStr("jina_ключ")}, "holds a space or a letter that no key has"),
        ({"dims": 32}, "64 to 1024 numbers long, not 32"),
        ({"dims": 2048}, "64 to 1024 numbers long, not 2048"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(changes: dict[str, Any], words: str) -> None:
    wrong = settings("https://api.jina.ai/v1").model_copy(update=changes)

    with pytest.raises(ConfigError, match=words) as caught:
        identity_of(wrong)

    assert not any(secret in str(caught.value) for secret in ("secret", "ключ", "jina\nkey"))


def test_the_command_embeds_a_question_and_a_picture(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), "red").save(tmp_path / "red.png")
    with JinaServer() as server:
        known = settings(server.base_url, dims=64)
        result = embed_for_cli(known, queries=["a red circle"], images=[tmp_path / "red.png"])

    question, picture = (np.array(row.vector) for row in result.vectors)
    assert question.shape == picture.shape == (64,)
    assert question @ picture > 0.5
    assert KEY not in json.dumps(result.identity)


def test_its_licence_is_to_be_checked_and_needs_no_acceptance() -> None:
    assert (JINA_API.commercial_use, JINA_API.is_remote) == ("check", True)
    assert licence_notice(settings("https://api.jina.ai/v1")) == ""
