"""A real HTTP server on loopback that speaks the part of the model hub's protocol that is used.

Like the hub of 2026-11: `/ID/resolve/REVISION/FILE` redirects. A small file lies on the hub itself,
with git's SHA-1 of the blob as its ETag; weights lie at another origin (here the same server under
its other name, `localhost`), their SHA-256 and size stated on the way in `X-Linked-Etag` and
`X-Linked-Size`, with the headers that offer Xet. Requests are recorded as they came.
"""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from pathlib import Path

    from rag.embed.catalogue import Checkpoint

WEIGHTS = (".safetensors", ".onnx", ".onnx_data")
HERE, ELSEWHERE = "/api/resolve-cache/", "/cdn/"


@dataclass(slots=True, kw_only=True)
class Seen:
    """One request, and how many bytes of content went out for it."""

    method: str
    path: str
    headers: dict[str, str]
    sent_bytes: int = 0


@dataclass(slots=True, kw_only=True)
class Faults:
    """What is wrong with the server; may be changed while it runs."""

    status: int = 0  # answer everything with it
    is_silent: bool = False  # accept, read, and never answer
    cut_after: int = -1  # close a content that is longer after so many bytes ...
    cut_count: int = 1  # ... so many times
    pause_s: float = 0.0  # after each 1,000 bytes of content
    garbles: str = ""  # send other bytes for files of this name
    ignores_ranges: bool = False
    commit: str = ""  # state another commit than the one that was asked for


@dataclass(slots=True, kw_only=True)
class HubServer:
    """Runs in its `with` block."""

    files: dict[str, bytes] = field(default_factory=dict)  # "ID/resolve/REVISION/FILE"
    faults: Faults = field(default_factory=Faults)
    seen: list[Seen] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    _server: _Server | None = None

    def publish(self, checkpoint: Checkpoint, folder: Path) -> None:
        """Serve the files of a folder under the id and revision of a checkpoint."""
        for name in checkpoint.files:
            content = (folder / name).read_bytes()
            self.files[f"{checkpoint.id}/resolve/{checkpoint.revision}/{name}"] = content

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.server_address[1])

    def downloads(self, name: str) -> list[Seen]:
        """Requests that were sent content of a file."""
        asked = (seen for seen in self.seen if seen.method == "GET")
        return [seen for seen in asked if seen.path.endswith(name) and seen.sent_bytes]

    def __enter__(self) -> Self:
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def digest_of(name: str, content: bytes) -> str:
    """The ETag that the hub states."""
    if name.endswith(WEIGHTS):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: HubServer) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(method=self.command, path=unquote(self.path), headers=headers)
        self.server.hub.seen.append(seen)
        self.close_connection = True
        if self.server.hub.faults.is_silent:
            self.server.hub.released.wait(60)
        elif self.server.hub.faults.status:
            self._say(self.server.hub.faults.status, {"Content-Length": "0"})
        else:
            self._serve(seen)

    def _serve(self, seen: Seen) -> None:
        name = seen.path
        for prefix in (HERE, ELSEWHERE, "/"):
            name = name.removeprefix(prefix)
        content = self.server.hub.files.get(name)
        if content is None:
            self._say(404, {"X-Error-Code": "EntryNotFound", "Content-Length": "0"})
            return
        revision = name.split("/resolve/")[1].split("/")[0]
        digest = digest_of(name, content)
        stated = {"X-Repo-Commit": self.server.hub.faults.commit or revision, "ETag": f'"{digest}"'}
        if seen.path.startswith((HERE, ELSEWHERE)):
            self._send(seen, content, stated)
        elif name.endswith(WEIGHTS):
            self._say(302, stated | self._elsewhere(name, digest, len(content)))
        else:
            self._say(307, {"Location": HERE + name, "Content-Length": "0"})

    def _elsewhere(self, name: str, digest: str, size: int) -> dict[str, str]:
        return {
            "ETag": '"of-the-redirect"',
            "Location": f"http://localhost:{self.server.hub.port}{ELSEWHERE}{name}",
            "X-Linked-Etag": f'"{digest}"',
            "X-Linked-Size": str(size),
            "X-Xet-Hash": "0" * 64,
            "X-Xet-Refresh-Route": f"{self.server.hub.endpoint}/api/xet-read-token",
            "Content-Length": "0",
        }

    def _send(self, seen: Seen, content: bytes, stated: dict[str, str]) -> None:
        start = self._start(seen)
        if start >= len(content) > 0:
            self._say(416, {"Content-Length": "0"})
            return
        if start:
            stated["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        if self.server.hub.faults.garbles and seen.path.endswith(self.server.hub.faults.garbles):
            body = bytes(len(body))
        self._say(206 if start else 200, stated | {"Content-Length": str(len(body))})
        if self.command == "GET":
            self._write(seen, body)

    def _start(self, seen: Seen) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        return int(asked[1]) if asked and not self.server.hub.faults.ignores_ranges else 0

    def _write(self, seen: Seen, body: bytes) -> None:
        faults = self.server.hub.faults
        if 0 <= faults.cut_after < len(body) and faults.cut_count:
            faults.cut_count -= 1
            body = body[: faults.cut_after]
        for start in range(0, len(body), 1000):
            piece = body[start : start + 1000]
            try:
                self.wfile.write(piece)
            except ConnectionError:  # the client has gone
                return
            seen.sent_bytes += len(piece)
            if faults.pause_s and self.server.hub.released.wait(faults.pause_s):
                return

    def _say(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""
