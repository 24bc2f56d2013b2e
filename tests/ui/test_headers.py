"""Headers, sockets and routes of the served app, asked over real HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.web import asgi
from ui.web.headers import (
    SameOriginSockets,
    SecurityHeaders,
    content_security_policy,
    inline_script_hashes,
)


def test_every_answer_carries_the_policy() -> None:
    def hello(_request: object) -> PlainTextResponse:
        return PlainTextResponse("hello", headers={"Referrer-Policy": "unsafe-url"})

    app = Starlette(
        routes=[Route("/", hello)],
        middleware=[Middleware(SecurityHeaders, policy=content_security_policy())],
    )
    client = TestClient(app)

    for path in ("/", "/missing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers.get_list("referrer-policy") == ["no-referrer"]


def test_policy_names_the_inline_script_of_the_installed_page() -> None:
    policy = content_security_policy()

    assert "script-src 'self' blob: 'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' blob: ;" not in policy


def test_hash_is_the_one_a_browser_computes() -> None:
    # echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
    page = '<script src="a.js"></script><script>alert(1)</script>'

    assert inline_script_hashes(page) == ["'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"]


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        (b"http://127.0.0.1:8501", True),
        (None, True),
        (b"http://evil.example", False),
        (b"http://127.0.0.1.evil.example", False),
        (b"null", False),
        (b"http://proxy.example", True),
    ],
)
def test_a_socket_from_another_site_is_refused_at_the_door(
    origin: bytes | None, passes: bool
) -> None:
    reached: list[str] = []

    async def inner(_scope: Any, _receive: Any, _send: Any) -> None:
        reached.append("inner")

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8501"), *([(b"origin", origin)] if origin else [])]
    door = SameOriginSockets(inner, also=["proxy.example"])
    asyncio.run(door({"type": "websocket", "headers": headers}, receive, send))

    assert bool(reached) == passes
    assert passes or sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("pc", False)],
)
def test_only_loopback_keeps_the_guard_against_rebinding(host: str, *, loopback: bool) -> None:
    chosen = asgi.options(host, 8501, max_file_mb=50)

    assert asgi.is_loopback(host) == loopback
    assert ("server.allowedHosts" in chosen) != loopback


def test_privacy_does_not_depend_on_a_file_in_the_home_folder() -> None:
    chosen = asgi.options("127.0.0.1", 8501, max_file_mb=7)

    assert chosen["browser.gatherUsageStats"] is False
    assert chosen["client.showErrorDetails"] == "none"
    assert chosen["server.enableXsrfProtection"] is True
    assert chosen["server.maxUploadSize"] == 7


def test_fonts_lie_beside_their_licence() -> None:
    names = {path.name for path in asgi.FONTS.iterdir()}

    assert names == {"inter.woff2", "inter-ext.woff2", "OFL.txt"}
    assert "SIL OPEN FONT LICENSE" in (asgi.FONTS / "OFL.txt").read_text(encoding="utf-8")
