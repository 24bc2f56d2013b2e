"""`folio eval` and `folio compare` as outside checks call them, with real weights and engine."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.builders import make_pdf
from ui.cli import main

ROOT = Path(__file__).parent.parent
FILLER = " Nothing else of note was written down that week, and the weather stayed as it was." * 8
PAGES = tuple(
    f"{words}{FILLER}"  # long enough that no passage runs on over two pages
    for words in (
        "The bridge over the river Tarn was opened in the spring of 1931 by the mayor.",
        "The market sells cheese, honey and bread every Tuesday from seven in the morning.",
        "The lighthouse keeper counts the seals below the cliff on the first day of each month.",
    )
)
QUESTIONS = (
    ("q1", "town.pdf", "When was the bridge opened?", [1], "text"),
    ("q2", "town.pdf", "On which day is the market held?", [2], "text"),
    ("q3", "coast.pdf", "Who counts the seals?", [1], "text"),
    ("q4", "coast.pdf", "How much is a ticket for the cable car?", [], "unanswerable"),
)


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def folio(folder: Path, *words: str) -> Done:
    """The console script in this process, which has loaded torch already."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in surroundings(folder).items():
            patch.setenv(name, value)
        patch.setattr(tempfile, "tempdir", str(folder / "scratch"))
        patch.setattr(sys, "argv", ["folio", *words])
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
            main()
    return Done(int(left.value.code or 0), out.getvalue(), err.getvalue())


def surroundings(folder: Path) -> dict[str, str]:
    (folder / "scratch").mkdir(parents=True, exist_ok=True)
    return {"FOLIO_DATA_DIR": str(folder / "library"), "TMPDIR": str(folder / "scratch")}


def write_set(folder: Path) -> Path:
    files = folder / "pdfs"
    files.mkdir(parents=True)
    (files / "town.pdf").write_bytes(make_pdf(PAGES[:2]))
    (files / "coast.pdf").write_bytes(make_pdf(PAGES[2:]))
    names = ("id", "doc", "question", "pages", "kind")
    rows = [json.dumps(dict(zip(names, row, strict=True))) for row in QUESTIONS]
    (folder / "questions.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A finished run: the folder it happened in, and what it printed."""
    folder = tmp_path_factory.mktemp("eval")
    write_set(folder / "towns")
    done = folio(folder, "eval", str(folder / "towns"), "--out", str(folder / "a"), "--json")
    assert done.returncode == 0, done.stderr
    assert "4 of 4 questions asked" in done.stderr
    assert len(done.stdout.splitlines()) == 1, "standard output is JSON only"
    return folder, json.loads(done.stdout)


def test_a_run_prints_the_contract_and_finds_the_pages(run: tuple[Path, dict[str, Any]]) -> None:
    _, result = run
    assert (result["set"], result["kind"], result["embedder"]) == ("towns", "pages", "minilm")
    assert result["metrics"]["recall@1"] == 1
    assert result["metrics"]["recall@1_all"] == 1
    assert result["metrics"]["latency_ms_p95"] > 0
    assert result["by_kind"]["text"]["mrr"] == 1
    assert result["intervals"]["recall@1"] == [1, 1]
    lines = Path(result["per_query"]).read_text(encoding="utf-8").splitlines()
    first = json.loads(lines[0])
    assert first["hits"][0] | {"regions": []} == {
        "rank": 1,
        "document": "town.pdf",
        "page": 1,
        "regions": [],
        "kind": "text",
    }
    assert first["hits"][0]["regions"][0]["page"] == 1


def test_a_run_leaves_its_three_files_and_vectors_only(
    run: tuple[Path, dict[str, Any]],
) -> None:
    folder, _ = run
    assert files_below(folder / "a") == {"run.json", "per_query.jsonl", "report.html"}
    assert files_below(folder / "library") == {"evaluation-vectors.sqlite"}
    assert list((folder / "scratch").glob("*folio*")) == []


def test_two_runs_of_the_same_kind_do_not_differ(run: tuple[Path, dict[str, Any]]) -> None:
    folder, result = run
    again = folio(folder, "eval", str(folder / "towns"), "--json")
    assert again.returncode == 0, again.stderr
    other = json.loads(again.stdout)
    assert Path(other["per_query"]).is_relative_to(folder / "library" / "evaluations")
    for key, value in result["metrics"].items():
        if "latency" not in key:
            assert other["metrics"][key] == value
    second = Path(other["per_query"]).parent
    compared = folio(folder, "compare", str(folder / "a"), str(second), "--json")
    measures = json.loads(compared.stdout)["measures"]
    assert measures["recall@5"]["difference"] == 0
    assert measures["recall@5"]["p_holm"] == 1


def test_a_missing_document_is_named_and_the_rest_is_measured(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "towns")
    (folder / "pdfs" / "coast.pdf").unlink()
    done = folio(tmp_path, "eval", str(folder), "--json")
    assert done.returncode == 1
    assert "coast.pdf" in done.stderr
    assert json.loads(done.stdout)["missing"] == ["coast.pdf"]
    assert json.loads(done.stdout)["metrics"]["recall@1"] == 1


def test_passages_of_a_beir_set_go_through_the_usual_pipeline(tmp_path: Path) -> None:
    folder = tmp_path / "heat"
    folder.mkdir()
    rows = [
        {"_id": "a/1", "title": "The bridge", "text": PAGES[0]},
        {"_id": "2", "title": "", "text": PAGES[1] + FILLER},
        {"_id": "3", "title": "Seals below the cliff", "text": ""},
        {"_id": "4", "title": "", "text": ""},
        {"_id": "twin", "title": "", "text": "Two with the same words."},
        {"_id": "other twin", "title": "", "text": "Two with the same words."},
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    queries = [("q1", "When was the bridge opened?"), ("q2", "market"), ("q3", "seals")]
    lines = [json.dumps({"_id": id_, "text": text}) for id_, text in queries]
    (folder / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text("q1\ta/1\t1\nq2\t2\t1\nq3\t3\t1\n", encoding="utf-8")
    done = folio(tmp_path, "eval", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["kind"] == "beir"
    assert result["documents"] == 5
    assert result["metrics"]["recall@3"] == 1
    assert result["metrics"]["text_loss"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_an_interrupted_run_ends_with_a_sentence_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = write_set(tmp_path / "towns")
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "eval", str(folder), "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, **surroundings(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "0 of 2 documents read" in first
    time.sleep(0.5)  # anywhere will do, as long as it is in the middle
    process.send_signal(number)
    output, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert rest.splitlines()[-1] == "Stopped; nothing was kept."
    assert "Traceback" not in rest
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "library").exists()
    assert list((tmp_path / "scratch").glob("*folio*")) == []


def test_what_cannot_be_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "towns")
    cases = (
        (("eval", str(tmp_path / "gone")), "There is no folder"),
        (("eval", str(tmp_path)), "is no labelled set"),
        (("eval", str(folder), "--out", str(folder / "questions.jsonl")), "is a file"),
        (("eval", str(folder), "--embedder", "nothing"), "nothing"),
        (("compare", str(folder), str(folder)), "holds no run"),
    )
    for words, sentence in cases:
        done = folio(tmp_path, *words)
        assert done.returncode == 2, words
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    assert not (tmp_path / "library").exists()


def test_a_full_disk_ends_the_run_and_is_not_blamed_on_the_documents(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "towns")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOLIO_STORE__RESERVE_MB", "1000000")
        done = folio(tmp_path, "eval", str(folder), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert done.stderr.count("The disk is nearly full") == 1
    assert not (tmp_path / "out").exists()
