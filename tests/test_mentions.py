"""Labels in running text, and the links between items that come from them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import pytest

from ingest.links import find_links
from ingest.mentions import find_mention, label_key, read_mentions
from rag.settings import Settings, StoreSettings
from rag.types import LOCAL_WORKSPACE, Item, Kind
from tests.builders import make_paper
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENT = UUID(int=7)


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Figure 3", ("figure", "3")),
        ("Fig. 3", ("figure", "3")),
        ("FIGURE 2-1", ("figure", "2-1")),
        ("Abb. 12", ("figure", "12")),
        ("Table IV", ("table", "iv")),
        ("图 2", ("figure", "2")),
        ("Рис. 1", ("figure", "1")),
        ("Chart 4", ("chart", "4")),
        ("Supplemental Figure 7", ("supplement figure", "7")),
        ("Listing 1", ("listing", "1")),
        ("Algorithm 2", ("algorithm", "2")),
        ("no label", None),
    ],
)
def test_labels_are_known_by_family_and_number(label: str, key: tuple[str, str] | None) -> None:
    assert label_key(label) == key


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("As Figure 3 shows, it grows.", ["3"], id="one"),
        pytest.param("See Figs. 6–8 for more.", ["6", "7", "8"], id="range"),
        pytest.param("Figures 2, 3 and 5 agree.", ["2", "3", "5"], id="list"),
        pytest.param("In Figure 3, 20 plants died.", ["3"], id="comma of the sentence"),
        pytest.param("in Figure 3a and Fig. 5(b)", ["3", "5"], id="parts of a figure"),
        pytest.param("Figure 31 is another one.", [], id="longer number"),
        pytest.param("wie in Abbildung 2 gezeigt", ["2"], id="german"),
        pytest.param("на рисунке 2 показано", ["2"], id="russian case"),
        pytest.param("如图3所示,结果更好", ["3"], id="chinese"),
        pytest.param("図2に示すように", ["2"], id="japanese"),
        pytest.param("그림 5에서 보듯이", ["5"], id="korean"),
        pytest.param("We configure 3 pumps.", [], id="inside a word"),
        pytest.param("Table 3 lists them.", [], id="another family"),
    ],
)
def test_running_text_names_figures(text: str, meant: list[str]) -> None:
    known = {("figure", number) for number in "2356789"}
    found = [key for mention in read_mentions(text) for key in mention.means(known)]
    assert [number for _, number in found] == meant


def test_the_sentence_that_refers_to_a_figure_is_found() -> None:
    texts = ["Nothing here.", "First words. The yield (Fig. 3) grew by half. Last words."]
    assert find_mention("Figure 3", texts) == "The yield (Fig. 3) grew by half."
    assert find_mention("Figure 31", texts) == ""


def _item(order: int, kind: Kind, text: str, *, number: str = "", caption: str = "") -> Item:
    return Item(
        id=uuid5(DOCUMENT, f"{kind}{order}"),
        document_id=DOCUMENT,
        kind=kind,
        order=order,
        text=text,
        search_text=text,
        regions=(),
        number=number,
        caption=caption,
    )


def test_texts_and_figures_are_linked_both_ways_over_later_pages() -> None:
    early = _item(0, "text", "Figure 2 and Table 1 come later.")
    figure = _item(1, "figure", "", number="Fig. 2")
    table = _item(2, "table", "| a |", number="Table 1")
    late = _item(3, "text", "We saw it in Fig. 2b.")
    links = find_links([early, figure, table, late])
    assert links == {
        early.id: (figure.id, table.id),
        figure.id: (early.id, late.id),
        table.id: (early.id,),
        late.id: (figure.id,),
    }


def test_all_pieces_of_a_table_are_linked_and_another_table_is_not() -> None:
    text = _item(0, "text", "See Table 1.")
    pieces = [_item(n, "table", f"| {n} |", number="Table 1", caption="Sizes") for n in (1, 2)]
    other = _item(9, "table", "| x |", number="Table 1", caption="Of the appendix")
    links = find_links([text, *pieces, other])
    assert links[text.id] == tuple(piece.id for piece in pieces)
    assert other.id not in links


def test_a_label_counted_anew_means_the_nearest_figure() -> None:
    first = _item(1, "figure", "", number="Figure 1")
    text = _item(7, "text", "Figure 1 shows the appendix.")
    second = _item(8, "figure", "", number="Figure 1")
    assert find_links([first, text, second])[text.id] == (second.id,)


def test_a_document_without_labels_has_no_links() -> None:
    assert find_links([_item(0, "text", "Figure 1 is not here."), _item(1, "figure", "")]) == {}


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = build(Settings(data_dir=tmp_path / "library", store=StoreSettings(reserve_mb=0)))
    yield opened
    opened.close()


def _ingested(services: Services, data: bytes) -> list[Item]:
    admitted = services.pipeline.admit("paper.pdf", data)
    services.pipeline.run(admitted.document.id)
    run = services.library.documents.run_of(admitted.document.id)
    assert run is not None
    return services.library.items.of_run(run, ("text", "table", "figure", "page"))


def test_a_stored_document_knows_its_links_both_ways(services: Services) -> None:
    items = _ingested(services, make_paper(figures=2))
    figure = next(item for item in items if item.number == "Figure 1")
    (text,) = [item for item in items if item.kind == "text" and "Figure 1 shows" in item.text]
    assert figure.id in text.links
    assert text.id in figure.links
    assert text in services.library.items.links_of(LOCAL_WORKSPACE, figure.id)


def test_the_same_bytes_give_the_same_items(services: Services) -> None:
    data = make_paper(figures=2)
    first = _ingested(services, data)
    services.pipeline.delete(first[0].document_id)
    assert _ingested(services, data) == first
