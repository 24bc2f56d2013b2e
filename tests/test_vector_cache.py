"""Vectors that are kept: found again by content, never for another lane, gone on a delete."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from ingest.pipeline import Cancelled, Progress
from rag.background import built_in_pictures
from rag.embed.cache import VectorCache, text_key
from rag.embed.cached import picture_key, with_cache
from rag.embed.lanes import CaptionedPictures, Embedder
from rag.imaging import FILE_KEY, encode_png, open_rgb
from tests.builders import make_html, make_paper
from tests.fakes import ColourLane, WordLane
from tests.test_pipeline import ingest, settings_for
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rag.embed.lanes import Array

TEXTS = ["The tide turns twice.", "Cranes lift stone.", "A ferry leaves at nine."]


class CaptionedLane(ColourLane):
    """The same with the caption's length in the vector."""

    def embed_captioned(self, images: Sequence[Image.Image], captions: Sequence[str]) -> Array:
        rows = self.embed_images(images) + np.float32([[len(c), 0, 0] for c in captions])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[VectorCache]:
    opened = VectorCache(tmp_path / "cache.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def words() -> WordLane:
    return WordLane()


def make_embedder(words: WordLane, pictures: ColourLane | None = None, line: str = "a") -> Embedder:
    return Embedder(
        name="fake",
        text_identity=f"text|{line}",
        text=words,
        picture_identity=f"pictures|{line}" if pictures else "",
        pictures=pictures,
    )


def stored(path: Path, colour: str) -> Image.Image:
    path.write_bytes(encode_png(Image.new("RGB", (40, 30), colour)))
    return open_rgb(path)


def test_a_text_is_embedded_once_and_its_vector_stays_the_same(
    cache: VectorCache, words: WordLane
) -> None:
    lane = with_cache(make_embedder(words), cache).text
    first = lane.embed_documents(TEXTS)

    again = lane.embed_documents([TEXTS[2], TEXTS[0], TEXTS[2]])

    assert words.embedded_count == 3
    np.testing.assert_array_equal(again, first[[2, 0, 2]])
    np.testing.assert_array_equal(first, WordLane().embed_documents(TEXTS))


def test_only_unknown_texts_of_a_batch_reach_the_model_in_their_places(
    cache: VectorCache, words: WordLane
) -> None:
    lane = with_cache(make_embedder(words), cache).text
    lane.embed_documents(TEXTS[1:2])

    mixed = lane.embed_documents([TEXTS[0], TEXTS[1], TEXTS[0], "", "\ud800"])

    assert words.embedded_count == 1 + 3
    np.testing.assert_array_equal(
        mixed, WordLane().embed_documents([TEXTS[0], TEXTS[1], TEXTS[0], "", "\ud800"])
    )


def test_questions_are_not_kept(cache: VectorCache, words: WordLane, tmp_path: Path) -> None:
    embedder = with_cache(make_embedder(words, ColourLane()), cache)
    embedder.text.embed_queries(TEXTS)
    assert embedder.pictures is not None
    embedder.pictures.embed_queries(TEXTS)
    assert not (tmp_path / "cache.sqlite").exists()


def test_no_texts_and_no_pictures_give_empty_results(cache: VectorCache, words: WordLane) -> None:
    assert with_cache(make_embedder(words), cache).text.embed_documents([]).shape == (0, words.dim)


def test_another_identity_shares_nothing(cache: VectorCache, words: WordLane) -> None:
    with_cache(make_embedder(words), cache).text.embed_documents(TEXTS)
    with_cache(make_embedder(words, line="b"), cache).text.embed_documents(TEXTS)
    assert words.embedded_count == 6


def test_a_restart_finds_what_was_kept(tmp_path: Path, words: WordLane) -> None:
    for _ in range(2):
        cache = VectorCache(tmp_path / "cache.sqlite")
        with_cache(make_embedder(words), cache).text.embed_documents(TEXTS)
        cache.close()
    assert words.embedded_count == 3


def test_a_stored_picture_is_embedded_once_and_a_caption_makes_it_another(
    cache: VectorCache, words: WordLane, tmp_path: Path
) -> None:
    inner = CaptionedLane()
    lane = with_cache(make_embedder(words, inner), cache).pictures
    assert isinstance(lane, CaptionedPictures)
    red, blue = stored(tmp_path / "red.png", "red"), stored(tmp_path / "blue.png", "blue")
    plain = lane.embed_images([red, blue])
    long = lane.embed_captioned([red, blue], ["A long caption", ""])

    np.testing.assert_array_equal(lane.embed_images([blue, red]), plain[::-1])
    np.testing.assert_array_equal(lane.embed_captioned([red], ["A long caption"]), long[:1])
    assert inner.embedded_count == 4
    lane.embed_captioned([red], ["A different one"])
    assert inner.embedded_count == 5


def test_a_lane_without_captions_gets_none_from_the_cache(
    cache: VectorCache, words: WordLane
) -> None:
    lane = with_cache(make_embedder(words, ColourLane()), cache).pictures
    assert not isinstance(lane, CaptionedPictures)


def test_a_picture_that_nobody_stored_is_not_kept(cache: VectorCache, words: WordLane) -> None:
    inner = ColourLane()
    lane = with_cache(make_embedder(words, inner), cache).pictures
    assert lane is not None
    for _ in range(2):
        lane.embed_images([Image.new("RGB", (40, 30), "red")])
    assert inner.embedded_count == 2


def test_built_in_pictures_are_kept(cache: VectorCache, words: WordLane) -> None:
    inner = ColourLane()
    lane = with_cache(make_embedder(words, inner), cache).pictures
    assert lane is not None
    for _ in range(2):
        lane.embed_images(built_in_pictures())
    assert inner.embedded_count == 64


def test_the_mark_of_a_file_cannot_come_from_the_file(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text(FILE_KEY, "0" * 64)
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png", pnginfo=text)
    assert open_rgb(tmp_path / "picture.png").info == {FILE_KEY: "picture"}


def test_pixels_size_and_caption_decide_the_key() -> None:
    wide, tall = Image.new("RGB", (4, 2)), Image.new("RGB", (2, 4))
    keys = {picture_key(wide), picture_key(tall), picture_key(wide, "x"), text_key("")}
    assert len(keys) == 4
    assert picture_key(wide) == picture_key(wide.copy())


def test_forgetting_a_text_or_a_picture_file_takes_it_from_every_lane(
    cache: VectorCache, words: WordLane, tmp_path: Path
) -> None:
    pictures = ColourLane()
    red, blue = stored(tmp_path / "red.png", "red"), stored(tmp_path / "blue.png", "blue")
    embedders = [with_cache(make_embedder(words, pictures, line), cache) for line in "ab"]

    def embed() -> None:
        for embedder in embedders:
            assert embedder.pictures is not None
            embedder.text.embed_documents(TEXTS)
            embedder.pictures.embed_images([red, blue])

    embed()
    cache.forget(TEXTS[:1], ["red"])
    embed()
    assert (words.embedded_count, pictures.embedded_count) == (6 + 2, 4 + 2)


def test_keeping_only_some_drops_the_others(
    cache: VectorCache, words: WordLane, tmp_path: Path
) -> None:
    pictures = ColourLane()
    embedder = with_cache(make_embedder(words, pictures), cache)
    red, blue = stored(tmp_path / "red.png", "red"), stored(tmp_path / "blue.png", "blue")
    assert embedder.pictures is not None
    embedder.text.embed_documents(TEXTS)
    embedder.pictures.embed_images([red, blue])

    cache.keep_only(TEXTS[:1], ["blue"])

    embedder.text.embed_documents(TEXTS)
    embedder.pictures.embed_images([red, blue])
    assert (words.embedded_count, pictures.embedded_count) == (3 + 2, 2 + 1)


@pytest.mark.parametrize("damage", [b"not a database at all" * 400, b""], ids=["noise", "empty"])
def test_a_damaged_file_is_begun_anew_with_one_line_in_the_log(
    tmp_path: Path, words: WordLane, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(damage)
    cache = VectorCache(path)
    lane = with_cache(make_embedder(words), cache).text
    with caplog.at_level(logging.WARNING):
        lane.embed_documents(TEXTS)
        lane.embed_documents(TEXTS)
    cache.close()
    assert words.embedded_count == 3
    assert len(caplog.records) == (1 if damage else 0)


def test_a_file_damaged_while_it_is_used_costs_model_time_and_no_more(
    tmp_path: Path, words: WordLane
) -> None:
    path = tmp_path / "cache.sqlite"
    many = [f"Text number {i} of the harbour." for i in range(300)]
    cache = VectorCache(path)
    with_cache(make_embedder(words), cache).text.embed_documents(many)
    cache.close()
    data = bytearray(path.read_bytes())
    data[8_192:] = b"\xff" * (len(data) - 8_192)
    path.write_bytes(data)

    cache = VectorCache(path)
    vectors = with_cache(make_embedder(words), cache).text.embed_documents(many)
    with_cache(make_embedder(words), cache).text.embed_documents(many)
    cache.close()

    np.testing.assert_array_equal(vectors, WordLane().embed_documents(many))
    assert words.embedded_count == 600


def test_a_stored_vector_that_cannot_be_one_is_made_again(
    cache: VectorCache, words: WordLane
) -> None:
    broken = [np.zeros(words.dim), np.full(words.dim, np.nan), np.ones(3)]
    for text, vector in zip(TEXTS, broken, strict=True):
        cache.put("text|a", "document", [(text_key(text), np.float32(vector))])
    vectors = with_cache(make_embedder(words), cache).text.embed_documents(TEXTS)
    np.testing.assert_array_equal(vectors, WordLane().embed_documents(TEXTS))


def test_nothing_is_kept_below_the_disk_reserve(tmp_path: Path, words: WordLane) -> None:
    cache = VectorCache(tmp_path / "cache.sqlite", reserve_mb=10**9)
    lane = with_cache(make_embedder(words), cache).text
    for _ in range(2):
        lane.embed_documents(TEXTS)
    cache.close()
    assert words.embedded_count == 6


def test_threads_share_one_cache(cache: VectorCache) -> None:
    lanes = [with_cache(make_embedder(WordLane()), cache).text for _ in range(4)]
    texts = [f"Line {i} about cranes" for i in range(60)]
    results: list[Array] = []
    threads = [
        threading.Thread(
            target=lambda lane=lane: results.extend(lane.embed_documents([t])[0] for t in texts)
        )
        for lane in lanes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = np.tile(WordLane().embed_documents(texts), (4, 1))
    assert len(results) == 240
    np.testing.assert_array_equal(np.sort(np.stack(results), axis=0), np.sort(expected, axis=0))


@pytest.fixture
def services(
    tmp_path: Path, words: WordLane, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    monkeypatch.setattr("ui.embedding.load_embedder", lambda *_: fake_minilm(words))
    opened = build(settings_for(tmp_path / "library"))
    yield opened
    opened.close()


def fake_minilm(words: WordLane) -> Embedder:
    """Counts what it embeds; its identity is the one that the settings name."""
    from rag.embed import identity_of
    from rag.settings import EmbedSettings

    return replace(make_embedder(words), name="minilm", text_identity=identity_of(EmbedSettings()))


PAGE = make_html("<h1>Tides</h1>" + "".join(f"<p>Port {i} has a tide.</p>" for i in range(40)))


def test_the_same_words_in_another_file_cost_no_model_time(
    services: Services, words: WordLane
) -> None:
    ingest(services, "tides.html", PAGE)
    before = words.embedded_count
    other = ingest(services, "copy.html", PAGE + b"<!-- another file -->")
    assert other.state == "ready"
    assert 0 < before == words.embedded_count


def test_a_rebuild_with_the_same_embedder_costs_no_model_time(
    services: Services, words: WordLane
) -> None:
    ingest(services, "paper.pdf", make_paper(figures=1))
    before = words.embedded_count
    _, _, points = services.reindex(services.embed_settings())
    assert points >= 3
    assert words.embedded_count == before


def test_a_deleted_document_is_forgotten(services: Services, words: WordLane) -> None:
    document = ingest(services, "tides.html", PAGE)
    before = words.embedded_count
    services.delete(document.id)
    ingest(services, "tides.html", PAGE)
    assert words.embedded_count == 2 * before


def test_a_document_that_was_undone_and_then_deleted_is_forgotten(
    services: Services, words: WordLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ingest(services, "kept.html", make_html("<p>Cranes lift stone at the quay.</p>"))
    admitted = services.pipeline.admit("tides.html", PAGE)
    progress = Progress(document_id=admitted.document.id, name="tides.html")
    monkeypatch.setattr("rag.library.documents.DocumentTable.publish", cancel_at_publish(progress))
    with pytest.raises(Cancelled):  # as when the app closes in the middle
        services.pipeline.run(admitted.document.id, progress, keep_if_cancelled=lambda: True)
    monkeypatch.undo()
    known = cached_contents(services)
    services.delete(admitted.document.id)
    assert len(known) > len(cached_contents(services))
    texts, _ = services.library.items.contents(kept.id)
    assert cached_contents(services) == {text_key(text) for text in texts}


def cancel_at_publish(progress: Progress):  # noqa: ANN201
    def publish(*_: object) -> None:
        raise Cancelled

    return publish


def cached_contents(services: Services) -> set[bytes]:
    import sqlite3

    connection = sqlite3.connect(services.settings.data_dir / "cache.sqlite")
    rows = connection.execute("SELECT content FROM vectors").fetchall()
    connection.close()
    return {row[0] for row in rows}
