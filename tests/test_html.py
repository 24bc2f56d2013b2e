"""Web pages become parts in document order, without what a reader cannot see."""

from __future__ import annotations

import pytest

from ingest.blocks import SLAB_CHARACTERS
from ingest.characters import strip_unseen
from ingest.chunk import chunk_parts
from rag.errors import CorruptFileError, EmptyFileError, FileTooLargeError
from tests.html_builders import data_uri, parts_of, png, read_both, read_page, texts_of

SENTENCES = "The pump lifts water from the lower basin to the upper one. " * 6
ARTICLE = (
    f"<article><h1>Pumps</h1><p>{SENTENCES}</p><p>Valves hold it there. {SENTENCES}</p></article>"
)


def test_blocks_come_in_document_order_with_anchors_and_headings() -> None:
    page = read_page("<h1>A</h1><p>one</p><h2>B</h2><ul><li>x<li>y</ul><blockquote>q</blockquote>")
    assert [(part.anchor, part.kind, part.text) for part in page.parts] == [
        ("1", "heading", "A"),
        ("2", "text", "one"),
        ("3", "heading", "B"),
        ("4", "text", "- x"),
        ("5", "text", "- y"),
        ("6", "text", "q"),
    ]
    assert page.parts[3].heading == ("A", "B")
    assert (page.page_number, page.page_class) == (None, "text")


def test_numbered_and_nested_lists_keep_their_marks() -> None:
    page = read_page("<ol start=3><li>three<li>four<ul><li>inner</ul></ol>")
    assert texts_of(page) == ["3. three", "4. four", "  - inner"]


def test_terms_and_their_explanations_are_kept() -> None:
    assert texts_of(read_page("<dl><dt>Pump</dt><dd>lifts water</dd></dl>")) == [
        "Pump",
        "lifts water",
    ]


def test_code_keeps_its_lines_and_indents() -> None:
    page = read_page("<pre><code>def f():<br>    return 1\n\n\n\n\nx</code></pre>")
    assert texts_of(page) == ["def f():\n    return 1\n\nx"]


def test_line_breaks_split_lines_and_two_of_them_paragraphs() -> None:
    assert texts_of(read_page("<div>a<br>b<br><br>c</div>")) == ["a\nb", "c"]


def test_a_power_keeps_its_caret_and_a_footnote_mark_goes() -> None:
    page = read_page('<p>10<sup>6</sup> cells<sup class="reference"><a href=#n>[4]</a></sup>.</p>')
    assert texts_of(page) == ["10^6 cells."]


def test_the_title_is_the_head_s_else_the_first_heading() -> None:
    assert read_both("<h1>B</h1><p>x</p>", head="<title> A  page </title>")[0].title == "A page"
    head, _ = read_both("<h1>B</h1><p>x</p>")
    assert (head.title, head.media_type, head.page_count) == ("B", "html", None)


def test_menus_and_frames_of_a_small_page_are_left_out() -> None:
    page = read_page(
        "<header><a>Home</a></header><nav>Menu</nav><div role=navigation>More</div>"
        "<p>The text.</p><aside>Ad</aside><footer>Legal</footer><script>var x</script>"
    )
    assert texts_of(page) == ["The text."]


def test_a_header_that_holds_the_title_stays() -> None:
    assert texts_of(read_page("<header><h1>T</h1></header><p>x</p>")) == ["T", "x"]


def test_a_large_page_is_cut_to_its_main_text() -> None:
    links = "".join(f"<li><a href=#>Product {n}</a></li>" for n in range(30))
    page = read_page(f"<div><ul>{links}</ul></div>{ARTICLE}<div><ul>{links}</ul></div>")
    assert not [text for text in texts_of(page) if "Product" in text]
    assert texts_of(page)[0] == "Pumps"
    assert len(texts_of(page)) == 3


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display:none">x SECRET</p>',
        '<p style="color:red; display : none !important">SECRET</p>',
        '<p style="visibility:hidden">SECRET</p>',
        '<p style="font-size:0">SECRET</p>',
        '<p style="font-size:0.0px;">SECRET</p>',
        '<p style="opacity:0">SECRET</p>',
        '<p style="color:#fff">SECRET</p>',
        '<p style="color:white;background:#FFFFFF">SECRET</p>',
        '<p style="position:absolute;left:-9999px">SECRET</p>',
        '<p style="text-indent:-9999px">SECRET</p>',
        "<p hidden>SECRET</p>",
        "<p aria-hidden=true>SECRET</p>",
        "<template><p>SECRET</p></template>",
        "<noscript>SECRET</noscript>",
        "<textarea>SECRET</textarea>",
        "<!-- SECRET -->",
        "<div hidden><div><p>SECRET</p></div></div>",
        '<img alt="SECRET" width=1 height=1 src="x.gif">',
    ],
)
def test_words_a_reader_cannot_see_are_left_out(hidden: str) -> None:
    page = read_page(f"<p>Before.</p>{hidden}tail<p>After.</p>")
    assert texts_of(page) == ["Before.", "tail", "After."]
    assert "SECRET" not in repr(page.parts)


