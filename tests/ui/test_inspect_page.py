"""The Inspect page, run without a browser on a scripted search."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from PIL import Image
from streamlit.util import calc_hash

from rag.errors import StoreError
from rag.types import Considered, Explanation, LegScore, Retrieval
from tests.ui.conftest import page_html
from tests.ui.scripted import ScriptedServices, make_document, make_hit
from tests.ui.test_pieces import HOSTILE
from ui.web import drawings, inspect_pieces, selection, state

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from rag.types import Document, Fate, Hit, LegName
    from tests.ui.conftest import Open

REPORT, GUIDE = make_document("report.pdf"), make_document("guide.pdf")
SAMPLE = tuple(n / 100 for n in range(-20, 60))


def considered(
    hit: Hit, merged: int | None, plain: int | None, fate: Fate = "kept", **legs: LegScore
) -> Considered:
    known: dict[LegName, LegScore] = dict(legs)  # type: ignore[arg-type]  # names of legs
    return Considered(
        hit=replace(hit, legs=known),
        group="pictures" if hit.item.kind in ("figure", "page") else "words",
        merged_rank=merged,
        plain_rank=plain,
        fate=fate,
    )


def dense(cosine: float, z: float, rank: int = 1) -> LegScore:
    return LegScore(rank=rank, cosine=cosine, z=z)


def make_found(
    *, title: str = "Figure 4. Output by quarter", image: Path | None = None
) -> Retrieval:
    figure = make_hit(
        REPORT, "figure", f"{title} 17.6 15.4", caption=title, number="Figure 4", image_path=image
    )
    passage = make_hit(REPORT, text="Output rose by a tenth.", rank=2)
    table = make_hit(GUIDE, "table", "| Row | GWh |\n|---|---|\n| C | 42 |", rank=3, caption=title)
    copy = replace(make_hit(GUIDE, text="Output rose by a tenth.", rank=4), rank=0)
    ones = (
        considered(
            *(figure, 1, 9),
            image=dense(0.1, 3.4),
            caption=dense(0.4, 2.9),
            keywords=LegScore(rank=4, weight=2.0),
        ),
        considered(passage, 2, 1, text=dense(0.5, 2.8)),
        considered(replace(table, why="named"), None, None),
        considered(copy, 3, 2, "same", text=dense(0.49, 2.7)),
    )
    said = Explanation(
        considered=ones,
        bars={"words": 3.1, "pictures": 2.6},
        samples={"text": SAMPLE, "image": SAMPLE, "caption": SAMPLE},
    )
    return Retrieval(
        hits=tuple(one.hit for one in ones[:3]),
        has_evidence=True,
        timings_ms={"embed": 31.2, "search": 5.1},
        explanation=said,
    )


def open_inspect(open_app: Open, services: ScriptedServices) -> AppTest:
    app = open_app(services)
    app._page_hash = calc_hash("inspect")
    return app.run()


def search(app: AppTest, question: str) -> str:
    app.text_input(key=state.INSPECT_QUESTION).set_value(question).run()
    assert not app.exception
    return page_html(app)


def test_each_result_shows_where_it_was_its_legs_and_what_is_worth_saying(
    open_app: Open, tmp_path: Path
) -> None:
    picture = tmp_path / "crop.png"
    Image.new("RGB", (400, 300), "teal").save(picture)
    services = ScriptedServices(library=[REPORT, GUIDE], found=make_found(image=picture))
    html = search(open_inspect(open_app, services), "output chart")
    for words in (
        *("3 results, 1 of them pictures", "was 9", "z +3.4", "rank 4", "<strong>Picture</strong>"),
        *("the bar to pass, z 3.1 for words, 2.6 for pictures", "17.6 15.4", "Row, GWh, C, 42"),
        *("Put first, the question names it", "Found by its name only", "Time, 36 ms in all"),
        *("Question to vector", "data:image/jpeg;base64,", 'alt="passes the bar of 2.6"'),
        *("Same words or same picture", "was 2", 'alt="below the bar of 3.1"'),
    ):
        assert words in html
    for marker in range(1, 5):  # those left out can be opened as well
        assert f'href="#cite-{state.INSPECT_TURN}-{marker}"' in html


def test_plain_order_lists_by_cosine_and_says_where_ours_is(open_app: Open) -> None:
    app = open_inspect(open_app, ScriptedServices(library=[REPORT], found=make_found()))
    search(app, "output")
    app.toggle(key=state.INSPECT_PLAIN).set_value(True).run()
    html = page_html(app)
    assert "2 results in plain order, 0 of them pictures" in html  # 9 is beyond the first eight
    assert html.index("ours 2") < html.index("left out")
    assert "was 9" not in html


def test_the_search_is_kept_to_the_ticked_documents_and_to_the_kind(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT, GUIDE], found=make_found())
    app = open_inspect(open_app, services)
    app.checkbox(key=f"{selection.TICK}{GUIDE.id}").uncheck()
    app.button_group(key=state.INSPECT_KIND).set_value("Pictures")
    search(app, "output")
    question, scope = services.searched[-1]
    assert question == "output"
    assert scope is not None
    assert (scope.documents, scope.group) == ((REPORT.id,), "pictures")


def test_nothing_is_searched_again_while_nothing_has_changed(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT, GUIDE], found=make_found())
    app = open_inspect(open_app, services)
    search(app, "output")
    app.toggle(key=state.INSPECT_PLAIN).set_value(True).run()
    assert len(services.searched) == 1
    app.checkbox(key=f"{selection.TICK}{GUIDE.id}").uncheck().run()
    assert len(services.searched) == 2


@pytest.mark.parametrize(
    ("library", "more", "words"),
    [
        ([], {}, "There is nothing to search yet."),
        ([REPORT], {"refusal": "The index was made by nomic."}, "The index was made by nomic."),
        ([REPORT], {"found": StoreError("The index does not open.")}, "The index does not open."),
        ([REPORT], {"found": RuntimeError("boom")}, "Something went wrong (ref "),
        ([REPORT], {}, "Nothing was found."),
        (
            [REPORT],
            {
                "found": Retrieval(
                    hits=(),
                    has_evidence=False,
                    explanation=Explanation(
                        considered=(), bars={"words": math.inf, "pictures": math.inf}, samples={}
                    ),
                )
            },
            "Nothing was found.",
        ),
    ],
    ids=["empty-library", "mismatch", "known-error", "unknown-error", "no-hits", "no-candidates"],
)
def test_there_are_always_words(
    open_app: Open, library: list[Document], more: dict[str, object], words: str
) -> None:
    app = open_inspect(open_app, ScriptedServices(library=library, **more))  # type: ignore[arg-type]
    assert words in search(app, "output")


def test_without_a_question_or_a_ticked_document_the_page_says_what_to_do(open_app: Open) -> None:
    app = open_inspect(open_app, ScriptedServices(library=[REPORT], found=make_found()))
    assert "Type a question above." in page_html(app)
    app.checkbox(key=f"{selection.TICK}{REPORT.id}").uncheck().run()
    assert "No document is ticked." in page_html(app)


def test_hostile_words_show_as_plain_text(open_app: Open) -> None:
    services = ScriptedServices(library=[REPORT], found=make_found(title=HOSTILE))
    html = search(open_inspect(open_app, services), HOSTILE)
    assert "<script" not in html
    assert "onerror=alert(1)&gt;" in html


def test_a_result_without_its_picture_file_shows_a_sign_instead(
    open_app: Open, tmp_path: Path
) -> None:
    found = make_found(image=tmp_path / "gone.png")
    html = search(open_inspect(open_app, ScriptedServices(library=[REPORT], found=found)), "output")
    assert "data:image/jpeg" not in html
    assert "f-i-text" in html


def svg(address: str) -> ET.Element:
    head, _, body = address.partition(",")
    assert head == "data:image/svg+xml;base64"
    return ET.fromstring(base64.b64decode(body))


@pytest.mark.parametrize("z", [-3.0, 0.0, 4.5, 1e9])
@pytest.mark.parametrize("bar", [2.0, math.inf])
def test_a_bar_never_leaves_its_frame(z: float, bar: float) -> None:
    _, track, value, line = (*svg(drawings.z_bar(z, bar, 4.5, "caption", "dark")),)
    width = float(track.attrib["width"])
    assert 0 <= float(value.attrib["width"]) <= width
    assert 0 <= float(line.attrib["x"]) < width


@pytest.mark.parametrize("sample", [(0.3,), (0.3,) * 64, SAMPLE, (-1.0, 1.0)])
@pytest.mark.parametrize("shown", [(), (0.3,), (0.9, -0.9)])
def test_a_histogram_counts_every_value_and_draws_a_line_a_result(
    sample: tuple[float, ...], shown: tuple[float, ...]
) -> None:
    drawn = svg(drawings.histogram(sample, shown, "text", "light"))
    bars = [one for one in drawn if one.tag.endswith("rect")]
    lines = [one for one in drawn if one.tag.endswith("line")]
    assert len(lines) == len(shown)
    assert all(0 <= float(line.attrib["x1"]) <= drawings.HISTOGRAM_PX[0] for line in lines)
    assert bars
    assert max(float(bar.attrib["height"]) for bar in bars) <= drawings.HISTOGRAM_PX[1]


def test_a_leg_without_a_sample_has_no_histogram_and_a_picture_has_words() -> None:
    said = make_found().explanation
    assert said is not None
    assert inspect_pieces.spread("image", replace(said, samples={}), [], "light") == ""
    drawn = inspect_pieces.spread("text", said, said.kept(), "light")
    assert 'alt="From -0.20 to 0.59, half of them below 0.20. Results shown at 0.50."' in drawn
