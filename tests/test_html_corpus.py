"""Real pages: counts that were made by hand (see the corpus manifest)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.chunk import BUDGET_TOKENS, chunk_parts
from ingest.html import parse_html
from ingest.html_sources import NOT_THERE
from rag.embed.wordpiece import count_tokens
from rag.settings import IngestSettings
from tests.html_builders import parts_of, stored, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ingest.parts import ParsedPage

    Reader = Callable[[str], ParsedPage]


# How the ten code blocks begin.
CODE_OF_V8 = ("// ", "emcc -O3", "(func $", "$ emcc", "wasm   =>", "$ ")


@pytest.fixture
def read(shared: Path) -> Reader:
    def read_one(name: str) -> ParsedPage:
        path = shared / "corpus" / "html" / f"{name}.html"
        limits = IngestSettings()
        return parse_html(path.read_bytes(), name=path.name, asset_dir=None, limits=limits)[1]

    return read_one


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("readability-wikipedia", 6),
        ("readability-keep-images", 10),
        ("readability-lazy-image-1", 8),
    ],
)
def test_every_caption_is_found_once(read: Reader, name: str, count: int) -> None:
    captioned = [part.caption for part in parts_of("figure", read(name)) if part.caption]
    assert len(captioned) == count
    words = "\n".join(texts_of(read(name)))
    assert not [caption for caption in captioned if caption in words.splitlines()]


def test_lazy_pictures_have_no_twins(read: Reader) -> None:
    page = read("readability-lazy-image-1")
    captions = [part.caption for part in parts_of("figure", page)]
    assert len(captions) == len(set(captions)) == 8
    # 38 img elements are 10 pictures; all are on the site, none in the file.
    assert [skipped.reason for skipped in page.skipped] == [NOT_THERE] * 10


def test_only_the_info_box_of_the_eleven_tables_is_data(read: Reader) -> None:
    (table,) = parts_of("table", read("readability-wikipedia"))
    assert "| Founded | February 28, 1998; 18 years ago |" in table.text


def test_all_five_data_pictures_are_decoded_and_the_placeholders_told_apart(read: Reader) -> None:
    page = read("readability-data-url-image")
    (part,) = parts_of("figure", page)
    assert stored(part).size == (438, 500)
    assert [skipped.reason for skipped in page.skipped] == ["it is smaller than 64 pixels"] * 4


def test_code_blocks_are_kept_with_their_lines(read: Reader) -> None:
    texts = texts_of(read("readability-v8-blog"))
    assert len([text for text in texts if text.startswith(CODE_OF_V8)]) == 10
    assert any(text.startswith("// add.c\n#include <emscripten.h>\n\n") for text in texts)


def test_a_page_that_declares_another_charset_is_no_mojibake(read: Reader) -> None:
    words = "\n".join(texts_of(read("readability-qq")))
    assert "谷歌(微博) 在2014年收购的人工智能公司DeepMind" in words
    assert "\ufffd" not in words


def test_tables_of_a_page_in_utf_16_are_told_from_its_layout(read: Reader) -> None:
    page = read("example-steelJIS-datasheet-utf-16")
    tables = [part.text for part in parts_of("table", page)]
    assert len(tables) == 4  # the other twelve lay out the page
    assert "| C | Si | Mn | P | S | Cr | Mo |" in tables[1]
    assert "0.39 - 0.46" in tables[1]
    assert any("293-375" in table for table in tables)
    assert any("Zugfestigkeit" in text for text in texts_of(page))


def test_pictures_behind_a_base_element_are_reported_as_absent(read: Reader) -> None:
    page = read("readability-base-url-base-element-relative")
    assert len(page.skipped) == 5


def test_long_prose_is_kept_whole(read: Reader) -> None:
    words = sum(len(text) for text in texts_of(read("gregoryszorc.com.python3")))
    assert words > 38_000


@pytest.mark.parametrize("name", ["readability-wikipedia", "readability-qq"])
def test_chunks_of_real_pages_keep_the_budget(read: Reader, name: str) -> None:
    drafts = list(chunk_parts([read(name)], title="A page"))
    assert all(count_tokens(draft.search_text) <= BUDGET_TOKENS for draft in drafts)
    assert all(draft.anchor for draft in drafts)
