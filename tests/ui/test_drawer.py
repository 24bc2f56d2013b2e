"""The drawer without a browser: pages beside the cited one, marks, and what to say without them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from streamlit.testing.v1.element_tree import Block as Block_

from ingest.pagewords import PageWord
from rag.errors import CorruptFileError
from rag.library import Block, Page
from rag.types import LegScore, Region
from tests.builders import make_png
from tests.ui.conftest import ask, page_html
from tests.ui.scripted import PAGE, ScriptedServices, make_answer, make_document, make_hit
from ui import boxes, cited, outcome
from ui.web import source_picture, state

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from streamlit.testing.v1 import AppTest

    from rag.types import BBox, Hit, LegName
    from tests.ui.conftest import Open

REPORT = make_document("report.pdf")
GUIDE = make_document("guide.html", pages=None)
ROSE = "Output rose 42 per cent to 6.8 TWh."


@pytest.fixture(autouse=True)
def _nothing_drawn_before() -> None:
    source_picture.marked_page.clear()


def _opened(open_app: Open, services: ScriptedServices, hit: Hit) -> AppTest:
    services.answers = [make_answer("q", "Rose. [1]", [hit])]
    app = ask(open_app(services), "q")
    app.session_state[state.OPEN] = state.OpenSource(turn=0, marker=1)
    return app.run()


def _alt(app: AppTest) -> str:
    (alt,) = [picture.alt for element in app.image for picture in element.proto.imgs]
    return str(alt)


def test_why_a_source_was_found_stands_below_it(open_app: Open) -> None:
    legs: dict[LegName, LegScore] = {
        "keywords": LegScore(rank=2, weight=4.1),
        "caption": LegScore(rank=1, cosine=0.7, z=5.23),
    }
    services = ScriptedServices(library=[REPORT])
    app = _opened(open_app, services, replace(make_hit(REPORT), why="picture_reserve", legs=legs))

    said = page_html(app)
    assert "Kept as the best picture, which would not be shown otherwise." in said
    assert "<dt>Caption</dt><dd>rank 1, z +5.2</dd>" in said
    assert said.index("<dt>Caption</dt>") < said.index("<dt>Keywords</dt><dd>rank 2</dd>")


def test_a_source_called_by_its_name_has_no_ranks(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT])
    app = _opened(open_app, services, replace(make_hit(REPORT), why="named"))

    assert "Put first, the question names it or its page." in page_html(app)
    assert "rank" not in page_html(app)


def test_the_place_says_how_many_pages_there_are_and_what_the_page_calls_itself(
    open_app: Open,
) -> None:
    services = ScriptedServices(library=[REPORT], labels={3: "iii"})
    app = _opened(open_app, services, make_hit(REPORT))

    assert "report.pdf, page 3 of 12, printed as page iii" in page_html(app)


def test_pages_beside_the_cited_one_are_a_button_away_and_so_is_the_way_back(
    open_app: Open,
) -> None:
    app = _opened(open_app, ScriptedServices(library=[REPORT]), make_hit(REPORT))
    assert app.button(key="page-before").label == "Page 2"

    app.button(key="page-after").click().run()
    assert _alt(app) == "Page 4 of report.pdf"
    assert app.button(key="page-before").label == "Page 3, cited"
    app.button(key="page-after").click().run()
    app.button(key="page-cited").click().run()

    assert "page marked" in _alt(app)
    assert "Page 3 of 12, cited" in page_html(app)


@pytest.mark.parametrize(("page", "key"), [(1, "page-before"), (12, "page-after")])
def test_there_is_no_step_beyond_the_ends(open_app: Open, page: int, key: str) -> None:
    app = _opened(open_app, ScriptedServices(library=[REPORT]), make_hit(REPORT, page=page))

    assert app.button(key=key).disabled


def test_a_document_of_one_page_has_no_steps(open_app: Open) -> None:
    single = make_document("single.pdf", pages=1)
    app = _opened(open_app, ScriptedServices(library=[single]), make_hit(single, page=1))

    assert not [button for button in app.button if str(button.key).startswith("page-")]


def test_a_source_over_two_pages_opens_where_its_quote_begins_and_both_are_cited(
    open_app: Open,
) -> None:
    hit = make_hit(REPORT)
    regions = (*hit.item.regions, Region(page_number=4, bbox=(70, 80, 520, 120)))
    both = replace(hit, item=replace(hit.item, regions=regions))
    app = _opened(open_app, ScriptedServices(library=[REPORT]), both)

    assert "pages 3 and 4 of 12" in page_html(app)
    app.button(key="page-after").click().run()
    assert _alt(app).endswith("and page 4, page marked")


def test_a_page_that_cannot_be_drawn_leaves_its_quote_and_one_sentence(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        message = "Page 3 cannot be drawn. Its text can still be searched."
        raise CorruptFileError(message)

    services = ScriptedServices(library=[REPORT])
    monkeypatch.setattr(services, "page_picture", fail)
    app = _opened(open_app, services, make_hit(REPORT, text=ROSE))

    html = page_html(app)
    assert "Page 3 cannot be drawn." in html
    assert f'dir="auto">{ROSE}</blockquote>' in html
    assert not app.exception


@pytest.mark.parametrize(
    ("document", "page"), [(REPORT, 3), (GUIDE, None)], ids=["pages", "web page"]
)
def test_a_deleted_document_is_said_to_be_gone(
    open_app: Open, document: object, page: int | None
) -> None:
    services = ScriptedServices(library=[REPORT, GUIDE])
    hit = make_hit(document, page=page, anchor=None if page else "1")  # type: ignore[arg-type]
    services.answers = [make_answer("q", "Rose. [1]", [hit])]
    app = ask(open_app(services), "q")
    services.library = [make_document("other.pdf")]
    app.session_state[state.OPEN] = state.OpenSource(turn=0, marker=1)
    app.run()

    assert "no longer in the library" in page_html(app)
    assert not app.exception


def test_a_table_shows_the_head_above_the_quoted_row(open_app: Open) -> None:
    text = "| Year | TWh |\n|---|---|\n| 2023 | 4.8 |\n| 2024 | 6.8 |"
    hit = make_hit(REPORT, "table", text)
    answer = make_answer("q", "Rose. [1]", [hit])
    quoted = replace(answer.citations[0], quote="2024 | 6.8")
    services = ScriptedServices(library=[REPORT], answers=[replace(answer, citations=(quoted,))])
    app = ask(open_app(services), "q")
    app.session_state[state.OPEN] = state.OpenSource(turn=0, marker=1)
    app.run()

    html = page_html(app)
    assert "<th>Year</th><th>TWh</th>" in html
    assert "<td>2024</td><td>6.8</td>" in html
    assert "<td>2023</td>" not in html


def test_a_table_of_which_the_head_alone_is_quoted_is_shown_with_its_rows() -> None:
    table = "| Row | GWh |\n| --- | --- |\n| A | 22.3 |\n| B | 24.6 |"

    assert outcome.quoted_rows(table, "| Row | GWh |") == [
        ["Row", "GWh"],
        ["A", "22.3"],
        ["B", "24.6"],
    ]
    assert outcome.quoted_rows(table, "| B | 24.6 |") == [["Row", "GWh"], ["B", "24.6"]]


def test_quoted_words_of_a_web_page_are_marked_and_more_of_it_can_be_shown(open_app: Open) -> None:
    services = ScriptedServices(library=[GUIDE])
    services.reader = [
        Block(anchor=str(n), kind="text", level=0, text=f"Paragraph {n} on <b>moss</b>. More.")
        for n in range(40)
    ]
    hit = make_hit(GUIDE, text="Paragraph 20 on <b>moss</b>.", page=None, anchor="20")
    app = _opened(open_app, services, hit)

    html = page_html(app)
    assert "<mark>Paragraph 20 on &lt;b&gt;moss&lt;/b</mark>&gt;. More." in html
    assert "Paragraph 17 " not in html
    app.button(key="reader-earlier").click().run()
    app.button(key="reader-later").click().run()
    html = page_html(app)
    assert "Paragraph 8 " in html
    assert "Paragraph 37 " in html


class _Album(ScriptedServices):
    """One picture for whatever is asked."""

    album: Path

    def picture_path(self, sha256: str) -> Path:
        return self.album


def test_the_frame_of_a_cited_figure_goes_round_its_picture_and_its_words(
    open_app: Open, tmp_path: Path
) -> None:
    services = _Album(library=[GUIDE])
    services.album = tmp_path / "boats.png"
    services.album.write_bytes(make_png())
    services.reader = [
        Block(anchor="0", kind="text", level=0, text="Before it."),
        Block(anchor="1", kind="figure", level=0, text="Figure 1. Boats.", image_sha256="a" * 64),
    ]
    hit = make_hit(GUIDE, text="Figure 1. Boats.", page=None, anchor="1")

    framed = _container(_opened(open_app, services, hit)._tree, "reader-cited")

    assert framed is not None
    assert [piece.type for piece in framed.children.values()] == ["image", "html"]


def _container(block: Block_, key: str) -> Block_ | None:
    """The container of that key, wherever it stands."""
    for child in block.children.values():
        if isinstance(child, Block_):
            if child.proto is not None and key in child.proto.id:
                return child
            if (found := _container(child, key)) is not None:
                return found
    return None


class _Sheet(ScriptedServices):
    """Pages of any size, drawn white, that remember which parts were asked for."""

    def __init__(self, size: tuple[float, float], words: list[PageWord]) -> None:
        super().__init__(library=[REPORT], words=words)
        self.size, self.parts = size, list[object]()

    def page_picture(
        self, document_id: UUID, page_number: int, password: str | None = None
    ) -> bytes:
        return self._white(self.size)

    def page_part(self, document_id: UUID, page_number: int, box: BBox) -> bytes:
        self.parts.append(box)
        return self._white((box[2] - box[0], box[3] - box[1]))

    def page(self, document_id: UUID, page_number: int) -> Page:
        return replace(super().page(document_id, page_number), size=self.size)

    def _white(self, size: tuple[float, float]) -> bytes:
        scale = 1_600 / max(size)
        out = io.BytesIO()
        pixels = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        Image.new("RGB", pixels, "white").save(out, "PNG")
        return out.getvalue()


SIZES = {"wide": (14_400.0, 792.0), "tall": (612.0, 14_400.0), "dot": (1.0, 1.0), "usual": PAGE}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_mark_shows_on_pages_of_any_shape(size: tuple[float, float]) -> None:
    x, y = size[0] * 0.7, size[1] * 0.7
    width, height = min(200, size[0] * 0.2), min(14, size[1] * 0.2)
    word = PageWord("lighthouses", (x, y, x + width, y + height))
    services = _Sheet(size, [word])
    region = Region(page_number=1, bbox=(x, y, x + width, y + height))
    hit = make_hit(REPORT, page=1, bbox=region.bbox)
    png = cited.draw_page(
        services,
        REPORT.id,
        1,
        regions=[region],
        quote="lighthouses",
        kind="text",
        tag="1 Text",
    )
    page = Image.open(io.BytesIO(png)).convert("RGB")
    assert max(page.size) <= boxes.MAX_HEIGHT_PX
    assert _count(page, boxes.MARKER) >= 1
    assert _count(page, boxes.LINES["text"].colour) > 20, "its frame can be seen"

    hit = replace(hit, page_size=size)
    crop = Image.open(io.BytesIO(cited.draw_crop(services, hit, "lighthouses"))).convert("RGB")  # type: ignore[arg-type]
    assert _count(crop, boxes.MARKER) > 20
    assert (
        bool(services.parts)
        == boxes.is_large(size)
        == cited.opens_as_crop(
            replace(
                hit, item=replace(hit.item, regions=(Region(page_number=1, bbox=(0, 0, 1, 1)),))
            )
        )
    )


def _count(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    counted = picture.getcolors(maxcolors=1 << 22) or []
    return sum(number for number, found in counted if found == colour)


def test_the_part_shown_of_a_large_page_holds_the_quote_and_stays_on_the_page() -> None:
    size = (14_400.0, 800.0)
    x0, y0, x1, y1 = boxes.window((0, 0, 14_400, 800), (9_000, 300, 9_100, 310), size)

    assert x0 <= 9_000 <= 9_100 <= x1
    assert x1 - x0 <= boxes.WINDOW_PT + 2 * boxes.MARGIN_PT
    assert (y0, y1) == (0, 800)
    assert boxes.window((14_390, 790, 15_000, 900), (14_390, 790, 15_000, 900), size)[2:] == size
