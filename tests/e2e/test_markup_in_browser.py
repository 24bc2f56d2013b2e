"""The first wall alone: hostile mixes through `render_safe`, drawn without any policy behind it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import ROOT
from tests.obeying import answers, hostile_hits
from ui.web.serve import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.soak]  # each mix is in tests/ui/test_markup.py too

SCRIPT = """
import json
import pathlib
import random
import streamlit as st
from tests.ui.test_markup import FRAGMENTS
from ui.web.markup import label, render_safe

chance = random.Random(7)
st.chat_input("x", key="ask")
for _ in range(150):
    text = "".join(chance.choices(FRAGMENTS, k=chance.randint(2, 14)))
    with st.container(key=f"mix-{_}"):
        st.markdown(render_safe(text, {1, 2}, 0))
obeyed = json.loads(pathlib.Path(__file__).with_name("obeyed.json").read_text())
for place, text in enumerate(obeyed):
    with st.container(key=f"mix-obeyed-{place}"):
        st.markdown(render_safe(text, {1, 2}, 0, [(text[:40], "check")]))
with st.container(key="labels"):
    for _ in range(50):
        text = "".join(chance.choices(FRAGMENTS, k=6))
        st.checkbox(label(text) or "x", key=f"box-{_}")
st.text("all drawn")
"""


@pytest.fixture(scope="module")
def obeyed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a model says that does all that hostile documents tell it."""
    told = answers(hostile_hits(shared, tmp_path_factory.mktemp("hostile"), ("cite_forge",)))
    return [answer.text for answer in told]


@pytest.fixture
def bare_server(tmp_path: Path, chromium: str, obeyed: list[str]) -> Iterator[str]:
    (tmp_path / "obeyed.json").write_text(json.dumps(obeyed), encoding="utf-8")
    script = tmp_path / "bare.py"
    script.write_text(SCRIPT, encoding="utf-8")
    port = free_port("127.0.0.1", 18_601)
    options = ["--server.address=127.0.0.1", f"--server.port={port}", "--server.headless=true"]
    options += ["--server.fileWatcherType=none", "--browser.gatherUsageStats=false"]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), *options],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(30)


def test_no_hostile_mix_loads_links_or_colours(bare_server: str, open_page: Any) -> None:
    watched = open_page(bare_server)
    page = watched.page
    page.get_by_text("all drawn").wait_for()
    # Streamlit's own page has one inline script and no policy: nothing to complain of here.
    mixes = page.locator('[class*="st-key-mix-"], .st-key-labels')

    assert watched.outside == []
    assert mixes.locator("img, video, iframe, form, svg image").count() == 0
    links = mixes.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert set(links) <= {"#cite-0-1", "#cite-0-2", "#check-0-0"}
    assert len(links) > 20, "our own links are there"
    assert mixes.locator("[class*=stMarkdownColored], [class*=stMarkdownBadge]").count() == 0
    assert mixes.locator("[data-testid=stIconMaterial], span[role=img]").count() == 0
