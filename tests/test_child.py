"""Parsing in a real child process: streaming, time limits, crashes, passwords, budgets."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import psutil
import pymupdf
import pytest

from ingest.child import SHARED_FROM_PAGES, Session, Task, parse_in_child
from ingest.pages import draw_page
from ingest.parts import DocumentHead, ParsedPage
from rag.errors import (
    CorruptFileError,
    EmptyFileError,
    EncryptedFileError,
    FileTooLargeError,
)
from rag.settings import IngestSettings
from tests.builders import (
    PageSpec,
    make_endless_pdf,
    make_html,
    make_paper,
    make_pdf,
    make_png,
)

LIMITS = IngestSettings()
WORDS = "Bees find their way home by the position of the sun."


def _write(folder: Path, data: bytes, name: str = "report.pdf") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _parse(
    path: Path, limits: IngestSettings = LIMITS, passwords: tuple[str, ...] = ()
) -> tuple[DocumentHead, list[ParsedPage]]:
    head, *pages = parse_in_child(path, "pdf", name=path.name, limits=limits, passwords=passwords)
    assert isinstance(head, DocumentHead)
    return head, [page for page in pages if isinstance(page, ParsedPage)]


def _words(page: ParsedPage) -> str:
    return " ".join(part.text for part in page.parts)


def test_head_comes_first_and_then_every_page_in_order(tmp_path: Path) -> None:
    path = _write(tmp_path, make_pdf([WORDS, WORDS, WORDS], title="Bees"))
    head, pages = _parse(path)
    assert head == DocumentHead(media_type="pdf", page_count=3, title="Bees")
    assert [page.page_number for page in pages] == [1, 2, 3]
    assert all(WORDS in _words(page) for page in pages)


def test_headings_are_carried_over_pages(tmp_path: Path) -> None:
    paper = make_pdf(
        [
            PageSpec(lines=[(80, 22, "A Study of Bees"), (130, 11, WORDS), (146, 11, WORDS)]),
            PageSpec(lines=[(80, 11, WORDS), (96, 11, WORDS)]),
        ]
    )
    _, pages = _parse(_write(tmp_path, paper))
    assert pages[1].parts[0].heading == ("A Study of Bees",)


def test_a_page_that_never_ends_is_left_out_and_the_others_are_kept(tmp_path: Path) -> None:
    path = _write(tmp_path, make_endless_pdf([WORDS, WORDS, WORDS], endless_page=2))
    limits = LIMITS.model_copy(update={"page_timeout_s": 2.0})
    _, pages = _parse(path, limits)
    assert [page.page_class for page in pages] == ["text", "failed", "text"]
    assert pages[1].warnings == ("Page 2 could not be read and was left out.",)
    assert WORDS in _words(pages[2])


def test_a_killed_child_is_replaced_and_the_page_keeps_its_words(tmp_path: Path) -> None:
    session = Session(
        Task(
            path=_write(tmp_path, make_paper()),
            media_type="pdf",
            name="paper.pdf",
            limits=LIMITS,
        )
    )
    with session:
        child = session._child
        assert child is not None
        child.kill()
        killed, after = session.parse_page(1), session.parse_page(1)
    assert "red light won by far" in _words(killed)
    assert killed.warnings == (
        "Page 1 broke the reader, so some of its pictures or layout were left out.",
    )
    assert any(part.kind == "figure" for part in after.parts)
    assert not after.warnings


def test_a_document_of_which_no_page_can_be_read_is_corrupt(tmp_path: Path) -> None:
    path = _write(tmp_path, make_endless_pdf([WORDS], endless_page=1))
    limits = LIMITS.model_copy(update={"page_timeout_s": 2.0})
    with pytest.raises(CorruptFileError, match=r"No page of report\.pdf can be read"):
        _parse(path, limits)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
def test_too_little_memory_costs_the_layout_and_not_the_words(tmp_path: Path) -> None:
    limits = LIMITS.model_copy(update={"page_memory_mb": 256})
    _, (page,) = _parse(_write(tmp_path, make_pdf([WORDS])), limits)
    assert WORDS in _words(page)
    assert "without figures and tables" in page.warnings[0]


def test_cancelling_ends_the_stream_and_leaves_no_child(tmp_path: Path) -> None:
    path = _write(tmp_path, make_endless_pdf([WORDS, WORDS], endless_page=2))
    seen: list[object] = []
    events = parse_in_child(
        path, "pdf", name="a.pdf", limits=LIMITS, cancelled=lambda: len(seen) >= 2
    )
    begin = time.monotonic()
    for event in events:
        seen.append(event)
    assert len(seen) <= 3
    assert time.monotonic() - begin < 2 * LIMITS.page_timeout_s
    assert not psutil.Process().children()


@pytest.mark.parametrize("page_count", [3, 12], ids=["one process", "two processes"])
def test_closing_the_stream_early_leaves_no_child(tmp_path: Path, page_count: int) -> None:
    events = parse_in_child(
        _write(tmp_path, make_pdf([WORDS] * page_count)), "pdf", name="a.pdf", limits=LIMITS
    )
    next(events)
    next(events)
    events.close()
    assert not psutil.Process().children()


def test_password_is_asked_for_and_used(tmp_path: Path) -> None:
    path = _write(tmp_path, make_pdf([WORDS], password="honey"))
    with pytest.raises(EncryptedFileError, match=r"report\.pdf is protected by a password\. Enter"):
        _parse(path)
    with pytest.raises(EncryptedFileError, match=r"password for report\.pdf is wrong"):
        _parse(path, passwords=("wax",))
    _, pages = _parse(path, passwords=("wax", "honey", "tar"))
    assert WORDS in _words(pages[0])


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        pytest.param(b"", EmptyFileError, "is empty", id="no bytes"),
        pytest.param(b"%PDF-1.7\n", CorruptFileError, "is damaged", id="header only"),
        pytest.param(make_pdf()[:300], CorruptFileError, "is damaged", id="cut off"),
    ],
)
def test_broken_files_end_in_one_plain_sentence_without_a_path(
    tmp_path: Path, data: bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        _parse(_write(tmp_path, data))
    assert str(tmp_path) not in str(caught.value)
    assert "report.pdf" in str(caught.value)


def test_limits_on_bytes_and_pages_are_named(tmp_path: Path) -> None:
    path = _write(tmp_path, make_pdf([WORDS] * 3))
    with pytest.raises(FileTooLargeError, match="3 pages; the limit is 2"):
        _parse(path, LIMITS.model_copy(update={"max_pages": 2}))
    big = _write(tmp_path, b"%PDF-1.7" + bytes(2 << 20), "big.pdf")
    with pytest.raises(FileTooLargeError, match="2 MB; the limit is 1 MB"):
        _parse(big, LIMITS.model_copy(update={"max_file_mb": 1}))


def test_pictures_beyond_the_limit_leave_their_words(tmp_path: Path) -> None:
    path = _write(tmp_path, make_paper(figures=2))
    _, (page,) = _parse(path, LIMITS.model_copy(update={"max_images": 1}))
    assert sum(part.image_png is not None for part in page.parts) == 1
    assert "Height of plant 2" in _words(page) + " ".join(part.caption for part in page.parts)
    assert "limit of 1 pictures" in page.skipped[-1].reason


def test_a_web_page_goes_through_the_same_child(tmp_path: Path) -> None:
    path = _write(tmp_path, make_html(f"<h1>Bees</h1><p>{WORDS}</p>"), "bees.html")
    head, page = parse_in_child(path, "html", name="bees.html", limits=LIMITS)
    assert isinstance(head, DocumentHead)
    assert head.media_type == "html"
    assert isinstance(page, ParsedPage)
    assert page.page_number is None
    assert WORDS in _words(page)


def test_a_page_is_drawn_as_displayed(tmp_path: Path) -> None:
    from PIL import Image

    spec = PageSpec(lines=[WORDS], rotation=90, pictures=[((100, 100, 200, 200), make_png())])
    drawn = draw_page(
        _write(tmp_path, make_pdf([spec])), 1, long_side_px=800, timeout_s=LIMITS.page_timeout_s
    )
    picture = Image.open(io.BytesIO(drawn.png))
    assert picture.mode == "RGB"
    assert max(picture.size) in (799, 800)
    assert picture.width > picture.height


def test_a_page_that_cannot_be_drawn_in_time_says_so(tmp_path: Path) -> None:
    path = _write(tmp_path, make_endless_pdf([WORDS], endless_page=1))
    with pytest.raises(CorruptFileError, match="Page 1 cannot be drawn"):
        draw_page(path, 1, long_side_px=800, timeout_s=1.0)


def test_password_file_of_the_corpus_opens_with_its_password(shared: Path) -> None:
    path = shared / "corpus" / "pdf" / "password-example.pdf"
    with pytest.raises(EncryptedFileError):
        _parse(path)
    head, pages = _parse(path, passwords=("test",))
    assert head.page_count == len(pages) == 4


def test_fuzzed_file_of_the_corpus_ends_cleanly(shared: Path) -> None:
    head, pages = _parse(shared / "corpus" / "pdf" / "poppler-90-0-fuzzed.pdf")
    assert head.page_count == len(pages) == 16


@pytest.mark.soak
def test_a_real_document_comes_out_the_same_from_one_process_and_from_two(
    shared: Path, tmp_path: Path
) -> None:
    path = _write(tmp_path, _mixed_pages(shared / "corpus" / "pdf"))
    alone = _parse(path, LIMITS.model_copy(update={"processes": 1}))
    together = _parse(path, LIMITS.model_copy(update={"processes": 2}))
    assert len(alone[1]) == SHARED_FROM_PAGES
    assert sum(part.image_png is not None for page in alone[1] for part in page.parts) >= 5
    assert together == alone


def _mixed_pages(folder: Path) -> bytes:
    """Figures, a raster chart, tables, running footers, a scan: what a reader remembers."""
    with pymupdf.open() as mixed:
        for name, first, last in (
            ("tracemonkey.pdf", 10, 11),
            ("redp5110_sampled.pdf", 7, 10),
            ("ocr_test.pdf", 1, 1),
            ("redp5110_sampled.pdf", 4, 4),
        ):
            with pymupdf.open(folder / name) as source:
                mixed.insert_pdf(source, from_page=first - 1, to_page=last - 1)
        return bytes(mixed.tobytes())


def test_pages_are_read_in_order_though_a_helper_dies(tmp_path: Path) -> None:
    path = _write(tmp_path, make_pdf([f"{WORDS} Page {n}." for n in range(1, 15)]))
    pages: list[ParsedPage] = []
    for event in parse_in_child(path, "pdf", name="a.pdf", limits=LIMITS):
        if isinstance(event, ParsedPage):
            pages.append(event)
            _kill_the_youngest_of_two_children(when=len(pages) == 2)
    assert [page.page_number for page in pages] == list(range(1, 15))
    assert all(f"Page {page.page_number}." in _words(page) for page in pages)
    assert not any(page.warnings for page in pages)


def _kill_the_youngest_of_two_children(*, when: bool) -> None:
    children = sorted(psutil.Process().children(), key=lambda child: child.create_time())
    if when and len(children) == 2:
        children[-1].kill()


@pytest.mark.soak
def test_a_page_that_never_ends_costs_only_itself_with_two_processes(tmp_path: Path) -> None:
    path = _write(tmp_path, make_endless_pdf([WORDS] * 9, endless_page=6))
    _, pages = _parse(path, LIMITS.model_copy(update={"page_timeout_s": 3.0}))
    assert [page.page_class == "failed" for page in pages] == [n == 6 for n in range(1, 10)]
