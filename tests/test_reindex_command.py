"""`folio reindex` as a process: killed, interrupted, refused."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.towns import (
    choose,
    fill,
    finds,
    settings_for,
    states,
    stored_points,
    visible_points,
)
from ui.services import build

ROOT = Path(__file__).parent.parent


# Writes runs down after each tenth of a second, so that there is a half-way to be killed at.
COMMAND = (
    "import sys, ingest.reindex; ingest.reindex.FLUSH_EVERY_S = {every_s};"
    "from ui.cli import main; sys.exit(main())"
)


def folio(
    *arguments: str, data_dir: Path, model_dir: Path, every_s: float = 5.0
) -> subprocess.Popen[str]:
    code = COMMAND.format(every_s=every_s)
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments, f"--data-dir={data_dir}"],
        cwd=ROOT,
        env={
            **os.environ,
            "FOLIO_STORE__RESERVE_MB": "0",
            "FOLIO_EMBED__MODEL_DIR": str(model_dir),
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_runs(data_dir: Path, wanted: int, child: subprocess.Popen[str]) -> int:
    """How many runs the unfinished index holds, once there are so many."""
    connection = sqlite3.connect(f"file:{data_dir / 'library.sqlite'}?mode=ro", uri=True)
    try:
        while child.poll() is None:
            (count,) = connection.execute("SELECT COUNT(*) FROM index_runs").fetchone()
            if count >= wanted:
                return int(count)
            time.sleep(0.005)
    finally:
        connection.close()
    pytest.fail(f"it ended before it could be killed: {child.communicate()}")


@pytest.mark.soak
@pytest.mark.parametrize("count", [20, 200])
def test_from_embedder_to_embedder_and_back_with_a_kill_half_way(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    folder, model_dir = tmp_path / "library", shared / "fixtures"
    services = build(settings_for(folder, model_dir=model_dir))
    fill(services, range(count), monkeypatch)
    before, points = states(services), len(visible_points(services))
    services.close()

    # minilm -> nomic, killed half-way
    killed = folio(
        "reindex", "--embedder", "nomic", data_dir=folder, model_dir=model_dir, every_s=0.1
    )
    wait_for_runs(folder, count // 2, killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL

    services = build(settings_for(folder, model_dir=model_dir))
    unfinished = services.library.indexes.unfinished()
    assert unfinished is not None
    kept = services.library.indexes.copied_count(unfinished)
    assert services.status().embedder == "minilm"
    assert stored_points(services) == visible_points(services)
    assert finds(services, count - 1)
    services.close()
    assert 0 < kept < points

    # ... and gone on with
    second = folio("reindex", "--embedder", "nomic", "--json", data_dir=folder, model_dir=model_dir)
    out, err = second.communicate()
    assert second.returncode == 0, err
    result = json.loads(out)
    assert (result["from"], result["to"], result["points"]) == ("minilm", "nomic", points)
    assert f" {kept} of {points} points" in err.splitlines()[0]
    searched = folio("search", "ships of town1", "--json", data_dir=folder, model_dir=model_dir)
    out, err = searched.communicate()
    assert json.loads(out)["embedder"] == "nomic", err

    # nomic -> minilm+clip -> minilm
    services = build(settings_for(folder, model_dir=model_dir))

    for name in ("minilm+clip", "minilm"):
        assert services.reindex(choose(services, name))[1:] == (name, points)
        assert states(services) == before
        assert stored_points(services) == visible_points(services)
        assert all(finds(services, number) for number in range(0, count, max(1, count // 20)))
    assert len(visible_points(services)) == points
    services.close()


def test_an_unknown_embedder_lists_the_known_ones_and_exits_with_2(
    tmp_path: Path, shared: Path
) -> None:
    child = folio("reindex", "--embedder", "word2vec", data_dir=tmp_path, model_dir=shared)
    out, err = child.communicate()
    assert (child.returncode, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert "minilm" in err
    assert "nomic" in err


def test_weights_that_are_not_on_this_machine_exit_with_2(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    child = folio(
        "reindex",
        "--embedder",
        "nomic",
        data_dir=tmp_path / "library",
        model_dir=tmp_path / "models",
    )
    out, err = child.communicate()
    assert (child.returncode, out) == (2, "")
    assert len(err.strip().splitlines()) == 1


def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, model_dir = tmp_path / "library", shared / "fixtures"
    services = build(settings_for(folder, model_dir=model_dir))
    fill(services, range(10), monkeypatch)
    services.close()
    child = folio(
        "reindex", "--embedder", "nomic", data_dir=folder, model_dir=model_dir, every_s=0.0
    )
    wait_for_runs(folder, 2, child)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate()
    assert child.returncode == 130
    assert "Traceback" not in err
    assert "folio reindex --embedder nomic" in err.splitlines()[-1]
    services = build(settings_for(folder, model_dir=model_dir))
    assert services.library.indexes.unfinished() is not None
    services.close()
