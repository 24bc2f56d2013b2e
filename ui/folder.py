"""What of a dropped folder is a document, what belongs to one, and what is left out.

Names come from a stranger's browser and are never used as a path: parts of them are kept
only where each is plain, and everything stays under the folder of one document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ingest.detect import SUFFIXES
from ingest.html_sources import saved_folder_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

READABLE = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
# What a page may show beside its text; anything else of a saved page is of no use.
PICTURES = (*SUFFIXES["picture"], ".svg")
MAX_ASSETS, MAX_ASSET_BYTES, MAX_DEPTH = 300, 10_000_000, 4
# Letters of any script, digits, and signs that mean nothing to a file system.
_PLAIN = re.compile(r"[\w][\w .()+,=@~%-]{0,119}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A picture saved beside a page, by its path from the page's folder."""

    path: PurePosixPath
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A file to be taken in; its bytes are fetched when its turn comes."""

    name: str
    read: Callable[[], bytes]
    assets: tuple[Asset, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A folder, sorted."""

    files: tuple[Incoming, ...]
    left_out: tuple[str, ...]  # suffix of each file that is not read; "" for none


def sort_folder(
    entries: Sequence[tuple[str, Callable[[], bytes]]], *, takes_all: bool = False
) -> Sorted:
    """Tell documents from pictures that belong to a web page, and from the rest.

    Args:
        entries: Path as the browser gives it ("folder/page.html"), and its bytes.
        takes_all: Leave nothing out: each was chosen by hand, and is told why it is refused.
    """
    paths = [PurePosixPath(name.replace("\\", "/")) for name, _ in entries]
    by_page = {place: _assets_of(path, paths) for place, path in enumerate(paths) if _is_page(path)}
    owned = {place for places in by_page.values() for place in places}
    files, left_out = [], []
    for place, ((_, read), path) in enumerate(zip(entries, paths, strict=True)):
        if place in owned:
            continue
        if not takes_all and path.suffix.lower() not in READABLE:
            left_out.append(path.suffix.lower())
            continue
        assets = [
            Asset(path=paths[i].relative_to(path.parent), read=entries[i][1])
            for i in by_page.get(place, ())
            if paths[i].suffix.lower() in PICTURES
        ]
        name = path.name if "/" in entries[place][0] else entries[place][0]
        files.append(Incoming(name=name, read=read, assets=tuple(assets[:MAX_ASSETS])))
    return Sorted(files=tuple(files), left_out=tuple(left_out))


def is_plain(path: PurePosixPath) -> bool:
    """Whether every part of a path may be a name on disk, below a folder of ours."""
    parts = path.parts
    return 0 < len(parts) <= MAX_DEPTH and all(_PLAIN.fullmatch(part) for part in parts)


def keep_assets(assets: Iterable[Asset], folder: Path, *, most_bytes: int) -> bool:
    """Write pictures beside a page; what has no plain name or is too large is left out.

    Returns:
        Whether there is any.
    """
    written = 0
    for asset in assets:
        if not is_plain(asset.path):
            continue
        data = asset.read()
        if len(data) > MAX_ASSET_BYTES or written + len(data) > most_bytes:
            continue
        target = folder.joinpath(*asset.path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        written += len(data)
    return written > 0


def _is_page(path: PurePosixPath) -> bool:
    return path.suffix.lower() in SUFFIXES["html"]


def _assets_of(page: PurePosixPath, paths: Sequence[PurePosixPath]) -> list[int]:
    """Places of everything in the folder that a browser saved with a page."""
    folders = {page.parent / name for name in saved_folder_names(page.stem)}
    return [place for place, path in enumerate(paths) if folders & set(path.parents)]
