"""Why results stand where they stand: real MiniLM vectors, real engine, small documents."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any
from uuid import uuid5

import pytest
from typer.testing import CliRunner

from rag.arrange import pick_named
from rag.library import FoundItem, Labelled
from rag.merge import Candidate, Ranked
from rag.questions import Named
from rag.types import Considered, Scope
from tests.builders import PageSpec, make_html, make_pdf
from tests.fakes import DOCUMENT, make_hit
from tests.towns import parse_here, picture, settings_for
from ui.cli import app
from ui.contract import explanation_json, search_json
from ui.explaining import reason
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rag.types import Explanation, Fate, Kind, Retrieval, Why

COPIED = (
    "The old lighthouse of Corran Point was built from red granite in 1846 and its lamp is lit"
    " every evening by the keeper's daughter, who also writes the log of passing ships."
)
OTHER = (
    "Harbour dues for sailing boats are paid at the office",
    "The bakery sells rye bread on Tuesdays and Fridays only",
    "Cattle graze on the northern slope until the first snow",
    "The museum shows nets, anchors and a whale's jaw bone",
)


def page(number: int) -> bytes:
    figures = "".join(
        f"<figure>{picture(10 * number + n)}<figcaption>Figure {n}. {what} of isle {number}."
        "</figcaption></figure>"
        for n, what in enumerate(("Rainfall by month", "Ships by year", "Map of paths"), 1)
    )
    words = "".join(
        f"<h2>Part {n}</h2><p>{text}, isle {number}.</p>" for n, text in enumerate(OTHER)
    )
    copied = f"<h2>Lighthouse</h2><p>{COPIED}</p>" if number < 2 else ""
    return make_html(f"<h1>Isle {number}</h1>{words}{copied}{figures}", title=f"Isle {number}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explained") / "library"


@pytest.fixture(scope="module")
def services(folder: Path) -> Iterator[Services]:
    opened = build(settings_for(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.pipeline.parse_in_child", parse_here)
        for number in range(4):
            admitted = opened.pipeline.admit(f"isle{number}.html", page(number))
            assert opened.pipeline.run(admitted.document.id).state == "ready"
    yield opened
    opened.close()


def explained(services: Services, question: str, **more: Any) -> tuple[Retrieval, Explanation]:
    found = services.search(question, explain=True, **more)
    assert found.explanation is not None
    return found, found.explanation


def test_every_candidate_has_one_fate_and_the_kept_ones_are_the_hits(services: Services) -> None:
    found, said = explained(services, "Who lights the lamp of the lighthouse?", top_k=5)
    assert tuple(one.hit for one in said.kept()) == found.hits
    assert len({one.hit.item.id for one in said.considered}) == len(said.considered)
    assert len(said.kept()) + len(said.dropped()) == len(said.considered)
    assert all(one.hit.rank == 0 for one in said.dropped())


def test_asking_why_changes_no_hit(services: Services) -> None:
    question = "ships by year"
    plain = services.search(question, top_k=6)
    assert plain.explanation is None
    assert services.search(question, top_k=6, explain=True).hits == plain.hits


def test_a_copy_of_a_result_is_left_out_as_the_same(services: Services) -> None:
    found, said = explained(services, "red granite lighthouse of Corran Point", top_k=5)
    assert "1846" in found.hits[0].item.text
    assert found.hits[0].also_in
    copies = [one for one in said.dropped() if one.fate == "same"]
    assert [one.hit.item.text for one in copies] == [found.hits[0].item.text]


def test_the_plain_order_is_the_order_of_the_largest_cosine(services: Services) -> None:
    _, said = explained(services, "rye bread in the bakery", top_k=5)
    best = [
        max(leg.cosine for leg in one.hit.legs.values() if leg.cosine is not None)
        for one in said.plain(10)
    ]
    assert len(best) == 10
    assert best == sorted(best, reverse=True)


def test_a_figure_called_by_name_comes_first_and_says_so(services: Services) -> None:
    isle = services.find("isle2.html")[0]
    scope = Scope(workspace=services.workspace, documents=(isle.id,))
    found, said = explained(services, "What does figure 2 say about bread?", top_k=4, scope=scope)
    assert found.hits[0].item.number == "Figure 2"
    assert found.hits[0].why == "named"
    assert len(found.hits) == 4
    assert reason(said.kept()[0], said.bars).startswith("Put first, the question names it")


def test_the_last_figure_is_that_of_the_only_document_in_scope(services: Services) -> None:
    isle = services.find("isle1.html")[0]
    scope = Scope(workspace=services.workspace, documents=(isle.id,))
    assert services.search("the last figure", scope=scope).hits[0].item.number == "Figure 3"
    assert services.search("the last figure").hits[0].why != "named"


def test_a_named_figure_is_not_put_among_words_only(services: Services) -> None:
    isle = services.find("isle2.html")[0]
    scope = Scope(workspace=services.workspace, documents=(isle.id,), group="words")
    hits = services.search("Figure 2", scope=scope).hits
    assert {hit.item.kind for hit in hits} == {"text"}


def test_one_hit_leaves_no_room_and_what_gave_way_is_told(services: Services) -> None:
    isle = services.find("isle2.html")[0]
    scope = Scope(workspace=services.workspace, documents=(isle.id,))
    question = "Does the bakery sell rye bread in figure 1?"
    found, said = explained(services, question, top_k=1, scope=scope)
    assert [hit.item.number for hit in found.hits] == ["Figure 1"]
    assert "gave_way" in {one.fate for one in said.dropped()}


@pytest.mark.parametrize("question", ["the of and", "?", "x" * 10_000, "no such thing at all"])
def test_odd_questions_are_explained_in_json_without_infinity(
    services: Services, question: str
) -> None:
    found = services.search(question, explain=True, scope=Scope(group="pictures"))
    text = json.dumps(search_json(question, "minilm", found), allow_nan=False)
    assert json.loads(text)["explanation"]["bars"]["words"] > 0


def test_the_bar_of_an_empty_group_is_null_in_json() -> None:
    _, said = None, make_explanation()
    assert explanation_json(said)["bars"] == {"words": 2.0, "pictures": None}


def make_explanation() -> Explanation:
    from rag.types import Explanation

    return Explanation(considered=(), bars={"words": 2.0, "pictures": math.inf}, samples={})


@pytest.mark.parametrize(
    ("fate", "why", "words"),
    [
        ("kept", "rank", "Kept by its rank"),
        ("kept", "picture_reserve", "Kept as the best picture"),
        ("kept", "named", "Put first"),
        ("same", "rank", "Same words or same picture"),
        ("document_cap", "rank", "Moved back"),
        ("picture_limit", "rank", "Enough pictures"),
        ("gave_way", "rank", "Gave its place"),
        ("below", "rank", "Stands below"),
    ],
)
def test_each_fate_has_its_words(fate: Fate, why: Why, words: str) -> None:
    one = Considered(
        hit=make_hit("a", why=why), group="words", merged_rank=1, plain_rank=2, fate=fate
    )
    assert reason(one, {"words": 2.0, "pictures": 2.0}).startswith(words)


def test_a_look_alike_says_so() -> None:
    hit = make_hit("a", kind="figure", look_alike_bits=3)
    one = Considered(hit=hit, group="pictures", merged_rank=1, plain_rank=1, fate="kept")
    assert reason(one, {"words": 2.0, "pictures": 2.0}) == "Kept, it looks like your picture"


def test_the_terminal_says_why_and_what_was_left_out(services: Services, folder: Path) -> None:
    services.close()  # one process at a time; the module's services are not used after this
    ask = ["search", "ships by year", "--data-dir", str(folder), "-k", "3", "--explain"]
    text = CliRunner().invoke(app, ask)
    assert text.exit_code == 0, text.output
    for words in ("by plain cosine", "Keywords  rank", "Left out (", "Bar to pass: z ", "Times: "):
        assert words in text.stdout
    told = json.loads(CliRunner().invoke(app, [*ask, "--json"]).stdout)
    assert list(told)[:4] == ["query", "embedder", "hits", "timings_ms"]
    kept = [one for one in told["explanation"]["considered"] if one["fate"] == "kept"]
    assert {one["id"] for one in kept} == {hit["id"] for hit in told["hits"]}
    assert {"rank", "cosine", "z", "weight"} == set(kept[0]["legs"]["caption"])
    bare = json.loads(CliRunner().invoke(app, [*ask[:-1], "--json"]).stdout)
    assert "explanation" not in bare


def labelled(kind: Kind, label: str, page: int, document: int = 0) -> Labelled:
    ids = uuid5(DOCUMENT, str(document)), uuid5(DOCUMENT, f"{kind}{label}{page}{document}")
    return Labelled(point_id=ids[1], document_id=ids[0], kind=kind, label=label, pages=(page,))


KNOWN = [
    labelled("figure", "", 1),
    labelled("figure", "Fig. 2", 3),
    labelled("table", "Figure 4", 4),
    labelled("figure", "Table 2", 5),
    labelled("figure", "Chart 2", 6),
    labelled("page", "", 7),
    labelled("figure", "Supplementary Fig. 2", 8),
]


@pytest.mark.parametrize(
    ("named", "place"),
    [
        (Named(kind="figure", word="figure", number="2"), 1),
        (Named(kind="figure", word="chart", number="2"), 4),
        (Named(kind="figure", word="fig", number="2b"), 1),
        (Named(kind="figure", word="figure", number="4"), 2),
        (Named(kind="table", word="table", number="2"), 3),
        (Named(kind="figure", page_number=3), 1),
        (Named(kind="figure", page_number=7), 5),
        (Named(kind="figure", place=1), 0),
        (Named(kind="figure", place=-1), 6),
        (Named(kind="figure", place=9), None),
        (Named(kind="table", page_number=3), None),
        (Named(kind="figure", word="figure", number="22"), None),
    ],
)
def test_a_name_finds_the_figure_it_fits_best(named: Named, place: int | None) -> None:
    hit = make_hit("a", document_id=KNOWN[0].document_id)
    ranked = [Ranked(candidate=Candidate(id=hit.item.id, group="words"), height=1.0)]
    found = {hit.item.id: FoundItem(item=hit.item, document_name="a.pdf", page_size=None)}
    picked = pick_named(named, KNOWN, ranked, found)
    assert (picked and picked.candidate.id) == (None if place is None else KNOWN[place].point_id)


def test_a_figure_on_a_page_brings_no_page_of_another_document(tmp_path: Path) -> None:
    services = build(settings_for(tmp_path))
    spec = PageSpec(
        lines=["Ships in port.", (470, 9, "Figure 7. Ships in port.")],
        drawings=[(120, 250, 460, 450)],
    )
    other = "Sheep eat grass and clover on the northern slope. " * 3
    try:
        for name, pages in (("ships.pdf", ["Nothing.", spec]), ("words.pdf", [other, other + "!"])):
            admitted = services.pipeline.admit(name, make_pdf(pages))
            assert services.pipeline.run(admitted.document.id).state == "ready"
        hits = services.search("What do sheep eat in Figure 7 on page 2?").hits
    finally:
        services.close()
    named = [(hit.document_name, hit.page_number) for hit in hits if hit.why == "named"]
    assert hits[0].item.number == "Figure 7"
    assert set(named) == {("ships.pdf", 2)}


@pytest.mark.parametrize("where", ["on page 2", "in slide 2"])
def test_the_chart_on_a_page_is_found_in_a_real_pdf(tmp_path: Path, where: str) -> None:
    charts = [
        PageSpec(lines=[f"Words of page {n}."], drawings=[(120, 250, 400 + 30 * n, 450)])
        for n in (1, 2)  # of two sizes: what repeats on each page is decoration
    ]
    services = build(settings_for(tmp_path))
    try:
        admitted = services.pipeline.admit("charts.pdf", make_pdf(charts))
        assert services.pipeline.run(admitted.document.id).state == "ready"
        hit = services.search(f"What does the chart {where} show?").hits[0]
    finally:
        services.close()
    assert (hit.item.kind, hit.page_number, hit.why) == ("figure", 2, "named")
