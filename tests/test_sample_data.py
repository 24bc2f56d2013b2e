"""The sample library: reproducible, small, and its questions true to the pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pymupdf
import pytest
import snowballstemmer

from sample_data.make import BOOKS, build

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data"
QUESTIONS: list[dict[str, Any]] = [
    json.loads(row) for row in (SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()
]
IDS = [row["id"] for row in QUESTIONS]
STOP = frozenset(
    re.findall(
        "[a-z]+",
        "a an and are at be been before both by did do does from had has have how in is it its "
        "many much of on one or that the there these they this to was were what when where which "
        "while who will with",
    )
)


def _words(text: str) -> set[str]:
    stem = snowballstemmer.stemmer("english").stemWord
    tokens = re.findall(r"[a-z0-9é]+", text.lower())
    return {stem(token) for token in tokens if token not in STOP}


def _plain(text: str) -> str:
    return " ".join(text.split())


def _page_text(name: str, number: int, clip: list[float] | None = None) -> str:
    with pymupdf.open(SAMPLE / name) as document:
        page = document[number - 1]
        return _plain(page.get_text(clip=pymupdf.Rect(*clip) if clip else None))


def _caption_of(row: dict[str, Any]) -> str:
    if "anchor_text" in row:
        return str(row["anchor_text"])
    x0, _, x1, y1 = row["regions"][0]["bbox"]
    return _page_text(row["doc"], row["pages"][0], [x0, y1 + 1, x1, y1 + 32])


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    build(folder)
    return folder


def test_a_rebuild_gives_the_committed_text_pictures_and_questions(rebuilt: Path) -> None:
    for path in sorted(rebuilt.rglob("*")):
        if path.is_dir():
            continue
        committed = SAMPLE / path.relative_to(rebuilt)
        if path.read_bytes() == committed.read_bytes():
            continue
        # Other processors round floats differently, which moves a few grey levels of a picture.
        assert path.suffix != ".jsonl"
        if path.suffix == ".pdf":
            _assert_same_pages(path, committed)


def _assert_same_pages(one: Path, two: Path) -> None:
    with pymupdf.open(one) as left, pymupdf.open(two) as right:
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            assert a.get_text() == b.get_text()
            pair = zip(a.get_pixmap(dpi=20).samples, b.get_pixmap(dpi=20).samples, strict=True)
            assert max(abs(x - y) for x, y in pair) <= 12


def test_a_document_with_pictures_has_the_same_bytes_when_made_again(rebuilt: Path) -> None:
    name = "safety-bulletin-07.pdf"
    assert BOOKS[name]().to_bytes() == (rebuilt / name).read_bytes()


def test_the_committed_files_are_small() -> None:
    kinds = ("*.pdf", "*.html", "*.jsonl", "*_files/*")
    sizes = [path.stat().st_size for kind in kinds for path in SAMPLE.glob(kind)]
    assert len(sizes) >= 10
    assert sum(sizes) < 3_000_000


def test_exactly_one_page_has_no_text_layer() -> None:
    empty = []
    for name in BOOKS:
        with pymupdf.open(SAMPLE / name) as document:
            empty += [
                (name, n) for n, page in enumerate(document, 1) if not page.get_text().strip()
            ]
    assert empty == [("safety-bulletin-07.pdf", 3)]


def test_there_are_enough_questions_of_each_kind() -> None:
    kinds = [row["kind"] for row in QUESTIONS]
    assert len(set(IDS)) == len(IDS) >= 26
    wanted = {"text": 10, "figure": 8, "table": 4, "unanswerable": 3}
    assert all(kinds.count(kind) >= count for kind, count in wanted.items())


@pytest.mark.parametrize("row", QUESTIONS, ids=IDS)
def test_a_question_has_valid_fields(row: dict[str, Any]) -> None:
    assert (SAMPLE / row["doc"]).is_file()
    assert row["question"].endswith("?")
    assert row["answer"]
    assert row["kind"] in {"text", "table", "figure", "mixed", "unanswerable"}
    assert (row["answer_format"] == "None") == (row["kind"] == "unanswerable")
    {"Int": int, "Float": float, "List": json.loads}.get(row["answer_format"], str)(row["answer"])
    is_pdf_answer = row["doc"].endswith(".pdf") and row["kind"] != "unanswerable"
    assert bool(row["pages"]) == is_pdf_answer
    assert bool(row["regions"]) == (is_pdf_answer and row["kind"] != "text")


@pytest.mark.parametrize(
    "row", [row for row in QUESTIONS if row["pages"] and row["kind"] != "mixed"]
)
def test_the_answer_stands_on_its_page_and_in_its_region(row: dict[str, Any]) -> None:
    clip = row["regions"][0]["bbox"] if row["regions"] else None
    text = _page_text(row["doc"], row["pages"][0], clip)
    is_list = row["answer_format"] == "List"
    parts = json.loads(row["answer"]) if is_list else [row["answer"]]
    assert all(part in text for part in parts)


@pytest.mark.parametrize("row", [row for row in QUESTIONS if row.get("anchor_text")])
def test_an_anchor_text_stands_once_in_its_web_page(row: dict[str, Any]) -> None:
    source = re.sub(r"<[^>]+>", " ", (SAMPLE / row["doc"]).read_text("utf-8"))
    assert _plain(source).count(row["anchor_text"]) == 1


def test_a_caption_stands_below_each_figure_that_is_asked_for() -> None:
    figures = [row for row in QUESTIONS if row["kind"] == "figure" and row["pages"]]
    assert all(re.match(r"Figure \d+\. ", _caption_of(row)) for row in figures)


def test_one_figure_question_in_three_shares_no_content_word_with_its_caption() -> None:
    figures = [row for row in QUESTIONS if row["kind"] == "figure"]
    apart = [row for row in figures if not _words(row["question"]) & _words(_caption_of(row))]
    assert len(apart) * 3 >= len(figures)
