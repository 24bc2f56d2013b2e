"""A real HTTP server on loopback that speaks the OpenAI chat protocol, from a script.

Every reply is one way a server really behaves (facts of 2026-11: good streams, refusals,
broken streams, silence). Requests are recorded as they came over the wire.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

Ending = Literal[
    "done", "no_finish", "early", "reset", "malformed", "error_event", "stall", "silence"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server does with one request.

    With status 200 it streams `pieces`, `pause_s` before each, and then ends: "done" as it
    should; "no_finish" with [DONE] but no finish_reason; "early" by closing; "reset" by a TCP
    reset; "malformed" by a chunk that is no JSON; "error_event" by an error inside the stream;
    "stall" by sending nothing more; "silence" by sending nothing at all, not even headers.
    With any other status, or a `body`, it sends the body at once.
    """

    pieces: Iterable[str] = ()
    status: int = 200
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    ending: Ending = "done"
    finish: str = "stop"
    pause_s: float = 0.0
    error_text: str = "The server had an error."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One POST as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Content parts of the last message."""
        content = self.body["messages"][-1]["content"]
        return content if isinstance(content, list) else [{"type": "text", "text": content}]

    @property
    def image_count(self) -> int:
        return sum(part["type"] == "image_url" for part in self.parts)


Script = Reply | Callable[[Request], Reply]


def says(*pieces: str, **options: Any) -> Reply:
    return Reply(pieces=pieces, **options)


def refuses(status: int, text: str, *, code: str = "error", **options: Any) -> Reply:
    body = json.dumps({"error": {"message": text, "type": code, "code": code}})
    return Reply(status=status, body=body, **options)


def ignores_stream(text: str) -> Reply:
    """A whole answer at once, whatever was asked for."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "scripted"}
    return Reply(body=json.dumps({**head, "choices": [choice], "usage": usage}))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault; anything else is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class ModelServer:
    """Runs in a thread while in its `with` block. The last script is used again and again."""

    def __init__(self, *scripts: Script) -> None:
        self.requests: list[Request] = []
        self.closed_early = threading.Event()  # a client went away in mid-stream
        self._scripts = list(scripts) or [says("ok")]
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
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
                try:
                    _answer(self, reply, owner._released)
                except (BrokenPipeError, ConnectionResetError):
                    owner.closed_early.set()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answer(handler: BaseHTTPRequestHandler, reply: Reply, released: threading.Event) -> None:
    if reply.ending == "silence":
        released.wait(20)
        return
    if reply.status != 200 or reply.body:
        _send_whole(handler, reply)
        return
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    for piece in reply.pieces:
        if released.wait(reply.pause_s):
            return
        _send_event(handler, json.dumps(_chunk(content=piece)))
    _end(handler, reply, released)


def _send_whole(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    body = reply.body.encode()
    handler.send_response(reply.status)
    handler.send_header("content-type", reply.content_type)
    handler.send_header("content-length", str(len(body)))
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def _end(handler: BaseHTTPRequestHandler, reply: Reply, released: threading.Event) -> None:
    if reply.ending == "stall":
        released.wait(20)
    elif reply.ending == "reset":
        # Linger 0: close() sends RST instead of FIN.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
    elif reply.ending == "malformed":
        _send_event(handler, '{"choices": [{"delta": {"cont')
    elif reply.ending == "error_event":
        _send_event(handler, json.dumps({"error": {"message": reply.error_text, "code": 500}}))
    if reply.ending == "done":
        _send_event(handler, json.dumps(_chunk(finish=reply.finish)))
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        _send_event(handler, json.dumps(_chunk(usage=usage)))
    if reply.ending in ("done", "no_finish"):
        _send_event(handler, "[DONE]")
        handler.wfile.write(b"0\r\n\r\n")


def _chunk(
    *, content: str | None = None, finish: str | None = None, usage: dict[str, int] | None = None
) -> dict[str, Any]:
    delta = {"role": "assistant", "content": content} if content is not None else {}
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "scripted",
        "choices": choices,
        "usage": usage,
    }


def _send_event(handler: BaseHTTPRequestHandler, text: str) -> None:
    line = f"data: {text}\n\n".encode()
    handler.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
    handler.wfile.flush()
