"""A run over a handmade set, its measures worked out by hand; what a record holds; the report."""

from __future__ import annotations

import html
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import pytest

from evals.compare import compare
from evals.ranking import Found, RankedHit
from evals.record import read_run, write_run
from evals.run import Run, measure
from evals.sets import ANSWER_WORDS, LabelledSet, Passage, Question
from evals.summary import summarise
from rag.errors import ConfigError, CorruptFileError
from rag.types import (
    Considered,
    Document,
    Explanation,
    Failure,
    Hit,
    Item,
    Kind,
    Region,
    Retrieval,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Fate, Group, LegName

SPACE = UUID(int=1)
TIMES = {"embed": 90.0, "search": 6.0, "merge": 4.0}


def document_of(name: str, failure: str = "") -> Document:
    return Document(
        id=uuid5(SPACE, name),
        workspace="local",
        name=name,
        sha256="",
        state="failed" if failure else "ready",
        page_count=9,
        text_count=0,
        table_count=0,
        figure_count=0,
        figures_pending=0,
        size_bytes=1,
        added_at="",
        media_type="pdf",
        error=Failure(kind="corrupt", message=failure) if failure else None,
    )


def item(
    document: str,
    pages: Sequence[int],
    kind: Kind = "text",
    box: tuple[float, float, float, float] = (0, 0, 50, 50),
    text: str = "",
) -> Item:
    name = f"{document} {pages} {kind} {box} {text}"
    return Item(
        id=uuid5(SPACE, name),
        document_id=uuid5(SPACE, document),
        kind=kind,
        order=0,
        text=text or name,
        search_text=name,
        regions=tuple(Region(page_number=page, bbox=box) for page in pages),
    )


def retrieval(
    items: Sequence[Item], *, shown: int, evidence: bool = True, same: Sequence[Item] = ()
) -> Retrieval:
    """The first few are shown; `same` are candidates that say what another one says."""

    def hit(part: Item, rank: int) -> Hit:
        return Hit(item=part, document_name="", rank=rank, height=1.0)

    fates: list[tuple[Item, Fate]] = [(part, "same") for part in same]
    fates += [(part, "below") for part in items]
    considered = [
        Considered(hit=hit(part, 0), group="words", merged_rank=i, plain_rank=None, fate=fate)
        for i, (part, fate) in enumerate(fates, 1)
    ]
    return Retrieval(
        hits=tuple(hit(part, i) for i, part in enumerate(items[:shown], 1)),
        has_evidence=evidence,
        timings_ms=TIMES,
        explanation=Explanation(considered=tuple(considered), bars={}, samples={}),
    )


class ScriptedSystem:
    """Answers from a table by question and scope; unknown questions find nothing."""

    embedder = "scripted"

    def __init__(
        self,
        answers: dict[tuple[str, str], Retrieval],
        parts: dict[str, list[Item]] | None = None,
        broken: Sequence[str] = (),
    ) -> None:
        self._answers = answers
        self._parts = {uuid5(SPACE, name): items for name, items in (parts or {}).items()}
        self._broken = broken

    def add_file(self, path: Path) -> Document:
        if path.name in self._broken:
            raise CorruptFileError(f"{path.name} is damaged.")
        return document_of(path.name, "No page can be read." if path.name == "blank.pdf" else "")

    def add_passage(self, name: str, title: str, text: str) -> Document:
        return document_of(name)

    def parts(self, document: UUID) -> list[Item]:
        return self._parts.get(document, [])

    def search(
        self,
        question: str,
        *,
        documents: Sequence[UUID] = (),
        only: Sequence[LegName] = (),
        group: Group | None = None,
    ) -> Retrieval:
        scope = group or ("inside" if documents else "all")
        return self._answers.get((question, scope), Retrieval(hits=(), has_evidence=False))


def labelled_pages(*questions: Question, files: Sequence[str] = ("a.pdf", "b.pdf")) -> LabelledSet:
    return LabelledSet(
        name="handmade",
        kind="pages",
        questions=questions,
        files=tuple(Path(name) for name in files),
    )


BOX = (100.0, 100.0, 200.0, 200.0)
TEXT = Question(
    id="t", text="text?", kind="text", document="a.pdf", relevant={"a.pdf#2": 1, "a.pdf#5": 1}
)
FIGURE = Question(
    id="f",
    text="figure?",
    kind="figure",
    document="b.pdf",
    relevant={"b.pdf#4": 1},
    regions=(Region(page_number=4, bbox=BOX), Region(page_number=6, bbox=BOX)),
)
UNANSWERABLE = Question(id="u", text="nothing?", kind="unanswerable", document="a.pdf")


def handmade() -> Run:
    right = item("a.pdf", [2, 3])
    inside = [item("a.pdf", [1], "figure"), right, item("a.pdf", [2]), item("a.pdf", [5])]
    half = item("b.pdf", [4], "figure", (150, 100, 250, 200))
    answers = {
        ("text?", "inside"): retrieval(inside, shown=3, same=[item("a.pdf", [5], text="again")]),
        ("text?", "words"): retrieval([right, item("a.pdf", [5])], shown=2),
        ("text?", "all"): retrieval([item("b.pdf", [2]), right], shown=2),
        ("figure?", "inside"): retrieval([half], shown=1),
        ("figure?", "all"): retrieval([item("a.pdf", [4], "figure", BOX)], shown=1, evidence=False),
        ("nothing?", "inside"): retrieval([right], shown=1, evidence=False),
        ("nothing?", "all"): retrieval([right], shown=1),
    }
    system = ScriptedSystem(answers, parts={"b.pdf": [half, item("b.pdf", [6], "text", BOX)]})
    return measure(labelled_pages(TEXT, FIGURE, UNANSWERABLE), system)


def test_measures_are_those_worked_out_by_hand() -> None:
    found = summarise(handmade()).metrics
    # Pages of "text?" inside: 1, 2, 3, 5 with 2 and 5 right; of "figure?": 4, right.
    ideal = 1 + 1 / math.log2(3)
    ndcg = (1 / math.log2(3) + 1 / math.log2(5)) / ideal
    assert found["recall@1"] == pytest.approx((0 + 1) / 2)
    assert found["recall@3"] == pytest.approx((0.5 + 1) / 2)
    assert found["recall@5"] == pytest.approx(1)
    assert found["mrr"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["ndcg@10"] == pytest.approx((ndcg + 1) / 2)
    assert found["text_loss"] == pytest.approx((1 + 1 / math.log2(4)) / ideal - ndcg)
    assert found["figure_hit_rate@5"] == 1, "half of the smaller box is enough"
    assert found["figure_intrusion@8"] == 1, "the picture on page 1 is on no gold page"
    assert found["picture_share"] == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert found["extraction_ceiling"] == 0.5, "a passage over a box is no picture of it"
    assert found["refusal_precision"] == 1
    assert found["refusal_recall"] == 1


def test_the_whole_collection_is_measured_apart() -> None:
    found = summarise(handmade()).metrics
    assert found["recall@1_all"] == 0, "page 2 of another document is not page 2"
    assert found["recall@3_all"] == pytest.approx((0.5 + 0) / 2)
    assert found["figure_hit_rate@5_all"] == 0, "the same box in another document is no hit"
    assert found["refusal_precision_all"] == 0
    assert found["refusal_recall_all"] == 0


def test_latency_leaves_the_model_out_and_says_so() -> None:
    found = summarise(handmade()).metrics
    assert found["latency_ms_p95"] == pytest.approx(10)
    assert found["latency_with_model_ms_p95"] == pytest.approx(100)


def test_kinds_are_told_apart_and_ranges_need_two_documents() -> None:
    found = summarise(handmade())
    assert found.by_kind["text"]["recall@3"] == 0.5
    assert found.by_kind["figure"]["recall@3"] == 1
    assert found.by_kind["unanswerable"]["recall@3"] is None
    assert found.by_kind_intervals["text"]["recall@3"] is None
    assert found.intervals["recall@3"] == (0.5, 1.0)


def test_a_web_page_is_right_where_the_words_of_the_answer_stand() -> None:
    question = Question(
        id="w",
        text="bus?",
        kind="text",
        document="a.html",
        relevant={ANSWER_WORDS: 1},
        words="take bus 12",
    )
    asked = labelled_pages(question, files=("a.html",))
    hits = [item("a.html", [], text="Rooms"), item("a.html", [], text="Now Take\n bus 12 there")]
    run = measure(asked, ScriptedSystem({("bus?", "inside"): retrieval(hits, shown=2)}))
    assert summarise(run).metrics["mrr"] == 0.5


def test_a_document_that_cannot_be_read_counts_as_not_found_and_is_named() -> None:
    asked = labelled_pages(TEXT, FIGURE, files=("a.pdf", "b.pdf", "blank.pdf"))
    run = measure(asked, ScriptedSystem({}, broken=["b.pdf"]))
    assert run.failed == {"b.pdf": "b.pdf is damaged.", "blank.pdf": "No page can be read."}
    found = summarise(run).metrics
    assert found["recall@10"] == 0
    assert found["extraction_ceiling"] == 0
    assert found["latency_ms_p95"] is None


def test_a_file_under_two_names_is_found_under_the_name_that_is_asked_for() -> None:
    class Twins(ScriptedSystem):
        def add_file(self, path: Path) -> Document:
            return document_of("first.pdf")

    question = Question(
        id="1", text="x?", kind="text", document="second.pdf", relevant={"second.pdf#2": 1}
    )
    answers = {("x?", "inside"): retrieval([item("first.pdf", [2])], shown=1)}
    run = measure(labelled_pages(question, files=("first.pdf", "second.pdf")), Twins(answers))
    assert summarise(run).metrics["recall@1"] == 1


def test_a_beir_set_ranks_documents_by_their_best_chunk() -> None:
    labelled = LabelledSet(
        name="b",
        kind="beir",
        questions=(Question(id="1", text="lift?", relevant={"d2": 3, "d1": 1}),),
        passages=(
            Passage(id="d1", title="", text="x"),
            Passage(id="d2", title="", text="y"),
            Passage(id="d3", title=" ", text=""),
        ),
    )
    hits = [item("d1", [], text="a"), item("d1", [], text="b"), item("d2", [], text="c")]
    run = measure(labelled, ScriptedSystem({("lift?", "all"): retrieval(hits, shown=2)}))
    found = summarise(run).metrics
    assert run.document_count == 2, "one without words is not taken in"
    assert found["recall@1"] == 0.5
    assert found["ndcg@10"] == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))
    assert found["text_loss"] is None
    assert "recall@1_all" not in found


