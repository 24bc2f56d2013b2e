"""`folio models`, `folio models pull` and `folio embed`: wiring and words, no logic."""

from __future__ import annotations

import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.settings import load_settings
from ui.cli_options import AsJson, DataDir, Debug, remark, tell

if TYPE_CHECKING:
    from rag.embed.catalogue import ModelFacts
    from rag.embed.hub import Pulled
    from rag.settings import Settings

models_app = typer.Typer(help="List the embedders, or fetch one.", rich_markup_mode=None)
WIDTH = 100
MB = 1_000_000


@models_app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List the embedders, or fetch one."""
    context.obj = (data_dir, as_json)
    if context.invoked_subcommand is not None:
        return
    from rag.embed.catalogue import CATALOGUE
    from rag.embed.load import is_cached
    from ui.contract import model_json

    settings = load_settings(data_dir=data_dir).embed
    cached = {facts.name: is_cached(facts, settings) for facts in CATALOGUE}
    if as_json:
        tell([model_json(facts, is_cached=cached[facts.name]) for facts in CATALOGUE])
        return
    for line in model_lines(CATALOGUE, cached):
        tell(line)


@models_app.command()
def pull(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model, or a pair of them, TEXT+PICTURES.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Copy from this folder, without a network."),
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Fetch the files of an embedder; goes on where it stopped."""
    from rag.embed.choice import find_facts, parse_choice

    outer_dir, outer_json = context.obj
    settings = load_settings(data_dir=data_dir or outer_dir)
    models = parse_choice(name).models if "+" in name else (find_facts(name),)
    started = time.monotonic()
    pulled = [_pull(facts, settings, source) for facts in models]
    seconds = round(time.monotonic() - started, 2)
    fetched_bytes = sum(each.fetched_bytes for each in pulled)
    folders = [str(folder) for each in pulled for folder in each.folders]
    if as_json or outer_json:
        tell({"name": name, "bytes": fetched_bytes, "folders": folders, "seconds": seconds})
        return
    if any(each.folders and not each.note for each in pulled):
        tell(f"{name}: {_size(fetched_bytes)} fetched in {seconds} s, into {', '.join(folders)}.")


def embed(
    data_dir: DataDir = None,
    embedder: Annotated[str | None, typer.Option(help="Embedder to run.")] = None,
    model_dir: Annotated[Path | None, typer.Option(help="Folder with a checkpoint.")] = None,
    dims: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Length of a vector, where it can be cut.")
    ] = None,
    query: Annotated[list[str] | None, typer.Option(help="A question.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="A passage.")] = None,
    image: Annotated[list[Path] | None, typer.Option(help="A picture.")] = None,
    caption: Annotated[
        list[str] | None,
        typer.Option(help="Words for the picture in the same place, into the same vector."),
    ] = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Print the vectors of questions, passages and pictures."""
    from rag.embed.choice import chosen_name, parse_choice
    from rag.embed.once import embed_for_cli

    settings = load_settings(data_dir=data_dir).embed
    changes = {"model": embedder, "model_dir": model_dir, "dims": dims}
    settings = settings.model_copy(update={k: v for k, v in changes.items() if v is not None})
    result = embed_for_cli(
        settings,
        queries=query or [],
        texts=text or [],
        images=image or [],
        captions=caption or [],
    )
    notices = [facts.notice for facts in parse_choice(chosen_name(settings)).models]
    for line in filter(None, [*notices, *result.notes]):
        remark(line)
    tell(
        {
            "embedder": result.embedder,
            "identity": result.identity,
            "vectors": [
                {"input": v.input, "form": v.form, "vector": [float(x) for x in v.vector]}
                for v in result.vectors
            ],
        }
    )


def model_lines(catalogue: tuple[ModelFacts, ...], cached: dict[str, bool]) -> list[str]:
    """The catalogue for people, at most 100 columns wide."""
    rows = [("NAME", "EMBEDS", "DIMS", "LICENCE (COMMERCIAL USE)", "SIZE", "HERE")]
    rows += [_row(facts, is_cached=cached[facts.name]) for facts in catalogue]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for facts, row in zip((None, *catalogue), rows, strict=True):
        cells = (
            cell.rjust(width) if place in (2, 4) else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
        if facts is not None:
            words = f"{facts.good_at} {facts.notice}".strip()
            lines += textwrap.wrap(words, WIDTH, initial_indent="    ", subsequent_indent="    ")
    return lines


def _row(facts: ModelFacts, *, is_cached: bool) -> tuple[str, str, str, str, str, str]:
    embeds = " + ".join("text" if lane == "text" else "pictures" for lane in facts.lanes)
    here = "built in" if facts.is_built_in else "yes" if is_cached else "no"
    return (
        facts.name,
        f"{embeds}, one space" if facts.joint else embeds,
        str(facts.dims),
        f"{facts.licence} ({facts.commercial_use})",
        "-" if facts.is_remote else _size(facts.size_bytes),
        "hosted" if facts.is_remote else here,
    )


def _pull(facts: ModelFacts, settings: Settings, source: Path | None) -> Pulled:
    from rag.embed.hub import pull as pull_files
    from ui.progress_line import ProgressLine

    if facts.notice:
        remark(facts.notice)
    line = ProgressLine(sys.stderr, facts.name)
    try:
        pulled = pull_files(
            facts,
            settings.embed,
            on_progress=line.show,
            source=source,
            reserve_mb=settings.store.reserve_mb,
        )
    finally:
        line.end()
    if pulled.note:
        remark(pulled.note)
    return pulled


def _size(count: int) -> str:
    return f"{count / MB / 1000:.1f} GB" if count >= 1000 * MB else f"{count / MB:.0f} MB"
