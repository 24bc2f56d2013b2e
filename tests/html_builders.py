"""Small web pages, pictures and drawings for tests."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from ingest.html import parse_html
from rag.settings import IngestSettings

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.parts import DocumentHead, ParsedPage, Part


def page_of(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def read_page(
    body: str | bytes, *, asset_dir: Path | None = None, name: str = "page.html", head: str = ""
) -> ParsedPage:
    return read_both(body, asset_dir=asset_dir, name=name, head=head)[1]


def read_both(
    body: str | bytes, *, asset_dir: Path | None = None, name: str = "page.html", head: str = ""
) -> tuple[DocumentHead, ParsedPage]:
    data = body if isinstance(body, bytes) else page_of(body, head)
    return parse_html(data, name=name, asset_dir=asset_dir, limits=IngestSettings())


def parts_of(kind: str, page: ParsedPage) -> list[Part]:
    return [part for part in page.parts if part.kind == kind]


def texts_of(page: ParsedPage) -> list[str]:
    return [part.text for part in page.parts if part.kind in ("text", "heading")]


def png(width: int = 120, height: int = 90, colour: str = "red") -> bytes:
    """A picture with a diagonal stroke, so that it is not blank."""
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).line((0, 0, width, height), fill=colour, width=max(4, width // 8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def stored(part: Part) -> Image.Image:
    """The picture that a part carries."""
    assert part.image_png is not None
    return Image.open(io.BytesIO(part.image_png)).convert("RGB")