# -- what is written ------------------------------------------------------------------------


def page_recall(line: dict[str, Any], k: int, scope: dict[str, Any]) -> float:
    """Written from the contract alone, not from our code."""
    gold = {(line["document"], int(name.rsplit("#")[1])) for name in line["relevant"]}
    pages: list[tuple[str, int]] = []
    for hit in scope["hits"]:
        for region in hit["regions"]:
            if (hit["document"], region["page"]) not in pages:
                pages.append((hit["document"], region["page"]))
    return len(gold & set(pages[:k])) / len(gold)


def test_anyone_can_compute_page_recall_again_from_the_lines(tmp_path: Path) -> None:
    result = write_run(tmp_path, handmade(), {"python": "3"})
    rows = (tmp_path / result["per_query"]).read_text(encoding="utf-8").splitlines()
    lines = [json.loads(row) for row in rows]
    ranked = [line for line in lines if line["relevant"]]
    for k in (1, 3, 5, 10):
        inside = sum(page_recall(line, k, line) for line in ranked) / len(ranked)
        overall = sum(page_recall(line, k, line["all"]) for line in ranked) / len(ranked)
        assert result["metrics"][f"recall@{k}"] == pytest.approx(inside)
        assert result["metrics"][f"recall@{k}_all"] == pytest.approx(overall)


