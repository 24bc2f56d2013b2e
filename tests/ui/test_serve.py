"""The launcher: ports, restarts and signals, with small real child processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from rag.errors import ConfigError
from tests.conftest import ROOT
from ui.web import serve as launcher

if TYPE_CHECKING:
    from pathlib import Path


def test_the_next_free_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert launcher.free_port("127.0.0.1", port) > port


def test_a_host_that_is_not_ours_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="Choose one with --port"):
        launcher.free_port("203.0.113.7", 8501)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:8502"),
        ("0.0.0.0", "http://127.0.0.1:8502"),
        ("::1", "http://[::1]:8502"),
    ],
)
def test_the_address_is_one_that_can_be_opened(host: str, shown: str) -> None:
    assert launcher.address(host, 8502) == shown


def _launch(tmp_path: Path, child: str) -> subprocess.Popen[str]:
    """The real launcher around a stand-in for the web server."""
    server = tmp_path / "server.py"
    server.write_text(textwrap.dedent(child), encoding="utf-8")
    script = tmp_path / "launch.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            from pathlib import Path
            sys.path.insert(0, {str(ROOT)!r})
            from rag.settings import Settings
            from ui.web import serve
            class Child(serve._Child):
                def __init__(self, *given, **named):
                    super().__init__(*given, **named)
                    self._command[1:3] = [{str(server)!r}]
            serve._Child = Child
            sys.exit(serve.serve(Settings(data_dir=Path({str(tmp_path)!r})), port=18700))
            """
        ),
        encoding="utf-8",
    )
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)


def test_a_server_that_dies_of_a_signal_is_started_once_more(tmp_path: Path) -> None:
    child = f"""
        import os, signal, pathlib
        runs = pathlib.Path({str(tmp_path)!r}) / "runs"
        count = len(runs.read_text()) if runs.exists() else 0
        runs.write_text("x" * (count + 1))
        os.kill(os.getpid(), signal.SIGBUS)
        """
    launched = _launch(tmp_path, child)
    launched.communicate(timeout=30)

    assert (tmp_path / "runs").read_text() == "xx"
    assert launched.returncode == 128 + signal.SIGBUS


def test_the_exit_code_of_the_server_is_ours(tmp_path: Path) -> None:
    launched = _launch(tmp_path, "import sys; sys.exit(2)")
    launched.communicate(timeout=30)

    assert launched.returncode == 2


ANSWERS = """
    import http.server, signal, sys, threading, pathlib
    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200); self.end_headers()
        def log_message(self, *_): pass
    server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Ready)
    def end(number, _frame):
        pathlib.Path({seen!r}).write_text(str(number))
        threading.Thread(target=server.shutdown).start()
    signal.signal(signal.SIGTERM, end); signal.signal(signal.SIGINT, end)
    server.serve_forever()
    """


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_either_signal_asks_the_server_to_end_and_ends_us_cleanly(
    tmp_path: Path, number: signal.Signals
) -> None:
    seen = tmp_path / "seen"
    launched = _launch(tmp_path, ANSWERS.format(seen=str(seen)))
    assert launched.stdout is not None
    line = launched.stdout.readline()

    launched.send_signal(number)
    launched.communicate(timeout=30)

    assert line.startswith("Folio is at http://127.0.0.1:187")
    assert seen.read_text() == str(int(signal.SIGTERM))
    assert launched.returncode == 0
