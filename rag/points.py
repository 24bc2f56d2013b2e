"""Items to points: which vectors each kind gets. Knows the embedder and BM25, no engine."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING

from rag.embed.lanes import CaptionedPictures
from rag.imaging import open_rgb
from rag.keywords import document_weights
from rag.library.items import point_id
from rag.store.base import Point
from rag.types import PICTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from PIL import Image

    from rag.embed.lanes import Array, Embedder, PictureLane
    from rag.library.documents import Run
    from rag.store.base import DenseName, Sparse
    from rag.types import Item

# Two batches are open at a time, one of them ahead: 2 x 4 pictures of 1,600 px are 60 MB.
PICTURE_BATCH = 4


def make_points(
    items: Sequence[Item],
    *,
    run: Run,
    embedder: Embedder,
    average_words: float,
    picture_path: Callable[[str], Path] | None,
    language: str = "",
) -> list[Point]:
    """Points of a run, in the order of the items.

    text and table: `text`; figure and page: `caption`; whatever has a picture and an
    embedder with a picture lane: `image`, from pixels and caption where the lane takes both;
    all: `keywords`.

    Args:
        items: Of one run.
        run: Whose points they become.
        embedder: Makes the vectors.
        average_words: Mean length that BM25 weights are relative to.
        picture_path: Where a picture lies; None leaves pixels out.
        language: ISO 639-1 code of the document, for its keywords.
    """
    dense: dict[UUID, dict[DenseName, Array]] = defaultdict(dict)
    texts = embedder.text.embed_documents([item.search_text for item in items])
    for item, vector in zip(items, texts, strict=True):
        if item.search_text.strip():
            dense[item.id]["caption" if item.kind in PICTURES else "text"] = vector
    if picture_path is not None:
        _add_pixels(dense, items, embedder, picture_path)
    return [
        _point(
            item, run, dense[item.id], document_weights(item.search_text, average_words, language)
        )
        for item in items
    ]


def _add_pixels(
    dense: Mapping[UUID, dict[DenseName, Array]],
    items: Sequence[Item],
    embedder: Embedder,
    picture_path: Callable[[str], Path],
) -> None:
    if embedder.pictures is None:
        return
    shown = [item for item in items if item.image_sha256]
    paths = [picture_path(item.image_sha256 or "") for item in shown]
    for start, images in zip(count(0, PICTURE_BATCH), open_ahead(paths), strict=False):
        batch = shown[start : start + PICTURE_BATCH]
        vectors = _embed_pictures(embedder.pictures, images, [item.caption for item in batch])
        for item, vector in zip(batch, vectors, strict=True):
            dense[item.id]["image"] = vector


def open_ahead(paths: Sequence[Path]) -> Iterator[list[Image.Image]]:
    """Pictures in batches, in order; the next batch is opened while the caller works on one.

    Raises:
        DocumentError: A picture is damaged; raised where its batch would have come.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="open-pictures") as opener:
        opening: list[Future[list[Image.Image]]] = []
        for start in range(0, len(paths), PICTURE_BATCH):
            opening.append(opener.submit(_open_all, paths[start : start + PICTURE_BATCH]))
            if len(opening) > 1:
                yield opening.pop(0).result()
        yield from (each.result() for each in opening)


def _open_all(paths: Sequence[Path]) -> list[Image.Image]:
    return [open_rgb(path) for path in paths]


def _embed_pictures(
    lane: PictureLane, images: Sequence[Image.Image], captions: Sequence[str]
) -> Array:
    if isinstance(lane, CaptionedPictures):
        return lane.embed_captioned(images, captions)
    return lane.embed_images(images)


def _point(item: Item, run: Run, dense: Mapping[DenseName, Array], keywords: Sparse) -> Point:
    return Point(
        id=point_id(item.id, run.id),
        workspace=run.workspace,
        document_id=item.document_id,
        run=run.id,
        kind=item.kind,
        page_number=item.regions[0].page_number if item.regions else None,
        order=item.order,
        dense=dense,
        keywords=keywords,
    )