@pytest.mark.parametrize(
    "style",
    [
        "font-size:small",
        "font-size:0.9em",
        "opacity:0.8",
        "color:#fff;background:#036",
        "left:-3px",
    ],
)
def test_ordinary_styles_hide_nothing(style: str) -> None:
    assert texts_of(read_page(f'<p style="{style}">seen</p>')) == ["seen"]


def test_white_text_on_a_dark_ground_is_read() -> None:
    assert texts_of(read_page('<div style="background:#000"><p style="color:#fff">seen</p></div>'))
    assert texts_of(read_page('<div class="hero"><p style="color:#fff">seen</p></div>'))


def test_unseen_characters_are_stripped_and_joiners_leave_words_whole() -> None:
    tag = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    assert strip_unseen(f"vis{tag}ible \u202egnol\u202c a\u200bb\ufeff") == "visible gnol ab"


def test_a_table_is_markdown_with_spans_resolved() -> None:
    (table,) = parts_of(
        "table",
        read_page(
            "<table><caption>Table 2: Sizes</caption><tr><th>Name<th colspan=2>Size"
            "<tr><td rowspan=2>Pump<td>1 mm<td>a|b<tr><td>2 mm<td></table>"
        ),
    )
    assert table.text.splitlines() == [
        "| Name | Size | Size |",
        "| --- | --- | --- |",
        "| Pump | 1 mm | a\\|b |",
        "| Pump | 2 mm |  |",
    ]
    assert (table.caption, table.number) == ("Table 2: Sizes", "Table 2")


def test_header_rows_above_one_another_are_joined() -> None:
    (table,) = parts_of(
        "table",
        read_page(
            "<table><thead><tr><th rowspan=2>Year<th colspan=2>Sales<tr><th>in<th>out</thead>"
            "<tr><td>2020<td>1<td>2</table>"
        ),
    )
    assert table.text.splitlines()[0] == "| Year | Sales in | Sales out |"


def test_names_in_the_first_column_are_no_header() -> None:
    (table,) = parts_of(
        "table", read_page("<table><tr><th>Founded<td>1998<tr><th>Field<td>Web</table>")
    )
    assert table.text.splitlines() == [
        "|  |  |",
        "| --- | --- |",
        "| Founded | 1998 |",
        "| Field | Web |",
    ]


def test_words_of_a_cell_keep_their_order_and_spaces() -> None:
    (table,) = parts_of(
        "table", read_page("<table><tr><td><b>a<i>b</i>c</b>d<td>x<br>y<tr><td>1<td>2</table>")
    )
    assert table.text.splitlines()[0] == "| abcd | x y |"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("<table><tr><td>left<td><h2>Side</h2><tr><td>b<td>c</table>", ["left", "Side", "b", "c"]),
        ("<table role=presentation><tr><td>c<td>d<tr><td>e<td>f</table>", ["c", "d", "e", "f"]),
        ("<table><tr><td>only one row<td>of two</table>", ["only one row", "of two"]),
        ("<table><tr><td>a<tr><td>b</table>", ["a", "b"]),
        (
            "<table><tr><td>x<td><table><tr><td>1<td>2<tr><td>3<td>4</table><tr><td>y<td>z</table>",
            ["x", "y", "z"],
        ),
    ],
    ids=["headings", "role", "one row", "one column", "nested"],
)
def test_tables_that_lay_out_a_page_are_read_as_text(table: str, words: list[str]) -> None:
    assert texts_of(read_page(table)) == words


def test_the_columns_of_an_old_page_are_read_as_text() -> None:
    column = "A column of running text. " * 30
    assert texts_of(read_page(f"<table><tr><td>{column}<td>x<tr><td>{column}<td>y</table>"))


