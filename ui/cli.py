"""`folio`: one function a subcommand, no logic, no Streamlit. Heavy parts load when called."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.errors import ConfigError, LibraryInUseError, NotFoundError, RagError, StoreError
from rag.settings import Settings, load_settings
from rag.types import PICTURES, WORDS, Document, Failure
from ui.cli_eval import compare, evaluate
from ui.cli_export import export
from ui.cli_inspect import inspect
from ui.cli_models import embed, models_app
from ui.cli_options import (
    AsJson,
    DataDir,
    Debug,
    ImageFile,
    PasswordFile,
    read_passwords,
    words_of,
)
from ui.cli_options import tell as _tell
from ui.cli_reindex import reindex

if TYPE_CHECKING:
    from uuid import UUID

    from PIL import Image

    from rag.types import Kind
    from ui.services import Services

app = typer.Typer(
    name="folio",
    help="Ask your documents; answers come from their text and pictures, with sources.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DONE, FAILED, WRONG_USAGE = 0, 1, 2

TopK = Annotated[int, typer.Option("-k", min=1, max=50, help="How many hits to keep.")]
InDocument = Annotated[
    list[str] | None, typer.Option("--document", metavar="NAME_OR_ID", help="Search only this.")
]


def main() -> None:
    """The console script: no traceback ever reaches the user, unless asked for."""
    debug = "--debug" in sys.argv
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    try:
        app()
    except (ConfigError, LibraryInUseError, NotFoundError, StoreError) as error:
        _leave(error, WRONG_USAGE, debug=debug)
    except RagError as error:
        _leave(error, FAILED, debug=debug)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(FAILED)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files and folders.")],
    data_dir: DataDir = None,
    password_file: PasswordFile = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Take files into the library."""
    files = list(_files_of(paths))
    passwords = read_passwords(password_file)
    failed = 0
    with _services(data_dir) as services:
        services.check_index()
        services.pipeline.recover()
        for number, path in enumerate(files, 1):
            if not as_json:
                typer.echo(f"[{number}/{len(files)}] {path.name} …", err=True)
            line = _ingest_one(services, path, passwords)
            failed += line["status"] == "failed"
            _tell(line if as_json else _ingest_text(line))
    raise typer.Exit(FAILED if failed else DONE)


