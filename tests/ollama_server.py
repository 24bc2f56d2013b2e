"""A real HTTP server on loopback that speaks as much of Ollama's protocol as Folio uses.

GET /api/tags, POST /api/show, POST /api/chat as a stream of JSON lines.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A model that was fetched; without `capabilities`, as before Ollama 0.6.4."""

    name: str
    size: int = 3_000_000_000
    capabilities: tuple[str, ...] | None = ("completion",)
    window: int | None = 131_072
    remote_host: str = ""
    projector: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    path: str
    body: dict[str, Any] = field(default_factory=dict)


class OllamaServer:
    """Runs in a thread while in its `with` block; answers every chat with `says`."""

    def __init__(self, *models: Kept, says: str = "Hello.", pause_s: float = 0.0) -> None:
        self.asked: list[Asked] = []
        self.models = models
        self.says = says
        self._pause_s = pause_s
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        self.asked.append(Asked(path=path, body=body))
        time.sleep(self._pause_s)
        if path == "/api/tags":
            return 200, json.dumps({"models": [_listed(model) for model in self.models]})
        named = next((m for m in self.models if m.name == body.get("model")), None)
        if named is None:
            return 404, json.dumps({"error": f"model '{body.get('model')}' not found"})
        if path == "/api/show":
            return 200, json.dumps(_shown(named))
        if path == "/api/chat":
            return 200, "\n".join(map(json.dumps, _chat(named, self.says))) + "\n"
        return 404, "404 page not found"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(*owner._answer(self.path, {}))

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                self._send(*owner._answer(self.path, json.loads(self.rfile.read(length))))

            def _send(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("content-type", "application/x-ndjson")
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


def _listed(model: Kept) -> dict[str, Any]:
    listed = {"name": model.name, "model": model.name, "size": model.size}
    return listed | ({"remote_host": model.remote_host} if model.remote_host else {})


def _shown(model: Kept) -> dict[str, Any]:
    told: dict[str, Any] = {"details": {"family": "gemma3"}, "model_info": {}}
    if model.window:
        told["model_info"]["gemma3.context_length"] = model.window
    if model.capabilities is not None:
        told["capabilities"] = list(model.capabilities)
    if model.projector:
        told["projector_info"] = {"clip.has_vision_encoder": True}
    return told


def _chat(model: Kept, says: str) -> list[dict[str, Any]]:
    start = {"model": model.name, "created_at": "2026-11-25T00:00:00Z"}
    words = [
        start | {"message": {"role": "assistant", "content": f"{word} "}, "done": False}
        for word in says.split()
    ]
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    return [*words, start | end | {"prompt_eval_count": 21, "eval_count": 9}]
