"""Shared fixtures. Tests that need the measuring corpus look for it beside the checkout."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ingest.parts import ParsedPage
    from tests.counted import CountedPages
    from ui.services import Services

ROOT = Path(__file__).resolve().parent.parent
BLOCK = 1 << 16
SHARED = Path(os.environ.get("FOLIO_SHARED", ROOT.parent / "shared"))
# A language model is looked for in the environment: none may be found, and paid, by a test.
for _name in [name for name in os.environ if name.endswith("_API_KEY")]:
    if not _name.startswith("FOLIO_"):
        del os.environ[_name]
os.environ["OLLAMA_HOST"] = "127.0.0.1:9"  # nothing listens there


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with corpus, fixtures and labelled sets; skips where it is absent."""
    if not (SHARED / "corpus").is_dir():
        pytest.skip("the measuring corpus is not beside this checkout")
    return SHARED


def pytest_collection_finish() -> None:
    """Nothing made so far is ever garbage: torch and four thousand tests need no second look."""
    gc.collect()
    gc.freeze()


def copy_library(source: Path, target: Path) -> None:
    """Copy a data folder; the index keeps files of 32 MB that are nearly all holes."""
    shutil.copytree(source, target, copy_function=_copy_data)


def _copy_data(source: str, target: str) -> None:
    """Copy a file; blocks of nothing but zeros become holes."""
    with Path(source).open("rb") as old, Path(target).open("wb") as new:
        while block := old.read(BLOCK):
            if block.count(0) == len(block):
                new.seek(len(block), os.SEEK_CUR)
            else:
                new.write(block)
        new.truncate()


Once = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Makes a file or a folder that all workers of the run need; the first who asks makes it."""
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], None]) -> Path:
        target = common / name
        with FileLock(common / f"{name}.lock"):
            if not target.exists():
                make(common / f"{name}-in-making")
                (common / f"{name}-in-making").rename(target)
        return target

    return made


@pytest.fixture(scope="session")
def sample_library(once: Once) -> Path:
    """A data folder with the sample documents; to be copied."""
    return once("sample-library", _read_sample)


@pytest.fixture(scope="session")
def counted_pages(once: Once, shared: Path) -> CountedPages:
    """The pages of the files whose figures were counted by hand."""
    from tests.counted import parse_counted, read_counted

    @cache
    def pages(name: str) -> dict[int, ParsedPage]:
        path = shared / "corpus" / "pdf" / name
        return read_counted(once(f"counted-{name}", lambda target: parse_counted(path, target)))

    return pages


@pytest.fixture(scope="module")
def sample_services(
    sample_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Services over a copy of the sample library, for one module of tests."""
    folder = tmp_path_factory.mktemp("sample") / "data"
    copy_library(sample_library, folder)
    opened = _open(folder)
    yield opened
    opened.close()


def _open(folder: Path) -> Services:
    from rag.settings import EmbedSettings, Settings, StoreSettings
    from ui.services import build

    return build(
        Settings(
            data_dir=folder, embed=EmbedSettings(model="minilm"), store=StoreSettings(reserve_mb=0)
        )
    )


def _read_sample(folder: Path) -> None:
    from ui.intake import sample_paths

    opened = _open(folder)
    for path in sample_paths():
        admitted = opened.pipeline.admit(path.name, path.read_bytes(), asset_dir=path.parent)
        opened.pipeline.run(admitted.document.id)
    opened.close()
