"""Which Folio this is, and where its source lies. Knows the installed package's metadata."""

from __future__ import annotations

from importlib import metadata

PACKAGE = "folio-rag"
# Used when the package carries no "Source" address in its metadata.
FALLBACK_SOURCE = "https://github.com/folio-rag/folio"
SOURCE_NAMES = ("source", "repository", "homepage")


def source_address() -> str:
    """Where the source of this version lies: the package's own word, else the fallback."""
    try:
        lines = metadata.metadata(PACKAGE).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return FALLBACK_SOURCE
    named = dict(reversed(line.split(", ", 1)) for line in lines if ", " in line)
    by_name = {name.lower(): address for address, name in named.items()}
    return next((by_name[name] for name in SOURCE_NAMES if name in by_name), FALLBACK_SOURCE)


def version() -> str:
    """The installed version, or "from source" in an uninstalled checkout."""
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "from source"
