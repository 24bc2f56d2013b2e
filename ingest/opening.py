"""Opens PDF files. Knows pymupdf and translates its errors, nothing of what is on a page."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ingest.characters import clean_text, fold_spaces
from ingest.parts import DocumentHead
from rag.errors import (
    CorruptFileError,
    DocumentError,
    EmptyFileError,
    EncryptedFileError,
    FileTooLargeError,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pymupdf

    from rag.settings import IngestSettings

MAX_TITLE_CHARACTERS = 300


def open_pdf(path: Path, *, name: str, password: str | None) -> pymupdf.Document:
    """The document, with its password given.

    Raises:
        DocumentError: Encrypted, damaged or empty; the message says which.
    """
    import pymupdf

    try:
        # Always with the type: by its name alone a PNG or a web page opens as well.
        document = pymupdf.open(path, filetype="pdf")
    except pymupdf.EmptyFileError as error:
        raise EmptyFileError(f"{name} is empty. Check the file and add it again.") from error
    except (pymupdf.FileDataError, RuntimeError, ValueError) as error:
        raise _corrupt(name) from error
    if not document.is_pdf:
        raise _corrupt(name)
    if document.needs_pass and not document.authenticate(password or ""):
        raise _encrypted(name, is_wrong=password is not None)
    return document


def read_head(document: pymupdf.Document, *, name: str, limits: IngestSettings) -> DocumentHead:
    """Pages and title.

    Raises:
        DocumentError: It has no pages, or too many.
    """
    try:
        page_count = document.page_count
        title = fold_spaces(clean_text((document.metadata or {}).get("title") or ""))
    except Exception as error:
        raise _corrupt(name) from error
    if page_count <= 0:
        message = f"{name} has no pages. Check the file and add it again."
        raise EmptyFileError(message)
    if page_count > limits.max_pages:
        message = (
            f"{name} has {page_count} pages; the limit is {limits.max_pages}. "
            "Split it, or raise FOLIO_INGEST__MAX_PAGES."
        )
        raise FileTooLargeError(message)
    return DocumentHead(media_type="pdf", page_count=page_count, title=title[:MAX_TITLE_CHARACTERS])


def lighten(document: pymupdf.Document) -> None:
    """Drop, in memory only, what the pages do not need and what makes them slow.

    The outline of a hostile file is 50,000 deep, and pymupdf4llm walks all pages of
    a form for each page it lays out.
    """
    with contextlib.suppress(Exception):
        catalog = document.pdf_catalog()
        document.xref_set_key(catalog, "Outlines", "null")
        # test_2548.pdf draws for minutes with its structure tree and 0.3 s without.
        document.xref_set_key(catalog, "StructTreeRoot", "null")
        document.xref_set_key(catalog, "AcroForm/Fields", "null")


def turn_upright(page: pymupdf.Page) -> None:
    """Take the rotation of a page away in memory; it looks the same, boxes are as displayed.

    `remove_rotation` of pymupdf 2.0 drops the crop box: all of the page would be read and
    its boxes would be those of the uncropped page.
    """
    if not page.rotation:
        return
    crop, media = page.cropbox, page.mediabox
    is_cropped = (crop.width, crop.height) != (media.width, media.height)
    if not is_cropped or (media.x0, media.y0) != (0, 0):  # where it is not known how to
        page.remove_rotation()
        return
    page.set_cropbox(media)
    crop = crop * page.rotation_matrix
    page.remove_rotation()
    page.set_cropbox(crop)


def _corrupt(name: str) -> DocumentError:
    return CorruptFileError(f"{name} is damaged and cannot be read. Save it again and add it.")


def _encrypted(name: str, *, is_wrong: bool) -> DocumentError:
    if is_wrong:
        return EncryptedFileError(f"The password for {name} is wrong. Check it and try again.")
    return EncryptedFileError(
        f"{name} is protected by a password. Enter the password to have it read."
    )
