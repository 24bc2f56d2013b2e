"""`folio inspect` as outside checks call it: its JSON, its pictures, its one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.builders import (
    make_endless_pdf,
    make_html,
    make_paper,
    make_pdf,
    make_picture,
    make_png,
)
from ui.boxes import LINES

ROOT = Path(__file__).parent.parent
PART_KEYS = {"kind", "page", "bbox", "heading", "text", "caption", "number", "image"}


def inspect(
    path: Path, *options: str, typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", "inspect", str(path), *options],
        cwd=ROOT,
        env={**os.environ, "FOLIO_DATA_DIR": str(path.parent / "library"), **environment},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def found(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The JSON for a one-page article, and the folder its pictures were written to."""
    folder = tmp_path_factory.mktemp("paper")
    path = folder / "paper.pdf"
    path.write_bytes(make_paper(figures=1))
    done = inspect(path, "--out", str(folder / "out"), "--json")
    assert "[1/1]" in done.stderr
    assert not (folder / "library").exists(), "nothing is stored"
    return found(done), folder / "out"


def test_json_has_the_keys_of_the_contract(paper: tuple[dict[str, Any], Path]) -> None:
    result, _ = paper

    assert {"pages", "parts", "skipped"} <= set(result)
    assert result["pages"] == [{"page": 1, "class": "text", "size": [595.0, 842.0]}]
    assert all(set(part) >= PART_KEYS for part in result["parts"])
    figure = next(part for part in result["parts"] if part["kind"] == "figure")
    assert figure["number"] == "Figure 1"
    assert figure["caption"].startswith("Figure 1. Height of plant 1")
    assert figure["page"] == 1
    assert len(figure["bbox"]) == 4


def test_crops_are_pictures_of_their_boxes(paper: tuple[dict[str, Any], Path]) -> None:
    result, _ = paper

    for part in result["parts"]:
        if part["kind"] == "figure":
            x0, y0, x1, y1 = part["bbox"]
            with Image.open(part["image"]) as crop:
                shape = crop.width / crop.height
            assert shape == pytest.approx((x1 - x0) / (y1 - y0), rel=0.05)


def test_page_pictures_show_every_box_in_the_line_of_its_kind(
    paper: tuple[dict[str, Any], Path],
) -> None:
    result, folder = paper
    with Image.open(folder / "page-0001.png") as picture:
        page = picture.convert("RGB")
    scale = page.width / result["pages"][0]["size"][0]

    for part in result["parts"]:
        kind = "text" if part["kind"] == "heading" else part["kind"]
        x0, y0, _, y1 = (round(value * scale) for value in part["bbox"])
        edge = [page.getpixel((x0 - 2, y)) for y in range(y0, y1)]
        assert LINES[kind].colour in edge, part


def test_the_same_json_lies_beside_the_pictures(paper: tuple[dict[str, Any], Path]) -> None:
    result, folder = paper

    assert json.loads((folder / "inspect.json").read_text()) == result


@pytest.mark.parametrize(
    ("name", "data", "kinds"),
    [
        ("page.html", make_html("<h1>Tides</h1><p>The tide turns.</p>"), ["heading", "text"]),
        ("notes.md", b"# Tides\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", ["heading", "table"]),
        ("notes.txt", b"The tide turns.\n\nAgain.\n", ["text", "text"]),
    ],
    ids=["html", "markdown", "text"],
)
def test_formats_without_pages_have_anchors(
    name: str, data: bytes, kinds: list[str], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(data)

    result = found(inspect(path, "--json"))

    assert result["pages"] == [{"page": None, "class": "text", "size": None}]
    assert [part["kind"] for part in result["parts"]] == kinds
    assert [(part["page"], part["bbox"]) for part in result["parts"]] == [(None, None)] * 2
    assert [part["anchor"] for part in result["parts"]] == ["1", "2"]


def test_a_picture_is_one_framed_page(tmp_path: Path) -> None:
    path = tmp_path / "lamp.png"
    path.write_bytes(make_picture("PNG", dpi=(144, 144)))

    result = found(inspect(path, "--json", "--out", str(tmp_path / "out")))

    assert result["pages"] == [{"page": 1, "class": "picture", "size": [200.0, 150.0]}]
    assert [part["kind"] for part in result["parts"]] == ["figure"]
    assert (tmp_path / "out" / "page-0001.png").is_file()


def test_without_a_folder_nothing_is_written_and_words_are_printed(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(make_paper(figures=1))

    done = inspect(path)

    assert done.returncode == 0
    assert "Page 1 (text)" in done.stdout
    assert "figure: Figure 1. Height of plant 1" in done.stdout
    assert [entry.name for entry in tmp_path.iterdir()] == ["paper.pdf"]


def test_passwords_come_from_a_file_or_from_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(make_pdf(["The tide turns."], password="honey"))
    keys = tmp_path / "keys"
    keys.write_text("wax\nhoney\n")

    without = inspect(path, "--json")
    wrong = inspect(path, "--json", "--password-file", "-", typed="tar\n")
    right = inspect(path, "--json", "--password-file", str(keys), "--out", str(tmp_path / "out"))

    assert (without.returncode, wrong.returncode) == (1, 1)
    assert without.stderr.strip().endswith(
        "Enter the password to have it read. Use --password-file."
    )
    assert "password for locked.pdf is wrong" in wrong.stderr
    assert "The tide turns." in found(right)["parts"][0]["text"]
    assert (tmp_path / "out" / "page-0001.png").is_file(), "drawn with the password too"


def test_a_page_that_cannot_be_drawn_costs_only_its_picture(tmp_path: Path) -> None:
    path = tmp_path / "endless.pdf"
    path.write_bytes(make_endless_pdf(["First page.", "Second page.", "Third page."], 2))

    done = inspect(path, "--json", "--out", str(tmp_path / "out"), FOLIO_INGEST__PAGE_TIMEOUT_S="2")

    assert [page["page"] for page in found(done)["pages"]] == [1, 2, 3]
    drawn = sorted(entry.name for entry in (tmp_path / "out").glob("page-*.png"))
    assert drawn == ["page-0001.png", "page-0003.png"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("zero.pdf", b"", "is empty"),
        ("photo.pdf", make_png(), "is a PNG picture, not a PDF"),
        ("torn.pdf", make_pdf()[:90], "is damaged"),
        ("torn.jpg", make_picture("JPEG")[:900], "is damaged"),
        ("polyglot.gif", b"GIF89a<html><script>alert(1)</script></html>", "is not a PNG, JPEG"),
        ("binary.txt", bytes(range(256)) * 99, "is not text"),
    ],
)
def test_hostile_files_give_one_sentence(
    name: str, data: bytes, words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(data)

    done = inspect(path, "--json")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"{name} ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("option", [[], ["--password-file", "absent"]], ids=["file", "passwords"])
def test_wrong_usage_is_told_from_a_bad_file(option: list[str], tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    if option:
        path.write_text("Words.")

    done = inspect(path, *option)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
