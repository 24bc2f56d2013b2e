"""`folio models`, `models pull` and `embed` as a real process, with a hub on loopback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.embed.catalogue import CATALOGUE, NOMIC_TEXT, NOMIC_VISION
from rag.embed.hub import PullProgress
from tests.hub_server import Faults, HubServer
from tests.openai_server import free_port
from ui.cli_models import model_lines
from ui.progress_line import ProgressLine

ROOT = Path(__file__).parent.parent
CONTRACT = {
    "name", "id", "revision", "licence", "commercial_use", "dims", "text_cap", "image_input",
    "lanes", "joint", "cached", "bytes",
}  # fmt: skip
HALVES = {NOMIC_TEXT: "nomic_text_tiny", NOMIC_VISION: "nomic_vision_tiny"}


@pytest.fixture
def hub(shared: Path) -> Iterator[HubServer]:
    with HubServer() as server:
        for checkpoint, folder in HALVES.items():
            server.publish(checkpoint, shared / "fixtures" / folder)
            config = f"{checkpoint.id}/resolve/{checkpoint.revision}/config.json"
            # The tiny weights, with a config that says the real length.
            published = json.loads(server.files[config]) | {"n_embd": 768}
            server.files[config] = json.dumps(published).encode()
        yield server


@pytest.fixture
def folio(tmp_path: Path) -> Any:
    """Runs the command line with a hub cache of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own = {"HF_HOME": str(tmp_path / "hf"), "FOLIO_STORE__RESERVE_MB": "0"}
        unset = ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_ENDPOINT")
        inherited = {name: value for name, value in os.environ.items() if name not in unset}
        return subprocess.run(
            [sys.executable, "-m", "ui.cli", *arguments],
            cwd=ROOT,
            env={**inherited, **own, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_models_lists_every_model_for_machines_and_for_people(folio: Any, tmp_path: Path) -> None:
    rows = json.loads(folio("models", "--json", "--data-dir", str(tmp_path)).stdout)
    shown = folio("models").stdout

    assert [row["name"] for row in rows] == [facts.name for facts in CATALOGUE]
    assert all(set(row) >= CONTRACT for row in rows)
    cached = {row["name"]: row["cached"] for row in rows}
    assert (cached["minilm"], cached["nomic"]) == (True, False)
    for facts in CATALOGUE:
        assert f"\n{facts.name} " in shown
        assert " ".join(facts.good_at.split()) in " ".join(shown.split())


def test_the_list_fits_a_terminal_and_names_terms_of_use() -> None:
    lines = model_lines(CATALOGUE, {facts.name: True for facts in CATALOGUE})

    assert max(map(len, lines)) <= 100
    heads = [line for line in lines if not line.startswith(" ")]
    for facts, line in zip(CATALOGUE, heads[1:], strict=True):
        assert f"{facts.licence} ({facts.commercial_use})" in line
        assert line.split()[0] == facts.name


def test_pull_fetches_from_a_mirror_and_reports(folio: Any, hub: HubServer, tmp_path: Path) -> None:
    done = folio("models", "pull", "nomic", "--json", HF_ENDPOINT=hub.endpoint)

    result = json.loads(done.stdout)
    assert (done.returncode, set(result)) == (0, {"name", "bytes", "folders", "seconds"})
    assert result["name"] == "nomic"
    assert result["bytes"] == sum(len(content) for content in hub.files.values())
    assert all(Path(folder, "model.safetensors").is_file() for folder in result["folders"])
    assert Path(result["folders"][0]).is_relative_to(tmp_path / "hf" / "hub")
    assert "nomic: 100 %  0.6 of 0.6 MB" in done.stderr
    assert "\r" not in done.stderr
    # Nothing is asked but files, and nothing is told of this computer.
    assert all("/resolve/" in seen.path for seen in hub.seen)
    assert {seen.headers["user-agent"] for seen in hub.seen} == {"folio"}
    rows = json.loads(folio("models", "--json").stdout)
    assert {row["name"] for row in rows if row["cached"]} == {"minilm", "nomic", "nomic-text"}


def test_a_pair_is_pulled_whole(folio: Any, hub: HubServer) -> None:
    done = folio("models", "pull", "minilm+nomic", HF_ENDPOINT=hub.endpoint)

    assert done.returncode == 0, done.stderr
    assert "minilm comes with Folio; there is nothing to fetch." in done.stderr
    assert done.stdout.startswith("minilm+nomic: 1 MB fetched in ")


def test_options_work_before_and_after_pull(folio: Any, tmp_path: Path) -> None:
    before = folio("models", "--json", "--data-dir", str(tmp_path), "pull", "minilm")
    after = folio("models", "pull", "minilm", "--json", "--data-dir", str(tmp_path), "--debug")

    for done in (before, after):
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["bytes"] == 0


def test_pull_copies_from_a_folder(folio: Any, shared: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    for folder in HALVES.values():
        (stick / folder).mkdir(parents=True)
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            if (shared / "fixtures" / folder / name).exists():
                content = (shared / "fixtures" / folder / name).read_bytes()
                (stick / folder / name).write_bytes(content)

    done = folio(
        "models", "pull", "nomic", "--from", str(stick), "--json", HF_HUB_OFFLINE="1"
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bytes"] > 600_000


def test_what_fails_is_one_line_and_an_exit_code(folio: Any, hub: HubServer) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    runs = [
        (1, "does not answer", folio("models", "pull", "nomic", HF_ENDPOINT=dead)),
        (1, "HF_HUB_OFFLINE is set", folio("models", "pull", "nomic", HF_HUB_OFFLINE="1")),
        (2, "There is no embedder 'bert'", folio("models", "pull", "bert")),
        (2, "There is no folder /absent", folio("models", "pull", "nomic", "--from", "/absent")),
    ]
    hub.faults = Faults(garbles="model.safetensors")
    wrong = folio("models", "pull", "nomic", HF_ENDPOINT=hub.endpoint)
    runs.append((1, "other content than the hub states", wrong))

    for code, sentence, done in runs:
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert sentence in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_jina_is_not_fetched_before_its_licence_is_accepted(folio: Any) -> None:
    done = folio("models", "pull", "jina", FOLIO_EMBED__ACCEPT_NONCOMMERCIAL_LICENCE="0")

    assert done.returncode == 2
    notice, refusal = done.stderr.splitlines()
    assert "CC BY-NC 4.0: no commercial use" in notice
    assert "FOLIO_EMBED__ACCEPT_NONCOMMERCIAL_LICENCE=1" in refusal


def test_embed_cuts_vectors_and_says_what_was_not_read(folio: Any, shared: Path) -> None:
    folder = shared / "fixtures" / "nomic_text_tiny"
    long = "revenue " * 3000

    done = folio(
        "embed", "--embedder", "nomic-text", "--model-dir", str(folder), "--dims", "16",
        "--text", long,
    )  # fmt: skip

    (row,) = json.loads(done.stdout)["vectors"]
    assert len(row["vector"]) == 16
    assert np.linalg.norm(row["vector"]) == pytest.approx(1, abs=1e-5)
    assert "its end was left out" in done.stderr


def test_embed_puts_a_caption_into_the_vector_of_its_picture(folio: Any, shared: Path) -> None:
    folder = shared / "fixtures" / "embeddinggemma2_tiny"
    picture = ("--image", str(folder / "bars.png"))

    done = folio(
        "embed", "--embedder", "gemma", "--model-dir", str(folder),
        *picture, "--caption", "Sales by year", *picture, "--caption", "A red disc",
    )  # fmt: skip

    first, second = (row["vector"] for row in json.loads(done.stdout)["vectors"])
    assert np.abs(np.subtract(first, second)).max() > 1e-3


def test_a_caption_for_a_model_that_takes_none_is_wrong_usage(folio: Any, shared: Path) -> None:
    folder = shared / "fixtures" / "nomic_vision_tiny"

    done = folio(
        "embed", "--embedder", "nomic", "--model-dir", str(folder),
        "--image", str(folder / "sample_300x200.png"), "--caption", "Sales by year",
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (2, "")
    assert "nomic cannot put a caption into a picture's vector" in done.stderr


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def progress(done: int) -> PullProgress:
    return PullProgress(file="model.safetensors", done_bytes=done, total_bytes=10_000_000)


def test_a_terminal_gets_one_line_with_the_speed_since_the_start() -> None:
    seconds = iter([0.0, 0.0, 2.0])
    terminal = Terminal()
    line = ProgressLine(terminal, "nomic", clock=lambda: next(seconds))

    line.show(progress(4_000_000))  # what an earlier fetch left
    line.show(progress(6_000_000))
    line.end()

    first, second = terminal.getvalue().rstrip("\n").split("\r")[1:]
    assert first.rstrip() == "nomic:  40 %  4.0 of 10.0 MB  0.0 MB/s  model.safetensors"
    assert second.rstrip() == "nomic:  60 %  6.0 of 10.0 MB  1.0 MB/s  model.safetensors"
    assert terminal.getvalue().endswith("\n")


def test_a_log_gets_a_line_every_ten_percent() -> None:
    log = io.StringIO()
    line = ProgressLine(log, "nomic", clock=lambda: 0.0)

    for done in range(0, 10_000_001, 100_000):
        line.show(progress(done))
    line.end()

    percents = [int(text.split()[1]) for text in log.getvalue().splitlines()]
    assert percents == list(range(0, 101, 10))
