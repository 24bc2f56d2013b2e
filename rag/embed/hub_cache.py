"""The hub's cache on disk: where a file lies, whether it is whole, how it is put there.

Knows huggingface_hub's layout (`blobs` by digest, `snapshots` by revision), no network.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed.checkpoints import snapshot_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rag.embed.catalogue import Checkpoint

PIECE_BYTES = 1 << 20
# Files in Git LFS are named by their SHA-256, plain ones by git's SHA-1 of the blob.
DIGEST = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One file of a checkpoint at its pinned revision, there or not."""

    checkpoint: Checkpoint
    name: str  # as the hub names it: "onnx/model.onnx"
    hub_cache: Path

    @property
    def snapshot(self) -> Path:
        """The folder that models are read from."""
        return snapshot_folder(self.checkpoint, self.hub_cache)

    @property
    def path(self) -> Path:
        """Where a model reads the file: a link to its blob."""
        return self.snapshot / self.name

    def blob(self, digest: str) -> Path:
        """Where the content lies, under its digest."""
        return self.snapshot.parents[1] / "blobs" / digest

    def partial(self, digest: str) -> Path:
        """What has arrived so far of that content."""
        return self.blob(f"{digest}.incomplete")

    def lock(self, digest: str) -> Path:
        """Held while somebody fetches it; huggingface_hub takes the same one."""
        repository = self.snapshot.parents[1].name
        return self.hub_cache / ".locks" / repository / f"{digest}.lock"


def size_of(path: Path) -> int:
    """Bytes of a file; 0 when there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def free_bytes(folder: Path) -> int:
    """Free disk where a folder is, or will be made."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def is_digest_of(path: Path, digest: str, check: Callable[[], object]) -> bool:
    """Whether a file has the content that its digest names; `check` may raise to stop it.

    64 hexadecimal digits are a SHA-256. 40 are git's: SHA-1 over "blob SIZE", a zero byte and
    the content (git's object format).
    """
    if len(digest) == 64:
        total = hashlib.sha256()
    else:
        total = hashlib.sha1(f"blob {size_of(path)}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            check()
            total.update(piece)
    return total.hexdigest() == digest


def is_whole(wanted: Wanted, check: Callable[[], object]) -> bool:
    """Whether a file is there with the content that it should have; a damaged one is deleted."""
    path = wanted.path
    if not path.is_file():
        return False
    # One step only: huggingface_hub 2.4 may link the blob itself into a store that has
    # digests of another kind for names.
    digest = path.readlink().name if path.is_symlink() else ""
    if not DIGEST.fullmatch(digest) or is_digest_of(path, digest, check):
        return True
    path.unlink()
    wanted.blob(digest).unlink(missing_ok=True)
    return False


def publish(wanted: Wanted, digest: str, content: Path) -> None:
    """Move checked content to its place and link it; nobody ever sees half of it."""
    blob = wanted.blob(digest)
    if content != blob:
        with content.open("rb") as file:
            os.fsync(file.fileno())  # a name must never outlive its content over a power cut
        content.replace(blob)
    path = wanted.path
    path.parent.mkdir(parents=True, exist_ok=True)
    link = path.with_name(f"{path.name}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        link.unlink()
    try:
        link.symlink_to(os.path.relpath(blob, path.parent))
    except OSError:  # no symbolic links here, as on Windows without the right to make them
        blob.replace(path)
    else:
        link.replace(path)


def copy_in(wanted: Wanted, source: Path, watch: Callable[[int], object]) -> None:
    """Copy a file from a folder of one's own; `watch` hears of the bytes and may stop it.

    The folder names no digest, so the content goes by its SHA-256.
    """
    partial = wanted.partial(f"{os.getpid()}-{wanted.name.replace('/', '-')}")
    partial.parent.mkdir(parents=True, exist_ok=True)
    total = hashlib.sha256()
    done = 0
    try:
        with source.open("rb") as read, partial.open("wb") as write:
            while piece := read.read(PIECE_BYTES):
                write.write(piece)
                total.update(piece)
                done += len(piece)
                watch(done)
        publish(wanted, total.hexdigest(), partial)
    finally:
        partial.unlink(missing_ok=True)
