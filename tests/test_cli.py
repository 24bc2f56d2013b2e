"""The command line as outside checks call it: a real process, its JSON and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag.library.lock import FolderLock
from tests.builders import make_html, make_paper, make_pdf, make_picture

ROOT = Path(__file__).parent.parent
HIT_KEYS = {
    "id", "rank", "kind", "modality", "document", "page", "page_size", "bbox", "regions", "anchor",
    "heading", "text", "caption", "image", "score", "why", "also_in", "legs",
}  # fmt: skip


def folio(*arguments: str, data_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", *arguments, "--data-dir", str(data_dir)],
        cwd=ROOT,
        env={**os.environ, "FOLIO_STORE__RESERVE_MB": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    inbox = tmp_path_factory.mktemp("inbox")
    (inbox / "paper.pdf").write_bytes(make_paper(figures=1))
    (inbox / "tides.html").write_bytes(
        make_html("<h1>Tides</h1><p>The tide at Port Ansel turns four times a day.</p>")
    )
    (inbox / "broken.pdf").write_bytes(b"%PDF-1.7 nothing follows")
    (inbox / "notes.docx").write_bytes(b"not for Folio")
    (inbox / "lamp.png").write_bytes(make_picture("PNG"))
    (inbox / "crane.md").write_text("# Crane\n\nThe crane of Port Ansel lifts nine tons.\n")
    (inbox / "gulls.txt").write_text("Gulls nest on the crane every spring.\n")
    done = folio("ingest", str(inbox), "--json", data_dir=folder)
    assert done.returncode == 1, done.stderr
    by_name = {line["name"]: line for line in lines(done)}
    assert by_name["paper.pdf"]["status"] == "ready"
    assert by_name["tides.html"]["status"] == "ready"
    assert by_name["lamp.png"]["status"] == "ready"
    assert (by_name["lamp.png"]["pages"], by_name["lamp.png"]["figures"]) == (1, 1)
    assert by_name["crane.md"]["status"] == "ready"
    assert by_name["gulls.txt"]["status"] == "ready"
    assert by_name["broken.pdf"]["status"] == "failed"
    assert "broken.pdf" in by_name["broken.pdf"]["error"]["message"]
    assert "notes.docx" not in by_name
    again = folio("ingest", str(inbox / "paper.pdf"), "--json", data_dir=folder)
    assert again.returncode == 0
    assert lines(again)[0]["status"] == "unchanged"
    return folder


def test_search_prints_hits_of_the_contract(library: Path) -> None:
    done = folio("search", "When does the tide turn?", "--json", data_dir=library)
    assert done.returncode == 0, done.stderr
    (result,) = lines(done)
    assert set(result) == {"query", "embedder", "hits", "timings_ms"}
    assert set(result["hits"][0]) == HIT_KEYS
    assert result["hits"][0]["document"]["name"] == "tides.html"
    assert result["hits"][0]["page"] is None
    assert result["hits"][0]["anchor"]


def test_search_for_pictures_returns_pictures_that_exist(library: Path) -> None:
    done = folio("search", "chart", "--kind", "image", "--json", data_dir=library)
    hits = lines(done)[0]["hits"]
    assert {hit["kind"] for hit in hits} <= {"figure", "page"}
    assert Path(hits[0]["image"]).read_bytes().startswith(b"\x89PNG")
    assert hits[0]["page"] == 1
    assert len(hits[0]["bbox"]) == 4


def test_ask_prints_an_answer_of_the_contract(library: Path) -> None:
    done = folio("ask", "How often does the tide turn at Port Ansel?", "--json", data_dir=library)
    assert done.returncode == 0, done.stderr
    (result,) = lines(done)
    assert result["mode"] == "extractive"
    assert "four times a day" in result["answer"]
    assert set(result["citations"][0]) == HIT_KEYS | {"marker", "quote"}
    assert set(result["sources"][0]) == HIT_KEYS | {"marker"}
    assert result["finish"] == "stop"


def test_an_answer_without_a_model_is_called_passages(library: Path) -> None:
    done = folio("ask", "How often does the tide turn at Port Ansel?", data_dir=library)
    assert done.stdout.startswith("Passages from your documents:\n")
    assert "four times a day" in done.stdout


def test_a_model_that_is_not_there_gives_quotes_and_exit_0(library: Path) -> None:
    done = folio(
        "ask",
        "How often does the tide turn at Port Ansel?",
        "--json",
        data_dir=library,
        FOLIO_LLM__MODEL="openai/none",
        FOLIO_LLM__API_BASE="http://127.0.0.1:9/v1",
    )
    (result,) = lines(done)
    assert done.returncode == 0
    assert result["mode"] == "extractive"
    assert result["error"]["kind"] == "unreachable"
    assert "four times a day" in result["answer"]


def test_documents_lists_what_was_taken_and_what_failed(library: Path) -> None:
    (rows,) = lines(folio("documents", "--json", data_dir=library))
    states = {row["name"]: row["status"] for row in rows}
    taken = ("paper.pdf", "tides.html", "lamp.png", "crane.md", "gulls.txt")
    assert states == {**dict.fromkeys(taken, "ready"), "broken.pdf": "failed"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "x", "--kind", "sound"], "any, text or image"),
        (["search", "x", "--document", "nope.pdf"], "folio documents"),
        (["delete", "nope.pdf"], "folio documents"),
        (["ingest", "no-such-file.pdf"], "no-such-file.pdf"),
    ],
    ids=["kind", "scope", "delete", "path"],
)
def test_wrong_usage_is_one_sentence_and_exit_2(
    library: Path, arguments: list[str], words: str
) -> None:
    done = folio(*arguments, data_dir=library)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_ambiguous_name_deletes_nothing_and_lists_the_ids(tmp_path: Path) -> None:
    for folder, words in (("a", "Harbours."), ("b", "Cranes.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.pdf").write_bytes(make_pdf([words]))
    library = tmp_path / "library"
    assert folio("ingest", str(tmp_path), "--json", data_dir=library).returncode == 0
    done = folio("delete", "same.pdf", "--json", data_dir=library)
    (rows,) = lines(folio("documents", "--json", data_dir=library))
    assert done.returncode == 2
    assert all(row["id"] in done.stderr for row in rows)
    assert len(rows) == 2
    gone = folio("delete", rows[0]["id"], "--json", data_dir=library)
    receipt = lines(gone)[0]["deleted"][0]
    assert (receipt["points_left"], receipt["rows_left"], receipt["files_left"]) == (0, 0, 0)


def test_a_folder_in_use_names_the_address_of_the_app(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path, address="http://127.0.0.1:8501")
    done = folio("documents", data_dir=tmp_path)
    lock.release()
    assert done.returncode == 2
    assert "http://127.0.0.1:8501" in done.stderr


def test_an_empty_library_answers_without_loading_a_model(tmp_path: Path) -> None:
    done = folio("ask", "Anything?", "--json", data_dir=tmp_path / "library")
    assert done.returncode == 0
    assert lines(done)[0]["abstained"] is True


@pytest.mark.parametrize("code", ["import rag, ingest, ui", "import ui.cli", "import ui.services"])
def test_heavy_packages_wait_until_they_are_needed(code: str) -> None:
    script = (
        f"import sys; {code};"
        "heavy = {'torch', 'transformers', 'litellm', 'pymupdf', 'grpc', 'streamlit', 'openai'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nsys.argv = ['folio', '--help']\nfrom ui.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'litellm', 'pymupdf', 'grpc', 'streamlit'} & set(sys.modules)\n"
        "sys.exit(3 if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "ingest" in done.stdout
