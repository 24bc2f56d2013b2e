"""The report of a document: what was seen, what was left out, what can be found of it."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from ingest.child import Session
from tests.builders import PageSpec, make_html, make_pdf, make_png
from tests.test_hidden_items import PAGE
from tests.towns import NamedLanes, lanes, parse_here, services, settings_for
from tests.ui.scripted_coverage import page, report, seen, skipped
from ui.coverage import Box, ranges
from ui.services import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ui.services import Services

__all__ = ["lanes", "services"]  # fixtures

WORDS = "Bees find their way home by the position of the sun, even when clouds hide it."


@pytest.mark.parametrize(
    ("numbers", "words"),
    [([], ""), ([4], "4"), ([3, 1, 2, 2], "1–3"), ([1, 3, 4, 9], "1, 3–4, 9")],
    ids=["none", "one", "a run", "runs and gaps"],
)
def test_page_numbers_are_said_in_short(numbers: list[int], words: str) -> None:
    assert ranges(numbers) == words


def test_a_page_says_what_is_on_it() -> None:
    said = report(
        [seen("text", 1), seen("text", 2), seen("figure", 2), seen("table", 2), seen("page", 3)],
        [page(1), page(2), page(3, "picture"), page(4, "blank"), page(5, "failed")],
    )

    assert [one.words for one in said.pages] == [
        "text only",
        "1 figure, 1 table",
        "read as picture",
        "blank",
        "could not be read",
    ]
    assert [one.number for one in said.notable_pages] == [2, 3, 4, 5]
    assert said.pages_as_picture == (3,)


def test_pieces_of_one_table_are_one_table() -> None:
    pieces = [seen("table", 1, caption=f"piece {n}") for n in range(3)]
    other = seen("table", 1, bbox=(70, 400, 520, 500))

    said = report([*pieces, other], [page(1)])

    assert said.tables == 2
    assert said.pages[0].words == "2 tables"
    assert len(said.pages[0].boxes) == 2


def test_what_was_left_out_is_grouped_by_reason_and_has_its_box() -> None:
    notes = [skipped(n, "the same picture as on page 1") for n in range(2, 6)]

    said = report([seen("text", 2)], [page(2)], [*notes, skipped(9, "blank")])

    assert [(one.pages, one.reason, one.count) for one in said.left_out] == [
        ("2–5", "The same picture as on page 1", 4),
        ("9", "Blank", 1),
    ]
    assert said.found == 5
    assert Box(None, (70.0, 90.0, 520.0, 190.0)) in said.pages[0].boxes
    assert said.pages[0].is_notable


def test_a_hidden_figure_has_no_frame_of_its_kind() -> None:
    shown = seen("table", 1, caption="Table 1", bbox=(70, 400, 520, 500))

    said = report([seen("figure", 1, caption="Output", is_hidden=True), shown], [page(1)])

    assert said.pages[0].captured == [("table", (70, 400, 520, 500))]
    assert said.pages[0].left_out == ((70.0, 90.0, 520.0, 190.0),)


def test_a_picture_that_is_missing_beside_its_page_is_counted_once() -> None:
    figure = seen("figure", None, caption="A pump", picture=None)

    said = report([figure], (), [skipped(None, "the picture is not in the file or beside it")])

    assert (said.found, said.by_words) == (1, 1)


@pytest.mark.parametrize(
    ("sees_pixels", "searchable", "lost"), [(False, 1, 1), (True, 2, 0)], ids=["words", "pixels"]
)
def test_a_figure_without_words_needs_an_embedder_that_sees(
    sees_pixels: bool, searchable: int, lost: int
) -> None:
    said = report(
        [seen(caption="Output by region"), seen(bbox=(0, 0, 9, 9))],
        [page(1)],
        sees_pixels=sees_pixels,
    )

    assert (said.searchable, len(said.lost)) == (searchable, lost)
    assert bool(said.reach) is not sees_pixels


def test_reach_says_what_leads_to_the_figures() -> None:
    said = report([seen(caption="Output"), seen(), seen(bbox=(0, 0, 9, 9))], [page(1)])

    assert said.reach == (
        "The embedder minilm does not see pictures.",
        "It finds these 3 figures only by caption and words.",
        "2 of them have no caption and no words: only the heading above or the number of the page"
        " leads to them.",
    )


def test_a_figure_without_words_is_not_said_to_be_found_by_them() -> None:
    said = report([seen()], [page(1)])

    assert said.reach == (
        "The embedder minilm does not see pictures.",
        "The figure has no caption and no words: only the heading above or the number of the page"
        " leads to it.",
    )


def test_nothing_can_be_found_before_the_figures_are_ready_or_when_hidden() -> None:
    figure, hidden = seen(caption="Output"), seen(caption="Input", is_hidden=True)

    assert report([figure, hidden], [page(1)]).searchable == 1
    assert report([figure, hidden], [page(1)], is_ready=False).searchable == 0


def test_a_figure_is_called_by_its_number_and_caption() -> None:
    said = report(
        [seen(number="Figure 3", caption="Output"), seen(caption="Figure 4. Input"), seen()],
        [page(1)],
    )

    assert [figure.title for figure in said.figures] == [
        "Figure 3 Output",
        "Figure 4. Input",
        "Figure 3, without a caption",
    ]


def test_a_web_page_is_reported_from_its_rows(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = make_html(PAGE.decode().split("<body>")[1].replace("</body></html>", "") + TINY)
    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.parse_in_child", parse_here)
        document = services.pipeline.run(services.pipeline.admit("osterby.html", tiny).document.id)

    said = services.reports.of(document)
    services.reports.hide(document.id, said.figures[0].id)

    assert [figure.title for figure in said.figures] == ["Figure 7. Herring boats of Osterby."]
    assert (said.pages, said.searchable, said.captioned) == ((), 1, 1)
    assert [one.count for one in said.left_out] == [1]
    assert document.left_out_count == 1
    assert services.reports.of(document).figures[0].is_hidden
    assert services.reports.of(document).searchable == 0


TINY = (
    '<img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4'
    '2mP8z4APMOGVHbHSAEEsAROxCnMTAAAAAElFTkSuQmCC">'
)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A PDF of three pages read by the real parser: text, a figure and a logo, a scan."""
    folder = tmp_path_factory.mktemp("coverage") / "library"
    with pytest.MonkeyPatch.context() as patch:
        made = NamedLanes()
        patch.setattr("ui.embedding.load_embedder", made.load)
        patch.setattr("ui.embedding.identity_of", made.identity_of)
        patch.setattr("ui.indexing.identity_of", made.identity_of)
        opened = build(settings_for(folder))
        data = make_pdf(
            [
                WORDS,
                PageSpec(
                    lines=[WORDS, (330, 9, "Figure 1. Flight of bees.")],
                    drawings=[(140, 160, 440, 310)],
                    pictures=[((500, 760, 512, 772), make_png((60, 60)))],
                ),
                PageSpec(pictures=[((0, 0, 595, 842), make_png((595, 842)))]),
            ]
        )
        opened.pipeline.run(opened.pipeline.admit("bees.pdf", data).document.id)
        yield opened
        opened.close()


