"""`folio inspect`: what the parser sees in a file, as JSON and as pictures. Stores nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.errors import ConfigError, EncryptedFileError
from rag.settings import load_settings
from ui.cli_options import AsJson, DataDir, Debug, PasswordFile, read_passwords, remark, tell

if TYPE_CHECKING:
    from ingest.inspect import InspectedPage
    from ingest.parts import ParsedPage, Part
    from ui.boxes import Mark

_LETTERS = {"table": "T", "figure": "F", "page": "P"}


def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A document of any type.")],
    data_dir: DataDir = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Write the pages with their boxes and all pictures here."
        ),
    ] = None,
    password_file: PasswordFile = None,
    *,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show what is seen in a file: its pages, parts and what was left out. Stores nothing."""
    from ingest.inspect import InspectedPage, inspect_file

    if not file.is_file():
        raise ConfigError(f"There is no file {file}.")
    limits = load_settings(data_dir=data_dir).ingest
    report = _Report(_folder(out))
    events = inspect_file(
        file, limits=limits, passwords=read_passwords(password_file), draws_pages=out is not None
    )
    page_count: int | None = None
    try:
        for event in events:
            if isinstance(event, InspectedPage):
                report.add(event)
                _show_progress(event.page, page_count)
            else:
                page_count = event.page_count
    except EncryptedFileError as error:
        raise EncryptedFileError(f"{error} Use --password-file.") from error
    report.finish()
    if as_json:
        tell(report.found)
        return
    for line in report.lines:
        tell(line)


class _Report:
    """Collects the JSON; writes pictures as their pages come, so none is held."""

    def __init__(self, folder: Path | None) -> None:
        self.found: dict[str, list[Any]] = {"pages": [], "parts": [], "skipped": [], "warnings": []}
        self.lines: list[str] = []
        self._folder = folder

    def add(self, inspected: InspectedPage) -> None:
        """Take in one page."""
        from ui.contract import inspected_page_json, inspected_part_json, inspected_skip_json

        page = inspected.page
        self.found["pages"].append(inspected_page_json(page))
        first = len(self.found["parts"]) + 1
        for number, part in enumerate(page.parts, first):
            image = self._write(f"part-{number:04d}-{part.kind}.png", part.image_png)
            self.found["parts"].append(inspected_part_json(part, page.page_number, image))
        if inspected.picture_png is not None and page.page_number is not None and page.size:
            marked = _marked(inspected.picture_png, page.parts, first, page.size)
            self._write(f"page-{page.page_number:04d}.png", marked)
        self.found["skipped"] += [inspected_skip_json(skipped) for skipped in page.skipped]
        self.found["warnings"] += page.warnings
        self.lines += _lines(page)

    def finish(self) -> None:
        """Write the JSON beside the pictures."""
        if self._folder is not None:
            text = json.dumps(self.found, ensure_ascii=False, indent=1)
            self._write("inspect.json", text.encode())
            self.lines.append(f"Pages, pictures and inspect.json are in {self._folder}.")

    def _write(self, name: str, data: bytes | None) -> str | None:
        if self._folder is None or data is None:
            return None
        path = self._folder / name
        try:
            path.write_bytes(data)
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
        return str(path)


def _folder(out: Path | None) -> Path | None:
    if out is None:
        return None
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder {out} cannot be made: {error.strerror}.") from error
    return out.resolve()


def _marked(
    png: bytes, parts: tuple[Part, ...], first: int, page_size: tuple[float, float]
) -> bytes:
    from ui.boxes import mark_parts

    marks = [mark for number, part in enumerate(parts, first) for mark in _marks(part, number)]
    return mark_parts(png, marks, page_size)


def _marks(part: Part, number: int) -> list[Mark]:
    """The boxes of a part; the tag is the letter of its kind and its place in the JSON."""
    from ui.boxes import Mark

    kind = "text" if part.kind == "heading" else part.kind
    letter = _LETTERS.get(kind, "")
    tag = f"{letter} {number}" if letter else ""
    return [
        Mark(kind=kind, box=region.bbox, tag=tag if index == 0 else "")
        for index, region in enumerate(part.regions)
    ]


def _lines(page: ParsedPage) -> list[str]:
    where = f"Page {page.page_number}" if page.page_number is not None else "The page"
    counts = Counter(part.kind for part in page.parts)
    found = ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing"
    lines = [f"{where} ({page.page_class}): {found}"]
    for part in page.parts:
        if part.kind in _LETTERS:
            words = " ".join((part.caption or part.alt or part.text).split())
            lines.append(f"   {part.kind}: {words[:100] or 'no caption'}")
    lines += [f"   left out: {skipped.reason}" for skipped in page.skipped]
    return [*lines, *(f"   {warning}" for warning in page.warnings)]


def _show_progress(page: ParsedPage, page_count: int | None) -> None:
    if page.page_number is not None and page_count is not None:
        remark(f"[{page.page_number}/{page_count}] {page.page_class}")