def test_a_span_of_millions_does_not_fill_memory() -> None:
    page = read_page("<table>" + "<tr><td colspan=99999999 rowspan=9999>x<td>y" * 300 + "</table>")
    assert len(parts_of("table", page)[0].text) < 1_000_000


def test_a_table_of_sixty_thousand_cells_loses_no_row() -> None:
    rows = "".join(f"<tr><td>{n}" + "<td>x" * 19 for n in range(3_000))
    (table,) = parts_of("table", read_page(f"<table>{rows}</table>"))
    assert len(table.text.splitlines()) == 3_001
    assert table.text.splitlines()[-1].startswith("| 2999 | x |")


def test_a_page_with_nothing_to_read_says_so() -> None:
    with pytest.raises(EmptyFileError, match=r"page\.html holds no text and no pictures"):
        read_page("<div id=root></div><script>draw()</script>")


@pytest.mark.parametrize("data", [b"", b" \n\t", b"\0\0\0\0"], ids=["nothing", "blanks", "zeros"])
def test_a_file_without_characters_says_so(data: bytes) -> None:
    with pytest.raises(EmptyFileError, match="no text"):
        read_page(data)


def test_bytes_that_are_no_text_are_called_unreadable() -> None:
    with pytest.raises(CorruptFileError, match="readable text"):
        read_page(png(600, 600))


def test_a_figure_number_and_the_sentence_about_it_are_found() -> None:
    figure = parts_of(
        "figure",
        read_page(
            "<p>Water rises. As fig. 3 shows, the pump is fast. Figure 31 differs.</p>"
            f'<figure><img src="{data_uri(png())}">'
            "<figcaption>Figure 3: The pump</figcaption></figure>"
        ),
    )[0]
    assert (figure.number, figure.caption) == ("Figure 3", "Figure 3: The pump")
    assert figure.mention == "As fig. 3 shows, the pump is fast."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<p " + " ".join(f"a{n}=1" for n in range(20_000)) + ">x</p>", "thousands of attributes"),
        ("<b>x" * 200_001, "more than 200,000 tags"),
        ("<p>" + "word " * 2_100_000, "more than 10 MB"),
    ],
    ids=["attributes", "tags", "text"],
)
def test_pages_over_a_limit_are_refused_before_parsing(body: str, message: str) -> None:
    with pytest.raises(FileTooLargeError, match=message):
        read_page(body)


def test_a_page_of_a_million_blanks_is_read() -> None:
    # Quadratic once: the search for an XML declaration began anew at each blank.
    assert texts_of(read_page("<p>first</p>" + " " * 1_000_000 + "<p>last</p>")) == [
        "first",
        "last",
    ]


def test_a_line_longer_than_the_tokenizer_is_given_at_once_loses_no_word() -> None:
    words = [f"word{number}" for number in range(20_000)]
    drafts = list(chunk_parts([read_page("<p>" + " ".join(words) + "</p>")], title=""))
    assert " ".join(draft.text for draft in drafts).split() == words
    assert len(" ".join(words)) > 3 * SLAB_CHARACTERS


def test_an_xml_declaration_is_no_text() -> None:
    page = read_page(b'\n <?xml version="1.0" encoding="latin1"?><html><p>caf\xc3\xa9</p></html>')
    assert texts_of(page) == ["café"]


def test_scripts_with_comparisons_are_not_taken_for_large_tags() -> None:
    script = "<script>if(a<b){" + "x=1;y='z';" * 4_000 + "}</script>"
    assert texts_of(read_page(f"<p>text</p>{script}")) == ["text"]


def test_a_long_quoted_attribute_is_no_reason_to_refuse() -> None:
    assert texts_of(read_page(f'<p title="{"x " * 50_000}">text</p>')) == ["text"]


@pytest.mark.parametrize("tag", ["div", "table><tr><td", "b><i"])
def test_the_last_word_of_a_page_nested_thousands_deep_is_read(tag: str) -> None:
    page = read_page(f"<{tag}>" * 4_000 + "last words")
    assert texts_of(page) == ["last words"]
    assert "nested very deep" in page.warnings[0]


def test_bad_character_references_leave_no_surrogate() -> None:
    text = texts_of(read_page("<p>451 &#x0;&#xD800;&#x110000;&nbsp;&amp;lt; degrees</p>"))[0]
    assert text.startswith("451")
    assert text.encode("utf-8")
