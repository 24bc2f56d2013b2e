"""Words in the order a reader takes them: columns, notes, sidebars, scripts, line ends."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ingest.bidi import logical_order
from ingest.chunk import chunk_parts
from ingest.hyphens import joint
from ingest.pageblocks import PageBlock
from ingest.paragraphs import Line
from ingest.pdf import PdfReader, parse_pages
from ingest.reading_order import in_reading_order
from rag.settings import IngestSettings

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.parts import ParsedPage
    from rag.types import BBox

LIMITS = IngestSettings()


def _block(
    name: str, box: BBox, *, kind: str = "text", size: float = 10, rows: int = 3
) -> PageBlock:
    height = (box[3] - box[1]) / rows
    lines = tuple(
        Line(
            text=f"{name} {row}",
            bbox=(box[0], box[1] + row * height, box[2], box[1] + (row + 1) * height),
            size=size,
            is_mono=False,
            is_bold=False,
        )
        for row in range(rows)
    )
    return PageBlock(kind=kind, bbox=box, spans=(), lines=lines)


def _names(blocks: list[PageBlock]) -> list[str]:
    return [block.lines[0].text.rpartition(" ")[0] for block in blocks]


def test_columns_are_read_one_after_the_other_under_what_spans_them() -> None:
    blocks = [
        _block("title", (50, 40, 550, 70)),
        _block("a1", (50, 90, 290, 200)),
        _block("b1", (310, 90, 550, 240)),
        _block("a2", (50, 210, 290, 300)),
        _block("wide", (50, 320, 550, 360)),
        _block("c1", (50, 380, 290, 500)),
        _block("d1", (310, 380, 550, 500)),
        _block("c2", (50, 510, 290, 600)),
    ]
    expected = ["title", "a1", "a2", "b1", "wide", "c1", "c2", "d1"]
    assert _names(in_reading_order(blocks)) == expected


def test_columns_of_a_leftward_page_begin_on_the_right() -> None:
    blocks = [_block("left", (50, 90, 290, 400)), _block("right", (310, 90, 550, 400))]
    assert _names(in_reading_order(blocks, leftward=True)) == ["right", "left"]


def test_rows_of_a_form_keep_the_order_of_the_layout_model() -> None:
    rows = [
        _block(name, (x, y, x + 30, y + 12), rows=1)
        for y in (100, 120, 140)
        for name, x in ((f"key{y}", 50), (f"value{y}", 310))
    ]
    assert _names(in_reading_order(rows)) == _names(rows)


def test_notes_come_after_the_text_and_marked_as_aside() -> None:
    blocks = [
        _block("left", (50, 90, 290, 600), rows=20),
        _block("1 note", (50, 640, 290, 660), size=8, rows=2),
        _block("right", (310, 90, 550, 660), rows=20),
        _block("footer", (50, 800, 550, 810), kind="page-footer", rows=1),
    ]
    ordered = in_reading_order(blocks)
    assert _names(ordered) == ["left", "right", "1 note", "footer"]
    assert [block.is_aside for block in ordered] == [False, False, True, True]


def test_a_page_of_small_references_is_no_page_of_notes() -> None:
    blocks = [
        _block("text", (50, 90, 290, 300), rows=8),
        _block("[1] one", (50, 320, 290, 700), size=8, rows=20),
        _block("[2] two", (310, 90, 550, 700), size=8, rows=30),
    ]
    assert _names(in_reading_order(blocks)) == ["text", "[1] one", "[2] two"]


def test_a_table_laid_over_a_column_does_not_hide_the_columns() -> None:
    blocks = [
        _block("table", (54, 73, 550, 149), kind="table"),
        _block("a1", (54, 88, 293, 156)),
        _block("b1", (317, 160, 556, 245)),
        _block("a2", (54, 160, 293, 245)),
    ]
    assert _names(in_reading_order(blocks)) == ["table", "a1", "a2", "b1"]


THREE_COLUMNS = {
    50.0: "The mill on the upper river was built in the year of the great flood and it stood"
    " alone for a decade before the first road reached the valley from the northern coast.",
    220.0: "Later the weavers came with their looms and filled the lower rooms while the upper"
    " floor still held the stones that ground the barley of the eleven farms around.",
    390.0: "When the railway closed the mill fell silent and nobody spoke of it until a school"
    " class found the old ledgers under the boards of the miller's office last spring.",
}


def _three_columns(folder: Path) -> ParsedPage:
    import pymupdf

    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((50, 60), "A short history of the mill", fontsize=20)
    for x, text in THREE_COLUMNS.items():
        page.insert_textbox((x, 90, x + 150, 420), text, fontsize=11)
    page.draw_rect((50, 500, 540, 620), fill=(0.9, 0.9, 0.8), color=None)
    page.insert_textbox((60, 510, 530, 610), "Opening hours. The museum opens at ten. " * 4)
    page.insert_textbox((50, 760, 540, 800), "1 Ledger of 1887, sheet 12.", fontsize=7)
    path = folder / "mill.pdf"
    document.save(path)
    return next(iter(parse_pages(path, name="mill.pdf", limits=LIMITS)))


def test_three_columns_with_a_box_and_a_note_are_read_in_order(tmp_path: Path) -> None:
    page = _three_columns(tmp_path)
    words = " ".join(part.text for part in page.parts)
    wanted = ["A short history", *THREE_COLUMNS.values(), "Opening hours.", "1 Ledger of 1887"]
    places = [words.find(text) for text in wanted]
    assert -1 not in places
    assert places == sorted(places)


@cache
def _chunks(folder: Path, name: str, pages: tuple[int, ...]) -> str:
    """The text of the chunks of these pages, repeats between chunks included."""
    reader = PdfReader(folder / name, name=name, limits=LIMITS)
    parsed = [list(reader.stages(number, plain=False))[-1] for number in pages]
    reader.close()
    return "\n".join(draft.text for draft in chunk_parts(parsed, title="") if draft.kind == "text")


@pytest.mark.parametrize(
    ("name", "pages", "probes"),
    [
        pytest.param(
            "corpus/pdf/tracemonkey.pdf",
            (1, 2),
            [
                "is the de facto standard for client-side web programming and is used for the",
                "uses a mixed-mode execution approach",
                "Hence, recording and compiling a trace",
                "This paper makes the following contributions",
                "The remainder of this paper is organized",
                "we evaluate our dynamic compiler based on a set of industry benchmarks",
                "2. Overview: Example Tracing Run",
                "TraceMonkey always begins executing",
            ],
            id="two columns and a page break",
        ),
        pytest.param(
            "corpus/pdf/tracemonkey.pdf",
            (8,),
            [
                "Every time the trace recorder emits",
                "source language semantic-specific",
                "5.2 Register Allocation",
                "heuristic selects v with minimum",
                "6. Implementation",
                "an exact, non-generational, stop-the-world mark-and-sweep collector",
                "6.1 Calling Compiled Traces",
            ],
            id="columns that the layout model mixes",
        ),
        pytest.param(
            "corpus/pdf/normal_4pages.pdf",
            (1,),
            [
                "한편 코로나-19가 전 세계적 유행단계에 돌입한 와중에",
                "보아야 할지 이슈가 될 것으로 판단된다.",
                "통상 질병보험금에 비해 상해나 재해로 인한 보험금의 경우",
                "개선과제에 대하여 정리하고자 한다.",
                "손해보험의 표준약관 규정에 따르면",
                "질병은 보장대상이 되지 않는 것으로 정의",
            ],
            id="korean with notes under both columns",
        ),
        pytest.param(
            "corpus/pdf/normal_4pages.pdf",
            (2, 3),
            [
                "이었으나 이번에 개정된 법에서 이들은",
                "현행 생명보험 표준약관상",
                "개정 이유는 질환의 특성별",
                "작성자인 사업자에 의하여",
            ],
            id="korean word over a gutter",
        ),
        pytest.param(
            "corpus/pdf/redp5110_sampled.pdf",
            (5, 6),
            [
                "Businesses must make a serious effort",
                "DB2 for i security controls",
                "idtheftcenter.org",
                "1.1 Security fundamentals",
                "The second fundamental in securing data assets",
            ],
            id="one column with notes",
        ),
        pytest.param(
            "evaldata/mmlongbench_dev/pdfs/2310.07609v1.pdf",
            (1, 2),
            [
                "1 Introduction",
                "refutes or supports this claim. Instead, a human",
                "We introduce the Question-guided Multi-hop",
                "2 Related Work",
                "systems limit the validation or refutation of a claim",
                "3 System Architecture",
                "www.tanbih.org/whatthewikifact",
            ],
            id="a figure over a column",
        ),
        pytest.param(
            "evaldata/mmlongbench_dev/pdfs/2312.10997v5.pdf",
            (1, 2, 3),
            [
                "LARGE language models (LLMs) have achieved remarkable success",
                "research is shown in Figure 1. The development trajectory",
                "https://github.com/Tongji-KGLLM/RAG-Survey",
                "II. OVERVIEW OF RAG",
                "gained prominence shortly after the widespread adoption of ChatGPT",
                "B. Advanced RAG",
            ],
            id="initial letter, note and wide figures",
        ),
    ],
)
def test_sentences_of_real_pages_follow_one_another(
    shared: Path, name: str, pages: tuple[int, ...], probes: list[str]
) -> None:
    text = _chunks(shared, name, pages)
    places = [text.find(probe) for probe in probes]
    assert -1 not in places, probes[places.index(-1)]
    wrong = [probes[i] for i, (one, other) in enumerate(pairwise(places)) if one > other]
    assert not wrong


def _turned(words: str) -> str:
    return words[::-1]


@pytest.mark.parametrize(
    ("drawn", "read"),
    [
        pytest.param(_turned("שלום עולם"), "שלום עולם", id="hebrew"),
        pytest.param(
            _turned(" שקלים") + "1,250.50" + _turned("מחיר "), "מחיר 1,250.50 שקלים", id="number"
        ),
        pytest.param("1403/09/19" + _turned("تاريخ "), "تاريخ 1403/09/19", id="date"),
        pytest.param("20 10" + _turned("אב "), "אב 10 20", id="numbers apart"),
        pytest.param(
            _turned(" טוב מאוד") + "TLS 1.3 (RFC)" + _turned("הוא "),
            "הוא TLS 1.3 (RFC) טוב מאוד",
            id="latin inside",
        ),
        pytest.param(
            "(" + _turned("ישראל") + ") " + _turned("שלום"), "שלום (ישראל)", id="brackets as drawn"
        ),
        pytest.param(
            ")" + _turned("ישראל") + "( " + _turned("שלום"), "שלום (ישראל)", id="brackets as meant"
        ),
        pytest.param(_turned("استاندارد") + " -2-5", "2-5- استاندارد", id="section number"),
        pytest.param(
            "The old word (" + _turned("שלום") + ") is here",
            "The old word (שלום) is here",
            id="inside latin",
        ),
        pytest.param("plain (text) 12", "plain (text) 12", id="latin only"),
    ],
)
def test_lines_are_read_in_logical_order(drawn: str, read: str) -> None:
    assert logical_order(list(drawn)) == read


def test_persian_words_dates_and_numbers_are_read_as_on_the_page(shared: Path) -> None:
    reader = PdfReader(
        shared / "corpus" / "pdf" / "right_to_left_03.pdf", name="rtl.pdf", limits=LIMITS
    )
    page = list(reader.stages(1, plain=False))[-1]
    reader.close()
    words = " ".join(" ".join(part.text.replace("|", " ") for part in page.parts).split())
    for seen in (
        "2-5- استاندارد کالا",
        "شرکت بورس کالای ايران",
        "شماره استاندارد ملی 20300",
        "تاريخ ارائه مدارک 1403/09/19",
        "3- پذيرش در بورس",
        "فولادهای سازه ای",
        "47.500 تن",
    ):
        assert seen in words, seen


def test_a_generated_page_of_hebrew_and_arabic_is_read_in_logical_order(tmp_path: Path) -> None:
    import pymupdf

    hebrew = 'שלום עולם, המחיר הוא 1,250.50 שקלים (כולל מע"מ) לפי TLS 1.3.'
    arabic = "تاريخ 2024/05/17 في مدينة دمشق (سوريا) بحضور 47 عضوا."
    document = pymupdf.open()
    html = "".join(f'<p dir="rtl" style="font-size:14px">{text}</p>' for text in (hebrew, arabic))
    document.new_page().insert_htmlbox(pymupdf.Rect(50, 50, 550, 300), html)
    path = tmp_path / "rtl.pdf"
    document.save(path)
    (page,) = parse_pages(path, name="rtl.pdf", limits=LIMITS)
    words = " ".join(part.text for part in page.parts)
    assert hebrew in words
    assert arabic in words


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        ("a pro-", "gram", "a program"),
        ("mixed-", "mode", "mixed-mode"),
        ("inter-", "national", "international"),
        ("generation-", "and-execution", "generation-and-execution"),
        ("stop-the-", "world", "stop-the-world"),
        ("type-", "specialized", "type-specialized"),
        ("soft\u00ad", "ware", "software"),
        ("中文的", "句子", "中文的句子"),
        ("日本語の", "文", "日本語の文"),
        ("ภาษา", "ไทย", "ภาษาไทย"),
        ("uses Python", "and C", "uses Python and C"),
        ("see https://x.org/a/", "b.html", "see https://x.org/a/b.html"),
    ],
)
def test_line_ends_are_joined_as_the_script_wants(before: str, after: str, joined: str) -> None:
    cut, glue = joint(before, after, frozenset())
    assert before[: len(before) - cut] + glue + after == joined
