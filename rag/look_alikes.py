"""Stored pictures that look like a picture from outside. Knows the library and the hashes.

Nothing of embedders: what is found here is the same picture again, re-encoded, resized,
with another margin or cropped a little, not another picture of the same thing.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import DocumentError, NotFoundError
from rag.imaging import open_rgb
from rag.picture_hash import METHOD, WORDS, distances, hash_question, hash_stored
from rag.picture_parts import hash_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from numpy.typing import NDArray
    from PIL import Image

    from rag.files import FileStore
    from rag.library import Library
    from rag.library.documents import Run
    from rag.picture_hash import Hashes

logger = logging.getLogger(__name__)

# Bits of 255. 2026-11-25, 242 pictures of 25 files: the same picture, edited, is at most 46
# away; two pictures of one kind are at least 52, others 70 (bench/picture_query.py).
MOST_BITS = 50
# Over all pairs of different pictures there: distances on the scale of other legs.
USUAL_BITS, SPREAD_BITS = 110.2, 5.8
FILL_BATCH = 50


def _go_on() -> None:
    """Nothing to do between batches."""


@dataclass(frozen=True, slots=True)
class LookAlike:
    """An item whose picture looks like the one asked for."""

    point: UUID
    distance: int  # bits of 255 that differ

    @property
    def z(self) -> float:
        """How far it stands out from unlike pictures, in their spread."""
        return (USUAL_BITS - self.distance) / SPREAD_BITS


@dataclass(frozen=True, slots=True)
class _Loaded:
    """All hashes of the library as one array."""

    generation: int  # of the library
    sha256s: Sequence[str]  # of pictures that show something
    starts: NDArray[np.intp]  # first row of each
    rows: Hashes


class LookAlikes:
    """Looks of all pictures of one library. Safe to share between threads."""

    def __init__(self, library: Library, files: FileStore) -> None:
        self._library = library
        self._files = files
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    def find(
        self, picture: Image.Image, workspace: str, documents: Sequence[UUID] = ()
    ) -> list[LookAlike]:
        """Visible items whose picture is this one, nearest first; equals by arrival.

        When there is none, those whose picture is a part of this one, as in a screenshot.
        """
        return self._near(hash_question(picture), workspace, documents) or self._near(
            hash_parts(picture), workspace, documents
        )

    def _near(self, asked: Hashes, workspace: str, documents: Sequence[UUID]) -> list[LookAlike]:
        loaded = self._load()
        if not len(asked) or not loaded.sha256s:
            return []
        bits = np.minimum.reduceat(distances(asked, loaded.rows), loaded.starts)
        places = [int(i) for i in np.flatnonzero(bits <= MOST_BITS)]
        near = {loaded.sha256s[i]: int(bits[i]) for i in places}
        points = self._library.pictures.points(workspace, near, documents)
        found = [LookAlike(point, near[sha256]) for point, sha256 in points]
        return sorted(found, key=lambda look_alike: look_alike.distance)

    def fill(self, run: Run | None = None, *, after_batch: Callable[[], None] = _go_on) -> int:
        """Hash the pictures of a run, or of a library from before, that have no hashes yet.

        Args:
            run: Whose; None: of all.
            after_batch: Called now and then; may raise, what is done stays.

        Returns:
            How many were hashed.
        """
        missing = self._library.pictures.unhashed(METHOD, run)
        for start in range(0, len(missing), FILL_BATCH):
            batch = missing[start : start + FILL_BATCH]
            self._library.pictures.put(METHOD, {sha: self._hash(sha) for sha in batch})
            after_batch()
        return len(missing)

    def _hash(self, sha256: str) -> bytes:
        try:
            picture = open_rgb(self._files.picture_path(sha256))
        except (NotFoundError, DocumentError) as error:
            # One lost file must not stop questions; without hashes it is just never found.
            logger.warning("picture not hashed sha256=%s: %s", sha256, error)
            return b""
        return hash_stored(picture).tobytes()

    def _load(self) -> _Loaded:
        pictures = self._library.pictures
        generation = self._library.database.generation()
        with self._lock:
            if self._loaded is None or self._loaded.generation != generation:
                self.fill()
                shown = {sha: data for sha, data in pictures.hashes(METHOD).items() if data}
                rows = np.frombuffer(b"".join(shown.values()), dtype=np.uint64)
                lengths = [len(data) // (8 * WORDS) for data in shown.values()]
                starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.intp)
                columns = np.asfortranarray(rows.reshape(-1, WORDS))
                self._loaded = _Loaded(generation, list(shown), starts, columns)
            return self._loaded
