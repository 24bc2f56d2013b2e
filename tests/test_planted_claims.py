"""Mistakes planted in true sentences of real documents: flagged, and the true ones not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import claims
from rag.citations import resolve_citations
from rag.types import Hit, Source
from tests.conftest import ROOT
from tests.openai_server import ModelServer, says


@pytest.fixture(scope="module")
def web_pages() -> list[Hit]:
    """Passages of the web pages among the samples; they are read in a second."""
    return claims.read_passages((ROOT / "sample_data",), {".html"})


@pytest.fixture(scope="module")
def everything(shared: Path) -> list[Hit]:
    return claims.read_passages((shared / "corpus", ROOT / "sample_data"))


def flagged(one: claims.Planted, said: str, passages: list[Hit]) -> bool:
    source = Source(marker=1, hit=passages[one.passage])
    return bool(resolve_citations(f"{said} [1]", [source]).unsupported)


def test_planted_numbers_and_names_are_flagged_and_true_ones_are_not(web_pages: list[Hit]) -> None:
    planted = claims.plant_numbers(web_pages) + claims.plant_names(web_pages)
    assert len(planted) > 12
    assert sum(flagged(one, one.wrong, web_pages) for one in planted) >= 0.95 * len(planted)
    assert sum(flagged(one, one.right, web_pages) for one in planted) == 0


def test_the_checks_stand_behind_a_model(web_pages: list[Hit]) -> None:
    one = claims.plant_numbers(web_pages)[0]
    hits = [web_pages[one.passage]]
    with ModelServer(says(f"{one.wrong} [1]"), says(f"{one.right} [1]")) as server:
        assert [doubt for doubt, _ in claims.ask(server, hits)] == ["missing"]
        assert claims.ask(server, hits) == ()


@pytest.mark.soak
def test_fifty_numbers_and_thirty_names_through_a_model(everything: list[Hit]) -> None:
    for planted, count in (
        (claims.plant_numbers(everything), claims.NUMBERS),
        (claims.plant_names(everything), claims.NAMES),
    ):
        some = claims.pick(planted, count)
        wrong, right = claims.through_a_model(some, everything)
        assert len(some) == count
        assert wrong >= 0.95 * count
        assert right <= 0.05 * count


@pytest.mark.soak
def test_wrong_marks_are_moved_or_told(everything: list[Hit]) -> None:
    digits = [one for one in claims.plant_numbers(everything) if one.kind == "digit"]
    ends = claims.wrong_marks(claims.pick(digits, claims.MARKS), everything)
    assert ends["moved"] + ends["flagged"] == claims.MARKS
    assert ends["moved"] >= 0.7 * claims.MARKS


def test_a_mark_on_another_page_moves_to_the_page_of_the_number(web_pages: list[Hit]) -> None:
    visitor = next(hit for hit in web_pages if "take bus 12" in hit.item.text)
    others = [hit for hit in web_pages if hit.document_name != visitor.document_name][:3]
    sources = [Source(marker=n, hit=hit) for n, hit in enumerate([*others, visitor], 1)]
    found = resolve_citations("From the railway station take bus 12 to North Quay [2, 9].", sources)
    assert [citation.hit for citation in found.citations] == [visitor]
    assert found.unsupported == ()


@pytest.mark.soak
def test_few_fair_paraphrases_are_doubted(everything: list[Hit]) -> None:
    assert claims.paraphrases(everything) <= 4  # of 40
