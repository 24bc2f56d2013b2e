"""One file from the model hub: what the hub says of it, and its bytes. Knows HTTP, no cache layout.

huggingface_hub 2.4 gives addresses, the token and an HTTP client (proxies, certificates). Its own
download is not used: interrupted, it throws a partial file away (`_download_to_tmp_and_move`),
it reports every 10 MB, and it cannot be stopped while a server is silent. hf_xet has no partial
file to go on from either, and mirrors do not speak it.
"""

from __future__ import annotations

import logging
import re
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urljoin, urlsplit

from rag.embed.hub_cache import DIGEST, size_of
from rag.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from httpx2 import Response

    from rag.embed.catalogue import Checkpoint

logger = logging.getLogger(__name__)
T = TypeVar("T")

DEADLINE_S = 7.0  # for one answer, names and connections included; with start-up, under 10 s
SILENCE_S = 5.0  # for one step of it
STALL_S = 10.0  # without a byte, a transfer counts as broken
POLL_S = 0.1
RETRY_S = 1.0
MAX_REDIRECTS = 5
FRUITLESS_TRIES = 3  # in a row without a new byte, before a transfer is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """What the hub states about a file at the pinned revision."""

    checkpoint: Checkpoint
    name: str
    url: str
    digest: str  # SHA-256, or git's SHA-1 of the blob
    size_bytes: int  # 0 when the hub does not say


def hub_address(endpoint: str | None = None) -> str:
    """The hub or mirror that is asked; HF_ENDPOINT when none is given."""
    from huggingface_hub import constants

    return (endpoint or constants.ENDPOINT).rstrip("/")


def ask(
    checkpoint: Checkpoint,
    name: str,
    *,
    endpoint: str | None = None,
    deadline_s: float = DEADLINE_S,
) -> RemoteFile:
    """Ask the hub about one file, with a deadline that nothing outlasts.

    The thread is abandoned when it is late: a name server that does not answer blocks
    `getaddrinfo` for longer than any timeout of the HTTP client.

    Raises:
        HubError: It does not answer in time, refuses, or states no checksum.
    """
    asked = _in_background(lambda: _ask(checkpoint, name, endpoint, min(SILENCE_S, deadline_s)))
    wait([asked], timeout=deadline_s)
    if not asked.done():
        raise _silent(endpoint, f"nothing came for {deadline_s:.0f} s")
    return asked.result()


def download(
    remote: RemoteFile, partial: Path, *, endpoint: str | None, watch: Callable[[int], object]
) -> None:
    """Fetch a file, going on where `partial` ends.

    A broken connection is taken up again; what has arrived stays for a later call.

    Args:
        remote: The file.
        partial: What has arrived of it, or nothing yet.
        endpoint: The hub, for messages.
        watch: Hears ten times a second, in the caller's thread, how many bytes are there.
            What it raises stops the transfer at once.

    Raises:
        HubError: The hub refuses, or the connection breaks again and again.
        OSError: The disk cannot be written.
    """
    stop = Event()
    work = _in_background(lambda: _fetch(remote, partial, endpoint, stop))
    try:
        while not wait([work], timeout=POLL_S).done:
            watch(size_of(partial))
    finally:
        stop.set()  # from here on it writes nothing more, also when it is stuck
        wait([work], timeout=1.0)
    work.result()
    watch(size_of(partial))


def _ask(checkpoint: Checkpoint, name: str, endpoint: str | None, timeout_s: float) -> RemoteFile:
    from httpx2 import HTTPError, InvalidURL
    from huggingface_hub import hf_hub_url

    url = hf_hub_url(checkpoint.id, name, revision=checkpoint.revision, endpoint=endpoint)
    try:
        answer = _head(url, timeout_s)
    except (HTTPError, InvalidURL, OSError, ValueError) as error:
        raise _silent(endpoint, _reason(error)) from error
    if answer.status_code >= 400:
        raise refusal(checkpoint, name, answer.status_code, endpoint)
    stated = answer.headers
    etag = stated.get("X-Linked-Etag") or stated.get("ETag") or ""
    digest = etag.removeprefix("W/").strip('"')
    if stated.get("X-Repo-Commit") != checkpoint.revision or not DIGEST.fullmatch(digest):
        raise HubError(
            f"{hub_address(endpoint)} states no checksum of {name} at revision "
            f"{checkpoint.revision[:12]} of {checkpoint.id}, so it is no model hub that can be "
            "trusted. Correct HF_ENDPOINT.",
            retryable=False,
        )
    size = stated.get("X-Linked-Size") or stated.get("Content-Length") or ""
    return RemoteFile(
        checkpoint=checkpoint,
        name=name,
        url=url,
        digest=digest,
        size_bytes=int(size) if size.isdecimal() else 0,
    )


