"""`folio export`: a kept chat as one file. Wiring and words, no logic."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from rag.errors import ConfigError
from rag.settings import load_settings
from ui.cli_options import AsJson, DataDir, Debug, tell

if TYPE_CHECKING:
    from rag.library import Chat
    from ui.export.chat import Format
    from ui.services import Services

MAX_LISTED = 10_000


def export(
    chat: Annotated[
        str | None, typer.Argument(metavar="CHAT", help="Its id, or its first question.")
    ] = None,
    data_dir: DataDir = None,
    form: Annotated[str, typer.Option("--format", help="html or md.")] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="File or folder; else named after the chat."),
    ] = None,
    *,
    listed: Annotated[bool, typer.Option("--list", help="List the chats that are kept.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Save a chat from the app as a web page with its pictures, or as Markdown."""
    from ui.export.chat import file_name
    from ui.export.make import make
    from ui.services import build
    from ui.web.wording import size

    if chat is None and not listed:
        raise ConfigError("Name a chat, or list them with `folio export --list`.")
    wanted = _form(form, out)
    with closing(build(load_settings(data_dir=data_dir))) as services:
        if chat is None:
            _list(services, as_json=as_json)
            return
        found = _one(services, chat)
        path = out or Path()
        if path.is_dir():
            path /= file_name(found.name, wanted)
        data = make(services, found.id, wanted)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
    result = {"chat": str(found.id), "file": str(path), "questions": found.turn_count}
    tell(result if as_json else f"Wrote {path}, {size(len(data))}.")


def _form(named: str, out: Path | None) -> Format:
    from ui.export.chat import Format

    form = named or ("md" if out is not None and out.suffix == ".md" else "html")
    for known in get_args(Format):
        if form == known:
            return known  # type: ignore[no-any-return]  # one of the two words
    raise ConfigError(f"--format {form} is unknown. Use html or md.")


def _list(services: Services, *, as_json: bool) -> None:
    from ui.export.chat import clean

    chats = services.chats.recent(MAX_LISTED)
    if as_json:
        tell([{"id": str(c.id), "name": c.name, "questions": c.turn_count} for c in chats])
        return
    for chat in chats:
        tell(f"{chat.id}  {clean(chat.name)}  ({chat.turn_count})")
    if not chats:
        tell("No chat is kept.")


def _one(services: Services, wanted: str) -> Chat:
    chats = services.chats.recent(MAX_LISTED)
    found = [c for c in chats if wanted in (str(c.id), c.name)]
    if not found:
        raise ConfigError(f"No chat is called {wanted}. `folio export --list` lists them.")
    if len(found) > 1:
        ids = ", ".join(str(chat.id) for chat in found)
        raise ConfigError(f"Several chats are called {wanted}. Use one of these ids: {ids}.")
    return found[0]
