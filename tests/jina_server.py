"""A real HTTP server on loopback that speaks Jina's embeddings interface, from a script.

Without a script its vectors depend on content: a text is the sum of its words, a picture
the words of what it shows ("red circle" where it has red, else "bar chart"), and a task
moves a vector a little. Requests are recorded as they came over the wire.
"""

from __future__ import annotations

import base64
import io
import json
import re
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np
from PIL import Image

FULL = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One POST as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def inputs(self) -> list[dict[str, str]]:
        return self.body["input"]

    @property
    def pictures(self) -> list[Image.Image]:
        return [open_picture(entry["image"]) for entry in self.inputs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server sends; `silence` sends nothing, `hang_up` closes without an answer."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    silence: bool = False
    hang_up: bool = False


Script = Reply | Callable[[Request], Reply]


def refuses(status: int, detail: object = "no", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=json.dumps({"detail": detail}), headers=named)


def rows_for(request: Request) -> list[dict[str, Any]]:
    return [
        {"object": "embedding", "index": place, "embedding": vector_of(entry, request.body)}
        for place, entry in enumerate(request.inputs)
    ]


def answers(rows: list[dict[str, Any]]) -> Reply:
    return Reply(body=json.dumps({"model": "jina-clip-v2", "data": rows, "usage": {}}))


def embeds(request: Request) -> Reply:
    return answers(rows_for(request))


def embeds_in_another_order(request: Request) -> Reply:
    return answers(rows_for(request)[::-1])


def vector_of(entry: dict[str, str], body: dict[str, Any]) -> list[float]:
    if "image" in entry:
        pixels = np.asarray(open_picture(entry["image"]).convert("RGB"), dtype=np.int64)
        is_red = (pixels[..., 0] - pixels[..., 1:].max(axis=-1) > 100).mean() > 0.05
        # What else a picture shows moves it a little, so that no two are alike.
        shade = f"shade{round(pixels.mean())}"
        total = 3 * _sum_words("red circle" if is_red else "bar chart") + _sum_words(shade)
    else:
        total = _sum_words(entry["text"])
    if "task" in body:
        total = total + 0.3 * _sum_words(body["task"])
    cut = total[: body["dimensions"]]
    return (cut / np.linalg.norm(cut)).tolist()


def open_picture(data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def _sum_words(text: str) -> Any:
    words = re.findall(r"\w+", text.lower())
    return sum(np.random.default_rng(zlib.crc32(word.encode())).normal(size=FULL) for word in words)


class JinaServer:
    """Runs in a thread while in its `with` block. The last script is used again and again."""

    def __init__(self, *scripts: Script) -> None:
        self.requests: list[Request] = []
        self._scripts = list(scripts) or [embeds]
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next(self, request: Request) -> Reply:
        self.requests.append(request)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        return script if isinstance(script, Reply) else script(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = json.loads(self.rfile.read(length))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = owner._next(Request(path=self.path, headers=headers, body=body))
                self.close_connection = True
                if reply.silence:
                    owner._released.wait(20)
                elif not reply.hang_up:
                    self._send(reply)

            def _send(self, reply: Reply) -> None:
                data = reply.body.encode()
                self.send_response(reply.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.send_header("connection", "close")
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
