"""Lines of JSON with the place of a mistake. Knows files, nothing of what the lines mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rag.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_text(path: Path) -> str:
    """A whole file of UTF-8.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {path}.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text.") from error


def read_objects(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSON-lines file, each with its place ("questions.jsonl, line 3").

    Raises:
        ConfigError: The file cannot be read, or a line is no JSON object.
    """
    # Not splitlines: U+2028 may stand inside a JSON string.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{where} is not JSON. Each line must be one object.") from error
        if not isinstance(value, dict):
            raise ConfigError(f"{where} is not a JSON object.")
        yield where, value


def name_of(row: dict[str, Any], key: str, where: str) -> str:
    """A field that must be a text that is not empty, or a number that stands for one.

    Raises:
        ConfigError: It is not.
    """
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    words = words_of(row, key)
    if not words.strip():
        raise ConfigError(f'{where} has no "{key}".')
    return words


def words_of(row: dict[str, Any], key: str) -> str:
    """A field that may be a text; "" when it is none."""
    value = row.get(key)
    # JSON can hold half a character (a lone surrogate), which no file can.
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""