def test_the_record_has_the_keys_of_the_contract_and_is_read_back(tmp_path: Path) -> None:
    result = write_run(tmp_path, handmade(), {})
    wanted = ["set", "kind", "embedder", "metrics", "by_kind", "intervals"]
    assert list(result)[:6] == wanted
    for folder_or_file in (tmp_path, tmp_path / "run.json"):
        again, rows = read_run(folder_or_file)
        assert again == result
        assert [row["id"] for row in rows] == ["t", "f", "u"]


def test_the_report_escapes_everything_and_loads_nothing(tmp_path: Path) -> None:
    hostile = '<script>alert("1")</script><img src=x onerror=y>'
    bad = Question(
        id=hostile,
        text=f"{hostile}?",
        kind=hostile,
        document=f"{hostile}.pdf",
        relevant={f"{hostile}.pdf#1": 1},
    )
    labelled = LabelledSet(
        name=hostile,
        kind="pages",
        questions=(bad,),
        files=(),
        missing=(hostile,),
        notes=(hostile,),
    )
    write_run(tmp_path, measure(labelled, ScriptedSystem({})), {hostile: hostile})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.escape(hostile) in page
    tags = set(re.findall(r"<(\w+)", page))
    assert not tags & {"script", "img", "link", "iframe", "object", "a"}
    assert not re.search(r"(?:src|href)\s*=\s*[\"']|url\(|@import|https?:", page.split("<body>")[0])
    assert "default-src 'none'" in page


