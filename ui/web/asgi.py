"""The web server process: Streamlit as an ASGI app with headers, fonts and /readyz.

Knows Streamlit's server and its options. Knows nothing of what the pages show.
Started by `ui.web.serve`; `python -m ui.web.asgi HOST PORT` runs it alone.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from streamlit.logger import get_logger

from rag.errors import RagError
from ui.web import faults, media, state
from ui.web.headers import SameOriginSockets, SecurityHeaders, content_security_policy
from ui.web.jobs import UNSEEN_S
from ui.web.serve import SAMPLE, address
from ui.web.visitors import VisitorCookie

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.requests import Request

logger = logging.getLogger(__name__)

FONTS = Path(__file__).parent / "static" / "fonts"


def app_script() -> Path:
    """`app.py`, beside which `.streamlit/config.toml` lies: in a checkout or in a wheel."""
    here = Path(__file__).resolve()
    places = (here.parents[2] / "app.py", here.parent / "start" / "app.py")
    return next((place for place in places if place.is_file()), places[0])


def create_app() -> st.App:
    """The ASGI app; services must be buildable, but are not built here."""
    media.keep_shown_pictures()
    return st.App(
        app_script(),
        middleware=[
            Middleware(SecurityHeaders, policy=content_security_policy()),
            Middleware(SameOriginSockets, also=_named_hosts()),
            Middleware(VisitorCookie),
        ],
        routes=[
            Mount("/fonts", StaticFiles(directory=FONTS)),
            Route("/readyz", _readyz),
        ],
        lifespan=_lifespan,
        on_script_error=_on_script_error,
    )


def options(host: str, port: int, *, max_file_mb: int) -> dict[str, Any]:
    """Streamlit options that hold whatever a file in the home folder says."""
    chosen: dict[str, Any] = {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.maxUploadSize": max_file_mb,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.fileWatcherType": "none",
        # Who loses the connection for some minutes finds page and answer as they were; later
        # ones come back by `?chat=`. As long as an answer goes on that nobody looks at.
        "server.disconnectedSessionTTL": int(UNSEEN_S),
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "runner.magicEnabled": False,
        # A full collection after each run, with torch in memory, is most of a second;
        # a fragment runs every 0.3 s. It starved the import of litellm for a minute.
        "runner.postScriptGC": False,
    }
    if "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL" in os.environ:
        del chosen["server.disconnectedSessionTTL"]
    if not is_loopback(host) and "STREAMLIT_SERVER_ALLOWED_HOSTS" not in os.environ:
        chosen["server.allowedHosts"] = []
    return chosen


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def main(arguments: Sequence[str]) -> int:
    """Open the library, then serve until a signal; 2 when the library cannot be opened."""
    host, port = arguments[0], int(arguments[1])
    try:
        services = state.services()
        services.tell_address(address(host, port))
        services.resume()
        if SAMPLE in arguments and services.is_new:
            services.add_sample()
        services.models.at_start()
        services.trial.at_start()
    except RagError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if state.has_headers():
        threading.Thread(target=_end_with_launcher, name="launcher", daemon=True).start()
    # Streamlit looks for .streamlit/ beside the script named here, not in the
    # working directory, which may be anybody's.
    sys.argv = [str(app_script())]
    app = create_app()
    # Options were read once before they could be set; its warning is of no use to anyone.
    get_logger("streamlit.config").setLevel(logging.ERROR)
    app.run(config=options(host, port, max_file_mb=services.settings.ingest.max_file_mb))
    return 0


def _end_with_launcher() -> None:
    """Wait for the end of the pipe that the launcher holds, then end as if told to."""
    # Not `sys.stdin`: a thread that waits in it makes the interpreter abort at its end.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _named_hosts() -> list[str]:
    named = [st.get_option("browser.serverAddress"), *st.get_option("server.corsAllowedOrigins")]
    return [name.split("://")[-1].split("/")[0].split(":")[0] for name in named if name]


@contextlib.asynccontextmanager
async def _lifespan(_app: st.App) -> AsyncIterator[None]:
    try:
        yield
    finally:
        # Releases the library: an index that is not closed is replayed at the next start.
        state.services.clear()


async def _readyz(_request: Request) -> JSONResponse:
    return JSONResponse({"ready": True})


def _on_script_error(error: Exception) -> bool:
    faults.show(error)
    return True


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    sys.exit(main(sys.argv[1:]))
