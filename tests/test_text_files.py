"""Markdown and plain text: blocks with anchors, nothing invented, nothing fetched."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.child import parse_in_child
from ingest.chunk import chunk_parts
from ingest.markdown import parse_markdown, to_markup
from ingest.text import MAX_BLOCK_CHARACTERS, parse_text, text_blocks
from rag.errors import CorruptFileError, EmptyFileError, FileTooLargeError
from rag.settings import IngestSettings
from tests.builders import make_png

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.parts import ParsedPage, Part

LIMITS = IngestSettings()


def _markdown(text: str, asset_dir: Path | None = None) -> ParsedPage:
    return parse_markdown(text.encode(), name="notes.md", asset_dir=asset_dir, limits=LIMITS)[1]


def _parts(text: str, asset_dir: Path | None = None) -> list[Part]:
    return list(_markdown(text, asset_dir).parts)


def _seen(text: str) -> list[tuple[str, str]]:
    return [(part.kind, part.text) for part in _parts(text)]


def _data_picture(colour: tuple[int, int, int] = (200, 40, 40)) -> str:
    return "data:image/png;base64," + base64.b64encode(make_png(colour=colour)).decode()


def test_markdown_becomes_blocks_in_order() -> None:
    text = "# Lamps\n\nSome *words*.\n\n- one\n  1. two\n\n> said\n\n```py\nif x:\n    y\n```\n"

    assert _seen(text) == [
        ("heading", "Lamps"),
        ("text", "Some words."),
        ("text", "- one"),
        ("text", "  1. two"),
        ("text", "said"),
        ("text", "if x:\n    y"),
    ]


def test_blocks_have_anchors_and_the_headings_above_them() -> None:
    first, second, third, fourth = _parts("# A\n\nWords.\n\n## B\n\nMore.\n")

    assert [part.anchor for part in (first, second, third, fourth)] == ["1", "2", "3", "4"]
    assert second.heading == ("A",)
    assert fourth.heading == ("A", "B")


def test_a_table_becomes_a_table_with_its_caption() -> None:
    (table,) = _parts("Table 1. Yields\n\n| Lamp | Yield |\n|---|--:|\n| Red | 42 |\n")

    assert (table.kind, table.caption, table.number) == ("table", "Table 1. Yields", "Table 1")
    assert table.text == "| Lamp | Yield |\n| --- | --- |\n| Red | 42 |"


@pytest.mark.parametrize(
    "text",
    [
        "![A chart]({})\n\n*Figure 1: Heights.*\n",
        "![A chart]({})\nFigure 1: Heights.\n",
        '![A chart]({} "Figure 1: Heights.")\n',
        "![Figure 1: Heights.]({})\n",
        "<figure><img src='{}'><figcaption>Figure 1: Heights.</figcaption></figure>\n",
    ],
    ids=["paragraph below", "line below", "title", "alternative text", "markup"],
)
def test_a_picture_keeps_its_caption_however_it_is_written(text: str) -> None:
    (figure,) = _parts(text.format(_data_picture()))

    assert (figure.kind, figure.caption, figure.number) == (
        "figure",
        "Figure 1: Heights.",
        "Figure 1",
    )
    assert figure.image_png is not None


def test_a_paragraph_that_only_follows_a_picture_stays_text() -> None:
    kinds = [kind for kind, _ in _seen(f"![A chart]({_data_picture()})\n\nWe see much.\n")]

    assert kinds == ["figure", "text"]


def test_pictures_beside_the_file_are_read_and_none_above_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    (folder / "img").mkdir(parents=True)
    (folder / "img" / "a b.png").write_bytes(make_png(colour=(1, 90, 200)))
    (tmp_path / "secret.png").write_bytes(make_png())

    page = _markdown(
        "![in](img/a%20b.png)\n\n![up](../secret.png)\n\n![net](http://127.0.0.1:8999/x.png)\n",
        folder,
    )

    assert [(part.alt, part.image_png is not None) for part in page.parts] == [
        ("in", True),
        ("up", False),
        ("net", False),
    ]
    assert len(page.skipped) == 2


def test_front_matter_is_left_out_but_for_the_title() -> None:
    text = '---\ntitle: "Lamp study"\ntags: [a]\n---\nWords.\n'

    head, page = parse_markdown(text.encode(), name="a.md", asset_dir=None, limits=LIMITS)

    assert head.title == "Lamp study"
    assert [part.text for part in page.parts] == ["Words."]


def test_a_rule_at_the_start_is_no_front_matter() -> None:
    assert ("text", "Words.") in _seen("---\n\nWords.\n\nMore.\n")


def test_what_only_looks_like_markup_is_kept_as_words() -> None:
    assert _seen("Use Vec<T> with <your-name>.\n") == [("text", "Use Vec<T> with <your-name>.")]


def test_comments_scripts_and_hidden_words_are_left_out() -> None:
    text = (
        "<!-- note -->\n\n<script>steal()</script>\n\n"
        "<p style='display:none'>Obey.</p>\n\nSeen <b>bold</b>.\n"
    )

    assert _seen(text) == [("text", "Seen bold.")]


def test_links_are_words_only() -> None:
    assert _seen("[here](javascript:alert(1)) and <https://a.example/b>\n") == [
        ("text", "here and https://a.example/b")
    ]


def test_deep_nesting_and_long_runs_end_soon() -> None:
    for text in (">" * 5_000 + " a", "[" * 20_000, "*a " * 20_000, "- " * 300 + "x", "`" * 9_999):
        assert to_markup(text)


def test_markdown_without_words_is_refused() -> None:
    with pytest.raises(EmptyFileError, match=r"notes\.md holds no text"):
        _markdown("---\ntitle: x\n---\n<!-- nothing -->\n")


def test_text_is_paragraphs_without_headings() -> None:
    data = b"CHAPTER ONE\n\nIt was\r\nnight.\n\n\n\x0cThe end.\n"

    head, page = parse_text(data, name="novel.txt")

    assert (head.media_type, head.page_count, page.page_number) == ("text", None, None)
    assert [(part.kind, part.anchor, part.text) for part in page.parts] == [
        ("text", "1", "CHAPTER ONE"),
        ("text", "2", "It was\nnight."),
        ("text", "3", "The end."),
    ]


def test_hard_wrapped_prose_is_joined_and_lists_and_columns_are_not() -> None:
    prose = (
        "The lamps were lit at eight in the evening and stayed on until the well-\n"
        "known factory whistle called everybody to work on the following morning,\n"
        "which was a Friday.\n"
    )
    listed = "- one thing that is long enough to look like a line of wrapped prose\n- two\n"
    columns = "name of the lamp    price in euros per piece    pieces in stock\nred    4    12\n"

    assert list(text_blocks(prose)) == [
        "The lamps were lit at eight in the evening and stayed on until the well-known factory "
        "whistle called everybody to work on the following morning, which was a Friday."
    ]
    assert next(text_blocks(listed)).count("\n") == 1
    assert next(text_blocks(columns)).count("\n") == 1


@given(st.text(alphabet=st.sampled_from("ab .\n-\té。"), max_size=6_000))
def test_no_letter_of_a_text_is_lost_and_no_block_is_too_long(text: str) -> None:
    blocks = list(text_blocks(text))

    assert "".join("".join(blocks).split()) == "".join(text.split())
    assert all(len(block) <= MAX_BLOCK_CHARACTERS for block in blocks)


def test_one_line_of_two_megabytes_becomes_blocks_and_chunks() -> None:
    data = b"The lamp is red. " * 125_000

    _, page = parse_text(data, name="a.txt")

    assert max(len(part.text) for part in page.parts) <= MAX_BLOCK_CHARACTERS
    few = page.__class__(page_number=None, size=None, page_class="text", parts=page.parts[:3])
    assert len(list(chunk_parts([few], title="a"))) > 3


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "Größe"),
        ("utf-16", "Größe und Maß"),
        ("cp1252", "Größe und Maß der Öfen, „sehr schön“ — " * 20),
        ("shift_jis", "日本語の文章です。" * 60),
        ("cp1251", "Обычный русский текст, написанный давно. " * 20),
    ],
)
def test_text_in_other_encodings_is_decoded(encoding: str, text: str) -> None:
    _, page = parse_text(text.encode(encoding), name="a.txt")

    assert "".join(part.text for part in page.parts).replace(" ", "") == text.replace(" ", "")


def test_unseen_characters_are_taken_out() -> None:
    _, page = parse_text("Pay\u200b 10\u202e EUR\U000e0041.".encode(), name="a.txt")

    assert page.parts[0].text == "Pay 10 EUR."


def test_binary_in_a_text_and_too_much_of_it_are_refused() -> None:
    with pytest.raises(CorruptFileError, match=r"a\.txt does not hold readable text"):
        parse_text(b"words " * 20_000 + bytes(range(32)) * 5_000, name="a.txt")
    with pytest.raises(FileTooLargeError, match=r"a\.txt has 11 MB of text; the limit is 10 MB"):
        parse_text(b"x" * 11_000_000, name="a.txt")


@pytest.mark.parametrize("media_type", ["text", "markdown"])
def test_both_are_read_in_the_child(media_type: str, tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_text("Words of the file.\n\nMore of them.\n")

    head, page = parse_in_child(
        path,
        media_type,  # type: ignore[arg-type]
        name="notes",
        limits=LIMITS,
    )

    assert head.media_type == media_type  # type: ignore[union-attr]
    assert [part.text for part in page.parts] == [  # type: ignore[union-attr]
        "Words of the file.",
        "More of them.",
    ]
