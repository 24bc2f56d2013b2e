"""The supply chain of litellm: which versions never, one exact pin, nothing that runs unasked.

1.82.7 and 1.82.8 stole credentials (OSV MAL-2026-2144), the latter by a `.pth` file that runs
at every start of Python; 1.107.* was withdrawn with the same mark on it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.conftest import ROOT

BAD = re.compile(r"1\.82\.[78]$|1\.107\.")
# Each runs at every start: setuptools, coverage, and the packages installed from their folders.
KNOWN_PTH = re.compile(
    r"distutils-precedence|a1_coverage|_editable_impl_\w+|__editable__\.\S+|_virtualenv"
)


def _pins() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = [line for line in project["project"]["dependencies"] if line.startswith("litellm")]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    locked = [line for line in lines if line.startswith("litellm")]
    assert len(listed) == len(locked) == 1
    return [listed[0], locked[0].split(" ")[0]]


def test_one_exact_version_is_pinned_in_both_places_and_installed() -> None:
    pins = {re.fullmatch(r"litellm==(\d+\.\d+\.\d+)", pin) for pin in _pins()}
    assert None not in pins
    versions = {pin.group(1) for pin in pins if pin}
    assert versions == {metadata.version("litellm")}
    assert not BAD.match(versions.pop())


@pytest.mark.parametrize(
    ("version", "is_bad"),
    [("1.82.7", True), ("1.82.8", True), ("1.107.0", True), ("1.82.6", False), ("1.110.2", False)],
)
def test_the_bad_versions_are_known(version: str, is_bad: bool) -> None:
    assert bool(BAD.match(version)) is is_bad


def test_nothing_unknown_runs_when_python_starts() -> None:
    folder = Path(sysconfig.get_paths()["purelib"])
    unknown = [path.name for path in folder.glob("*.pth") if not KNOWN_PTH.match(path.stem)]
    assert unknown == []


def test_the_price_list_is_local_before_litellm_is_imported() -> None:
    """Without that, the import looks for a host; here a look-up of any name fails the test."""
    code = """
import socket, sys
def refuse(*arguments, **_):
    sys.exit(f"looked up {arguments[0]}")
socket.getaddrinfo = refuse
from rag.llm_facts import describe_model
from rag.settings import LlmSettings
assert describe_model(LlmSettings(model="openai/gpt-5.4-mini")).input_price
import os
assert os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LITELLM")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
