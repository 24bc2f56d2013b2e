"""Web pages to parts: headings, text, tables and figures in document order.

Knows the order of steps; each step is a module of its own. Nothing is ever fetched.
Runs in the killable child: lxml, trafilatura and MuPDF see hostile bytes here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingest.captions import read_label
from ingest.decode import decode_html
from ingest.headings import with_headings
from ingest.html_captions import settle_twins
from ingest.html_main import MainText, keep_main, main_text, remove_frame
from ingest.html_pictures import PictureReader
from ingest.html_sources import Sources
from ingest.html_tree import parse_tree
from ingest.html_walk import HtmlBlock, walk_blocks
from ingest.mentions import find_mention
from ingest.parts import DocumentHead, ParsedPage, Part, Skipped
from rag.errors import EmptyFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rag.settings import IngestSettings
    from rag.types import MediaType

MAX_TITLE_CHARACTERS = 300
MAX_SKIPPED = 200  # reported one by one; a page of tracking pixels has thousands
_FILE_NAME = re.compile(
    r".{1,120}\.(?:png|jpe?g|gif|webp|svg|bmp|tiff?)|(?:image|img|photo|picture)\d*", re.I
)


def parse_html(
    data: bytes, *, name: str, asset_dir: Path | None, limits: IngestSettings
) -> tuple[DocumentHead, ParsedPage]:
    """The head and the single page of a web page.

    Args:
        data: the file's bytes, in whatever encoding.
        name: file name as the user knows it, for messages and the `_files` folder.
        asset_dir: folder with the files that were saved with the page; nothing outside
            it is read, and without one only pictures inside the page are found.
        limits: how many pictures, and how large.

    Returns:
        The page has number None; each part has an `anchor` "1", "2", … in reading order.

    Raises:
        EmptyFileError: Nothing is left that a reader would see.
        FileTooLargeError: Over a limit on text, tags or nesting.
        CorruptFileError: The bytes are no text.
    """
    text, warning = decode_html(data, name=name)
    return parse_markup(text, name=name, asset_dir=asset_dir, limits=limits, warning=warning)


def parse_markup(
    text: str,
    *,
    name: str,
    asset_dir: Path | None,
    limits: IngestSettings,
    warning: str = "",
    media_type: MediaType = "html",
) -> tuple[DocumentHead, ParsedPage]:
    """As `parse_html`, of markup that is text already.

    Of a web page the main part is kept; of what another format was turned into, all.
    """
    tree = parse_tree(text, name=name)
    settle_twins(tree.root)
    if media_type == "html":
        remove_frame(tree.root)
    blocks = walk_blocks(tree.root)
    if media_type == "html":
        blocks = keep_main(blocks, MainText() if tree.is_deep else main_text(tree.root))
    sources = Sources(asset_dir, name, tree.base_href, tree.lifted)
    parts, skipped = _parts(blocks, PictureReader(sources, limits))
    if not parts:
        raise EmptyFileError(
            f"{name} holds no text and no pictures. If a script draws the page, open it in a "
            "browser and save it as a complete page."
        )
    page = ParsedPage(
        page_number=None,
        size=None,
        page_class="text",
        parts=tuple(parts),
        skipped=tuple(_shortened(skipped)),
        warnings=tuple(filter(None, (warning, *tree.warnings))),
    )
    page, _ = with_headings(page, ())
    title = _title(tree.title, parts)
    return DocumentHead(media_type=media_type, page_count=None, title=title), page


def _parts(blocks: Sequence[HtmlBlock], reader: PictureReader) -> tuple[list[Part], list[Skipped]]:
    texts = [block.text for block in blocks if block.kind == "text" and not block.is_code]
    parts: list[Part] = []
    skipped: list[Skipped] = []
    for block in blocks:
        anchor = str(len(parts) + 1)
        if block.kind == "figure":
            part, reason = _figure_part(block, reader, texts, anchor)
            if reason:
                skipped.append(Skipped(page_number=None, bbox=None, reason=reason))
            if part is not None:
                parts.append(part)
        else:
            parts.append(_word_part(block, texts, anchor))
    return parts, skipped


def _word_part(block: HtmlBlock, texts: Iterable[str], anchor: str) -> Part:
    number = _number(block.caption)
    return Part(
        kind=block.kind,
        text=block.text,
        level=block.level,
        caption=block.caption,
        number=number,
        mention=find_mention(number, texts),
        anchor=anchor,
    )


def _figure_part(
    block: HtmlBlock, reader: PictureReader, texts: Iterable[str], anchor: str
) -> tuple[Part | None, str]:
    """The figure, or None where nothing of it is left; and why its pixels are missing, or ""."""
    if block.picture is None:
        return None, ""
    found = reader.read(block.picture, has_caption=bool(block.caption))
    alt = "" if _FILE_NAME.fullmatch(block.alt) else block.alt or found.name
    has_words = bool(block.caption) or (found.is_seen and bool(alt))
    if found.png is None and not has_words:
        return None, found.reason
    number = _number(block.caption)
    part = Part(
        kind="figure",
        text=found.words,
        caption=block.caption,
        alt=alt if found.is_seen else "",
        number=number,
        mention=find_mention(number, texts),
        anchor=anchor,
        image_png=found.png,
    )
    return part, found.reason


def _number(caption: str) -> str:
    label = read_label(caption)
    return "" if label is None else label.number


def _title(title: str, parts: Iterable[Part]) -> str:
    first = next((part.text for part in parts if part.kind == "heading"), "")
    return (title or first)[:MAX_TITLE_CHARACTERS].strip()


def _shortened(skipped: list[Skipped]) -> list[Skipped]:
    if len(skipped) <= MAX_SKIPPED:
        return skipped
    reason = f"{len(skipped) - MAX_SKIPPED:,} more pictures were left out"
    return [*skipped[:MAX_SKIPPED], Skipped(page_number=None, bbox=None, reason=reason)]
