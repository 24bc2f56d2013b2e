"""Questions nobody should ask, of libraries nobody should have: hits or none, never an error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from rag.settings import EmbedSettings, Settings, StoreSettings
from rag.types import LegName, Scope
from tests.html_builders import data_uri, page_of, png
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.types import Retrieval

TIDES = "<p>The tidal turbine at Row A gave 410 megawatt hours in March, more than in winter.</p>"
PUMP = f'<figure><img src="{data_uri(png())}"><figcaption>A pump</figcaption></figure>'
QUESTIONS = {
    "words": "How much did Row A give in March?",
    "stop words": "what is it that you were and will be",
    "asking words": "show me the figure",
    "punctuation": "?!... --- (((",
    "one letter": "a",
    "ten thousand characters": "tide " * 2_000,
    "one word of ten thousand letters": "t" * 10_000,
    "ten thousand words": " ".join(f"w{i}" for i in range(10_000)),
    "lone surrogates": "pump \ud83d\ude00 \udfff",
    "nul": "pump\x00turbine\x00",
    "controls": "\x1b[31mpump\x07\u202e\u200b",
    "emoji": "🌊🌊🌊 🐙",
    "combining marks": "e" + "\u0301" * 3_000,
    "unspaced script": "潮流発電のタービンはどこですか" * 200,
    "right to left": "أين التوربينات؟",
    "figure by name": "What is in Figure 99999999999999999999?",
    "page by name": "What is on page 0, on page -1 and on page 99999999999?",
    "markup": "<script>alert(1)</script> [1] {{x}} %s",
    "sql": "'; DROP TABLE items; --",
    "new lines": "pump\n\n\r\n\tturbine",
}
ASKED = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())


def open_library(folder: object, pages: dict[str, bytes]) -> Services:
    services = build(
        Settings(
            data_dir=folder,
            embed=EmbedSettings(model="minilm"),
            store=StoreSettings(reserve_mb=0),
        )
    )
    for name, data in pages.items():
        services.pipeline.run(services.pipeline.admit(name, data).document.id)
    return services


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = open_library(tmp_path_factory.mktemp("empty"), {})
    yield services
    services.close()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One document with one passage: the smallest library that is not empty."""
    services = open_library(tmp_path_factory.mktemp("one"), {"tides.html": page_of(TIDES)})
    yield services
    services.close()


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Four documents of the same picture and hardly a word."""
    pages = {f"{i}.html": page_of(f"<p>Pump {i}.</p>" + PUMP) for i in range(4)}
    services = open_library(tmp_path_factory.mktemp("alike"), pages)
    yield services
    services.close()


def check(found: Retrieval, top_k: int) -> None:
    """What every answer to every question keeps to."""
    hits = found.hits
    assert len(hits) <= top_k
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert len({hit.item.id for hit in hits}) == len(hits)
    assert all(math.isfinite(hit.height) for hit in hits)
    for hit in hits:
        assert all(math.isfinite(leg.z) for leg in hit.legs.values() if leg.z is not None)


@ASKED
def test_an_empty_library_finds_nothing_whatever_is_asked(empty: Services, question: str) -> None:
    found = empty.search(question, explain=True)
    assert found.hits == ()
    assert not found.has_evidence


@ASKED
@pytest.mark.parametrize("top_k", [1, 50])
def test_a_library_of_one_passage_survives_every_question(
    one: Services, question: str, top_k: int
) -> None:
    found = one.search(question, top_k=top_k, explain=True)
    check(found, top_k)
    assert len(found.hits) <= 1


@ASKED
@pytest.mark.parametrize("top_k", [1, 50])
def test_a_library_of_one_picture_many_times_survives_every_question(
    alike: Services, question: str, top_k: int
) -> None:
    check(alike.search(question, top_k=top_k, explain=True), top_k)


def test_the_only_passage_is_found_by_its_words(one: Services) -> None:
    assert one.search(QUESTIONS["words"]).hits[0].document_name == "tides.html"


def test_pictures_that_are_all_the_same_are_shown_once_with_the_other_places(
    alike: Services,
) -> None:
    pictures = [hit for hit in alike.search("a pump", top_k=50).hits if hit.item.kind == "figure"]
    assert len(pictures) == 1
    shown_and_others = {pictures[0].document_name, *(p.document_name for p in pictures[0].also_in)}
    assert shown_and_others == {f"{i}.html" for i in range(4)}


@pytest.mark.parametrize("leg", ["text", "caption", "keywords", "image"])
@pytest.mark.parametrize("question", ["pump", "what is it", "🌊"], ids=["word", "stops", "emoji"])
def test_each_leg_alone_survives_a_question_it_cannot_answer(
    alike: Services, one: Services, leg: LegName, question: str
) -> None:
    for services in (alike, one):
        hits = services.search(question, only=[leg], explain=True).hits
        assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
        assert all(set(hit.legs) == {leg} or leg != "keywords" for hit in hits)


@pytest.mark.parametrize("group", ["words", "pictures"])
def test_one_group_of_a_library_without_it_finds_nothing_or_only_it(
    one: Services, group: str
) -> None:
    found = one.search("turbine", scope=Scope(group=group), explain=True)  # type: ignore[arg-type]
    check(found, 8)
    assert len(found.hits) == (1 if group == "words" else 0)


def test_a_scope_of_documents_that_never_were_finds_nothing(one: Services) -> None:
    found = one.search("turbine", scope=Scope(documents=(UUID(int=1), UUID(int=2))), explain=True)
    assert found.hits == ()
    assert not found.has_evidence


def test_another_workspace_sees_nothing(one: Services) -> None:
    assert one.search("turbine", scope=Scope(workspace="other")).hits == ()


def test_a_scope_that_was_deleted_meanwhile_finds_nothing(tmp_path: object) -> None:
    services = open_library(
        tmp_path, {"a.html": page_of(TIDES), "b.html": page_of("<p>The ferry is late.</p>")}
    )
    gone = services.find("a.html")[0].id
    before = services.search("tidal turbine", scope=Scope(documents=(gone,))).hits
    services.delete(gone)
    after = services.search("tidal turbine", scope=Scope(documents=(gone,)), explain=True)
    services.close()
    assert len(before) == 1
    assert after.hits == ()
    assert not after.has_evidence


def test_a_picture_whose_file_is_gone_is_found_without_it(tmp_path: object) -> None:
    services = open_library(tmp_path, {"a.html": page_of("<p>Words.</p>" + PUMP)})
    (before,) = [h for h in services.search("a pump").hits if h.item.kind == "figure"]
    services.files.delete([before.item.image_sha256 or ""])
    (after,) = [h for h in services.search("a pump").hits if h.item.kind == "figure"]
    services.close()
    assert before.image_path is not None
    assert after.image_path is None
