"""The HTTP interface of Jina's hosted embeddings. Knows requests and answers, no lanes.

Source: api.jina.ai's reference as noted in facts/models.md, 2. The key is sent as a header
and shows up nowhere else: not in messages, logs, `repr` or addresses.
"""

from __future__ import annotations

import logging
import time
import weakref
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from pydantic import BaseModel, ValidationError

from rag.errors import ConfigError, EmbedError, EmbedUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import httpx
    from pydantic import SecretStr

    from rag.embed.lanes import Array
    from rag.settings import EmbedSettings

logger = logging.getLogger(__name__)
MODEL = "jina-clip-v2"
QUERY_TASK = "retrieval.query"
MAX_DETAIL = 200  # characters of the service's own words that are passed on
NO_KEY = "The hosted Jina model needs a key. Set JINA_API_KEY to yours, or choose another embedder."


class _Row(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Row]


class _Refusal(BaseModel):
    detail: str


class JinaApi:
    """One account at one address. Safe to use from several threads.

    Args:
        base: address without `/embeddings`.
        key: bearer key, checked by `key_of`.
        timeout_s: longest silence of the service that is waited for.
        sleep: how to wait between two tries.
    """

    def __init__(
        self,
        *,
        base: str,
        key: SecretStr,
        timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import httpx

        self._host = host_of(base)
        self._key = key
        self._sleep = sleep
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key.get_secret_value()}"}, timeout=timeout_s
        )
        self._address = base.rstrip("/") + "/embeddings"
        weakref.finalize(self, self._client.close)

    def embed(
        self,
        inputs: Sequence[Mapping[str, str]],
        *,
        dims: int,
        task: str | None,
        patience_s: float,
    ) -> Array:
        """One request, tried again while the service is busy.

        Args:
            inputs: `{"text": ...}` or `{"image": base64}` each, at least one.
            dims: numbers a vector, 64 to 1024.
            task: `retrieval.query` for questions, else None.
            patience_s: most seconds spent waiting between tries.

        Returns:
            float32 (n, dims), rows L2-normalised, row i belongs to input i.

        Raises:
            EmbedUnavailableError: The service does not answer, or stays busy.
            EmbedError: It refuses, or its answer is not n vectors of that length.
        """
        body: dict[str, object] = {
            "model": MODEL,
            "input": list(inputs),
            "dimensions": dims,
            "normalized": True,
            "embedding_type": "float",
        }
        if task is not None:
            body["task"] = task
        answer = self._post(body, patience_s)
        return self._read(answer, count=len(inputs), dims=dims)

    def _post(self, body: Mapping[str, object], patience_s: float) -> bytes:
        waited_s, pause_s = 0.0, 1.0
        while True:
            reply = self._try(body)
            if reply is not None and reply.status_code == HTTPStatus.OK:
                return reply.content
            if reply is not None:
                self._refuse_final(reply)
            # Never under the doubling pause, so that a service that says 0 is not flooded.
            wait_s = max(pause_s, _retry_after_s(reply))
            status = "no answer" if reply is None else str(reply.status_code)
            if waited_s + wait_s > patience_s:
                raise self._unavailable(f"is too busy or broken ({status})")
            logger.warning("embedding api waits status=%s wait_s=%.1f", status, wait_s)
            self._sleep(wait_s)
            waited_s, pause_s = waited_s + wait_s, 2 * pause_s

    def _try(self, body: Mapping[str, object]) -> httpx.Response | None:
        """The answer, or None when the connection broke."""
        import httpx

        try:
            return self._client.post(self._address, json=body)
        except httpx.TimeoutException as error:
            raise self._unavailable(f"did not answer within {self._timeout_s:g} s") from error
        except httpx.TransportError:
            return None

    def _unavailable(self, what: str) -> EmbedUnavailableError:
        return EmbedUnavailableError(
            f"The embedding service at {self._host} {what}. Try again later, or set "
            "FOLIO_EMBED__MODEL to an embedder on this computer."
        )

    def _refuse_final(self, reply: httpx.Response) -> None:
        """Raise for an answer that another try would not change."""
        status = reply.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise EmbedError(
                f"The embedding service at {self._host} does not accept the key ({status}). "
                "Correct JINA_API_KEY."
            )
        if status == HTTPStatus.PAYMENT_REQUIRED:
            raise EmbedError(
                f"The account at {self._host} has no credit left (402). Top it up, or set "
                "FOLIO_EMBED__MODEL to an embedder on this computer."
            )
        raise EmbedError(
            f"The embedding service at {self._host} refused the request ({status}"
            f"{self._detail(reply)}). Check FOLIO_EMBED__API_BASE."
        )

    def _detail(self, reply: httpx.Response) -> str:
        """The service's own words, shortened; services are known to repeat a key in them."""
        try:
            detail = _Refusal.model_validate_json(reply.content).detail
        except ValidationError:
            return ""
        return ": " + detail.replace(self._key.get_secret_value(), "***")[:MAX_DETAIL]

    def _read(self, answer: bytes, *, count: int, dims: int) -> Array:
        try:
            rows = _Answer.model_validate_json(answer).data
        except ValidationError as error:
            raise self._malformed("is not in the agreed form") from error
        if sorted(row.index for row in rows) != list(range(count)):
            raise self._malformed(f"holds {len(rows)} vectors for {count} inputs")
        wrong = next((len(row.embedding) for row in rows if len(row.embedding) != dims), None)
        if wrong is not None:
            raise self._malformed(f"has vectors of {wrong} numbers instead of {dims}")
        rows.sort(key=lambda row: row.index)
        vectors = np.array([row.embedding for row in rows], dtype=np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise self._malformed("holds a vector without a direction")
        unit: Array = (vectors / lengths).astype(np.float32)
        return unit

    def _malformed(self, what: str) -> EmbedError:
        return EmbedError(
            f"The answer of the embedding service at {self._host} {what}. Check that "
            f"FOLIO_EMBED__API_BASE serves {MODEL}."
        )


def key_of(settings: EmbedSettings) -> SecretStr:
    """The key that is set.

    Raises:
        ConfigError: There is none, or it cannot be sent as a header.
    """
    key = settings.api_key
    if key is None or not key.get_secret_value():
        raise ConfigError(NO_KEY)
    letters = key.get_secret_value()
    # Caught here, because the HTTP library would repeat the header in its message.
    if not letters.isascii() or not letters.isprintable() or " " in letters:
        raise ConfigError("JINA_API_KEY holds a space or a letter that no key has. Correct it.")
    return key


def host_of(base: str) -> str:
    """Host, and port where it is given, of the service's address.

    Raises:
        ConfigError: It is no http or https address, or holds a password.
    """
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            "FOLIO_EMBED__API_BASE must be an address such as https://api.jina.ai/v1."
        )
    if "@" in parts.netloc:
        raise ConfigError("Leave user and password out of FOLIO_EMBED__API_BASE.")
    return parts.netloc.lower()


def _retry_after_s(reply: httpx.Response | None) -> float:
    """What the service asks for; 0 when it says nothing, or a date."""
    told = "" if reply is None else reply.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else 0.0
