"""From one embedder to another and back: nothing lost, wherever it is cut off."""

from __future__ import annotations

import io
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from ingest.reindex import ReindexStopped, estimate_s, remaining_s
from rag.embed.choice import parse_choice
from rag.errors import DiskReserveError, EmbedError, StoreError
from rag.settings import StoreSettings
from rag.store import Filter
from tests import towns
from tests.towns import (
    NamedLanes,
    choose,
    fill,
    finds,
    index_folders,
    settings_for,
    states,
    stop_after,
    stored_points,
    visible_points,
)
from ui.cli_reindex import PointsLine
from ui.services import Services, build
from ui.views import duration_words

# -- switching ----------------------------------------------------------------------------

# The fixtures of this file.
lanes, services = towns.lanes, towns.services


def test_a_switch_leaves_one_index_with_a_point_for_every_item(
    services: Services, lanes: NamedLanes
) -> None:
    before = states(services)
    calls: list[tuple[int, int]] = []

    result = services.reindex(
        choose(services, "nomic"), on_progress=lambda *call: calls.append(call)
    )

    total = len(visible_points(services))
    assert result == ("minilm", "nomic", total)
    assert states(services) == before
    assert stored_points(services) == visible_points(services)
    assert services.status().embedder == "nomic"
    assert services.library.indexes.unfinished() is None
    index = services.library.indexes.active()
    assert index is not None
    assert index_folders(services) == {index.name}
    assert calls[0] == (0, total)
    assert calls[-1] == (total, total)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert all(finds(services, number) for number in range(6))
    pictures = Filter(workspace="local", kinds=("figure",))
    ids = services.store().scan(pictures, limit=10)
    assert all("image" in vectors for vectors in services.store().fetch(ids, ["image"]).values())


def test_switching_back_costs_no_model_time(services: Services, lanes: NamedLanes) -> None:
    before = lanes.words["minilm"].embedded_count
    services.reindex(choose(services, "nomic"))
    services.reindex(choose(services, "minilm"))
    assert lanes.words["minilm"].embedded_count == before
    assert finds(services, 3)


def test_without_a_name_the_index_is_made_again_with_the_same_embedder(
    services: Services,
) -> None:
    before = services.library.indexes.active()
    assert services.reindex(services.settings.embed)[:2] == ("minilm", "minilm")
    after = services.library.indexes.active()
    assert before is not None
    assert after is not None
    assert before.name != after.name
    assert stored_points(services) == visible_points(services)


def test_a_new_library_can_be_switched_before_anything_is_in_it(
    tmp_path: Path, lanes: NamedLanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = build(settings_for(tmp_path / "library"))
    assert services.reindex(choose(services, "nomic")) == ("", "nomic", 0)
    fill(services, [5], monkeypatch)
    assert finds(services, 5)
    services.close()


def test_later_processes_use_the_embedder_of_the_library(services: Services) -> None:
    services.reindex(choose(services, "nomic"))
    services.close()
    again = build(settings_for(services.settings.data_dir))
    assert again.embed_settings().model == "nomic"
    assert again.mismatch() == ""
    assert finds(again, 2)
    again.close()


def test_the_weights_of_keywords_keep_their_average(services: Services) -> None:
    services.reindex(choose(services, "nomic"))
    first = services.library.indexes.active()
    assert first is not None
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "minilm"), is_cancelled=lambda: True)
    services.library.indexes.set_average_words(7.0, 200)
    active, unfinished = services.library.indexes.active(), services.library.indexes.unfinished()
    assert active is not None
    assert unfinished is not None
    assert active.average_words == 7.0
    assert unfinished.average_words == first.average_words


# -- cut off and gone on with ---------------------------------------------------------------


def test_a_stopped_rebuild_goes_on_from_where_it_was(services: Services, lanes: NamedLanes) -> None:
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "nomic"), **stop_after(8))
    assert finds(services, 4)
    assert services.status().embedder == "minilm"
    unfinished = services.library.indexes.unfinished()
    assert unfinished is not None
    services.close()
    (services.settings.data_dir / "cache.sqlite").unlink()  # so that only the index remembers
    embedded = lanes.words["nomic"].embedded_count

    again = build(settings_for(services.settings.data_dir))
    calls: list[tuple[int, int]] = []
    again.reindex(choose(again, "nomic"), on_progress=lambda *call: calls.append(call))

    assert calls[0][0] >= 6
    assert lanes.words["nomic"].embedded_count - embedded <= calls[0][1] - calls[0][0]
    active = again.library.indexes.active()
    assert active is not None
    assert active.name == unfinished.name
    assert stored_points(again) == visible_points(again)
    again.close()


def test_another_embedder_drops_what_was_not_finished(services: Services) -> None:
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "nomic"), **stop_after(8))
    first = services.library.indexes.unfinished()
    assert first is not None
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "nomic-text"), **stop_after(8))
    second = services.library.indexes.unfinished()
    active = services.library.indexes.active()
    assert second is not None
    assert active is not None
    assert index_folders(services) == {active.name, second.name}
    assert services.library.indexes.copied_count(first) == 0


def test_an_unfinished_index_can_be_given_up(services: Services) -> None:
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "nomic"), **stop_after(8))
    services.drop_unfinished_index()
    active = services.library.indexes.active()
    assert active is not None
    assert services.library.indexes.unfinished() is None
    assert index_folders(services) == {active.name}


