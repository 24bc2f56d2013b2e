"""Pages as browsers save them: a page and the folder with its pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.html_sources import is_saved_beside_page
from tests.html_builders import page_of, parts_of, png, read_page
from ui.cli import app


def save_page(folder: Path, ending: str = "_files") -> Path:
    """A page with two pictures in its folder, one of them named by its address on the site."""
    beside = folder / f"Pumps{ending}"
    beside.mkdir()
    (beside / "a.png").write_bytes(png(120, 90))
    (beside / "b.png").write_bytes(png(130, 90))
    (beside / "frame.html").write_bytes(page_of("<p>An advertisement in a frame.</p>"))
    figures = "".join(
        f'<figure><img src="{address}"><figcaption>{words}</figcaption></figure>'
        for address, words in ((f"./Pumps{ending}/a.png", "One"), ("/img/b.png?w=9", "Two"))
    )
    page = folder / "Pumps.html"
    page.write_bytes(page_of(f"<h1>Pumps</h1><p>They lift water.</p>{figures}"))
    return page


@pytest.mark.parametrize("ending", ["_files", ".files", "-Dateien", "_fichiers"])
def test_pictures_of_a_saved_page_are_found(ending: str, tmp_path: Path) -> None:
    page = save_page(tmp_path, ending)
    read = read_page(page.read_bytes(), asset_dir=tmp_path, name=page.name)
    found = [(part.caption, part.image_png is not None) for part in parts_of("figure", read)]
    assert found == [("One", True), ("Two", True)]


def test_what_was_saved_with_a_page_is_no_document(tmp_path: Path) -> None:
    page = save_page(tmp_path)
    assert is_saved_beside_page(tmp_path / "Pumps_files" / "frame.html")
    assert not is_saved_beside_page(page)


def test_a_folder_that_is_only_called_so_is_read(tmp_path: Path) -> None:
    (tmp_path / "tax_files").mkdir()
    assert not is_saved_beside_page(tmp_path / "tax_files" / "2024.pdf")


def test_a_folder_on_the_command_line_is_one_page_with_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    save_page(inbox)
    (tmp_path / "above.png").write_bytes(png())
    (inbox / "Other.html").write_bytes(page_of('<p>Words.</p><img src="../above.png" alt="Above">'))
    library = str(tmp_path / "library")
    monkeypatch.setenv("FOLIO_STORE__RESERVE_MB", "0")
    # In this process: another one would load torch first.
    done = CliRunner().invoke(app, ["ingest", str(inbox), "--json", "--data-dir", library])
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.exit_code == 0, done.stderr
    assert sorted(rows) == ["Other.html", "Pumps.html"]
    assert rows["Pumps.html"]["figures"] == 2
    assert rows["Other.html"]["figures"] == 1  # its words only
    assert len(list((tmp_path / "library" / "files").rglob("*.png"))) == 2
