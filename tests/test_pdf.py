"""PDF pages to parts, on small files made here; the reader runs in this process."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ingest.chunk import chunk_parts
from ingest.parts import ParsedPage, Part
from ingest.pdf import open_head, parse_pages
from rag.errors import CorruptFileError
from rag.settings import IngestSettings
from tests.builders import PageSpec, make_paper, make_pdf, make_png

LIMITS = IngestSettings()
FILLER = "Red light makes tomatoes grow faster than any other light we tried this year."


def _parse(folder: Path, data: bytes) -> list[ParsedPage]:
    path = folder / "paper.pdf"
    path.write_bytes(data)
    return list(parse_pages(path, name="paper.pdf", limits=LIMITS))


def _of_kind(page: ParsedPage, kind: str) -> list[Part]:
    return [part for part in page.parts if part.kind == kind]


def _words(page: ParsedPage) -> str:
    return " ".join(part.text for part in page.parts)


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> ParsedPage:
    (page,) = _parse(tmp_path_factory.mktemp("paper"), make_paper(figures=2))
    return page


def test_headings_have_levels_by_title_and_number(paper: ParsedPage) -> None:
    assert [(part.text, part.level) for part in _of_kind(paper, "heading")] == [
        ("Growth of Tomatoes under Red Light", 1),
        ("1 Method", 2),
    ]


def test_a_paragraph_is_one_line_whatever_its_lines_on_the_page(paper: ParsedPage) -> None:
    (text,) = _of_kind(paper, "text")
    assert text.text.startswith("We grew twelve tomato plants under lamps")
    assert "\n" not in text.text
    assert "measured their height every morning" in text.text


def test_figures_come_with_caption_number_mention_and_picture(paper: ParsedPage) -> None:
    from PIL import Image

    first, second = _of_kind(paper, "figure")
    assert first.number == "Figure 1"
    assert first.caption == "Figure 1. Height of plant 1 over ten days."
    assert first.mention == "Figure 1 shows that red light won by far."
    assert second.number == "Figure 2"
    assert first.image_png is not None
    picture = Image.open(io.BytesIO(first.image_png))
    assert picture.mode == "RGB"
    assert 900 <= max(picture.size) <= 1_600
    x0, y0, x1, y1 = first.regions[0].bbox
    assert x0 < 150
    assert x1 > 430
    assert y0 < 235
    assert 375 < y1 < 400


def test_a_caption_stands_only_with_its_figure(paper: ParsedPage) -> None:
    assert "Height of plant" not in _words(paper)


def test_a_table_is_markdown_with_its_caption_and_picture(paper: ParsedPage) -> None:
    (table,) = _of_kind(paper, "table")
    assert table.text.splitlines()[0] == "| Lamp | Yield |"
    assert "| Red | 42 kg |" in table.text
    assert table.number == "Table 1"
    assert table.caption == "Table 1. Yield by lamp."
    assert table.image_png is not None


def _running(header: str, footer: str) -> PageSpec:
    body = [(120 + 16 * i, 11, FILLER) for i in range(12)]
    return PageSpec(lines=[(30, 8, header), *body, (820, 8, footer)])


def test_running_headers_are_dropped_from_the_third_page_on_and_page_numbers_always(
    tmp_path: Path,
) -> None:
    pages = [_running("Journal of Lamps, volume 7", f"Page {number}") for number in (11, 12, 13)]
    parsed = _parse(tmp_path, make_pdf(pages))
    assert ["Journal of Lamps" in _words(page) for page in parsed] == [True, True, False]
    assert not any("Page 1" in _words(page) for page in parsed)
    assert all(FILLER in _words(page) for page in parsed)


def test_headers_that_count_pages_are_dropped_and_those_that_count_chapters_stay(
    tmp_path: Path,
) -> None:
    pages = [
        _running(f"Lamps today {number}", f"Chapter {chapter} of the lamp book")
        for number, chapter in ((11, 1), (12, 3), (13, 7))
    ]
    parsed = _parse(tmp_path, make_pdf(pages))
    assert ["Lamps today" in _words(page) for page in parsed] == [True, True, False]
    assert all("of the lamp book" in _words(page) for page in parsed)


def test_a_paragraph_goes_on_over_notes_and_running_lines(tmp_path: Path) -> None:
    first = [(100 + 16 * i, 11, FILLER) for i in range(12)]
    pages = [
        PageSpec(lines=[*first, (292, 11, "The lamp that burns longest is the one that nobody")]),
        PageSpec(lines=[(100, 11, "lights in the morning. " + FILLER), *first[1:]]),
    ]
    parsed = _parse(tmp_path, make_pdf(pages))
    texts = [draft.text for draft in chunk_parts(parsed, title="")]
    assert any("the one that nobody lights in the morning." in text for text in texts)


def test_words_a_reader_cannot_see_are_left_out_with_a_warning(tmp_path: Path) -> None:
    import pymupdf

    spec = PageSpec(
        lines=[(120, 11, FILLER), (140, 0.5, "Tiny orders to the model.")],
        white_lines=[(200, "White orders to the model.")],
    )
    document = pymupdf.open(stream=make_pdf([spec]))
    document[0].insert_text((72, 240), "Invisible orders to the model.", render_mode=3)
    document[0].insert_text((72, 280), "Covered orders to the model.")
    document[0].draw_rect((60, 260, 400, 290), fill=(1, 1, 1), color=(1, 1, 1))
    (page,) = _parse(tmp_path, document.tobytes())
    assert FILLER in _words(page)
    assert "orders" not in _words(page)
    assert "words that a reader cannot see" in page.warnings[0]


def test_white_words_on_a_dark_ground_are_kept(tmp_path: Path) -> None:
    import pymupdf

    document = pymupdf.open()
    sheet = document.new_page()
    sheet.draw_rect((50, 100, 500, 300), fill=(0, 0, 0.4))
    sheet.insert_text((72, 200), "White words on a dark slide.", fontsize=20, color=(1, 1, 1))
    (page,) = _parse(tmp_path, document.tobytes())
    assert "White words on a dark slide." in _words(page)
    assert not page.warnings


def test_a_page_without_text_becomes_a_picture_with_a_warning(tmp_path: Path) -> None:
    scan = PageSpec(pictures=[((0, 0, 595, 842), make_png((600, 850)))])
    (page,) = _parse(tmp_path, make_pdf([scan]))
    (part,) = page.parts
    assert page.page_class == "picture"
    assert part.kind == "page"
    assert part.image_png is not None
    assert page.warnings == ("Page 1 has no text layer; it was kept as a picture.",)


def test_the_text_layer_of_a_scan_is_read(tmp_path: Path) -> None:
    import pymupdf

    scan = PageSpec(pictures=[((0, 0, 595, 842), make_png((600, 850), pattern=True))])
    document = pymupdf.open(stream=make_pdf([scan]))
    document[0].insert_text((72, 200), FILLER, render_mode=3)
    (page,) = _parse(tmp_path, document.tobytes())
    assert page.page_class == "text"
    assert FILLER in _words(page)


def test_an_empty_page_is_blank_and_not_an_error(tmp_path: Path) -> None:
    (page,) = _parse(tmp_path, make_pdf([PageSpec()]))
    assert (page.page_class, page.parts, page.warnings) == ("blank", (), ())


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_lie_on_their_words_in_the_page_as_displayed(tmp_path: Path, rotation: int) -> None:
    import pymupdf

    lines = [(120, 11, "Marked line of words"), *((300 + 16 * i, 11, FILLER) for i in range(6))]
    data = make_pdf([PageSpec(lines=lines, rotation=rotation, size=(595, 842))])
    (page,) = _parse(tmp_path, data)
    assert page.size == ((842, 595) if rotation in (90, 270) else (595, 842))
    part = next(part for part in page.parts if "Marked line" in part.text)
    shown = pymupdf.open(stream=data)[0]
    (found,) = shown.search_for("Marked line of words")
    seen = found * shown.rotation_matrix  # from the file's own space to the page as displayed
    box = pymupdf.Rect(part.regions[0].bbox)
    assert (box & seen.normalize()).get_area() > 0.6 * seen.get_area()
    # There is ink under the box, and none where the box would be without the rotation.
    picture = shown.get_pixmap(dpi=72, clip=box)
    assert min(picture.samples) < 128


def test_all_boxes_of_a_page_lie_on_it(shared: Path) -> None:
    for name in ("tracemonkey.pdf", "bigboundingbox.pdf", "160F-2019.pdf"):
        page = next(iter(parse_pages(shared / "corpus/pdf" / name, name=name, limits=LIMITS)))
        assert page.size is not None
        for part in page.parts:
            x0, y0, x1, y1 = part.regions[0].bbox
            assert 0 <= x0 <= x1 <= page.size[0]
            assert 0 <= y0 <= y1 <= page.size[1]


def test_a_repeated_logo_is_kept_once_and_listed_as_left_out(tmp_path: Path) -> None:
    logo = make_png((200, 120), (20, 90, 160))
    lines = [(220 + 16 * i, 11, FILLER) for i in range(10)]
    pages = [PageSpec(lines=lines, pictures=[((400, 60, 500, 120), logo)]) for _ in range(3)]
    parsed = _parse(tmp_path, make_pdf(pages))
    assert [len(_of_kind(page, "figure")) for page in parsed] == [1, 0, 0]
    assert parsed[1].skipped[0].reason == "the same picture as on page 1"


def test_tiny_and_blank_pictures_are_left_out_with_a_reason(tmp_path: Path) -> None:
    spec = PageSpec(
        lines=[(120 + 16 * i, 11, FILLER) for i in range(6)],
        pictures=[
            ((100, 300, 118, 318), make_png((40, 40))),
            ((100, 400, 400, 600), make_png((300, 200), (255, 255, 255), pattern=False)),
        ],
    )
    (page,) = _parse(tmp_path, make_pdf([spec]))
    assert not _of_kind(page, "figure")
    reasons = {skipped.reason for skipped in page.skipped}
    assert reasons <= {"too small to show anything", "blank", "a plain area or line"}
    assert reasons


def test_the_head_has_pages_and_title(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(make_pdf(["One.", "Two."], title="Lamps\u200b and\nplants"))
    head = open_head(path, name="a.pdf", limits=LIMITS)
    assert (head.page_count, head.title) == (2, "Lamps and plants")


def test_a_picture_under_a_pdf_name_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(make_png())
    with pytest.raises(CorruptFileError, match=r"a\.pdf is damaged"):
        open_head(path, name="a.pdf", limits=LIMITS)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_page_with_a_crop_box_is_read_as_displayed(tmp_path: Path, rotation: int) -> None:
    import pymupdf

    document = pymupdf.open(stream=make_pdf(["Shown words of the page."]))
    page = document[0]
    page.insert_text((100, 800), "Cut off by the printer.")
    page.set_cropbox(pymupdf.Rect(40, 60, 560, 700))
    page.set_rotation(rotation)
    shown = (page.rect.width, page.rect.height)
    path = tmp_path / "turned.pdf"
    path.write_bytes(document.tobytes())
    document.close()

    (parsed,) = parse_pages(path, name="turned.pdf", limits=LIMITS)

    assert parsed.size == shown
    assert "Cut off" not in " ".join(part.text for part in parsed.parts)
    for part in parsed.parts:
        x0, y0, x1, y1 = part.regions[0].bbox
        assert 0 <= x0 < x1 <= shown[0]
        assert 0 <= y0 < y1 <= shown[1]
