"""What an Ollama server on this computer has. Knows its two listings, nothing of answers.

Asked with a plain connection: no proxy, no redirect, and never for longer than a moment.
"""

from __future__ import annotations

import http.client
import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

DEFAULT_ADDRESS = "http://127.0.0.1:11434"
LIMIT_S = 0.5  # for the first word of the server; it is on this computer or not there
SHOW_LIMIT_S = 2.0  # for all details together
MAX_SHOWN = 12
MAX_BYTES = 4_000_000
# Nobody there, not in time, or something else than Ollama.
_FAULTS = (
    OSError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    http.client.HTTPException,
)
# What a server listens on and nobody can call.
_ANY_HOST = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, never bound to


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaModel:
    """A model that is there, and what it can."""

    name: str  # with its tag: "gemma3:4b"
    address: str
    sees_pictures: bool
    window: int | None
    size_bytes: int


def address_of(host: str) -> str:
    """OLLAMA_HOST as an address: "", "0.0.0.0", ":11500", "box:1234" and URLs all work."""
    host = host.strip()
    parts = urlsplit(host if "://" in host else f"http://{host}")
    try:
        port = parts.port or (11434 if "://" not in host else None)
    except ValueError:
        return DEFAULT_ADDRESS
    name = "127.0.0.1" if (parts.hostname or "") in _ANY_HOST else parts.hostname or ""
    name = f"[{name}]" if ":" in name else name
    tail = f":{port}" if port else ""
    return f"{parts.scheme}://{name}{tail}"


def find_models(address: str, limit_s: float = LIMIT_S) -> list[OllamaModel]:
    """The models that can answer, the best one first; empty when nobody answers in time.

    Best: sees pictures; then the larger one, for it was fetched on purpose.
    """
    try:
        listed = _ask(address, "GET", "/api/tags", None, limit_s).get("models", [])
        entries = [entry for entry in listed if entry["name"] and not _is_elsewhere(entry)]
    except _FAULTS as error:
        logger.info("no Ollama address=%s error=%s", address, type(error).__name__)
        return []
    deadline = time.monotonic() + SHOW_LIMIT_S
    found = [_show(address, entry, deadline) for entry in entries[:MAX_SHOWN]]
    models = sorted(filter(None, found), key=lambda m: (not m.sees_pictures, -m.size_bytes, m.name))
    logger.info("found Ollama address=%s models=%d", address, len(models))
    return models


def show_model(address: str, name: str) -> OllamaModel | None:
    """What one model can; None when the server does not say."""
    return _show(address, {"name": name}, time.monotonic() + SHOW_LIMIT_S)


def _show(address: str, entry: dict[str, Any], deadline: float) -> OllamaModel | None:
    """A model with its details; None for one that only embeds, or without an answer in time."""
    limit_s = deadline - time.monotonic()
    if limit_s <= 0:
        return None
    name = str(entry["name"])
    try:
        told = _ask(address, "POST", "/api/show", {"model": name}, limit_s)
        able = told.get("capabilities")
        facts = told.get("model_info") or {}
        if able is not None and "completion" not in able:
            return None
        return OllamaModel(
            name=name,
            address=address,
            sees_pictures="vision" in (able or ()) or _has_projector(told),
            window=_window(facts.items()),
            size_bytes=int(entry.get("size") or 0),
        )
    except _FAULTS:
        return None


def _is_elsewhere(entry: dict[str, Any]) -> bool:
    """Whether a listed model runs on Ollama's own servers: it would carry documents away."""
    return bool(entry.get("remote_host")) or str(entry["name"]).endswith("cloud")


def _has_projector(told: dict[str, Any]) -> bool:
    # Before 0.6.4 there were no capabilities; a vision model has a projector.
    return "capabilities" not in told and bool(told.get("projector_info"))


def _window(facts: Iterable[tuple[str, Any]]) -> int | None:
    return next(
        (int(value) for key, value in facts if key.endswith(".context_length") and value), None
    )


def _ask(address: str, method: str, path: str, body: object, limit_s: float) -> dict[str, Any]:
    parts = urlsplit(address)
    secure = parts.scheme == "https"
    make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=limit_s)
    try:
        payload = None if body is None else json.dumps(body).encode()
        connection.request(method, path, payload, {"content-type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise ValueError(str(response.status))
        told = json.loads(response.read(MAX_BYTES))
    finally:
        connection.close()
    if not isinstance(told, dict):
        raise TypeError(path)
    return told
