"""`folio export`: list the chats that are kept, and save one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from rag.errors import ConfigError
from rag.turn import Turn
from ui.cli import app

if TYPE_CHECKING:
    from pathlib import Path

QUESTION = "How long is the blade?"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one kept chat, and no document."""
    from rag.settings import load_settings
    from ui.services import build

    monkeypatch.setenv("FOLIO_STORE__RESERVE_MB", "16")
    data = tmp_path / "data"
    services = build(load_settings(data_dir=data))
    place = services.chats.begin(None, QUESTION)
    turn = Turn(question=QUESTION, text="It is *41* metres long.")
    services.chats.keeper(place).keep(turn, is_done=True)
    services.close()
    return data


def run(folder: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["export", *arguments, "--data-dir", str(folder)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_chats_are_listed_with_their_ids(folder: Path) -> None:
    (chat,) = json.loads(run(folder, "--list", "--json"))

    assert chat["name"] == QUESTION
    assert chat["questions"] == 1
    assert run(folder, "--list") == f"{chat['id']}  {QUESTION}  (1)\n"


def test_a_chat_is_saved_by_its_name_or_id_in_either_format(folder: Path, tmp_path: Path) -> None:
    (chat,) = json.loads(run(folder, "--list", "--json"))

    page = json.loads(run(folder, QUESTION, "--out", str(tmp_path), "--json"))
    told = run(folder, chat["id"], "--out", str(tmp_path / "chat.md"))

    assert page["chat"] == chat["id"]
    assert (tmp_path / page["file"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert page["file"].endswith(".html")
    assert told.startswith(f"Wrote {tmp_path / 'chat.md'}, ")
    assert "It is *41* metres long." in (tmp_path / "chat.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "folio export --list"),
        ((str(uuid4()),), "No chat is called"),
        ((QUESTION, "--format", "docx"), "Use html or md"),
        ((QUESTION, "--out", "no/such/folder/x.md"), "cannot be written"),
    ],
    ids=["nothing", "unknown", "format", "folder"],
)
def test_what_is_wrong_is_told_in_a_sentence(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        run(folder, *arguments)
