"""Encrypted PDFs end to end: asked for, tried, kept nowhere. Real child, real built-in model."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from rag.errors import EncryptedFileError, NotFoundError
from rag.settings import Settings, StoreSettings
from tests.builders import make_pdf
from ui.cli import app
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from rag.types import Document

ROOT = Path(__file__).parent.parent
SECRET = "honey-and-a-long-tail-7312"
WORDS = "The lighthouse of Elmouth was built by Ida Falk in 1871, on a rock in the bay."


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, store=StoreSettings(reserve_mb=0))


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    built = build(_settings(tmp_path / "library"))
    yield built
    built.close()


def _settled(services: Services, document_id: UUID) -> Document:
    deadline = time.monotonic() + 120
    while (found := services.library.documents.get(document_id)).state not in ("ready", "failed"):
        assert time.monotonic() < deadline, found.state
        time.sleep(0.05)
    return found


def _locked(services: Services, pages: int = 1) -> Document:
    added = services.add_file("locked.pdf", make_pdf([WORDS] * pages, password=SECRET))
    found = _settled(services, added.document_id)
    assert found.error is not None
    assert found.error.kind == "encrypted"
    return found


def test_a_locked_upload_waits_and_its_password_opens_it(services: Services) -> None:
    locked = _locked(services)
    assert services.files.exists(locked.sha256), "its bytes are kept"

    services.unlock(locked.id, SECRET)

    opened = _settled(services, locked.id)
    assert (opened.state, opened.error, opened.page_count) == ("ready", None, 1)
    assert "Ida Falk" in services.search("Who built the lighthouse?").hits[0].item.text


def test_a_wrong_password_is_one_sentence_and_asks_again(services: Services) -> None:
    locked = _locked(services)

    services.unlock(locked.id, "wax")
    failed = _settled(services, locked.id)
    assert failed.error is not None
    assert failed.error.kind == "encrypted"
    assert failed.error.message == ("The password for locked.pdf is wrong. Check it and try again.")

    services.unlock(locked.id, SECRET)
    assert _settled(services, locked.id).state == "ready"


def test_the_password_is_in_no_file_no_log_and_no_memory_of_the_worker(
    services: Services, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    locked = _locked(services)

    services.unlock(locked.id, SECRET)
    _settled(services, locked.id)
    services.page_picture(locked.id, 1, SECRET)

    secret = SECRET.encode()
    holding = [p for p in tmp_path.rglob("*") if p.is_file() and secret in p.read_bytes()]
    assert holding == []
    assert SECRET not in caplog.text
    assert SECRET not in repr(vars(services.intake._worker))


def test_after_a_restart_before_it_was_read_it_is_asked_for_again(tmp_path: Path) -> None:
    first = build(_settings(tmp_path / "library"))
    locked = _locked(first)
    first.library.documents.requeue(locked.id)  # unlocked, and the program ended before its turn
    first.close()

    second = build(_settings(tmp_path / "library"))
    try:
        second.resume()
        again = _settled(second, locked.id)
        assert again.error is not None
        assert again.error.message.startswith("locked.pdf is protected by a password.")
    finally:
        second.close()


def test_page_pictures_ask_once_more_and_then_not_again(services: Services) -> None:
    locked = _locked(services, pages=2)
    services.unlock(locked.id, SECRET)
    _settled(services, locked.id)

    with pytest.raises(EncryptedFileError, match="protected by a password"):
        services.page_picture(locked.id, 1)
    with pytest.raises(EncryptedFileError, match="is wrong"):
        services.page_picture(locked.id, 1, "wax")

    first = services.page_picture(locked.id, 1, SECRET)
    assert first.startswith(b"\x89PNG")
    assert services.page_picture(locked.id, 1) == first
    assert services.page_picture(locked.id, 2).startswith(b"\x89PNG")


def test_a_locked_document_is_deleted_for_good(services: Services) -> None:
    locked = _locked(services)

    receipt = services.delete(locked.id)

    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    assert not services.files.exists(locked.sha256)
    with pytest.raises(NotFoundError):
        services.unlock(locked.id, SECRET)


def test_a_locked_document_whose_file_is_gone_says_so(services: Services) -> None:
    locked = _locked(services)
    services.files.original_path(locked.sha256).unlink()

    with pytest.raises(NotFoundError, match=r"The file locked\.pdf is no longer kept"):
        services.unlock(locked.id, SECRET)


@pytest.mark.parametrize("user", ["", None], ids=["empty password", "owner only"])
def test_files_that_only_restrict_their_use_open_without_asking(
    user: str | None, services: Services
) -> None:
    import pymupdf

    document = pymupdf.open(stream=make_pdf([WORDS]))
    data = document.tobytes(
        encryption=pymupdf.PDF_ENCRYPT_AES_256,
        owner_pw="owner",
        user_pw=user,
        permissions=pymupdf.PDF_PERM_ACCESSIBILITY,
    )
    document.close()

    added = services.add_file("restricted.pdf", data)

    assert _settled(services, added.document_id).state == "ready"
    assert services.page_picture(added.document_id, 1).startswith(b"\x89PNG")


def _ingest(folder: Path, *arguments: str, typed: str = "") -> tuple[int, dict[str, object], str]:
    # In this process: each other one would load torch first.
    command = ["ingest", *arguments, "--json", "--data-dir", str(folder)]
    done = CliRunner().invoke(app, command, input=typed)
    return done.exit_code, json.loads(done.stdout), done.stderr


def test_passwords_on_the_command_line_are_tried_in_order(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLIO_STORE__RESERVE_MB", "0")
    path = str(shared / "corpus" / "pdf" / "password-example.pdf")
    keys = tmp_path / "keys.txt"
    keys.write_text("wax\r\n\r\ntest\r\n")
    library = tmp_path / "library"

    code, line, _ = _ingest(library, path)
    assert (code, line["status"]) == (1, "failed")
    assert line["error"]["kind"] == "encrypted"  # type: ignore[index]

    code, line, _ = _ingest(library, path, "--password-file", "-", typed="tar\n")
    assert (code, line["status"]) == (1, "failed")
    assert "is wrong" in line["error"]["message"]  # type: ignore[index]

    code, line, told = _ingest(library, path, "--password-file", str(keys))
    assert (code, line["status"], line["pages"]) == (0, "ready", 4)
    assert "test" not in told
