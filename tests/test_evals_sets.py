"""Folders of labelled questions: both layouts, and one sentence for each way they are broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.sets import ANSWER_WORDS, read_set
from rag.errors import ConfigError

ROOT = Path(__file__).parent.parent


def write_lines(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_beir(folder: Path, **changes: Any) -> Path:
    corpus = [
        {"_id": "d1", "title": "Wings", "text": "Lift of wings."},
        {"_id": "d2", "title": "", "text": "Heat of slabs."},
    ]
    write_lines(folder / "corpus.jsonl", changes.get("corpus", corpus))
    queries = [{"_id": "q1", "text": "lift"}, {"_id": "q2", "text": "heat"}]
    write_lines(folder / "queries.jsonl", changes.get("queries", queries))
    qrels = ["query-id\tcorpus-id\tscore", "q1\td1\t3", "q1\td2\t0", "q2\td2\t1"]
    write_lines(folder / "qrels.tsv", changes.get("qrels", qrels))
    return folder


def write_pages(folder: Path, rows: list[Any], files: tuple[str, ...] = ("a.pdf",)) -> Path:
    write_lines(folder / "questions.jsonl", rows)
    (folder / "pdfs").mkdir()
    for name in files:
        (folder / "pdfs" / name).write_bytes(b"%PDF-1.7")
    return folder


def question(**fields: Any) -> dict[str, Any]:
    return {"id": "q1", "doc": "a.pdf", "question": "Where?", "kind": "text", "pages": [2]} | fields


def test_a_beir_folder_gives_passages_and_graded_questions(tmp_path: Path) -> None:
    found = read_set(write_beir(tmp_path / "heat"))
    assert (found.name, found.kind, len(found.passages)) == ("heat", "beir", 2)
    assert dict(found.questions[0].relevant) == {"d1": 3, "d2": 0}
    assert found.missing == ()
    assert found.notes == ()


def test_judged_documents_that_the_corpus_lacks_are_named_and_the_rest_is_kept(
    tmp_path: Path,
) -> None:
    qrels = ["q1\td1\t1", "q1\td9\t2", "q2\td8\t1"]
    found = read_set(write_beir(tmp_path, qrels=qrels))
    assert found.missing == ("d8", "d9")
    assert [(q.id, dict(q.relevant)) for q in found.questions] == [("q1", {"d1": 1})]
    assert "1 questions have no relevant document" in found.notes[0]


def test_pages_come_from_either_way_to_write_them(tmp_path: Path) -> None:
    rows = [
        question(pages=[2, 5], regions=[{"page": 2, "bbox": [10, 20, 5, 8]}]),
        {"id": "q2", "doc": "a.pdf", "question": "?", "kind": "figure", "page": 3}
        | {"region": [1, 2, 3, 4]},
    ]
    first, second = read_set(write_pages(tmp_path / "s", rows)).questions
    assert dict(first.relevant) == {"a.pdf#2": 1, "a.pdf#5": 1}
    assert first.regions[0].bbox == (5.0, 8.0, 10.0, 20.0), "corners are put in order"
    assert dict(second.relevant) == {"a.pdf#3": 1}
    assert (second.regions[0].page_number, second.regions[0].bbox) == (3, (1.0, 2.0, 3.0, 4.0))


def test_every_document_beside_the_named_ones_is_in_the_collection(tmp_path: Path) -> None:
    found = read_set(write_pages(tmp_path / "s", [question()], ("a.pdf", "b.pdf", "notes.txt")))
    assert [path.name for path in found.files] == ["a.pdf", "b.pdf"]


def test_questions_on_missing_documents_are_left_out_and_the_documents_named(
    tmp_path: Path,
) -> None:
    rows = [question(), question(id="q2", doc="gone.pdf")]
    found = read_set(write_pages(tmp_path / "s", rows))
    assert found.missing == ("gone.pdf",)
    assert [q.id for q in found.questions] == ["q1"]


def test_the_sample_documents_are_a_set() -> None:
    found = read_set(ROOT / "sample_data")
    assert not found.missing
    assert not found.notes
    by_id = {q.id: q for q in found.questions}
    assert dict(by_id["s14"].relevant) == {ANSWER_WORDS: 1}, "a web page has no page numbers"
    assert not by_id["s44"].is_answerable


def test_figures_dev_finds_its_documents_in_another_folder(shared: Path) -> None:
    data = shared / "evaldata"
    found = read_set(data / "figures_dev", data / "mmlongbench_dev" / "pdfs")
    assert (len(found.questions), len(found.files), found.missing) == (26, 9, ())
    with pytest.raises(ConfigError, match="--pdfs"):
        read_set(data / "figures_dev")


def test_judgements_may_lie_where_published_archives_have_them(tmp_path: Path) -> None:
    folder = write_beir(tmp_path)
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels" / "test.tsv")
    assert len(read_set(folder).questions) == 2


BEIR_MISTAKES = {
    "empty corpus": ({"corpus": []}, "holds no documents"),
    "empty questions": ({"queries": []}, "holds no questions"),
    "empty judgements": ({"qrels": []}, "holds no judgements"),
    "broken line": ({"corpus": ['{"_id": ']}, "corpus.jsonl, line 1 is not JSON"),
    "no object": ({"corpus": ["[1]"]}, "line 1 is not a JSON object"),
    "no id": ({"corpus": [{"text": "x"}]}, 'line 1 has no "_id"'),
    "repeated document": ({"corpus": [{"_id": "1"}, {"_id": "1"}]}, "line 2 repeats the document"),
    "repeated question": (
        {"queries": [{"_id": "1", "text": "a"}, {"_id": "1", "text": "b"}]},
        "line 2 repeats the question",
    ),
    "broken judgement": ({"qrels": ["q1 d1 1"]}, "qrels.tsv, line 1 is not question"),
    "half a grade": ({"qrels": ["q1\td1\t0.5"]}, "no whole number"),
    "infinite grade": ({"qrels": ["q1\td1\tinf"]}, "no whole number"),
    "judged twice": ({"qrels": ["q1\td1\t1", "q1\td1\t2"]}, "a second time"),
    "nothing relevant": ({"qrels": ["q1\td1\t0"]}, "no question with a known answer"),
}


@pytest.mark.parametrize(("changes", "words"), BEIR_MISTAKES.values(), ids=BEIR_MISTAKES)
def test_a_broken_beir_folder_is_refused_in_one_sentence(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read_set(write_beir(tmp_path, **changes))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


PAGE_MISTAKES = {
    "empty": ([], "holds no questions"),
    "broken line": (["{"], "questions.jsonl, line 1 is not JSON"),
    "repeated": ([question(), question()], "line 2 repeats the question q1"),
    "page 0": ([question(pages=[0])], "counted from 1"),
    "page in words": ([question(pages="2")], "counted from 1"),
    "bad box": ([question(regions=[{"page": 1, "bbox": [1, 2, 3]}])], "four numbers"),
    "path as name": ([question(doc="../../secret.pdf")], "plain name"),
    "no document": ([question(doc=None)], 'has no "doc"'),
    "no question": ([question(question=" ")], 'has no "question"'),
    "only unanswerable": ([question(kind="unanswerable")], "no question with a known answer"),
    "all missing": ([question(doc="gone.pdf")], "--pdfs"),
}


@pytest.mark.parametrize(("rows", "words"), PAGE_MISTAKES.values(), ids=PAGE_MISTAKES)
def test_a_broken_pages_folder_is_refused_in_one_sentence(
    tmp_path: Path, rows: list[Any], words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read_set(write_pages(tmp_path / "s", rows))
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_that_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no labelled set"):
        read_set(tmp_path)
    with pytest.raises(ConfigError, match="There is no folder"):
        read_set(tmp_path / "gone")
    with pytest.raises(ConfigError, match="--pdfs is for sets with"):
        read_set(write_beir(tmp_path / "b"), tmp_path)


def test_half_a_character_in_a_label_does_no_harm(tmp_path: Path) -> None:
    rows = ['{"id":"q1","doc":"a.pdf","question":"a \\ud83d b","kind":"text","pages":[1]}']
    assert read_set(write_pages(tmp_path / "s", rows)).questions[0].text == "a ? b"