def test_a_pdf_is_reported_page_by_page(read: Services) -> None:
    (document,) = read.documents()

    said = read.reports.of(document)

    assert document.state == "ready"
    assert [one.words for one in said.pages] == ["text only", "1 figure", "read as picture"]
    assert said.pages_as_picture == (3,)
    assert [figure.place for figure in said.figures] == ["page 2", "page 3"]
    assert said.left_out_count == document.left_out_count
    kinds = [box.kind for box in said.pages[1].boxes]
    assert kinds.count("figure") == 1
    assert "text" in kinds


def wait_for(services: Services, pages: dict[int, tuple[float, float]]) -> dict[int, bytes]:
    (document,) = services.documents()
    for _ in range(600):
        sheet = services.reports.sheet(document, pages)
        if not sheet.is_waiting:
            return dict(sheet.pictures)
        time.sleep(0.05)
    message = "the pages were never drawn"
    raise AssertionError(message)


def test_small_pages_are_drawn_in_the_background_and_kept(
    read: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Session] = []
    enter = Session.__enter__
    monkeypatch.setattr(Session, "__enter__", lambda self: opened.append(self) or enter(self))
    (document,) = read.documents()
    pages = {one.number: one.size for one in read.reports.of(document).pages}

    at_once = read.reports.sheet(document, pages)
    drawn = wait_for(read, pages)

    assert at_once.is_waiting
    assert sorted(drawn) == [1, 2, 3]
    assert len(opened) == 1, "one child for all pages"
    assert {Image.open(io.BytesIO(png)).width for png in drawn.values()} == {400}
    assert wait_for(read, pages) == drawn
    assert len(opened) == 1, "nothing is drawn twice"


def test_a_page_that_cannot_be_drawn_does_not_stop_the_others(read: Services) -> None:
    (document,) = read.documents()
    sizes = {2: (595.0, 842.0), 99: (595.0, 842.0)}

    assert sorted(wait_for(read, sizes)) == [2]
    assert not read.reports.sheet(document, {99: (595.0, 842.0)}).is_waiting


def test_a_deleted_document_leaves_no_small_page(read: Services) -> None:
    (document,) = read.documents()
    wait_for(read, {1: (595.0, 842.0)})
    folder: Path = read.settings.data_dir / "cache" / "thumbs" / str(document.id)
    assert list(folder.iterdir())

    receipt = read.delete(document.id)

    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    assert not folder.exists()


def test_small_pages_of_a_locked_file_wait_for_its_password(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_pdf([WORDS, WORDS], password="honey")
    admitted = services.pipeline.admit("locked.pdf", data)
    services.pipeline.run(admitted.document.id, passwords=("honey",))
    document = services.library.documents.get(admitted.document.id)
    pages = {1: (595.0, 842.0), 2: (595.0, 842.0)}
    monkeypatch.setattr(services, "documents", lambda: [document])

    assert wait_for(services, pages) == {}
    assert services.reports.sheet(document, pages).needs_password
    services.page_picture(document.id, 1, "honey")

    assert sorted(wait_for(services, pages)) == [1, 2]
