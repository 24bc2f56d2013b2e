"""Response headers and the check of who may open a socket. Knows HTTP, nothing of pages.

The Content-Security-Policy is the second of two walls: text is neutralised before
Markdown (`markup`), and should that ever fail, the browser still loads nothing
from anywhere else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S)


def inline_script_hashes(page: str) -> list[str]:
    """CSP sources of the scripts that stand in a page itself; they change with Streamlit."""
    return [
        "'sha256-" + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() + "'"
        for body in _INLINE_SCRIPT.findall(page)
    ]


def content_security_policy() -> str:
    """The policy for the installed Streamlit.

    `blob:` in script-src carries components v2 (without it they silently do not
    appear); `'unsafe-inline'` in style-src is how Streamlit styles everything.
    """
    index = Path(streamlit.__file__).parent / "static" / "index.html"
    hashes = " ".join(inline_script_hashes(index.read_text(encoding="utf-8")))
    return (
        f"default-src 'none'; script-src 'self' blob: {hashes}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; "
        "manifest-src 'self'; frame-src 'none'; object-src 'none'; base-uri 'self'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


class SecurityHeaders:
    """ASGI middleware: our headers on every answer."""

    def __init__(self, app: ASGIApp, *, policy: str) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]
        self._names = {name for name, _ in self._headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() not in self._names]
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        await self._app(scope, receive, with_headers)


class SameOriginSockets:
    """ASGI middleware: a web socket from another site's page is refused at the door.

    Streamlit refuses it as well, but first looks up this computer's public
    address over the network (seen in 1.67), which an offline app must not do.
    """

    def __init__(self, app: ASGIApp, *, also: Collection[str] = ()) -> None:
        self._app = app
        self._also = {name.lower() for name in also}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self._is_ours(dict(scope["headers"])):
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)

    def _is_ours(self, headers: dict[bytes, bytes]) -> bool:
        origin = headers.get(b"origin")
        if origin is None:  # not a browser
            return True
        name = _hostname(origin.decode("latin-1"))
        own = _hostname("//" + headers.get(b"host", b"").decode("latin-1"))
        return name is not None and (name == own or name in self._also)


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
