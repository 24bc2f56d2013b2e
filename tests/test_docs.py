"""The docs tell the truth: settings, defaults, links, commands and error classes exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.settings import OUTSIDE_NAMES, setting_names

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sample_data/*.md")])
SETTINGS = setting_names()


def _shown(default: object) -> str:
    if default is None:
        return "none"
    if default == "user data folder":
        return str(default)
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


@pytest.mark.parametrize(("name", "_text", "default"), SETTINGS, ids=[row[0] for row in SETTINGS])
def test_the_readme_lists_a_setting_with_its_default(
    name: str, _text: str, default: object
) -> None:
    rows = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1
    assert rows[0].endswith(f"| {_shown(default)} |")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_no_setting_that_does_not_exist(page: Path) -> None:
    named = set(re.findall(r"FOLIO_[A-Z_]*[A-Z]", page.read_text("utf-8")))
    assert named <= {name for name, _, _ in SETTINGS} | OUTSIDE_NAMES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"(?<!!)\[[^\]]+\]\((?!https?://)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|    |NO_APT=1 )make ([a-z]+)", page.read_text("utf-8")))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_folio_command_that_is_named_exists(page: Path) -> None:
    from ui.cli import app

    commands = app.registered_commands
    known = {command.name or command.callback.__name__ for command in commands if command.callback}
    known |= {str(group.name) for group in app.registered_groups}
    named = re.findall(r"(?:`|    |bin/|app |[…] )folio ([a-z]+)", page.read_text("utf-8"))
    assert set(named) <= known


def test_no_page_names_a_path_of_somebody_s_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:work|home|root|tmp/w)/")
    assert [page.name for page in PAGES if pattern.search(page.read_text("utf-8"))] == []


def test_the_licence_is_the_one_that_the_package_names() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.startswith("GNU AFFERO GENERAL PUBLIC LICENSE")
    assert text.rstrip().endswith("<https://www.gnu.org/licenses/>.")
    assert 'license = "AGPL-3.0-or-later"' in (ROOT / "pyproject.toml").read_text("utf-8")