def test_the_report_lists_what_was_not_found(tmp_path: Path) -> None:
    write_run(tmp_path, measure(labelled_pages(TEXT, FIGURE), ScriptedSystem({})), {})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("Not found") == 2
    assert "a.pdf, p. 2, 5" in page


# -- two runs -------------------------------------------------------------------------------


def two_runs(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    write_run(first, measure(labelled_pages(TEXT, FIGURE), ScriptedSystem({})), {})
    write_run(second, handmade(), {})
    return first, second


def test_a_comparison_pairs_the_shared_questions(tmp_path: Path) -> None:
    first, second = two_runs(tmp_path)
    found = compare(first, second)
    assert (found.shared, found.only_a, found.only_b) == (2, 0, 1)
    by_key = {each.measure: each for each in found.differences}
    recall = by_key["recall@3"]
    assert (recall.a, recall.b, recall.difference) == (0, 0.75, 0.75)
    assert recall.interval == (0.5, 1.0)
    assert recall.p == pytest.approx(0.5, abs=0.02), "two documents cannot prove more"
    assert recall.p_holm == 1.0
    assert by_key["extraction_ceiling"].difference == 0.5


def test_a_run_compared_with_itself_differs_in_nothing(tmp_path: Path) -> None:
    _, second = two_runs(tmp_path)
    found = compare(second, second / "run.json")
    assert all(each.difference == 0 and each.p == 1 for each in found.differences)


def test_runs_on_other_questions_are_refused(tmp_path: Path) -> None:
    first, _ = two_runs(tmp_path)
    other = tmp_path / "c"
    other.mkdir()
    question = Question(
        id="t", text="another?", kind="text", document="a.pdf", relevant={"a.pdf#2": 1}
    )
    write_run(other, measure(labelled_pages(question), ScriptedSystem({})), {})
    with pytest.raises(ConfigError, match="share no question"):
        compare(first, other)
    with pytest.raises(ConfigError, match=r"cannot be compared\. Both runs have: "):
        compare(first, first, ["recall@7"])
    with pytest.raises(ConfigError, match="holds no run"):
        compare(first, tmp_path)
    (other / "run.json").write_text("[]")
    with pytest.raises(ConfigError, match="was not written by"):
        compare(first, other)


def test_a_hit_over_two_pages_counts_for_both() -> None:
    hit = RankedHit(
        document="a.pdf",
        kind="text",
        regions=tuple(Region(page_number=page, bbox=BOX) for page in (3, 4, 3)),
    )
    assert hit.pages == [3, 4]
    assert Found(hits=(hit,)).latency_ms == 0