def _head(url: str, timeout_s: float) -> Response:
    """The answer that states what a file is: the last one before it leaves for a store."""
    from huggingface_hub import get_session

    headers = _headers()
    for _ in range(MAX_REDIRECTS):
        answer = get_session().request(
            "HEAD", url, headers=headers, timeout=timeout_s, follow_redirects=False
        )
        if not answer.has_redirect_location:
            break
        target = urljoin(url, answer.headers["Location"])
        if urlsplit(target)[:2] != urlsplit(url)[:2]:
            if "X-Linked-Etag" in answer.headers:
                break
            headers.pop("Authorization", None)  # of no concern to another host
        url = target
    return answer


def _headers() -> dict[str, str]:
    """What a request carries: the token, and no more about this computer than needed.

    huggingface_hub's own headers cost a request (`/api/agent-harnesses`, 3 s when nobody answers)
    and name the versions of what is installed.
    """
    from huggingface_hub import constants, get_token

    # Compressed content has no bytes to go on from, and another length than stated.
    headers = {"User-Agent": "folio", "Accept-Encoding": "identity"}
    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


def _fetch(remote: RemoteFile, partial: Path, endpoint: str | None, stop: Event) -> None:
    """Stream until the file is there, over broken connections."""
    fruitless = 0
    while not stop.is_set():
        before = size_of(partial)
        broken = _stream(remote, partial, endpoint, stop)
        if not broken:
            return
        fruitless = 0 if size_of(partial) > before else fruitless + 1
        logger.info("broken transfer file=%s bytes=%d: %s", remote.name, size_of(partial), broken)
        if fruitless == FRUITLESS_TRIES:
            megabytes = size_of(partial) / 1e6
            raise HubError(
                f"The connection to {hub_address(endpoint)} broke ({broken}). {megabytes:.1f} MB "
                f"of {remote.name} are kept; try again to go on from there."
            )
        stop.wait(RETRY_S)


def _stream(remote: RemoteFile, partial: Path, endpoint: str | None, stop: Event) -> str:
    """One request; "" when the file is there, else why it broke off.

    The address of the hub itself is asked, not the one that it redirected to before: that one
    is signed and expires, and the client drops the token on the way to another host.
    """
    from httpx2 import HTTPError
    from huggingface_hub import get_session

    start = size_of(partial)
    if start and start == remote.size_bytes:
        return ""
    headers = _headers()
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        client = get_session()
        with client.stream("GET", remote.url, headers=headers, timeout=STALL_S) as response:
            if broken := _broken_by(response, remote, partial, endpoint):
                return broken
            mode: Literal["ab", "wb"] = "ab" if _goes_on(response, start) else "wb"
            _write(response, partial, mode, stop)
    except HTTPError as error:
        return _reason(error)
    if remote.size_bytes and size_of(partial) < remote.size_bytes and not stop.is_set():
        return "it ended early"
    return ""


def _broken_by(response: Response, remote: RemoteFile, partial: Path, endpoint: str | None) -> str:
    """Why this answer holds no bytes but a later one may; "" when it holds some.

    Raises:
        HubError: No later one will either.
    """
    status = response.status_code
    if status == 416:  # more is here than the hub has
        partial.unlink(missing_ok=True)
        return "it has fewer bytes than were kept"
    if status == 429 or status >= 500:
        return f"it answered {status}"
    if status >= 400:
        raise refusal(remote.checkpoint, remote.name, status, endpoint)
    return ""


def _goes_on(response: Response, start: int) -> bool:
    """Whether the bytes that come follow those that are here; some servers begin anew."""
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return response.status_code == 206 and found is not None and int(found[1]) == start


def _write(response: Response, partial: Path, mode: Literal["ab", "wb"], stop: Event) -> None:
    with partial.open(mode) as file:
        for piece in response.iter_bytes():
            if stop.is_set():
                return
            file.write(piece)


def refusal(checkpoint: Checkpoint, name: str, status: int, endpoint: str | None) -> HubError:
    """What a status of the hub means for who wants a file, in one sentence."""
    hub = hub_address(endpoint)
    if status in (401, 403):
        return HubError(
            f"{hub} does not hand out {checkpoint.id} without permission ({status}): accept its "
            f"terms on {hub}/{checkpoint.id}, then set HF_TOKEN to a token of that account.",
            retryable=False,
        )
    if status in (404, 410):
        return HubError(
            f"{hub} no longer has {name} at revision {checkpoint.revision[:12]} of "
            f"{checkpoint.id} ({status}): get the files elsewhere and use `folio models pull "
            "NAME --from DIR`.",
            retryable=False,
        )
    return HubError(
        f"{hub} answers with an error ({status}) when asked for {checkpoint.id}: try again later."
    )


def _silent(endpoint: str | None, reason: str) -> HubError:
    return HubError(
        f"The model hub {hub_address(endpoint)} does not answer ({reason}): check the network, "
        "the proxy and HF_ENDPOINT, or use `folio models pull NAME --from DIR`."
    )


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _in_background(work: Callable[[], T]) -> Future[T]:
    """Run in a daemon thread, which never keeps the process from ending."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            future.set_exception(error)

    Thread(target=run, name="hub", daemon=True).start()
    return future
