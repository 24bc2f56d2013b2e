"""What launcher and server agree on: how an address is shown, and the flag for the sample."""

from __future__ import annotations

SAMPLE_FLAG = "--sample"


def address(host: str, port: int) -> str:
    """The address a person can open: a wildcard host is shown as this computer."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"