@app.command()
def search(
    query: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    data_dir: DataDir = None,
    image: ImageFile = None,
    k: TopK = 8,
    kind: Annotated[str, typer.Option(help="any, text or image.")] = "any",
    document: InDocument = None,
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why each result stands where it stands.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Find passages, tables and figures."""
    from ui.contract import search_json
    from ui.explaining import hit_lines, rest_lines

    words = words_of(query, image)
    groups = {"any": None, "text": "words", "image": "pictures"}
    if kind not in groups:
        raise ConfigError(f"--kind {kind} is unknown. Use any, text or image.")
    with _services(data_dir) as services:
        from rag.types import Scope

        scope = Scope(
            workspace=services.workspace,
            documents=_documents(services, document),
            group=groups[kind],  # type: ignore[arg-type]  # checked above
        )
        found = services.search(
            words, top_k=k, scope=scope, explain=explain, picture=_picture(services, image)
        )
        result = search_json(words, services.status().embedder, found)
    for note in found.notes:
        typer.echo(note, err=True)
    if as_json:
        _tell(result)
        return
    said = found.explanation
    kept = said.kept() if said is not None else []
    for place, hit in enumerate(result["hits"]):
        _tell(_hit_text(hit))
        for line in hit_lines(kept[place], said) if said is not None else ():
            _tell(line)
    if not result["hits"]:
        _tell("Nothing found.")
    for line in rest_lines(found, said) if said is not None else ():
        _tell(line)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="Your question.")] = None,
    data_dir: DataDir = None,
    image: ImageFile = None,
    k: TopK = 8,
    document: InDocument = None,
    *,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="Passages only, no model.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Answer a question with sources."""
    from rag.extractive import TITLE
    from ui.contract import answer_json

    words = words_of(question, image)
    with _services(data_dir) as services:
        answer = services.answer(
            words,
            documents=_documents(services, document),
            top_k=k,
            use_llm=not no_llm,
            picture=_picture(services, image),
        )
    for note in answer.notes:
        typer.echo(note, err=True)
    result = answer_json(answer) | {"question": words}
    if as_json:
        _tell(result)
        return
    if answer.mode == "extractive" and not answer.abstained:
        _tell(f"{TITLE}:\n")
    _tell(result["answer"])
    for source in result["sources"]:
        _tell(f"[{source['marker']}] {_place(source)}")
    if result["error"]:
        typer.echo(result["error"]["message"], err=True)


@app.command()
def documents(
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List the library."""
    from ui.contract import document_json

    with _services(data_dir) as services:
        rows = [document_json(entry) for entry in services.documents()]
    if as_json:
        _tell(rows)
        return
    for row in rows:
        counts = f"{row['texts']} texts, {row['tables']} tables, {row['figures']} figures"
        _tell(f"{row['status']:9} {row['name']}  ({counts})  {row['id']}")


@app.command()
def delete(
    names: Annotated[list[str], typer.Argument(metavar="NAME_OR_ID…")],
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Delete documents for good."""
    from ui.contract import receipt_json

    with _services(data_dir) as services:
        ids = dict.fromkeys(_one_document(services, name).id for name in names)
        receipts = [receipt_json(services.delete(id_)) for id_ in ids]
    if as_json:
        _tell({"deleted": receipts})
        return
    for receipt in receipts:
        _tell(f"Deleted {receipt['name']}.")


app.add_typer(models_app, name="models")
app.command()(embed)
app.command()(reindex)
app.command()(inspect)
app.command()(export)
app.command("eval")(evaluate)
app.command()(compare)


@app.command()
def serve(
    data_dir: DataDir = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; the next free one when taken.")] = 8501,
    *,
    sample: Annotated[
        bool, typer.Option("--sample", help="Load the sample documents into a new library.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Start the web app."""
    from ui.web.serve import serve as run

    raise typer.Exit(run(_settings(data_dir), host, port, sample=sample))


def _settings(data_dir: Path | None) -> Settings:
    return load_settings(data_dir=data_dir)


@contextmanager
def _services(data_dir: Path | None) -> Iterator[Services]:
    from rag.embed.load import licence_notice
    from ui.services import build

    services = build(_settings(data_dir))
    try:
        if notice := licence_notice(services.embed_settings()):
            typer.echo(notice, err=True)
        yield services
    finally:
        services.close()


def _picture(services: Services, path: Path | None) -> Image.Image | None:
    from ui.question_picture import read_picture

    return read_picture(path, services.settings.ingest) if path else None


def _ingest_one(services: Services, path: Path, passwords: Sequence[str]) -> dict[str, Any]:
    from ui.contract import ingest_json, refused_json
    from ui.views import note_on_language

    started = time.monotonic()
    try:
        admitted = services.pipeline.admit(
            path.name, path.read_bytes(), asset_dir=path.absolute().parent
        )
        document = admitted.document
        is_known = admitted.is_known and document.state == "ready"
        if not is_known:
            from ingest.pipeline import Progress

            progress = Progress(document_id=document.id, name=document.name)
            document = services.pipeline.resume(document.id, progress, passwords=passwords)
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}."
        failure = Failure(kind="unreadable", message=message)
        return refused_json(str(path), path.name, failure, time.monotonic() - started)
    except RagError as error:
        failure = Failure(kind=error.kind, message=str(error))
        return refused_json(str(path), path.name, failure, time.monotonic() - started)
    note = note_on_language(document, services.status().embedder)
    seconds = time.monotonic() - started
    return {
        **ingest_json(str(path), document, is_known=is_known, seconds=seconds, note=note),
        "name": path.name,
    }


def _files_of(paths: list[Path]) -> Iterator[Path]:
    from ingest.detect import SUFFIXES
    from ingest.html_sources import is_saved_beside_page

    readable = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file())
            inside = [p for p in found if not is_saved_beside_page(p)]
            yield from (p for p in inside if p.suffix.lower() in readable)
        elif path.exists():
            yield path
        else:
            raise ConfigError(f"There is no file or folder {path}.")


def _documents(services: Services, names: list[str] | None) -> tuple[UUID, ...]:
    return tuple(_one_document(services, name).id for name in names or [])


def _one_document(services: Services, name: str) -> Document:
    found = services.find(name)
    if not found:
        raise ConfigError(f"No document is called {name}. `folio documents` lists them.")
    if len(found) > 1:
        ids = ", ".join(str(document.id) for document in found)
        raise ConfigError(f"Several documents are called {name}. Use one of these ids: {ids}.")
    return found[0]


def _place(row: dict[str, Any]) -> str:
    kinds: tuple[Kind, ...] = (*WORDS, *PICTURES)
    kind = row["kind"] if row["kind"] in kinds else "text"
    where = f", page {row['page']}" if row["page"] else ""
    return f"{row['document']['name']}{where} ({kind})"


def _hit_text(row: dict[str, Any]) -> str:
    words = " ".join((row["caption"] or row["text"]).split())
    same = ", the same picture" if "look_alike_bits" in row else ""
    return f"{row['rank']}. {_place(row)}{same}\n   {words[:200]}"


def _ingest_text(line: dict[str, Any]) -> str:
    if line["error"]:
        hint = " Use --password-file." if line["error"]["kind"] == "encrypted" else ""
        return f"{line['name']}: {line['error']['message']}{hint}"
    counts = f"{line['texts']} texts, {line['tables']} tables, {line['figures']} figures"
    head = f"{line['name']}: {line['status']}, {counts}"
    return "\n".join([head, *(f"   {warning}" for warning in line["warnings"])])


def _leave(error: RagError, code: int, *, debug: bool) -> None:
    if debug:
        logging.getLogger(__name__).error("failed", exc_info=error)
    sys.stderr.write(f"{error}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