def test_an_unfinished_index_that_lost_points_is_begun_anew(services: Services) -> None:
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "nomic"), **stop_after(8))
    unfinished = services.library.indexes.unfinished()
    assert unfinished is not None
    shutil.rmtree(services.settings.data_dir / "index" / unfinished.name)
    services.reindex(choose(services, "nomic"))
    assert stored_points(services) == visible_points(services)


def test_an_unfinished_index_that_cannot_be_read_is_begun_anew(services: Services) -> None:
    with pytest.raises(ReindexStopped):
        services.reindex(choose(services, "nomic"), **stop_after(8))
    unfinished = services.library.indexes.unfinished()
    assert unfinished is not None
    for path in (services.settings.data_dir / "index" / unfinished.name).glob("*.json"):
        path.write_text("{")
    services.reindex(choose(services, "nomic"))
    assert stored_points(services) == visible_points(services)


def test_a_kill_between_the_switch_and_the_end_of_the_old_index_leaves_it_to_the_next_start(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise StoreError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr("rag.store.edge.EdgeStore.drop", refuse)
        services.reindex(choose(services, "nomic"))
    assert len(index_folders(services)) == 2
    services.close()
    again = build(settings_for(services.settings.data_dir))
    assert finds(again, 1)
    assert len(index_folders(again)) == 1
    again.close()


# -- what fails -----------------------------------------------------------------------------


def test_a_model_that_fails_half_way_leaves_the_old_index_answering(
    services: Services, lanes: NamedLanes
) -> None:
    batches = iter(range(100))

    def fail() -> None:
        if next(batches) == 2:
            raise EmbedError("The model gave no vectors. Fetch it again.")

    lanes.pause = fail
    with pytest.raises(EmbedError, match="Fetch it again"):
        services.reindex(choose(services, "nomic"))
    lanes.pause = lambda: None
    assert services.status().embedder == "minilm"
    assert stored_points(services) == visible_points(services)
    assert finds(services, 2)
    services.reindex(choose(services, "nomic"))
    assert finds(services, 2)


def test_weights_that_are_not_there_change_nothing(services: Services) -> None:
    embed = choose(services, "nomic").model_copy(update={"model_dir": Path("nowhere")})
    with pytest.raises(EmbedError):
        services.reindex(embed)
    assert services.library.indexes.unfinished() is None
    assert finds(services, 2)


def test_a_full_disk_leaves_the_old_index_answering(
    services: Services, lanes: NamedLanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    free = iter([10**12] * 10)
    services.close()
    settings = settings_for(services.settings.data_dir)
    settings = settings.model_copy(update={"store": StoreSettings(reserve_mb=100)})
    again = build(settings)
    assert finds(again, 2)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, next(free, 0)))
        with pytest.raises(DiskReserveError, match="100 MB in reserve"):
            again.reindex(choose(again, "nomic"))
        assert finds(again, 2)
    again.reindex(choose(again, "nomic"))
    assert stored_points(again) == visible_points(again)
    again.close()


def test_a_lost_picture_does_not_keep_a_library_from_its_new_index(services: Services) -> None:
    lost = [p for p in (services.settings.data_dir / "files").rglob("*.png") if p.is_file()]
    lost[0].unlink()
    services.reindex(choose(services, "nomic"))
    assert stored_points(services) == visible_points(services)


# -- sizes and words --------------------------------------------------------------------------


def test_sizes_count_passages_and_pictures(services: Services) -> None:
    texts = sum(d.text_count + d.table_count for d in services.documents())
    assert services.library.indexes.embed_counts(services.workspace) == (texts, 2)


def test_an_estimate_comes_from_the_catalogue() -> None:
    nomic, minilm = parse_choice("nomic"), parse_choice("minilm")
    assert nomic.pictures is not None
    expected = 100 * nomic.text.text_s + 10 * nomic.pictures.picture_s
    assert estimate_s(nomic, 100, 10, 1) == pytest.approx(expected)
    assert estimate_s(nomic, 100, 10, 2) == pytest.approx(expected / 2)
    assert estimate_s(minilm, 100, 10, 1) == pytest.approx(100 * minilm.text.text_s)


@pytest.mark.parametrize(
    ("done", "total", "elapsed_s", "expected"),
    [(0, 10, 5.0, None), (5, 10, 5.0, 5.0), (10, 10, 5.0, 0.0), (12, 10, 5.0, 0.0)],
)
def test_the_rest_takes_as_long_as_what_was_done(
    done: int, total: int, elapsed_s: float, expected: float | None
) -> None:
    assert remaining_s(done, total, elapsed_s) == expected


def test_progress_counts_the_speed_of_this_start_only() -> None:
    stream, now = io.StringIO(), iter([0.0, 30.0, 31.0, 60.0])
    line = PointsLine(stream, clock=lambda: next(now))
    for done in (100, 130, 131, 200):
        line.show(done, 200)
    line.end()
    assert stream.getvalue().splitlines() == [
        "Indexing:  50 %, 100 of 200 points",
        "Indexing:  65 %, 130 of 200 points, about 70 s left",
        "Indexing: 100 %, 200 of 200 points",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "about 1 s"), (70, "about 70 s"), (700, "about 12 min"), (9_000, "about 2 h")],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
