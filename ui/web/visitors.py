"""Tells visitors apart without accounts: a random name in a cookie. Knows HTTP, nothing of chats.

One library is one workspace: documents are everybody's who can reach the page. What somebody
asked is not. The name says nothing about a person and is only ever compared.
"""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "folio_visitor"
KEPT_S = 400 * 24 * 3600  # browsers keep no cookie longer
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")


def new() -> str:
    """A name nobody can guess: 128 random bits."""
    return secrets.token_urlsafe(16)


def read(cookies: Mapping[str, str]) -> str:
    """The name in a browser's cookies, "" without one of ours."""
    found = str(cookies.get(COOKIE, ""))  # Streamlit's AppTest hands out stand-ins
    return found if _NAME.fullmatch(found) else ""


class VisitorCookie:
    """ASGI middleware: a browser that opens a page without a name is given one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or read(_cookies(dict(scope["headers"]))):
            await self._app(scope, receive, send)
            return
        given = _set_cookie(new(), is_https=scope.get("scheme") == "https")

        async def with_name(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message["headers"]):
                message = {**message, "headers": [*message["headers"], (b"set-cookie", given)]}
            await send(message)

        await self._app(scope, receive, with_name)


def _cookies(headers: dict[bytes, bytes]) -> dict[str, str]:
    try:
        parsed = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in parsed.items()}


def _set_cookie(name: str, *, is_https: bool) -> bytes:
    # Lax: a link from elsewhere opens the visitor's own chats. No script of the page needs it.
    secure = "; Secure" if is_https else ""
    return f"{COOKIE}={name}; Path=/; Max-Age={KEPT_S}; HttpOnly; SameSite=Lax{secure}".encode()


def _is_page(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(k.lower() == b"content-type" and v.startswith(b"text/html") for k, v in headers)
