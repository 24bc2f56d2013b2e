"""The cookie that tells visitors apart, asked over real HTTP."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.web import visitors


@pytest.fixture
def client() -> TestClient:
    routes = [
        Route("/", lambda _request: HTMLResponse("a page")),
        Route("/script.js", lambda _request: PlainTextResponse("a script")),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(visitors.VisitorCookie)]))


def test_a_browser_is_named_once_and_keeps_its_name(client: TestClient) -> None:
    first = client.get("/")
    again = client.get("/")

    header = first.headers["set-cookie"]
    assert header.startswith(f"{visitors.COOKIE}={client.cookies[visitors.COOKIE]};")
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Secure" not in header, "over plain HTTP it would never come back"
    assert "set-cookie" not in again.headers


def test_no_two_browsers_have_one_name(client: TestClient) -> None:
    names = set()
    for _ in range(5):
        client.cookies.clear()
        client.get("/")
        names.add(visitors.read(dict(client.cookies)))

    assert len(names) == 5
    assert "" not in names


def test_only_a_page_carries_it(client: TestClient) -> None:
    assert "set-cookie" not in client.get("/script.js").headers


@pytest.mark.parametrize("found", ["", "short", "x" * 23, "a" * 21 + "'", "-- " * 7 + "x"])
def test_a_name_that_is_not_ours_is_replaced(client: TestClient, found: str) -> None:
    assert visitors.read({visitors.COOKIE: found}) == ""

    assert "set-cookie" in client.get("/", headers={"cookie": f"{visitors.COOKIE}={found}"}).headers


def test_over_https_it_stays_there(client: TestClient) -> None:
    client.base_url = "https://testserver"

    assert client.get("/").headers["set-cookie"].endswith("; Secure")
