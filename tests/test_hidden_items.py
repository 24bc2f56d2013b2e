"""A figure that a reader hid comes up nowhere, by no way there is, until it is shown again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.pipeline import Progress
from rag.background import Background
from rag.legs import Legs
from rag.library.items import point_id
from rag.types import Scope
from tests.builders import make_html
from tests.test_picture_query import noise
from tests.towns import choose, lanes, parse_here, picture, services
from ui.services import build
from ui.suggestions import suggest

if TYPE_CHECKING:
    from uuid import UUID

    from rag.library.documents import Run
    from rag.types import Item
    from ui.services import Services

__all__ = ["lanes", "services"]  # fixtures

CAPTION = "Figure 7. Herring boats of Osterby."
PAGE = make_html(
    "<h1>Osterby</h1><p>The boats leave at dawn, as Figure 7 shows, and come back at noon.</p>"
    f"<figure>{picture(77)}<figcaption>{CAPTION}</figcaption></figure>"
    "<p>In winter the harbour of Osterby is closed by ice.</p>",
    title="Osterby",
)
LEGS = {"leg image", "leg caption", "leg keywords"}
EVERY_WAY = LEGS | {
    "words", "name", "picture", "considered", "link", "label", "neighbour", "suggestion",
    "sample", "trial", "size",
}  # fmt: skip


@pytest.fixture
def seeing(services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Six towns and Osterby, searched with a picture lane."""
    take_in(services, monkeypatch)
    services.reindex(choose(services, "nomic"))
    return services


