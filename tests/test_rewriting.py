"""Keyword weights brought up to date in place: by version, length and language."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from qdrant_client import QdrantClient

from ingest.rewriting import (
    FIRST_PASSAGES,
    KeywordsStopped,
    including,
    outdated,
    rewrite_all,
)
from rag.keywords import VERSION, query_weights, term_count
from rag.library import Database, IndexTable
from rag.library.database import MIGRATIONS
from rag.store import Leg, Sparse, Store
from rag.store.edge import EdgeStore
from rag.store.server import ServerStore
from rag.types import WORDS
from tests import towns
from tests.builders import make_html
from tests.test_store import SCHEMA, make_points
from tests.towns import EVERYTHING, parse_here, settings_for
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

    from rag.library import IndexRow

# The fixtures of this file.
lanes, services = towns.lanes, towns.services

GERMAN = "Die Häuser der kleinen Städte am Meer sind alt und werden von ihren Bewohnern gepflegt. "


def active(services: Services) -> IndexRow:
    index = services.library.indexes.active()
    assert index is not None
    return index


def keyword_hits(services: Services, word: str, *languages: str) -> list[UUID]:
    query = query_weights(word, languages)
    leg = Leg(using="keywords", vector=query, where=EVERYTHING, limit=100)
    return [hit.id for hit in services.store().search([leg])[0]]


def take_in(services: Services, name: str, body: str, monkeypatch: pytest.MonkeyPatch) -> UUID:
    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.parse_in_child", parse_here)
        admitted = services.pipeline.admit(name, make_html(body, title=name))
        assert services.pipeline.run(admitted.document.id).state == "ready"
    return admitted.document.id


@pytest.fixture(params=["edge", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = (
        EdgeStore(tmp_path / "index")
        if request.param == "edge"
        else ServerStore(QdrantClient(":memory:"), "folio")
    )
    opened.ensure(SCHEMA)
    yield opened
    opened.close()


def test_new_keywords_replace_the_old_ones_and_keep_the_rest(store: Store) -> None:
    points = [point for point in make_points(20) if point.workspace == "local"]
    store.upsert(points[1:])
    changed, gone = points[3], points[0]

    store.update_keywords(
        {
            changed.id: Sparse((999,), (2.0,)),
            gone.id: Sparse((999,), (2.0,)),
            points[4].id: Sparse((), ()),
        }
    )

    leg = Leg(using="keywords", vector=Sparse((999,), (1.0,)), where=EVERYTHING, limit=9)
    assert [hit.id for hit in store.search([leg])[0]] == [changed.id]
    assert store.count(EVERYTHING) == len(points) - 1
    assert changed.keywords is not None
    old = Leg(using="keywords", vector=changed.keywords, where=EVERYTHING, limit=99)
    assert changed.id not in [hit.id for hit in store.search([old])[0]]
    names = list(changed.dense)
    assert set(store.fetch([changed.id], names)[changed.id]) == set(names)


def test_a_new_library_has_the_current_version_and_a_running_length(services: Services) -> None:
    index = active(services)
    lengths = [
        term_count(text, language)
        for text, language in services.library.indexes.word_sample(FIRST_PASSAGES)
    ]
    assert index.keywords == VERSION
    assert index.averaged_over == len(lengths)
    assert index.average_words == pytest.approx(sum(lengths) / len(lengths))
    assert outdated(services.library, index) is None


def test_the_length_is_fixed_after_the_first_two_hundred_passages(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.rewriting.FIRST_PASSAGES", 20)
    take_in(services, "long.html", "<p>" + "cargo " * 900 + "</p>", monkeypatch)
    fixed = active(services)
    assert fixed.averaged_over >= 20
    runs = services.library.indexes.visible_runs()
    items = services.library.items.of_run(runs[-1], WORDS)
    assert including(services.library, items, "en") == fixed.average_words
    assert active(services) == fixed


def test_weights_of_the_first_passages_fit_those_of_the_later_ones(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    leg = Leg(using="keywords", vector=query_weights("town3 cranes"), where=EVERYTHING, limit=1)
    before = services.store().search([leg])[0][0]
    monkeypatch.setattr("ingest.rewriting.FIRST_PASSAGES", 20)
    take_in(services, "long.html", "<p>" + "cargo " * 900 + "</p>", monkeypatch)
    average = active(services).average_words
    assert average is not None
    written = services.store().search([leg])[0][0]
    rewrite_all(
        services.library,
        services.store(),
        active(services),
        average,
        lock=nullcontext(),
        is_cancelled=lambda: False,
    )
    assert services.store().search([leg])[0][0] == written
    assert written.score != before.score


def test_an_index_of_an_older_folio_is_rewritten_by_itself(services: Services) -> None:
    library, folder = services.library, services.settings.data_dir
    points = {hit: Sparse((7,), (1.0,)) for hit in keyword_hits(services, "harbour")}
    services.store().update_keywords(points)  # as if terms had other numbers then
    with library.database.change() as connection:
        connection.execute("UPDATE indexes SET keywords = 1")
    assert keyword_hits(services, "harbour") == []
    services.close()

    again = build(settings_for(folder))
    again.store()
    again._indexing._upkeep.wait()

    assert set(keyword_hits(again, "harbour")) == set(points)
    assert active(again).keywords == VERSION
    again.close()


def test_a_rewrite_that_is_cut_off_is_begun_again(services: Services) -> None:
    answers = iter([False, True])
    with pytest.raises(KeywordsStopped):
        rewrite_all(
            services.library,
            services.store(),
            active(services),
            55.0,
            lock=nullcontext(),
            is_cancelled=lambda: next(answers),
        )
    assert active(services).keywords == 0
    assert outdated(services.library, active(services)) is not None
    assert keyword_hits(services, "harbour")


@pytest.mark.parametrize(("factor", "is_due"), [(1.2, False), (1.5, True), (0.6, True)])
def test_a_length_that_is_off_by_a_third_is_noticed(
    services: Services, factor: float, is_due: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.rewriting.FIRST_PASSAGES", 10)
    right = active(services).average_words
    assert right is not None
    services.library.indexes.set_average_words(factor * right, 10)
    found = outdated(services.library, active(services))
    assert (found == pytest.approx(right)) if is_due else (found is None)


def test_a_german_document_is_found_by_another_inflection(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = take_in(services, "haus.html", f"<p>{GERMAN * 6}</p>", monkeypatch)
    assert services.library.documents.language_of(document) == "de"
    assert set(services.library.documents.languages()) == {"de", "en"}
    assert keyword_hits(services, "Haus", "de")
    hits = services.search("Wie alt ist ein Haus in der Stadt?").hits
    assert hits[0].item.document_id == document
    assert hits[0].legs["keywords"].rank == 1
    english = services.search("How many cranes has the harbour of town4?").hits
    assert english[0].document_name == "town4.html"


def test_keywords_follow_the_language_that_the_whole_document_turns_out_to_be_in(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.pipeline.EMBED_BATCH", 1)
    english = "<h2>Summary</h2><p>" + "This is what the report is about, in a few words. " * 6
    german = "".join(f"<h2>Teil {i}</h2><p>{GERMAN * 6}</p>" for i in range(6))
    document = take_in(services, "mixed.html", f"{english}</p>{german}", monkeypatch)
    assert services.library.documents.language_of(document) == "de"
    run = services.library.documents.run_of(document)
    assert run is not None
    # The first passage too: its English words are under German stems now.
    assert keyword_hits(services, "Haus", "de")
    assert set(query_weights("summary", ["de"]).indices) > set(query_weights("summary").indices)
    leg = Leg(using="keywords", vector=query_weights("summary"), where=EVERYTHING, limit=9)
    assert services.store().search([leg])[0] == []


def test_an_index_of_a_library_from_before_versions_counts_as_old(tmp_path: Path) -> None:
    before = next(i for i, script in enumerate(MIGRATIONS) if "averaged_over" in script)
    path = tmp_path / "library.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(";".join([*MIGRATIONS[:before], f"PRAGMA user_version={before}"]))
        row = ("folio_old", "minilm|v1", "minilm", 384, None, 88.5, 1)
        connection.execute("INSERT INTO indexes VALUES (?,?,?,?,?,?,?)", row)
    connection.close()

    database = Database(path)
    index = IndexTable(database).active()
    database.close()

    assert index is not None
    assert (index.keywords, index.average_words) == (1, 88.5)
    assert index.averaged_over >= FIRST_PASSAGES  # it was fixed then, by the first batch


def test_a_question_of_only_stop_words_leaves_the_keyword_leg_out(services: Services) -> None:
    hits = services.search("what is it").hits
    assert all("keywords" not in hit.legs for hit in hits)


def test_a_question_of_ten_thousand_characters_is_answered(services: Services) -> None:
    assert services.search("harbour " + "unheard of words " * 600).hits
