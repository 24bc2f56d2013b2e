"""Dockerfile, Compose and CI keep their promises; read as text, nothing is started."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag.settings import setting_names

ROOT = Path(__file__).resolve().parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def _version(package: str) -> str:
    pins = (ROOT / "requirements.txt").read_text("utf-8")
    found = re.search(rf"^{package}==([\d.]+)$", pins, re.MULTILINE | re.IGNORECASE)
    assert found
    return found[1]


def test_both_services_are_there() -> None:
    assert set(SERVICES) == {"app", "qdrant"}


@each_service
def test_an_image_is_pinned(name: str) -> None:
    assert re.search(r":v?\d+\.\d+\.\d+(-unprivileged)?$", SERVICES[name]["image"])


def test_the_server_has_the_version_of_the_client() -> None:
    assert f":v{_version('qdrant-client')}-" in SERVICES["qdrant"]["image"]


@each_service
def test_a_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert int(service["user"].split(":")[0]) > 0
    assert service["restart"] == "unless-stopped"


@each_service
def test_a_port_is_reachable_from_this_computer_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


@each_service
def test_a_service_asks_readyz_for_its_health(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert "/readyz" in " ".join(check["test"])
    assert {"interval", "timeout", "start_period", "retries"} <= set(check)


@each_service
def test_data_lies_in_a_named_volume(name: str) -> None:
    sources = [mount.split(":")[0] for mount in SERVICES[name]["volumes"]]
    assert sources
    assert set(sources) <= set(COMPOSE["volumes"])


@each_service
def test_the_key_comes_from_the_environment_and_is_required(name: str) -> None:
    values = [v for k, v in SERVICES[name]["environment"].items() if k.endswith("API_KEY")]
    assert len(values) == 1
    assert values[0].startswith("${QDRANT_API_KEY:?")


def test_the_app_waits_for_a_healthy_qdrant() -> None:
    assert SERVICES["app"]["depends_on"] == {"qdrant": {"condition": "service_healthy"}}


def test_the_app_is_given_settings_that_exist() -> None:
    known = {name for name, _, _ in setting_names()}
    assert {name for name in SERVICES["app"]["environment"] if name.startswith("FOLIO_")} <= known


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("status", "is_healthy"), [("200 OK", True), ("503 Service Unavailable", False)]
)
def test_the_qdrant_check_tells_ready_from_not_ready(status: str, is_healthy: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = SERVICES["qdrant"]["healthcheck"]["test"][-1].replace("$$", "$")
        script = script.replace("/6333", f"/{server.getsockname()[1]}")
        answering = threading.Thread(target=_answer_once, args=(server, status))
        answering.start()
        done = subprocess.run(["bash", "-c", script], timeout=10, check=False)
        answering.join(timeout=10)
    assert (done.returncode == 0) is is_healthy


def _answer_once(server: socket.socket, status: str) -> None:
    connection, _ = server.accept()
    with connection:
        assert connection.recv(1024).startswith(b"GET /readyz HTTP/1.0\r\n")
        connection.sendall(f"HTTP/1.0 {status}\r\ncontent-length: 0\r\n\r\n".encode())


def test_the_image_is_pinned_and_runs_without_root() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(bases) == {bases[0]}
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases[0])
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1] == SERVICES["app"]["user"]
    assert "HEALTHCHECK" in DOCKERFILE
    assert '"serve", "--host", "0.0.0.0"' in DOCKERFILE


def test_the_image_is_given_all_that_the_app_needs_and_no_secrets() -> None:
    rows = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {row[1:] for row in rows if row.startswith("!")}
    assert rows[0] == "*"
    assert {"app.py", "rag", "ingest", "ui", "requirements.txt", ".streamlit"} <= let_in
    assert all((ROOT / name).exists() for name in let_in)
    assert not let_in & {".env", ".git", "tests"}


def test_the_ci_script_is_strict_executable_and_ends_with_the_tests() -> None:
    path = ROOT / ".ci" / "run"
    text = path.read_text("utf-8")
    assert path.stat().st_mode & 0o111
    assert "set -euo pipefail" in text
    assert text.rstrip().endswith("exec make test")
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0


def test_hooks_before_a_commit_need_no_network() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert all(hook["language"] == "system" for hook in hooks)
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks)
