"""The launcher behind `folio serve`: a free port, the web server as a child, one restart.

Knows processes, ports and signals. Knows nothing of Streamlit, pages or documents.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from rag.errors import ConfigError

if TYPE_CHECKING:
    from types import FrameType

    from rag.settings import Settings

logger = logging.getLogger(__name__)

CHILD_MARK = "FOLIO_SERVE_CHILD"
SAMPLE = "--sample"
PORTS_TRIED = 50
POLL_S = 0.1


def serve(
    settings: Settings, host: str = "127.0.0.1", port: int = 8501, *, sample: bool = False
) -> int:
    """Serve the web app until it ends or is told to.

    The server runs as a child because the embedded index maps its files: a full
    disk kills the process with SIGBUS, which Python cannot catch. A child that
    dies of a signal is started once more; SIGTERM and SIGINT are passed on.

    Args:
        settings: Its `data_dir` is handed to the child; the rest the child reads
            from the same environment and `.env`.
        host: Address to listen on; only this computer by default.
        port: First port to try; the next free one is taken and written out.
        sample: Whether a new library starts with the sample documents.

    Returns:
        The exit code for the command: the child's, or 0 when it was asked to stop.

    Raises:
        ConfigError: No port near the wanted one is free, or the host is not ours.
    """
    port = free_port(host, port)
    server = _Child(settings, host, port, sample=sample)
    with _passing_signals(server):
        code = server.run()
        if code < 0 and not server.asked_to_stop:
            logger.error("web server died signal=%d, starting it once more", -code)
            code = server.run()
    # A server that ends because we asked it to has done what it was told.
    return 0 if server.asked_to_stop else code if code >= 0 else 128 - code


def free_port(host: str, wanted: int) -> int:
    """First port from `wanted` upwards that can be bound on `host`.

    Raises:
        ConfigError: None of the next `PORTS_TRIED` ports can be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = min(wanted + PORTS_TRIED, 65_536)
    for port in range(wanted, last):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    message = f"No port from {wanted} to {last - 1} is free on {host}. Choose one with --port."
    raise ConfigError(message)


def address(host: str, port: int) -> str:
    """The address a person can open: a wildcard host is shown as this computer."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


class _Child:
    """The web server process: `run` starts it and waits; `stop` asks it to end."""

    def __init__(self, settings: Settings, host: str, port: int, *, sample: bool) -> None:
        self._command = [sys.executable, "-m", "ui.web.asgi", host, str(port)]
        if sample:
            self._command.append(SAMPLE)
        self._environment = {
            **os.environ,
            CHILD_MARK: "1",
            "FOLIO_DATA_DIR": str(settings.data_dir),
            # litellm would ask a public host for prices on import otherwise.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        self._url = address(host, port)
        self._process: subprocess.Popen[bytes] | None = None
        self._told = False
        self.asked_to_stop = False

    def run(self) -> int:
        """Start the server, tell its address once it answers, wait for its end."""
        # Its own session: Ctrl-C reaches it once, through us, not twice.
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            self._command,
            env=self._environment,
            start_new_session=True,
            # Never written to: it closes when we die, even by SIGKILL, and the child
            # then ends too instead of holding library and port.
            stdin=subprocess.PIPE,
        )
        while self._process.poll() is None and not self._told:
            self._told = self._tell_address()
        return self._process.wait()

    def stop(self) -> None:
        """Ask the server to end; a second time ends it at once."""
        running = self._process is not None and self._process.poll() is None
        if self._process is not None and running:
            # Never SIGINT: it would end in a traceback, after everything is closed.
            self._process.send_signal(signal.SIGKILL if self.asked_to_stop else signal.SIGTERM)
        self.asked_to_stop = True

    def _tell_address(self) -> bool:
        time.sleep(POLL_S)
        try:
            with urllib.request.urlopen(f"{self._url}/readyz", timeout=1):  # noqa: S310 - loopback
                pass
        except (urllib.error.URLError, OSError):
            return False
        sys.stdout.write(f"Folio is at {self._url}\n")
        sys.stdout.flush()
        return True


class _passing_signals:  # noqa: N801 - reads as a word in its with statement
    """Within it, SIGTERM and SIGINT end the server instead of the launcher."""

    def __init__(self, server: _Child) -> None:
        self._server = server

    def __enter__(self) -> None:
        def pass_on(_number: int, _frame: FrameType | None) -> None:
            self._server.stop()

        self._before = {
            number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