def take_in(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.parse_in_child", parse_here)
        services.pipeline.run(services.pipeline.admit("osterby.html", PAGE).document.id)


def run_of(services: Services) -> Run:
    run = services.library.documents.run_of(services.find("osterby.html")[0].id)
    assert run is not None
    return run


def figure_of(services: Services) -> Item:
    return services.library.items.of_run(run_of(services), ("figure",))[0]


def ways_to(services: Services, figure: Item) -> set[str]:
    """By which ways a figure comes up now."""
    point = point_id(figure.id, run_of(services).id)
    return _by_legs(services, point) | _by_search(services, figure) | _by_rows(services, figure)


def _by_legs(services: Services, point: UUID) -> set[str]:
    legs = Legs(library=services.library, store=services.store(), embedder=services.embedder())
    query = legs.query(CAPTION)
    seen = legs.picture_query(noise(77))
    scope = Scope(workspace=services.workspace)
    found = [c for q in (query, seen) if q for c in legs.candidates(q, scope) if c.id == point]
    return {f"leg {name}" for candidate in found for name in candidate.legs}


def _by_search(services: Services, figure: Item) -> set[str]:
    only = Scope(workspace=services.workspace, documents=(figure.document_id,))
    said = {
        "words": services.search("herring boats", top_k=9, explain=True),
        "name": services.search("What does Figure 7 show?", top_k=9, scope=only),
        "picture": services.search("", picture=noise(77), top_k=9, explain=True),
    }
    ways = set()
    for way, found in said.items():
        hits = [*found.hits, *found.named_figures]
        ways |= {way for hit in hits if hit.item.id == figure.id}
        considered = found.explanation.considered if found.explanation else ()
        ways |= {"considered" for one in considered if one.hit.item.id == figure.id}
    return ways


def _by_rows(services: Services, figure: Item) -> set[str]:
    library, workspace = services.library, services.workspace
    text = library.items.of_run(run_of(services), ("text",))[0]
    point = point_id(figure.id, run_of(services).id)
    near = [row.item for side in library.items.beside(workspace, figure, 9) for row in side]
    labelled = library.items.labelled(workspace, [figure.document_id])
    ids = {
        "link": {item.id for item in library.items.links_of(workspace, text.id)},
        "neighbour": set(library.items.lookup(workspace, [point])),
        "label": {one.point_id for one in labelled},
        "trial": {item.id for _, items in services.trial._bench.pool() for item in items},
    }
    ways = {way for way, found in ids.items() if {figure.id, point} & found}
    assert near == []  # it is the only picture there
    drawn = Background(library, services.store(), services.embedder())
    own = services.store().fetch([point], ["image"])[point]["image"]
    sample = drawn.sample(workspace, "image", (figure.document_id,))
    ways |= {"sample"} if any((row == own).all() for row in sample) else set()
    suggested = suggest(library, workspace, services.settings.data_dir / "no sample")
    ways |= {"suggestion"} if any("Herring" in one.question for one in suggested) else set()
    ways |= {"size"} if library.items.group_sizes(workspace, [figure.document_id])[1] else set()
    return ways


def test_a_hidden_figure_comes_up_by_no_way_and_by_all_when_it_is_shown_again(
    seeing: Services,
) -> None:
    figure = figure_of(seeing)
    assert ways_to(seeing, figure) == EVERY_WAY

    seeing.reports.hide(figure.document_id, figure.id)
    assert ways_to(seeing, figure) == set()

    seeing.reports.show(figure.id)
    assert ways_to(seeing, figure) == EVERY_WAY


def test_it_stays_hidden_in_a_new_index_and_after_a_restart(seeing: Services) -> None:
    figure = figure_of(seeing)
    seeing.reports.hide(figure.document_id, figure.id)
    seeing.reindex(choose(seeing, "minilm"))
    seeing.reindex(choose(seeing, "nomic"))
    assert ways_to(seeing, figure) == set()
    seeing.close()

    again = build(seeing.settings)

    assert ways_to(again, figure) == set()
    again.reports.show(figure.id)
    assert ways_to(again, figure) == EVERY_WAY
    again.close()


def test_it_stays_hidden_when_its_file_is_read_again(
    seeing: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = figure_of(seeing)
    seeing.reports.hide(figure.document_id, figure.id)
    before = run_of(seeing)
    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.parse_in_child", parse_here)
        progress = Progress(document_id=figure.document_id, name="osterby.html")
        seeing.pipeline.read_again(figure.document_id, progress)
    assert run_of(seeing).id != before.id

    assert figure_of(seeing).id == figure.id
    assert ways_to(seeing, figure) == set()
    seeing.reports.show(figure.id)
    assert ways_to(seeing, figure) == EVERY_WAY


def test_words_of_a_hidden_figure_are_no_evidence(seeing: Services) -> None:
    figure = figure_of(seeing)
    known = seeing.library.items.texts_of(figure.document_id)
    assert any("Herring" in text for text in known)

    seeing.reports.hide(figure.document_id, figure.id)

    assert not any("Herring" in text for text in seeing.library.items.texts_of(figure.document_id))


def test_a_hidden_figure_is_not_denied(seeing: Services) -> None:
    figure = figure_of(seeing)
    seeing.reports.hide(figure.document_id, figure.id)
    only = Scope(workspace=seeing.workspace, documents=(figure.document_id,))

    assert seeing.search("What does Figure 7 show?", scope=only).notes == ()


def test_only_what_is_there_can_be_hidden(seeing: Services) -> None:
    figure = figure_of(seeing)
    other = seeing.find("town5.html")[0].id

    seeing.reports.hide(other, figure.id)  # of another document
    seeing.reports.hide(figure.document_id, figure.document_id)  # no item at all

    assert seeing.library.hidden.points() == ()


def test_a_deleted_document_leaves_no_trace_of_what_was_hidden(seeing: Services) -> None:
    figure = figure_of(seeing)
    seeing.reports.hide(figure.document_id, figure.id)
    assert seeing.library.documents.rows_left(figure.document_id) > 0

    receipt = seeing.delete(figure.document_id)

    assert (receipt.points_left, receipt.rows_left, receipt.files_left) == (0, 0, 0)
    assert seeing.library.database.number("SELECT COUNT(*) FROM hidden_items") == 0
