"""Where an img element's pixels come from: inside the page or files beside it, never a network.

Knows addresses and folders, nothing of blocks.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

MAX_DATA_BYTES = 10_000_000
MAX_WIDTH_PX = 2_000  # of srcset entries; more is shrunk to 1,600 anyway
MAX_CANDIDATES = 24
NOT_THERE = "the picture is not in the file or beside it"
# How browsers call the folder they save a page's files in.
_SAVED_FOLDERS = (
    "_files",
    ".files",
    "-Dateien",
    "_fichiers",
    "_archivos",
    "_arquivos",
    "_bestanden",
)
_BETWEEN_ENTRIES = re.compile(r",\s+|(?<=\d[wx]),")
_DESCRIPTOR = re.compile(r"(\d{1,6}(?:\.\d{1,4})?)([wx])")
_LAZY = ("data-src", "data-original", "data-lazy-src", "data-full-src", "data-actualsrc")
_LAZY_SETS = ("data-srcset", "data-lazy-srcset")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_DATA_HEAD = re.compile(r"data:(image/[\w.+-]+)((?:;[\w=.\"-]+)*),", re.IGNORECASE)
# 1 x 1 placeholders of lazy loaders; a real picture has more bytes.
_PLACEHOLDER_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Sources:
    """The places an address of one page may lead to.

    asset_dir: folder of the files saved with the page; None where there are none.
    page_name: file name of the page, for the `_files` folder that browsers write.
    lifted: long data: addresses by the short name they have in the tree.
    """

    asset_dir: Path | None
    page_name: str
    base_href: str
    lifted: Mapping[str, str]

    def load(self, image: _Element) -> bytes | None:
        """Bytes of the best picture an img or picture element names that is at hand, or None."""
        for address in addresses(image):
            data = self._read(address)
            if data:
                return data
        return None

    def _read(self, address: str) -> bytes | None:
        address = self.lifted.get(address, address)
        if address[:5].lower() == "data:":
            return _decode_data(address)
        return self._read_file(address) if self.asset_dir is not None else None

    def _read_file(self, address: str) -> bytes | None:
        if self.asset_dir is None:
            return None
        root = self.asset_dir.resolve()
        for relative in self._places(address):
            try:
                # Links are followed before the check, so none leads out of the folder.
                path = (root / relative).resolve()
                inside = path.is_relative_to(root) and path.is_file()
                if inside and path.stat().st_size <= MAX_DATA_BYTES:
                    return path.read_bytes()
            except (OSError, ValueError):  # names too long, NUL in a name, no permission
                continue
        return None

    def _places(self, address: str) -> Iterator[PurePosixPath]:
        """Paths under the folder: against the base element, the page, its `_files` folder."""
        if _SCHEME.match(address):
            return
        plain = urlsplit(address).path.replace("\\", "/")
        if not _SCHEME.match(self.base_href):
            yield _normalise(urljoin(self.base_href, plain))
        yield _normalise(plain)
        stem = PurePosixPath(self.page_name).stem
        for ending in _SAVED_FOLDERS:
            yield PurePosixPath(f"{stem}{ending}") / (_normalise(plain).name or "-")


def saved_folder_names(stem: str) -> list[str]:
    """How the folder may be called that a browser saved with a page of this name."""
    return [f"{stem}{ending}" for ending in _SAVED_FOLDERS]


def is_saved_beside_page(path: Path) -> bool:
    """Whether a file lies in the folder that a browser saved with a page: no document itself."""
    for folder in path.parents:
        for ending in _SAVED_FOLDERS:
            stem = folder.name.removesuffix(ending)
            pages = (folder.with_name(f"{stem}{suffix}") for suffix in (".html", ".htm", ".xhtml"))
            if stem != folder.name and any(page.is_file() for page in pages):
                return True
    return False


def addresses(image: _Element) -> list[str]:
    """The addresses an img has, best first: large srcset entries, lazy attributes, src."""
    sets = [image.get("srcset") or "", *(image.get(name) or "" for name in _LAZY_SETS)]
    # libxml2 does not know that source has no end tag, and nests the img in it.
    picture = next(image.iterancestors("picture"), None)
    if picture is not None:
        named = [
            source.get("srcset") or source.get("data-srcset") for source in picture.iter("source")
        ]
        sets = [entries or "" for entries in named] + sets
    found = [address for text in sets for address in _largest_first(text)]
    found += [image.get(name) or "" for name in (*_LAZY, "src")]
    clean = [address.strip() for address in found if address and address.strip()]
    return list(dict.fromkeys(clean))[:MAX_CANDIDATES]


def is_placeholder(image: _Element) -> bool:
    """Whether an img only keeps a place: no address at all, or nothing but a tiny data: one."""
    return all(
        address[:5].lower() == "data:" and len(address) < _PLACEHOLDER_CHARACTERS
        for address in addresses(image)
    )


def waits(image: _Element) -> bool:
    """Whether an img shows nothing until a script gives it its address."""
    shown = [image.get("src") or "", image.get("srcset") or ""]
    return all(
        not address or (address[:5].lower() == "data:" and len(address) < _PLACEHOLDER_CHARACTERS)
        for address in shown
    )


def picture_names(image: _Element) -> set[str]:
    """File names of its addresses: the same picture in another size has the same name."""
    names = set()
    for address in addresses(image):
        if address[:5].lower() != "data:" and not address.startswith("lifted:"):
            names.add(PurePosixPath(_path_of(address)).name)
    return names - {""}


def _path_of(address: str) -> str:
    try:
        return unquote(urlsplit(address).path)
    except ValueError:  # "http://[" and the like
        return ""


def _largest_first(srcset: str) -> list[str]:
    entries: list[tuple[float, str]] = []
    for entry in _BETWEEN_ENTRIES.split(srcset[:MAX_DATA_BYTES]):
        words = entry.split()
        if not words:
            continue
        match = _DESCRIPTOR.fullmatch(words[-1])
        size = float(match[1]) * (1 if match[2] == "w" else 1_000) if match else 1_000.0
        rank = size if size <= MAX_WIDTH_PX else 1.0 / size
        entries.append((rank, words[0].rstrip(",")))
    entries.sort(key=lambda entry: -entry[0])
    return [address for _, address in entries]


def _normalise(path: str) -> PurePosixPath:
    """A path without "." and "..", percent-decoded; going above the folder stays in it."""
    parts: list[str] = []
    for part in unquote(path).replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return PurePosixPath(*parts)


def _decode_data(address: str) -> bytes | None:
    """Bytes of a data: picture, refused by length before anything is decoded."""
    head = _DATA_HEAD.match(address[:300])
    if head is None or len(address) > MAX_DATA_BYTES * 4 // 3 + 300:
        return None
    payload = address[head.end() :]
    if "base64" not in head[2].lower():
        return unquote_to_bytes(payload)[:MAX_DATA_BYTES]
    payload = re.sub(r"\s", "", unquote(payload)).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
