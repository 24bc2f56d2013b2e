"""What all subcommands of `folio` share: their options, and how a result is printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from rag.errors import ConfigError

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", metavar="DIR", help="Folder that holds the library.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show details of errors.")]
ImageFile = Annotated[
    Path | None,
    typer.Option("--image", metavar="FILE", help="A picture to look for, with or without words."),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Passwords for encrypted PDFs, one a line, tried in order; - reads standard input.",
    ),
]


def read_passwords(path: Path | None) -> tuple[str, ...]:
    """The lines of a password file; none without a file.

    Raises:
        ConfigError: It cannot be read.
    """
    if path is None:
        return ()
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        lines = data.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise ConfigError(f"The password file {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The password file {path} is not UTF-8 text.") from error
    return tuple(line for line in lines if line)


def words_of(typed: str | None, image: Path | None) -> str:
    """The words of a question, "" when a picture comes without any.

    Raises:
        ConfigError: There is neither.
    """
    if typed is None and image is None:
        raise ConfigError("Give words, a picture with --image FILE, or both.")
    return typed or ""


def tell(value: object) -> None:
    """One line on standard output: a text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """One line on standard error, beside the result."""
    typer.echo(text, err=True)
